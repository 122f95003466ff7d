"""A terminal's whole screen that is drawn in place."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from novaact_http.cli._live_screen import Event, LiveScreen
from tests.helpers.platforms import needs_signals
from tests.helpers.terminals import Terminal

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[0m\x1b[?25h\x1b[?1049l"


def terminal_for(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard output a terminal. No fixture, as pytest replaces standard output before a test."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    return terminal


def test_lines_are_drawn_in_place_and_stay_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)
    with pytest.raises(KeyboardInterrupt), LiveScreen() as screen:
        screen.draw(["one", "two"])
        screen.draw(["three"])
        raise KeyboardInterrupt
    drawn = "\x1b[H\x1b[Kone\n\x1b[Jtwo\x1b[H\x1b[Jthree"
    assert terminal.shown.replace("\r\n", "\n") == f"{ENTER}{drawn}{LEAVE}three\n"


def test_a_wait_ends_with_an_event_or_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_for(monkeypatch)
    with LiveScreen() as screen:
        screen.events.put(Event.ANSWERED)
        screen.wait(1_000)
        screen.wait(0)


@needs_signals
def test_another_size_of_the_terminal_ends_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_for(monkeypatch)
    with LiveScreen() as screen:
        os.kill(os.getpid(), signal.SIGWINCH)
        screen.wait(1_000)


@needs_signals
def test_ctrl_z_gives_the_screen_back_while_the_program_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)
    stopped: list[tuple[int, str]] = []
    with LiveScreen() as screen:
        os.kill(os.getpid(), signal.SIGTSTP)
        monkeypatch.setattr(os, "kill", lambda _, number: stopped.append((number, terminal.shown)))
        screen.wait(1_000)
        assert stopped == [(signal.SIGSTOP, ENTER + LEAVE)]
        assert terminal.shown == ENTER + LEAVE + ENTER


@needs_signals
def test_a_program_that_is_terminated_gives_the_screen_back(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)
    with pytest.raises(SystemExit) as caught, LiveScreen():
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.code == 143
    assert terminal.shown == ENTER + LEAVE


@needs_signals
def test_signals_are_handled_as_before_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal_for(monkeypatch)
    names = ("SIGWINCH", "SIGTSTP", "SIGTERM")
    before = [signal.getsignal(getattr(signal, name)) for name in names]
    with LiveScreen():
        assert all(signal.getsignal(getattr(signal, name)) not in before for name in names)
    assert [signal.getsignal(getattr(signal, name)) for name in names] == before


def test_a_platform_may_lack_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_for(monkeypatch)
    for name in ("SIGWINCH", "SIGTSTP"):
        monkeypatch.delattr(signal, name, raising=False)
    with LiveScreen():
        pass
    assert terminal.shown == ENTER + LEAVE
