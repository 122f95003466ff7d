"""Workflow definitions: the models, and the operations that create, get, delete and list them."""

from __future__ import annotations

import datetime as dt

from novaact_http._operations.common import ResponseMetadata, SortOrder, StringEnum
from novaact_http._operations.service_errors import OF_ALL, OF_CREATES, OF_MOST
from novaact_http._operations.shapes import (
    CLIENT_TOKEN,
    NAME,
    PAGE,
    TIMESTAMP,
    Enumeration,
    ListOf,
    Operation,
    Paging,
    String,
    body,
    path,
    structure,
)
from novaact_http._support.late_attrs import ValueObject, field, frozen


class WorkflowDefinitionStatus(StringEnum):
    """The status of a workflow definition."""

    ACTIVE = "ACTIVE"
    DELETING = "DELETING"


@frozen(kw_only=True, eq=False, repr=False)
class WorkflowExportConfig(ValueObject):
    """Where the service exports what a workflow does.

    Attributes:
        s3_bucket_name: the S3 bucket's name, at least 3 characters long.
        s3_key_prefix: what the keys of all exported objects begin with; None for nothing.
    """

    s3_bucket_name: str
    s3_key_prefix: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class WorkflowDefinitionSummary(ValueObject):
    """One workflow definition of a list.

    Attributes:
        workflow_definition_arn: its ARN.
        workflow_definition_name: its name.
        created_at: when it was created, in UTC.
        status: its status; a plain str if this library does not know it.
    """

    workflow_definition_arn: str
    workflow_definition_name: str
    created_at: dt.datetime
    status: WorkflowDefinitionStatus | str


@frozen(kw_only=True, eq=False, repr=False)
class CreateWorkflowDefinitionResponse(ValueObject):
    """A workflow definition that was created.

    Attributes:
        status: its status; a plain str if this library does not know it.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    status: WorkflowDefinitionStatus | str
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class GetWorkflowDefinitionResponse(ValueObject):
    """A workflow definition.

    Attributes:
        name: its name.
        arn: its ARN.
        created_at: when it was created, in UTC.
        description: its description, which is not shown in the repr; None if it has none.
        export_config: where the service exports what its workflows do; None if nowhere.
        status: its status; a plain str if this library does not know it.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    name: str
    arn: str
    created_at: dt.datetime
    description: str | None = field(default=None, repr=False)
    export_config: WorkflowExportConfig | None = None
    status: WorkflowDefinitionStatus | str
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class DeleteWorkflowDefinitionResponse(ValueObject):
    """A workflow definition that is being deleted.

    Attributes:
        status: its status; a plain str if this library does not know it.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    status: WorkflowDefinitionStatus | str
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class ListWorkflowDefinitionsResponse(ValueObject):
    """One page of workflow definitions.

    Attributes:
        workflow_definition_summaries: the definitions in the requested order; it may be empty although more pages
            follow.
        next_token: pass it to the next call to get the next page; None or `""` on the last page.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    workflow_definition_summaries: tuple[WorkflowDefinitionSummary, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = field(eq=False, repr=False)


_STATUS = Enumeration(WorkflowDefinitionStatus)
_EXPORT_CONFIG = structure(WorkflowExportConfig, s3_bucket_name=String(minimum=3), s3_key_prefix=NAME)
_OF_ONE = "/workflow-definitions/{workflowDefinitionName}"

CREATE_WORKFLOW_DEFINITION = Operation(
    name="CreateWorkflowDefinition",
    http="PUT /workflow-definitions",
    inputs=(
        body("name", NAME, required=True),
        body("description", NAME, sensitive=True),
        body("export_config", _EXPORT_CONFIG),
        CLIENT_TOKEN,
    ),
    output=structure(CreateWorkflowDefinitionResponse, status=_STATUS),
    errors=OF_CREATES - {"ResourceNotFoundException"},
)

GET_WORKFLOW_DEFINITION = Operation(
    name="GetWorkflowDefinition",
    http=f"GET {_OF_ONE}",
    inputs=(path("workflow_definition_name"),),
    output=structure(GetWorkflowDefinitionResponse, created_at=TIMESTAMP, export_config=_EXPORT_CONFIG, status=_STATUS),
    errors=OF_MOST - {"ConflictException"},
)

DELETE_WORKFLOW_DEFINITION = Operation(
    name="DeleteWorkflowDefinition",
    http=f"DELETE {_OF_ONE}",
    inputs=(path("workflow_definition_name"),),
    output=structure(DeleteWorkflowDefinitionResponse, status=_STATUS),
    errors=OF_MOST,
)

LIST_WORKFLOW_DEFINITIONS = Operation(
    name="ListWorkflowDefinitions",
    http="POST /workflow-definitions",
    inputs=(*PAGE, body("sort_order", Enumeration(SortOrder))),
    output=structure(
        ListWorkflowDefinitionsResponse,
        workflow_definition_summaries=ListOf(
            structure(WorkflowDefinitionSummary, created_at=TIMESTAMP, status=_STATUS)
        ),
    ),
    errors=OF_ALL | {"ValidationException"},
    paging=Paging(items="workflow_definition_summaries"),
)
