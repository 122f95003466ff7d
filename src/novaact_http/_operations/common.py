"""Values that several operations use."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import attrs


class SortOrder(str, Enum):
    """The order in which sessions are listed. Plain strings are accepted wherever this is."""

    ASCENDING = "Ascending"
    DESCENDING = "Descending"


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
