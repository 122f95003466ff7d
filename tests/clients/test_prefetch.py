"""Listings of which the next page is fetched ahead."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
import pytest

from novaact_http import AsyncClient, PaginationError
from tests.helpers.calls import CALL, OPTIONS, mocked
from tests.helpers.paging import THREE, Page, Script, ids, token

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

T = TypeVar("T")


class Ahead:
    """A client that fetches ahead on its own event loop, and the tokens that it asked for."""

    def __init__(self, pages: Mapping[str | None, Page] = THREE) -> None:
        self.script = Script(pages)
        self.asked = self.script.asked
        self.at_the_end: set[asyncio.Task[Any]] = set()

    def run(self, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        async def main() -> T:
            async with AsyncClient(**mocked(self.script)) as client:
                try:
                    return await work(client)
                finally:
                    self.at_the_end = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}

        return asyncio.run(main())


async def turns() -> None:
    """Let all other tasks run."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_next_page_is_fetched_ahead_and_no_further() -> None:
    ahead = Ahead()

    async def work(client: AsyncClient) -> list[str]:
        pager = client.iter_sessions(**CALL, prefetch=True)
        listed, seen = [], []
        async for session in pager:
            listed.append(session.session_id)
            assert pager.resume_token == resume[len(listed) - 1]
            await turns()
            seen.append(list(ahead.asked))
        assert seen == [[None, "t1"]] * 3 + [[None, "t1", "t2"]] * 3
        return listed

    resume = [token(None, 1), token(None, 2), token("t1"), token("t1", 1), token("t2"), None]
    assert ahead.run(work) == list("abcdef")
    assert not ahead.at_the_end


def test_pages_are_fetched_ahead_too() -> None:
    ahead = Ahead()

    async def work(client: AsyncClient) -> list[list[str]]:
        pages = client.iter_sessions(**CALL, prefetch=True).pages()
        first = await pages.__anext__()
        await turns()
        assert ahead.asked == [None, "t1"]
        return [ids(first.session_summaries), *[ids(each.session_summaries) async for each in pages]]

    assert ahead.run(work) == [["a", "b", "c"], ["d", "e"], ["f"]]


def test_pages_that_are_not_needed_are_not_fetched_ahead() -> None:
    for options, asked in (({"max_items": 3}, [None]), ({"max_items": 4}, [None, "t1"]), ({}, [None, "t1", "t2"])):
        ahead = Ahead()

        async def work(client: AsyncClient, options: dict[str, Any] = options) -> None:
            async for _ in client.iter_sessions(**CALL, prefetch=True, **options):
                await turns()

        ahead.run(work)
        assert ahead.asked == asked


@pytest.mark.parametrize("closing", [True, False])
@pytest.mark.parametrize("has_arrived", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_an_abandoned_pager_leaves_no_task_running(
    closing: bool, has_arrived: bool, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ahead = Ahead({None: THREE[None]} if fails else THREE)  # the next token is a KeyError

    async def work(client: AsyncClient) -> None:
        sessions = client.iter_sessions(**CALL, prefetch=True).__aiter__()
        assert (await sessions.__anext__()).session_id == "a"
        if has_arrived:
            await turns()
        if closing:
            await sessions.aclose()  # type: ignore[attr-defined]
        else:
            del sessions
            await turns()

    ahead.run(work)
    assert not ahead.at_the_end
    gc.collect()
    assert not caplog.records  # "Task exception was never retrieved"


def test_closing_does_not_wait_for_the_page_that_is_fetched_ahead() -> None:
    class Hanging(httpx.MockTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if "nextToken" in request.url.params:
                await asyncio.Event().wait()
            return await super().handle_async_request(request)

    async def main() -> None:
        async with AsyncClient(**{**OPTIONS, "transport": Hanging(Script(THREE))}) as client:
            pages = client.iter_sessions(**CALL, prefetch=True).pages()
            await pages.__anext__()
            await turns()
            await asyncio.wait_for(pages.aclose(), timeout=1)  # type: ignore[attr-defined]

    asyncio.run(main())


def test_a_failure_ahead_is_raised_when_its_page_is_due() -> None:
    ahead = Ahead({None: THREE[None]})
    listed: list[str] = []

    async def work(client: AsyncClient) -> None:
        async for session in client.iter_sessions(**CALL, prefetch=True):
            listed.append(session.session_id)
            await turns()

    with pytest.raises(KeyError, match="t1"):
        ahead.run(work)
    assert listed == ["a", "b", "c"]
    assert not ahead.at_the_end


def test_a_repeated_token_is_not_fetched_ahead_and_is_an_error() -> None:
    ahead = Ahead({None: (["a"], "t1"), "t1": (["b"], "t1")})
    listed: list[str] = []

    async def work(client: AsyncClient) -> None:
        async for session in client.iter_sessions(**CALL, prefetch=True):
            listed.append(session.session_id)
            await turns()

    with pytest.raises(PaginationError):
        ahead.run(work)
    assert listed == ["a", "b"]
    assert ahead.asked == [None, "t1"]
