"""Say what is ready, and what is left to a person: `release.py FOLDER`, with what `.ci/wheel` left there."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def unfinished(version: str) -> list[str]:
    """Return what a person has to write before anything is published."""
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    if changed.stdout:
        found.append("Commit what differs from HEAD: it is in the files above.")
    if re.search(r'^repository = ""$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE):
        found.append(
            "The address of the public repository is missing: write it into pyproject.toml, as `repository`. "
            "Until then, the package page has no URLs, and the README's links and picture lead nowhere there."
        )
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text():
        found.append(f"CHANGELOG.md has no section for {version}.")
    found += [
        f"{name} says that there is no release yet: write `pip install novaact-http` there."
        for name in ("README.md", "docs/index.md")
        if "There is no release yet" in (ROOT / name).read_text()
    ]
    return found


files = sorted(Path(sys.argv[1]).glob("novaact_http-*"))
version = files[0].name.split("-")[1]
print()
for file in files:
    print(hashlib.sha256(file.read_bytes()).hexdigest(), file)
missing = unfinished(version)
if missing:
    print(f"\nThese are built and checked, but not ready to be published as {version}:\n")
    print(*missing, sep="\n")
    print("\nThen run make release again, and it names the commands that publish.")
else:
    print(f"\nThese are built and checked. A person publishes them as {version}, by\n")
    print(f"  git tag --annotate v{version} --message 'novaact_http {version}'\n  git push origin v{version}")
    print(f"  {sys.executable} -m twine upload", *files)
