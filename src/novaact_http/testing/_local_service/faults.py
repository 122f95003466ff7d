"""What goes wrong, and when: errors and broken connections on a schedule, and a throttle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from novaact_http.testing._argument_checks import check, check_number

if TYPE_CHECKING:
    import random

    from novaact_http.testing._local_service.messages import Answer

# What can be done to the connection of a request, and the seconds it takes where nobody says.
CONNECTION_FAULTS = {
    "refuse": 1.0,  # reset it, and refuse all connections for so long
    "reset": 0.0,  # before the answer
    "reset-mid": 0.2,  # so long after half of the answer: a reset takes away what the client has not read yet
    "reset-after": 0.2,  # so long after the answer
    "truncate": 0.0,  # close it after half of the answer's body
    "drip": 0.01,  # answer a byte at a time, and wait so long after each
    "stall": 0.0,  # never answer
    "close": 0.0,  # after the answer, without saying so in it
}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_SPECIFICATION = re.compile(
    r"(?P<fault>[A-Za-z-]+)"
    rf"(?: for (?P<seconds>{_NUMBER}) ?s)?"
    rf"(?: next (?P<times>[0-9]+)| every (?P<every>[0-9]+)(?:st|nd|rd|th)?| (?P<percent>{_NUMBER}) ?%)?"
)


@attrs.frozen
class ConnectionFault:
    """One of `CONNECTION_FAULTS`, with its seconds."""

    kind: str
    seconds: float


@attrs.define(kw_only=True)
class ScheduledFault:
    """An answer or a fault, and when it comes.

    Attributes:
        times: how often at most; None for always.
        every: of so many requests, the last.
        chance: from 0 to 1.
    """

    effect: Answer | ConnectionFault
    times: int | None = None
    every: int | None = None
    chance: float | None = None
    seen: int = 0

    def is_due(self, rng: random.Random) -> bool:
        """Does it come now, that one more request was seen?"""
        return (self.every is None or self.seen % self.every == 0) and (
            self.chance is None or rng.random() < self.chance
        )


class Schedule:
    """All that is to go wrong. The first that is due comes."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._scheduled: list[ScheduledFault] = []

    def add(self, scheduled: ScheduledFault) -> None:
        if scheduled.times != 0:
            self._scheduled.append(scheduled)

    def clear(self) -> None:
        self._scheduled.clear()

    def next(self) -> Answer | ConnectionFault | None:
        """What the next request meets, if anything."""
        for each in self._scheduled:
            each.seen += 1
        due = next((each for each in self._scheduled if each.is_due(self._rng)), None)
        if due is None:
            return None
        if due.times is not None:
            due.times -= 1
            if due.times == 0:
                self._scheduled.remove(due)
        return due.effect


@attrs.frozen(kw_only=True)
class FaultSpecification:
    """A fault and its schedule, as in `"ThrottlingException every 3rd"`, `"reset next 2"` or `"drip for 0.1s 10 %"`."""

    fault: str
    seconds: float | None = None
    times: int | None = None
    every: int | None = None
    chance: float | None = None

    @classmethod
    def parse(cls, text: str, **options: float | None) -> FaultSpecification:
        """The text, with what is said besides it. Raises a ValueError if it is none, or something is said twice."""
        check("the fault", text, "a str such as 'reset next 2'", valid=isinstance(text, str))
        parsed = _SPECIFICATION.fullmatch(" ".join(text.split()))
        if parsed is None:
            raise ValueError(
                f"{text!r} is no fault: write its name, then if need be 'for 0.5s', then 'next 2', 'every 3rd' or '5 %'"
            )
        found = parsed.groupdict()
        seconds, times, every, percent = (found[name] for name in ("seconds", "times", "every", "percent"))
        schedule: dict[str, Any] = {
            "seconds": None if seconds is None else float(seconds),
            "times": None if times is None else int(times),
            "every": None if every is None else int(every),
            "chance": None if percent is None else float(percent) / 100,
        }
        for name, value in options.items():
            if value is not None:
                if schedule[name] is not None:
                    raise ValueError(f"{text!r} says {name}={schedule[name]}, so {name}={value} cannot be told as well")
                schedule[name] = value
        return cls(fault=found["fault"], **schedule)

    def __attrs_post_init__(self) -> None:
        check_number("times", self.times, minimum=0, whole=True, optional=True)
        check_number("every", self.every, minimum=1, whole=True, optional=True)
        check_number("chance", self.chance, minimum=0, maximum=1, optional=True)
        check_number("seconds", self.seconds, minimum=0, optional=True)


class TokenBucket:
    """Lets so many requests a second through, and a burst of so many at once.

    Args:
        rate: requests a second, over 0.
        burst: at least 1; with None, as many as in a second, one at least.
        now: seconds since some moment.
    """

    def __init__(self, rate: float, burst: float | None, now: float) -> None:
        check_number("rate", rate, above=0)
        burst = max(rate, 1.0) if burst is None else burst
        check_number("burst", burst, minimum=1)
        self._rate, self._burst = rate, burst
        self._tokens, self._at = float(burst), now

    def take(self, now: float) -> float:
        """Let a request through. Returns 0.0, or the seconds until there will be a token if there is none."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate
