"""Pages and errors for tests, such as a client returns and raises."""

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
    """Return a page of sessions, as `list_sessions` returns it.

    Args:
        sessions: the ids of the sessions, or their number. With a number, the ids are UUIDs, the same each time.
        next_token: the token of the next page; None if this is the last page.

    Raises:
        ValueError: an argument is not as described.
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
    """Return an error of the service, as `list_sessions` raises it.

    Args:
        code: the error code, such as `"ThrottlingException"`. A code that is not in the service model gives a plain
            `ServiceError`.
        message: the service's message.
        members: other attributes of the error, such as `retry_after_seconds=2` or `status_code=503`.

    Raises:
        TypeError: the error has no such attribute.
        ValueError: the code is not a name, or an attribute has a value that no error can have.
    """
    check_text("code", code, "a name such as 'ThrottlingException'", ".+")
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
