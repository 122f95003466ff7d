"""Listings of several runs at once, whose output comes whole and in the order asked for.

The run whose turn it is writes to standard output as its pages come; what runs after it list meanwhile is spooled, in
memory at first and on disk then. Threads are daemons, so that nobody waits for them on Ctrl-C.
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
    """What one run writes to: standard output when it is the run's turn, a spool before that.

    Attributes:
        token: from which to go on after what has reached standard output, or None.
    """

    def __init__(self, encoding: str, progress: Progress) -> None:
        self.token: str | None = None
        self._encoding = encoding
        self._progress = progress
        self._lock = threading.Lock()
        self._spool: SpooledTemporaryFile[bytes] | None = None
        self._spooled_token: str | None = None
        self._is_open = False
        self._is_closed = False

    def write(self, text: str, token: str | None) -> None:
        """Write text, after which the listing goes on from the token."""
        data = text.encode(self._encoding, "backslashreplace")  # of a terminal, which may not have all
        with self._lock:
            if self._is_closed:
                return
            if self._is_open:
                self._write(data)
                self.token = token
                return
            if self._spool is None and data:
                import tempfile  # 10 ms to import, and most list one run

                self._spool = tempfile.SpooledTemporaryFile(_SPOOLED_IN_MEMORY)  # noqa: SIM115 - closed by `open`
            if self._spool is not None:
                self._spool.write(data)
            self._spooled_token = token

    def open(self) -> None:
        """It is the run's turn."""
        with self._lock:
            self._is_open = True
            if self._spool is not None:
                with self._spool as spool:
                    spool.seek(0)
                    while data := spool.read(_COPIED):
                        self._write(data)
            self._spool, self.token = None, self._spooled_token

    def close(self) -> None:
        """Nothing more is written, and what is not written yet is forgotten."""
        with self._lock:
            self._is_closed = True
            if self._spool is not None:
                self._spool.close()
                self._spool = None

    def _write(self, data: bytes) -> None:
        if data:
            with self._progress.apart_from_output():
                sys.stdout.buffer.write(data)
                sys.stdout.flush()


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
    done = [threading.Event() for _ in runs]
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
                done[number].set()

    _start(work, min(concurrency, len(runs)))
    for number, run in enumerate(runs):
        run.outlet.open()
        done[number].wait()
        slots.release()
        yield number


def _start(work: Callable[[], None], threads: int) -> None:
    for _ in range(threads):
        threading.Thread(target=work, name="novaact-list", daemon=True).start()
