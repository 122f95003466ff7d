"""Durations as people write and read them, such as 2h or 3m 20s, or numbers of seconds."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import datetime as dt

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PATTERN = re.compile("".join(f"(?:([0-9]+){unit})?" for unit in _UNITS), re.ASCII)
_A_YEAR = 365 * 86_400
_LONGEST = 50 * _A_YEAR  # what began before that has no date


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in new versions of click
    """A duration such as 90s, 15m, 2h, 7d or 1h30m, as a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _PATTERN.fullmatch(value)
        numbers = () if match is None else match.groups(default="0")
        seconds = sum(int(number) * unit for number, unit in zip(numbers, _UNITS.values(), strict=False))
        if not 0 < seconds <= _LONGEST:
            self.fail(f"must be a duration such as 90s, 15m, 2h, 7d or 1h30m, not {value!r}", param, ctx)
        return seconds


class Seconds(click.ParamType):  # type: ignore[type-arg]
    """A number of seconds, from 1 to a year."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 1 <= seconds <= _A_YEAR:  # also if it is nan
            self.fail(f"must be a number of seconds from 1 to {_A_YEAR}, a year, not {value!r}", param, ctx)
        return seconds


def in_words(duration: dt.timedelta) -> str:
    """Return a duration by its two largest units. One that clocks that differ made negative is none."""
    seconds = max(int(duration.total_seconds()), 0)
    sizes = list(_UNITS.items())
    for (unit, size), (smaller, smaller_size) in itertools.pairwise(sizes):
        if seconds >= size:
            rest = seconds % size // smaller_size
            return f"{seconds // size}{unit} {rest}{smaller}" if rest else f"{seconds // size}{unit}"
    return f"{seconds}s"
