"""Faults for tests: errors and broken connections on a schedule, and a throttle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from novaact_http.testing._argument_checks import check, check_number

if TYPE_CHECKING:
    import random

    from novaact_http.testing._local_service.http_messages import Answer

# The faults of a connection, each with its default number of seconds; 0.0 for a fault that takes no seconds.
CONNECTION_FAULTS = {
    "refuse": 0.2,  # reset the connection, and refuse all connections for these seconds
    "reset": 0.0,  # reset it before the response
    "reset-mid": 0.2,  # reset it these seconds after half of the response, so that the client can read that half
    "reset-after": 0.2,  # reset it these seconds after the response
    "truncate": 0.0,  # close it after half of the response's body
    "drip": 0.001,  # send the response byte by byte, and wait these seconds after each byte
    "stall": 0.0,  # never respond
    "close": 0.0,  # close it after the response, without a "Connection: close"
}
FAULTS_WITHOUT_RESPONSE = frozenset({"refuse", "reset", "stall"})
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_SPECIFICATION = re.compile(
    r"(?P<fault>[A-Za-z-]+)(?: on (?P<operation>[A-Za-z]+))?"
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
    """A response or a connection fault, and the requests that it applies to.

    Attributes:
        name: what it is called in messages.
        times: the number of requests that it applies to at most; None for no limit.
        every: with 3, it applies to every third request; None for all.
        chance: the probability from 0 to 1 that it applies to a request; None for 1.
        operation, workflow_run_id: the only operation and run that it applies to; None for all.
        is_after_work: whether the service does its work before.
        allow_unused: whether a test may end without all of it.
        seen: the number of requests, of those that it may apply to, since it was scheduled.
        came: the number of requests that it was applied to.
    """

    name: str
    effect: Answer | ConnectionFault
    times: int | None = None
    every: int | None = None
    chance: float | None = None
    operation: str | None = None
    workflow_run_id: str | None = None
    is_after_work: bool = False
    allow_unused: bool = False
    seen: int = 0
    came: int = 0

    @property
    def is_used(self) -> bool:
        """Whether it came as often as was asked for; at least once if that was not said, and any number by chance."""
        return self.came == self.times if self.times is not None else self.came > 0 or self.chance is not None

    def may_apply_to(self, operation: str | None, run_id: str | None) -> bool:
        """Tell whether it is for the operation and run of a request."""
        return self.operation in (None, operation) and self.workflow_run_id in (None, run_id)

    def is_due(self, rng: random.Random) -> bool:
        """Tell whether it applies to the request that was just counted in `seen`."""
        return (self.every is None or self.seen % self.every == 0) and (
            self.chance is None or rng.random() < self.chance
        )


class Schedule:
    """All scheduled faults. Of those that are due, the one added first applies."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._scheduled: list[ScheduledFault] = []

    def add(self, scheduled: ScheduledFault) -> None:
        if scheduled.times != 0:
            self._scheduled.append(scheduled)

    def clear(self) -> None:
        self._scheduled.clear()

    def unused(self) -> list[str]:
        """Return what has not come, and was not allowed to stay away, in words."""
        return [
            f"{each.name} ({each.came} of {each.times})" if each.times is not None else each.name
            for each in self._scheduled
            if not each.is_used and not each.allow_unused
        ]

    def next(self, operation: str | None = None, run_id: str | None = None) -> ScheduledFault | None:
        """Return what to do to the next request, or None if nothing is due.

        Args:
            operation: the operation that the request is for; None for no operation.
            run_id: the run that it names; None for no run.
        """
        candidates = [each for each in self._scheduled if each.may_apply_to(operation, run_id)]
        for each in candidates:
            each.seen += 1
        due = next((each for each in candidates if each.is_due(self._rng)), None)
        if due is None:
            return None
        due.came += 1
        if due.came == due.times:
            self._scheduled.remove(due)
        return due


@attrs.frozen(kw_only=True)
class FaultSpecification:
    """A fault and its schedule, as in `"ThrottlingException on ListActs every 3rd"` or `"drip for 0.1s 10 %"`."""

    fault: str
    operation: str | None = None
    seconds: float | None = None
    times: int | None = None
    every: int | None = None
    chance: float | None = None

    @classmethod
    def parse(cls, text: str, **options: float | str | None) -> FaultSpecification:
        """Parse the text, and add the options that are not None.

        Raises:
            ValueError: the text is not a fault, or an option is given in the text and again beside it.
        """
        check("the fault", text, "a str such as 'reset next 2'", valid=isinstance(text, str))
        parsed = _SPECIFICATION.fullmatch(" ".join(text.split()))
        if parsed is None:
            raise ValueError(
                f"{text!r} is not a fault: write its name, then optionally 'on ListActs', then optionally 'for 0.5s', "
                "then optionally 'next 2', 'every 3rd' or '5 %'"
            )
        parts = parsed.groupdict()
        seconds, times, every, percent = (parts[name] for name in ("seconds", "times", "every", "percent"))
        schedule: dict[str, Any] = {
            "operation": parts["operation"],
            "seconds": None if seconds is None else float(seconds),
            "times": None if times is None else int(times),
            "every": None if every is None else int(every),
            "chance": None if percent is None else float(percent) / 100,
        }
        for name, value in options.items():
            if value is not None:
                if schedule[name] is not None:
                    raise ValueError(f"{text!r} already says {name}={schedule[name]}, so leave out {name}={value}")
                schedule[name] = value
        return cls(fault=parts["fault"], **schedule)

    def __attrs_post_init__(self) -> None:
        check_number("times", self.times, minimum=0, whole=True, optional=True)
        check_number("every", self.every, minimum=1, whole=True, optional=True)
        check_number("chance", self.chance, minimum=0, maximum=1, optional=True)
        check_number("seconds", self.seconds, minimum=0, optional=True)


class TokenBucket:
    """Admits `rate` requests a second, and a burst of `burst` requests at once.

    Args:
        rate: requests a second, above 0.
        burst: at least 1; with None, the same number as `rate`, but at least 1.
        now: the current time in seconds, from any starting point.
    """

    def __init__(self, rate: float, burst: float | None, now: float) -> None:
        check_number("rate", rate, above=0)
        burst = max(rate, 1.0) if burst is None else burst
        check_number("burst", burst, minimum=1)
        self._rate, self._burst = rate, burst
        self._tokens, self._filled_at = float(burst), now

    def take(self, now: float) -> float:
        """Take a token for a request. Return 0.0, or the seconds until the next token if none is left."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate
