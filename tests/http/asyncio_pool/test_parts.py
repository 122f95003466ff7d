"""The pool on asyncio: deadlines, requests and responses in parts, and what TLS may do at any time."""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http._call.http_messages import Origin
from novaact_http._http import deadline as deadlines
from novaact_http._http.asyncio_connection import Connection
from novaact_http._http.asyncio_exchange import StreamedExchange, WholeExchange
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import ResponseReader
from novaact_http._support.interruptions import Place
from tests.helpers.servers import (
    BIG,
    OK,
    Peer,
    Server,
    answers_early,
    deaf_until,
    http_response,
    request_to,
    serve,
    soon,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.pool_drivers import AsyncDriver


HERE = Origin("http", "127.0.0.1", 80)


# Waiting until a deadline.


def test_a_result_that_comes_in_time_is_returned(asyncio_driver: AsyncDriver) -> None:
    async def run() -> None:
        for deadline in (None, time.monotonic() + 20):
            assert await deadlines.wait_until(deadline, asyncio.sleep(0.001, "done")) == "done"

    asyncio_driver.run(run())


def test_an_awaitable_that_takes_too_long_is_cancelled_and_its_task_goes_on(driver: AsyncDriver) -> None:
    async def run() -> None:
        awaited = asyncio.get_running_loop().create_future()
        with pytest.raises(deadlines.DeadlinePassed):
            await deadlines.wait_until(time.monotonic() + 0.001, awaited)
        assert awaited.cancelled()
        await asyncio.sleep(0.001)
        task: Any = asyncio.current_task()
        assert getattr(task, "cancelling", int)() == 0

    driver.run(run())


@pytest.mark.parametrize("fails", [False, True])
def test_a_cancellation_at_the_deadline_that_was_caught_is_no_longer_counted(
    asyncio_driver: AsyncDriver, fails: bool
) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if fails:
                raise OSError from None
        return "done"

    async def run() -> None:
        try:
            assert await deadlines.wait_until(time.monotonic() + 0.001, stubborn()) == "done"
            assert not fails
        except OSError:
            assert fails
        task: Any = asyncio.current_task()
        assert getattr(task, "cancelling", int)() == 0

    asyncio_driver.run(run())


# Requests and responses in parts.


async def begin(driver: AsyncDriver, server: Server) -> tuple[Connection, StreamedExchange]:
    """Open a connection, and begin an exchange over it."""
    here, origin = driver.pool.here(), server.endpoint().origin
    place = await here.acquire(origin, None)
    assert isinstance(place, Place)
    connection = await here.open(origin, place, 20, None)
    return connection, StreamedExchange(connection, ResponseReader("POST"))


def test_a_request_is_sent_and_its_response_read_in_parts(driver: AsyncDriver) -> None:
    def script(peer: Peer) -> None:
        received = peer.request()
        assert received is not None
        peer.send(http_response(received.body))
        serve(peer)

    async def run(server: Server) -> None:
        connection, exchange = await begin(driver, server)
        await exchange.send(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(BIG), 20)
        await exchange.send(BIG, 20)
        body, pauses = b"", 0
        while not exchange.reader.complete:
            await exchange.receive(20)
            await asyncio.sleep(0)
            pauses += not connection._reads
            body += exchange.reader.take()
        assert body + exchange.reader.take() == BIG
        assert pauses
        driver.here.finish(connection, exchange.reader)
        assert (await driver.pool.send(request_to(server))).body == b"ok"
        assert server.accepted == 1

    with Server(script) as server:
        driver.run(run(server))


def test_a_part_that_the_server_does_not_read_takes_too_long(driver: AsyncDriver) -> None:
    gone = threading.Event()

    async def run(server: Server) -> None:
        connection, exchange = await begin(driver, server)
        with pytest.raises(ExchangeError, match="sending took too long"):
            await exchange.send(BIG, 0.01)
        with pytest.raises(ExchangeError, match="sending took too long"):
            await exchange.receive(20)
        driver.here.discard(connection)

    with Server(deaf_until(gone)) as server:
        driver.run(run(server))
        gone.set()


def test_a_part_that_is_refused_is_an_error_and_the_response_is_still_read(driver: AsyncDriver) -> None:
    async def run(server: Server) -> None:
        connection, exchange = await begin(driver, server)
        with pytest.raises(ExchangeError) as caught:
            for _ in range(100):
                await exchange.send(BIG, 20)
        assert caught.value.phase == "write"
        assert not connection.is_reusable
        while not exchange.reader.complete:
            await exchange.receive(20)
        assert exchange.reader.status == 413
        driver.here.discard(connection)

    with Server(answers_early(http_response(b"", status=b"413 Too Large"))) as server:
        driver.run(run(server))


# What TLS may do to a socket at any time.


class Fussy:
    """A socket whose operations raise the given errors, one each, before they work."""

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
def fussy(driver: AsyncDriver) -> Iterator[tuple[Fussy, socket.socket, Connection]]:
    """The socket of a connection, its other end, and the connection."""
    near, far = socket.socketpair()
    near.setblocking(False)

    async def connect() -> Connection:
        return Connection(HERE, driver.pool.here(), Place(set()), made)  # type: ignore[arg-type]

    made = Fussy(near)
    connection: Connection = driver.run(connect())
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
        exchange = asyncio.ensure_future(WholeExchange(connection, reader).run(b"request", b"", None, None))
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


def test_the_event_loop_rests_while_tls_has_to_read_before_it_can_write_more(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy

    async def run() -> None:
        near.sends = [ssl.SSLWantWriteError(), ssl.SSLWantReadError()]
        near.receives = [ssl.SSLWantReadError()]
        reader = ResponseReader("GET")
        exchange = asyncio.ensure_future(WholeExchange(connection, reader).run(b"request", b"", None, None))
        await soon(lambda: near.sent == 2)
        near.sends = [AssertionError("it cannot write yet")]
        await asyncio.sleep(0.005)
        assert near.sent == 2
        near.sends = []
        far.send(OK)
        await exchange
        assert far.recv(100) == b"request"

    driver.run(run())


def test_the_rest_of_a_big_request_is_not_copied_for_each_send(driver: AsyncDriver, fussy: Any) -> None:
    near, far, connection = fussy
    took: list[object] = []

    def take_a_little(data: Any) -> int:
        took.append(data.obj if isinstance(data, memoryview) else data)
        return near.real.send(data[:1_000_000])  # type: ignore[no-any-return]

    async def run() -> None:
        near.send = take_a_little
        reader = ResponseReader("GET")
        exchange = asyncio.ensure_future(WholeExchange(connection, reader).run(BIG, b"", None, None))
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
        exchange = asyncio.ensure_future(WholeExchange(connection, reader).run(b"request", b"", None, None))
        await asyncio.sleep(0)
        far.send(OK)
        await exchange
        assert reader.take() == b"ok"

    driver.run(run())


def test_an_idle_connection_that_got_only_tls_messages_is_used(driver: AsyncDriver, fussy: Any) -> None:
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
        await WholeExchange(connection, reader).run(BIG, b"", None, None)
        assert reader.complete
        assert not connection.is_reusable

    driver.run(run())


def test_a_refused_request_is_a_write_error_and_not_a_missing_response(driver: AsyncDriver, fussy: Any) -> None:
    _, far, connection = fussy

    async def run() -> None:
        far.close()
        with pytest.raises(ExchangeError, match="BrokenPipeError") as caught:
            await WholeExchange(connection, ResponseReader("GET")).run(b"request", b"", None, None)
        assert caught.value.phase == "write"
        assert isinstance(caught.value.__cause__, BrokenPipeError)

    driver.run(run())
