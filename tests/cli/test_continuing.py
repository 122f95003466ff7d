"""How to continue a listing that failed, was limited or was interrupted."""

from __future__ import annotations

import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from novaact_http.cli import _commands, _concurrent_listings, _errors, _listing, _terminal
from tests.helpers.answers import page_body
from tests.helpers.command import Held, list_sessions, naming, raising, run, spawn
from tests.helpers.platforms import needs_bash, needs_signals

if TYPE_CHECKING:
    from novaact_http.testing import LocalService


@pytest.mark.parametrize("name", ["ids", "jsonl", "text", "table"])
def test_a_listing_that_fails_in_the_middle_says_how_to_continue(name: str, world: LocalService) -> None:
    of = world.runs[0]
    world.answer_next(200, page_body(*of.session_ids[:3], next_token="not a token"))
    result = list_sessions(of, "--output", name, "--sort-order", "Ascending")
    assert result.exit_code == 254
    assert all(each in result.stdout for each in of.session_ids[:3])
    failure, advice = result.stderr.splitlines()
    assert "ValidationException" in failure
    start = "novaact-http: there are more sessions; continue with: novaact-http list-sessions "
    assert advice.startswith(f"{start}--workflow-definition-name {of.workflow_definition_name} --sort-order Ascending")
    assert f"--workflow-run-id {of.workflow_run_id} --starting-token " in advice


def test_an_incomplete_document_is_not_printed(world: LocalService) -> None:
    world.answer_next(200, page_body("a", next_token="not a token"))
    result = list_sessions(world.runs[0], "--output", "json")
    assert (result.exit_code, result.stdout) == (254, "")
    assert (
        "the sessions listed so far are not printed, as an incomplete document would look complete; " in result.stderr
    )


def test_the_printed_command_continues_the_listing(world: LocalService) -> None:
    of = world.add_run("other", sessions=25)
    listed: list[str] = []
    arguments = ["list-sessions", *naming(of), "--output", "ids", "--max-items", "10", "--page-size", "7"]
    while arguments:
        result = run(*arguments)
        listed += result.stdout.splitlines()
        command = result.stderr.partition("continue with: novaact-http ")[2]
        arguments = shlex.split(command)
    assert listed == list(of.session_ids)


@needs_bash
@pytest.mark.parametrize("word", ["plain", "with space", "it's", "a\nb", "\x1b[31m", "back\\slash\n", "é", ""])
def test_words_are_quoted_for_a_shell(word: str) -> None:
    quoted = _terminal.quoted(word)
    assert quoted.isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert done.stdout.decode() == word


@needs_signals
def test_an_interruption_says_only_how_to_continue(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    of = world.runs[0]
    held = Held(world, lambda target: "nextToken" in target, monkeypatch)
    with spawn("list-sessions", *naming(of), "--output", "ids", "--page-size", "10") as process:
        assert held.asked.wait(30)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate()
        held.let_go()
    assert process.returncode == 130
    assert stdout.decode().splitlines() == list(of.session_ids[:10])
    assert stderr.startswith(b"novaact-http: there are more sessions; continue with: novaact-http list-sessions ")
    assert stderr.count(b"\n") == 1


def test_an_interruption_before_the_first_page_prints_nothing(
    world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_listing.Listing, "_list_pages", raising(KeyboardInterrupt()))
    result = list_sessions(world.runs[0])
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")
    monkeypatch.setattr(_listing, "_several", raising(KeyboardInterrupt()))
    result = list_sessions(world.runs[0])
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "")


def test_an_interrupted_last_write_is_not_repeated(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def interrupt(_: object, data: bytes, token: str | None) -> None:
        written.append(data)
        raise KeyboardInterrupt

    monkeypatch.setattr(_concurrent_listings.Outlet, "_write", interrupt)
    for arguments in ([], ["--no-paginate"]):
        assert list_sessions(world.runs[0], *arguments).exit_code == 130
    assert len(written) == 2


def test_a_ctrl_c_prints_nothing() -> None:
    assert _errors.report(KeyboardInterrupt(), debug=True) == 130
    assert _errors.exit_code(KeyboardInterrupt()) == 130


def test_an_interruption_before_a_command_runs_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_commands.commands, "make_context", raising(KeyboardInterrupt()))
    assert run("--version").exit_code == 130
