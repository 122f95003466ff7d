"""The values that the service takes and returns: frozen, slotted, picklable.

Names are AWS's in snake_case. Unknown members of a response are ignored. Each class is imported when it is first used.
`as_dict` turns an output into the dict that boto3 returns.
"""

from typing import TYPE_CHECKING

from novaact_http._support import lazy_imports

if TYPE_CHECKING:
    from novaact_http._operations.act_steps import Call, CallResult, CallResultContent, InvokeActStepResponse
    from novaact_http._operations.acts import (
        ActError,
        ActStatus,
        ActSummary,
        CreateActResponse,
        ListActsResponse,
        ToolInputSchema,
        ToolSpec,
        UpdateActResponse,
    )
    from novaact_http._operations.common import ResponseMetadata, SortOrder
    from novaact_http._operations.dictionaries import as_dict
    from novaact_http._operations.foundation_models import (
        CompatibilityInformation,
        ListModelsResponse,
        ModelAlias,
        ModelLifecycle,
        ModelStatus,
        ModelSummary,
    )
    from novaact_http._operations.sessions import CreateSessionResponse, ListSessionsResponse, SessionSummary
    from novaact_http._operations.traces import TraceLocation, TraceLocationType
    from novaact_http._operations.workflow_definitions import (
        CreateWorkflowDefinitionResponse,
        DeleteWorkflowDefinitionResponse,
        GetWorkflowDefinitionResponse,
        ListWorkflowDefinitionsResponse,
        WorkflowDefinitionStatus,
        WorkflowDefinitionSummary,
        WorkflowExportConfig,
    )
    from novaact_http._operations.workflow_runs import (
        ClientInfo,
        CreateWorkflowRunResponse,
        DeleteWorkflowRunResponse,
        GetWorkflowRunResponse,
        ListWorkflowRunsResponse,
        UpdateWorkflowRunResponse,
        WorkflowRunStatus,
        WorkflowRunSummary,
    )
    from novaact_http.errors import ValidationExceptionField
else:
    __getattr__, __dir__ = lazy_imports.names(
        globals(),
        {
            "_operations.act_steps": ("Call", "CallResult", "CallResultContent", "InvokeActStepResponse"),
            "_operations.acts": (
                "ActError",
                "ActStatus",
                "ActSummary",
                "CreateActResponse",
                "ListActsResponse",
                "ToolInputSchema",
                "ToolSpec",
                "UpdateActResponse",
            ),
            "_operations.common": ("ResponseMetadata", "SortOrder"),
            "_operations.dictionaries": ("as_dict",),
            "_operations.foundation_models": (
                "CompatibilityInformation",
                "ListModelsResponse",
                "ModelAlias",
                "ModelLifecycle",
                "ModelStatus",
                "ModelSummary",
            ),
            "_operations.sessions": ("CreateSessionResponse", "ListSessionsResponse", "SessionSummary"),
            "_operations.traces": ("TraceLocation", "TraceLocationType"),
            "_operations.workflow_definitions": (
                "CreateWorkflowDefinitionResponse",
                "DeleteWorkflowDefinitionResponse",
                "GetWorkflowDefinitionResponse",
                "ListWorkflowDefinitionsResponse",
                "WorkflowDefinitionStatus",
                "WorkflowDefinitionSummary",
                "WorkflowExportConfig",
            ),
            "_operations.workflow_runs": (
                "ClientInfo",
                "CreateWorkflowRunResponse",
                "DeleteWorkflowRunResponse",
                "GetWorkflowRunResponse",
                "ListWorkflowRunsResponse",
                "UpdateWorkflowRunResponse",
                "WorkflowRunStatus",
                "WorkflowRunSummary",
            ),
            "errors": ("ValidationExceptionField",),
        },
    )

__all__ = [
    "ActError",
    "ActStatus",
    "ActSummary",
    "Call",
    "CallResult",
    "CallResultContent",
    "ClientInfo",
    "CompatibilityInformation",
    "CreateActResponse",
    "CreateSessionResponse",
    "CreateWorkflowDefinitionResponse",
    "CreateWorkflowRunResponse",
    "DeleteWorkflowDefinitionResponse",
    "DeleteWorkflowRunResponse",
    "GetWorkflowDefinitionResponse",
    "GetWorkflowRunResponse",
    "InvokeActStepResponse",
    "ListActsResponse",
    "ListModelsResponse",
    "ListSessionsResponse",
    "ListWorkflowDefinitionsResponse",
    "ListWorkflowRunsResponse",
    "ModelAlias",
    "ModelLifecycle",
    "ModelStatus",
    "ModelSummary",
    "ResponseMetadata",
    "SessionSummary",
    "SortOrder",
    "ToolInputSchema",
    "ToolSpec",
    "TraceLocation",
    "TraceLocationType",
    "UpdateActResponse",
    "UpdateWorkflowRunResponse",
    "ValidationExceptionField",
    "WorkflowDefinitionStatus",
    "WorkflowDefinitionSummary",
    "WorkflowExportConfig",
    "WorkflowRunStatus",
    "WorkflowRunSummary",
    "as_dict",
]
