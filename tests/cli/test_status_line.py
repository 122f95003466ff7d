"""The line on standard error that changes in place."""

from __future__ import annotations

import sys
import types

import pytest

from novaact_http.cli import _status_line
from novaact_http.cli._status_line import StatusLine
from tests.helpers.terminals import Terminal


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    return Terminal()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which passes when a test changes it."""
    now = [0.0]
    monkeypatch.setattr(_status_line, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_it_changes_in_place_not_too_often_and_is_erased(
    screen: Terminal, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    with StatusLine() as line:
        line.show("too soon")
        clock[0] = 0.1
        line.show("one")
        clock[0] = 0.15
        line.show("too soon again")
        clock[0] = 0.3
        line.show("longer than the terminal is wide")
        with line.erased():
            screen.write("|")
        with line.erased():
            screen.write("|")
        clock[0] = 0.5
        line.show("two")
    clock[0] = 0.9
    line.show("after the end")
    assert screen.shown == "\rone\x1b[K\rlonger than the ter…\x1b[K\r\x1b[K||\rtwo\x1b[K\r\x1b[K"


def test_a_terminal_that_cannot_erase_has_no_line(
    screen: Terminal, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "dumb")
    with StatusLine() as line:
        clock[0] = 1
        line.show("one")
    assert screen.shown == ""


def test_a_thread_that_comes_after_the_end_shows_nothing(
    screen: Terminal, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", screen)
    line = StatusLine()
    clock[0] = 1

    def end_meanwhile(_: object) -> object:
        with line:
            pass
        return types.SimpleNamespace(line=lambda *_: "late")

    monkeypatch.setattr(_status_line, "look_of", end_meanwhile)
    line.show("one")
    assert screen.shown == ""
