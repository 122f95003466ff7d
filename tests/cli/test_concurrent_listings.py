"""Several runs in one command: listed at once, and printed in the given order, also if one fails."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from novaact_http.cli import _concurrent_listings
from novaact_http.cli._terminal import Progress
from tests.helpers.answers import page_body
from tests.helpers.command import Held, in_shell, naming, raising, run, spawn
from tests.helpers.platforms import WINDOWS, needs_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from novaact_http.testing import LocalService, WorkflowRun

MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def runs(world: LocalService) -> list[WorkflowRun]:
    return [world.add_run("many", sessions=size) for size in (25, 0, 3, 12)]


def capture(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Replace standard output, and return what is written to it. No fixture, as pytest replaces it before a test."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw))
    return raw


class FakeRun:
    """A run that a function lists."""

    def __init__(self, number: int, listing: Callable[[FakeRun], None]) -> None:
        self.number = number
        self.outlet = _concurrent_listings.Outlet("utf-8", Progress("session", streamed=True))
        self._listing = listing

    def list(self) -> None:
        self._listing(self)


def test_ids_come_in_the_order_of_the_runs(runs: Sequence[WorkflowRun]) -> None:
    result = run("list-sessions", *naming(*runs), "--output", "ids", "--page-size", "5", "--concurrency", "3")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [each for of in runs for each in of.session_ids]


def test_runs_are_read_from_standard_input(runs: Sequence[WorkflowRun]) -> None:
    lines = "".join(f" {each.workflow_run_id}\n\n" for each in runs[1:])
    named = naming(runs[0])
    result = run("list-sessions", *named, "--workflow-run-id", "-", "--output", "ids", stdin=f"\ufeff{lines}")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [each for of in runs for each in of.session_ids]
    assert run("list-sessions", *named[:2], "--workflow-run-id", "-", stdin="\n").exit_code == 0


def test_the_output_says_which_run_it_is_of(runs: Sequence[WorkflowRun]) -> None:
    jsonl = run("list-sessions", *naming(*runs), "--output", "jsonl").stdout.splitlines()
    assert [list(json.loads(each).items()) for each in jsonl] == [
        [("workflowRunId", of.workflow_run_id), ("sessionId", each)] for of in runs for each in of.session_ids
    ]
    decoder, text = json.JSONDecoder(), run("list-sessions", *naming(*runs), "--output", "json").stdout
    for of in runs:
        document, end = decoder.raw_decode(text)
        assert list(document.items()) == [
            ("workflowRunId", of.workflow_run_id),
            ("sessionSummaries", [{"sessionId": each} for each in of.session_ids]),
        ]
        text = text[end:].lstrip()
    shown = run("list-sessions", *naming(*runs), "--output", "text").stdout.splitlines()
    assert shown == [f"{of.workflow_run_id}\tSESSIONSUMMARIES\t{each}" for of in runs for each in of.session_ids]
    tables = run("list-sessions", *naming(*runs), "--output", "table").stdout
    assert [line.strip() for line in tables.splitlines() if line.strip() in {of.workflow_run_id for of in runs}] == [
        of.workflow_run_id for of in runs
    ]


def test_a_single_run_from_standard_input_is_marked_too(runs: Sequence[WorkflowRun]) -> None:
    of = runs[2]
    arguments = [*naming(of)[:2], "--workflow-run-id", "-", "--output", "jsonl"]
    first = run("list-sessions", *arguments, stdin=of.workflow_run_id).stdout.splitlines()[0]
    assert json.loads(first)["workflowRunId"] == of.workflow_run_id


def test_a_run_that_fails_does_not_stop_the_others(runs: Sequence[WorkflowRun]) -> None:
    named = [*naming(runs[2]), "--workflow-run-id", MISSING, "--workflow-run-id", "no id"]
    result = run("list-sessions", *named, "--workflow-run-id", runs[3].workflow_run_id, "--output", "ids")
    assert result.stdout.splitlines() == [*runs[2].session_ids, *runs[3].session_ids]
    assert result.exit_code == 254
    first, second = result.stderr.splitlines()
    assert first.startswith(f"novaact-http: run {MISSING}: An error occurred (ResourceNotFoundException)")
    assert second.startswith("novaact-http: run no id: An error occurred (ValidationException)")


def test_the_exit_code_is_that_of_the_first_run_that_fails(runs: Sequence[WorkflowRun], world: LocalService) -> None:
    world.answer_next(200, b"nonsense")
    named = [*naming(runs[2]), "--workflow-run-id", MISSING, "--concurrency", "1", "--max-attempts", "1"]
    result = run("list-sessions", *named, "--output", "ids")
    assert result.exit_code == 255
    assert len(result.stderr.splitlines()) == 2


@pytest.mark.parametrize("bad", ["..", "", "a\x00b", "\udcff"])
def test_nothing_is_sent_if_an_id_is_not_valid(bad: str, runs: Sequence[WorkflowRun], world: LocalService) -> None:
    result = run("list-sessions", *naming(*runs), "--workflow-run-id", bad)
    assert (result.exit_code, result.stdout) == (252, "")
    assert "bad arguments, nothing was sent: --workflow-run-id " in result.stderr
    assert not world.requests


def test_standard_input_that_is_not_utf_8_is_refused(runs: Sequence[WorkflowRun]) -> None:
    result = run("list-sessions", *naming(runs[0])[:2], "--workflow-run-id", "-", stdin=b"\xff\n")
    assert result.exit_code == 252
    assert "lone surrogate" in result.stderr


def test_a_closed_standard_input_is_reported(runs: Sequence[WorkflowRun]) -> None:
    done = in_shell('"$@" <&-', "list-sessions", *naming(runs[0])[:2], "--workflow-run-id", "-")
    assert (done.exit_code, done.stdout) == (252, b"")
    assert b"--workflow-run-id - reads standard input, which is closed" in done.stderr


def test_each_run_that_is_limited_says_how_to_continue(runs: Sequence[WorkflowRun]) -> None:
    result = run("list-sessions", *naming(*runs), "--output", "ids", "--max-items", "4")
    assert [len(result.stdout.splitlines()), result.exit_code] == [4 + 0 + 3 + 4, 0]
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    for line, of in zip(lines, (runs[0], runs[3]), strict=True):
        assert line.startswith(f"novaact-http: run {of.workflow_run_id}: there are more sessions; continue with: ")
        assert line.count("--workflow-run-id") == 1
        assert f"--workflow-run-id {of.workflow_run_id} --starting-token" in line


def test_a_token_that_begins_with_a_hyphen_stays_a_value(world: LocalService) -> None:
    world.answer_next(200, page_body(next_token="-a"))
    result = run("list-sessions", *naming(world.runs[0]), "--output", "ids", "--no-paginate")
    assert result.stderr.endswith(f"--no-paginate --workflow-run-id {world.runs[0].workflow_run_id} --next-token=-a\n")


def test_output_that_comes_early_waits_for_its_turn(
    runs: Sequence[WorkflowRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [each.workflow_run_id for each in runs]
    monkeypatch.setattr(_concurrent_listings, "_SPOOLED_IN_MEMORY", 100)
    done: list[str] = []
    released = threading.Event()

    def listing(run: FakeRun) -> None:
        name = ids[run.number]
        if run.number == 0:
            released.wait(30)
        run.outlet.write(f"{name}\n" * 40, name)
        done.append(name)
        if len(done) == 3:
            released.set()

    output = capture(monkeypatch)
    listed = [FakeRun(number, listing) for number in range(len(ids))]
    assert list(_concurrent_listings.in_order(listed, 2)) == [0, 1, 2, 3]
    assert done[-1] == ids[0]
    assert output.getvalue().decode().split() == [each for each in ids for _ in range(40)]
    assert [each.outlet.token for each in listed] == ids


def test_runs_are_listed_ahead_only_up_to_a_limit() -> None:
    begun: list[int] = []
    release, slots_used = threading.Event(), threading.Event()

    def listing(run: FakeRun) -> None:
        begun.append(run.number)
        if len(begun) == 8:
            slots_used.set()
        if run.number == 0:
            release.wait(30)

    steps = _concurrent_listings.in_order([FakeRun(number, listing) for number in range(20)], 2)
    first: list[int] = []
    waiting = threading.Thread(target=lambda: first.append(next(steps)))
    waiting.start()
    assert slots_used.wait(30)
    assert len(begun) == 8
    release.set()
    waiting.join()
    assert [*first, *steps] == list(range(20))


def test_outlets_of_the_runs_that_are_left_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    output = capture(monkeypatch)
    listed = [threading.Event() for _ in range(3)]

    def listing(run: FakeRun) -> None:
        run.outlet.write(str(run.number), None)
        listed[run.number].set()

    runs = [FakeRun(number, listing) for number in range(3)]
    steps = _concurrent_listings.in_order(runs, 1)
    assert next(steps) == 0
    assert all(each.wait(30) for each in listed)
    steps.close()
    for each in runs:
        each.outlet.write("more", None)
        assert each.outlet._spool is None
    assert output.getvalue() == b"0"


def test_nothing_is_written_after_an_outlet_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    output = capture(monkeypatch)
    outlet = _concurrent_listings.Outlet("utf-8", Progress("session", streamed=True))
    outlet.write("a", "first")
    outlet.end()
    outlet.copy_to_output()
    outlet.write("b", "second")  # is handed over
    waiting = threading.Thread(target=outlet.write, args=("c", "third"))
    waiting.start()
    outlet.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert (output.getvalue(), outlet.token) == (b"a", "first")


@needs_signals
@pytest.mark.parametrize("name", ["ids", "json"])
def test_an_interruption_says_which_runs_are_left(
    name: str, runs: Sequence[WorkflowRun], world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(world, lambda target: runs[0].workflow_run_id in target and "nextToken" in target, monkeypatch)
    with spawn("list-sessions", *naming(*runs), "--output", name, "--page-size", "10") as process:
        assert process.stdout is not None
        shown = [process.stdout.readline().decode().strip() for _ in range(10)] if name == "ids" else []
        assert held.asked.wait(30)
        time.sleep(0.05)  # the page is printed, but not noted yet
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
        held.let_go()
    assert process.returncode == 130
    assert (shown, stdout) == (list(runs[0].session_ids[:10]) if name == "ids" else [], b"")
    lines = stderr.decode().splitlines()
    left = runs
    if name == "ids":
        assert lines.pop(0).startswith(
            f"novaact-http: run {runs[0].workflow_run_id}: there are more sessions; continue"
        )
        left = runs[1:]
    command = " ".join(f"--workflow-run-id {each.workflow_run_id}" for each in left)
    assert len(lines) == 1
    assert lines[0].startswith(f"novaact-http: runs that were not listed: {len(left)}; continue with: novaact-http ")
    assert lines[0].endswith(command)


@contextlib.contextmanager
def full_pipe() -> Iterator[int]:
    """Make a pipe that is full, and yield the end that nothing more can be written to."""
    if WINDOWS:
        pytest.skip("on Windows, a pipe is not filled without waiting")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(1))
    os.set_blocking(writer, True)
    try:
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


@needs_signals
def test_an_interruption_ends_the_command_while_the_reader_stalls(
    runs: Sequence[WorkflowRun], world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The interruption comes long after the first run's only page, which is being written then.
    last_pages = itertools.chain([False] * 20, itertools.repeat(True))
    held = Held(world, lambda target: runs[0].workflow_run_id in target and next(last_pages), monkeypatch)
    named = [*naming(runs[2], runs[0]), "--output", "ids", "--page-size", "1"]
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # else Python would try to write again when it ends
    with full_pipe() as writer, spawn("list-sessions", *named, stdout=writer) as process:
        assert held.asked.wait(30)
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(30) == 130
        finally:
            process.kill()
            held.let_go()


@pytest.mark.parametrize("count", [1, 2])
def test_an_interruption_ends_the_command_just_before_the_reader_stalls(
    runs: Sequence[WorkflowRun], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    code = """
import sys
from novaact_http.cli import _concurrent_listings, main

def interrupted(outlet, data, token):
    sys.stdout.buffer.write(data)
    raise KeyboardInterrupt

_concurrent_listings.Outlet._write = interrupted
main()
"""
    named = [*naming(*runs[:count]), "--output", "ids"]
    with full_pipe() as writer:
        process = subprocess.Popen(
            [sys.executable, "-c", code, "list-sessions", *named], stdout=writer, stderr=subprocess.PIPE
        )
        with process:
            try:
                assert process.wait(30) == 130
            finally:
                process.kill()


def test_an_interruption_of_many_runs_names_the_first_that_is_left(
    world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_concurrent_listings, "in_order", raising(KeyboardInterrupt()))
    lines = "".join(f"run-{number}\n" for number in range(100))
    result = run("list-sessions", *naming(world.runs[0])[:2], "--workflow-run-id", "-", stdin=lines)
    assert (result.exit_code, result.stderr) == (130, "novaact-http: runs that were not listed: 100, from run-0 on\n")


def test_a_reader_that_stops_early_ends_the_command(runs: Sequence[WorkflowRun]) -> None:
    with spawn("list-sessions", *naming(*runs), "--output", "jsonl") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("listed", [0, 1, 4])
def test_an_interruption_in_this_process(
    listed: int, runs: Sequence[WorkflowRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_order(of: Sequence[_concurrent_listings.Run], concurrency: int) -> Iterator[int]:
        for number in range(listed):
            of[number].list()
            of[number].outlet.end()
            of[number].outlet.copy_to_output()
            yield number
        if listed < len(of):
            of[listed].outlet.write("begun", "a token")
            of[listed].outlet.end()
            of[listed].outlet.copy_to_output()
        raise KeyboardInterrupt

    monkeypatch.setattr(_concurrent_listings, "in_order", in_order)
    result = run("list-sessions", *naming(*runs), "--output", "ids")
    assert result.exit_code == 130
    assert result.stdout == "".join(f"{each}\n" for of in runs[:listed] for each in of.session_ids) + (
        "begun" if listed < 4 else ""
    )
    if listed < 4:
        first, second = result.stderr.splitlines()
        assert first.endswith(f"--workflow-run-id {runs[listed].workflow_run_id} --starting-token 'a token'")
        assert second.startswith(f"novaact-http: runs that were not listed: {3 - listed}; continue with: ")
    else:
        assert result.stderr == ""
