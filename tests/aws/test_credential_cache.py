"""Credentials that many calls and event loops ask for at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest

from novaact_http import AsyncClient, Credentials, CredentialsError, ListSessionsResponse
from novaact_http._aws import credential_cache
from novaact_http._aws.credential_cache import Promise, credentials_or_raise
from novaact_http._support import fork_safety
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, KEYS, Clock, mocked
from tests.helpers.credentials import (
    HOUR,
    MINUTE,
    UTC,
    Vault,
    cache,
    chain_of,
    keys,
    metadata,
    no_thread_can_start,
    refreshable,
    result_of,
    wait_for_refresh,
)


def test_credentials_are_at_hand_once_they_were_fetched_until_a_refresh_is_due() -> None:
    clock = Clock()
    ours = cache(Vault(keys(1, left=HOUR), keys(2, left=2 * HOUR)), clock)
    assert ours.at_hand() is None
    first = result_of(ours.get())
    assert ours.at_hand() is first
    clock.sleep(HOUR - 15 * MINUTE)
    assert ours.at_hand() is None
    assert ours.get() is first  # which begins the refresh
    wait_for_refresh(ours)
    second = ours.at_hand()
    assert second is not None
    assert second.access_key_id == "AKIA2"
    clock.sleep(10 * HOUR)
    assert ours.at_hand() is None


# Many calls at once.


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_start_at_once_wait_for_one_refresh_and_each_gets_its_own_error(fails: bool) -> None:
    barrier, all_waiting = threading.Barrier(64), threading.Semaphore(0)
    calls: list[None] = []

    def slowly() -> Credentials:
        calls.append(None)
        for _ in range(64):
            assert all_waiting.acquire(timeout=10)
        if fails:
            raise ValueError
        return keys(1, left=HOUR)

    ours = cache(slowly)

    def work(_: int) -> Any:
        barrier.wait()
        found = ours.get()
        all_waiting.release()
        try:
            return result_of(found)
        except CredentialsError as error:
            return error

    with ThreadPoolExecutor(64) as threads:
        outcomes = list(threads.map(work, range(64)))
    assert len(calls) == 1
    if fails:
        assert all(isinstance(each, CredentialsError) for each in outcomes)
        assert len({id(each) for each in outcomes}) == 64
        assert all(isinstance(each.__cause__, ValueError) for each in outcomes)
    else:
        assert {each.access_key_id for each in outcomes} == {"AKIA1"}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_a_thousand_tasks_that_start_at_once_wait_for_one_refresh(fails: bool, asynchronous: bool) -> None:
    async def main() -> None:
        waiting = threading.Event()
        calls: list[None] = []

        def answer() -> Credentials:
            calls.append(None)
            if fails:
                raise ValueError
            return keys(1, left=HOUR, now=dt.datetime.now(UTC).timestamp())

        def slowly() -> Credentials:
            assert waiting.wait(10)
            return answer()

        async def slowly_too() -> Credentials:
            while not waiting.is_set():  # noqa: ASYNC110 - the event loop must not block
                await asyncio.sleep(0)
            return answer()

        options = {**mocked(lambda _: httpx_page()), "credentials": slowly_too if asynchronous else slowly}
        async with AsyncClient(**options) as client:
            tasks = [asyncio.create_task(client.list_sessions(**CALL)) for _ in range(1_000)]
            await asyncio.sleep(0)
            waiting.set()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert len(calls) == 1
            errors = {id(each) for each in outcomes if isinstance(each, CredentialsError)}
            assert len(errors) == (1_000 if fails else 0)

    asyncio.run(main())


def test_a_call_after_a_failed_refresh_starts_another() -> None:
    vault = Vault(ValueError(), keys(1))
    ours = cache(vault)
    with pytest.raises(CredentialsError):
        result_of(ours.get())
    assert result_of(ours.get()).access_key_id == "AKIA1"


def test_a_call_that_finds_the_refresh_finished_starts_no_other() -> None:
    vault = Vault(keys(1))
    ours = cache(vault)
    original = ours._source.cached

    def cached(now: float) -> Any:
        found = original(now)
        if found[0] is None and vault.calls == 0:
            ours._source.store(vault(), now)  # as another call does at this moment
        return found

    with mock.patch.object(ours._source, "cached", cached):
        assert result_of(ours.get()).access_key_id == "AKIA1"
    assert vault.calls == 1


def test_a_call_that_finds_a_background_refresh_finished_starts_no_other() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR))
    ours = cache(vault, clock)
    result_of(ours.get())
    clock.now += 50 * MINUTE
    ours._source.postpone_refresh(clock.now + MINUTE)  # as another call does at this moment
    ours._refresh_in_background(None)
    assert vault.calls == 1


def test_cancelled_calls_do_not_end_the_refresh_for_the_others() -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def slowly() -> Credentials:
            await release.wait()
            return KEYS

        async with AsyncClient(**{**mocked(lambda _: httpx_page()), "credentials": slowly}) as client:
            tasks = [asyncio.create_task(client.list_sessions(**CALL)) for _ in range(10)]
            await asyncio.sleep(0)
            for task in tasks[:9]:
                task.cancel()
            await asyncio.sleep(0)
            release.set()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in outcomes[:9])
            assert not isinstance(outcomes[9], BaseException)

    asyncio.run(main())


def test_where_no_thread_can_be_started_the_caller_asks() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), ValueError(), keys(2))
    ours = cache(vault, clock)
    with no_thread_can_start():
        assert result_of(ours.get()).access_key_id == "AKIA1"
        assert vault.threads == [threading.current_thread()]
        clock.now += 50 * MINUTE
        assert result_of(ours.get()).access_key_id == "AKIA1"  # still good, so the call goes on
        assert vault.calls == 1
        clock.now += 50 * MINUTE
        with pytest.raises(CredentialsError, match="failed: ValueError"):
            result_of(ours.get())
        assert result_of(ours.get()).access_key_id == "AKIA2"
    assert ours._under_way() is None


def test_where_no_thread_can_be_started_an_event_loop_is_not_blocked_and_the_error_says_so() -> None:
    ours, loop = cache(Vault(keys(1))), asyncio.new_event_loop()
    problem = r"was not asked, as no thread could be started \(can't start new thread\)"
    with no_thread_can_start(), pytest.raises(CredentialsError, match=problem):
        result_of(ours.get(loop=loop))
    assert result_of(ours.get(loop=loop)).access_key_id == "AKIA1"
    assert ours._under_way() is None
    loop.close()


def test_a_thread_that_can_start_no_other_asks_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    vault = Vault(keys(1))
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert result_of(cache(vault).get()).access_key_id == "AKIA1"
    assert vault.threads != [threading.current_thread()]


@pytest.mark.parametrize("in_background", [False, True])
def test_an_async_function_that_cannot_be_called_blocks_no_later_call(in_background: bool) -> None:
    clock, loop = Clock(), asyncio.new_event_loop()

    async def fetch(argument: object) -> Credentials:
        raise AssertionError

    ours = cache(fetch, clock)
    if in_background:
        ours._source.store(keys(1, left=HOUR), clock.now)
        clock.now += 50 * MINUTE
        assert result_of(ours.get(loop=loop)).access_key_id == "AKIA1"
    else:
        for _ in range(2):
            with pytest.raises(CredentialsError, match=r"\(the function fetch\) failed: TypeError$"):
                result_of(ours.get(loop=loop))
    assert ours._under_way() is None
    loop.close()


def test_eager_tasks_may_return_credentials_at_once() -> None:
    def eagerly(loop: asyncio.AbstractEventLoop, coroutine: Any, **_: Any) -> Any:
        # As `asyncio.eager_task_factory`, which Python has from 3.12 on.
        with pytest.raises(StopIteration):
            coroutine.send(None)
        return mock.Mock(asyncio.Task)

    async def fetch() -> Credentials:
        with ThreadPoolExecutor(1) as other:
            assert isinstance(other.submit(ours.get).result(5), Promise)  # so no lock is held
        return KEYS

    ours = cache(fetch)
    loop = asyncio.new_event_loop()
    loop.set_task_factory(eagerly)
    assert result_of(ours.get(loop=loop)) is KEYS
    loop.close()


# Event loops that end.


async def never() -> Credentials:
    """Return no credentials, however long one waits."""
    await asyncio.Event().wait()
    raise AssertionError


def test_a_refresh_that_ends_with_its_event_loop_blocks_no_later_call() -> None:
    client = AsyncClient(**{**mocked(lambda _: httpx_page()), "credentials": never})

    async def begin() -> None:
        task = asyncio.create_task(client.list_sessions(**CALL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())  # cancels the refresh too
    assert client._credentials._under_way() is None
    assert not client._credentials._tasks


@pytest.mark.parametrize("closes", [False, True])
def test_a_refresh_on_a_stopped_event_loop_blocks_no_later_call(closes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    async def begin_and_wait() -> Credentials:
        begun.set()
        return await never()

    client = AsyncClient(**{**mocked(lambda _: httpx_page()), "credentials": begin_and_wait, "timeout": 10})
    loop = asyncio.new_event_loop()
    stuck: Any = loop.create_task(client.list_sessions(**CALL))

    def run_until_stopped() -> None:
        loop.run_forever()
        if closes:
            loop.close()

    thread = threading.Thread(target=run_until_stopped)
    thread.start()
    assert begun.wait(5)
    monkeypatch.setattr(client._credentials._source, "_function", Vault(KEYS))
    monkeypatch.setattr(credential_cache, "LOOK_AGAIN_AFTER", 0.01)

    async def wait_with_others() -> ListSessionsResponse:
        waiting = asyncio.ensure_future(client.list_sessions(**CALL))
        await asyncio.sleep(0.03)
        assert not waiting.done()
        loop.call_soon_threadsafe(loop.stop)
        return await waiting

    tasks = [stuck, *client._credentials._tasks]
    assert len(tasks) == 2
    assert asyncio.run(wait_with_others()) == asyncio.run(_page(client))
    thread.join()
    loop.close()
    for task in tasks:
        task._log_destroy_pending = False
        task.get_coro().close()


@pytest.mark.parametrize("closes", ["before the answer", "before it is awaited"])
def test_an_event_loop_that_ends_before_an_awaitable_is_awaited_blocks_no_later_call(closes: str) -> None:
    class Awaitable:
        def __await__(self) -> Any: ...

    begun, release = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def slowly() -> Any:
        threads.append(threading.current_thread())
        begun.set()
        assert release.wait(5)
        return KEYS if len(threads) > 1 else Awaitable()

    ours, loop = cache(slowly), asyncio.new_event_loop()
    ours.get(loop=loop)
    assert begun.wait(5)
    if closes == "before the answer":
        loop.close()
    release.set()
    threads[0].join(5)
    loop.close()
    assert result_of(ours.get(loop=loop)) is KEYS


def test_a_lost_refresh_that_is_garbage_collected_under_the_lock_blocks_no_call() -> None:
    ours, loop = cache(never), asyncio.new_event_loop()
    waited_for = ours.get(loop=loop)
    assert isinstance(waited_for, Promise)
    loop.call_soon(loop.stop)
    loop.run_forever()
    half_done: Any = next(iter(ours._tasks))
    with ours._lock:
        half_done._log_destroy_pending = False
        half_done.get_coro().close()  # as garbage collection does, on any thread
    lost = waited_for.wait(5)
    assert lost is not None
    assert credentials_or_raise(lost) is None
    with pytest.raises(CredentialsError, match="failed: GeneratorExit"):
        credentials_or_raise(lost, loop)
    loop.close()


async def _page(client: AsyncClient) -> Any:
    return await client.list_sessions(**CALL)


def test_after_a_fork_a_refresh_of_the_parent_is_not_waited_for() -> None:
    release = threading.Event()

    def slowly() -> Credentials:
        assert release.wait(5)
        return keys(1)

    ours = cache(slowly)
    lost = ours.get()
    ours._lock.acquire()
    fork_safety._after_fork()
    found = ours.get()
    assert found is not lost
    release.set()
    assert result_of(found).access_key_id == "AKIA1"
    assert result_of(lost).access_key_id == "AKIA1"


def test_after_a_fork_credentials_that_botocore_was_refreshing_are_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, release = threading.Event(), threading.Event()

    def refresh() -> dict[str, str]:
        begun.set()
        assert release.wait(5)
        return metadata(1)

    chain_of(monkeypatch, refreshable(-1, refresh), refreshable(HOUR, number=2))
    ours = cache(None)
    lost = ours.get()
    assert begun.wait(5)
    ours.after_fork()
    assert result_of(ours.get()).access_key_id == "AKIA2"
    ours.after_fork()  # without a refresh under way, the credentials are kept
    assert isinstance(ours.get(), Credentials)
    release.set()
    result_of(lost)
