"""Writes to the standard streams, and makes text safe for terminals: no text from outside can control one."""

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
    """Return text from outside with everything escaped that could control a terminal."""
    if text.isprintable():
        return text
    return "".join([each if each.isprintable() else each.encode("unicode_escape").decode() for each in text])


def quoted(word: str) -> str:
    """Return a word quoted for a shell, on one line."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{printable(escaped)}'"


def write_output(text: str) -> None:
    """Write to standard output, which is not closed: in a terminal's encoding, or, for programs, always in UTF-8."""
    encoding = sys.stdout.encoding if is_terminal(sys.stdout) else "utf-8"
    sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
    sys.stdout.flush()


def say(text: str) -> None:
    """Print a line on standard error. Line breaks and runs of spaces in it become one space."""
    say_exactly(" ".join(text.split()))


def say_exactly(text: str) -> None:
    """Print a line on standard error, with its spaces unchanged."""
    show(f"novaact-http: {text}")


def show(line: str) -> None:
    """Print a line on standard error unchanged, except that what could control a terminal is escaped."""
    # If standard error is full or closed, there is nowhere to report that.
    with contextlib.suppress(OSError):
        click.echo(printable(line), err=True)


@contextlib.contextmanager
def notices(*, debug: bool) -> Iterator[None]:
    """Show what the library warns of and logs as lines on standard error; with `debug`, each attempt too."""
    import logging
    from pathlib import Path

    package = str(Path(__file__).parents[1])

    def show(  # noqa: PLR0917 - as `warnings.showwarning`
        message: Warning | str,
        category: type[Warning],  # noqa: ARG001
        filename: str,
        lineno: int,  # noqa: ARG001
        file: TextIO | None = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        if filename.startswith(package):  # what other packages warn of is nothing that a user can mend
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
    """Tell whether a stream is a terminal. A closed standard stream is None."""
    return stream is not None and stream.isatty()


class Progress:
    """The progress of a long listing: one line on standard error, updated in place and erased at the end.

    Shown only if standard error is a terminal that can erase.

    Args:
        noun: what is listed, such as `"session"`.
        streamed: whether output is written page by page. If it goes to the same terminal, no progress is shown.
    """

    def __init__(self, noun: str, *, streamed: bool) -> None:
        self._noun = noun
        self._shares_terminal = is_terminal(sys.stdout)
        can_erase = is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._shown = can_erase and not (streamed and self._shares_terminal)
        self._lock = threading.Lock()
        self._pages = 0
        self._items = 0
        self._is_on_screen = False

    def add(self, items: int) -> None:
        """Count a page with this many items."""
        if not self._shown:
            return
        with self._lock:
            self._pages += 1
            self._items += items
            if self._pages > 1:  # most listings are short
                self._is_on_screen = True
                self._write(f"\r{self._items:,} {self._noun}s, {self._pages:,} pages ...")

    def erased_for_output(self) -> contextlib.AbstractContextManager[None]:
        """Erase the line while output is written, if both go to the same terminal."""
        return self.erased() if self._shares_terminal else contextlib.nullcontext()

    @contextlib.contextmanager
    def erased(self) -> Iterator[None]:
        """Erase the line, and do not show it while something else is written."""
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
