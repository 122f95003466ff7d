"""`examples/dask_runs.py` on two worker processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import types
from typing import TYPE_CHECKING

from dask import distributed

import dask_runs
from novaact_http._clients import base
from tests.helpers.calls import call_for
from tests.helpers.platforms import needs_terminals
from tests.helpers.programs import run_python
from tests.helpers.servers import Peer, Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from novaact_http.testing import LocalService

MISSING = "00000000-0000-4000-8000-000000000000"


def program(folder: Path, run_ids: list[str], *options: str) -> list[str]:
    """Return the arguments that make Python run the example for these runs."""
    file = folder / "run-ids.txt"
    file.write_text("\n".join(run_ids))
    return ["-W", "error", dask_runs.__file__, "many", str(file), *options]


def test_runs_are_listed_in_order_and_one_that_fails_does_not_stop_the_others(
    service: LocalService, tmp_path: Path
) -> None:
    runs = [service.add_run("many", sessions=number % 3) for number in range(60)]
    run_ids = [each.workflow_run_id for each in runs]
    done = run_python(*program(tmp_path, ["..", MISSING, *run_ids]), environ=service.environ)
    refused, missing, *others = done.stdout.splitlines()
    assert "workflow_run_id" in refused
    assert missing.startswith(f"{MISSING}\tAn error occurred (ResourceNotFoundException)")
    assert others == [f"{each.workflow_run_id}\t{len(each.session_ids)} sessions" for each in runs]
    assert "4 of 4 batches" in done.stderr.splitlines()


def test_an_existing_cluster_is_used(world: LocalService, tmp_path: Path) -> None:
    # The worker is a thread here, and has the environment of `world`.
    runs = [world.add_run("many", sessions=2) for _ in range(30)]
    with distributed.LocalCluster(
        n_workers=1, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0"
    ) as cluster:
        options = ["--scheduler", cluster.scheduler_address]
        arguments = program(tmp_path, [each.workflow_run_id for each in runs], *options)
        done = run_python(*arguments, environ={"AWS_ACCESS_KEY_ID": "not-the-workers"})
    assert done.stdout.splitlines() == [f"{each.workflow_run_id}\t2 sessions" for each in runs], done.stderr


def test_a_patient_client_survives_more_throttling_than_others(
    world: LocalService, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    # Nothing really sleeps, but the client's rate grows as if it did.
    clock = types.SimpleNamespace(**{**vars(time), "monotonic": lambda: time.monotonic() + sum(waits)})
    monkeypatch.setattr(base, "time", clock)
    world.fail_next("ThrottlingException", times=7, retry_after_seconds=1)
    with dask_runs.patient_client() as client:
        assert client.list_sessions(**call_for(world.runs[0])).metadata.attempts == 8
    assert sum(waits) >= 7.0


class Counting:
    """Answers with an empty page, and counts how many requests are in progress at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def __call__(self, peer: Peer) -> None:
        page = b'{"sessionSummaries": []}'
        while peer.request():
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(0.002)
            with self._lock:
                self._now -= 1
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))


def on_a_terminal(arguments: list[str], environ: Mapping[str, str]) -> str:
    """Run Python in a terminal, and return what the program shows."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **environ}, stdout=theirs, stderr=subprocess.STDOUT
    ):
        os.close(theirs)
        shown = b""
        while True:
            try:
                data = os.read(ours, 65_536)
            except OSError:  # how Linux says that the other end of a terminal is closed
                data = b""
            if not data:
                break
            shown += data
    os.close(ours)
    return shown.decode()


@needs_terminals
def test_each_worker_has_one_client_and_no_more_requests_than_the_limit(service: LocalService, tmp_path: Path) -> None:
    run_ids = [str(number) for number in range(400)]
    counting = Counting()
    with Server(counting) as server:
        environ = {**service.environ, "AWS_ENDPOINT_URL_NOVA_ACT": f"http://127.0.0.1:{server.port}"}
        shown = on_a_terminal(program(tmp_path, run_ids, "--limit", "3", "--workers", "2"), environ)
    assert shown.count("\t0 sessions") == len(server.requests) == len(run_ids), shown
    assert "100% Completed" in shown
    assert counting.most <= 3
    assert server.accepted <= 2 * 3  # of two clients, not of twenty tasks
