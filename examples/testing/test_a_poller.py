"""How to test code that waits for runs, here wait_for_run.py: `python -m pytest examples/testing`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

import wait_for_run

if TYPE_CHECKING:
    from novaact_http import AsyncClient, Client
    from novaact_http.testing import LocalService

A_WEEK = 7 * 24 * 60 * 60


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Run the program, and return what it exits with."""
    monkeypatch.setattr(sys, "argv", ["wait_for_run.py", "checkout-flow", *arguments])
    with pytest.raises(SystemExit) as ended:
        wait_for_run.main()
    return ended.value.code


@pytest.mark.usefixtures("novaact_environ")
@pytest.mark.parametrize(("status", "expected"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_the_exit_code_tells_how_the_run_ended(
    status: str, expected: int, novaact_service: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    novaact_service.script_runs(status, polls=3)
    assert exit_code(monkeypatch) == expected
    assert [call.operation for call in novaact_service.calls] == ["CreateWorkflowRun", *["GetWorkflowRun"] * 3]


@pytest.mark.usefixtures("novaact_environ")
def test_an_outage_is_survived_that_is_longer_than_all_attempts_of_a_call(
    novaact_service: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    novaact_service.script_runs(polls=2)
    novaact_service.inject("InternalServerException", operation="GetWorkflowRun", times=5)
    assert exit_code(monkeypatch) == 0


@pytest.mark.usefixtures("novaact_environ")
def test_it_gives_up_in_time_and_says_how_to_go_on(
    novaact_service: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = novaact_service.add_run("checkout-flow").workflow_run_id
    message = str(exit_code(monkeypatch, "--run-id", run_id, "--total", "0.1"))
    assert f"wait_for_run.py checkout-flow --run-id {run_id}" in message


def test_a_run_is_not_created_twice(novaact_service: LocalService, novaact_client: Client) -> None:
    novaact_service.inject("reset", operation="CreateWorkflowRun", times=1, after_work=True)
    before = len(novaact_service.runs)
    wait_for_run.create_run(novaact_client, "checkout-flow")
    assert len(novaact_service.runs) == before + 1


async def test_a_run_that_somebody_ends_is_seen(
    novaact_service: LocalService, novaact_async_client: AsyncClient
) -> None:
    run = novaact_service.add_run("checkout-flow")
    asyncio.get_running_loop().call_later(0.02, novaact_service.end_run, run, "FAILED")
    ended = await novaact_async_client.wait_for_workflow_run(
        workflow_definition_name=run.workflow_definition_name, workflow_run_id=run.workflow_run_id
    )
    assert ended.status == "FAILED"


async def test_a_run_that_nobody_ends_has_timed_out_after_a_week(
    novaact_service: LocalService, novaact_async_client: AsyncClient
) -> None:
    run = novaact_service.add_run("checkout-flow")
    novaact_service.advance(A_WEEK + 1)
    ended = await novaact_async_client.wait_for_workflow_run(
        workflow_definition_name=run.workflow_definition_name, workflow_run_id=run.workflow_run_id
    )
    assert ended.status == "TIMED_OUT"
