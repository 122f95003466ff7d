"""What a client gives and raises, made up for tests."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING, Any

from novaact_http import errors
from novaact_http._operations.service_errors import ERRORS
from novaact_http.models import ListSessionsResponse, ResponseMetadata, SessionSummary
from novaact_http.testing._argument_checks import check, check_number, check_text, session_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIMITS: dict[str, dict[str, Any]] = {
    "status_code": {"minimum": 300, "maximum": 999, "whole": True},
    "retry_after": {"minimum": 0},
    "retry_after_seconds": {"minimum": 0, "whole": True},
}
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def make_page(sessions: int | Iterable[str] = 0, *, next_token: str | None = None) -> ListSessionsResponse:
    """A page of sessions, as `list_sessions` returns it.

    Args:
        sessions: their ids, or how many: their ids are UUIDs then, the same each time.
        next_token: of the page that follows, if one does.

    Raises:
        ValueError: an argument is none of these.
    """
    numbers = itertools.count(1)
    ids = session_ids("sessions", sessions, lambda: str(uuid.UUID(int=next(numbers))))
    check("next_token", next_token, "a str", valid=next_token is None or isinstance(next_token, str))
    return ListSessionsResponse(
        session_summaries=tuple([SessionSummary(each) for each in ids]),
        next_token=next_token,
        metadata=ResponseMetadata(request_id=_REQUEST_ID, status_code=200, headers={}, attempts=1),
    )


def make_error(code: str, message: str = "Made up for a test.", **members: Any) -> errors.ServiceError:
    """An error of the service, as `list_sessions` raises it.

    Args:
        code: such as `"ThrottlingException"`; a plain `ServiceError` if the service model does not know it.
        message: the service's words.
        members: other attributes, such as `retry_after_seconds=2` or `status_code=503`.

    Raises:
        TypeError: the error has no such attribute.
        ValueError: the code is no name, or an attribute is what no error has.
    """
    check_text("code", code, "a name such as 'ThrottlingException'", ".+")
    for name, limits in _LIMITS.items():
        check_number(name, members.get(name), **limits, optional=True)
    kind: type[errors.ServiceError] = ERRORS[code].exception if code in ERRORS else errors.ServiceError
    facts: dict[str, Any] = {"code": code, "request_id": _REQUEST_ID, **members}
    if members.get("retry_after_seconds") is not None:
        facts.setdefault("retry_after", float(members["retry_after_seconds"]))
    made = kind(message, **facts)
    fields = getattr(made, "field_list", ())
    are_fields = all(isinstance(each, errors.ValidationExceptionField) for each in fields)
    check("field_list", fields, "a list of ValidationExceptionField", valid=are_fields)
    return made
