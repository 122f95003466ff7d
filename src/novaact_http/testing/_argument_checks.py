"""Checks of arguments. Each raises an ArgumentError that says what the argument must be, and what it was."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from novaact_http._support.short_repr import ShortRepr

if TYPE_CHECKING:
    from collections.abc import Callable

_REPR = ShortRepr()
_REPR.maxstring = _REPR.maxother = 100


class ArgumentError(ValueError):
    """An argument is not allowed. The text is "subject problem: advice".

    The command line shows it under the names of its options.

    Attributes:
        subject (str): the argument's name, or its value if that tells more.
        problem (str): what is wrong. Reads on from the subject.
        advice (str | None): what to do in Python code.
    """

    def __init__(self, subject: str, problem: str, advice: str | None = None) -> None:
        super().__init__(subject, problem, advice)
        self.subject = subject
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        text = f"{self.subject} {self.problem}"
        return text if self.advice is None else f"{text}: {self.advice}"


def refuse(name: str, value: object, allowed: str) -> NoReturn:
    """Raise the error for an argument that is not allowed."""
    raise ArgumentError(name, f"must be {allowed}, not {_REPR.repr(value)}")


def check(name: str, value: object, allowed: str, *, valid: bool) -> None:
    """Raise an ArgumentError unless the value is valid."""
    if not valid:
        refuse(name, value, allowed)


def check_text(name: str, value: object, allowed: str, pattern: str) -> None:
    """Raise an ArgumentError unless the value is a str that matches the pattern."""
    check(name, value, allowed, valid=isinstance(value, str) and re.fullmatch(pattern, value) is not None)


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    whole: bool = False,
    optional: bool = False,
) -> None:
    """Raise an ArgumentError unless the value is a number within these limits, or None if it is optional.

    True, False, nan and infinity do not count as numbers.
    """
    if value is None and optional:
        return
    limits = f" over {above}" if above > -math.inf else f" from {minimum}" if minimum > -math.inf else ""
    limits += f" to {maximum}" if maximum < math.inf else ""
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    fits = is_number and above < value < math.inf and minimum <= value <= maximum
    check(name, value, f"a {'whole ' if whole else ''}number{limits}", valid=fits)


def session_ids(name: str, sessions: int | Iterable[str], new_id: Callable[[], str]) -> tuple[str, ...]:
    """Return the ids of sessions: those given, or new ones if only their number is given.

    Raises:
        ArgumentError: `sessions` is neither a list of ids nor a number from 0.
    """
    if isinstance(sessions, int) and not isinstance(sessions, bool) and sessions >= 0:
        return tuple([new_id() for _ in range(sessions)])
    if isinstance(sessions, Iterable) and not isinstance(sessions, str):
        sessions = tuple(sessions)
        if all(isinstance(each, str) for each in sessions):
            return sessions
    refuse(name, sessions, "the number of sessions (from 0), or a list of their ids")


def number_attribute(minimum: float = -math.inf) -> Any:
    """Return an attribute for the body of a class, whose value is checked each time it is set."""
    return _NumberAttribute(minimum)


class _NumberAttribute:
    # There is no `__get__`, so reading takes the value from the instance's `__dict__`.
    def __init__(self, minimum: float) -> None:
        self._minimum = minimum

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __set__(self, instance: object, value: float) -> None:
        check_number(self._name, value, minimum=self._minimum)
        vars(instance)[self._name] = value
