"""A terminal's whole screen, drawn again and again in place, and given back as it was at the end.

Signal handlers only put an event into a queue or raise. So a write is never interrupted by another one.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from enum import Enum, auto
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

# The alternate screen, without a cursor; at its end, styles that a cut line has left on are switched off.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[0m\x1b[?25h\x1b[?1049l"
_HOME, _ERASE_LINE, _ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_TERMINATED = 128 + 15


class Event(Enum):
    """What can happen while a screen is shown."""

    RESIZED = auto()
    SUSPENDED = auto()  # by Ctrl-Z
    ANSWERED = auto()


class LiveScreen:
    """The screen, as a context manager on the main thread. At its end, what it showed last is printed as lines.

    Attributes:
        events: what has happened. Any thread may put an event.
    """

    def __init__(self) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self._lines: Sequence[str] = ()
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._handle("SIGWINCH", lambda *_: self.events.put(Event.RESIZED))
        self._handle("SIGTSTP", lambda *_: self.events.put(Event.SUSPENDED))
        self._handle("SIGTERM", _terminate)
        self._write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write(_LEAVE + "".join([f"{line}\n" for line in self._lines]))
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw lines from the top on. There must be at least one, no more than the screen has, and none wider."""
        self._lines = lines
        # What was there is erased before a line is written: after it the cursor may still be on its last character.
        above = "".join([f"{_ERASE_LINE}{line}\n" for line in lines[:-1]])
        self._write(f"{_HOME}{above}{_ERASE_BELOW}{lines[-1]}")

    def wait(self, seconds: float) -> None:
        """Wait for an event, but no longer than this. Ctrl-Z stops the program here."""
        try:
            event = self.events.get(timeout=seconds)
        except Empty:
            return
        if event is Event.SUSPENDED:
            self._write(_LEAVE)
            os.kill(os.getpid(), signal.SIGSTOP)
            self._write(_ENTER)

    @staticmethod
    def size() -> os.terminal_size:
        """Return the size of the terminal."""
        return shutil.get_terminal_size()

    def _handle(self, name: str, handler: Any) -> None:
        number = getattr(signal, name, None)  # Windows has not all of them
        if number is not None:
            self._handlers[number] = signal.signal(number, handler)

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(_TERMINATED)
