"""Sessions of a workflow run: the models, and the operations that create and list them."""

from __future__ import annotations

from novaact_http._operations.common import ResponseMetadata, SortOrder
from novaact_http._operations.service_errors import OF_CREATES, OF_MOST
from novaact_http._operations.shapes import (
    CLIENT_TOKEN,
    PAGE,
    Enumeration,
    ListOf,
    Operation,
    Paging,
    body,
    path,
    structure,
)
from novaact_http._support.late_attrs import ValueObject, field, frozen


@frozen(eq=False, repr=False)
class SessionSummary(ValueObject):
    """One session of a workflow run."""

    session_id: str


@frozen(kw_only=True, eq=False, repr=False)
class ListSessionsResponse(ValueObject):
    """One page of sessions.

    Attributes:
        session_summaries: the sessions in the requested order; it may be empty although more pages follow.
        next_token: pass it to the next call to get the next page; None or `""` on the last page.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    session_summaries: tuple[SessionSummary, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = field(eq=False, repr=False)


LIST_SESSIONS = Operation(
    name="ListSessions",
    http="POST /workflow-definitions/{workflowDefinitionName}/workflow-runs/{workflowRunId}",
    inputs=(
        path("workflow_definition_name"),
        path("workflow_run_id"),
        *PAGE,
        body("sort_order", Enumeration(SortOrder)),
    ),
    output=structure(ListSessionsResponse, session_summaries=ListOf(structure(SessionSummary))),
    errors=OF_MOST,
    paging=Paging(items="session_summaries"),
)


@frozen(kw_only=True, eq=False, repr=False)
class CreateSessionResponse(ValueObject):
    """A session that was created.

    Attributes:
        session_id: the session's id, a UUID.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    session_id: str
    metadata: ResponseMetadata = field(eq=False, repr=False)


CREATE_SESSION = Operation(
    name="CreateSession",
    http="PUT /workflow-definitions/{workflowDefinitionName}/workflow-runs/{workflowRunId}/sessions",
    inputs=(path("workflow_definition_name"), path("workflow_run_id"), CLIENT_TOKEN),
    output=structure(CreateSessionResponse),
    errors=OF_CREATES,
)
