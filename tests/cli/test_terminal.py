"""What a person sees: the installed command in a pseudo-terminal of 80 columns, byte for byte."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from novaact_http.cli._terminal import Progress
from tests.helpers.answers import page_body
from tests.helpers.command import in_terminal, naming

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

ERASED = b"\r\x1b[K"


def test_the_table_has_colours_and_no_pager(world: LocalService) -> None:
    of = world.runs[1]
    shown = in_terminal(["list-sessions", *naming(of)], stdout=True, stderr=True)
    assert shown.exit_code == 0
    assert shown.stderr == b""
    assert shown.stdout.decode().replace("\r\n", "\n") == (
        "#  \x1b[1mSession ID\x1b[0m\n" + "".join([f"{n}  {each}\n" for n, each in enumerate(of.session_ids, start=1)])
    )


def test_in_a_pipe_the_table_is_plain(world: LocalService) -> None:
    shown = in_terminal(["list-sessions", *naming(world.runs[1]), "--output", "table"], stdout=False, stderr=False)
    assert b"\x1b" not in shown.stdout
    assert shown.stdout.decode().splitlines()[0] == "#  Session ID"


def test_a_long_listing_shows_its_progress_and_erases_it(world: LocalService) -> None:
    arguments = ["list-sessions", *naming(world.runs[0]), "--output", "json", "--page-size", "10"]
    shown = in_terminal(arguments, stdout=True, stderr=True)
    assert shown.stderr == (b"\r20 sessions, 2 pages ...\r30 sessions, 3 pages ...\r34 sessions, 4 pages ..." + ERASED)


def test_a_short_listing_shows_no_progress(world: LocalService) -> None:
    assert in_terminal(["list-sessions", *naming(world.runs[0])], stdout=True, stderr=True).stderr == b""


@pytest.mark.parametrize(
    ("stdout", "stderr", "is_shown"), [(True, True, False), (False, True, True), (False, False, False)]
)
def test_progress_is_not_shown_among_output_on_the_same_terminal(
    stdout: bool, stderr: bool, is_shown: bool, world: LocalService
) -> None:
    arguments = ["list-sessions", *naming(world.runs[0]), "--output", "ids", "--page-size", "12"]
    shown = in_terminal(arguments, stdout=stdout, stderr=stderr)
    progress = b"\r24 sessions, 2 pages ...\r34 sessions, 3 pages ..." + ERASED
    assert shown.stderr == (progress if is_shown else b"")
    assert shown.stdout.decode().split() == list(world.runs[0].session_ids)


def test_an_error_comes_after_progress_is_erased(world: LocalService) -> None:
    for token in ("AAAA", "not a token"):
        world.answer_next(200, page_body("a", next_token=token))
    arguments = ["list-sessions", *naming(world.runs[0]), "--output", "json"]
    shown = in_terminal(arguments, stdout=True, stderr=True)
    assert shown.exit_code == 254
    assert shown.stdout == b""
    assert shown.stderr.startswith(b"\r2 sessions, 2 pages ..." + ERASED + b"novaact-http: An error occurred (Valid")


def test_ids_cannot_control_a_terminal(world: LocalService) -> None:
    for name, text in (
        ("ids", r"a\x1b[31m\nb\x7f\x9b\u202e"),
        ("text", r"SESSIONSUMMARIES" + "\t" + r"a\x1b[31m\nb\x7f\x9b\u202e"),
        ("jsonl", '{"sessionId": "a\\u001b[31m\\nb\\u007f\\u009b\\u202e"}'),
    ):
        world.answer_next(200, page_body("a\x1b[31m\nb\x7f\x9b\u202e"))
        shown = in_terminal(["list-sessions", *naming(world.runs[0]), "--output", name], stdout=True, stderr=False)
        assert shown.stdout.decode().strip("\r\n").expandtabs() == text.expandtabs()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def standard_error(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard error a terminal. No fixture, as pytest replaces standard error before a test."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    return screen


def test_progress_is_erased_while_something_else_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = standard_error(monkeypatch)
    progress = Progress("session", streamed=False)
    with progress.erased():
        assert screen.getvalue() == ""
    for _ in range(2):
        progress.add(1_000)
    with progress.erased():
        screen.write("|")
    progress.add(5)
    assert screen.getvalue() == "\r2,000 sessions, 2 pages ...\r\x1b[K|\r2,005 sessions, 3 pages ..."


def test_a_terminal_that_cannot_erase_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = standard_error(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    progress = Progress("session", streamed=False)
    for _ in range(3):
        progress.add(1)
    assert screen.getvalue() == ""


def test_a_document_of_several_runs_erases_progress_before_each(world: LocalService) -> None:
    runs = [world.add_run("many", sessions=2) for _ in range(2)]
    arguments = ["list-sessions", *naming(*runs), "--page-size", "1", "--output", "json"]
    shown = in_terminal(arguments, stdout=True, stderr=True)
    assert shown.stderr.endswith(ERASED)
    assert shown.stdout.count(b"sessionSummaries") == 2


def test_output_to_the_same_terminal_erases_progress_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = standard_error(monkeypatch)
    for is_shared, expected in ((True, "\r2 sessions, 2 pages ...\r\x1b[K|"), (False, "\r2 sessions, 2 pages ...|")):
        screen.seek(0)
        screen.truncate()
        monkeypatch.setattr(sys, "stdout", Terminal() if is_shared else io.StringIO())
        progress = Progress("session", streamed=False)
        for _ in range(2):
            progress.add(1)
        with progress.erased_for_output():
            screen.write("|")
        assert screen.getvalue() == expected
