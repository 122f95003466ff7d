"""`novaact-http watch`."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import time
import types
from typing import TYPE_CHECKING

import pytest

from novaact_http.cli import _lines, _watch, _watch_formats, _watched_runs
from novaact_http.cli._live_screen import LiveScreen
from tests.helpers.command import run, spawn
from tests.helpers.platforms import needs_terminals

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import LocalService


class Clock:
    """Time that passes only when the command waits. After the last wait that something is planned for comes Ctrl-C.

    Args:
        plans: what happens in each wait between two refreshes.
    """

    def __init__(self, *plans: Callable[[], object]) -> None:
        self._plans = list(plans)
        self._began = time.time()
        self.waits: list[float] = []

    def time(self) -> float:
        return self._began + sum(self.waits)

    def monotonic(self) -> float:
        return sum(self.waits)

    def sleep(self, seconds: float) -> None:
        if not self._plans:
            raise KeyboardInterrupt
        self.waits.append(seconds)
        self._plans.pop(0)()


def nothing() -> None:
    """Nothing happens."""


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Clock]:
    """Makes time pass by a plan."""

    def planned(*plans: Callable[[], object]) -> Clock:
        clock = Clock(*plans)
        monkeypatch.setattr(_watch, "time", clock)
        return clock

    return planned


def log(*arguments: str) -> tuple[int, list[str], list[str]]:
    """Return the exit code, the lines without their times, and those of standard error."""
    result = run("watch", *arguments)
    lines = [line.partition(" ")[2] for line in result.stdout.splitlines()]
    return result.exit_code, lines, result.stderr.replace("novaact-http: ", "").splitlines()


def test_each_change_is_a_line_of_the_log(bare_world: LocalService, passing: Callable[..., Clock]) -> None:
    old = bare_world.add_run("flow")
    bare_world.add_run("flow", status="FAILED")
    new: list[str] = []
    clock = passing(
        lambda: bare_world.end_run(old),
        lambda: new.append(bare_world.add_run("flow").workflow_run_id),
        nothing,
    )
    code, lines, errors = log("--interval", "60")
    assert code == 130
    assert lines == [
        f"flow {old.workflow_run_id} RUNNING",
        f"flow {old.workflow_run_id} RUNNING → SUCCEEDED after 0s",
        f"flow {new[0]} RUNNING",
    ]
    assert [re.sub("in .*", "in", line) for line in errors] == [
        "the first refresh took 2 calls in",
        "a refresh takes 2 calls in",
    ]
    assert all(50 < each <= 60 for each in clock.waits)


def test_each_change_is_an_object_of_jsonl(bare_world: LocalService, passing: Callable[..., Clock]) -> None:
    of = bare_world.add_run("flow")
    passing(lambda: bare_world.end_run(of, "FAILED"))
    result = run("watch", "--output", "jsonl")
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["RUNNING", "FAILED"]


@pytest.mark.parametrize(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("TIMED_OUT", 1)])
def test_until_done_ends_with_the_last_run_and_tells_how_they_ended(
    status: str, code: int, bare_world: LocalService, passing: Callable[..., Clock]
) -> None:
    bare_world.add_run("flow", status="FAILED")  # before, and so of no interest
    runs = [bare_world.add_run(name) for name in ("flow", "other")]
    passing(lambda: bare_world.end_run(runs[0], status), nothing, lambda: bare_world.end_run(runs[1]))
    assert log("--until-done")[0] == code


def test_until_done_with_since_is_about_all_runs_since_then(
    bare_world: LocalService, passing: Callable[..., Clock], now: float
) -> None:
    bare_world.add_run("flow", status="FAILED", started_at=now - 1_000)
    assert log("--until-done")[0] == 0
    assert log("--until-done", "--since", "1m")[0] == 0
    assert log("--until-done", "--since", "1h")[0] == 1


def test_what_fails_is_said_once_until_it_works_again(bare_world: LocalService, passing: Callable[..., Clock]) -> None:
    bare_world.add_run("flow")

    def refuse() -> None:
        bare_world.inject("AccessDeniedException", operation="ListWorkflowRuns")

    passing(refuse, nothing, bare_world.clear_faults, refuse, nothing)
    code, lines, errors = log()
    assert (code, len(lines)) == (130, 1)
    assert len([line for line in errors if line.startswith("flow: An error occurred (AccessDenied")]) == 2


def test_what_fails_is_said_to_be_asked_for_again(bare_world: LocalService, passing: Callable[..., Clock]) -> None:
    bare_world.add_run("flow")
    passing(lambda: bare_world.fail_next("InternalServerException"), nothing)
    code, _, errors = log("--interval", "60", "--max-attempts", "1")
    (said,) = [line for line in errors if line.startswith("An error occurred (InternalServerException")]
    assert code == 130
    assert re.search(r": try again later; watching goes on, next refresh in (5\d|60) s$", said)


def test_until_done_does_not_wait_for_what_cannot_be_asked_for(
    bare_world: LocalService, passing: Callable[..., Clock]
) -> None:
    of = bare_world.add_run("flow")
    passing(nothing, lambda: bare_world.end_run(of))
    named = ["--workflow-definition-name=flow", "--workflow-definition-name=nope"]
    code, lines, errors = log("--until-done", *named)
    assert (code, len(lines)) == (254, 2)
    assert errors[1].startswith("nope: An error occurred (ResourceNotFoundException)")
    assert errors[-1].startswith("nope: An error occurred (ResourceNotFoundException)")


@pytest.mark.parametrize("option", [[], ["--until-done"]])
def test_if_nothing_can_be_asked_for_at_first_that_is_the_end(
    option: list[str], bare_world: LocalService, passing: Callable[..., Clock]
) -> None:
    passing()
    bare_world.inject("AccessDeniedException", operation="ListWorkflowDefinitions")
    code, lines, errors = log(*option)
    assert (code, lines, len(errors)) == (254, [], 1)
    assert log("--region", "no/where")[0] == 253


def test_later_failures_are_waited_out_but_not_until_done(
    bare_world: LocalService, passing: Callable[..., Clock]
) -> None:
    bare_world.add_run("flow")

    def refuse() -> None:
        bare_world.inject("AccessDeniedException")

    passing(refuse, nothing)
    assert log()[0] == 130
    bare_world.clear_faults()
    passing(refuse)
    assert log("--until-done")[0] == 254


def test_a_throttled_account_is_asked_less_often(
    bare_world: LocalService, passing: Callable[..., Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_world.add_run("flow")
    clock = passing(nothing)
    # Another error stands for a throttle, after which a client would not send for a while.
    monkeypatch.setattr(_watched_runs, "is_throttling", lambda *_: True)
    bare_world.inject("InternalServerException next 1", operation="ListWorkflowRuns")
    _, _, errors = log("--interval", "60")
    assert clock.waits == [60]
    assert errors[0].endswith("throttled 1 time")


def test_a_slow_refresh_is_told_with_advice(
    bare_world: LocalService, passing: Callable[..., Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = passing(nothing)
    monkeypatch.setattr(_watch_formats, "slowness", lambda *_: "it is slow")
    _, _, errors = log("--interval", "60")
    assert len([line for line in errors if line.startswith("it is slow; watching goes on, ")]) == 1
    assert clock.waits


def test_a_screen_needs_a_terminal(bare_world: LocalService) -> None:
    result = run("watch", "--output", "screen")
    assert result.exit_code == 252
    assert "--output screen needs a terminal as standard output" in result.stderr
    assert not bare_world.requests


def test_closed_standard_output_is_an_error(bare_world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_watch, "sys", types.SimpleNamespace(stdout=None))
    result = run("watch")
    assert (result.exit_code, "cannot write the output" in result.stderr) == (255, True)


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch, passing: Callable[..., Clock]) -> Callable[..., list[list[str]]]:
    """Makes the output a terminal, and time pass by a plan on it. Returns what will be drawn on it."""
    monkeypatch.setattr(_lines, "is_terminal", lambda _: True)
    for name, value in {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "100", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    draw = LiveScreen.draw
    drawn: list[list[str]] = []

    def drawing(screen: LiveScreen, lines: list[str]) -> None:
        drawn.append(lines)
        draw(screen, lines)

    def planned(*plans: Callable[[], object]) -> list[list[str]]:
        clock = passing(*plans)

        def wait(screen: LiveScreen, seconds: float) -> None:
            if "so far" in drawn[-1][1]:
                screen.events.get(timeout=60)  # the answer
            else:
                clock.sleep(seconds)

        monkeypatch.setattr(LiveScreen, "wait", wait)
        return drawn

    monkeypatch.setattr(LiveScreen, "draw", drawing)
    return planned


def test_on_a_terminal_the_runs_are_drawn_again_and_again(
    bare_world: LocalService, frames: Callable[..., list[list[str]]]
) -> None:
    of = bare_world.add_run("flow")
    drawn = frames(nothing, lambda: bare_world.end_run(of), nothing, nothing)
    result = run("watch", "--interval", "2")
    assert result.exit_code == 130
    assert drawn[0] == ["Nova Act, us-east-1", "asking, 0 calls so far"]
    assert drawn[1][0] == "1 RUNNING  Nova Act, us-east-1"
    assert re.fullmatch(r"every 2 s: 2 calls in \d\.\d s; next in 2 s", drawn[1][1])
    assert drawn[1][3].startswith(f"  {of.workflow_run_id}  RUNNING    flow  ")
    assert "next in 1 s" in drawn[2][1]
    assert "asking, 0 calls so far" in drawn[3][1]
    assert drawn[4][0] == "1 SUCCEEDED  Nova Act, us-east-1"
    assert drawn[4][3].startswith(f"* {of.workflow_run_id}  SUCCEEDED  flow  ")
    assert result.stdout.endswith("\x1b[?1049l" + "".join([f"{line}\n" for line in drawn[-1]]))
    assert result.stderr == ""


def test_on_a_terminal_until_done_ends_with_the_last_screen(
    bare_world: LocalService, frames: Callable[..., list[list[str]]]
) -> None:
    of = bare_world.add_run("flow")
    drawn = frames(lambda: bare_world.end_run(of, "FAILED"), nothing)
    named = ["--workflow-definition-name=flow", "--workflow-definition-name=nope"]
    result = run("watch", "--interval", "1", "--until-done", *named)
    assert result.exit_code == 254
    assert drawn[-1][0] == "1 FAILED  Nova Act, us-east-1"
    assert drawn[-1][2].startswith("nope: An error occurred (ResourceNotFoundException)")
    assert result.stderr.startswith("novaact-http: nope: An error occurred (ResourceNotFoundException)")


def test_with_debug_a_terminal_gets_a_log(bare_world: LocalService, frames: Callable[..., list[list[str]]]) -> None:
    drawn = frames()
    assert "ListWorkflowDefinitions attempt 1" in run("watch", "--debug", "--until-done").stderr
    assert drawn == []


@needs_terminals
def test_a_real_terminal_is_resized_and_given_back_at_ctrl_c(
    bare_world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl
    import struct
    import termios

    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for number in range(40):
        bare_world.add_run(f"a-workflow-with-a-long-name-{number}")
    terminal, end = os.openpty()
    shown = ""

    def resize(lines: int, columns: int) -> None:
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read_until_drawn(lines: int, columns: int) -> None:
        nonlocal shown
        while (lines, columns) not in sizes():
            assert select.select([terminal], [], [], 60)[0]
            shown += os.read(terminal, 65_536).decode()
            assert shown.count("\x1b[H") < 60  # else it will never be drawn

    def sizes() -> list[tuple[int, int]]:
        """Return the lines and columns of all screens drawn so far."""
        screens = [re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", screen).split("\r\n") for screen in shown.split("\x1b[H")]
        return [(len(lines), max(map(len, lines))) for lines in screens]

    resize(24, 80)
    # The environment is given, as readline, which pytest imports, adds the size of the terminal to that of the process.
    process = spawn("watch", "--interval", "600", stdout=end, stdin=end, env=dict(os.environ))
    try:
        read_until_drawn(24, 80)
        resize(10, 40)
        process.send_signal(signal.SIGWINCH)
        read_until_drawn(10, 40)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.communicate()
    os.close(end)
    with contextlib.suppress(OSError):  # how Linux says that the other end of a terminal is closed
        while data := os.read(terminal, 65_536):
            shown += data.decode()
    os.close(terminal)
    assert shown.startswith("\x1b[?1049h\x1b[?25l")
    assert len(shown.partition("\x1b[0m\x1b[?25h\x1b[?1049l")[2].splitlines()) == 10
