"""Build a layer for AWS Lambda, a zip of the library and attrs, and print its size: `layer.py FOLDER [--compare]`.

It has bytecode for the version of Python that runs this, as Lambda cannot write any: without, each cold start would
compile the source again. The zip is the same whenever and wherever it is built with the same Python, from the same
source and release of attrs. `--compare` also prints the sizes of others without bytecode, for which it downloads them
into a folder that it deletes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).parents[1]
OTHERS = {"the plain installation": [str(ROOT)], "boto3": ["boto3"], "capo-nova-act": ["capo-nova-act"]}
USELESS_THERE = "novaact_http/(cli|testing)/"  # they need more packages
# Programs, and records of how and where pip installed.
LEFT_OUT = re.compile(r"bin/|.*\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json)$")


def install(folder: Path, *what: str) -> None:
    """Install packages into a folder, without bytecode."""
    options = ("--quiet", "--disable-pip-version-check", "--no-compile", "--target", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *what], check=True)


def compile_bytecode(folder: Path) -> None:
    """Compile the modules, for the place where Lambda has them. Their dates do not count, as a zip changes these."""
    options = (
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        str(folder),
        "-p",
        "/opt/python",
        "-x",
        USELESS_THERE,
    )
    environ = {**os.environ, "PYTHONHASHSEED": "0"}  # or the order of sets would differ
    subprocess.run([sys.executable, "-m", "compileall", *options, str(folder)], check=True, env=environ)


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
        source_size = write_zip(source := Path(scratch, "source.zip"), layer)
        compile_bytecode(layer)
        path = given.folder / "novaact-http-layer.zip"
        size = write_zip(path, layer)
        show(f"{path} for Python {sys.version_info[0]}.{sys.version_info[1]}", path.stat().st_size, size)
        show("  without bytecode", source.stat().st_size, source_size)
        for number, (name, what) in enumerate(OTHERS.items() if given.compare else ()):
            folder, zipped = Path(scratch, str(number)), Path(scratch, f"{number}.zip")
            install(folder, *what)
            size = write_zip(zipped, folder)
            show(name, zipped.stat().st_size, size)


if __name__ == "__main__":
    main()
