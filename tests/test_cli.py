"""The command line, as a shell sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from novaact_http import cli
from novaact_http.cli import _commands
from novaact_http.testing import LocalService, WorkflowRun
from support import boto3_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND = str(Path(sys.executable).with_name("novaact-http"))


@pytest.fixture
def world(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> LocalService:
    """The local service, and an environment that points to it."""
    for name, value in service.environ.items():
        monkeypatch.setenv(name, value)
    return service


def run(*arguments: str) -> Result:
    return CliRunner().invoke(_commands.commands, arguments, prog_name="novaact-http")


def list_sessions(of: WorkflowRun, *arguments: str) -> Result:
    named = ("--workflow-definition-name", of.workflow_definition_name, "--workflow-run-id", of.workflow_run_id)
    return run("list-sessions", *named, *arguments)


def test_json_has_awss_member_names_and_all_pages(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--output", "json", "--page-size", "10")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "sessionSummaries": [{"sessionId": each} for each in world.runs[0].session_ids]
    }
    assert len(world.requests) == 4


def test_a_listing_cut_off_goes_on_as_with_boto3(world: LocalService) -> None:
    of = world.runs[0]
    first = json.loads(list_sessions(of, "--output", "json", "--max-items", "3", "--sort-order", "Descending").stdout)
    pages = (
        boto3_for(world)
        .get_paginator("list_sessions")
        .paginate(
            workflowDefinitionName=of.workflow_definition_name,
            workflowRunId=of.workflow_run_id,
            sortOrder="Descending",
            PaginationConfig={"MaxItems": 3},
        )
    )
    assert first == {key: pages.build_full_result()[key] for key in ("sessionSummaries", "NextToken")}
    rest = list_sessions(of, "--output", "json", "--sort-order", "Descending", "--starting-token", first["NextToken"])
    listed = first["sessionSummaries"] + json.loads(rest.stdout)["sessionSummaries"]
    assert [each["sessionId"] for each in listed] == list(of.session_ids[::-1])


def test_the_table_has_every_session_and_says_if_there_are_more(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--max-items", "12")
    assert result.exit_code == 0
    for number, session_id in enumerate(world.runs[0].session_ids[:12], start=1):
        assert f"│ {number:<2} │ {session_id} │" in result.stdout
    assert result.stderr.startswith("There are more: go on with --starting-token eyJ")
    assert list_sessions(world.runs[1]).stderr == ""


def test_options_go_before_the_environment(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_NOVA_ACT", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    result = list_sessions(world.runs[1], "--endpoint-url", world.url, "--region", world.region)
    assert result.exit_code == 0


def test_what_could_steer_a_terminal_is_shown_escaped(world: LocalService) -> None:
    world.answer_next(200, json.dumps({"sessionSummaries": [{"sessionId": "a\x1b[31m[red]é"}]}).encode())
    assert r"a\x1b[31m[red]é" in list_sessions(world.runs[0]).stdout
    world.answer_next(400, json.dumps({"message": "a\x1b[31m\nb\u202e"}).encode())
    assert r"a\x1b[31m b\u202e" in list_sessions(world.runs[0]).stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "exit_code", "message"),
    [
        (["--workflow-run-id", ".."], {}, 252, "workflow_run_id must not be '..'"),
        (["--page-size", "0"], {}, 252, "page_size must be at least 1"),
        (["--region", "no region"], {}, 253, "the argument region is 'no region'"),
        ([], {"AWS_ACCESS_KEY_ID": ""}, 253, "no credentials were found"),
        (["--workflow-run-id", "x"], {}, 254, "ValidationException"),
        ([], {"AWS_ENDPOINT_URL_NOVA_ACT": "http://127.0.0.1:1"}, 255, "Connection refused"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    world: LocalService,
    monkeypatch: pytest.MonkeyPatch,
    arguments: Sequence[str],
    environ: dict[str, str],
    exit_code: int,
    message: str,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    result = list_sessions(world.runs[0], *arguments)
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert result.stderr.startswith("novaact-http: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["list-sessions"], ["list-sessions", "--output", "yaml"], ["nonsense"]])
def test_wrong_usage_is_explained(arguments: Sequence[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


def test_help_and_version() -> None:
    assert "novaact-http list-sessions --region us-east-1" in run("list-sessions", "--help").stdout
    assert "ready URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY" in run("local", "--help").stdout
    assert run("--version").stdout.startswith("novaact-http, version ")


@pytest.fixture
def local() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([COMMAND, "local", "--seed", "3"], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_local_runs_the_service_until_it_is_told_to_stop(
    local: subprocess.Popen[str], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert local.stdout is not None
    ready, url, region, key_id, secret = local.stdout.readline().split()
    example, name, run_id = local.stdout.readline().split()
    assert (ready, example) == ("ready", "example")
    for variable, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }.items():
        monkeypatch.setenv(variable, value)
    listed = subprocess.run(
        [COMMAND, "list-sessions", "--workflow-definition-name", name, "--workflow-run-id", run_id, "--output", "json"],
        capture_output=True,
        check=True,
    )
    assert len(json.loads(listed.stdout)["sessionSummaries"]) > 10
    local.send_signal(number)
    assert local.wait(timeout=10) == 0
    assert local.stdout.read() == ""


def test_local_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def wait(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(_commands, "threading", types.SimpleNamespace(Event=Interrupted))
    before = signal.getsignal(signal.SIGTERM)
    try:
        result = run("local", "--seed", "3")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 0
    expected = LocalService(seed=3)
    ready, example = result.stdout.splitlines()
    assert ready.split()[2:] == [
        expected.region,
        expected.credentials.access_key_id,
        expected.credentials.secret_access_key,
    ]
    assert example.split()[2] == expected.runs[0].workflow_run_id


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        before = signal.getsignal(signal.SIGTERM)
        try:
            result = run("local", "--port", str(port))
        finally:
            signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 255
    assert result.stderr == f"novaact-http: cannot listen on port {port}: Address already in use\n"


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_the_command_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == missing or each.endswith("_commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(cli, "_commands")

    class Missing:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == missing:
                raise ModuleNotFoundError(name, name=name)

    monkeypatch.setattr(sys, "meta_path", [Missing, *sys.meta_path])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == f"novaact-http needs {missing}: install it with pip install 'novaact-http[cli]'"


def test_any_other_missing_module_is_not_blamed_on_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "novaact_http.cli._commands")
    monkeypatch.delattr(cli, "_commands")
    monkeypatch.setitem(sys.modules, "rich.text", None)
    with pytest.raises(ModuleNotFoundError):
        cli.main()


def test_the_entry_point_runs_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["novaact-http", "--version"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 0
    assert "novaact-http, version" in capsys.readouterr().out


def test_starting_does_not_load_what_it_does_not_need() -> None:
    script = "import sys; from novaact_http.cli import _commands; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & {"botocore", "httpx"}
