"""What only the pool on asyncio has: cancellation, several event loops, sockets that TLS has its own way with."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import select
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from novaact_http import AsyncClient, NovaActError, _asyncio, _lean_async
from novaact_http._connections import ExchangeError
from novaact_http._http1 import ResponseReader
from novaact_http._wire import Origin, Response
from novaact_http.errors import TransportTimeout
from servers import (
    BIG,
    DRIVERS,
    OK,
    AsyncDriver,
    BlackHole,
    Peer,
    Server,
    answers,
    endpoint,
    eventually,
    idle,
    made_by,
    never,
    no_tls,
    request_to,
    serve,
    wait_for_news,
)
from support import call_for, options_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http._wire import Request
    from novaact_http.testing import LocalService

HERE = Origin("http", "127.0.0.1", 80)


@pytest.fixture(params=DRIVERS[1:], ids=["asyncio", "uvloop"])
def make_driver(request: pytest.FixtureRequest) -> Iterator[Callable[..., AsyncDriver]]:
    yield from made_by(request)  # type: ignore[misc] # both are


@pytest.fixture
def driver(make_driver: Callable[..., AsyncDriver]) -> AsyncDriver:
    return make_driver(max_connections=1)


@pytest.fixture
def asyncio_driver() -> Iterator[AsyncDriver]:
    """Where asyncio's own functions are replaced, or the order of its callbacks counts."""
    driver = AsyncDriver(max_connections=1)
    yield driver
    driver.end()


async def soon(is_so: Callable[[], object]) -> None:
    """Wait until it is so, while the event loop turns."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        await asyncio.sleep(0.001)


# Idle connections.


@pytest.mark.parametrize("ending", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
def test_a_connection_that_ended_is_not_used_though_the_event_loop_had_no_turn(
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


def test_a_connection_that_the_event_loop_finds_ended_on_its_way_to_a_waiter_is_not_used(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        here = driver.pool.here()
        origin = server.endpoint().origin
        assert await here.acquire(origin, None) is None
        connection = await here.open(origin, None, None)
        waiter = asyncio.ensure_future(here.acquire(origin, None))
        await soon(lambda: here._connections.waiting)
        here._in_use.discard(connection)
        here._release(origin, connection)
        here.lose(connection)
        assert connection.is_stale()
        assert await waiter is None
        assert here._connections.count == 1
        here.discard(origin, None)

    with Server(serve) as server:
        driver.run(run(server))


# Cancellation.


def test_a_call_is_cancelled_while_its_host_is_looked_up(
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


def test_a_call_is_cancelled_while_the_ca_bundle_is_read(make_driver: Callable[..., AsyncDriver]) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slowly() -> ssl.SSLContext:
        asked.set()
        answered.wait(20)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    cancel_when(make_driver(slowly), request_to(endpoint("127.0.0.1", 9, "https")), asked.is_set)
    answered.set()


def test_a_call_is_cancelled_while_it_connects(driver: AsyncDriver) -> None:
    with BlackHole() as hole:
        request = request_to(endpoint("127.0.0.1", hole.port))
        cancel_when(driver, request, lambda: driver.connections.count == 1)


def test_a_call_is_cancelled_while_it_connects_to_several_addresses(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lean_async, "_NEXT_ADDRESS_AFTER", 0.001)
    with BlackHole() as hole:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", hole.port))] * 3
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        cancel_when(
            asyncio_driver,
            request_to(endpoint("host.example", 80)),
            lambda: len(asyncio.all_tasks(asyncio_driver.loop)) >= 5,
        )


def test_a_call_is_cancelled_while_it_shakes_hands(make_driver: Callable[..., AsyncDriver]) -> None:
    driver = make_driver(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    greeted = threading.Event()

    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        greeted.set()
        peer.stall()

    with Server(script) as server:
        cancel_when(driver, request_to(endpoint("127.0.0.1", server.port, "https")), greeted.is_set)
        server.wait_for_end()


def test_a_call_is_cancelled_while_it_waits_for_its_turn(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        first = asyncio.ensure_future(driver.pool.send(request_to(server)))
        await soon(lambda: server.requests)
        await cancelled_when(driver, request_to(server), lambda: driver.connections.waiting)
        assert (driver.connections.count, driver.connections.waiting) == (1, 0)
        first.cancel()
        await asyncio.wait([first])

    with Server(never) as server:
        driver.run(run(server))


def test_a_call_is_cancelled_while_it_sends(driver: AsyncDriver) -> None:
    gone = threading.Event()

    def script(_: Peer) -> None:
        gone.wait(20)

    with Server(script) as server:
        cancel_when(driver, request_to(server, body=BIG), lambda: any(each._unsent for each in driver.here._in_use))
        gone.set()


def test_a_call_is_cancelled_while_it_waits_for_the_response(driver: AsyncDriver) -> None:
    with Server(never) as server:
        cancel_when(driver, request_to(server), lambda: server.requests)
        server.wait_for_end()


def cancel_when(driver: AsyncDriver, request: Request, is_so: Callable[[], object]) -> None:
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
    """A server on the same event loop, which is the quickest."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(OK)


def test_thousands_of_cancelled_calls_leave_nothing_behind(make_driver: Callable[..., AsyncDriver]) -> None:
    driver = make_driver(max_connections=20)
    chance = random.Random(1)
    count = 10_000 if isinstance(driver.loop, asyncio.BaseEventLoop) else 2_000
    peers: list[Answering] = []

    def made() -> Answering:
        peers.append(Answering())
        return peers[-1]

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, backlog=1_000)
        where = endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        request = request_to(where)
        await driver.pool.send(request)
        driver.here._close_discarded()
        before = fds()
        calls = [asyncio.ensure_future(driver.pool.send(request)) for _ in range(count)]
        spared = set(chance.sample(calls, count // 2))
        under_way = [each for each in calls if each not in spared]
        while under_way:
            await asyncio.sleep(0)
            for _ in range(chance.randrange(6)):
                under_way[chance.randrange(min(12, len(under_way)))].cancel()  # about as many as have begun
            under_way = [each for each in under_way if not each.done()]
        results = await asyncio.gather(*calls, return_exceptions=True)
        kinds = {type(each) for each in results}
        assert kinds == {Response, asyncio.CancelledError}
        assert all(isinstance(each.result(), Response) for each in spared)
        assert len(peers) > count // 100  # for each call that was cancelled after it had begun, there is one more
        connections = driver.connections
        assert connections.waiting == 0
        assert connections.count == len(idle(connections)) <= 20
        assert not driver.here._in_use
        for each in await asyncio.gather(*(driver.pool.send(request) for _ in range(100))):
            assert each.body == b"ok"
        driver.pool.close()
        server.close()
        await soon(lambda: len(asyncio.all_tasks()) <= 2)  # this one, and the one that limits it
        if before:
            await soon(lambda: fds() <= before)

    driver.run(run())
    driver.pool._pools.clear()


def fds() -> int:
    """How many file descriptors are open; 0 where nobody tells."""
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except FileNotFoundError:
        return 0


# The moment in which one's turn comes.


def test_a_turn_that_comes_as_one_is_cancelled_goes_to_the_next(driver: AsyncDriver) -> None:
    async def run() -> None:
        here = driver.pool.here()
        assert await here.acquire(HERE, None) is None
        first, second = (asyncio.ensure_future(here.acquire(HERE, None)) for _ in range(2))
        await soon(lambda: here._connections.waiting == 2)
        here.discard(HERE, None)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second is None
        assert (here._connections.count, here._connections.waiting) == (1, 0)
        here.discard(HERE, None)

    driver.run(run())


def test_a_turn_of_one_who_was_cancelled_just_before_goes_to_the_next(driver: AsyncDriver) -> None:
    async def run() -> None:
        here = driver.pool.here()
        assert await here.acquire(HERE, None) is None
        first, second = (asyncio.ensure_future(here.acquire(HERE, None)) for _ in range(2))
        await soon(lambda: here._connections.waiting == 2)
        first.cancel()
        here.discard(HERE, None)
        assert await second is None
        assert first.cancelled()
        assert here._connections.count == 1
        here.discard(HERE, None)

    driver.run(run())


def test_a_turn_that_comes_at_the_deadline_goes_to_the_next(asyncio_driver: AsyncDriver) -> None:
    async def run() -> None:
        here = asyncio_driver.pool.here()
        assert await here.acquire(HERE, None) is None
        deadline = time.monotonic() + 0.005
        first = asyncio.ensure_future(here.acquire(HERE, deadline))
        second = asyncio.ensure_future(here.acquire(HERE, None))
        await soon(lambda: here._connections.waiting == 2)
        time.sleep(max(0.0, deadline - time.monotonic()) + 0.002)  # noqa: ASYNC251 - the event loop is late
        await asyncio.sleep(0)  # in the turn in which it sees that the time is over,
        here.discard(HERE, None)
        with pytest.raises(ExchangeError) as caught:
            await first
        assert (caught.value.phase, caught.value.timed_out) == ("queue", True)
        assert await second is None
        assert here._connections.count == 1
        here.discard(HERE, None)

    asyncio_driver.run(run())


def test_cancelling_a_call_at_its_deadline_cancels_it(asyncio_driver: AsyncDriver) -> None:
    async def run() -> None:
        here = asyncio_driver.pool.here()
        assert await here.acquire(HERE, None) is None
        call = asyncio.ensure_future(here.acquire(HERE, time.monotonic() + 60))
        await soon(lambda: here._connections.waiting)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        here.discard(HERE, None)

    asyncio_driver.run(run())


def test_a_connection_that_comes_too_late_is_closed(
    asyncio_driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = socket.socket(), socket.socket()
    made = {1: slow, 2: quick, 3: None}

    async def connect(_: object, family: int, *__: object) -> socket.socket:
        made_now = made[family]
        if family == 1:  # it connects in the moment in which it is cancelled
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(20)
        if made_now is None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(20)
            raise OSError("refused, but too late")
        return made_now

    async def addresses(*_: object) -> list[Any]:
        return [(1, 0, 0, "", None), (3, 0, 0, "", None), (2, 0, 0, "", None)]

    monkeypatch.setattr(_lean_async, "_connect_to", connect)
    monkeypatch.setattr(_lean_async, "_addresses", addresses)
    monkeypatch.setattr(_lean_async, "_NEXT_ADDRESS_AFTER", 0.001)
    got = asyncio_driver.run(_lean_async._connect(asyncio_driver.loop, HERE))
    assert got is quick
    asyncio_driver.turn()
    assert slow.fileno() == -1
    quick.close()
    asyncio_driver.pool._pools.clear()


def test_of_two_connections_that_come_at_once_one_is_closed(
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
        connecting = asyncio.ensure_future(_lean_async._connect(loop, HERE))
        await soon(lambda: len(begun) == 2)
        may_connect.set()
        return await connecting

    monkeypatch.setattr(_lean_async, "_connect_to", connect)
    monkeypatch.setattr(_lean_async, "_addresses", addresses)
    monkeypatch.setattr(_lean_async, "_NEXT_ADDRESS_AFTER", 0.001)
    got = asyncio_driver.run(run())
    asyncio_driver.turn()
    assert sorted(each.fileno() >= 0 for each in both) == [False, True]
    got.close()


def test_a_socket_that_is_ready_as_its_call_is_cancelled_wakes_nobody(asyncio_driver: AsyncDriver) -> None:
    near, far = socket.socketpair()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        waiting = asyncio.ensure_future(_lean_async._ready(loop, near.fileno(), ssl.SSLWantReadError))
        await asyncio.sleep(0)
        far.send(b"!")
        await asyncio.sleep(0)  # the event loop has seen it, and tells of it next
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio_driver.run(run())
    near.close()
    far.close()


# Waiting until a deadline.


def test_what_comes_in_time_is_returned(asyncio_driver: AsyncDriver) -> None:
    async def run() -> None:
        for deadline in (None, time.monotonic() + 20):
            assert await _asyncio.by(deadline, asyncio.sleep(0.001, "done")) == "done"

    asyncio_driver.run(run())


def test_what_does_not_come_in_time_is_cancelled_and_its_task_goes_on(driver: AsyncDriver) -> None:
    async def run() -> None:
        awaited = asyncio.get_running_loop().create_future()
        with pytest.raises(_asyncio.DeadlineOver):
            await _asyncio.by(time.monotonic() + 0.001, awaited)
        assert awaited.cancelled()
        await asyncio.sleep(0.001)
        task: Any = asyncio.current_task()
        assert getattr(task, "cancelling", int)() == 0

    driver.run(run())


# A part at a time.


async def begun(driver: AsyncDriver, server: Server) -> tuple[_lean_async.Connection, ResponseReader]:
    here, origin = driver.pool.here(), server.endpoint().origin
    assert await here.acquire(origin, None) is None
    connection = await here.open(origin, 20, None)
    reader = ResponseReader("POST")
    connection.begin(reader)
    return connection, reader


def test_a_request_is_sent_and_its_response_read_a_part_at_a_time(driver: AsyncDriver) -> None:
    def script(peer: Peer) -> None:
        received = peer.request()
        assert received is not None
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received.body) + received.body)
        serve(peer)

    async def run(server: Server) -> None:
        connection, reader = await begun(driver, server)
        await connection.send(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(BIG), 20)
        await connection.send(BIG, 20)
        body, pauses = b"", 0
        while not reader.complete:
            await connection.receive(20)
            await asyncio.sleep(0)
            pauses += not connection._reads
            body += reader.take()
        assert body + reader.take() == BIG
        assert pauses
        driver.here.finish(connection, reader)
        assert (await driver.pool.send(request_to(server))).body == b"ok"
        assert server.accepted == 1

    with Server(script) as server:
        driver.run(run(server))


def test_a_part_that_nobody_reads_takes_too_long(driver: AsyncDriver) -> None:
    gone = threading.Event()

    async def run(server: Server) -> None:
        connection, _ = await begun(driver, server)
        with pytest.raises(ExchangeError, match="sending took too long"):
            await connection.send(BIG, 0.01)
        with pytest.raises(ExchangeError, match="sending took too long"):
            await connection.receive(20)
        driver.here.discard(server.endpoint().origin, connection)

    def script(_: Peer) -> None:
        gone.wait(20)

    with Server(script) as server:
        driver.run(run(server))
        gone.set()


def test_a_part_that_is_refused_is_an_error_and_what_was_answered_is_read(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        connection, reader = await begun(driver, server)
        with pytest.raises(ExchangeError) as caught:
            for _ in range(100):
                await connection.send(BIG, 20)
        assert caught.value.phase == "write"
        assert not connection.is_reusable
        while not reader.complete:
            await connection.receive(20)
        assert reader.status == 413
        driver.here.discard(server.endpoint().origin, connection)

    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    with Server(script) as server:
        driver.run(run(server))


# What TLS may do to a socket at any time.


class Fussy:
    """A socket on which operations fail as told, before they work."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.sends: list[BaseException] = []
        self.receives: list[BaseException] = []
        self.sent = 0

    def fileno(self) -> int:
        return self.real.fileno()

    def send(self, data: bytes) -> int:
        self.sent += 1
        if self.sends:
            raise self.sends.pop(0)
        return self.real.send(data)

    def recv(self, size: int) -> bytes:
        if self.receives:
            raise self.receives.pop(0)
        return self.real.recv(size)

    def close(self) -> None:
        self.real.close()


@pytest.fixture
def fussy(driver: AsyncDriver) -> Iterator[tuple[Fussy, socket.socket, _lean_async.Connection]]:
    """A socket, its other end, and a connection over it."""
    near, far = socket.socketpair()
    near.setblocking(False)

    async def connect() -> _lean_async.Connection:
        return _lean_async.Connection(HERE, driver.pool.here(), made)  # type: ignore[arg-type]

    made = Fussy(near)
    connection: _lean_async.Connection = driver.run(connect())
    yield made, far, connection
    connection.close()
    connection.close()
    far.close()


def test_tls_may_have_to_read_before_it_can_write(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy

    async def run() -> None:
        near.sends = [ssl.SSLWantReadError()]
        near.receives = [ssl.SSLWantReadError(), ssl.SSLWantReadError()]
        reader = ResponseReader("GET")
        exchange = asyncio.ensure_future(connection.exchange(b"request", reader, None, None))
        await asyncio.sleep(0.005)
        assert near.sent == 1  # nothing has come from the peer yet
        far.send(OK[:1])
        await asyncio.get_running_loop().run_in_executor(None, select.select, [far], [], [], 20)
        assert far.recv(100) == b"request"
        far.send(OK[1:])
        await exchange
        assert reader.take() == b"ok"
        assert connection.is_reusable

    driver.run(run())


def test_the_event_loop_rests_while_tls_has_to_read_before_it_can_write_on(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy

    async def run() -> None:
        near.sends = [ssl.SSLWantWriteError(), ssl.SSLWantReadError()]
        near.receives = [ssl.SSLWantReadError()]
        reader = ResponseReader("GET")
        exchange = asyncio.ensure_future(connection.exchange(b"request", reader, None, None))
        await soon(lambda: near.sent == 2)
        near.sends = [AssertionError("it cannot write yet")]
        await asyncio.sleep(0.005)
        assert near.sent == 2
        near.sends = []
        far.send(OK)
        await exchange
        assert far.recv(100) == b"request"

    driver.run(run())


def test_what_is_left_of_a_big_request_is_not_copied_each_time(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy
    took: list[object] = []

    def take_a_little(data: Any) -> int:
        took.append(data.obj if isinstance(data, memoryview) else data)
        return near.real.send(data[:1_000_000])  # type: ignore[no-any-return]

    async def run() -> None:
        near.send = take_a_little
        reader = ResponseReader("GET")
        exchange = asyncio.ensure_future(connection.exchange(BIG, reader, None, None))
        left = len(BIG)
        far.setblocking(False)
        loop = asyncio.get_running_loop()
        while left:
            left -= len(await loop.sock_recv(far, left))
        far.send(OK)
        await exchange
        assert len(took) >= 8
        assert all(each is BIG for each in took)
        assert connection.is_reusable

    driver.run(run())


def test_tls_may_have_to_write_before_it_can_read(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy

    async def run() -> None:
        near.receives = [ssl.SSLWantWriteError()]
        reader = ResponseReader("GET")
        exchange = asyncio.ensure_future(connection.exchange(b"request", reader, None, None))
        await asyncio.sleep(0)
        far.send(OK)
        await exchange
        assert reader.take() == b"ok"

    driver.run(run())


def test_an_idle_connection_on_which_tls_had_something_to_say_is_used(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy
    near.receives = [ssl.SSLWantReadError()]
    far.send(b"!")
    assert not connection.is_stale()


def test_a_response_that_is_complete_while_the_request_is_still_sent_ends_the_exchange(
    driver: AsyncDriver, fussy: Any
) -> None:
    _, far, connection = fussy

    async def run() -> None:
        reader = ResponseReader("GET")
        far.send(OK)
        await connection.exchange(BIG, reader, None, None)
        assert reader.complete
        assert not connection.is_reusable

    driver.run(run())


def test_that_a_request_was_refused_is_told_and_not_that_no_answer_came(driver: AsyncDriver, fussy: Any) -> None:
    _, far, connection = fussy

    async def run() -> None:
        far.close()
        with pytest.raises(ExchangeError, match="BrokenPipeError") as caught:
            await connection.exchange(b"request", ResponseReader("GET"), None, None)
        assert caught.value.phase == "write"
        assert isinstance(caught.value.__cause__, BrokenPipeError)

    driver.run(run())


# Event loops.


def test_each_event_loop_has_connections_of_its_own() -> None:
    pool = _lean_async.Pool(no_tls)
    with Server(serve) as server:
        for _ in range(3):
            assert asyncio.run(pool.send(request_to(server))).body == b"ok"
            assert len(pool._pools) == 1  # those of ended ones are dropped
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
        pool = _lean_async.Pool(no_tls)
        await pool.send(request_to(server))
        del pool
        gc.collect()
        server.wait_for_end()

    with Server(serve) as server:
        asyncio.run(run(server))
        pool = _lean_async.Pool(no_tls)
        asyncio.run(pool.send(request_to(server)))
        del pool
        gc.collect()
        server.wait_for_end(1)


def test_a_client_that_is_dropped_between_the_turns_of_its_event_loop_leaves_no_socket_open() -> None:
    with Server(serve) as server:
        loop = asyncio.new_event_loop()
        pool = _lean_async.Pool(no_tls)
        loop.run_until_complete(pool.send(request_to(server)))
        del pool
        gc.collect()
        loop.close()
        del loop
        gc.collect()
        server.wait_for_end()


def test_a_pool_is_closed_from_another_thread_than_its_event_loops(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        await driver.pool.send(request_to(server))
        await asyncio.get_running_loop().run_in_executor(None, driver.pool.close)
        await soon(server.peers[0].ended.is_set)
        with pytest.raises(NovaActError):
            await driver.pool.send(request_to(server))

    with Server(serve) as server:
        driver.run(run(server))


def test_a_pool_is_closed_though_an_event_loop_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    pool = _lean_async.Pool(no_tls)
    with Server(serve) as server:
        loop.run_until_complete(pool.send(request_to(server)))
        loop.close()
        monkeypatch.setattr(loop, "is_closed", lambda: False)
        monkeypatch.setattr(loop, "is_running", lambda: True)
        monkeypatch.setattr(loop, "call_soon_threadsafe", Mock(side_effect=RuntimeError("Event loop is closed")))
        pool.close()
        server.wait_for_end()


def test_a_pool_that_is_closed_while_it_is_first_used_on_an_event_loop_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = _lean_async.Pool(no_tls)

    class Overtaken(_lean_async.LoopPool):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            pool.close()  # as another thread may

    monkeypatch.setattr(_lean_async, "LoopPool", Overtaken)
    with pytest.raises(NovaActError, match="closed"):
        asyncio.run(pool.send(request_to(endpoint("127.0.0.1", 9))))


def test_other_threads_may_begin_and_end_event_loops_while_a_pool_looks_for_those_that_ended() -> None:
    class Ended:
        def is_closed(self) -> bool:
            pool._pools.clear()
            pool._pools[object()] = here  # type: ignore[index]
            return True

    pool = _lean_async.Pool(no_tls)
    loop = asyncio.new_event_loop()
    here = _lean_async.LoopPool(loop, no_tls, (1, 1.0))
    pool._pools = {Ended(): here, Ended(): here}  # type: ignore[dict-item]
    pool._drop_ended()
    pool._pools.clear()
    loop.close()


def test_an_event_loop_that_ends_in_the_middle_of_calls_wakes_nobody() -> None:
    loop = asyncio.new_event_loop()
    pool = _lean_async.Pool(no_tls, max_connections=1)
    with Server(never) as server:
        first, second = pool.send(request_to(server)), pool.send(request_to(server))

        async def run() -> None:
            for each in (first, second):
                asyncio.ensure_future(each)  # noqa: RUF006 - both are lost
            await soon(lambda: server.requests and pool.here()._connections.waiting)

        loop.run_until_complete(run())
        loop.set_exception_handler(lambda *_: None)  # that tasks are lost is not ours to tell
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
    pool, loop = _lean_async.Pool(no_tls), asyncio.new_event_loop()
    with Server(serve) as server:
        origin = server.endpoint().origin
        loop.run_until_complete(pool.send(request_to(server)))
        here = pool._pools[loop]
        used = loop.run_until_complete(here.acquire(origin, None))
        assert used is not None
        pool.after_fork()  # as in a child, though there is none
        assert used._fd == -1
        assert asyncio.run(pool.send(request_to(server))).body == b"ok"
        here.discard(origin, used)
        assert server.accepted == 2
        pool.close()
    loop.close()


def test_closing_ends_the_timer_of_an_event_loop(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        await driver.pool.send(request_to(server))
        here = driver.here
        timer = here._timer
        assert timer is not None
        driver.pool.close()
        assert timer.cancelled()

    with Server(serve) as server:
        driver.run(run(server))


def test_a_call_that_was_connecting_as_its_pool_was_closed_still_has_its_time_limits(
    driver: AsyncDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = _lean_async._connect

    async def connect_and_close(*arguments: Any) -> socket.socket:
        connected = await connect(*arguments)
        driver.pool.close()
        return connected

    async def run(server: Server) -> None:
        here = driver.pool.here()
        await driver.pool.send(request_to(server, read=0.4))  # the timer is set, and what is due later leaves it
        await soon(lambda: here._connections.count == 0)
        monkeypatch.setattr(_lean_async, "_connect", connect_and_close)
        with pytest.raises(TransportTimeout):
            await driver.pool.send(request_to(server, read=0.4))
        assert here._connections.count == 0

    with Server(answers(OK), never) as server:
        driver.run(run(server))


def test_one_timer_is_moved_for_what_is_due_earlier(driver: AsyncDriver) -> None:
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


def test_exchanges_that_are_not_due_wait_on_when_others_took_too_long(make_driver: Callable[..., AsyncDriver]) -> None:
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
