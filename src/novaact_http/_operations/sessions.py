"""Sessions of a workflow run: the models, and the operation that lists them."""

from __future__ import annotations

import attrs

from novaact_http._operations.common import ResponseMetadata
from novaact_http._operations.shapes import Input, ListOf, Member, Operation, Paging, Structure


@attrs.frozen
class SessionSummary:
    """One session of a workflow run."""

    session_id: str


@attrs.frozen(kw_only=True)
class ListSessionsResponse:
    """One page of sessions.

    Attributes:
        session_summaries: the sessions in the requested order; it may be empty although more pages follow.
        next_token: pass it to the next call to get the next page; None or `""` on the last page.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    session_summaries: tuple[SessionSummary, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = attrs.field(eq=False, repr=False)


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
        ListSessionsResponse,
        (
            Member(
                name="session_summaries",
                wire_name="sessionSummaries",
                shape=ListOf(
                    Structure(SessionSummary, (Member(name="session_id", wire_name="sessionId", required=True),))
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
