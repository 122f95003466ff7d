"""Every operation is a command: its options, and what it prints."""

from __future__ import annotations

import errno
import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from novaact_http.cli import _commands, _operation_commands
from novaact_http.cli._presentation import ROWS
from tests.helpers.command import in_terminal, raising, run
from tests.helpers.operations import OPERATIONS, method_name

if TYPE_CHECKING:
    from pathlib import Path

    from novaact_http.testing import LocalService

INFO = {"compatibilityVersion": 1}


def command_of(operation: str) -> str:
    return method_name(operation).replace("_", "-")


def printed(*arguments: str) -> Any:
    """Run a command that succeeds, and return its JSON."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.stderr
    return json.loads(result.stdout or "{}")


def test_every_operation_is_a_command() -> None:
    assert {command_of(each) for each in OPERATIONS} == set(ROWS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_command_has_an_option_for_each_argument_and_says_what_it_is(name: str) -> None:
    shown = run(command_of(name), "--help").stdout
    for each in OPERATIONS[name].inputs:
        if each.location != "client":
            assert f"--{each.name.replace('_', '-')} " in shown
    assert "Exit codes: 0 success, 252 bad arguments" in " ".join(shown.split())
    assert f"Example:\n    novaact-http {command_of(name)} \\\n      --" in shown


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_columns_are_attributes_of_the_items(name: str) -> None:
    operation, row = OPERATIONS[name], ROWS[command_of(name)]
    assert bool(row.columns) == (operation.paging is not None)
    if operation.paging is not None:
        (items,) = [each for each in operation.output.members if each.name == operation.paging.items]
        assert {*row.columns} <= {each.name for each in items.shape.element.members}
        assert row.repeated in (None, *[each.name for each in operation.inputs])


def test_a_workflow_from_definition_to_deletion(world: LocalService) -> None:
    of = ["--workflow-definition-name", "shop"]
    assert printed("create-workflow-definition", "--name", "shop", "--description", "d") == {"status": "ACTIVE"}
    definition = printed("get-workflow-definition", *of)
    assert (definition["name"], definition["description"], definition["createdAt"][-6:]) == ("shop", "d", "+00:00")
    run_id = printed(
        "create-workflow-run", *of, "--model-id", "nova-act-latest", "--client-info", "compatibilityVersion=1"
    )["workflowRunId"]
    of += ["--workflow-run-id", run_id]
    session_id = printed("create-session", *of)["sessionId"]
    assert printed("list-sessions", *of) == {"sessionSummaries": [{"sessionId": session_id}]}
    of += ["--session-id", session_id]
    act_id = printed("create-act", *of, "--task", "buy it")["actId"]
    results = json.dumps([{"callId": "a", "content": [{"text": "done"}]}])
    step = printed("invoke-act-step", *of, "--act-id", act_id, "--call-results", results)
    assert world.calls[-1].arguments["call_results"] == json.loads(results)
    assert step["stepId"]
    error = ["--error", 'message=\'a, b\',type="x\\"y"']
    assert printed("update-act", *of, "--act-id", act_id, "--status", "FAILED", *error) == {}
    assert world.calls[-1].arguments["error"] == {"message": "a, b", "type": 'x"y'}
    (act,) = printed("list-acts", *of)["actSummaries"]
    assert (act["actId"], act["status"]) == (act_id, "FAILED")
    of = of[:4]
    assert printed("update-workflow-run", *of, "--status", "SUCCEEDED") == {}
    assert printed("get-workflow-run", *of)["status"] == "SUCCEEDED"
    assert printed("list-models", "--client-compatibility-version", "1")["modelSummaries"]
    assert printed("delete-workflow-run", *of) == {"status": "DELETING"}
    assert printed("delete-workflow-definition", *of[:2]) == {"status": "DELETING"}
    assert {each.operation for each in world.calls} == set(OPERATIONS) - {"ListWorkflowDefinitions", "ListWorkflowRuns"}


def test_lists_of_several_definitions(bare_world: LocalService) -> None:
    for name in ("a", "b"):
        bare_world.add_run(name, sessions=0)
    runs = {each.workflow_definition_name: each.workflow_run_id for each in bare_world.runs}
    assert printed("list-workflow-definitions", "--sort-order", "Descending")["workflowDefinitionSummaries"]
    named = ["--workflow-definition-name", "a", "--workflow-definition-name", "b"]
    result = run("list-workflow-runs", *named, "--output", "jsonl")
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(each["workflowDefinitionName"], each["workflowRunId"]) for each in documents] == [*runs.items()]
    assert run("list-workflow-runs", *named, "--output", "ids").stdout.split() == [*runs.values()]
    failed = run("list-workflow-runs", "--workflow-definition-name", "no", *named, "--output", "ids")
    assert failed.exit_code == 254
    assert failed.stderr.startswith("novaact-http: definition no: An error occurred (ResourceNotFoundException)")
    assert failed.stdout.split() == [*runs.values()]
    limited = run("list-workflow-definitions", "--max-items", "1").stderr
    assert limited.startswith("novaact-http: there are more workflow definitions; continue with: novaact-http list-wor")


def test_the_call_is_retried_and_its_token_made_up(world: LocalService) -> None:
    world.inject("reset", operation="CreateWorkflowDefinition", times=1, after_work=True)
    assert printed("create-workflow-definition", "--name", "x") == {"status": "ACTIVE"}
    tokens = [each.arguments["client_token"] for each in world.calls]
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    given = "t" * 40
    printed("create-workflow-definition", "--name", "y", "--client-token", given)
    assert world.calls[-1].arguments["client_token"] == given


def test_all_arguments_as_one_document(world: LocalService, tmp_path: Path) -> None:
    document = {"workflowDefinitionName": "x", "modelId": "nova-act-latest", "clientInfo": INFO, "logGroupName": None}
    path = tmp_path / "input.json"
    path.write_text(json.dumps(document))
    world.add_definition("x")
    world.add_definition("y")
    for source in (json.dumps(document), f"file://{path}"):
        assert printed("create-workflow-run", "--cli-input-json", source)["status"] == "RUNNING"
    printed("create-workflow-run", "--cli-input-json", f"file://{path}", "--workflow-definition-name", "y")
    assert [each.arguments["workflow_definition_name"] for each in world.calls] == ["x", "x", "y"]
    named = {"workflowDefinitionName": "y", "maxResults": 1}
    assert len(printed("list-workflow-runs", "--cli-input-json", json.dumps(named))["workflowRunSummaries"]) == 1
    assert world.calls[-1].arguments == {"workflow_definition_name": "y", "max_results": "1"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_skeleton_has_every_argument_and_calls_nothing(name: str, world: LocalService) -> None:
    skeleton = printed(command_of(name), "--generate-cli-skeleton")
    assert list(skeleton) == [each.wire_name for each in OPERATIONS[name].inputs if each.location != "client"]
    assert printed(command_of(name), "--generate-cli-skeleton", "input") == skeleton
    assert not world.requests


def test_a_skeleton_can_be_filled_in(world: LocalService) -> None:
    session = world.runs[0].session_ids[0]
    skeleton = printed("create-act", "--generate-cli-skeleton")
    assert skeleton["toolSpecs"] == [{"name": "", "description": "", "inputSchema": {"json": {}}}]
    skeleton.update(
        workflowDefinitionName=world.runs[0].workflow_definition_name,
        workflowRunId=world.runs[0].workflow_run_id,
        sessionId=session,
        task="buy",
        toolSpecs=[{"name": "n", "description": "d", "inputSchema": {"json": {"a": [1, None]}}}],
        clientToken=None,
    )
    printed("create-act", "--cli-input-json", json.dumps(skeleton))
    assert world.calls[-1].arguments["tool_specs"] == skeleton["toolSpecs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--client-info", "sdkVersion=1"], "'--client-info': lacks compatibilityVersion"),
        (["--client-info", "compatibilityVersion=1,x=2"], "has the unknown x; it can have compatibilityVersion, sdkV"),
        (["--client-info", "nonsense"], "must be JSON, or name=value,name=value, with quotes around"),
        (["--client-info", "sdkVersion='a'b"], "this is neither: \"sdkVersion='a'b\""),
        (["--client-info", "sdkVersion=a,sdkVersion=b"], "has sdkVersion twice"),
        (["--client-info", "{"], "'--client-info': is not JSON: Expecting property name"),
        (["--client-info", "[1]"], "'--client-info': must be an object, not [1]"),
        (["--client-info", "[" * 100_000], "'--client-info': is nested too deeply"),
        (["--client-info", "file:///no/such"], "cannot read /no/such: No such file or directory"),
        (["--client-info", "compatibilityVersion=one"], 'compatibilityVersion must be a whole number, not "one"'),
        (["--client-info", "compatibilityVersion=1,"], "'--client-info': must not end in a comma"),
        (["--cli-input-json", '{"modelId": 5}'], "'--cli-input-json': modelId must be a string, not 5"),
        (["--client-info", '{"compatibilityVersion": true}'], "compatibilityVersion must be a whole number, not true"),
        (["--cli-input-json", "[]"], "'--cli-input-json': must be an object, not []"),
        (
            ["--cli-input-json", '{"a": 1}'],
            "'--cli-input-json': has the unknown a; it can have workflowDefinitionName,",
        ),
        (["--cli-input-json", '{"clientInfo": []}'], "'--cli-input-json': clientInfo must be an object, not []"),
        ([], "Missing option '--client-info'"),
        (["--output", "ids"], "'--output': 'ids' is not one of 'table', 'json', 'text'"),
        (["--output", "table", "--query", "a", "--client-info", '{"compatibilityVersion": 1}'], "--query needs --outp"),
        (["--cli-read-timeout", "nan"], "--cli-read-timeout must be a number of seconds, a year at most"),
    ],
)
def test_bad_input_is_explained_and_nothing_is_sent(arguments: list[str], message: str, world: LocalService) -> None:
    of = ["--workflow-definition-name", "x", "--model-id", "m"]
    result = run("create-workflow-run", *of, *arguments)
    assert (result.exit_code, result.stdout) == (252, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not world.requests


@pytest.mark.parametrize(
    ("query", "printed"),
    [
        ("modelSummaries[-1:].modelId", '["nova-act-v2.0-preview"]'),
        ("{n: length(modelSummaries), x: `[1.5]`}", '{"n": 3, "x": [1.5]}'),
        ("sort_by(modelSummaries[?starts_with(modelId, 'nova-act-v1')], &modelId)[*].[modelId]", '[["nova-act-v1.0"]]'),
        ("(modelAliases || `1`) && !missing", "true"),
    ],
)
def test_queries_of_every_kind(query: str, printed: str, world: LocalService) -> None:
    result = run("list-models", "--client-compatibility-version", "1", "--query", query)
    assert (result.exit_code, json.loads(result.stdout)) == (0, json.loads(printed)), result.stderr


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("no(@) || nor(length(@))", "has the unknown function no, nor"),
        ("a[", 'Incomplete expression: "a["; see'),
        ("[" * 3_000, "is nested too deeply"),
    ],
)
def test_a_query_that_cannot_be_right_is_refused(query: str, message: str, world: LocalService) -> None:
    for command in (["list-models", "--client-compatibility-version", "1"], ["list-workflow-definitions"]):
        result = run(*command, "--query", query)
        assert (result.exit_code, result.stdout) == (252, "")
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    assert not world.requests


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tool-specs", "name=a"], "'--tool-specs': must be JSON, or file://PATH of a file with JSON"),
        (["--tool-specs", "{}"], "'--tool-specs': must be a list, not {}"),
        (["--tool-specs", '[{"name": "n"}]'], "'--tool-specs': [0] lacks description, inputSchema"),
        (
            ["--tool-specs", '[{"name": "", "description": "d", "inputSchema": {}}]'],
            "--tool-specs[0].name must not be ",
        ),
    ],
)
def test_bad_lists_are_explained(arguments: list[str], message: str, world: LocalService) -> None:
    of = ["--workflow-definition-name=x", "--workflow-run-id=r", "--session-id=s", "--task=t"]
    result = run("create-act", *of, *arguments)
    assert (result.exit_code, result.stdout) == (252, "")
    assert message in result.stderr
    assert not world.requests


def test_text_may_come_from_a_file(world: LocalService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "it").write_text("Ünicode\n", encoding="utf-8")
    (tmp_path / "no-text").write_bytes(b"\xff")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    printed("create-workflow-definition", "--name", "x", "--description", "file://$FOLDER/it")
    assert world.calls[-1].arguments["description"] == "Ünicode\n"
    result = run("create-workflow-definition", "--name", "x", "--description", f"file://{tmp_path}/no-text")
    assert (result.exit_code, "no-text is not UTF-8 text" in result.stderr) == (252, True)


def test_any_argument_may_come_from_a_file(world: LocalService, tmp_path: Path) -> None:
    of = world.runs[0]
    arguments = {
        "workflow-definition-name": of.workflow_definition_name,
        "workflow-run-id": of.workflow_run_id,
        "sort-order": "Descending",
        "max-results": "1",
    }
    for name, value in arguments.items():
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + value.encode())
    result = run("list-sessions", *[word for name in arguments for word in (f"--{name}", f"file://{tmp_path}/{name}")])
    assert result.exit_code == 0, result.stderr
    sent = {name.replace("_", "-"): value for name, value in world.calls[-1].arguments.items()}
    assert sent == arguments


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"status": "done"}, 'status must be one of RUNNING, SUCCEEDED, FAILED, TIMED_OUT, DELETING, not "done"'),
        ({"status": 1}, "status must be a string, not 1"),
    ],
)
def test_a_document_is_judged_as_the_options_are(
    document: dict[str, object], message: str, world: LocalService
) -> None:
    of = ["--workflow-definition-name", "x", "--workflow-run-id", "y"]
    result = run("update-workflow-run", *of, "--cli-input-json", json.dumps(document))
    assert (result.exit_code, message in result.stderr, len(world.requests)) == (252, True, 0), result.stderr


def test_options_may_stand_before_the_command(world: LocalService) -> None:
    before = ["--output", "text", "--region=us-east-1", "--no-verify-ssl", "--query", "modelSummaries[0].modelId"]
    result = run(*before, "list-models", "--client-compatibility-version", "1")
    assert (result.exit_code, result.stdout) == (0, "nova-act-v1.0\n")
    after = run("--output", "text", "list-workflow-definitions", "--output", "ids", "--no-cli-pager")
    assert after.stdout.split()[0] == "checkout-flow"
    for arguments in (["--output"], ["--output", "text"], ["--nonsense", "list-models"]):
        assert run(*arguments).exit_code == 252


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list-workflow-run"], "No such command 'list-workflow-run'; did you mean 'list-workflow-runs'?"),
        (["nothing-like-it"], "No such command 'nothing-like-it'; see"),
        (["--region", "us-east-1"], "There is no command after --region us-east-1"),
        (["--nonsense"], "No such option"),
    ],
)
def test_what_is_no_command_is_explained(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout, message in result.stderr) == (252, "", True), result.stderr


@pytest.mark.parametrize("name", ["on", "off", "auto"])
def test_colours_are_as_asked_for(name: str, world: LocalService) -> None:
    arguments = ["--output", "table", "--color", name]
    assert ("\x1b[1mStatus" in run("list-workflow-definitions", *arguments).stdout) == (name == "on")
    assert ("\x1b[" in run("tree", "--color", name).stdout) == (name == "on")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["create-workflow-definition", "--name", "--debug"], "--name"),
        (["delete-workflow-definition", "--workflow-definition-name", "--yes"], "--workflow-definition-name"),
        (["list-workflow-runs", "--workflow-definition-name", "--output=ids"], "--workflow-definition-name"),
    ],
)
def test_an_option_is_never_the_value_of_the_one_before(arguments: list[str], option: str, world: LocalService) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (252, "")
    assert f"Option '{option}' requires an argument; {option}={arguments[-1]} if that is it" in result.stderr
    assert not world.requests


def test_a_value_that_looks_like_an_option_can_be_given(world: LocalService) -> None:
    printed("create-workflow-definition", "--name=--debug", "--description", "-x")
    assert (world.calls[-1].arguments["name"], world.calls[-1].arguments["description"]) == ("--debug", "-x")
    assert run("create-session", "--generate-cli-skeleton", "--debug").exit_code == 0


def test_an_unsigned_request_is_refused(world: LocalService) -> None:
    result = run("--no-sign-request", "list-workflow-definitions")
    assert result.exit_code == 252
    assert "--no-sign-request cannot be used, because Nova Act answers signed requests only" in result.stderr
    assert not world.requests


@pytest.mark.parametrize(
    ("arguments", "environ", "profile", "expected"),
    [
        ([], {}, "", "json"),
        ([], {"AWS_DEFAULT_OUTPUT": "text"}, "json", "text"),
        ([], {}, "text", "text"),
        ([], {}, "table", "table"),
        (["--output", "json"], {"AWS_DEFAULT_OUTPUT": "text"}, "", "json"),
        (["--query", "@"], {"AWS_DEFAULT_OUTPUT": "table"}, "", "json"),
        (["--output", "json"], {"AWS_DEFAULT_OUTPUT": "yaml"}, "", "json"),
    ],
)
def test_the_output_is_as_the_settings_of_the_aws_cli_say(
    arguments: list[str],
    environ: dict[str, str],
    profile: str,
    expected: str,
    world: LocalService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "config").write_text(f"[default]\noutput = {profile}\n" if profile else "")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    world.add_definition("shop")
    for command in (["list-workflow-definitions"], ["get-workflow-definition", "--workflow-definition-name", "shop"]):
        shown = run(*command, *arguments).stdout
        assert shown.startswith({"json": ("{",), "text": ("arn", "WORKFLOWDEF"), "table": ("#", "Name")}[expected])


def test_a_configured_format_that_is_not_there_is_a_setting_to_mend(
    world: LocalService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\noutput = yaml\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for command in (["list-workflow-definitions"], ["list-models", "--client-compatibility-version", "1"]):
        result = run(*command)
        assert (result.exit_code, result.stdout) == (253, "")
        assert (
            f"output of the profile 'default' in {config} is 'yaml', which this command cannot print" in result.stderr
        )
    assert not world.requests


def test_it_is_a_module_too(world: LocalService) -> None:
    command = [sys.executable, "-m", "novaact_http", "list-workflow-definitions", "--output", "ids"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == world.runs[0].workflow_definition_name


def test_the_module_runs_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["novaact_http", "--version"])
    monkeypatch.delitem(sys.modules, "novaact_http.__main__", raising=False)
    with pytest.raises(SystemExit) as caught:
        importlib.import_module("novaact_http.__main__")
    assert caught.value.code == 0
    assert "novaact-http, version" in capsys.readouterr().out


def test_on_a_terminal_a_command_says_what_it_did(world: LocalService) -> None:
    shown = in_terminal(["create-workflow-definition", "--name", "shop"], stdout=True, stderr=True)
    assert shown.stdout == b"created the workflow definition shop; it is ACTIVE\r\n"
    of = ["--workflow-definition-name", "shop"]
    shown = in_terminal(["get-workflow-definition", *of, "--color", "off"], stdout=True, stderr=True)
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.decode().splitlines())
    assert (lines["Name"], lines["Status"]) == ("shop", "ACTIVE")
    # There is nobody to ask, as standard input is no terminal.
    shown = in_terminal(["delete-workflow-definition", *of], stdout=True, stderr=True)
    assert shown.stdout == b"the workflow definition shop is DELETING\r\n"
    assert [each.operation for each in world.calls][-1] == "DeleteWorkflowDefinition"


@pytest.mark.parametrize(("answer", "is_deleted"), [("y", True), ("n", False), ("", False), (None, True)])
def test_deleting_is_asked_about_on_a_terminal(
    answer: str | None, is_deleted: bool, world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novaact_http.cli._single_call.is_terminal", lambda _: True)
    of, yes = world.runs[0].workflow_definition_name, [] if answer is not None else ["--yes"]
    result = run(
        "delete-workflow-definition", "--workflow-definition-name", of, "--output", "json", *yes, stdin=f"{answer}\n"
    )
    asked = f"Delete the workflow definition {of} with all its runs? [y/N]: "
    assert (asked in result.stderr) == (answer is not None)
    assert bool(world.calls) == is_deleted
    assert result.exit_code == (0 if is_deleted else 255)
    assert ("nothing was deleted" in result.stderr) == (not is_deleted)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [(EOFError, 255, "\nnovaact-http: nothing was deleted\n"), (KeyboardInterrupt, 130, "\n")],
)
def test_what_is_not_answered_is_not_deleted(
    raised: type[BaseException], code: int, said: str, world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object, **__: object) -> None:
        try:
            raise raised
        except (EOFError, KeyboardInterrupt):
            raise click.Abort from None  # as click does

    monkeypatch.setattr("novaact_http.cli._single_call.is_terminal", lambda _: True)
    monkeypatch.setattr(click, "confirm", ask)
    result = run("delete-workflow-definition", "--workflow-definition-name", "x")
    assert (result.exit_code, result.stderr) == (code, said)
    assert not world.calls


def test_bad_arguments_are_refused_before_the_question(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("novaact_http.cli._single_call.is_terminal", lambda _: True)
    result = run("delete-workflow-definition", "--workflow-definition-name", "", stdin="y\n")
    assert result.exit_code == 252
    assert result.stderr.startswith(
        "novaact-http: bad arguments, nothing was sent: --workflow-definition-name must not"
    )
    assert not world.requests


def test_what_was_made_is_told_even_if_it_cannot_be_printed(
    world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = ["--workflow-definition-name", world.runs[0].workflow_definition_name]
    of += ["--workflow-run-id", world.runs[0].workflow_run_id]
    failed = run("create-session", *of, "--query", "length(`1`)")
    assert (failed.exit_code, failed.stdout) == (255, "")
    made = world.runs[0].session_ids[-1]
    assert failed.stderr.startswith(
        f"novaact-http: created the session {made}\nnovaact-http: --query cannot be applied"
    )
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("novaact_http.cli._single_call.write_output", raising(full))
    failed = run("create-session", *of)
    assert failed.exit_code == 255
    said = [f"created the session {world.runs[0].session_ids[-1]}", "cannot write the output: No space left on device"]
    assert failed.stderr.splitlines() == [f"novaact-http: {each}" for each in said]


def test_lists_of_objects_are_tables(world: LocalService) -> None:
    shown = run("list-models", "--client-compatibility-version", "1", "--output", "table").stdout.splitlines()
    assert shown[0] == "Client compatibility version  1"
    assert shown[1] == "Supported model IDs           nova-act-v1.0, nova-act-v0.9"
    assert shown[3:5] == ["Model summaries", "#  Model ID               Model lifecycle  Minimum compatibility version"]
    assert shown[5] == "1  nova-act-v1.0          ACTIVE           1"


def test_what_a_command_did_is_shown_without_what_controls_a_terminal(world: LocalService) -> None:
    world.answer_next(200, json.dumps({"sessionId": "a\x1b[31m\n"}).encode())
    named = ["--workflow-definition-name", "x", "--workflow-run-id", "y"]
    assert run("create-session", *named, "--output", "table").stdout == "created the session a\\x1b[31m\\n\n"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("table", "Session ID  a\\x1b[31m\\n\n"),
        ("json", '{\n    "sessionId": "a\\u001b[31m\\n"\n}\n'),
        ("text", "a\\x1b[31m\\n\n"),
    ],
)
def test_no_format_lets_an_output_control_a_terminal(
    name: str, shown: str, world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("novaact_http.cli._single_call.is_terminal", lambda _: True)
    monkeypatch.setitem(ROWS, "create-session", ROWS["create-session"]._replace(done=""))
    made = _operation_commands.make("create-session")
    monkeypatch.setitem(_commands.commands.commands, "create-session", made)
    world.answer_next(200, json.dumps({"sessionId": "a\x1b[31m\n"}).encode())
    named = ["--workflow-definition-name", "x", "--workflow-run-id", "y"]
    assert run("create-session", *named, "--output", name).stdout == shown


def test_an_error_of_the_service_has_its_exit_code(world: LocalService) -> None:
    result = run("get-workflow-definition", "--workflow-definition-name", "none")
    assert (result.exit_code, result.stdout) == (254, "")
    assert "(ResourceNotFoundException) when calling the GetWorkflowDefinition operation" in result.stderr
    failed = run("list-models", "--client-compatibility-version", "1", "--query", "length(`1`)")
    assert (failed.exit_code, failed.stdout) == (255, "")
    assert failed.stderr.startswith("novaact-http: --query cannot be applied")
    world.inject("ThrottlingException", times=1)
    throttled = run("list-models", "--client-compatibility-version", "1", "--max-attempts", "1")
    assert throttled.stderr.endswith("; try again later or with a higher --max-attempts\n")


def test_a_closed_standard_output_is_an_error(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as caught:
        _commands.commands(["list-models", "--client-compatibility-version", "1"], "novaact-http")
    assert caught.value.code == 255
    assert not world.requests
