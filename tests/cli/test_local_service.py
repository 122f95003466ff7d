"""`novaact-http local`."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import types
from typing import TYPE_CHECKING

import pytest

from novaact_http import testing
from novaact_http.cli import _local_service
from novaact_http.testing import LocalService
from tests.helpers.command import COMMAND, in_shell, run
from tests.helpers.platforms import needs_signals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(autouse=True)
def _sigterm_is_handled_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def local() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([COMMAND, "local", "--seed", "3"], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_local_runs_the_service_until_a_signal_stops_it(
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
    result = in_this_process(monkeypatch, "--seed", "3")
    assert result.exit_code == 0
    expected = LocalService(seed=3)
    ready, example = result.stdout.splitlines()
    assert ready.split()[2:] == [
        expected.region,
        expected.credentials.access_key_id,
        expected.credentials.secret_access_key,
    ]
    assert example.split()[2] == expected.runs[0].workflow_run_id


def in_this_process(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str = "") -> Result:
    """Run the command, and interrupt it as soon as it waits."""

    class Interrupted:
        def wait(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(_local_service, "threading", types.SimpleNamespace(Event=Interrupted))
    return run("local", *arguments, stdin=stdin)


def test_options_set_everything_about_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[LocalService] = []
    monkeypatch.setattr(_local_service, "_run_control_commands", lambda service, _: seen.append(service))
    result = in_this_process(
        monkeypatch,
        *("--run", "a=2", "--run", "b=1", "--run", "a=0", "--tls", "--control", "--region", "eu-west-1"),
        *("--latency", "0.1", "--jitter", "0.2", "--rate", "5", "--burst", "2", "--clock-offset", "9"),
        *("--credentials-lifetime", "60", "--fault", "reset every 3rd", "--fault", "close"),
    )
    assert result.exit_code == 0, result.stderr
    ready, example, bundle = result.stdout.splitlines()
    assert ready.startswith("ready https://127.0.0.1:")
    assert len(ready.split()) == 6
    assert ready.split()[2] == "eu-west-1"
    assert example.split()[1] == "a"
    assert bundle.startswith("ca-bundle /")
    (service,) = seen
    assert [(each.workflow_definition_name, len(each.session_ids)) for each in service.runs] == [
        ("a", 2),
        ("a", 0),
        ("b", 1),
    ]
    assert (service.latency, service.jitter, service.clock_offset) == (0.1, 0.2, 9)
    assert len(service._schedule._scheduled) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "a"], "--run: write NAME=SESSIONS, with a whole number of sessions, not 'a'"),
        (["--run", "=1"], "--run: '' cannot be a workflowDefinitionName: Value must be from 1 to 40 characters"),
        (["--fault", "reset every 0"], "--fault: every must be a whole number from 1, not 0"),
        (["--port", "65536"], "--port must be a whole number from 0 to 65535, not 65536"),
        (["--port", "x"], "Invalid value for '--port': must be a whole number, not 'x'"),
        (["--latency", "x"], "Invalid value for '--latency': must be a number, not 'x'"),
        (
            ["--region", "a b"],
            "--region must be up to 63 letters, digits and inner hyphens, such as us-east-1, not 'a b'",
        ),
        (["--rate", "0"], "--rate must be a number over 0, not 0.0"),
        (["--rate", "1", "--burst", "0"], "--burst must be a number from 1, not 0.0"),
        (["--burst", "3"], "--burst needs --rate: without it, every request is admitted"),
        (["--latency", "-1"], "--latency must be a number from 0, not -1.0"),
        (["--jitter", "nan"], "--jitter must be a number from 0, not nan"),
        (["--clock-offset", "inf"], "--clock-offset must be a number, not inf"),
        (["--credentials-lifetime", "0"], "--credentials-lifetime must be a number over 0, not 0.0"),
    ],
)
def test_a_bad_value_is_named_by_its_option(arguments: list[str], message: str) -> None:
    result = run("local", *arguments)
    assert result.exit_code == 252
    assert result.stderr == f"novaact-http: {message}; see novaact-http local --help\n"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nonsense", "'nonsense' is not a fault: use refuse, reset, "),
        ("Throttling", "Throttling is not an error of the service model, which has AccessDeniedException, "),
    ],
)
def test_a_bad_fault_is_refused_without_advice_for_python_code(fault: str, message: str) -> None:
    result = run("local", "--fault", fault)
    assert result.exit_code == 252
    assert result.stderr.startswith(f"novaact-http: --fault: {message}")
    assert result.stderr.count("\n") == 1
    assert "answer_next" not in result.stderr


def test_tls_without_its_packages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    result = in_this_process(monkeypatch, "--tls")
    assert result.exit_code == 255
    assert "pip install 'novaact-http[testing]'" in result.stderr


def test_without_botocore_there_is_no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(testing, "LocalService", raising=False)
    for name in [each for each in sys.modules if each.startswith("novaact_http.testing._local_service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    result = in_this_process(monkeypatch)
    assert result.exit_code == 255
    assert result.stderr.startswith("novaact-http: the local service cannot be used without botocore (")


def test_it_runs_commands_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = LocalService(seed=0, definitions={"a": [1]}).runs[0].workflow_run_id
    lines = [
        "fault reset every 3rd",
        "fault nonsense",
        "latency 0.5",
        "latency",
        "clock-offset x",
        "clock-offset -3",
        "clear-faults",
        "add-run b 2",
        f"add-sessions a {run_id} 3",
        "add-sessions a b 3",
        "expire-credentials",
        "",
        "what",
        "help",
        "bogus 'x",
        "clock-offset nan",
    ]
    result = in_this_process(monkeypatch, "--run", "a=1", "--control", stdin="\n".join(lines) + "\n")
    assert result.exit_code == 0
    answers = result.stdout.splitlines()[2:]
    assert " ".join(each.split()[0] for each in answers) == (
        "ok error ok error error ok ok ok ok error ok error error ok error error"
    )
    assert answers[1].startswith("error 'nonsense' is not a fault: use refuse, ")
    assert answers[3] == "error the command is latency SECONDS"
    assert re.fullmatch("ok [0-9a-f-]{36}", answers[7])
    assert answers[9] == "error there is no run b of a"
    assert len(answers[10].split()) == 3
    assert answers[14:] == [
        "error the line cannot be split into words: No closing quotation",
        "error clock-offset must be a number, not nan",
    ]
    assert answers[12].startswith("error the commands are fault FAULT, clear-faults, latency SECONDS, ")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("add-run foo x", "SESSIONS must be a whole number from 0, not 'x'"),
        ("add-run foo -3", "SESSIONS must be a whole number from 0, not '-3'"),
        ("add-sessions a RUN_ID 2.5", "SESSIONS must be a whole number from 0, not '2.5'"),
        ("latency -5", "latency must be a number from 0, not -5.0"),
        ("latency x", "SECONDS must be a number, not 'x'"),
        ("clock-offset inf", "clock-offset must be a number, not inf"),
    ],
)
def test_a_command_with_a_wrong_number_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], line: str, answer: str
) -> None:
    service = LocalService(definitions={"a": [1]})
    before = service.runs
    _local_service._run_control_commands(service, [line.replace("RUN_ID", before[0].workflow_run_id)])
    assert capsys.readouterr().out == f"error {answer}\n"
    assert (service.runs, service.latency, service.clock_offset) == (before, 0.0, 0.0)


def test_a_port_that_is_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("local", "--port", str(port))
    assert result.exit_code == 255
    assert result.stderr == f"novaact-http: cannot listen on port {port} of 127.0.0.1: Address already in use\n"


@pytest.mark.parametrize("code", [0, 3])
def test_a_command_runs_with_the_settings_of_the_service_and_ends_with_its_exit_code(code: int) -> None:
    program = (
        "import sys\n"
        "from novaact_http import Client\n"
        "with Client() as client: found = list(client.iter_workflow_definitions())\n"
        "print([each.workflow_definition_name for each in found])\n"
        f"sys.exit({code})\n"
    )
    done = subprocess.run(
        [COMMAND, "local", "--run", "shop=3", "--", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "['shop']\n", "")


@needs_signals
def test_a_signal_for_the_service_ends_its_command() -> None:
    program = "import time; print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [COMMAND, "local", "--", sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM


def test_a_command_that_is_interrupted_decides_how_it_ends() -> None:
    class Interrupted:
        waits = 0

        def __init__(self, command: object, env: dict[str, str]) -> None:
            assert command == ("it", "--now")
            assert env["AWS_REGION"] == "here"

        def wait(self) -> int:
            self.waits += 1
            if self.waits == 1:
                raise KeyboardInterrupt
            return 5

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_local_service, "subprocess", types.SimpleNamespace(Popen=Interrupted))
        assert _local_service._run(("it", "--now"), {"AWS_REGION": "here"}) == 5


class Ended:
    """A process that ends with a code, and counts how often it is told to."""

    def __init__(self, code: int) -> None:
        self._code = code
        self.terminated = 0

    def wait(self) -> int:
        return self._code

    def terminate(self) -> None:
        self.terminated += 1


@pytest.mark.parametrize(("code", "exit_code"), [(-9, 137), (4, 4)])
@pytest.mark.parametrize("early", [False, True])
def test_a_command_in_this_process(monkeypatch: pytest.MonkeyPatch, code: int, exit_code: int, early: bool) -> None:
    process = Ended(code)

    def interrupt() -> None:
        handler = signal.getsignal(signal.SIGTERM)
        assert callable(handler)
        handler(signal.SIGTERM, None)

    def start(*_: object, **__: object) -> Ended:
        if early:
            interrupt()
        return process

    monkeypatch.setattr(subprocess, "Popen", start)
    result = run("local", "--", "it")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert process.terminated == early
    interrupt()
    assert process.terminated == early + 1


@pytest.mark.parametrize(("command", "code"), [("no-such-program", 127), ("/", 126)])
def test_a_command_that_cannot_be_run_is_an_error(command: str, code: int) -> None:
    result = run("local", "--", command)
    assert result.exit_code == code
    assert f"cannot run {command}: " in result.stderr


def test_a_command_and_control_need_standard_input_both() -> None:
    result = run("local", "--control", "--", "true")
    assert result.exit_code == 252
    assert "--control reads standard input" in result.stderr


@pytest.mark.parametrize(("given", "answers"), [("", []), ("quit\nlatency 1\n", ["ok"])])
def test_control_ends_with_its_input_or_when_it_is_told_to(given: str, answers: list[str]) -> None:
    result = run("local", "--control", stdin=given)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2:] == answers


def test_a_service_for_other_machines_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    result = in_this_process(monkeypatch, "--host", "0.0.0.0")
    assert result.stdout.startswith("ready http://127.0.0.1:")
    assert "other machines can reach the service" in result.stderr
    assert in_this_process(monkeypatch).stderr == ""
    refused = run("local", "--host", "example.com")
    assert refused.exit_code == 252
    assert "--host must be an address of this machine" in refused.stderr


# Its settings in a shell, and a world of one's own.


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"definitions": [{"name": "shop", "runs": [{"sessions": 2}]}, {"name": "bank"}]}))
    return path


def test_a_shell_gets_the_settings_and_the_service_goes_on(state_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody's")
    line = """
        set -e
        eval "$("$@" 2>err)"
        grep -q "the service runs as process $NOVAACT_LOCAL_PID, until novaact_local_stop" err
        kill -0 "$NOVAACT_LOCAL_PID"
        "$1" list-sessions --workflow-definition-name shop --workflow-run-id "$RUN" --output ids
        echo "${AWS_PROFILE-none}" "$AWS_REGION"
        novaact_local_stop
        echo "${AWS_REGION-none}" "${NOVAACT_LOCAL_PID-none}"
    """
    monkeypatch.chdir(state_file.parent)
    monkeypatch.setenv("RUN", LocalService(definitions={"shop": [2]}).runs[0].workflow_run_id)
    shown = in_shell(line, "local", "--export", "--state", str(state_file), "--region", "eu-west-1")
    assert shown.exit_code == 0, shown.stderr
    *ids, used, stopped = shown.stdout.decode().splitlines()
    assert len(ids) == 2
    assert (used, stopped) == ("none eu-west-1", "none none")


def test_a_service_that_cannot_start_in_the_background_fails_in_the_shell() -> None:
    shown = in_shell('eval "$("$@")"', "local", "--export", "--fault", "nonsense")
    assert (shown.exit_code, shown.stdout) == (1, b"")
    assert shown.stderr.startswith(b"novaact-http: --fault: 'nonsense' is not a fault: ")
    shown = in_shell('"$@"', "local", "--export", "--fault", "nonsense")
    assert (shown.exit_code, shown.stdout) == (252, b"false\n")


def test_the_process_in_the_background_prints_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    turned: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "dup2", lambda *descriptors: turned.append(descriptors))
    result = in_this_process(monkeypatch, "--exported")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN ")
    assert f"export NOVAACT_LOCAL_PID={os.getpid()}" in lines
    assert [descriptor for _, descriptor in turned] == [0, 1, 2]


@pytest.mark.parametrize("lines", ["export A=b\n", ""])
def test_a_process_in_the_background_is_started(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    started: list[tuple[object, ...]] = []

    def start(command: list[str], **options: object) -> object:
        started.append((*command[3:], options["start_new_session"]))
        return types.SimpleNamespace(stdout=io.StringIO(lines), wait=lambda: 255)

    monkeypatch.setattr(subprocess, "Popen", start)
    result = run("local", "--export", "--run", "a=-1", "--tls", "--latency", "0.5")
    assert (result.exit_code, result.stdout) == ((0, lines) if lines else (255, "false\n"))
    assert started == [("local", "--tls", "--run", "a=-1", "--latency", "0.5", "--exported", True)]


def test_a_process_in_the_background_that_nobody_would_know_of_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.StringIO):
        def read(self, _: int | None = None) -> str:
            raise KeyboardInterrupt

    class Started(Ended):
        stdout = Interrupted()

    process = Started(0)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: process)
    assert run("local", "--export").exit_code == 130
    assert process.terminated == 1


@pytest.mark.parametrize("also", [["--control"], ["--", "true"]])
def test_export_leaves_no_place_for_another_way_to_run(also: list[str]) -> None:
    result = run("local", "--export", *also)
    assert result.exit_code == 252
    assert "--export serves in the background: leave out --control and the command" in result.stderr


def test_a_world_comes_from_a_file_or_standard_input(monkeypatch: pytest.MonkeyPatch, state_file: Path) -> None:
    from_file = in_this_process(monkeypatch, "--state", str(state_file)).stdout.splitlines()
    assert from_file[1].startswith("example shop ")
    from_input = in_this_process(monkeypatch, "--state", "-", stdin=state_file.read_text()).stdout.splitlines()
    assert from_input[1] == from_file[1]
    assert in_this_process(monkeypatch, "--state", "-", stdin="{}").stdout.splitlines()[1] == "example"
    both = in_this_process(monkeypatch, "--state", str(state_file), "--run", "more=1")
    assert both.exit_code == 0
    assert "--control and --state - both read standard input" in run("local", "--state", "-", "--control").stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "--state: FILE: it is not JSON: "),
        ("\udcff", "--state: FILE: it is not JSON: 'utf-8' codec can't decode"),
        ("[" * 100_000, "--state: FILE: it is nested too deeply"),
        ('{"definitions": [{}]}', "--state: FILE: definitions[0].name must be the name of a workflow"),
        (None, "Invalid value for '--state': File 'FILE' does not exist"),
    ],
)  # fmt: skip
def test_a_file_that_has_no_world_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "world.json"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run("local", "--state", str(path))
    assert result.exit_code == 252
    assert result.stderr.startswith(f"novaact-http: {message.replace('FILE', str(path))}")
    assert result.stderr.count("\n") == 1
