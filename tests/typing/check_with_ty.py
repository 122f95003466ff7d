"""Checks the files about operations with ty, which knows none of the comments of mypy and pyright.

It must find nothing in the file of right uses, and an error on each line with an ignore in that of wrong ones.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("operations.py", "wrong_operations.py")


def main() -> int:
    """Print the lines about which ty and the comments differ, and return how many there are."""
    command = [sys.executable, "-m", "ty", "check", "--python", sys.prefix, "--output-format", "concise"]
    command += [str(HERE / name) for name in FILES]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = {
        (Path(name).name, int(line)) for name, line in re.findall(r"^(.+?):(\d+):\d+: error", printed, re.MULTILINE)
    }
    expected = {
        (name, number)
        for name in FILES
        for number, line in enumerate((HERE / name).read_text(encoding="utf-8").splitlines(), 1)
        if "# type: ignore" in line
    }
    for name, number in sorted(found ^ expected):
        print(f"{HERE / name}:{number}: ty finds {'an error' if (name, number) in found else 'nothing wrong'}")  # noqa: T201 - it is a command
    return len(found ^ expected)


if __name__ == "__main__":
    sys.exit(min(main(), 1))
