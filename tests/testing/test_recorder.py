"""What a Recorder writes can be replayed, for every operation, and has nothing of the account."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import AsyncClient, Client, errors
from novaact_http.models import (
    ActError,
    ActStatus,
    CallResult,
    CallResultContent,
    ClientInfo,
    ToolInputSchema,
    ToolSpec,
    WorkflowExportConfig,
)
from novaact_http.testing import LocalService, Recorder, make_page, replay
from tests.helpers.calls import CALL, OPTIONS, TEMPORARY_KEYS, call_for, options_for
from tests.helpers.operations import OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.both_clients import Face


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_recording_can_be_replayed_and_holds_nothing_from_the_account(tmp_path: Path, asynchronous: bool) -> None:
    ids = ["arn:aws:x:123451234512:y", "62e6e282-e5c1-457c-b8c3-a967b36711eb", "c"]
    folder = tmp_path / "new" / "case"
    with LocalService(credentials=TEMPORARY_KEYS) as service:
        run = service.add_run("my-project", sessions=ids)
        options = options_for(service)
        if asynchronous:

            async def list_them() -> None:
                async with Recorder(folder) as recorder, AsyncClient(**options, transport=recorder) as client:
                    assert [each.session_id async for each in client.iter_sessions(**call_for(run), page_size=2)] == ids

            asyncio.run(list_them())
        else:
            with Recorder(folder) as recorder, Client(**options, transport=recorder) as client:
                assert [each.session_id for each in client.iter_sessions(**call_for(run), page_size=2)] == ids
        token = service.requests[1].target.rpartition("=")[2]
        signatures = [(request.header("Authorization") or "").rpartition("=")[2] for request in service.requests]
    assert sorted(path.name for path in folder.iterdir()) == [
        "1.request.http",
        "1.response.http",
        "2.request.http",
        "2.response.http",
        "provenance",
    ]
    text = "".join(path.read_bytes().decode() for path in folder.iterdir())
    secret = {TEMPORARY_KEYS.access_key_id, TEMPORARY_KEYS.session_token, token, *signatures}
    for each in {"my-project", run.workflow_run_id, "123451234512", *ids[:2], *secret}:
        assert each
        assert each not in text
    transport = replay(folder)
    with Client(**OPTIONS, transport=transport) as client:
        replayed = [each.session_id for each in client.iter_sessions(**CALL)]
    assert not set(replayed) & set(ids)
    assert re.fullmatch("00000000-0000-4000-8000-[0-9]{12}", replayed[1])
    assert transport.requests[1].url.params["nextToken"] in text


def test_recording_again_replaces_the_files(face: Face, tmp_path: Path) -> None:
    for count in (3, 1):
        recorder = Recorder(
            tmp_path, replay([make_page(1, next_token=str(left) if left else None) for left in reversed(range(count))])
        )
        items, _ = face.items({**OPTIONS, "transport": recorder}, **CALL)
        assert len(items) == count
        recorder.close()
        asyncio.run(recorder.aclose())
        assert len(list(tmp_path.glob("*.request.http"))) == len(list(tmp_path.glob("*.response.http"))) == count


MINE = "zebra"  # in everything that a user writes below


def workflow(client: Client, name: str) -> list[object]:
    """Call every operation, and return what is known to be harmless of the answers."""
    config = {"s3_bucket_name": f"{MINE}-bucket", "s3_key_prefix": f"{MINE}-prefix"}
    tool = ToolSpec(name=f"{MINE}-tool", description=MINE, input_schema=ToolInputSchema(json={MINE: [MINE]}))
    models = client.list_models(client_compatibility_version=1)
    definition = client.create_workflow_definition(
        name=name, description=f"{MINE} 1", export_config=WorkflowExportConfig(**config)
    )
    run = client.create_workflow_run(
        workflow_definition_name=name,
        model_id=models.model_summaries[0].model_id,
        client_info=ClientInfo(compatibility_version=1, sdk_version=f"{MINE}-1"),
        log_group_name=f"/{MINE}",
    )
    call: dict[str, Any] = {"workflow_definition_name": name, "workflow_run_id": run.workflow_run_id}
    session = client.create_session(**call)
    one = {**call, "session_id": session.session_id}
    act = client.create_act(**one, task=f"Find the {MINE}", tool_specs=[tool])
    step = client.invoke_act_step(
        **one, act_id=act.act_id, call_results=[CallResult(content=[CallResultContent(text=f"{MINE} {'x' * 200}")])]
    )
    result = CallResult(call_id=step.calls[0].call_id, content=[CallResultContent(text=MINE)])
    last = client.invoke_act_step(**one, act_id=act.act_id, call_results=[result], previous_step_id=step.step_id)
    client.update_act(
        **one, act_id=act.act_id, status="FAILED", error=ActError(message=f"No {MINE}", type=f"{MINE}Error")
    )
    acts = list(client.iter_acts(workflow_definition_name=name, workflow_run_id=run.workflow_run_id))
    client.update_workflow_run(**call, status="SUCCEEDED")
    got = client.get_workflow_run(**call)
    runs = list(client.iter_workflow_runs(workflow_definition_name=name, page_size=1))
    sessions = list(client.iter_sessions(**call))
    deleted_run = client.delete_workflow_run(**call)
    found = client.get_workflow_definition(workflow_definition_name=name)
    names = list(client.iter_workflow_definitions(page_size=2))
    deleted = client.delete_workflow_definition(workflow_definition_name=name)
    with pytest.raises(errors.ResourceNotFoundException) as caught:
        client.list_sessions(**{**call, "workflow_run_id": "62e6e282-e5c1-457c-b8c3-a967b36711eb"})
    assert got.ended_at is not None
    assert acts[0].act_id == act.act_id
    assert (got.workflow_run_id, sessions[0].session_id) == (run.workflow_run_id, session.session_id)
    return [
        definition.status, run.status, act.status, acts[0].status, len(step.calls), len(last.calls), got.status,
        [each.status for each in runs], len(sessions), deleted_run.status, found.status, len(names), deleted.status,
        len(models.model_summaries), models.compatibility_information.client_compatibility_version, caught.value.code,
    ]  # fmt: skip


def test_every_operation_can_be_recorded_and_replayed(tmp_path: Path) -> None:
    with (
        LocalService(credentials=TEMPORARY_KEYS) as service,
        Recorder(tmp_path) as recorder,
        Client(**options_for(service), transport=recorder) as client,
    ):
        live = workflow(client, f"{MINE}-flow")
        ids = {each.arguments.get("workflow_run_id") for each in service.calls}
    assert {call.operation for call in service.calls} == {*OPERATIONS}
    text = b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode().lower()
    assert MINE not in text
    assert not [each for each in ids if each and each in text]
    assert "2026-" not in text
    transport = replay(tmp_path)
    with Client(**OPTIONS, transport=transport) as client:
        replayed = workflow(client, "another")
    assert replayed == live
    assert isinstance(replayed[2], ActStatus)
    transport.assert_all_used()
