"""Outputs as the dicts that boto3 returns."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from novaact_http._operations.common import ResponseMetadata
from novaact_http._operations.shapes import wire_name
from novaact_http._support.late_attrs import ValueObject, fields

if TYPE_CHECKING:
    import attrs


def as_dict(output: attrs.AttrsInstance) -> dict[str, Any]:
    """Return an output of an operation, or a value in one, as the dict that boto3 returns for it.

    Args:
        output: for example a `ListSessionsResponse`, or one of its `SessionSummary`s.

    Returns:
        The members by the service's names, such as `"sessionSummaries"`. What the service left out is not there. Times
        are `datetime`s, members of enumerations are their plain values, and `ResponseMetadata` is as in boto3.
    """
    if isinstance(output, ResponseMetadata):
        request_id = {} if output.request_id is None else {"RequestId": output.request_id}
        return {
            **request_id,
            "HTTPStatusCode": output.status_code,
            "HTTPHeaders": dict(output.headers),
            "RetryAttempts": output.attempts - 1,
        }
    members: dict[str, Any] = {}
    for name, key in _keys(type(output)):
        value = getattr(output, name)
        if value is not None:
            members[key] = value if type(value) is str else _plain(value)
    return members


@cache
def _keys(kind: type[attrs.AttrsInstance]) -> list[tuple[str, str]]:
    """Return the names of a class's attributes, each with its key in the dict."""
    names = [each.name for each in fields(kind)]
    return [(name, "ResponseMetadata" if name == "metadata" else wire_name(name)) for name in names]


def _plain(value: Any) -> object:
    if isinstance(value, ValueObject):
        return as_dict(value)  # type: ignore[arg-type]
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value
