"""Listings of several runs at once, whose output comes whole and in the order asked for.

The main thread alone writes to standard output, so that Ctrl-C ends that too, however long its reader takes. From the
run whose turn it is it takes page by page; what runs after it list meanwhile is spooled, in memory at first and on disk
then. Threads are daemons, so that nobody waits for them on Ctrl-C.
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

_SPOOLED_IN_MEMORY = 1 << 16  # bytes of each run
_AHEAD = 4  # how many runs for each thread may be spooled, so that files and memory do not run out
_COPIED = 1 << 16  # bytes at once


class Outlet:
    """What one run writes to, which is standard output in the end.

    Attributes:
        token: from which to go on after what has reached standard output, or None.
    """

    def __init__(self, encoding: str, progress: Progress) -> None:
        self.token: str | None = None
        self._encoding = encoding
        self._progress = progress
        self._changed = threading.Condition()  # nobody has its lock while standard output is written
        self._spool: SpooledTemporaryFile[bytes] | None = None
        self._spooled_token: str | None = None
        self._handed_over: tuple[bytes, str | None] | None = None
        self._is_direct = False
        self._has_turn = False
        self._has_ended = False
        self._is_closed = False

    def write(self, text: str, token: str | None) -> None:
        """Write text, after which the listing goes on from the token."""
        data = text.encode(self._encoding, "backslashreplace")  # of a terminal, which may not have all
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
                import tempfile  # 10 ms to import, and most list one run

                self._spool = tempfile.SpooledTemporaryFile(_SPOOLED_IN_MEMORY)  # noqa: SIM115 - closed by `pour`
            if self._spool is not None:
                self._spool.write(data)
            self._spooled_token = token

    def end(self) -> None:
        """The run writes no more."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def open(self) -> None:
        """The run is listed on the main thread: what it writes goes to standard output at once."""
        self._is_direct = True

    def pour(self) -> None:
        """It is the run's turn: on the main thread, bring to standard output what it writes until it ends."""
        with self._changed:
            self._has_turn = True
            spool, self._spool = self._spool, None
        if spool is not None:
            with spool:
                spool.seek(0)
                while data := spool.read(_COPIED):
                    self._write(data, None)
        self.token = self._spooled_token
        while (page := self._next()) is not None:
            self._write(*page)

    def close(self) -> None:
        """Nothing more is written, and what is not written yet is forgotten."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            if self._spool is not None:
                self._spool.close()
                self._spool = None

    def _next(self) -> tuple[bytes, str | None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._handed_over is not None or self._has_ended)
            page, self._handed_over = self._handed_over, None
            self._changed.notify_all()
            return page

    def _write(self, data: bytes, token: str | None) -> None:
        if data:
            with self._progress.apart_from_output():
                sys.stdout.buffer.write(data)
                sys.stdout.flush()
        self.token = token


class Run(Protocol):
    """A run, as far as this module knows it."""

    outlet: Outlet

    def list(self) -> None:
        """List it, and keep what goes wrong."""
        ...


def in_order(runs: Sequence[Run], concurrency: int) -> Generator[int, None, None]:
    """List the runs, so many at once, and yield the number of each when it is done and written, in their order.

    If it ends early, their outlets are closed: threads may still be listing.
    """
    try:
        yield from _in_order(runs, concurrency)
    finally:
        for run in runs:
            run.outlet.close()


def _in_order(runs: Sequence[Run], concurrency: int) -> Iterator[int]:
    if len(runs) == 1:
        runs[0].outlet.open()
        runs[0].list()
        yield 0
        return
    to_do: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(runs)):
        to_do.put(number)
    slots = threading.Semaphore(_AHEAD * concurrency)

    def work() -> None:
        while True:
            slots.acquire()
            try:
                number = to_do.get_nowait()
            except queue.Empty:
                return
            try:
                runs[number].list()
            finally:
                runs[number].outlet.end()

    _start(work, min(concurrency, len(runs)))
    for number, run in enumerate(runs):
        run.outlet.pour()
        slots.release()
        yield number


def _start(work: Callable[[], None], threads: int) -> None:
    for _ in range(threads):
        threading.Thread(target=work, name="novaact-list", daemon=True).start()
