"""What the service returns, as values: frozen, slotted, picklable.

Names are AWS's in snake_case. Unknown members of a response are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import attrs

__all__ = ["ListSessionsResponse", "ResponseMetadata", "SessionSummary", "SortOrder", "ValidationExceptionField"]


class SortOrder(str, Enum):
    """The order in which sessions are listed. Plain strings are accepted wherever this is."""

    ASCENDING = "Ascending"
    DESCENDING = "Descending"


@attrs.frozen
class SessionSummary:
    """One session of a workflow run."""

    session_id: str


@attrs.frozen(kw_only=True)
class ResponseMetadata:
    """How a response came about.

    Attributes:
        request_id: what AWS support asks for (`x-amzn-requestid`), or None if the response had none.
        status_code: HTTP status.
        headers: names lower-case, repeats joined by `", "`.
        attempts: how many times the request was sent to get this response.
    """

    request_id: str | None
    status_code: int
    headers: Mapping[str, str] = attrs.field(hash=False)
    attempts: int


@attrs.frozen(kw_only=True)
class ListSessionsResponse:
    """One page of sessions.

    Attributes:
        session_summaries: the sessions, in the order asked for; may be empty although more pages follow.
        next_token: pass it to the next call to get the next page; None or `""` on the last page.
        metadata: how the response came about; not part of equality or hash.
    """

    session_summaries: tuple[SessionSummary, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = attrs.field(eq=False, repr=False)


@attrs.frozen(kw_only=True)
class ValidationExceptionField:
    """One field that a `ValidationException` complains about; `""` for what the service left out."""

    name: str = ""
    message: str = ""
