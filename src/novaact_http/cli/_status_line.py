"""One line on standard error that changes in place, while something is going on."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

from novaact_http.cli._lines import can_move_cursor, look_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

_PAUSE = 0.1  # seconds between two changes


class StatusLine:
    """The line, as a context manager that erases it at the end. Any thread may change it.

    Attributes:
        is_shown: whether standard error is a terminal that can erase; without that there is no line.
    """

    def __init__(self) -> None:
        self.is_shown = can_move_cursor(sys.stderr)
        self._lock = threading.Lock()
        self._next = time.monotonic() + _PAUSE  # what is over at once needs no line
        self._is_on_screen = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.erased():
            self.is_shown = False

    def show(self, text: str) -> None:
        """Show a text, unless another one has just been shown."""
        now = time.monotonic()
        if not self.is_shown or now < self._next:
            return
        line = look_of(sys.stderr).line((text, ""), ())
        with self._lock:
            if self.is_shown:
                self._next = now + _PAUSE
                self._is_on_screen = True
                self._write(f"\r{line}\x1b[K")

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
