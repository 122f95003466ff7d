"""The pool on asyncio: calls that are cancelled, and what happens between two iterations of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http._call.http_messages import Origin, Response
from novaact_http._http import asyncio_socket, happy_eyeballs, pool_rules
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._support.interruptions import Place
from tests.helpers.calls import MANY
from tests.helpers.pool_drivers import AsyncDriver, idle, wait_for_news
from tests.helpers.servers import (
    BIG,
    OK,
    BlackHole,
    Peer,
    Server,
    answer_lookups_with,
    answers,
    deaf_until,
    endpoint,
    never,
    request_to,
    serve,
    soon,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http._call.http_messages import Request
    from novaact_http._http.asyncio_connection import Connection
    from novaact_http._http.asyncio_pool import LoopPool


HERE = Origin("http", "127.0.0.1", 80)


# Idle connections.


@pytest.mark.parametrize("ending", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_a_connection_that_ended_is_not_used_even_before_the_event_loop_noticed(
    driver: AsyncDriver, ending: bytes
) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.send(ending)

    async def twice(server: Server) -> None:
        await driver.pool.send(request_to(server))
        wait_for_news(driver)  # blocks
        assert (await driver.pool.send(request_to(server))).body == b"ok"

    with Server(script, serve) as server:
        driver.run(twice(server))
        assert server.accepted == 2


def test_a_connection_that_ends_while_it_is_handed_to_a_waiting_call_is_not_used(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        here = driver.pool.here()
        origin = server.endpoint().origin
        place = await here.acquire(origin, None)
        assert isinstance(place, Place)
        connection = await here.open(origin, place, None, None)
        waiter = asyncio.ensure_future(here.acquire(origin, None))
        await soon(lambda: here._connections.waiting)
        here._in_use.discard(connection)
        here._connections.keep(connection, time.monotonic())
        here.lose(connection)
        assert connection.is_stale()
        place = await waiter
        assert isinstance(place, Place)
        assert here._connections.count == 1
        here.discard(place)

    with Server(serve) as server:
        driver.run(run(server))


# Cancellation.


def test_a_call_can_be_cancelled_while_its_host_is_looked_up(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slowly(*_: object, **__: object) -> list[Any]:
        asked.set()
        answered.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    cancel_when(asyncio_driver, request_to(endpoint("host.example", 80)), asked.is_set)
    answered.set()


def test_a_call_can_be_cancelled_while_the_ca_bundle_is_read(make_driver: Callable[..., AsyncDriver]) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slowly() -> ssl.SSLContext:
        asked.set()
        answered.wait(20)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    cancel_when(make_driver(slowly), request_to(endpoint("127.0.0.1", 9, "https")), asked.is_set)
    answered.set()


def test_a_call_can_be_cancelled_while_it_connects(driver: AsyncDriver) -> None:
    with BlackHole() as hole:
        request = request_to(endpoint("127.0.0.1", hole.port))
        cancel_when(driver, request, lambda: driver.connections.count == 1)


def test_a_call_can_be_cancelled_while_it_connects_to_several_addresses(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.001)
    with BlackHole() as hole:
        answer_lookups_with(monkeypatch, *[hole.port] * 3)
        cancel_when(
            asyncio_driver,
            request_to(endpoint("host.example", 80)),
            lambda: len(asyncio.all_tasks(asyncio_driver.loop)) >= 5,
        )


def test_a_call_can_be_cancelled_during_the_handshake(make_driver: Callable[..., AsyncDriver]) -> None:
    driver = make_driver(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    greeted = threading.Event()

    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        greeted.set()
        peer.stall()

    with Server(script) as server:
        cancel_when(driver, request_to(endpoint("127.0.0.1", server.port, "https")), greeted.is_set)
        server.wait_for_end()


def test_a_call_can_be_cancelled_while_it_waits_for_its_turn(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        first = asyncio.ensure_future(driver.pool.send(request_to(server)))
        await soon(lambda: server.requests)
        await cancelled_when(driver, request_to(server), lambda: driver.connections.waiting)
        assert (driver.connections.count, driver.connections.waiting) == (1, 0)
        first.cancel()
        await asyncio.wait([first])

    with Server(never) as server:
        driver.run(run(server))


def test_a_call_can_be_cancelled_while_it_sends(driver: AsyncDriver) -> None:
    gone = threading.Event()
    with Server(deaf_until(gone)) as server:
        cancel_when(driver, request_to(server, body=BIG), lambda: any(each.unsent for each in driver.here._in_use))
        gone.set()


def test_a_call_can_be_cancelled_while_it_waits_for_the_response(driver: AsyncDriver) -> None:
    with Server(never) as server:
        cancel_when(driver, request_to(server), lambda: server.requests)
        server.wait_for_end()


def cancel_when(driver: AsyncDriver, request: Request, is_so: Callable[[], object]) -> None:
    """Cancel a call when the condition holds, and check that it leaves no connection."""
    driver.run(cancelled_when(driver, request, is_so))
    assert driver.connections.count == 0


async def cancelled_when(driver: AsyncDriver, request: Request, is_so: Callable[[], object]) -> None:
    call = asyncio.ensure_future(driver.pool.send(request))
    await asyncio.sleep(0)
    await soon(is_so)
    await asyncio.sleep(0.002)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert call.cancelled()


class Answering(asyncio.Protocol):
    """A server on the same event loop, which is fastest."""

    ended = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self.ended = True

    def data_received(self, data: bytes) -> None:
        self.transport.write(OK)


def test_many_cancelled_calls_leave_nothing_behind(make_driver: Callable[..., AsyncDriver]) -> None:
    driver = make_driver(max_connections=20)
    chance = random.Random(1)
    peers: list[Answering] = []

    def made() -> Answering:
        peers.append(Answering())
        return peers[-1]

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, backlog=1_000)
        where = endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        request = request_to(where)
        await driver.pool.send(request)
        before = open_files()
        calls = [asyncio.ensure_future(driver.pool.send(request)) for _ in range(MANY)]
        spared = set(chance.sample(calls, MANY // 2))
        under_way = [each for each in calls if each not in spared]
        while under_way:
            await asyncio.sleep(0)
            if chance.random() < 0.7:  # more seldom than calls end, so that many have begun
                under_way[chance.randrange(min(12, len(under_way)))].cancel()
            under_way = [each for each in under_way if not each.done()]
        results = await asyncio.gather(*calls, return_exceptions=True)
        kinds = {type(each) for each in results}
        assert kinds == {Response, asyncio.CancelledError}
        assert all(isinstance(each.result(), Response) for each in spared)
        assert len(peers) > MANY // 100  # each call that is cancelled after it has begun costs a connection
        connections = driver.connections
        assert connections.waiting == 0
        assert connections.count == len(idle(connections)) <= 20
        assert not driver.here._in_use
        for each in await asyncio.gather(*(driver.pool.send(request) for _ in range(100))):
            assert each.body == b"ok"
        driver.pool.close()
        server.close()
        await soon(lambda: len(asyncio.all_tasks()) <= 2)  # this task, and the one that limits its time
        await soon(lambda: all(each.ended for each in peers))
        if before:
            await soon(lambda: open_files() <= before)

    driver.run(run())
    driver.pool._pools.clear()


def open_files() -> int:
    """Return the number of open file descriptors; 0 where the system does not tell it."""
    try:
        return sum(1 for _ in Path("/dev/fd").iterdir())
    except FileNotFoundError:
        return 0


def test_calls_that_wait_are_not_all_woken_to_look_again(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_rules, "LOOK_AGAIN_AFTER", 0.001)
    looks = []

    async def run() -> None:
        here = asyncio_driver.pool.here()
        place = await here.acquire(HERE, None)
        take = here._connections.take

        def counted(*given: Any) -> Connection | Place | None:
            looks.append(given)
            return take(*given)

        monkeypatch.setattr(here._connections, "take", counted)
        calls = [asyncio.ensure_future(here.acquire(HERE, None)) for _ in range(50)]
        await soon(lambda: here._connections.waiting == 50)
        looks.clear()
        place.close()  # without a word to those who wait
        held = await calls[0]
        assert len(looks) == 1
        for each in calls[1:]:
            each.cancel()
        await asyncio.wait(calls)
        here.discard(held)

    asyncio_driver.run(run())


# The moment when a turn comes.


async def with_two_waiting(
    driver: AsyncDriver, deadline: float | None = None
) -> tuple[LoopPool, Connection | Place, asyncio.Future[Connection | Place], asyncio.Future[Connection | Place]]:
    """Return the pool, its only place, which is taken, and two calls that wait; the first until the deadline."""
    here = driver.pool.here()
    place = await here.acquire(HERE, None)
    first = asyncio.ensure_future(here.acquire(HERE, deadline))
    second = asyncio.ensure_future(here.acquire(HERE, None))
    await soon(lambda: here._connections.waiting == 2)
    return here, place, first, second


def test_a_turn_that_comes_just_before_a_cancellation_goes_to_the_next(driver: AsyncDriver) -> None:
    async def run() -> None:
        here, place, first, second = await with_two_waiting(driver)
        here.discard(place)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        place = await second
        assert (here._connections.count, here._connections.waiting) == (1, 0)
        here.discard(place)

    driver.run(run())


def test_a_turn_that_comes_just_after_a_cancellation_goes_to_the_next(driver: AsyncDriver) -> None:
    async def run() -> None:
        here, place, first, second = await with_two_waiting(driver)
        first.cancel()
        here.discard(place)
        place = await second
        assert first.cancelled()
        assert here._connections.count == 1
        here.discard(place)

    driver.run(run())


def test_a_turn_that_comes_at_the_deadline_goes_to_the_next(asyncio_driver: AsyncDriver) -> None:
    async def run() -> None:
        deadline = time.monotonic() + 0.005
        here, place, first, second = await with_two_waiting(asyncio_driver, deadline)
        time.sleep(max(0.0, deadline - time.monotonic()) + 0.002)  # noqa: ASYNC251 - the event loop is late
        await asyncio.sleep(0)  # the turn comes in the iteration in which the event loop sees that the time is over
        here.discard(place)
        with pytest.raises(ExchangeError) as caught:
            await first
        assert (caught.value.phase, caught.value.timed_out) == ("queue", True)
        place = await second
        assert here._connections.count == 1
        here.discard(place)

    asyncio_driver.run(run())


def test_cancelling_a_call_at_its_deadline_cancels_it(asyncio_driver: AsyncDriver) -> None:
    async def run() -> None:
        here = asyncio_driver.pool.here()
        place = await here.acquire(HERE, None)
        call = asyncio.ensure_future(here.acquire(HERE, time.monotonic() + 60))
        await soon(lambda: here._connections.waiting)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        here.discard(place)

    asyncio_driver.run(run())


def test_a_connection_that_is_made_too_late_is_closed(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = socket.socket(), socket.socket()
    made = {1: slow, 2: quick, 3: None}

    async def connect(_: object, family: int, *__: object) -> socket.socket:
        made_now = made[family]
        if family == 1:  # it connects at the very moment when it is cancelled
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(20)
        if made_now is None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(20)
            raise OSError("refused, but too late")
        return made_now

    async def addresses(*_: object) -> list[Any]:
        return [(1, 0, 0, "", None), (3, 0, 0, "", None), (2, 0, 0, "", None)]

    monkeypatch.setattr(asyncio_socket, "_connect_to", connect)
    monkeypatch.setattr(asyncio_socket, "_addresses", addresses)
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.001)
    got = asyncio_driver.run(asyncio_socket.connect(asyncio_driver.loop, HERE, None))
    assert got is quick
    asyncio_driver.turn()
    assert slow.fileno() == -1
    quick.close()
    asyncio_driver.pool._pools.clear()


def test_one_of_two_connections_that_are_made_at_once_is_closed(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [socket.socket(), socket.socket()]
    begun: list[int] = []
    may_connect = asyncio.Event()

    async def connect(_: object, family: int, *__: object) -> socket.socket:
        begun.append(family)
        await may_connect.wait()
        return both[family]

    async def addresses(*_: object) -> list[Any]:
        return [(0, 0, 0, "", None), (1, 0, 0, "", None)]

    async def run() -> socket.socket:
        loop = asyncio.get_running_loop()
        connecting = asyncio.ensure_future(asyncio_socket.connect(loop, HERE, None))
        await soon(lambda: len(begun) == 2)
        may_connect.set()
        return await connecting

    monkeypatch.setattr(asyncio_socket, "_connect_to", connect)
    monkeypatch.setattr(asyncio_socket, "_addresses", addresses)
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.001)
    got = asyncio_driver.run(run())
    asyncio_driver.turn()
    assert sorted(each.fileno() >= 0 for each in both) == [False, True]
    got.close()


def test_a_socket_that_is_ready_when_its_call_is_cancelled_wakes_no_call(asyncio_driver: AsyncDriver) -> None:
    near, far = socket.socketpair()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        waiting = asyncio.ensure_future(asyncio_socket._ready(loop, near.fileno(), ssl.SSLWantReadError))
        await asyncio.sleep(0)
        far.send(b"!")
        await asyncio.sleep(0)  # the event loop has seen it, and calls back next
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio_driver.run(run())
    near.close()
    far.close()
