"""Fair measurements on a busy machine: contenders take turns, and ratios are computed within a round.

Each contender has its own process, so that none pays for the memory of another. In each round every contender has one
short turn, in shuffled order, all within seconds. A ratio compares two turns of the same round. The result is the
median over all rounds, with the quartiles. The processes do not get the user's environment variables and files for AWS
and proxies.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

ROOT = Path(__file__).parent.parent
NEWEST_BOTO3 = Path(f"{sys.prefix}-boto3") / "bin" / "python"  # next to the virtual environment of this process
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class ContenderError(Exception):
    """A contender failed: it raised, or returned a wrong result."""


class Sample(NamedTuple):
    """The result of one turn, in seconds per call."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Spread:
    """The distribution of some measurements."""

    median: float
    minimum: float
    lower: float
    upper: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return median, minimum and quartiles of some values."""
        lower, median, upper = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        )
        return cls(median, min(values), lower, upper, len(values))

    def scaled(self, factor: float) -> Spread:
        """Return the same distribution in another unit."""
        return Spread(self.median * factor, self.minimum * factor, self.lower * factor, self.upper * factor, self.count)


T = TypeVar("T", bound=NamedTuple)
Rounds = dict[str, list[T]]


def ratio(rounds: Rounds[T], of: str, to: str, field: str = "cpu") -> Spread:
    """Return the ratio of one contender to another, computed round by round."""
    return Spread.of(
        [getattr(mine, field) / getattr(theirs, field) for mine, theirs in zip(rounds[of], rounds[to], strict=True)]
    )


def spread(rounds: Rounds[T], name: str, field: str = "cpu") -> Spread:
    """Return the distribution of a contender's turns."""
    return Spread.of([getattr(sample, field) for sample in rounds[name]])


@dataclass(frozen=True)
class Length:
    """How long to measure: about `seconds`, but from `min_rounds` to `max_rounds` rounds."""

    seconds: float
    min_rounds: int = 5
    max_rounds: int = 40


def interleave(turns: Mapping[str, Callable[[], T]], length: Length) -> Rounds[T]:
    """Let the contenders take turns, and return the results of each."""
    rng = random.Random(0)
    rounds: Rounds[T] = {name: [] for name in turns}
    ends = time.monotonic() + length.seconds
    for number in range(length.max_rounds):
        if number >= length.min_rounds and time.monotonic() > ends:
            break
        for name in rng.sample(list(turns), k=len(turns)):
            rounds[name].append(turns[name]())
    return rounds


def start(module: str, *arguments: str, python: str | Path = sys.executable) -> subprocess.Popen[str]:
    """Start a module of this package in a new process, with pipes for lines of text."""
    return subprocess.Popen(
        [str(python), "-m", module, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Worker:
    """A contender in its own process. See `bench.worker` for its commands."""

    def __init__(self, *arguments: str, python: str | Path = sys.executable) -> None:
        self.name = " ".join(arguments[:2])
        self._process = start("bench.worker", *arguments, python=python)

    def do(self, command: str, **options: object) -> Any:
        """Run a command, and return its result.

        Raises:
            ContenderError: the command failed.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({"command": command, **options}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line:
            raise ContenderError(f"{self.name} failed at {command}: see its output above")
        return json.loads(line)

    def sample(self, command: str, **options: object) -> Sample:
        """Run a command that measures."""
        return Sample(*self.do(command, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.communicate()
        if kind is None and self._process.returncode:
            raise ContenderError(f"{self.name} failed at closing: see its output above")


def allow_many_files() -> None:
    """Raise the limit of open files, so that this process can have more than a thousand connections."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
