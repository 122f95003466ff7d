"""The errors of the service model: the class that each becomes, and the members of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from novaact_http import errors
from novaact_http._operations.shapes import ListOf, Member, Structure

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorShape(NamedTuple):
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


_REASON = Member(name="reason", wire_name="reason")
_RESOURCE = (
    Member(name="resource_id", wire_name="resourceId"),
    Member(name="resource_type", wire_name="resourceType"),
)
_QUOTA = (Member(name="service_code", wire_name="serviceCode"), Member(name="quota_code", wire_name="quotaCode"))
_FIELD = Structure(
    errors.ValidationExceptionField,
    (
        Member(name="name", wire_name="name"),
        Member(name="message", wire_name="message"),
    ),
)

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
            members=(_REASON, Member(name="field_list", wire_name="fieldList", shape=ListOf(_FIELD))),
        ),
    )
}
