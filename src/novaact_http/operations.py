"""Operations as values: what goes where in the request, what comes back, and what may go wrong.

A further operation of the service is a further value here and its models; no code. All facts are those of the service
model `nova-act/2025-08-22`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar, Union, cast

import attrs

from novaact_http import errors, models

ModelT_co = TypeVar("ModelT_co", covariant=True)
OutputT_co = TypeVar("OutputT_co", bound="Output", covariant=True)


class Output(Protocol):
    """What every operation returns: a model that also tells how it came about."""

    @property
    def metadata(self) -> models.ResponseMetadata:
        """How the response came about."""
        ...


class Input(NamedTuple):
    """One argument of an operation.

    Attributes:
        name: the Python argument.
        wire_name: the service's name for it.
        location: where it goes in the request; `"client"` for what is not sent but steers the client.
        kind: `str` or `int`.
        minimum: the least length of a str, the least value of an int. Further limits are the service's to judge.
    """

    name: str
    wire_name: str
    location: Literal["path", "query", "body", "client"]
    kind: type[str | int] = str
    minimum: int | None = None

    @property
    def required(self) -> bool:
        """Must it be given? All parts of the path must, and nothing else."""
        return self.location == "path"


class Column(NamedTuple):
    """What elements are made of that have one string each, and nothing else: those come by the hundred.

    Attributes:
        model: the class they become, frozen and with one slot.
        wire_name: the service's name for the string.
        fill: sets the slot of an instance.
    """

    model: type[object]
    wire_name: str
    fill: Callable[[object, str], None]


@attrs.frozen(eq=False, repr=False)
class ListOf:
    """A JSON array whose elements all have one shape.

    Attributes:
        column: how to make them all at once, if that can be.
    """

    element: Shape
    column: Column | None = attrs.field(init=False)

    @column.default
    def _(self) -> Column | None:
        element = self.element
        members = element.members if isinstance(element, Structure) else ()
        if [(each.required, each.shape) for each in members] == [(True, str)]:
            model = cast("type[object]", cast("Structure[object]", element).model)
            return Column(model, members[0].wire_name, getattr(model, members[0].name).__set__)
        return None


class Member(NamedTuple):
    """One member of a JSON object: the attribute it becomes, its name on the wire, its shape."""

    name: str
    wire_name: str
    shape: Shape = str
    required: bool = False


@attrs.frozen(eq=False, repr=False)
class Structure(Generic[ModelT_co]):
    """A JSON object and the class it becomes."""

    model: Callable[..., ModelT_co]
    members: tuple[Member, ...]


# A shape is `str` itself, a list or a structure. (Union, not `|`: it is evaluated, with forward references, on 3.10.)
Shape = Union[type[str], ListOf, "Structure[object]"]


class Paging(NamedTuple):
    """Which arguments and members drive pagination, by their Python names."""

    input_token: str
    output_token: str
    limit: str
    items: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Operation(Generic[OutputT_co]):
    """One operation of the service.

    Attributes:
        path: the path template, with `{wireName}` for each argument that goes into the path.
        errors: the codes that the model lists for it. What it says of them holds; others are judged by their status.
        read_only: repeating it changes nothing, so it may be sent again after any failure.
    """

    name: str
    method: str
    path: str
    inputs: tuple[Input, ...]
    output: Structure[OutputT_co]
    paging: Paging
    errors: frozenset[str]
    read_only: bool


class ErrorShape(NamedTuple):
    """A modelled error: its class, the members of its body, and whether the model calls it worth a retry."""

    exception: type[errors.ServiceError]
    members: tuple[Member, ...] = ()
    has_retry_after: bool = False
    retryable: Literal["transient", "throttling"] | None = None


LIST_SESSIONS = Operation(
    name="ListSessions",
    method="POST",
    path="/workflow-definitions/{workflowDefinitionName}/workflow-runs/{workflowRunId}",
    inputs=(
        Input(name="workflow_definition_name", wire_name="workflowDefinitionName", location="path", minimum=1),
        Input(name="workflow_run_id", wire_name="workflowRunId", location="path", minimum=1),
        Input(name="max_results", wire_name="maxResults", location="query", kind=int, minimum=1),
        Input(name="next_token", wire_name="nextToken", location="query", minimum=1),
        Input(name="sort_order", wire_name="sortOrder", location="body"),
    ),
    output=Structure(
        models.ListSessionsResponse,
        (
            Member(
                name="session_summaries",
                wire_name="sessionSummaries",
                shape=ListOf(
                    Structure(models.SessionSummary, (Member(name="session_id", wire_name="sessionId", required=True),))
                ),
                required=True,
            ),
            Member(name="next_token", wire_name="nextToken"),
        ),
    ),
    paging=Paging(input_token="next_token", output_token="next_token", limit="max_results", items="session_summaries"),  # noqa: S106
    errors=frozenset(
        {
            "AccessDeniedException",
            "ConflictException",
            "InternalServerException",
            "ResourceNotFoundException",
            "ThrottlingException",
            "ValidationException",
        }
    ),
    read_only=True,
)

_REASON = Member(name="reason", wire_name="reason")
_RESOURCE = (
    Member(name="resource_id", wire_name="resourceId"),
    Member(name="resource_type", wire_name="resourceType"),
)
_QUOTA = (Member(name="service_code", wire_name="serviceCode"), Member(name="quota_code", wire_name="quotaCode"))
_FIELD = Structure(
    models.ValidationExceptionField,
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
