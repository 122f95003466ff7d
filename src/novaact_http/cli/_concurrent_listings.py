"""Lists several runs at once, and writes their output in the order that was asked for, one run after another.

Only the main thread writes to standard output, so that Ctrl-C interrupts a write, however slow the reader is. It writes
the first unfinished run page by page; the output of later runs is spooled, first in memory and then on disk. The
threads are daemons, so that Ctrl-C does not wait for them.
"""

from __future__ import annotations

import queue
import sys
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from tempfile import SpooledTemporaryFile

    from novaact_http.cli._terminal import Progress

_SPOOLED_IN_MEMORY = 1 << 16  # bytes of each run; the rest goes to disk
_AHEAD = 4  # how many runs may be spooled for each thread, to limit files and memory
_COPIED = 1 << 16  # bytes at once


class Outlet:
    """Takes the output of one run, and brings it to standard output.

    Attributes:
        token: the token that continues the listing after what has reached standard output, or None.
    """

    def __init__(self, encoding: str, progress: Progress) -> None:
        self.token: str | None = None
        self._encoding = encoding
        self._progress = progress
        self._changed = threading.Condition()  # its lock is free while standard output is written
        self._spool: SpooledTemporaryFile[bytes] | None = None
        self._spooled_token: str | None = None
        self._handed_over: tuple[bytes, str | None] | None = None
        self._is_direct = False
        self._has_turn = False
        self._has_ended = False
        self._is_closed = False

    def write(self, text: str, token: str | None) -> None:
        """Write text. The token continues the listing after it."""
        data = text.encode(self._encoding, "backslashreplace")  # a terminal's encoding may lack some characters
        if self._is_direct:
            self._write(data, token)
            return
        with self._changed:
            if self._has_turn:
                self._changed.wait_for(lambda: self._handed_over is None or self._is_closed)
            if self._is_closed:
                return
            if self._has_turn:
                self._handed_over = data, token
                self._changed.notify_all()
                return
            if self._spool is None and data:
                import tempfile  # 10 ms to import, and usually one run is listed

                self._spool = tempfile.SpooledTemporaryFile(_SPOOLED_IN_MEMORY)  # noqa: SIM115 - closed by `copy_to_output`
            if self._spool is not None:
                self._spool.write(data)
            self._spooled_token = token

    def end(self) -> None:
        """Tell that the run has ended and writes no more."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def write_directly(self) -> None:
        """Write directly to standard output, as the run is listed on the main thread."""
        self._is_direct = True

    def copy_to_output(self) -> None:
        """Write the run's output to standard output until the run ends. Called on the main thread."""
        with self._changed:
            self._has_turn = True
            spool, self._spool = self._spool, None
        if spool is not None:
            with spool:
                spool.seek(0)
                while data := spool.read(_COPIED):
                    self._write(data, None)
        self.token = self._spooled_token
        while (page := self._take_page()) is not None:
            self._write(*page)

    def close(self) -> None:
        """Discard what is not written yet, and what the run still writes."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            if self._spool is not None:
                self._spool.close()
                self._spool = None

    def _take_page(self) -> tuple[bytes, str | None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._handed_over is not None or self._has_ended)
            page, self._handed_over = self._handed_over, None
            self._changed.notify_all()
            return page

    def _write(self, data: bytes, token: str | None) -> None:
        if data:
            with self._progress.erased_for_output():
                sys.stdout.buffer.write(data)
                sys.stdout.flush()
        self.token = token


class Run(Protocol):
    """What this module needs of a run."""

    outlet: Outlet

    def list(self) -> None:
        """List the run, and keep its error, if any."""
        ...


def in_order(runs: Sequence[Run], concurrency: int) -> Generator[int, None, None]:
    """List runs, `concurrency` at once, and yield the index of each once it is listed and written, in order.

    If the generator is closed early, so are the outlets, as threads may still be listing.
    """
    try:
        yield from _in_order(runs, concurrency)
    finally:
        for run in runs:
            run.outlet.close()


def _in_order(runs: Sequence[Run], concurrency: int) -> Iterator[int]:
    if len(runs) == 1:
        runs[0].outlet.write_directly()
        runs[0].list()
        yield 0
        return
    pending: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(runs)):
        pending.put(number)
    slots = threading.Semaphore(_AHEAD * concurrency)

    def work() -> None:
        while True:
            slots.acquire()
            try:
                number = pending.get_nowait()
            except queue.Empty:
                return
            try:
                runs[number].list()
            finally:
                runs[number].outlet.end()

    _start_threads(work, min(concurrency, len(runs)))
    for number, run in enumerate(runs):
        run.outlet.copy_to_output()
        slots.release()
        yield number


def _start_threads(work: Callable[[], None], threads: int) -> None:
    for _ in range(threads):
        threading.Thread(target=work, name="novaact-list", daemon=True).start()
