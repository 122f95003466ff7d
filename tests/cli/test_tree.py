"""`novaact-http tree`."""

from __future__ import annotations

import json
import re
import types
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import AsyncClient
from novaact_http.cli import _lines, _tree
from novaact_http.cli._status_line import StatusLine
from novaact_http.cli._world_listing import ACTS, DEFINITIONS, RUNS
from tests.helpers.command import in_terminal, raising, run

if TYPE_CHECKING:
    from novaact_http.testing import LocalService, WorkflowRun

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def _time_stands_still(now: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tree, "time", types.SimpleNamespace(time=lambda: now))


@pytest.fixture
def runs(bare_world: LocalService, now: float) -> list[WorkflowRun]:
    """The runs of two definitions, from the oldest to the newest; the first one has acts."""
    bare_world.add_definition("empty", created_at=now - 90_061)
    bare_world.add_definition("flow", created_at=now - 60)
    runs = [
        bare_world.add_run("flow", sessions=["s-1", "s-2"], started_at=now - 754),
        bare_world.add_run("flow", status="FAILED", started_at=now - 600, ended_at=now - 500),
        bare_world.add_run("flow", status="SUCCEEDED", started_at=now - 9_000, ended_at=now - 8_000),
    ]
    bare_world.add_act(runs[0], "s-1", status="SUCCEEDED", started_at=now - 700, ended_at=now - 650)
    bare_world.add_act(runs[0], "s-1", status="PENDING_HUMAN_ACTION", started_at=now - 600)
    return runs


def tree(*arguments: str) -> list[str]:
    """Return the lines of a tree without an error."""
    result = run("tree", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_runs_are_shown_under_their_definitions_from_the_newest_on(runs: list[WorkflowRun]) -> None:
    ids = [each.workflow_run_id for each in runs]
    assert tree() == [
        "flow  ACTIVE  created 1m ago",
        f"├─ {ids[2]}  SUCCEEDED  16m 40s  ended 2h 13m ago",
        f"├─ {ids[1]}  FAILED  1m 40s  ended 8m 20s ago",
        f"└─ {ids[0]}  RUNNING  for 12m 34s",
        "empty  ACTIVE  created 1d 1h ago",
        "2 definitions, 3 runs; runs: 1 RUNNING, 1 SUCCEEDED, 1 FAILED",
    ]


def test_each_depth_shows_one_level_more(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    only = ["--status", "RUNNING"]
    assert tree("--depth", "definitions") == [
        "flow  ACTIVE  created 1m ago",
        "empty  ACTIVE  created 1d 1h ago",
        "2 definitions",
    ]
    sessions = tree("--depth", "sessions", *only)
    assert sessions[2:] == ["   ├─ s-2", "   └─ s-1", "1 definition, 1 run, 2 sessions; runs: 1 RUNNING"]
    acts = tree("--depth", "acts", *only)
    assert [re.sub("[0-9a-f-]{36}", "ID", line) for line in acts[1:]] == [
        "└─ ID  RUNNING  for 12m 34s",
        "   ├─ s-2",
        "   └─ s-1",
        "      ├─ ID  PENDING_HUMAN_ACTION  for 10m",
        "      └─ ID  SUCCEEDED  50s  ended 10m 50s ago",
        "1 definition, 1 run, 2 sessions, 2 acts; runs: 1 RUNNING",
    ]


def test_a_trunk_is_drawn_as_long_as_a_branch_follows(bare_world: LocalService, now: float) -> None:
    for number in range(2):
        bare_world.add_run("flow", sessions=[f"s-{number}"], started_at=now)
    lines = tree("--depth", "sessions")
    assert [line[:6] for line in lines[1:5]] == ["├─ " + lines[1][3:6], "│  └─ ", "└─ " + lines[3][3:6], "   └─ "]


def test_acts_are_listed_once_for_a_run_not_for_each_session(bare_world: LocalService) -> None:
    bare_world.add_run("flow", sessions=50)
    tree("--depth", "acts")
    assert [each.operation for each in bare_world.calls].count("ListActs") == 1


def test_runs_are_selected_by_status_and_by_age(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    def shown(*arguments: str) -> list[int]:
        text = "\n".join(tree(*arguments))
        assert "empty" not in text
        return [number for number, each in enumerate(runs) if each.workflow_run_id in text]

    assert shown("--status", "FAILED", "--status", "SUCCEEDED") == [1, 2]
    assert shown("--since", "1h", "--status", "RUNNING") == [0]
    assert shown("--since", "12m30s", "--workflow-definition-name", "flow") == [1]
    assert tree("--status", "TIMED_OUT") == ["0 definitions"]


def test_runs_that_are_too_old_are_not_listed(bare_world: LocalService, now: float) -> None:
    for number in range(301):
        bare_world.add_run("flow", started_at=now - 7_200 + 30 * number)
    lines = tree("--since", "1h")
    assert len(lines) == 2 + 181
    assert [each.operation for each in bare_world.calls].count("ListWorkflowRuns") == 2


def test_definitions_can_be_named(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    named = ["--workflow-definition-name", "empty", "--workflow-definition-name", "flow"]
    lines = tree(*named, *named, "--depth", "definitions")
    assert [line.partition(" ")[0] for line in lines] == ["empty", "flow", "2"]
    assert {each.operation for each in bare_world.calls} == {"GetWorkflowDefinition"}


def test_a_tree_has_as_many_pages_as_it_needs(bare_world: LocalService, now: float) -> None:
    bare_world.add_run("flow", sessions=250, started_at=now)
    for _ in range(249):
        bare_world.add_run("flow", started_at=now)
    lines = tree("--depth", "sessions")
    assert lines[-1] == "1 definition, 250 runs, 250 sessions; runs: 250 RUNNING"
    assert [line[:1] for line in lines[1:250]] == ["├"] * 249
    assert lines[250][:1] == "└"


def test_json_has_the_services_members_and_lists_within_lists(
    bare_world: LocalService, runs: list[WorkflowRun], now: float
) -> None:
    result = run("tree", "--output", "json", "--depth", "acts")
    (flow, empty) = json.loads(result.stdout)["workflowDefinitionSummaries"]
    assert empty["workflowRunSummaries"] == []
    assert flow["workflowDefinitionName"] == "flow"
    assert [each["workflowRunId"] for each in flow["workflowRunSummaries"]] == [
        each.workflow_run_id for each in reversed(runs)
    ]
    last = flow["workflowRunSummaries"][-1]
    assert set(last) == {"workflowRunArn", "workflowRunId", "status", "startedAt", "sessionSummaries"}
    assert last["startedAt"].endswith("+00:00")
    assert [(each["sessionId"], len(each["actSummaries"])) for each in last["sessionSummaries"]] == [
        ("s-2", 0),
        ("s-1", 2),
    ]
    assert flow["workflowRunSummaries"][0]["sessionSummaries"] == []
    only = json.loads(run("tree", "--output", "json", "--depth", "definitions").stdout)
    assert [set(each) for each in only["workflowDefinitionSummaries"]] == [set(empty) - {"workflowRunSummaries"}] * 2


def test_without_definitions_there_is_an_empty_tree(bare_world: LocalService) -> None:
    assert tree() == ["0 definitions"]
    assert json.loads("\n".join(tree("--output", "json"))) == {"workflowDefinitionSummaries": []}


def test_what_cannot_be_listed_is_an_error_in_its_place(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    bare_world.inject("AccessDeniedException", operation="ListSessions", message="Not yours.")
    result = run("tree", "--depth", "sessions", "--status", "RUNNING", "--status", "FAILED")
    lines = result.stdout.splitlines()
    assert result.exit_code == 254
    assert [line[:3] for line in lines] == ["flo", "├─ ", "│  ", "└─ ", "   ", "1 d"]
    assert lines[4].startswith("   └─ An error occurred (AccessDeniedException)")
    assert "Not yours." in lines[4]
    assert result.stderr == "novaact-http: 2 parts could not be listed; the output says why, in place\n"


def test_sessions_are_shown_without_acts_that_cannot_be_listed(
    bare_world: LocalService, runs: list[WorkflowRun]
) -> None:
    bare_world.inject("AccessDeniedException", operation="ListActs")
    lines = run("tree", "--depth", "acts", "--status", "RUNNING").stdout.splitlines()
    assert lines[2:4] == ["   ├─ s-2", "   ├─ s-1"]
    assert lines[4].startswith("   └─ An error occurred (AccessDeniedException) when calling the ListActs")


def test_in_json_an_error_is_a_member_of_what_it_cut_off(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    bare_world.add_run("other")
    bare_world.inject("AccessDeniedException", operation="ListSessions", workflow_run_id=runs[0].workflow_run_id)
    named = [f"--workflow-definition-name={each}" for each in ("nope", "flow", "other")]
    result = run("tree", *named, "--output", "json", "--depth", "sessions")
    nope, flow, other = json.loads(result.stdout)["workflowDefinitionSummaries"]
    assert set(nope) == {"workflowDefinitionName", "error"}
    assert nope["workflowDefinitionName"] == "nope"
    assert "(ResourceNotFoundException)" in nope["error"]
    assert [each.get("error", "")[:17] for each in flow["workflowRunSummaries"]] == ["", "", "An error occurred"]
    assert flow["workflowRunSummaries"][2]["sessionSummaries"] == []
    assert other["workflowRunSummaries"][0]["sessionSummaries"] == []
    assert result.exit_code == 254


def test_what_is_listed_before_an_error_is_shown(bare_world: LocalService, now: float) -> None:
    for _ in range(150):
        bare_world.add_run("flow", started_at=now)
    bare_world.inject("AccessDeniedException", operation="ListWorkflowRuns", every=2)
    lines = run("tree").stdout.splitlines()
    assert len(lines) == 1 + 100 + 1 + 1
    assert (lines[100][:3], lines[101][:5]) == ("├─ ", "└─ An")
    document = json.loads(run("tree", "--output", "json").stdout)["workflowDefinitionSummaries"][0]
    assert (len(document["workflowRunSummaries"]), "(AccessDenied" in document["error"]) == (100, True)


def test_definitions_listed_before_an_error_are_shown(bare_world: LocalService) -> None:
    for number in range(150):
        bare_world.add_definition(f"flow-{number}")
    bare_world.inject("AccessDeniedException", operation="ListWorkflowDefinitions", every=2)
    result = run("tree")
    lines = result.stdout.splitlines()
    assert (len(lines), lines[100][:17], lines[101]) == (102, "An error occurred", "100 definitions")
    assert result.stderr == "novaact-http: 1 part could not be listed; the output says why, in place\n"


def test_if_nothing_can_be_listed_the_error_is_on_standard_error_alone(bare_world: LocalService) -> None:
    bare_world.inject("AccessDeniedException", operation="ListWorkflowDefinitions")
    result = run("tree")
    assert (result.exit_code, result.stdout) == (254, "")
    assert result.stderr.startswith("novaact-http: An error occurred (AccessDeniedException)")
    result = run("tree", "--region", "no/where")
    assert (result.exit_code, result.stdout) == (253, "")
    assert "--region is 'no/where'" in result.stderr


def test_debug_shows_where_an_error_in_the_tree_happened(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    bare_world.inject("AccessDeniedException", operation="ListWorkflowRuns")
    assert "Traceback" in run("tree", "--debug").stderr
    assert "Traceback" not in run("tree").stderr


def test_filters_of_runs_need_runs(bare_world: LocalService) -> None:
    for option in (["--status", "FAILED"], ["--since", "1h"]):
        result = run("tree", "--depth", "definitions", *option)
        assert result.exit_code == 252
        assert "--status and --since select runs, which --depth definitions leaves out" in result.stderr
    assert not bare_world.requests


def test_hostile_names_do_no_harm(bare_world: LocalService) -> None:
    name, escaped = "a\x1b[31m\r\n\u202eb", r"a\x1b[31m\r\n\u202eb"
    summary = {"workflowDefinitionName": name, "workflowDefinitionArn": "a", "createdAt": 0, "status": name}
    body = json.dumps({"workflowDefinitionSummaries": [summary]}).encode()
    bare_world.answer_next(200, body)
    shown = tree("--depth", "definitions")
    assert shown[0].startswith(f"{escaped}  {escaped}  created ")
    assert len(shown) == 2
    bare_world.answer_next(200, body)
    assert json.loads("\n".join(tree("--depth", "definitions", "--output", "json"))) == {
        "workflowDefinitionSummaries": [{**summary, "createdAt": "1970-01-01T00:00:00+00:00"}]
    }
    bare_world.add_definition("flow")
    bare_world.inject("AccessDeniedException", operation="ListWorkflowRuns", message=name)
    assert f"└─ An error occurred (AccessDeniedException) when calling the ListWorkflowRuns operation: {escaped}" in (
        run("tree").stdout
    )


def test_json_for_a_terminal_is_ascii(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tree, "is_terminal", lambda _: True)
    name = "\x7f\u202e日"
    summary = {"workflowDefinitionName": name, "workflowDefinitionArn": "a", "createdAt": 0, "status": "ACTIVE"}
    bare_world.answer_next(200, json.dumps({"workflowDefinitionSummaries": [summary]}).encode())
    shown = run("tree", "--depth", "definitions", "--output", "json").stdout
    assert r'"\u007f\u202e\u65e5"' in shown


def test_on_a_terminal_lines_are_coloured_and_cut(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    of = bare_world.add_run("flow", status="FAILED")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(_lines, "is_terminal", lambda _: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert run("tree").stdout.splitlines()[:2] == [
        "\x1b[1mflow\x1b[0m  ACTIVE  \x1b[2mcreated 0s ago\x1b[0m",
        f"└─ {of.workflow_run_id[:14]}…  \x1b[31mFAILED\x1b[0m  0s",
    ]


def test_in_a_real_terminal_nothing_is_wider_than_it(bare_world: LocalService, runs: list[WorkflowRun]) -> None:
    shown = in_terminal(["tree", "--depth", "acts"], stdout=True, stderr=False)
    assert shown.exit_code == 0
    lines = re.sub("\x1b\\[[0-9;]*m", "", shown.stdout.decode()).splitlines()
    assert len(lines) == 10
    assert max(map(len, lines)) <= 80


def test_progress_is_counted_on_the_status_line() -> None:
    shown: list[str] = []
    line: Any = types.SimpleNamespace(show=shown.append)
    progress = _tree._Progress(line)
    progress.add(DEFINITIONS, 1)
    progress.add(RUNS, 100)
    progress.add(ACTS, 0)
    assert shown == [
        "1 definition, 1 call ...",
        "1 definition, 100 runs, 2 calls ...",
        "1 definition, 100 runs, 3 calls ...",
    ]


def test_progress_is_shown_on_a_terminals_standard_error_while_output_goes_elsewhere(
    bare_world: LocalService, runs: list[WorkflowRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(StatusLine, "show", lambda _, text: shown.append(text))
    tree()
    assert shown[0] == "2 definitions, 1 call ..."
    assert "3 runs" in shown[-1]


def test_at_most_so_many_calls_are_made_at_once(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        bare_world.add_run(f"flow-{number}", sessions=1)
    call = AsyncClient._call
    at_once, most = 0, 0

    async def counted(*arguments: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await call(*arguments)
        finally:
            at_once -= 1

    monkeypatch.setattr(AsyncClient, "_call", counted)
    assert tree("--depth", "acts", "--concurrency", "4")[-1].startswith("40 definitions, 40 runs, 40 sessions;")
    assert most == 4


def test_closed_standard_output_is_an_error(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tree, "sys", types.SimpleNamespace(stdout=None))
    result = run("tree")
    assert (result.exit_code, "cannot write the output" in result.stderr) == (255, True)


def test_ctrl_c_has_its_exit_code(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tree, "_print", raising(KeyboardInterrupt()))
    assert run("tree").exit_code == 130
