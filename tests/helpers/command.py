"""Ways to run the command line: in this process, as a process of its own, by a shell, and in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import pytest
from click.testing import CliRunner, Result

from novaact_http.cli import _commands
from tests.helpers.platforms import NO_BASH, NO_TERMINALS, WINDOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from novaact_http.testing import LocalService, WorkflowRun

COMMAND = str(Path(sys.executable).with_name("novaact-http"))


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(_commands.commands, arguments, input=stdin, prog_name="novaact-http")


def naming(*runs: WorkflowRun) -> list[str]:
    """Return the options that name runs, all of one definition."""
    named = ["--workflow-definition-name", runs[0].workflow_definition_name]
    for each in runs:
        named += ["--workflow-run-id", each.workflow_run_id]
    return named


def list_sessions(of: WorkflowRun, *arguments: str) -> Result:
    """List one run in this process."""
    return run("list-sessions", *naming(of), *arguments)


def spawn(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    """Start the installed command as a process of its own."""
    return subprocess.Popen([COMMAND, *arguments], **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})  # type: ignore[call-overload,no-any-return]


class Shown(NamedTuple):
    """What a process wrote, and its exit code."""

    stdout: bytes
    stderr: bytes
    exit_code: int


def in_shell(line: str, *arguments: str) -> Shown:
    """Run a line of bash, in which `"$@"` stands for the installed command with these arguments."""
    if WINDOWS:
        pytest.skip(NO_BASH)
    done = subprocess.run(["bash", "-c", line, "bash", COMMAND, *arguments], capture_output=True, check=False)
    return Shown(done.stdout, done.stderr, done.returncode)


def raising(error: BaseException) -> Callable[..., NoReturn]:
    """Return a function that raises an error, whatever its arguments are."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def in_terminal(arguments: Sequence[str], *, stdout: bool, stderr: bool) -> Shown:
    """Run the installed command with a pseudo-terminal of 80 columns for what is True, and pipes for what is not."""
    if WINDOWS:
        pytest.skip(NO_TERMINALS)
    import fcntl
    import struct
    import termios

    readers, ends = [], []
    for is_terminal in (stdout, stderr):
        reader, end = os.openpty() if is_terminal else os.pipe()
        if is_terminal:
            fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        readers.append(reader)
        ends.append(end)
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", "PYTHONIOENCODING": "utf-8"}
    for name in ("NO_COLOR", "FORCE_COLOR"):
        environ.pop(name, None)
    with subprocess.Popen(
        [COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=ends[0], stderr=ends[1], env=environ
    ) as process:
        for end in ends:
            os.close(end)
        texts = _read_all(readers)
    return Shown(texts[0], texts[1], process.returncode)


def _read_all(readers: Sequence[int]) -> list[bytes]:
    import select

    texts = dict.fromkeys(readers, b"")
    open_readers = set(readers)
    while open_readers:
        for reader in select.select(list(open_readers), [], [])[0]:
            try:
                data = os.read(reader, 65_536)
            except OSError:  # how Linux says that the other end of a terminal is closed
                data = b""
            texts[reader] += data
            if not data:
                open_readers.remove(reader)
                os.close(reader)
    return [texts[reader] for reader in readers]


class Held:
    """Holds back the local service's responses to some requests until `let_go` is called.

    Args:
        service: the service.
        held: tells of a request's target whether its response is held back.
        monkeypatch: pytest's fixture.

    Attributes:
        asked: set when the first of these requests has come.
    """

    def __init__(self, service: LocalService, held: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self._released = threading.Event()
        self._was_in_time = True
        answer = service._nova_act.answer

        def answering(route: Any, request: Any) -> object:
            if held(request.target):
                self.asked.set()
                self._was_in_time &= self._released.wait(10)
            return answer(route, request)

        monkeypatch.setattr(service._nova_act, "answer", answering)

    def let_go(self) -> None:
        """Send the responses. The test fails if one was held back for too long, and so was sent before."""
        assert self._was_in_time
        self._released.set()
