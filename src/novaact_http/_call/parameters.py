"""Checks arguments before anything is sent, and reports all problems at once in one `ParameterError`.

An argument is refused if it would send a request other than the one asked for (the label `..` reaches another
operation; `True` would be sent as a number) or cannot be sent at all. All else the service judges, as with botocore:
upper limits, patterns, unknown sort orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novaact_http.errors import ParameterError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from novaact_http._operations.shapes import Input

_LARGEST_INTEGER = 2**63 - 1


def check(operation: str, inputs: Iterable[Input], arguments: Mapping[str, object]) -> None:
    """Raise a `ParameterError` that names every bad argument.

    Args:
        operation: the operation's name, for the message.
        inputs: what each argument must be.
        arguments: their values by Python name; None for an optional one that was not given.
    """
    problems = [
        Problem(each.name, problem)
        for each in inputs
        if (problem := _problem(each, arguments.get(each.name))) is not None
    ]
    if problems:
        raise ParameterError(f"{operation} was called with bad arguments, nothing was sent", problems=problems)


def _problem(expected: Input, value: object) -> str | None:
    if value is None and not expected.required:
        return None
    if not isinstance(value, expected.kind) or isinstance(value, bool):
        return f"must be {expected.kind.__name__}, not {type(value).__name__} ({_shown(value)})"
    return _string_problem(expected, value) if isinstance(value, str) else _integer_problem(expected, value)


def _integer_problem(expected: Input, value: int) -> str | None:
    if expected.minimum is not None and value < expected.minimum:
        return f"must be at least {expected.minimum}, not {value if value > -_LARGEST_INTEGER else 'so low'}"
    return None if value <= _LARGEST_INTEGER else "must fit into 64 bits"


def _string_problem(expected: Input, value: str) -> str | None:
    if expected.minimum is not None and len(value) < expected.minimum:
        return "must not be empty"
    if not value.isascii() and not _encodes(value):
        return "has a lone surrogate, which no encoding can send"
    if expected.location == "path":
        if value in (".", ".."):
            return f"must not be {value!r}: in a path that names another resource"
        if not value.isprintable() and any(_is_control(character) for character in value):
            return f"must not have control characters ({_shown(value)})"
    return None


def _shown(value: object) -> str:
    from novaact_http._support.short_repr import short_repr  # only errors need it

    return short_repr(value)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_control(character: str) -> bool:
    # Unicode's category Cc: C0, DEL and C1.
    return character < " " or "\x7f" <= character <= "\x9f"
