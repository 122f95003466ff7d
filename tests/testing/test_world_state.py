"""What the local service begins with, and what `load` adds to it."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import Client
from novaact_http.models import ActStatus, WorkflowRunStatus
from novaact_http.testing import LocalService
from tests.helpers.calls import options_for

if TYPE_CHECKING:
    from collections.abc import Callable

RUN_ID = "01234567-89ab-4cde-8f01-23456789abcd"
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone.utc)
TIME = NOON.timestamp()


def test_every_list_has_something_of_every_status() -> None:
    with LocalService() as service, Client(**options_for(service)) as client:
        names = [each.workflow_definition_name for each in client.iter_workflow_definitions()]
        runs: list[Any] = [each for name in names for each in client.iter_workflow_runs(workflow_definition_name=name)]
        acts: list[Any] = [each for name in names for each in client.iter_acts(workflow_definition_name=name)]
        for each in (*runs, *acts):
            assert (
                each.started_at
                < (each.ended_at or dt.datetime.now(dt.timezone.utc))
                <= dt.datetime.now(dt.timezone.utc)
            )
    assert {each.status for each in runs} == {*WorkflowRunStatus}
    assert {each.status for each in acts} == {*ActStatus}
    assert {each.workflow_run_id for each in acts} == {service.runs[0].workflow_run_id}


def test_the_beginning_is_the_same_for_a_seed_and_works_with_any_clock() -> None:
    assert LocalService(seed=5).runs == LocalService(seed=5).runs != LocalService(seed=6).runs
    assert len(LocalService(clock=lambda: 0.0).runs) == 7


def test_what_a_state_has_is_there() -> None:
    act = {"task": "Buy a kettle.", "status": "FAILED", "started_at": -600, "ended_at": -60}
    state = {
        "definitions": [
            {
                "name": "checkout",
                "description": "Buys.",
                "export_config": {"s3BucketName": "traces"},
                "created_at": "2026-01-31T12:00:00Z",
                "runs": [
                    {"workflow_run_id": RUN_ID, "status": "FAILED", "started_at": TIME, "ended_at": "2026-02-01"},
                    {"sessions": 3},
                    {"sessions": ["a", "b"], "started_at": None},
                    {"sessions": [{"session_id": "x", "acts": [act, {}]}, {}]},
                ],
            },
            {"name": "empty", "status": "DELETING"},
        ]
    }  # fmt: skip
    with LocalService(definitions={}) as service, Client(**options_for(service)) as client:
        service.load(state)
        found = client.get_workflow_definition(workflow_definition_name="checkout")
        assert (found.description, found.created_at) == ("Buys.", NOON)
        assert found.export_config is not None
        first, *others = client.iter_workflow_runs(workflow_definition_name="checkout", sort_order="Ascending")
        assert (first.workflow_run_id, first.status) == (RUN_ID, "FAILED")
        assert (first.started_at, first.ended_at) == (NOON, NOON + dt.timedelta(hours=12))
        assert [each.status for each in others] == ["RUNNING"] * 3
        assert [len(each.session_ids) for each in service.runs] == [0, 3, 2, 2]
        assert service.runs[2].session_ids == ("a", "b")
        failed, running = client.iter_acts(workflow_definition_name="checkout", sort_order="Ascending")
        assert (failed.session_id, failed.status, running.status) == ("x", "FAILED", "RUNNING")
        assert failed.ended_at is not None
        assert failed.ended_at - failed.started_at == dt.timedelta(seconds=540)
        assert [each.status for each in client.iter_workflow_definitions()] == ["ACTIVE", "DELETING"]
        service.load({})
        with pytest.raises(ValueError, match=r"^definitions\[0\]\.runs\[0\] cannot be added: .* already has a run"):
            service.load(state)


def in_definition(**members: Any) -> dict[str, Any]:
    return {"definitions": [{"name": "ab", **members}]}


def in_run(**members: Any) -> dict[str, Any]:
    return in_definition(runs=[{}, members])


def in_act(**members: Any) -> dict[str, Any]:
    return in_run(sessions=[{"acts": [members]}])


RUN = "definitions[0].runs[1]"
SESSION = f"{RUN}.sessions[0]"
ACT = f"{SESSION}.acts[0]"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (1, "the state must be an object with definitions, not int"),
        ([], "the state must be an object with definitions, not list"),
        ({"runs": []}, "the state has runs, which it cannot have, only definitions"),
        ({"definitions": "ab"}, "definitions must be a list of objects, not 'ab'"),
        ({"definitions": {}}, "definitions must be a list of objects, not {}"),
        ({"definitions": ["ab"]}, "definitions[0] must be an object with name, ..., runs, not str"),
        ({"definitions": [{}]}, "definitions[0].name must be the name of a workflow definition, not None"),
        (in_definition(name="a b"), "definitions[0] cannot be added: 'a b' cannot be a name: "),
        (in_definition(description=3), "definitions[0] cannot be added: 3 cannot be a description: "),
        (in_definition(export_config=3), "definitions[0].export_config must be a mapping or None, not 3"),
        (in_definition(export_config={}), "definitions[0] cannot be added: {} cannot be a exportConfig: "),
        (in_definition(created_at=[]), "definitions[0].created_at must be a number from 0, not []"),
        (in_definition(status="DONE"), "definitions[0].status must be one of ACTIVE, DELETING, not 'DONE'"),
        (in_definition(runs=3), "definitions[0].runs must be a list of objects, not 3"),
        (in_run(state="FAILED"), f"{RUN} has state, which it cannot have, only workflow_run_id, "),
        (in_run(status="DONE"), f"{RUN}.status must be one of RUNNING, ..., not 'DONE'"),
        (in_run(workflow_run_id="x"), f"{RUN} cannot be added: 'x' cannot be a workflowRunId: "),
        (in_run(started_at="noon"), f"{RUN}.started_at must be a time such as 2026-01-31T12:00:00Z, not 'noon'"),
        (in_run(sessions="x"), f"{RUN}.sessions must be the number of sessions (from 0), or a list of their ids, "),
        (in_run(sessions=["x", "x"]), f"{RUN} cannot be added: the run ... already has a session x"),
        (in_run(sessions=[{"id": "x"}]), f"{SESSION} has id, which it cannot have, only session_id, acts"),
        (in_run(sessions=["x", {}]), f"{SESSION} must be an object with session_id, acts, not str"),
        (in_run(sessions=[{"session_id": 3}]), f"{SESSION}.session_id must be the id of a session, not 3"),
        (in_run(sessions=[{"acts": 3}]), f"{SESSION}.acts must be a list of objects, not 3"),
        (in_act(status="DONE"), f"{ACT}.status must be one of RUNNING, ..., not 'DONE'"),
        (in_act(task=3), f"{ACT} cannot be added: 3 cannot be a task"),
        (in_act(steps=3), f"{ACT} has steps, which it cannot have, only task, status, "),
    ],
)
def test_a_mistake_in_a_state_is_named_with_its_place(state: Any, message: str) -> None:
    with pytest.raises(ValueError, match="^" + ".*".join(map(re.escape, message.split("...")))):
        LocalService(definitions={}).load(state)


@pytest.mark.parametrize(
    "add",
    [
        lambda service: service.add_definition("ab", description="x" * 5_000),
        lambda service: service.add_definition("ab", export_config={"s3BucketName": "x"}),
        lambda service: service.add_act(service.runs[0], service.runs[0].session_ids[0], task=""),
        lambda service: service.add_sessions(service.runs[0], service.runs[0].session_ids[:1]),
        lambda service: service.add_run("ab", sessions=["a", "b", "a"]),
    ],
)  # fmt: skip
def test_what_the_service_cannot_have_is_refused(add: Callable[[LocalService], object]) -> None:
    with pytest.raises(ValueError, match=r"cannot be a|already has a session"):
        add(LocalService())
