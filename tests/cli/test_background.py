"""Asynchronous code on a thread of its own, and several iterators at once in order."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from novaact_http import AsyncClient, Credentials
from novaact_http.cli._background import Background, in_order
from novaact_http.errors import NovaActError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def client() -> AsyncClient:
    return AsyncClient(region="us-east-1", credentials=Credentials(access_key_id="a", secret_access_key="b"))


async def counting(*numbers: int) -> AsyncIterator[int]:
    for number in numbers:
        yield number


async def each(*sources: AsyncIterator[int]) -> AsyncIterator[AsyncIterator[int]]:
    for source in sources:
        yield source


def test_work_is_done_on_another_thread() -> None:
    async def name() -> str:
        return threading.current_thread().name

    with Background(client()) as background:
        assert background.start(name()).result() == "novaact-calls"
        assert list(background.iterate(counting(1, 2, 3))) == [1, 2, 3]
    assert "novaact-calls" not in [thread.name for thread in threading.enumerate()]


def test_at_the_end_what_still_runs_is_cancelled_and_the_client_closed() -> None:
    cancelled = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    of_background = client()
    with Background(of_background) as background:
        background.start(for_ever())
        background.start(asyncio.sleep(0)).result()
    assert cancelled == [True]
    with pytest.raises(NovaActError, match="closed"):
        asyncio.run(of_background.list_workflow_definitions())


@pytest.mark.parametrize("ahead", [1, 2, 3, 10])
def test_sources_are_read_in_order(ahead: int) -> None:
    async def read() -> list[int]:
        sources = each(counting(1, 2), counting(), counting(3, 4, 5, 6, 7, 8), counting(9))
        return [number async for number in in_order(sources, ahead)]

    assert asyncio.run(read()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_the_next_sources_run_meanwhile_but_only_a_few_items_ahead() -> None:
    begun: list[int] = []

    async def endless(first: int) -> AsyncIterator[int]:
        for number in range(first, first + 100):
            begun.append(number)
            yield number

    async def read() -> None:
        reading = in_order(each(endless(0), endless(100), endless(200)), 2)
        assert await anext(reading) == 0
        for _ in range(20):
            await asyncio.sleep(0)
        assert [number for number in begun if number >= 100] == [100, 101, 102]

    asyncio.run(read())


def test_an_error_of_a_source_comes_after_its_items() -> None:
    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ValueError("broken")

    async def read(into: list[int]) -> None:
        async for number in in_order(each(failing(), counting(2)), 2):
            into.append(number)

    got: list[int] = []
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(read(got))
    assert got == [1]
