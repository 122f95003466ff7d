"""Runs asynchronous code on a thread of its own, with a client of its own.

So only the main thread writes: however slow the reader of the output is, calls go on and no time limit of theirs runs
out meanwhile, and Ctrl-C interrupts a write at once.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from concurrent.futures import Future
    from types import TracebackType

    from typing_extensions import Self

    from novaact_http import AsyncClient

T = TypeVar("T")
_LONGEST_END = 2.0  # seconds that calls may take to end after they are cancelled
_ITEMS_AHEAD = 2


class Background:
    """An event loop on a daemon thread, as a context manager. At its end all that still runs is cancelled.

    Args:
        client: a client for what runs in it, which is closed at the end.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="novaact-calls", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._is_ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(_LONGEST_END)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._is_ready.set()
        async with self._client:
            await self._end.wait()
            running = asyncio.all_tasks() - {asyncio.current_task()}
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine, and return its result to come."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """Iterate over what an asynchronous iterator yields, which is never None."""

        async def following() -> T | None:
            return await anext(source, None)

        while (each := self.start(following()).result()) is not None:
            yield each


async def in_order(sources: AsyncIterator[AsyncIterator[T]], ahead: int) -> AsyncIterator[T]:
    """Yield what the sources yield, one source after another; the next ones already run meanwhile.

    Each of those is only a few items ahead, so that memory is limited.

    Args:
        sources: the sources.
        ahead: how many run at once.
    """
    started: list[_Started[T]] = []
    try:
        async for source in sources:
            started.append(_Started(source))
            if len(started) == ahead:
                async for each in started[0].items():
                    yield each
                del started[0]
        while started:
            async for each in started[0].items():
                yield each
            del started[0]
    finally:
        for each_started in started:
            each_started.cancel()


class _Started(Generic[T]):
    """An asynchronous iterator that runs in a task of its own, a few items ahead of its reader."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._items: asyncio.Queue[T | None] = asyncio.Queue(_ITEMS_AHEAD)
        self._failure: Exception | None = None
        self._task = asyncio.create_task(self._run(source))

    async def _run(self, source: AsyncIterator[T]) -> None:
        try:
            async for each in source:
                await self._items.put(each)
        except Exception as error:  # noqa: BLE001 - raised where the items are read
            self._failure = error
        await self._items.put(None)

    async def items(self) -> AsyncIterator[T]:
        while (each := await self._items.get()) is not None:
            yield each
        if self._failure is not None:
            raise self._failure

    def cancel(self) -> None:
        self._task.cancel()
