"""Check what is in a wheel: `check_wheel.py WHEEL SOURCE`, with the folder that has the package."""

import sys
from pathlib import Path
from zipfile import ZipFile

wheel, source = Path(sys.argv[1]), Path(sys.argv[2])
archive = ZipFile(wheel)
names = set(archive.namelist())
information = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
package = {
    path.relative_to(source).as_posix()
    for path in source.joinpath("novaact_http").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
}
assert {name for name in names if not name.startswith(f"{information}/")} == package, names ^ package
assert {"novaact_http/py.typed", f"{information}/licenses/LICENSE"} <= names
assert not any("/test_" in name or name.startswith(("tests/", "bench/", "fuzz/", "examples/")) for name in names)
entry_points = archive.read(f"{information}/entry_points.txt").decode()
assert "novaact-http = novaact_http.cli:main" in entry_points
assert "novaact_http = novaact_http.testing.pytest_plugin" in entry_points
metadata = archive.read(f"{information}/METADATA").decode()
required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
assert len(required) == 3, required
assert not any("<" in line or "==" in line for line in required), "no caps"
print(wheel.name, "has", len(package), "files of the package and what it should")
