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

_PAUSE = 0.1  # seconds between two changes


class StatusLine:
    """The line. It is shown only if standard error is a terminal that can erase. Any thread may change it."""

    def __init__(self) -> None:
        self.is_shown = can_move_cursor(sys.stderr)
        self._lock = threading.Lock()
        self._look = look_of(sys.stderr) if self.is_shown else None
        self._next = time.monotonic() + _PAUSE  # what is over at once needs no line
        self._is_on_screen = False

    def show(self, text: str) -> None:
        """Show a text, unless another one has just been shown."""
        now = time.monotonic()
        if self._look is None or now < self._next:
            return
        with self._lock:
            self._next = now + _PAUSE
            self._is_on_screen = True
            self._write(f"\r{self._look.line((text, ''), ())}\x1b[K")

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
