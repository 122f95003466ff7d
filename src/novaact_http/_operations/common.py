"""Values that several operations use."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from novaact_http._support.late_attrs import ValueObject, field, frozen


class StringEnum(str, Enum):
    """A str with a name. Its text is the str itself, on every Python."""

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]


class SortOrder(StringEnum):
    """The order of a listing. Wherever it is accepted, plain strings are too."""

    ASCENDING = "Ascending"
    DESCENDING = "Descending"


@frozen(kw_only=True, eq=False, repr=False)
class ResponseMetadata(ValueObject):
    """What is known about a response apart from its body.

    Attributes:
        request_id: the service's id of the request (`x-amzn-requestid`), which AWS support asks for; None if the
            response has none.
        status_code: the HTTP status.
        headers: the headers; names are lower-case, and repeated ones are joined by `", "`.
        attempts: how many times the request was sent to get this response.
    """

    request_id: str | None
    status_code: int
    headers: Mapping[str, str] = field(hash=False)
    attempts: int
