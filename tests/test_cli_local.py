"""`novaact-http local`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import types
from typing import TYPE_CHECKING

import pytest

from commandline import COMMAND, run
from novaact_http.cli import _local
from novaact_http.testing import LocalService

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    monkeypatch.setattr(_local, "threading", types.SimpleNamespace(Event=Interrupted))
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
