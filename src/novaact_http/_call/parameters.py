"""Checks arguments before anything is sent, and reports all problems at once in one `ParameterError`.

An argument is refused if it would send a request other than the one asked for (the label `..` reaches another
operation; `True` would be sent as a number) or cannot be sent at all. All else the service judges, as with botocore:
upper limits, patterns, unknown sort orders. Problems name nested values by their path, such as `tool_specs[2].name`.
No problem shows a value that is sensitive, or that may have one in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from novaact_http._operations.shapes import (
    Document,
    Enumeration,
    Integer,
    Label,
    ListOf,
    Seconds,
    String,
    Structure,
    Token,
    Union,
)
from novaact_http.config import is_number_of_seconds
from novaact_http.errors import ParameterError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from novaact_http._operations.shapes import Input, Shape

    Problems = list[Problem]

_LARGEST_INTEGER = 2**63 - 1
_JSON = "a dict, list, tuple, str, int, float, bool or None"


class SensitiveArguments(dict[str, Any]):
    """Arguments of which some are sensitive. Its repr hides them, as functions that still run cannot be cleared."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{', '.join(self)}>"


def check(
    operation: str, inputs: Iterable[Input], arguments: Mapping[str, object], more: Iterable[Problem] = ()
) -> None:
    """Raise a `ParameterError` that names every bad argument.

    Args:
        operation: the operation's name, for the message.
        inputs: what each argument must be.
        arguments: their values by Python name; None for an optional one that was not given.
        more: problems that were found already.
    """
    problems: Problems = [*more]
    for each in inputs:
        value = arguments.get(each.name)
        if value is not None or each.required:
            shape = each.shape
            _CHECKS[type(shape)](shape, value, each.name, each.sensitive, problems)
    if problems:
        raise ParameterError(f"{operation} was called with bad arguments, nothing was sent", problems=problems)


def _check_string(shape: String, value: object, where: str, sensitive: bool, problems: Problems) -> bool:  # noqa: FBT001
    """Add the problem of a str. Return whether there is none."""
    if not isinstance(value, str):
        problems.append(_wrong_type("str", value, where, sensitive))
    elif len(value) < shape.minimum:
        few = "must not be empty" if shape.minimum == 1 else f"must have at least {shape.minimum} characters"
        problems.append(Problem(where, few))
    elif not value.isascii() and not _encodes(value):
        problems.append(Problem(where, "has a lone surrogate, which no encoding can send"))
    else:
        return True
    return False


def _check_label(shape: String, value: Any, where: str, sensitive: bool, problems: Problems) -> None:  # noqa: FBT001
    if not _check_string(shape, value, where, sensitive, problems):
        return
    if value in (".", ".."):
        problems.append(Problem(where, f"must not be {value!r}: in a path that names another resource"))
    elif not value.isprintable() and any(_is_control(character) for character in value):
        problems.append(Problem(where, f"must not have control characters ({_shown(value)})"))


def _check_integer(shape: Integer, value: object, where: str, sensitive: bool, problems: Problems) -> None:  # noqa: FBT001
    if not isinstance(value, int) or isinstance(value, bool):
        problems.append(_wrong_type("int", value, where, sensitive))
    elif shape.minimum is not None and value < shape.minimum:
        low = value if value > -_LARGEST_INTEGER else "so low"
        problems.append(Problem(where, f"must be at least {shape.minimum}, not {low}"))
    elif not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
        problems.append(Problem(where, "must fit into 64 bits"))


def _check_seconds(_: object, value: object, where: str, __: object, problems: Problems) -> None:
    if not is_number_of_seconds(value):
        problems.append(Problem(where, "must be a positive number of seconds, a year (31,536,000) at most"))


def _check_list(shape: ListOf, value: object, where: str, _: object, problems: Problems) -> None:
    if not isinstance(value, (list, tuple)):
        problems.append(Problem(where, f"must be a list or tuple, not {type(value).__name__}"))
        return
    if len(value) < shape.minimum:
        problems.append(Problem(where, f"must have at least {shape.minimum} element"))
    element = shape.element
    check_element = _CHECKS[type(element)]
    for number, each in enumerate(value):
        check_element(element, each, f"{where}[{number}]", element.is_sensitive, problems)


def _check_structure(shape: Structure[object], value: object, where: str, _: object, problems: Problems) -> bool:
    """Add the problems of an object. Return whether it has the right type."""
    model: Any = shape.model
    if not isinstance(value, model):
        problems.append(Problem(where, f"must be a novaact_http.models.{model.__name__}, not {type(value).__name__}"))
        return False
    for each in shape.members:
        member = getattr(value, each.name)
        if member is not None or each.required:
            _CHECKS[type(each.shape)](each.shape, member, f"{where}.{each.name}", each.sensitive, problems)
    return True


def _check_union(shape: Union[object], value: object, where: str, _: object, problems: Problems) -> None:
    if _check_structure(shape, value, where, _, problems):
        names = [each.name for each in shape.members]
        count = sum(getattr(value, name) is not None for name in names)
        if count != 1:
            problems.append(Problem(where, f"must have exactly one of {', '.join(names)}, not {count or 'none'}"))


def _check_document(_: object, value: object, where: str, __: object, problems: Problems) -> None:
    try:
        problem = _json_problem(value)
    except RecursionError:
        problem = "is nested too deeply to be sent"
    if problem is not None:
        problems.append(Problem(where, problem))


def _json_problem(value: object) -> str | None:  # noqa: PLR0911 - one for each kind of value
    """Return the first thing in a value that is no JSON. It names no keys, as these may be sensitive."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return None if value.isascii() or _encodes(value) else "has a lone surrogate, which no encoding can send"
    if isinstance(value, int):
        return None if _can_be_written(value) else "has an integer of more digits than Python writes"
    if isinstance(value, float):
        return None if math.isfinite(value) else "has NaN or infinity, which JSON cannot express"
    if isinstance(value, dict):
        wrong_key = next((each for each in value if not isinstance(each, str)), None)
        if wrong_key is not None or None in value:
            return f"has a key that is {type(wrong_key).__name__}: keys must be str"
        return _first_problem(value) or _first_problem(value.values())
    if isinstance(value, (list, tuple)):
        return _first_problem(value)
    return f"has {type(value).__name__}, which JSON cannot express: use {_JSON}"


def _first_problem(values: Iterable[object]) -> str | None:
    return next(filter(None, map(_json_problem, values)), None)


_CHECKS: dict[type[Shape], Callable[[Any, object, str, bool, Problems], object]] = {
    String: _check_string,
    Label: _check_label,
    Token: _check_string,
    Enumeration: _check_string,
    Integer: _check_integer,
    Seconds: _check_seconds,
    ListOf: _check_list,
    Structure: _check_structure,
    Union: _check_union,
    Document: _check_document,
}


def _wrong_type(wanted: str, value: object, where: str, sensitive: bool) -> Problem:  # noqa: FBT001
    shown = "" if sensitive else f" ({_shown(value)})"
    return Problem(where, f"must be {wanted}, not {type(value).__name__}{shown}")


def _shown(value: object) -> str:
    from novaact_http._support.short_repr import short_repr  # only errors need it

    return short_repr(value)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _can_be_written(value: int) -> bool:
    try:
        int.__repr__(value)
    except ValueError:
        return False
    return True


def _is_control(character: str) -> bool:
    # Unicode's category Cc: C0, DEL and C1.
    return character < " " or "\x7f" <= character <= "\x9f"
