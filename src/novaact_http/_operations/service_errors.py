"""The errors of the service model: the class that each becomes, and the members of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from novaact_http import errors
from novaact_http._operations.shapes import STRING, ListOf, Member, structure
from novaact_http._support.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorShape(Record):
    """An error of the service model.

    Attributes:
        exception: the class that it becomes.
        members: the members of its body.
        has_retry_after: whether it has the member `retryAfterSeconds`, which is the header `Retry-After`.
        retryable: why a retry may help, as the model says; None if it does not say so.
    """

    exception: type[errors.ServiceError]
    members: tuple[Member, ...] = ()
    has_retry_after: bool = False
    retryable: Literal["transient", "throttling"] | None = None


_REASON = Member("reason", "reason", STRING)
_RESOURCE = (Member("resource_id", "resourceId", STRING), Member("resource_type", "resourceType", STRING))
_QUOTA = (Member("service_code", "serviceCode", STRING), Member("quota_code", "quotaCode", STRING))
_FIELD = structure(errors.ValidationExceptionField)

ERRORS: Mapping[str, ErrorShape] = {
    shape.exception.__name__: shape
    for shape in (
        ErrorShape(exception=errors.AccessDeniedException),
        ErrorShape(exception=errors.ConflictException, members=_RESOURCE),
        ErrorShape(
            exception=errors.InternalServerException, members=(_REASON,), has_retry_after=True, retryable="transient"
        ),
        ErrorShape(exception=errors.ResourceNotFoundException, members=_RESOURCE),
        ErrorShape(exception=errors.ServiceQuotaExceededException, members=_RESOURCE + _QUOTA),
        ErrorShape(exception=errors.ThrottlingException, members=_QUOTA, has_retry_after=True, retryable="throttling"),
        ErrorShape(
            exception=errors.ValidationException,
            members=(_REASON, Member("field_list", "fieldList", ListOf(_FIELD))),
        ),
    )
}

# What the operations list of them.
OF_ALL = frozenset({"AccessDeniedException", "InternalServerException", "ThrottlingException"})
OF_MOST = OF_ALL | {"ConflictException", "ResourceNotFoundException", "ValidationException"}
OF_CREATES = OF_MOST | {"ServiceQuotaExceededException"}
