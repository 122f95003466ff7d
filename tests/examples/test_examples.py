"""The examples run as users run them: as programs, against the local service."""

from __future__ import annotations

import ast
import json
import re
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from novaact_http.testing import LocalService
from tests.helpers.calls import TEMPORARY_KEYS
from tests.helpers.programs import run_python
from tests.helpers.servers import Peer, Server, always, http_response, never

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http.testing import WorkflowRun

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
WITH_ARGUMENTS = [each for each in EXAMPLES if "argparse" in (ROOT / "examples" / each).read_text()]
MISSING = "00000000-0000-4000-8000-000000000000"
# Warnings are errors, except one of Python 3.15 about the main module that multiprocessing makes.
WARNINGS = ("-W", "error", "-W", "ignore:Module globals is missing a __spec__:DeprecationWarning")


def run(*arguments: str, environ: Mapping[str, str], exit_code: int = 0) -> str:
    """Run Python in the folder of the examples, and return what it printed."""
    done = run_python(*WARNINGS, *arguments, environ=environ, cwd=ROOT / "examples", exit_code=exit_code)
    assert "ResourceWarning" not in done.stderr
    return done.stdout


def ids_of(*runs: WorkflowRun) -> list[str]:
    return [each.workflow_run_id for each in runs]


def lines_of(printed: str) -> list[list[str]]:
    return [line.split("\t") for line in printed.splitlines()]


@pytest.mark.parametrize("program", EXAMPLES)
def test_an_example_has_a_docstring_and_is_among_the_recipes(program: str) -> None:
    assert ast.get_docstring(ast.parse((ROOT / "examples" / program).read_text()))
    assert f"| [{program}](../examples/{program}) | " in (ROOT / "docs" / "recipes.md").read_text()


@pytest.mark.parametrize("program", WITH_ARGUMENTS)
def test_an_example_has_help(program: str) -> None:
    assert run(program, "--help", environ={}).startswith(f"usage: {program} ")


@pytest.mark.parametrize("program", ["thread_pool.py", "process_pool.py"])
def test_runs_are_listed_together_and_one_that_fails_does_not_stop_the_others(
    program: str, service: LocalService
) -> None:
    runs = [service.add_run("many", sessions=sessions) for sessions in (3, 120, 0, 1)]
    run_ids = ids_of(*runs)
    run_ids[1:1] = [MISSING, ".."]
    shown = lines_of(run(program, "many", *run_ids, environ=service.environ))
    found = dict(shown)
    assert "workflow_run_id" in found.pop("..")
    assert found.pop(MISSING).startswith("An error occurred (ResourceNotFoundException)")
    assert found == {each.workflow_run_id: f"{len(each.session_ids)} sessions" for each in runs}
    if program != "thread_pool.py":  # which prints each as soon as it is listed
        assert [run_id for run_id, _ in shown] == run_ids


def test_a_run_is_created_and_waited_for(service: LocalService) -> None:
    service.script_runs("SUCCEEDED", polls=1)
    run_id, status = run("wait_for_run.py", "checkout-flow", environ=service.environ).split()
    assert run_id in ids_of(*service.runs)
    assert status == "SUCCEEDED"
    service.end_run(failed := service.add_run("checkout-flow"), "FAILED")
    arguments = ("checkout-flow", "--run-id", failed.workflow_run_id)
    shown = run("wait_for_run.py", *arguments, environ=service.environ, exit_code=1)
    assert shown.split() == [failed.workflow_run_id, "FAILED"]


def test_many_runs_of_a_new_definition_are_started_and_waited_for(service: LocalService) -> None:
    service.script_runs("SUCCEEDED", polls=1)
    service.inject("AccessDeniedException", times=1, operation="CreateWorkflowRun")
    shown = lines_of(run("start_runs.py", "new", "--runs", "5", environ=service.environ))
    started = {each.workflow_run_id for each in service.runs if each.workflow_definition_name == "new"}
    assert len(started) == 4
    assert {run_id for run_id, status in shown if status == "RUNNING"} == started
    results = dict(shown)
    assert results.pop("not created").startswith("An error occurred (AccessDeniedException)")
    assert results == dict.fromkeys(started, "SUCCEEDED")


@pytest.mark.parametrize("limit", [1, 10])
def test_a_dashboard_shows_all_that_runs_and_each_failure_in_its_place(limit: int) -> None:
    with LocalService(definitions={}) as service:
        service.add_definition("empty")
        busy = service.add_run("shop", sessions=1)
        service.add_act(busy, busy.session_ids[0])
        service.add_act(busy, busy.session_ids[0], status="FAILED")
        service.add_act(busy, busy.session_ids[0])
        service.add_run("shop", status="FAILED")
        idle = service.add_run("shop")
        service.add_run("old", started_at=0.0)
        arguments = ("dashboard.py", "--limit", str(limit))
        assert run(*arguments, environ=service.environ).splitlines() == [
            "empty: 0 running",
            "shop: 2 running",
            f"  {idle.workflow_run_id}: no acts",
            f"  {busy.workflow_run_id}: 2 RUNNING, 1 FAILED",
            "old: 0 running",
        ]
        for operation, missing in (("ListWorkflowRuns", 1), ("ListActs", 2)):
            service.inject("AccessDeniedException", operation=operation, times=missing)
            shown = run(*arguments, environ=service.environ)
            assert shown.count(f": An error occurred (AccessDeniedException) when calling the {operation}") == missing
            assert "empty: " in shown


def test_a_dashboard_makes_no_more_calls_at_a_time_than_its_limit(service: LocalService) -> None:
    page = b'{"workflowDefinitionSummaries": [%b]}' % b",".join(
        b'{"workflowDefinitionArn": "a", "workflowDefinitionName": "%d", "createdAt": 0, "status": "ACTIVE"}' % number
        for number in range(30)
    )
    runs = b'{"workflowRunSummaries": []}'
    most, now, lock = 0, 0, threading.Lock()

    def count(peer: Peer) -> None:
        nonlocal most, now
        while request := peer.request():
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.002)
            with lock:
                now -= 1
            peer.send(http_response(page if request.target == "/workflow-definitions" else runs))

    with Server(count) as server:
        environ = {**service.environ, "AWS_ENDPOINT_URL_NOVA_ACT": f"http://127.0.0.1:{server.port}"}
        assert len(run("dashboard.py", "--limit", "3", environ=environ).splitlines()) == 30
        assert len(server.requests) == 31
    assert most <= 3


def test_a_dashboard_does_not_list_runs_that_are_too_old_to_run() -> None:
    with LocalService(definitions={}) as service:
        for _ in range(250):
            service.add_run("shop", status="SUCCEEDED", started_at=1.0)
        assert run("dashboard.py", environ=service.environ) == "shop: 0 running\n"
        assert [call.operation for call in service.calls] == ["ListWorkflowDefinitions", "ListWorkflowRuns"]


def test_an_act_is_driven_to_its_end_and_its_run_is_ended(service: LocalService) -> None:
    service.script_acts([[{"name": "getPrice", "input": {"article": "bicycle"}}], [{"name": "return", "input": []}]])
    shown = run("drive_act.py", "shop", "Buy a bicycle.", environ=service.environ).splitlines()
    assert shown[1:] == ["takeObservation({})", 'getPrice({"article": "bicycle"})', "the act has SUCCEEDED"]
    assert max(len(request.body) for request in service.requests) > 500_000
    assert [call.arguments["status"] for call in service.calls[-2:]] == ["SUCCEEDED"] * 2


def test_an_act_that_fails_fails_its_run(service: LocalService) -> None:
    service.inject("reset", times=1, operation="InvokeActStep", after_work=True)
    run("drive_act.py", "shop", "Buy a bicycle.", environ=service.environ, exit_code=1)
    operations = [call.operation for call in service.calls]
    assert operations.count("InvokeActStep") == 1
    assert operations[-2:] == ["UpdateAct", "UpdateWorkflowRun"]
    assert [call.arguments["status"] for call in service.calls[-2:]] == ["FAILED"] * 2


def test_the_tests_of_the_examples_pass_with_pytest_as_users_have_it() -> None:
    # pytest-httpx needs a newer httpx than the oldest that is supported.
    done = run_python("-m", "pytest", "examples/testing", "-p", "no:cacheprovider", "-p", "no:pytest_httpx", cwd=ROOT)
    assert all(path.name in done.stdout for path in (ROOT / "examples" / "testing").glob("test_*.py"))
    assert re.search(r"= \d+ passed in ", done.stdout)


def test_each_worker_process_has_one_client(service: LocalService) -> None:
    page = b'{"sessionSummaries": []}'
    with Server(always(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))) as counting:
        environ = {**service.environ, "AWS_ENDPOINT_URL_NOVA_ACT": f"http://127.0.0.1:{counting.port}"}
        run("process_pool.py", "many", *map(str, range(20)), "--processes=2", environ=environ)
        assert len(counting.requests) == 20
        assert counting.accepted <= 2


def test_a_lambda_function_uses_lambdas_environment_and_loads_neither_httpx_nor_botocore() -> None:
    with LocalService(credentials=TEMPORARY_KEYS) as service:
        lambda_run = service.add_run("lambda", sessions=150)
        environ = {
            **{name: value for name, value in service.environ.items() if name != "AWS_DEFAULT_REGION"},
            "AWS_LAMBDA_FUNCTION_NAME": "list-sessions",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        }
        code = f"""
import sys, lambda_handler

class Context:
    def get_remaining_time_in_millis(self):
        return remaining.pop(0)

event = {{"workflowDefinitionName": "lambda", "workflowRunId": {lambda_run.workflow_run_id!r}}}
remaining = [3_000, 1_400]  # enough for a page, and not enough for another
first = lambda_handler.handler(event, Context())
remaining = [3_000, 3_000]
second = lambda_handler.handler({{**event, "nextToken": first["nextToken"]}}, Context())
print(*first["sessionIds"], *second["sessionIds"])
print(len(first["sessionIds"]), second["nextToken"])
print(*sys.modules)
"""
        listed, facts, loaded = run("-c", code, environ=environ).splitlines()
    assert listed.split() == list(lambda_run.session_ids)
    assert facts == "100 None"
    assert not {name.partition(".")[0] for name in loaded.split()} & {"httpx", "botocore", "boto3", "asyncio"}


@pytest.mark.parametrize("milliseconds", [510, 20])  # more than what the function keeps in reserve, or less
def test_a_lambda_function_raises_before_lambda_stops_it(milliseconds: int, service: LocalService) -> None:
    code = f"""
import types, lambda_handler
from novaact_http import DeadlineExceeded

try:
    lambda_handler.handler(
        {{"workflowDefinitionName": "lambda", "workflowRunId": "a"}},
        types.SimpleNamespace(get_remaining_time_in_millis=lambda: {milliseconds}),
    )
except DeadlineExceeded as error:
    print(error)
"""
    with Server(never) as silent:
        environ = {**service.environ, "AWS_ENDPOINT_URL_NOVA_ACT": f"http://127.0.0.1:{silent.port}"}
        assert run("-c", code, environ=environ).strip()


def test_a_lambda_function_runs_as_a_program_too(service: LocalService) -> None:
    tried = service.add_run("lambda", sessions=2)
    shown = run("lambda_handler.py", "lambda", tried.workflow_run_id, environ=service.environ)
    assert ast.literal_eval(shown) == {"sessionIds": list(tried.session_ids), "nextToken": None}


def test_boto3_and_this_library_do_the_same(service: LocalService) -> None:
    moved = service.runs[0]
    shown = run("from_boto3.py", moved.workflow_definition_name, moved.workflow_run_id, environ=service.environ)
    assert lines_of(shown) == [[step, "the same"] for step in ("one_page", "every_session", "resume", "error")]


def test_each_call_is_a_line_of_json_in_the_log(service: LocalService) -> None:
    service.fail_next("ThrottlingException", retry_after_seconds=0)
    done = run_python(*WARNINGS, "structured_logs.py", environ=service.environ, cwd=ROOT / "examples")
    assert set(done.stdout.split()) == {each.workflow_definition_name for each in service.runs}
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["operation"], line["status"], line["attempts"], line["error"]) == (
        "ListWorkflowDefinitions",
        200,
        2,
        None,
    )
    assert line["milliseconds"] > 0
    assert datetime.fromisoformat(line["time"]).tzinfo is not None


@pytest.mark.parametrize(
    ("fault", "error"), [("AccessDeniedException", "AccessDeniedException"), ("reset", "TransportError")]
)
def test_a_call_that_failed_is_logged_with_its_error(service: LocalService, fault: str, error: str) -> None:
    service.inject(f"{fault} next 3", allow_unused=True)
    done = run_python(*WARNINGS, "structured_logs.py", environ=service.environ, cwd=ROOT / "examples", exit_code=1)
    line, message = done.stderr.splitlines()
    assert json.loads(line)["error"] == error
    assert json.loads(line)["message"] == message
