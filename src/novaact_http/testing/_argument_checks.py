"""Checks of arguments: what is wrong is a ValueError that names the argument, what it must be, and what it was."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 100


def refuse(name: str, value: object, allowed: str) -> NoReturn:
    """Raise the ValueError."""
    raise ValueError(f"{name} must be {allowed}, not {_REPR.repr(value)}")


def check(name: str, value: object, allowed: str, *, valid: bool) -> None:
    """Raise a ValueError unless it is allowed."""
    if not valid:
        refuse(name, value, allowed)


def check_text(name: str, value: object, allowed: str, pattern: str) -> None:
    """Raise a ValueError if this is no str that matches."""
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
    """Raise a ValueError if this is no number between these limits, nor None if it is optional.

    True, nan and infinity are no numbers.
    """
    if value is None and optional:
        return
    limits = f" over {above}" if above > -math.inf else f" from {minimum}" if minimum > -math.inf else ""
    limits += f" to {maximum}" if maximum < math.inf else ""
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    fits = is_number and above < value < math.inf and minimum <= value <= maximum
    check(name, value, f"a {'whole ' if whole else ''}number{limits}", valid=fits)


def session_ids(name: str, sessions: int | Iterable[str], make_up: Callable[[], str]) -> tuple[str, ...]:
    """The ids of sessions, made up where there is only their number. Raises a ValueError if it is neither."""
    if isinstance(sessions, int) and not isinstance(sessions, bool) and sessions >= 0:
        return tuple([make_up() for _ in range(sessions)])
    if isinstance(sessions, Iterable) and not isinstance(sessions, str):
        sessions = tuple(sessions)
        if all(isinstance(each, str) for each in sessions):
            return sessions
    refuse(name, sessions, "how many sessions (from 0), or a list of their ids")


def number_attribute(minimum: float = -math.inf) -> Any:
    """An attribute, for the body of a class, that is checked whenever it is set."""
    return _NumberAttribute(minimum)


class _NumberAttribute:
    # Without `__get__`, what is read is the instance's own.
    def __init__(self, minimum: float) -> None:
        self._minimum = minimum

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __set__(self, instance: object, value: float) -> None:
        check_number(self._name, value, minimum=self._minimum)
        vars(instance)[self._name] = value
