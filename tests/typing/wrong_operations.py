"""Every method and model under type checkers, used wrongly: each line with an ignore must be an error."""

from __future__ import annotations

from novaact_http import AsyncClient, Client, Poll
from novaact_http.models import (
    ActError,
    CallResult,
    CallResultContent,
    ClientInfo,
    ToolInputSchema,
    ToolSpec,
    WorkflowExportConfig,
)

# fmt: off


def of_client(client: Client) -> None:
    client.create_workflow_definition(name="n", description=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_workflow_definition(name="n", export_config={"s3_bucket_name": "b"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.get_workflow_definition(workflow_definition_name=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.ensure_workflow_definition(name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.delete_workflow_definition(workflow_definition_name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_workflow_definitions(sort_order="ascending")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_workflow_run(workflow_definition_name="d", model_id="m", client_info=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.get_workflow_run(workflow_definition_name="d", workflow_run_id=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.wait_for_workflow_run(workflow_definition_name="d", workflow_run_id="r", until=["DONE"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.wait_for_workflow_run(workflow_definition_name="d", workflow_run_id="r", poll=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.update_workflow_run(workflow_definition_name="d", workflow_run_id="r", status="SUCCEDED")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.delete_workflow_run(workflow_definition_name="d", workflow_run_id=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_workflow_runs(workflow_definition_name="d", max_results="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_session(workflow_definition_name="d", workflow_run_id="r", client_token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_sessions(workflow_definition_name="d", workflow_run_id="r", next_token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_act(workflow_definition_name="d", workflow_run_id="r", session_id="s", task=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_act(workflow_definition_name="d", workflow_run_id="r", session_id="s", task="t", tool_specs=["n"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    client.update_act(workflow_definition_name="d", workflow_run_id="r", session_id="s", act_id="a", status="DONE")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_acts(workflow_definition_name="d", sort_order="up")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.invoke_act_step(workflow_definition_name="d", workflow_run_id="r", session_id="s", act_id="a", call_results="text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_models(client_compatibility_version="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_workflow_definitions(total="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_workflow_runs(workflow_definition_name="d", page_size="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_sessions(workflow_definition_name="d", workflow_run_id="r", max_items="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_acts(workflow_definition_name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.get_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.ensure_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.delete_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.get_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.wait_for_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.update_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.delete_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.list_workflow_runs()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_session()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.list_sessions()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_act()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.update_act()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.list_acts()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.invoke_act_step()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.list_models()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_workflow_runs()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_sessions()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_acts()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def of_async_client(client: AsyncClient) -> None:
    await client.create_workflow_definition(name="n", description=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_workflow_definition(name="n", export_config={"s3_bucket_name": "b"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.get_workflow_definition(workflow_definition_name=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.ensure_workflow_definition(name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.delete_workflow_definition(workflow_definition_name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.list_workflow_definitions(sort_order="ascending")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_workflow_run(workflow_definition_name="d", model_id="m", client_info=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.get_workflow_run(workflow_definition_name="d", workflow_run_id=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.wait_for_workflow_run(workflow_definition_name="d", workflow_run_id="r", until=["DONE"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await client.wait_for_workflow_run(workflow_definition_name="d", workflow_run_id="r", poll=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.update_workflow_run(workflow_definition_name="d", workflow_run_id="r", status="SUCCEDED")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.delete_workflow_run(workflow_definition_name="d", workflow_run_id=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.list_workflow_runs(workflow_definition_name="d", max_results="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_session(workflow_definition_name="d", workflow_run_id="r", client_token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.list_sessions(workflow_definition_name="d", workflow_run_id="r", next_token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_act(workflow_definition_name="d", workflow_run_id="r", session_id="s", task=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_act(workflow_definition_name="d", workflow_run_id="r", session_id="s", task="t", tool_specs=["n"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    await client.update_act(workflow_definition_name="d", workflow_run_id="r", session_id="s", act_id="a", status="DONE")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.list_acts(workflow_definition_name="d", sort_order="up")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.invoke_act_step(workflow_definition_name="d", workflow_run_id="r", session_id="s", act_id="a", call_results="text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.list_models(client_compatibility_version="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_workflow_definitions(total="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_workflow_runs(workflow_definition_name="d", page_size="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_sessions(workflow_definition_name="d", workflow_run_id="r", max_items="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.iter_acts(workflow_definition_name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.create_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.get_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.ensure_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.delete_workflow_definition()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.create_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.get_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.wait_for_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.update_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.delete_workflow_run()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.list_workflow_runs()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.create_session()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.list_sessions()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.create_act()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.update_act()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.list_acts()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.invoke_act_step()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.list_models()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_workflow_runs()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_sessions()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_acts()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def of_models() -> None:
    WorkflowExportConfig()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    WorkflowExportConfig(s3_bucket_name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ClientInfo(compatibility_version="1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ToolSpec(name="n", description="d")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ToolSpec(name="n", description="d", input_schema={})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ToolInputSchema({})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CallResult(content="t")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CallResult()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CallResultContent(text=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ActError(message=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Poll(initial="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
