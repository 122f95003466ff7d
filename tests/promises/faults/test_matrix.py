"""Each cell of the matrix has the result that the matrix states."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import AsyncClient, Client, RetryPolicy, Timeout, errors
from novaact_http.testing import LocalService
from tests.helpers.calls import call_for
from tests.helpers.platforms import needs_signals
from tests.helpers.servers import PATIENCE, eventually
from tests.promises.faults import matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http import Attempt
    from novaact_http.testing import WorkflowRun
    from tests.promises.faults.matrix import Cell

PAGE_SIZE = 3
TLS = (
    httpx.create_ssl_context()
)  # for all cells, none of which uses it: making one takes longer than the rest of a cell


class Interrupted(Exception):  # noqa: N818 - a fault, not an error
    """Raised by a signal handler."""


def raise_interrupted(*_: object) -> None:
    raise Interrupted


class Listing:
    """A listing of three pages, a page at a time, with either client over either transport."""

    def __init__(
        self, cell: Cell, service: LocalService, run: WorkflowRun, on_attempt: Callable[[Attempt], None]
    ) -> None:
        self._loop = asyncio.new_event_loop() if cell.client == "async" else None
        self._stock: Any = None
        if cell.transport == "stock":
            kind_of_stock: Any = httpx.HTTPTransport if self._loop is None else httpx.AsyncHTTPTransport
            self._stock = kind_of_stock(verify=TLS)
        # Where the fault is to stay, the client must not correct it.
        corrects = cell.strikes == "once"
        kind: Any = Client if self._loop is None else AsyncClient
        self._client = kind(
            region=service.region,
            endpoint_url=service.url,
            credentials=service.get_credentials if corrects else service.credentials,
            correct_clock_skew=corrects,
            retries=RetryPolicy(max_attempts=matrix.ATTEMPTS),
            timeout=Timeout(**{"connect": PATIENCE, "read": PATIENCE, **matrix.FAULTS[cell.fault].timeout}),
            on_attempt=on_attempt,
            transport=self._stock,
        )
        self._arguments = {**call_for(run), "page_size": PAGE_SIZE}
        self.begin()

    def begin(self) -> None:
        pages = self._client.iter_sessions(**self._arguments).pages()
        self._pages = iter(pages) if self._loop is None else pages.__aiter__()

    def next(self) -> list[str]:
        """Return the ids of the next page."""
        page = next(self._pages) if self._loop is None else self._loop.run_until_complete(anext(self._pages))
        return [each.session_id for each in page.session_summaries]

    def interrupt(self) -> None:
        """Interrupt what the main thread does."""
        if self._loop is None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
        else:
            self._loop.call_soon_threadsafe(self._cancel_all)

    def _cancel_all(self) -> None:
        for each in asyncio.all_tasks(self._loop):
            each.cancel()

    def close(self) -> None:
        if self._loop is None:
            self._client.close()
        else:
            self._loop.run_until_complete(self._client.aclose())
        if self._stock is not None:
            closing = self._stock.close() if self._loop is None else self._loop.run_until_complete(self._stock.aclose())
            assert closing is None
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()


@contextlib.contextmanager
def striking(cell: Cell, service: LocalService, listing: Listing) -> Iterator[None]:
    """Make the service have the fault."""
    fault = matrix.FAULTS[cell.fault]
    if fault.inject is not None:
        fault.inject(service, 1 if cell.strikes == "once" else None)
        with interrupting(service, listing) if cell.fault == matrix.INTERRUPTED else contextlib.nullcontext():
            yield
        service.clear_faults()
    elif cell.fault == "connections refused":
        with service.refusing():
            yield
    elif fault.clock_offset:
        service.clock_offset = fault.clock_offset
        yield
        service.clock_offset = 0
    else:
        assert cell.fault == "the credentials expire"
        service.expire_credentials()
        yield


@contextlib.contextmanager
def interrupting(service: LocalService, listing: Listing) -> Iterator[None]:
    """Interrupt the listing when the service has a request."""

    def interrupt() -> None:
        eventually(lambda: service.requests)
        listing.interrupt()

    before = signal.signal(signal.SIGALRM, raise_interrupted)
    thread = threading.Thread(target=interrupt)
    thread.start()
    yield
    thread.join()
    signal.signal(signal.SIGALRM, before)


def open_sockets() -> int:
    count = 0
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names are descriptors
        with contextlib.suppress(OSError):  # the descriptor of the folder itself
            count += stat.S_ISSOCK(os.fstat(int(name)).st_mode)
    return count


def list_pages(listing: Listing, pages: int) -> tuple[list[str], str]:
    """List up to `pages` pages. Return their ids, and the class of the exception that ended the listing, or `""`."""
    ids: list[str] = []
    try:
        for _ in range(pages):
            ids += listing.next()
    except errors.NovaActError as error:
        return ids, type(error).__name__
    except (Interrupted, asyncio.CancelledError):
        return ids, Interrupted.__name__
    return ids, ""


@needs_signals
@pytest.mark.parametrize("cell", [*matrix.cells()], ids=", ".join)
def test_a_listing_with_a_fault_has_the_expected_result(cell: Cell) -> None:
    with LocalService(definitions={"a": [2 * PAGE_SIZE + 1]}) as service:
        (run,) = service.runs
        before = open_sockets()
        attempts: list[Attempt] = []

        def on_attempt(attempt: Attempt) -> None:
            attempts.append(attempt)
            if cell.fault == "connections refused" and cell.strikes == "once":
                service._running().accept()

        with contextlib.closing(Listing(cell, service, run, on_attempt)) as listing:
            reached = matrix.PAGES[cell.page]
            ids, _ = list_pages(listing, reached)
            assert ids == list(run.session_ids[: reached * PAGE_SIZE])
            attempts.clear()
            service.requests.clear()
            began = time.monotonic()
            with striking(cell, service, listing):
                found, raised = list_pages(listing, 1)
                took = time.monotonic() - began
            assert (raised, len(attempts)) == cell.expected
            assert len(service.requests) == cell.requests
            assert took < matrix.FAULTS[cell.fault].timeout.get("total", PATIENCE) + PATIENCE / 10
            if cell.is_final:
                return
            if raised:
                assert found == []
                ids, reached = [], -1
                listing.begin()
            rest, raised = list_pages(listing, len(matrix.PAGES) - reached - 1)
            assert raised == ""
            assert ids + found + rest == list(run.session_ids)
        eventually(lambda: open_sockets() <= before)


def test_the_readme_has_the_table_of_the_matrix() -> None:
    assert matrix.README.read_text(encoding="utf-8") == matrix.table()
