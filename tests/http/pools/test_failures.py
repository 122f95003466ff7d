"""Both pools: exchanges that fail or take too long, and requests with a big body."""

from __future__ import annotations

import itertools
import socket
import threading
import time
import types
from typing import Any

import pytest

from novaact_http._call.http_messages import Origin
from novaact_http._http import blocking_connection, blocking_pool
from novaact_http._http.blocking_connection import Connection
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import ResponseReader
from novaact_http._http.pool_rules import Connections
from novaact_http._support.interruptions import Place
from novaact_http.errors import TransportError, TransportTimeout
from tests.helpers.pool_drivers import Driver, SyncDriver
from tests.helpers.servers import (
    BIG,
    OK,
    Peer,
    Server,
    always,
    answers,
    answers_and_resets,
    answers_early,
    deaf_until,
    http_response,
    never,
    request_to,
    serve,
)

HERE = Origin("http", "127.0.0.1", 80)


# Responses that fail.

BROKEN = {
    "before it": b"",
    "in its head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "in its body": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok",
}


@pytest.mark.parametrize("response", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("repeatable", [False, True])
def test_a_new_connection_that_ends_too_early_is_an_error(driver: Driver, response: bytes, repeatable: bool) -> None:
    with Server(answers(response)) as server:
        with pytest.raises(TransportError, match=r"ProtocolError: the connection ended (before|in)") as caught:
            driver.send(request_to(server, repeatable=repeatable))
        assert type(caught.value) is TransportError
        assert caught.value.request_sent
        assert type(caught.value.__cause__).__name__ == "ProtocolError"
        assert f"no response from http://127.0.0.1:{server.port}: " in str(caught.value)
        assert server.accepted == 1
        assert driver.connections.count == 0


def test_a_response_that_is_not_http_is_an_error(driver: Driver) -> None:
    with Server(always(b"SSH-2.0-OpenSSH_9.9\r\n")) as server:
        with pytest.raises(TransportError, match="ProtocolError: not HTTP") as caught:
            driver.send(request_to(server, repeatable=True))
        assert caught.value.request_sent
        assert server.accepted == 1


@pytest.mark.parametrize("response", [b"", b"HTTP/1.1 200"], ids=["before it", "in its head"])
def test_a_connection_that_is_reset_is_an_error(driver: Driver, response: bytes) -> None:
    with Server(answers_and_resets(response)) as server:
        with pytest.raises(TransportError, match="ConnectionResetError") as caught:
            driver.send(request_to(server))
        assert caught.value.request_sent
        assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_the_read_timeout_ends_the_wait_for_a_response(driver: Driver) -> None:
    with Server(never) as server:
        with pytest.raises(TransportTimeout, match="waiting for the response took too long") as caught:
            driver.send(request_to(server, read=0.02))
        assert caught.value.request_sent
        server.wait_for_end()


def test_the_read_timeout_starts_again_with_each_byte(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.drip(OK, 0.015)  # 0.6 s in all
        peer.request()
        peer.drip(OK[:3], 0.01)
        peer.stall()

    with Server(script) as server:
        assert driver.send(request_to(server, read=0.4)).body == b"ok"
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server, read=0.05))


def test_a_deadline_holds_even_if_bytes_keep_coming(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.drip(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100, 0.01)  # 6 s

    with Server(script) as server:
        with pytest.raises(TransportTimeout, match="waiting for the response took too long") as caught:
            driver.send(request_to(server, within=0.3))
        assert caught.value.request_sent
        assert not server.peers[0].ended.is_set()


def test_a_deadline_holds_even_if_there_is_always_something_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = SyncDriver()

    with Server(answers(http_response(BIG))) as server:
        ticks = itertools.count()
        for module in (blocking_pool, blocking_connection):
            monkeypatch.setattr(module, "time", types.SimpleNamespace(monotonic=lambda: float(next(ticks))))
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server)._replace(deadline=20.0))
        assert next(ticks) < 30
    driver.end()


# Requests with a big body.


class Sluggish:
    """A socket that takes a thousand bytes at a time."""

    def __init__(self) -> None:
        self.taken = b""
        self.timeouts: list[float | None] = []

    def gettimeout(self) -> float | None:
        return None

    def settimeout(self, timeout: float | None) -> None:
        self.timeouts.append(timeout)

    def send(self, data: bytes) -> int:
        self.taken += data[:1000]
        return len(data[:1000])

    def close(self) -> None:
        pass


def connection_over(connected: Any) -> Connection:
    """Return a connection over this socket, in a place of its own."""
    return Connection(HERE, Connections(1, 1.0), Place(set()), connected)


def test_the_time_to_send_starts_again_with_each_part_that_is_sent() -> None:
    slow: Any = Sluggish()
    data = bytes(range(256)) * 20
    connection_over(slow).send(data, 0.5)
    assert slow.taken == data
    assert slow.timeouts == [0.5]


def test_a_deadline_holds_even_if_there_is_always_room_to_send_more(monkeypatch: pytest.MonkeyPatch) -> None:
    slow: Any = Sluggish()
    ticks = itertools.count(1.0)
    monkeypatch.setattr(blocking_connection, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(ExchangeError, match="sending took too long") as caught:
        connection_over(slow).send(BIG, 2.5, 5.0)
    assert (caught.value.phase, caught.value.timed_out) == ("write", True)
    assert len(slow.taken) == 4000
    assert slow.timeouts == [2.5, 2.0, 1.0]


def test_a_big_request_may_be_read_slowly(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        time.sleep(0.05)
        serve(peer)

    with Server(script) as server:
        assert driver.send(request_to(server, body=BIG)).body == b"ok"
        assert driver.send(request_to(server, "/next")).body == b"ok"
        assert server.requests[0].body == BIG
        assert server.accepted == 1


def test_a_request_that_the_server_does_not_read_takes_too_long(driver: Driver) -> None:
    gone = threading.Event()
    with Server(deaf_until(gone)) as server:
        with pytest.raises(TransportTimeout, match="sending took too long") as caught:
            driver.send(request_to(server, body=BIG, read=0.05))
        assert caught.value.request_sent
        gone.set()


def test_a_response_that_comes_before_the_request_was_sent_whole_counts(driver: Driver) -> None:
    with Server(answers_early(http_response(b"no", status=b"413 Too Large"))) as server:
        response = driver.send(request_to(server, body=BIG))
        assert (response.status, response.body) == (413, b"no")
        assert driver.connections.count == 0


def test_a_connection_that_ends_before_the_request_was_sent_whole_is_an_error(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        peer.reset()

    with Server(script) as server:
        with pytest.raises(TransportError, match=r"BrokenPipeError|ConnectionResetError") as caught:
            driver.send(request_to(server, body=BIG, repeatable=True))
        assert type(caught.value) is TransportError
        assert caught.value.request_sent
        assert isinstance(caught.value.__cause__, OSError)
        assert server.accepted == 1


def test_a_refused_request_is_a_write_error_and_not_a_missing_response() -> None:
    near, far = socket.socketpair()
    far.close()
    connection = connection_over(near)
    with pytest.raises(ExchangeError, match="BrokenPipeError") as caught:
        connection.exchange(b"request", b"", ResponseReader("GET"), None, None)
    assert caught.value.phase == "write"
    assert isinstance(caught.value.__cause__, BrokenPipeError)
    connection.close()
