"""`python -m bench.instructions`: counts the instructions that calls take, now and in the commit before.

The counts of two runs of the same code differ by some 0.1 %, however busy the machine is, so a change of 2 % shows.
What the kernel does is not counted. It needs valgrind. The exit status is 1 if a call takes over 5 % more than before,
and 0 if that could not be found out, which is said loudly.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("fixed_calls.py")
MOST = 1.05  # of what there was before

# What is counted: the scenario, and how many calls are made. A call is the difference to twice as many; what is counted
# whole is a process from its start to its end.
CALLS = {"list_sessions": 50, "list_sessions_by_50_tasks": 100, "get_workflow_run": 100, "invoke_act_step": 5}
WHOLE = {"cold start and one call": ("list_sessions", 1), "cold start and 50 tasks": ("list_sessions_by_50_tasks", 50)}


class CannotCountError(Exception):
    """Instructions cannot be counted here."""


class Compared(NamedTuple):
    """The instructions that something takes."""

    name: str
    before: int
    now: int

    @property
    def ratio(self) -> float:
        return self.now / self.before

    def __str__(self) -> str:
        verdict = "" if self.ratio <= MOST else f"  MORE THAN {MOST - 1:.0%} MORE"
        return f"{self.name:32}{self.before:14,}{self.now:14,}{self.ratio - 1:+9.1%}{verdict}"


def count(source: Path, scenario: str, calls: int) -> int:
    """Return how many instructions a process takes that makes these calls with the library in a folder.

    Raises:
        CannotCountError: valgrind did not count.
    """
    if shutil.which("valgrind") is None:
        raise CannotCountError("valgrind is not installed")
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, str(PROGRAM)]
    environ = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*command, scenario, str(calls)], env=environ, capture_output=True, text=True, check=False)
    collected = parse(done.stderr)
    if done.returncode or collected is None:
        raise CannotCountError(f"{scenario} with {source}: {done.stderr.strip().splitlines()[-1:]}")
    return collected


def parse(output: str) -> int | None:
    """Return what callgrind says that it has counted."""
    found = re.search(r"Collected : (\d+)", output)
    return None if found is None else int(found[1])


def compare(before: Path, now: Path) -> list[Compared]:
    """Count everything with the library in two folders."""
    counted = [
        (source, name, calls * times) for name, calls in CALLS.items() for times in (1, 2) for source in (before, now)
    ]
    counted += [(source, *each) for each in WHOLE.values() for source in (before, now)]
    for source in (before, now):  # so that no run compiles what another one then finds compiled
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(source)], check=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(counted, pool.map(lambda each: count(*each), counted), strict=True))

    def of_a_call(source: Path, name: str, calls: int) -> int:
        return (counts[source, name, 2 * calls] - counts[source, name, calls]) // calls

    compared = [
        Compared(name, of_a_call(before, name, calls), of_a_call(now, name, calls)) for name, calls in CALLS.items()
    ]
    return compared + [
        Compared(name, counts[before, scenario, calls], counts[now, scenario, calls])
        for name, (scenario, calls) in WHOLE.items()
    ]


def extract(revision: str, folder: Path) -> Path:
    """Write the library of a commit into a folder, and return where it is.

    Raises:
        CannotCountError: there is no such commit here.
    """
    if shutil.which("git") is None:
        raise CannotCountError("git is not installed")
    archive = subprocess.run(["git", "archive", revision, "src"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise CannotCountError(f"there is no commit {revision} here: {archive.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data") if sys.version_info >= (3, 12) else files.extractall(folder)
    return folder / "src"


def main() -> int:
    """Parse the arguments, count and compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__.partition("\n")[0])
    parser.add_argument("--against", default="HEAD^", metavar="COMMIT", help="default: %(default)s")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            compared = compare(extract(options.against, Path(folder)), ROOT / "src")
    except CannotCountError as error:
        print(f"{'!' * 78}\n!!! INSTRUCTIONS WERE NOT COUNTED, so nothing is known: {error}\n{'!' * 78}")
        return 0
    print(f"{'instructions':32}{options.against:>14}{'now':>14}{'change':>9}")
    print(*compared, sep="\n")
    return int(any(each.ratio > MOST for each in compared))


if __name__ == "__main__":
    sys.exit(main())
