"""Outputs and errors for tests, such as a client returns and raises."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from novaact_http import errors
from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.shapes import Document, Enumeration, Integer, ListOf, Shape, String, Structure, Timestamp
from novaact_http.models import ListSessionsResponse, ResponseMetadata, SessionSummary
from novaact_http.testing._argument_checks import ArgumentError, check, check_number, check_text, refuse, session_ids
from novaact_http.testing._routes import OPERATIONS, structures_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from novaact_http._operations.shapes import Operation

ModelT = TypeVar("ModelT")

_LIMITS: dict[str, dict[str, Any]] = {
    "status_code": {"minimum": 300, "maximum": 999, "whole": True},
    "retry_after": {"minimum": 0},
    "retry_after_seconds": {"minimum": 0, "whole": True},
}
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"
_METADATA = ResponseMetadata(request_id=_REQUEST_ID, status_code=200, headers={}, attempts=1)
_TIME = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)

_OPERATIONS: dict[object, Operation[Any]] = {each.output.model: each for each in OPERATIONS}
_STRUCTURES: dict[object, Structure[Any]] = {
    shape.model: shape for each in OPERATIONS for shape in structures_in(each.output)
}


def operation_of(output: object) -> Operation[Any] | None:
    """Return the operation that has this output; None if it is no output."""
    return _OPERATIONS.get(type(output))


def to_json(shape: Shape, value: Any) -> object:
    """Return a part of an output as it is in JSON."""
    if isinstance(shape, Structure):
        members = [(each, getattr(value, each.name)) for each in shape.members]
        return {
            each.wire_name: to_json(each.shape, member)
            for each, member in members
            if member is not None or each.required
        }
    if isinstance(shape, ListOf):
        return [to_json(shape.element, each) for each in value]
    return value.isoformat() if isinstance(shape, Timestamp) else value


def make_output(model: type[ModelT], /, **members: Any) -> ModelT:
    """Return an output of an operation, or a part of one, as a client returns it.

        make_output(GetWorkflowRunResponse, status="SUCCEEDED")
        make_output(ListActsResponse, act_summaries=3, next_token="more")

    Args:
        model: its class in `novaact_http.models`, such as `GetWorkflowRunResponse` or `ActSummary`.
        members: its attributes. Of the others, those that the service always sends are made up, the same each time: ids
            are UUIDs, the status is the first one, times are the first moment of 2026. A list of objects can be given
            as their number.

    Raises:
        ValueError: `model` is no class of an output, or an attribute has a value that the service cannot send.
        TypeError: there is no such attribute.
    """
    given: object = model
    shape = _STRUCTURES.get(given) if isinstance(given, type) else None
    if shape is None:
        refuse("the class", given, "one of novaact_http.models that clients return, such as GetWorkflowRunResponse")
    made: ModelT = _make(shape, members, itertools.count(1))
    return made


def make_page(sessions: int | Iterable[str] = 0, *, next_token: str | None = None) -> ListSessionsResponse:
    """Return a page of sessions, as `list_sessions` returns it. For other pages, see `make_output`.

    Args:
        sessions: the ids of the sessions, or their number. With a number, the ids are UUIDs, the same each time.
        next_token: the token of the next page; None if this is the last page.

    Raises:
        ValueError: an argument is not as described.
    """
    numbers = itertools.count(1)
    ids = session_ids("sessions", sessions, lambda: _id(next(numbers)))
    summaries = [SessionSummary(each) for each in ids]
    return make_output(ListSessionsResponse, session_summaries=summaries, next_token=next_token)


def _make(shape: Structure[Any], given: dict[str, Any], numbers: Iterator[int]) -> Any:
    has_metadata = shape.model in _OPERATIONS
    names = [each.name for each in shape.members] + ["metadata"] * has_metadata
    unknown = ", ".join(sorted(given.keys() - set(names)))
    if unknown:
        raise TypeError(f"{_name(shape)} has no {unknown}: it has {', '.join(names)}")
    values: dict[str, Any] = {"metadata": given.get("metadata", _METADATA)} if has_metadata else {}
    for metadata in values.values():
        check("metadata", metadata, "a ResponseMetadata", valid=isinstance(metadata, ResponseMetadata))
    for each in shape.members:
        if given.get(each.name) is not None:
            values[each.name] = _checked(each.shape, given[each.name], each.name, numbers)
        elif each.required:
            values[each.name] = _made_up(each.shape, each.name, numbers)
    return shape.model(**values)


def _checked(shape: Shape, value: Any, name: str, numbers: Iterator[int]) -> object:
    """Return the value of an attribute as a client has it.

    Raises:
        ArgumentError: the service cannot send it.
    """
    if isinstance(shape, ListOf):
        element = shape.element
        if isinstance(element, Structure) and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return tuple([_make(element, {}, numbers) for _ in range(value)])
        allowed = f"a list of {_name(element)}"
        allowed += ", or their number" if isinstance(element, Structure) else ""
        check(name, value, allowed, valid=isinstance(value, (list, tuple)))
        try:
            return tuple([_checked(element, each, name, numbers) for each in value])
        except ArgumentError:
            refuse(name, value, allowed)
    is_valid = _IS_VALID[type(shape)][1]
    check(name, value, f"a {_name(shape)}", valid=is_valid(shape, value))
    if isinstance(shape, Enumeration):
        return shape.members._value2member_map_.get(value, value)
    return value.astimezone(dt.timezone.utc) if isinstance(shape, Timestamp) else value


# What a value is called, and whether a value is one.
_IS_VALID: dict[type[Shape], tuple[str, Callable[[Any, object], bool]]] = {
    String: ("str", lambda _, value: isinstance(value, str)),
    Enumeration: ("str", lambda _, value: isinstance(value, str)),
    Integer: ("whole number", lambda _, value: isinstance(value, int) and not isinstance(value, bool)),
    Timestamp: ("datetime with a zone", lambda _, value: isinstance(value, dt.datetime) and value.tzinfo is not None),
    Document: ("JSON value", lambda _, __: True),
    Structure: ("", lambda shape, value: isinstance(value, shape.model)),
}


def _made_up(shape: Shape, name: str, numbers: Iterator[int]) -> object:
    if isinstance(shape, Structure):
        return _make(shape, {}, numbers)
    if isinstance(shape, Enumeration):
        return next(iter(shape.members))
    if isinstance(shape, String):
        number = next(numbers)
        if name.endswith("_id"):
            return _id(number)
        if name.endswith("_arn"):
            return f"arn:aws:nova-act:us-east-1:123456789012:example/{number}"
        return f"example-{name.replace('_', '-')}-{number}"
    return {ListOf: (), Integer: 1, Timestamp: _TIME, Document: None}[type(shape)]


def _id(number: int) -> str:
    return str(uuid.UUID(int=number))


def _name(shape: Shape) -> str:
    return str(getattr(shape.model, "__name__", "")) if isinstance(shape, Structure) else _IS_VALID[type(shape)][0]


def make_error(code: str, message: str = "Made up for a test.", **members: Any) -> errors.ServiceError:
    """Return an error of the service, as a client raises it.

    Args:
        code: the error code, such as `"ThrottlingException"`. A code that is not in the service model needs a
            `status_code`, and gives a plain `ServiceError`.
        message: the service's message.
        members: other attributes of the error, such as `retry_after_seconds=2` or `status_code=503`.

    Raises:
        TypeError: the error has no such attribute.
        ValueError: the code is not a name, or is not in the service model and has no status, or an attribute has a
            value that no error can have.
    """
    check_text("code", code, "a name such as 'ThrottlingException'", ".+")
    if code not in ERRORS and members.get("status_code") is None:
        known = ", ".join(sorted(ERRORS))
        raise ArgumentError(
            code,
            f"is not an error of the service model, which has {known}",
            "pass status_code= too if that is meant",
        )
    for name, limits in _LIMITS.items():
        check_number(name, members.get(name), **limits, optional=True)
    error_type: type[errors.ServiceError] = ERRORS[code].exception if code in ERRORS else errors.ServiceError
    facts: dict[str, Any] = {"code": code, "request_id": _REQUEST_ID, **members}
    if members.get("retry_after_seconds") is not None:
        facts.setdefault("retry_after", float(members["retry_after_seconds"]))
    error = error_type(message, **facts)
    fields = getattr(error, "field_list", ())
    are_fields = all(isinstance(each, errors.ValidationExceptionField) for each in fields)
    check("field_list", fields, "a list of ValidationExceptionField", valid=are_fields)
    return error
