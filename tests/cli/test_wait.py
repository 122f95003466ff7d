"""`novaact-http wait-for-workflow-run`."""

from __future__ import annotations

import json
import re
import sys
import types
from typing import TYPE_CHECKING

import pytest

from novaact_http import AsyncClient, Client
from novaact_http.cli import _lines, _output_settings, _status_line, _wait
from novaact_http.errors import DeadlineExceeded
from novaact_http.models import ClientInfo
from tests.helpers.command import naming, raising, run
from tests.helpers.terminals import Terminal

if TYPE_CHECKING:
    from click.testing import Result

    from novaact_http.testing import LocalService, WorkflowRun


def wait(of: WorkflowRun, *arguments: str) -> Result:
    return run("wait-for-workflow-run", *naming(of), *arguments)


@pytest.mark.parametrize(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("TIMED_OUT", 2), ("DELETING", 255)])
def test_the_exit_code_tells_how_the_run_ended(status: str, code: int, bare_world: LocalService) -> None:
    of = bare_world.add_run("flow", status=status)
    result = wait(of)
    assert result.exit_code == code
    assert result.stderr == ("novaact-http: the run has not ended as runs do: it is DELETING\n" if code == 255 else "")
    shown = json.loads(result.stdout)
    assert shown["status"] == status
    assert set(shown) == {"workflowRunArn", "workflowRunId", "status", "startedAt", "endedAt", "modelId"}
    assert shown["endedAt"].endswith("+00:00")


def test_it_prints_what_is_asked_for(bare_world: LocalService) -> None:
    of = bare_world.add_run("flow", status="FAILED", started_at=1_000, ended_at=1_754)
    asked = wait(of, "--query", "status", "--output", "text")
    assert (asked.exit_code, asked.stdout) == (1, "FAILED\n")
    assert wait(of, "--output", "table").stdout == f"{of.workflow_run_id}  FAILED  12m 34s\n"
    assert wait(of, "--query", "no(@)").exit_code == 252
    assert wait(of, "--query", "@", "--output", "table").exit_code == 252
    failed = wait(of, "--query", "length(`1`)")
    assert (failed.exit_code, "--query cannot be applied" in failed.stderr) == (255, True)


def test_it_is_waited_until_the_run_has_ended(bare_world: LocalService, waits: list[float]) -> None:
    bare_world.script_runs("SUCCEEDED", polls=3)
    with Client() as client:
        created = client.create_workflow_run(
            workflow_definition_name=bare_world.add_run("flow").workflow_definition_name,
            model_id="nova-act-v1.0",
            client_info=ClientInfo(compatibility_version=1),
        )
    result = run(
        "wait-for-workflow-run",
        "--workflow-definition-name=flow",
        f"--workflow-run-id={created.workflow_run_id}",
        "--timeout=3600",
    )
    assert (result.exit_code, len(waits)) == (0, 2)


def test_a_run_that_does_not_end_in_time_has_the_exit_code_of_timeout(
    bare_world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = DeadlineExceeded("it was not done within 5 s", request_sent=True, attempts=3)
    monkeypatch.setattr(AsyncClient, "_call", raising(error))
    result = wait(bare_world.add_run("flow"), "--timeout", "5")
    assert (result.exit_code, result.stdout) == (124, "")
    assert result.stderr == "novaact-http: it was not done within 5 s\n"


def test_errors_have_the_exit_codes_of_all_commands(bare_world: LocalService) -> None:
    of = bare_world.add_run("flow")
    bare_world.fail_next("AccessDeniedException")
    assert wait(of).exit_code == 254
    assert wait(of, "--region", "no/where").exit_code == 253
    assert wait(of, "--timeout", "nan").exit_code == 252


def test_a_terminal_gets_a_line_with_the_status(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (_output_settings, _lines):
        monkeypatch.setattr(module, "is_terminal", lambda stream: stream is sys.stdout)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    of = bare_world.add_run("flow", status="FAILED", started_at=1_000, ended_at=1_754)
    assert wait(of).stdout == f"{of.workflow_run_id}  \x1b[31mFAILED\x1b[0m  12m 34s\n"
    of = bare_world.add_run("flow", status="SUCCEEDED")
    bare_world.answer_next(
        200,
        b'{"workflowRunArn": "a", "workflowRunId": "a\\u001b\\n", "status": "GONE", "startedAt": 0, "modelId": "m"}',
    )
    assert wait(of).stdout == "a\\x1b\\n  GONE\n"


def test_a_terminals_standard_error_shows_how_long_has_been_waited(
    bare_world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    now = iter(range(10_000))
    monkeypatch.setattr(_status_line, "time", types.SimpleNamespace(monotonic=lambda: next(now)))
    monkeypatch.setattr(_wait, "time", types.SimpleNamespace(monotonic=lambda: 60 * next(now)))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", screen)
        line = _status_line.StatusLine()
    monkeypatch.setattr(_wait, "StatusLine", lambda: line)
    monkeypatch.setattr(_status_line.StatusLine, "_write", staticmethod(screen.write))
    assert wait(bare_world.add_run("flow", status="SUCCEEDED")).exit_code == 0
    assert re.fullmatch(r"(\r. the run has not ended yet; waiting for [0-9hms ]+\x1b\[K)+\r\x1b\[K", screen.shown)


def test_closed_standard_output_is_an_error(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wait, "sys", types.SimpleNamespace(stdout=None))
    result = wait(bare_world.add_run("flow"))
    assert (result.exit_code, "cannot write the output" in result.stderr) == (255, True)
