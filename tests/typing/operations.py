"""Every method and model under type checkers, used rightly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import assert_type

from novaact_http import AsyncClient, AsyncPager, Client, Pager, Poll
from novaact_http.models import (
    ActError,
    ActStatus,
    ActSummary,
    Call,
    CallResult,
    CallResultContent,
    ClientInfo,
    CompatibilityInformation,
    CreateActResponse,
    CreateSessionResponse,
    CreateWorkflowDefinitionResponse,
    CreateWorkflowRunResponse,
    DeleteWorkflowDefinitionResponse,
    DeleteWorkflowRunResponse,
    GetWorkflowDefinitionResponse,
    GetWorkflowRunResponse,
    InvokeActStepResponse,
    ListActsResponse,
    ListModelsResponse,
    ListSessionsResponse,
    ListWorkflowDefinitionsResponse,
    ListWorkflowRunsResponse,
    ModelAlias,
    ModelLifecycle,
    ModelStatus,
    ModelSummary,
    ResponseMetadata,
    SessionSummary,
    SortOrder,
    ToolInputSchema,
    ToolSpec,
    TraceLocation,
    TraceLocationType,
    UpdateActResponse,
    UpdateWorkflowRunResponse,
    WorkflowDefinitionStatus,
    WorkflowDefinitionSummary,
    WorkflowExportConfig,
    WorkflowRunStatus,
    WorkflowRunSummary,
    as_dict,
)


def of_client(client: Client) -> None:
    assert_type(
        client.create_workflow_definition(
            name="n",
            description="d",
            export_config=WorkflowExportConfig(s3_bucket_name="b", s3_key_prefix="p"),
            client_token="t",
        ),
        CreateWorkflowDefinitionResponse,
    )
    assert_type(client.get_workflow_definition(workflow_definition_name="d"), GetWorkflowDefinitionResponse)
    assert_type(
        client.ensure_workflow_definition(
            name="n", description="d", export_config=WorkflowExportConfig(s3_bucket_name="b")
        ),
        GetWorkflowDefinitionResponse,
    )
    assert_type(client.delete_workflow_definition(workflow_definition_name="d"), DeleteWorkflowDefinitionResponse)
    assert_type(
        client.list_workflow_definitions(max_results=5, next_token="t", sort_order="Ascending"),
        ListWorkflowDefinitionsResponse,
    )
    assert_type(
        client.create_workflow_run(
            workflow_definition_name="d",
            model_id="m",
            client_info=ClientInfo(compatibility_version=1, sdk_version="2"),
            log_group_name="g",
            client_token="t",
        ),
        CreateWorkflowRunResponse,
    )
    assert_type(client.get_workflow_run(workflow_definition_name="d", workflow_run_id="r"), GetWorkflowRunResponse)
    assert_type(
        client.wait_for_workflow_run(
            workflow_definition_name="d",
            workflow_run_id="r",
            until=["FAILED", WorkflowRunStatus.SUCCEEDED],
            total=5,
            poll=Poll(initial=1),
        ),
        GetWorkflowRunResponse,
    )
    assert_type(
        client.update_workflow_run(workflow_definition_name="d", workflow_run_id="r", status="SUCCEEDED"),
        UpdateWorkflowRunResponse,
    )
    assert_type(
        client.delete_workflow_run(workflow_definition_name="d", workflow_run_id="r"), DeleteWorkflowRunResponse
    )
    assert_type(
        client.list_workflow_runs(workflow_definition_name="d", max_results=5, sort_order=SortOrder.DESCENDING),
        ListWorkflowRunsResponse,
    )
    assert_type(
        client.create_session(workflow_definition_name="d", workflow_run_id="r", client_token="t"),
        CreateSessionResponse,
    )
    assert_type(
        client.list_sessions(workflow_definition_name="d", workflow_run_id="r", max_results=5), ListSessionsResponse
    )
    assert_type(
        client.create_act(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            task="t",
            tool_specs=[ToolSpec(name="n", description="d", input_schema=ToolInputSchema(json={"a": [1, None]}))],
            client_token="t",
        ),
        CreateActResponse,
    )
    assert_type(
        client.update_act(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            act_id="a",
            status=ActStatus.FAILED,
            error=ActError(message="m", type="t"),
        ),
        UpdateActResponse,
    )
    assert_type(
        client.list_acts(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            max_results=5,
            next_token="t",
            sort_order="Descending",
        ),
        ListActsResponse,
    )
    assert_type(
        client.invoke_act_step(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            act_id="a",
            call_results=(CallResult(call_id="c", content=[CallResultContent(text="t")]),),
            previous_step_id="p",
        ),
        InvokeActStepResponse,
    )
    assert_type(client.list_models(client_compatibility_version=1), ListModelsResponse)
    assert_type(
        client.iter_workflow_definitions(
            sort_order="Ascending", page_size=5, max_items=5, starting_token="t", total=5.5
        ),
        Pager[ListWorkflowDefinitionsResponse, WorkflowDefinitionSummary],
    )
    assert_type(
        client.iter_workflow_runs(workflow_definition_name="d", page_size=5, total=5),
        Pager[ListWorkflowRunsResponse, WorkflowRunSummary],
    )
    assert_type(
        client.iter_sessions(workflow_definition_name="d", workflow_run_id="r", total=5),
        Pager[ListSessionsResponse, SessionSummary],
    )
    assert_type(
        client.iter_acts(workflow_definition_name="d", workflow_run_id="r", session_id="s", max_items=5),
        Pager[ListActsResponse, ActSummary],
    )


async def of_async_client(client: AsyncClient) -> None:
    assert_type(
        await client.create_workflow_definition(
            name="n",
            description="d",
            export_config=WorkflowExportConfig(s3_bucket_name="b", s3_key_prefix="p"),
            client_token="t",
        ),
        CreateWorkflowDefinitionResponse,
    )
    assert_type(await client.get_workflow_definition(workflow_definition_name="d"), GetWorkflowDefinitionResponse)
    assert_type(
        await client.ensure_workflow_definition(
            name="n", description="d", export_config=WorkflowExportConfig(s3_bucket_name="b")
        ),
        GetWorkflowDefinitionResponse,
    )
    assert_type(await client.delete_workflow_definition(workflow_definition_name="d"), DeleteWorkflowDefinitionResponse)
    assert_type(
        await client.list_workflow_definitions(max_results=5, next_token="t", sort_order="Ascending"),
        ListWorkflowDefinitionsResponse,
    )
    assert_type(
        await client.create_workflow_run(
            workflow_definition_name="d",
            model_id="m",
            client_info=ClientInfo(compatibility_version=1, sdk_version="2"),
            log_group_name="g",
            client_token="t",
        ),
        CreateWorkflowRunResponse,
    )
    assert_type(
        await client.get_workflow_run(workflow_definition_name="d", workflow_run_id="r"), GetWorkflowRunResponse
    )
    assert_type(
        await client.wait_for_workflow_run(
            workflow_definition_name="d",
            workflow_run_id="r",
            until=["FAILED", WorkflowRunStatus.SUCCEEDED],
            total=5,
            poll=Poll(initial=1),
        ),
        GetWorkflowRunResponse,
    )
    assert_type(
        await client.update_workflow_run(workflow_definition_name="d", workflow_run_id="r", status="SUCCEEDED"),
        UpdateWorkflowRunResponse,
    )
    assert_type(
        await client.delete_workflow_run(workflow_definition_name="d", workflow_run_id="r"), DeleteWorkflowRunResponse
    )
    assert_type(
        await client.list_workflow_runs(workflow_definition_name="d", max_results=5, sort_order=SortOrder.DESCENDING),
        ListWorkflowRunsResponse,
    )
    assert_type(
        await client.create_session(workflow_definition_name="d", workflow_run_id="r", client_token="t"),
        CreateSessionResponse,
    )
    assert_type(
        await client.list_sessions(workflow_definition_name="d", workflow_run_id="r", max_results=5),
        ListSessionsResponse,
    )
    assert_type(
        await client.create_act(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            task="t",
            tool_specs=[ToolSpec(name="n", description="d", input_schema=ToolInputSchema(json={"a": [1, None]}))],
            client_token="t",
        ),
        CreateActResponse,
    )
    assert_type(
        await client.update_act(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            act_id="a",
            status=ActStatus.FAILED,
            error=ActError(message="m", type="t"),
        ),
        UpdateActResponse,
    )
    assert_type(
        await client.list_acts(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            max_results=5,
            next_token="t",
            sort_order="Descending",
        ),
        ListActsResponse,
    )
    assert_type(
        await client.invoke_act_step(
            workflow_definition_name="d",
            workflow_run_id="r",
            session_id="s",
            act_id="a",
            call_results=(CallResult(call_id="c", content=[CallResultContent(text="t")]),),
            previous_step_id="p",
        ),
        InvokeActStepResponse,
    )
    assert_type(await client.list_models(client_compatibility_version=1), ListModelsResponse)
    assert_type(
        client.iter_workflow_definitions(
            sort_order="Ascending", page_size=5, max_items=5, starting_token="t", total=5.5, prefetch=True
        ),
        AsyncPager[ListWorkflowDefinitionsResponse, WorkflowDefinitionSummary],
    )
    assert_type(
        client.iter_workflow_runs(workflow_definition_name="d", page_size=5, total=5, prefetch=True),
        AsyncPager[ListWorkflowRunsResponse, WorkflowRunSummary],
    )
    assert_type(
        client.iter_sessions(workflow_definition_name="d", workflow_run_id="r", total=5, prefetch=True),
        AsyncPager[ListSessionsResponse, SessionSummary],
    )
    assert_type(
        client.iter_acts(workflow_definition_name="d", workflow_run_id="r", session_id="s", max_items=5, prefetch=True),
        AsyncPager[ListActsResponse, ActSummary],
    )


def of_models(  # noqa: PLR0915 - one for each attribute
    get_workflow_definition_response: GetWorkflowDefinitionResponse,
    create_workflow_definition_response: CreateWorkflowDefinitionResponse,
    delete_workflow_definition_response: DeleteWorkflowDefinitionResponse,
    list_workflow_definitions_response: ListWorkflowDefinitionsResponse,
    workflow_definition_summary: WorkflowDefinitionSummary,
    workflow_export_config: WorkflowExportConfig,
    create_workflow_run_response: CreateWorkflowRunResponse,
    get_workflow_run_response: GetWorkflowRunResponse,
    update_workflow_run_response: UpdateWorkflowRunResponse,
    delete_workflow_run_response: DeleteWorkflowRunResponse,
    list_workflow_runs_response: ListWorkflowRunsResponse,
    workflow_run_summary: WorkflowRunSummary,
    trace_location: TraceLocation,
    client_info: ClientInfo,
    create_session_response: CreateSessionResponse,
    create_act_response: CreateActResponse,
    update_act_response: UpdateActResponse,
    list_acts_response: ListActsResponse,
    act_summary: ActSummary,
    act_error: ActError,
    tool_spec: ToolSpec,
    call_result: CallResult,
    call_result_content: CallResultContent,
    invoke_act_step_response: InvokeActStepResponse,
    call: Call,
    list_models_response: ListModelsResponse,
    model_summary: ModelSummary,
    model_lifecycle: ModelLifecycle,
    model_alias: ModelAlias,
    compatibility_information: CompatibilityInformation,
) -> None:
    assert_type(get_workflow_definition_response.name, str)
    assert_type(get_workflow_definition_response.arn, str)
    assert_type(get_workflow_definition_response.created_at, datetime)
    assert_type(get_workflow_definition_response.description, str | None)
    assert_type(get_workflow_definition_response.export_config, WorkflowExportConfig | None)
    assert_type(get_workflow_definition_response.status, WorkflowDefinitionStatus | str)
    assert_type(get_workflow_definition_response.metadata, ResponseMetadata)
    assert_type(create_workflow_definition_response.status, WorkflowDefinitionStatus | str)
    assert_type(delete_workflow_definition_response.status, WorkflowDefinitionStatus | str)
    assert_type(list_workflow_definitions_response.workflow_definition_summaries, tuple[WorkflowDefinitionSummary, ...])
    assert_type(list_workflow_definitions_response.next_token, str | None)
    assert_type(workflow_definition_summary.workflow_definition_arn, str)
    assert_type(workflow_definition_summary.workflow_definition_name, str)
    assert_type(workflow_definition_summary.created_at, datetime)
    assert_type(workflow_definition_summary.status, WorkflowDefinitionStatus | str)
    assert_type(workflow_export_config.s3_bucket_name, str)
    assert_type(workflow_export_config.s3_key_prefix, str | None)
    assert_type(create_workflow_run_response.workflow_run_id, str)
    assert_type(create_workflow_run_response.status, WorkflowRunStatus | str)
    assert_type(get_workflow_run_response.workflow_run_arn, str)
    assert_type(get_workflow_run_response.workflow_run_id, str)
    assert_type(get_workflow_run_response.status, WorkflowRunStatus | str)
    assert_type(get_workflow_run_response.started_at, datetime)
    assert_type(get_workflow_run_response.ended_at, datetime | None)
    assert_type(get_workflow_run_response.model_id, str)
    assert_type(get_workflow_run_response.log_group_name, str | None)
    assert_type(update_workflow_run_response.metadata, ResponseMetadata)
    assert_type(delete_workflow_run_response.status, WorkflowRunStatus | str)
    assert_type(list_workflow_runs_response.workflow_run_summaries, tuple[WorkflowRunSummary, ...])
    assert_type(list_workflow_runs_response.next_token, str | None)
    assert_type(workflow_run_summary.workflow_run_arn, str)
    assert_type(workflow_run_summary.workflow_run_id, str)
    assert_type(workflow_run_summary.status, WorkflowRunStatus | str)
    assert_type(workflow_run_summary.started_at, datetime)
    assert_type(workflow_run_summary.ended_at, datetime | None)
    assert_type(workflow_run_summary.trace_location, TraceLocation | None)
    assert_type(trace_location.location_type, TraceLocationType | str)
    assert_type(trace_location.location, str)
    assert_type(client_info.compatibility_version, int)
    assert_type(client_info.sdk_version, str | None)
    assert_type(create_session_response.session_id, str)
    assert_type(create_act_response.act_id, str)
    assert_type(create_act_response.status, ActStatus | str)
    assert_type(update_act_response.metadata, ResponseMetadata)
    assert_type(list_acts_response.act_summaries, tuple[ActSummary, ...])
    assert_type(list_acts_response.next_token, str | None)
    assert_type(act_summary.workflow_run_id, str)
    assert_type(act_summary.session_id, str)
    assert_type(act_summary.act_id, str)
    assert_type(act_summary.status, ActStatus | str)
    assert_type(act_summary.started_at, datetime)
    assert_type(act_summary.ended_at, datetime | None)
    assert_type(act_summary.trace_location, TraceLocation | None)
    assert_type(act_error.message, str)
    assert_type(act_error.type, str | None)
    assert_type(tool_spec.name, str)
    assert_type(tool_spec.description, str)
    assert_type(tool_spec.input_schema, ToolInputSchema)
    assert_type(call_result.call_id, str | None)
    assert_type(call_result.content, tuple[CallResultContent, ...] | list[CallResultContent])
    assert_type(call_result_content.text, str | None)
    assert_type(invoke_act_step_response.calls, tuple[Call, ...])
    assert_type(invoke_act_step_response.step_id, str)
    assert_type(call.call_id, str)
    assert_type(call.name, str)
    assert_type(list_models_response.model_summaries, tuple[ModelSummary, ...])
    assert_type(list_models_response.model_aliases, tuple[ModelAlias, ...])
    assert_type(list_models_response.compatibility_information, CompatibilityInformation)
    assert_type(model_summary.model_id, str)
    assert_type(model_summary.model_lifecycle, ModelLifecycle)
    assert_type(model_summary.minimum_compatibility_version, int)
    assert_type(model_lifecycle.status, ModelStatus | str)
    assert_type(model_alias.alias_name, str)
    assert_type(model_alias.latest_model_id, str)
    assert_type(model_alias.resolved_model_id, str | None)
    assert_type(compatibility_information.client_compatibility_version, int)
    assert_type(compatibility_information.supported_model_ids, tuple[str, ...])
    assert_type(compatibility_information.message, str | None)
    assert_type(as_dict(get_workflow_run_response), dict[str, Any])
    if get_workflow_run_response.status == WorkflowRunStatus.RUNNING:
        assert_type(get_workflow_run_response.ended_at, datetime | None)
