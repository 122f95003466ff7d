"""What tests of the command line need: the command in this process, as a process of its own, and in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from click.testing import CliRunner, Result

from novaact_http.cli import _commands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from novaact_http.testing import LocalService, WorkflowRun

COMMAND = str(Path(sys.executable).with_name("novaact-http"))


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(_commands.commands, arguments, input=stdin, prog_name="novaact-http")


def naming(*runs: WorkflowRun) -> list[str]:
    """The options that name runs, all of one definition."""
    named = ["--workflow-definition-name", runs[0].workflow_definition_name]
    for each in runs:
        named += ["--workflow-run-id", each.workflow_run_id]
    return named


def list_sessions(of: WorkflowRun, *arguments: str) -> Result:
    return run("list-sessions", *naming(of), *arguments)


def spawn(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    """The installed command, as a process of its own."""
    return subprocess.Popen([COMMAND, *arguments], **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})  # type: ignore[call-overload,no-any-return]


class Shown(NamedTuple):
    stdout: bytes
    stderr: bytes
    exit_code: int


def in_terminal(arguments: Sequence[str], *, stdout: bool, stderr: bool) -> Shown:
    """Run the installed command with a pseudo-terminal of 80 columns for what is True, and pipes for what is not."""
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
    """Makes the local service answer some requests only when it is told to.

    Attributes:
        asked: set when the first of them has come.
    """

    def __init__(self, service: LocalService, held: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = threading.Event()
        self._released = threading.Event()
        self._was_in_time = True
        answer = service._nova_act.answer

        def answering(method: str, target: str, body: bytes) -> object:
            if held(target):
                self.asked.set()
                self._was_in_time &= self._released.wait(10)
            return answer(method, target, body)

        monkeypatch.setattr(service._nova_act, "answer", answering)

    def let_go(self) -> None:
        """Answer them. All that came before must not have waited for that."""
        assert self._was_in_time
        self._released.set()
