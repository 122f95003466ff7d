"""Build a layer for AWS Lambda, a zip of the library and attrs, and print its size: `layer.py FOLDER [--compare]`.

The zip in the folder is the same whenever and wherever it is built from the same source and release of attrs. It has no
bytecode, as that is for one version of Python alone. `--compare` also prints the installed sizes of others, for which
it downloads them into a folder that it deletes.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).parents[1]
OTHERS = {"the plain installation": [str(ROOT)], "boto3": ["boto3"], "capo-nova-act": ["capo-nova-act"]}
# Programs, and records of how and where pip installed.
LEFT_OUT = re.compile(r"bin/|.*\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$")


def install(folder: Path, *what: str) -> None:
    """Install packages into a folder, without bytecode."""
    options = ("--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *what], check=True)


def write_zip(path: Path, folder: Path) -> int:
    """Zip what is in a folder under `python/`, and return its size in bytes before compression."""
    total = 0
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder).as_posix()
            if file.is_file() and not LEFT_OUT.match(name):
                entry = ZipInfo(f"python/{name}")  # dated 1980
                entry.create_system, entry.external_attr = 3, 0o644 << 16  # readable by all, on Unix
                content = file.read_bytes()
                archive.writestr(entry, content, ZIP_DEFLATED, compresslevel=9)
                total += len(content)
    return total


def show(name: str, zipped: int, size: int) -> None:
    """Print two sizes in MB."""
    print(f"{name:45} {zipped / 1e6:6.2f} MB zipped {size / 1e6:7.2f} MB installed")


def main() -> None:
    """Build the layer, and compare it if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--compare", action="store_true", help="download the others and print their sizes too")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        layer = Path(scratch, "layer")
        install(layer, "attrs")
        install(layer, "--no-deps", str(ROOT))
        path = given.folder / "novaact-http-layer.zip"
        size = write_zip(path, layer)
        show(str(path), path.stat().st_size, size)
        for number, (name, what) in enumerate(OTHERS.items() if given.compare else ()):
            folder, zipped = Path(scratch, str(number)), Path(scratch, f"{number}.zip")
            install(folder, *what)
            size = write_zip(zipped, folder)
            show(name, zipped.stat().st_size, size)


if __name__ == "__main__":
    main()
