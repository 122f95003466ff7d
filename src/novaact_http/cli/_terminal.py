"""Standard error, and what may be shown on a terminal. Text from outside never steers one."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import threading
import warnings
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


def printable(text: str) -> str:
    """The text with what could steer a terminal escaped: it came from outside."""
    if text.isprintable():
        return text
    return "".join([each if each.isprintable() else each.encode("unicode_escape").decode() for each in text])


def quoted(word: str) -> str:
    """The word as a shell takes it, on one line."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{printable(escaped)}'"


def say(text: str) -> None:
    """Print a line on standard error. Lines and spaces in it are kept together as one."""
    say_exactly(" ".join(text.split()))


def say_exactly(text: str) -> None:
    """Print a line on standard error, with its spaces as they are."""
    show(f"novaact-http: {text}")


def show(line: str) -> None:
    """Print a line on standard error as it is, but for what could steer a terminal."""
    # Nobody can be told that standard error is full or gone.
    with contextlib.suppress(OSError):
        click.echo(printable(line), err=True)


@contextlib.contextmanager
def notices(*, debug: bool) -> Iterator[None]:
    """Show warnings, and what the library logs, as lines on standard error: each attempt too, with `debug`."""
    import logging

    def show(message: Warning | str, *_: object, **__: object) -> None:
        say(f"warning: {message}")

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(f"{record.levelname.lower()}: {record.getMessage()}")

    logger, handler = logging.getLogger("novaact_http"), Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = show
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def is_terminal(stream: TextIO | None) -> bool:
    """Is it one? A standard stream that is closed is None."""
    return stream is not None and stream.isatty()


class Progress:
    """How far a long listing has come: a line on standard error that is written over, and erased at the end.

    It takes a terminal on standard error, and one that can erase.

    Args:
        streamed: output is written all the time; if it goes to the terminal too, it is progress enough.
    """

    def __init__(self, *, streamed: bool) -> None:
        self._shares_terminal = is_terminal(sys.stdout)
        can_erase = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._shown = can_erase and not (streamed and self._shares_terminal)
        self._lock = threading.Lock()
        self._pages = 0
        self._sessions = 0
        self._is_on_screen = False

    def add(self, sessions: int) -> None:
        """A page with so many sessions has come."""
        if not self._shown:
            return
        with self._lock:
            self._pages += 1
            self._sessions += sessions
            if self._pages > 1:  # most listings are over before anybody wonders
                self._is_on_screen = True
                self._write(f"\r{self._sessions:,} sessions, {self._pages:,} pages ...")

    def apart_from_output(self) -> contextlib.AbstractContextManager[None]:
        """Keep the line apart from the output that is written meanwhile."""
        return self.erased() if self._shares_terminal else contextlib.nullcontext()

    @contextlib.contextmanager
    def erased(self) -> Iterator[None]:
        """Erase the line, and keep it away while something else is written."""
        with self._lock:
            if self._is_on_screen:
                self._is_on_screen = False
                self._write("\r\x1b[K")
            yield

    @staticmethod
    def _write(text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
