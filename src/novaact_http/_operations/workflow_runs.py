"""Workflow runs: the models, and the operations that create, get, update, delete and list them."""

from __future__ import annotations

import datetime as dt

from novaact_http._operations.common import ResponseMetadata, SortOrder, StringEnum
from novaact_http._operations.service_errors import OF_MOST
from novaact_http._operations.shapes import (
    CLIENT_TOKEN,
    INTEGER,
    NAME,
    PAGE,
    TIMESTAMP,
    Enumeration,
    ListOf,
    Operation,
    Paging,
    body,
    path,
    structure,
)
from novaact_http._operations.traces import TRACE_LOCATION, TraceLocation
from novaact_http._support.late_attrs import ValueObject, field, frozen


class WorkflowRunStatus(StringEnum):
    """The status of a workflow run."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    DELETING = "DELETING"


@frozen(kw_only=True, eq=False, repr=False)
class ClientInfo(ValueObject):
    """The program that runs a workflow.

    Attributes:
        compatibility_version: the version of the service's protocol that it speaks. See `Client.list_models`.
        sdk_version: the version of the SDK that it uses; None to leave it out.
    """

    compatibility_version: int
    sdk_version: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class WorkflowRunSummary(ValueObject):
    """One workflow run of a list.

    Attributes:
        workflow_run_arn: its ARN.
        workflow_run_id: its id, a UUID.
        status: its status; a plain str if this library does not know it.
        started_at: when it was created, in UTC.
        ended_at: when it ended, in UTC; None as long as it runs.
        trace_location: where its trace is; None if there is none.
    """

    workflow_run_arn: str
    workflow_run_id: str
    status: WorkflowRunStatus | str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    trace_location: TraceLocation | None = None


@frozen(kw_only=True, eq=False, repr=False)
class CreateWorkflowRunResponse(ValueObject):
    """A workflow run that was created.

    Attributes:
        workflow_run_id: its id, a UUID.
        status: its status; a plain str if this library does not know it.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    workflow_run_id: str
    status: WorkflowRunStatus | str
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class GetWorkflowRunResponse(ValueObject):
    """A workflow run.

    Attributes:
        workflow_run_arn: its ARN.
        workflow_run_id: its id, a UUID.
        status: its status; a plain str if this library does not know it.
        started_at: when it was created, in UTC.
        ended_at: when it ended, in UTC; None as long as it runs.
        model_id: the id of the model that it uses.
        log_group_name: the CloudWatch log group that it writes to; None if it writes to none.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    workflow_run_arn: str
    workflow_run_id: str
    status: WorkflowRunStatus | str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    model_id: str
    log_group_name: str | None = None
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class UpdateWorkflowRunResponse(ValueObject):
    """The workflow run was updated.

    Attributes:
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class DeleteWorkflowRunResponse(ValueObject):
    """A workflow run that is being deleted.

    Attributes:
        status: its status; a plain str if this library does not know it.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    status: WorkflowRunStatus | str
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class ListWorkflowRunsResponse(ValueObject):
    """One page of workflow runs.

    Attributes:
        workflow_run_summaries: the runs in the requested order; it may be empty although more pages follow.
        next_token: pass it to the next call to get the next page; None or `""` on the last page.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    workflow_run_summaries: tuple[WorkflowRunSummary, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = field(eq=False, repr=False)


_STATUS = Enumeration(WorkflowRunStatus)
_OF_ALL = "/workflow-definitions/{workflowDefinitionName}/workflow-runs"
_OF_ONE = f"{_OF_ALL}/{{workflowRunId}}"
_ONE = (path("workflow_definition_name"), path("workflow_run_id"))

CREATE_WORKFLOW_RUN = Operation(
    name="CreateWorkflowRun",
    http=f"PUT {_OF_ALL}",
    inputs=(
        path("workflow_definition_name"),
        body("model_id", NAME, required=True),
        CLIENT_TOKEN,
        body("log_group_name", NAME),
        body("client_info", structure(ClientInfo, compatibility_version=INTEGER), required=True),
    ),
    output=structure(CreateWorkflowRunResponse, status=_STATUS),
    errors=OF_MOST,
)

GET_WORKFLOW_RUN = Operation(
    name="GetWorkflowRun",
    http=f"GET {_OF_ONE}",
    inputs=_ONE,
    output=structure(GetWorkflowRunResponse, status=_STATUS, started_at=TIMESTAMP, ended_at=TIMESTAMP),
    errors=OF_MOST,
)

UPDATE_WORKFLOW_RUN = Operation(
    name="UpdateWorkflowRun",
    http=f"PUT {_OF_ONE}",
    inputs=(*_ONE, body("status", _STATUS, required=True)),
    output=structure(UpdateWorkflowRunResponse),
    errors=OF_MOST,
)

DELETE_WORKFLOW_RUN = Operation(
    name="DeleteWorkflowRun",
    http=f"DELETE {_OF_ONE}",
    inputs=_ONE,
    output=structure(DeleteWorkflowRunResponse, status=_STATUS),
    errors=OF_MOST,
)

LIST_WORKFLOW_RUNS = Operation(
    name="ListWorkflowRuns",
    http=f"POST {_OF_ALL}",
    inputs=(path("workflow_definition_name"), *PAGE, body("sort_order", Enumeration(SortOrder))),
    output=structure(
        ListWorkflowRunsResponse,
        workflow_run_summaries=ListOf(
            structure(
                WorkflowRunSummary,
                status=_STATUS,
                started_at=TIMESTAMP,
                ended_at=TIMESTAMP,
                trace_location=TRACE_LOCATION,
            )
        ),
    ),
    errors=OF_MOST,
    paging=Paging(items="workflow_run_summaries"),
)
