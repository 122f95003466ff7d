"""Credentials that many calls and event loops ask for at once."""

from __future__ import annotations

import _thread
import asyncio
import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import botocore.credentials
import botocore.session
import httpx
import pytest

from novaact_http import AsyncClient, Credentials, CredentialsError, ListSessionsResponse
from novaact_http._aws import credential_cache
from novaact_http._aws.credential_cache import Promise, credentials_or_raise
from tests.helpers.calls import CALL, KEYS, mocked
from tests.helpers.vault import HOUR, MINUTE, UTC, Clock, Vault, cache, got, keys, metadata, refreshable

PAGE = httpx.Response(200, json={"sessionSummaries": []})


# Many at once.


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_start_at_once_wait_for_one_refresh_and_each_hears_of_its_failure_once(fails: bool) -> None:
    barrier, everybody = threading.Barrier(64), threading.Semaphore(0)
    calls: list[None] = []

    def slowly() -> Credentials:
        calls.append(None)
        for _ in range(64):
            assert everybody.acquire(timeout=10)
        if fails:
            raise ValueError
        return keys(1, left=HOUR)

    ours = cache(slowly)

    def work(_: int) -> Any:
        barrier.wait()
        found = ours.get()
        everybody.release()
        try:
            return got(found)
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
            while not waiting.is_set():  # noqa: ASYNC110 - tick by tick
                await asyncio.sleep(0)
            return answer()

        options = {**mocked(lambda _: PAGE), "credentials": slowly_too if asynchronous else slowly}
        async with AsyncClient(**options) as client:
            tasks = [asyncio.create_task(client.list_sessions(**CALL)) for _ in range(1_000)]
            await asyncio.sleep(0)
            waiting.set()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert len(calls) == 1
            errors = {id(each) for each in outcomes if isinstance(each, CredentialsError)}
            assert len(errors) == (1_000 if fails else 0)

    asyncio.run(main())


def test_a_caller_that_comes_after_a_failure_begins_anew() -> None:
    vault = Vault(ValueError(), keys(1))
    ours = cache(vault)
    with pytest.raises(CredentialsError):
        got(ours.get())
    assert got(ours.get()).access_key_id == "AKIA1"


def test_a_caller_that_finds_the_refresh_ended_begins_no_other() -> None:
    vault = Vault(keys(1))
    ours = cache(vault)
    original = ours._source.cached

    def cached(now: float) -> Any:
        found = original(now)
        if found[0] is None and vault.calls == 0:
            ours._source.store(vault(), now)  # by another caller, just now
        return found

    with mock.patch.object(ours._source, "cached", cached):
        assert got(ours.get()).access_key_id == "AKIA1"
    assert vault.calls == 1


def test_a_caller_that_finds_a_refresh_in_background_done_begins_no_other() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR))
    ours = cache(vault, clock)
    got(ours.get())
    clock.now += 50 * MINUTE
    ours._source.postpone_refresh(clock.now + MINUTE)  # by another caller, just now
    ours._refresh_in_background(None)
    assert vault.calls == 1


def test_callers_who_give_up_do_not_end_the_refresh_for_the_others() -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def slowly() -> Credentials:
            await release.wait()
            return KEYS

        async with AsyncClient(**{**mocked(lambda _: PAGE), "credentials": slowly}) as client:
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


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


def test_when_there_is_no_thread_to_be_had_the_caller_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), ValueError(), keys(2))
    ours = cache(vault, clock)
    monkeypatch.setattr(_thread, "start_new_thread", no_thread)
    assert got(ours.get()).access_key_id == "AKIA1"
    assert vault.threads == [threading.current_thread()]
    clock.now += 50 * MINUTE
    assert got(ours.get()).access_key_id == "AKIA1"  # still good, so the call goes on
    assert vault.calls == 1
    clock.now += 50 * MINUTE
    with pytest.raises(CredentialsError, match="failed: ValueError"):
        got(ours.get())
    assert got(ours.get()).access_key_id == "AKIA2"
    assert ours._under_way() is None


def test_when_there_is_no_thread_to_be_had_an_event_loop_is_not_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, loop = cache(Vault(keys(1))), asyncio.new_event_loop()
    with monkeypatch.context() as patched:
        patched.setattr(_thread, "start_new_thread", no_thread)
        with pytest.raises(
            CredentialsError, match="was not asked, as no thread could be started \\(can't start new thread\\)"
        ):
            got(ours.get(loop=loop))
    assert got(ours.get(loop=loop)).access_key_id == "AKIA1"
    loop.close()


def test_a_thread_that_can_start_no_other_asks_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault(keys(1))
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert got(cache(vault).get()).access_key_id == "AKIA1"
    assert vault.threads != [threading.current_thread()]


@pytest.mark.parametrize("behind", [False, True])
def test_an_asynchronous_function_that_cannot_even_be_called_holds_nobody_up(behind: bool) -> None:
    clock, loop = Clock(), asyncio.new_event_loop()

    async def fetch(argument: object) -> Credentials:
        raise AssertionError

    ours = cache(fetch, clock)
    if behind:
        ours._source.store(keys(1, left=HOUR), clock.now)
        clock.now += 50 * MINUTE
        assert got(ours.get(loop=loop)).access_key_id == "AKIA1"
    else:
        for _ in range(2):
            with pytest.raises(CredentialsError, match=r"\(the function fetch\) failed: TypeError$"):
                got(ours.get(loop=loop))
    assert ours._under_way() is None
    loop.close()


def test_tasks_that_run_at_once_may_bring_credentials_at_once() -> None:
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
    assert got(ours.get(loop=loop)) is KEYS
    loop.close()


# Event loops that end.


def test_a_refresh_that_ends_with_its_event_loop_holds_nobody_up() -> None:
    async def never() -> Credentials:
        await asyncio.Event().wait()
        raise AssertionError

    client = AsyncClient(**{**mocked(lambda _: PAGE), "credentials": never})

    async def begin() -> None:
        task = asyncio.create_task(client.list_sessions(**CALL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())  # cancels the refresh too
    assert client._credentials._under_way() is None
    assert not client._credentials._tasks


@pytest.mark.parametrize("closes", [False, True])
def test_a_refresh_on_an_event_loop_that_stands_still_holds_nobody_up(
    closes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    async def never() -> Credentials:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    client = AsyncClient(**{**mocked(lambda _: PAGE), "credentials": never, "timeout": 10})
    loop = asyncio.new_event_loop()
    stuck: Any = loop.create_task(client.list_sessions(**CALL))

    def stand_still() -> None:
        loop.run_forever()
        if closes:
            loop.close()

    thread = threading.Thread(target=stand_still)
    thread.start()
    assert begun.wait(5)
    monkeypatch.setattr(client._credentials._source, "_function", Vault(KEYS))
    monkeypatch.setattr(credential_cache, "LOOK_AGAIN_AFTER", 0.01)

    async def wait_with_the_others() -> ListSessionsResponse:
        waiting = asyncio.ensure_future(client.list_sessions(**CALL))
        await asyncio.sleep(0.03)
        assert not waiting.done()
        loop.call_soon_threadsafe(loop.stop)
        return await waiting

    tasks = [stuck, *client._credentials._tasks]
    assert len(tasks) == 2
    assert asyncio.run(wait_with_the_others()) == asyncio.run(_page(client))
    thread.join()
    loop.close()
    for task in tasks:
        task._log_destroy_pending = False
        task.get_coro().close()


@pytest.mark.parametrize("closes", ["before the answer", "before it is awaited"])
def test_an_event_loop_that_ends_before_an_answer_is_awaited_on_it_holds_nobody_up(closes: str) -> None:
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
    assert got(ours.get(loop=loop)) is KEYS


def test_a_lost_refresh_that_is_collected_in_the_middle_of_another_holds_nobody_up() -> None:
    async def never() -> Credentials:
        await asyncio.Event().wait()
        raise AssertionError

    ours, loop = cache(never), asyncio.new_event_loop()
    waited_for = ours.get(loop=loop)
    assert isinstance(waited_for, Promise)
    loop.call_soon(loop.stop)
    loop.run_forever()
    half_done: Any = next(iter(ours._tasks))
    with ours._lock:
        half_done._log_destroy_pending = False
        half_done.get_coro().close()  # as the garbage collection does, on whichever thread it happens to run
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
    from novaact_http._support import fork_safety

    fork_safety._after_fork()
    found = ours.get()
    assert found is not lost
    release.set()
    assert got(found).access_key_id == "AKIA1"
    assert got(lost).access_key_id == "AKIA1"


def test_after_a_fork_what_botocore_was_refreshing_in_the_parent_is_looked_for_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, release = threading.Event(), threading.Event()

    def refresh() -> dict[str, str]:
        begun.set()
        assert release.wait(5)
        return metadata(1)

    found = [refreshable(-1, refresh), refreshable(HOUR, number=2)]
    resolver = mock.Mock(providers=[])
    resolver.load_credentials.side_effect = found
    monkeypatch.setattr(botocore.credentials, "create_credential_resolver", lambda *_, **__: resolver)
    ours = cache(None)
    lost = ours.get()
    assert begun.wait(5)
    ours.after_fork()
    assert got(ours.get()).access_key_id == "AKIA2"
    ours.after_fork()  # with nothing under way what was found is kept
    assert isinstance(ours.get(), Credentials)
    release.set()
    got(lost)
