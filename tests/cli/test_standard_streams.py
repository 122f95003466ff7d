"""Standard streams that are closed, full, or no longer read."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from novaact_http.cli import _commands, _concurrent_listings, _errors
from tests.helpers.command import in_shell, list_sessions, naming, raising, run, spawn

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@needs_dev_full
@pytest.mark.parametrize("name", ["ids", "json", "table"])
def test_a_full_disk_is_one_line(name: str, world: LocalService) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        spawn("list-sessions", *naming(world.runs[0]), "--output", name, stdout=full) as process,
    ):
        _, stderr = process.communicate()
    assert process.returncode == 255
    assert stderr == b"novaact-http: cannot write the output: No space left on device\n"


@needs_dev_full
def test_help_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full, spawn("doctor", "--help", stdout=full) as process:
        _, stderr = process.communicate()
    assert process.returncode == 255
    assert stderr == b"novaact-http: cannot write the output: No space left on device\n"


def test_an_error_before_a_command_runs_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_commands.commands, "make_context", raising(NO_SPACE))
    result = run("--help")
    assert (result.exit_code, result.stderr) == (
        255,
        "novaact-http: cannot write the output: No space left on device\n",
    )


def test_a_closed_standard_output_is_one_line(world: LocalService) -> None:
    done = in_shell('"$@" >&-', "list-sessions", *naming(world.runs[0]))
    assert (done.exit_code, done.stderr) == (
        255,
        b"novaact-http: cannot write the output: standard output is closed\n",
    )
    assert not world.requests


def test_a_reader_that_stops_early_is_no_error(world: LocalService) -> None:
    of = world.add_run("long", sessions=3_000)
    line = '"$@" | head -n 1; echo ${PIPESTATUS[0]}'
    done = in_shell(line, "list-sessions", *naming(of), "--output", "ids")
    assert done.stdout.decode().splitlines() == [of.session_ids[0], "0"]
    assert done.stderr == b""
    assert len(world.requests) < 30


def test_a_closed_standard_error_is_no_error(world: LocalService) -> None:
    arguments = ["list-sessions", *naming(world.runs[0]), "--output", "ids", "--max-items", "1"]
    done = in_shell('"$@" 2>&-', *arguments)
    assert (done.exit_code, done.stdout.decode()) == (0, f"{world.runs[0].session_ids[0]}\n")


def test_output_of_several_runs_that_cannot_be_written_is_one_line(
    world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_concurrent_listings.Outlet, "_write", raising(NO_SPACE))
    result = run("list-sessions", *naming(*[world.add_run("many", sessions=3) for _ in range(3)]))
    assert (result.exit_code, result.stdout) == (255, "")
    assert result.stderr == "novaact-http: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 0, ""),
        (NO_SPACE, 255, "cannot write the output: No space left on device"),
        (OSError("odd"), 255, "cannot write the output: odd"),
    ],
)
def test_output_that_cannot_be_written_has_an_exit_code_and_at_most_one_line(
    error: OSError, exit_code: int, message: str, world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_concurrent_listings.Outlet, "_write", raising(error))
    result = list_sessions(world.runs[0], "--output", "ids")
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr == (f"novaact-http: {message}\n" if message else "")


def test_closed_streams_are_reported(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["list-sessions", *naming(world.runs[0])[:2], "--workflow-run-id", "-"]
    lines: list[str] = []
    monkeypatch.setattr(_errors, "say", lines.append)
    monkeypatch.setattr(_commands, "say", lines.append)
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(sys, name, None)
        with pytest.raises(SystemExit):
            _commands.commands(arguments, "novaact-http")
    assert lines[0].startswith("--workflow-run-id - reads standard input, which is closed; see novaact-http list-")
    assert lines[1:] == ["cannot write the output: standard output is closed"]


def test_buffered_output_is_discarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "output"
    with path.open("w") as output:
        output.write("buffered")
        monkeypatch.setattr(sys, "stdout", output)
        _errors.give_up_standard_output()
    assert path.read_text() == ""


def test_discarding_output_without_a_standard_output_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    _errors.give_up_standard_output()
