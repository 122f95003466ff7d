"""The pool on asyncio: event loops that come and go, and time limits."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from novaact_http import AsyncClient, NovaActError
from novaact_http._call.http_messages import Origin, Response
from novaact_http._http import asyncio_pool, asyncio_socket
from novaact_http._http.asyncio_connection import Connection
from novaact_http.errors import TransportTimeout
from tests.helpers.calls import call_for, options_for
from tests.helpers.servers import (
    OK,
    Peer,
    Server,
    answers,
    endpoint,
    eventually,
    never,
    no_tls,
    request_to,
    serve,
    soon,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from novaact_http.testing import LocalService
    from tests.helpers.pool_drivers import AsyncDriver


HERE = Origin("http", "127.0.0.1", 80)


# Event loops.


def test_each_event_loop_has_its_own_connections() -> None:
    pool = asyncio_pool.Pool(no_tls)
    with Server(serve) as server:
        for _ in range(3):
            assert asyncio.run(pool.send(request_to(server))).body == b"ok"
            assert len(pool._pools) == 1  # the pools of ended event loops are dropped
        assert server.accepted == 3
        server.wait_for_end(0)
        server.wait_for_end(1)
        pool.close()
        server.wait_for_end(2)


def test_a_client_is_used_by_one_event_loop_after_the_other(service: LocalService) -> None:
    client = AsyncClient(**options_for(service))
    for _ in range(2):
        assert asyncio.run(client.list_sessions(**call_for(service.runs[0]))).session_summaries
    asyncio.run(client.aclose())
    with pytest.raises(NovaActError, match="closed"):
        asyncio.run(client.list_sessions(**call_for(service.runs[0])))


def test_a_client_that_is_dropped_closes_its_connections() -> None:
    async def run(server: Server) -> None:
        pool = asyncio_pool.Pool(no_tls)
        await pool.send(request_to(server))
        del pool
        gc.collect()
        server.wait_for_end()

    with Server(serve) as server:
        asyncio.run(run(server))
        pool = asyncio_pool.Pool(no_tls)
        asyncio.run(pool.send(request_to(server)))
        del pool
        gc.collect()
        server.wait_for_end(1)


def test_a_client_that_is_dropped_while_its_event_loop_does_not_run_leaves_no_socket_open() -> None:
    with Server(serve) as server:
        loop = asyncio.new_event_loop()
        pool = asyncio_pool.Pool(no_tls)
        loop.run_until_complete(pool.send(request_to(server)))
        del pool
        gc.collect()
        loop.close()
        del loop
        gc.collect()
        server.wait_for_end()


def test_a_pool_may_be_closed_from_another_thread_than_its_event_loops(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        await driver.pool.send(request_to(server))
        await asyncio.get_running_loop().run_in_executor(None, driver.pool.close)
        await soon(server.peers[0].ended.is_set)
        with pytest.raises(NovaActError):
            await driver.pool.send(request_to(server))

    with Server(serve) as server:
        driver.run(run(server))


def test_a_pool_is_closed_even_if_an_event_loop_ends_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    pool = asyncio_pool.Pool(no_tls)
    with Server(serve) as server:
        loop.run_until_complete(pool.send(request_to(server)))
        loop.close()
        monkeypatch.setattr(loop, "is_closed", lambda: False)
        monkeypatch.setattr(loop, "is_running", lambda: True)
        monkeypatch.setattr(loop, "call_soon_threadsafe", Mock(side_effect=RuntimeError("Event loop is closed")))
        pool.close()
        server.wait_for_end()


def test_a_pool_that_is_closed_while_it_is_first_used_on_an_event_loop_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = asyncio_pool.Pool(no_tls)

    class Overtaken(asyncio_pool.LoopPool):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            pool.close()  # as another thread may

    monkeypatch.setattr(asyncio_pool, "LoopPool", Overtaken)
    with pytest.raises(NovaActError, match="closed"):
        asyncio.run(pool.send(request_to(endpoint("127.0.0.1", 9))))


def test_other_threads_may_start_and_end_event_loops_while_a_pool_drops_ended_ones() -> None:
    class Ended:
        def is_closed(self) -> bool:
            pool._pools.clear()
            pool._pools[object()] = here  # type: ignore[index]
            return True

    pool = asyncio_pool.Pool(no_tls)
    loop = asyncio.new_event_loop()
    here = asyncio_pool.LoopPool(loop, no_tls, (1, 1.0))
    pool._pools = {Ended(): here, Ended(): here}  # type: ignore[dict-item]
    pool._drop_ended()
    pool._pools.clear()
    loop.close()


def test_an_event_loop_that_ends_during_calls_wakes_no_waiting_call() -> None:
    loop = asyncio.new_event_loop()
    pool = asyncio_pool.Pool(no_tls, max_connections=1)
    with Server(never) as server:
        first, second = pool.send(request_to(server)), pool.send(request_to(server))

        async def run() -> None:
            for each in (first, second):
                asyncio.ensure_future(each)  # noqa: RUF006 - both are lost
            await soon(lambda: server.requests and pool.here()._connections.waiting)

        loop.run_until_complete(run())
        loop.set_exception_handler(lambda *_: None)  # asyncio would log that tasks are lost
        tasks = asyncio.all_tasks(loop)
        here = pool._pools[loop]
        loop.close()
        first.close()
        second.close()
        assert (here._connections.count, here._connections.waiting) == (0, 0)
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        pool.close()
        server.wait_for_end()


def test_a_forked_child_leaves_its_parents_connections_alone() -> None:
    pool, loop = asyncio_pool.Pool(no_tls), asyncio.new_event_loop()
    with Server(serve) as server:
        origin = server.endpoint().origin
        loop.run_until_complete(pool.send(request_to(server)))
        here = pool._pools[loop]
        used = loop.run_until_complete(here.acquire(origin, None))
        assert isinstance(used, Connection)
        pool.after_fork()  # as in a forked child
        assert used._fd == -1
        assert asyncio.run(pool.send(request_to(server))).body == b"ok"
        here.discard(used)
        assert server.accepted == 2
        pool.close()
    loop.close()


def test_closing_cancels_the_timer_of_an_event_loop(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        await driver.pool.send(request_to(server))
        here = driver.here
        timer = here._timer
        assert timer is not None
        driver.pool.close()
        assert timer.cancelled()

    with Server(serve) as server:
        driver.run(run(server))


def test_a_call_that_was_connecting_when_its_pool_was_closed_keeps_its_time_limits(
    driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = asyncio_socket.connect

    async def connect_and_close(*arguments: Any) -> socket.socket:
        connected = await connect(*arguments)
        driver.pool.close()
        return connected

    async def run(server: Server) -> None:
        here = driver.pool.here()
        await driver.pool.send(request_to(server, read=0.4))  # sets the timer, which a later time limit does not move
        await soon(lambda: here._connections.count == 0)
        monkeypatch.setattr(asyncio_pool, "connect", connect_and_close)
        with pytest.raises(TransportTimeout):
            await driver.pool.send(request_to(server, read=0.4))
        assert here._connections.count == 0

    with Server(answers(OK), never) as server:
        driver.run(run(server))


def test_the_timer_moves_when_an_exchange_is_due_earlier(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        here = driver.pool.here()
        await driver.pool.send(request_to(server, read=15))
        first = here._timer
        await driver.pool.send(request_to(server, read=20))
        assert here._timer is first
        await driver.pool.send(request_to(server, read=10))
        assert first is not None
        assert first.cancelled()
        assert here._timer is not first

    with Server(serve) as server:
        driver.run(run(server))


def test_an_exchange_that_is_not_due_goes_on_when_another_took_too_long(
    make_driver: Callable[..., AsyncDriver],
) -> None:
    driver = make_driver()

    def script(peer: Peer) -> None:
        received = peer.request()
        assert received is not None
        if received.target == "/patient":
            eventually(lambda: sum(each.ended.is_set() for each in server.peers) == 1)
            peer.send(OK)
        peer.stall()

    with Server(script) as server:
        late, patient = driver.together([request_to(server, read=0.02), request_to(server, "/patient")])
        assert isinstance(late, BaseException)
        assert isinstance(patient, Response)


def test_a_response_that_came_in_time_counts_even_if_the_event_loop_was_late(asyncio_driver: AsyncDriver) -> None:
    asked, sent = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        asked.wait()
        peer.send(OK)
        sent.set()
        peer.stall()

    async def run(server: Server) -> None:
        call = asyncio.ensure_future(asyncio_driver.pool.send(request_to(server, read=0.3)))
        await soon(lambda: server.requests)
        asked.set()
        sent.wait()
        time.sleep(0.4)  # noqa: ASYNC251 - the event loop is late
        assert (await call).body == b"ok"

    with Server(script) as server:
        asyncio_driver.run(run(server))
