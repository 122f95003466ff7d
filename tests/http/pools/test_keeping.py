"""The two pools, side by side, against servers that do what they are told: connections that are kept, or lost."""

from __future__ import annotations

import itertools
import select
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
from tests.helpers.servers import (
    BIG,
    OK,
    PATIENCE,
    AsyncDriver,
    Driver,
    MakeDriver,
    Peer,
    Server,
    SyncDriver,
    always,
    answers,
    bodies,
    echo,
    eventually,
    idle,
    never,
    request_to,
    serve,
    wait_for_news,
)

HERE = Origin("http", "127.0.0.1", 80)


# Keeping connections open.


def test_requests_follow_one_another_over_one_connection(driver: Driver) -> None:
    with Server(echo) as server:
        for target in ("/a", "/b", "/c"):
            response = driver.send(request_to(server, target, body=b"!"))
            assert (response.status, response.body) == (200, target.encode() + b"!")
            assert response.headers == (("content-length", "3"),)
            driver.turn()
        assert server.accepted == 1


KEPT = {
    "with a length": OK,
    "chunked, with trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n" + OK,
}
NOT_KEPT = {
    "Connection: close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "with bytes after it": OK + b"H",
}


@pytest.mark.parametrize("response", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("dripped", [False, True], ids=["whole", "a byte at a time"])
def test_a_connection_is_used_again_after_a_response(driver: Driver, response: bytes, dripped: bool) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            (peer.drip if dripped else peer.send)(response)

    with Server(script) as server:
        assert [driver.send(request_to(server)).body for _ in range(3)] == [b"ok"] * 3
        assert server.accepted == 1


@pytest.mark.parametrize("response", NOT_KEPT.values(), ids=NOT_KEPT)
def test_a_connection_is_closed_after_a_response(driver: Driver, response: bytes) -> None:
    with Server(always(response)) as server:
        assert [driver.send(request_to(server)).body for _ in range(2)] == [b"ok"] * 2
        assert driver.connections.count == 0
        server.wait_for_end(0)
        server.wait_for_end(1)


def test_a_response_without_a_length_ends_with_the_connection(driver: Driver) -> None:
    with Server(answers(b"HTTP/1.1 200 OK\r\n\r\nso much")) as server:
        assert [driver.send(request_to(server)).body for _ in range(2)] == [b"so much"] * 2
        assert server.accepted == 2
        assert driver.connections.count == 0


def test_a_server_may_close_connections_after_so_many_responses(driver: Driver) -> None:
    last = NOT_KEPT["Connection: close"]
    with Server(answers(OK, OK, last)) as server:
        for _ in range(7):
            assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == 3


def test_a_head_request_is_answered_without_a_body(driver: Driver) -> None:
    with Server(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        assert [driver.send(request_to(server, method="HEAD")).body for _ in range(2)] == [b""] * 2
        assert server.accepted == 1


@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_that_was_closed_while_idle_is_not_used(driver: Driver, turns: int) -> None:
    with Server(answers(OK), serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        for _ in range(turns):
            driver.turn()
        assert driver.send(request_to(server, "/next")).body == b"ok"
        assert server.accepted == 2
        assert [each.target for each in server.requests] == ["/", "/next"]


def test_where_there_is_no_poll_it_is_noticed_too(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "poll")  # as on Windows
    with Server(answers(OK, OK), serve) as server:
        for accepted in (1, 1, 2):
            driver.send(request_to(server))
            assert server.accepted == accepted
            if len(server.requests) == 2:
                server.wait_for_end()


def test_the_event_loop_closes_a_connection_that_was_closed_while_idle() -> None:
    driver = AsyncDriver()
    with Server(answers(OK)) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        driver.turn()
        assert driver.connections.count == 0
    driver.end()


@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_over_which_something_came_unasked_is_not_used(driver: Driver, turns: int) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        peer.stall()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        for _ in range(turns):
            driver.turn()
        assert driver.send(request_to(server)).status == 200
        assert server.accepted == 2


@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_that_was_reset_while_idle_is_not_used(driver: Driver, turns: int) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.reset()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        for _ in range(turns):
            driver.turn()
        assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == 2


def test_a_connection_is_not_used_after_its_expiry(make_driver: MakeDriver) -> None:
    driver = make_driver(keepalive_expiry=20.0)
    with Server(serve) as server:
        driver.send(request_to(server))
        (kept,) = idle(driver.connections)
        kept.idle_since -= 20.0
        driver.send(request_to(server))
        server.wait_for_end(0)
        assert server.accepted == 2


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


def test_what_is_no_response_is_an_error(driver: Driver) -> None:
    with Server(always(b"SSH-2.0-OpenSSH_9.9\r\n")) as server:
        with pytest.raises(TransportError, match="ProtocolError: not HTTP") as caught:
            driver.send(request_to(server, repeatable=True))
        assert caught.value.request_sent
        assert server.accepted == 1


@pytest.mark.parametrize("response", [b"", b"HTTP/1.1 200"], ids=["before it", "in its head"])
def test_a_connection_that_is_reset_is_an_error(driver: Driver, response: bytes) -> None:
    def script(peer: Peer) -> None:
        answers(response)(peer)
        peer.reset()

    with Server(script) as server:
        with pytest.raises(TransportError, match="ConnectionResetError") as caught:
            driver.send(request_to(server))
        assert caught.value.request_sent
        assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_a_server_that_never_answers_is_waited_for_as_long_as_was_said(driver: Driver) -> None:
    with Server(never) as server:
        with pytest.raises(TransportTimeout, match="waiting for the response took too long") as caught:
            driver.send(request_to(server, read=0.02))
        assert caught.value.request_sent
        server.wait_for_end()


def test_the_read_timeout_begins_anew_with_each_byte(driver: Driver) -> None:
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


def test_a_deadline_holds_though_bytes_keep_coming(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.drip(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100, 0.01)  # 6 s

    with Server(script) as server:
        with pytest.raises(TransportTimeout, match="waiting for the response took too long") as caught:
            driver.send(request_to(server, within=0.3))
        assert caught.value.request_sent
        assert not server.peers[0].ended.is_set()


def test_a_deadline_holds_though_there_is_always_something_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = SyncDriver()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + BIG)

    with Server(script) as server:
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
    return Connection(HERE, Connections(1, 1.0), Place(set()), connected)


def test_the_time_to_send_begins_anew_with_each_part_that_is_taken() -> None:
    slow: Any = Sluggish()
    data = bytes(range(256)) * 20
    connection_over(slow).send(data, 0.5)
    assert slow.taken == data
    assert slow.timeouts == [0.5]


def test_a_deadline_holds_though_there_is_always_room_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    slow: Any = Sluggish()
    ticks = itertools.count(1.0)
    monkeypatch.setattr(blocking_connection, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(ExchangeError, match="sending took too long") as caught:
        connection_over(slow).send(BIG, 2.5, 5.0)
    assert (caught.value.phase, caught.value.timed_out) == ("write", True)
    assert len(slow.taken) == 4000
    assert slow.timeouts == [2.5, 2.0, 1.0]


def test_a_big_request_is_read_slowly(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        time.sleep(0.05)
        serve(peer)

    with Server(script) as server:
        assert driver.send(request_to(server, body=BIG)).body == b"ok"
        assert driver.send(request_to(server, "/next")).body == b"ok"
        assert server.requests[0].body == BIG
        assert server.accepted == 1


def test_a_request_that_nobody_reads_takes_too_long(driver: Driver) -> None:
    gone = threading.Event()

    def script(_: Peer) -> None:
        gone.wait(PATIENCE)

    with Server(script) as server:
        with pytest.raises(TransportTimeout, match="sending took too long") as caught:
            driver.send(request_to(server, body=BIG, read=0.05))
        assert caught.value.request_sent
        gone.set()


def test_an_answer_that_comes_before_the_whole_request_was_taken_counts(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    with Server(script) as server:
        response = driver.send(request_to(server, body=BIG))
        assert (response.status, response.body) == (413, b"no")
        assert driver.connections.count == 0


def test_a_connection_that_ends_before_the_whole_request_was_taken_is_an_error(driver: Driver) -> None:
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


def test_that_a_request_was_refused_is_told_and_not_that_no_answer_came() -> None:
    near, far = socket.socketpair()
    far.close()
    connection = connection_over(near)
    with pytest.raises(ExchangeError, match="BrokenPipeError") as caught:
        connection.exchange(b"request", ResponseReader("GET"), None, None)
    assert caught.value.phase == "write"
    assert isinstance(caught.value.__cause__, BrokenPipeError)
    connection.close()


# Connections whose end was not noticed in time.


def test_a_request_that_meets_the_end_of_a_used_connection_is_sent_again_at_once(driver: Driver) -> None:
    with Server(answers(OK, b""), serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, "/again", repeatable=True)).body == b"ok"
        assert [each.target for each in server.requests] == ["/", "/again", "/again"]
        assert server.accepted == 2
        assert driver.connections.count == 1


def test_a_request_that_meets_a_reset_on_a_used_connection_is_sent_again_too(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        answers(OK, b"")(peer)
        peer.reset()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, repeatable=True)).body == b"ok"


def test_a_big_request_that_meets_the_end_of_a_used_connection_is_sent_again(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.socket.recv(1_000)
        peer.reset()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, body=BIG, repeatable=True)).body == b"ok"
        assert server.requests[-1].body == BIG
        assert server.accepted == 2


def test_a_request_that_must_not_be_repeated_is_not_sent_again(driver: Driver) -> None:
    with Server(answers(OK, b""), serve) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="before any of the response came") as caught:
            driver.send(request_to(server))
        assert caught.value.request_sent
        assert server.accepted == 1


def test_a_request_is_not_sent_again_once_a_byte_of_an_answer_has_come(driver: Driver) -> None:
    with Server(answers(OK, b"H"), serve) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="in the middle of the response"):
            driver.send(request_to(server, repeatable=True))
        assert server.accepted == 1


def test_a_request_that_took_too_long_is_not_sent_again(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        never(peer)

    with Server(script, serve) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server, read=0.02, repeatable=True))
        assert server.accepted == 1


def test_where_a_kept_connection_leads_nowhere_those_that_were_idle_as_long_are_not_used(driver: Driver) -> None:
    def once(peer: Peer) -> None:
        peer.request()
        eventually(lambda: server.accepted >= 3)
        peer.send(OK)
        never(peer)

    with Server(once, once, once, serve) as server:
        driver.together([request_to(server)] * 3)
        assert driver.connections.count == 3
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server, read=0.02, repeatable=True))
        assert driver.connections.count == 0
        assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == 4


def test_a_request_is_sent_again_no_more_than_once(driver: Driver) -> None:
    with Server(answers(OK, b""), answers(b"")) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="before any of the response came"):
            driver.send(request_to(server, repeatable=True))
        assert server.accepted == 2


def test_a_request_is_sent_again_over_a_new_connection_though_others_are_idle(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        eventually(lambda: server.accepted == 2)
        peer.send(OK)
        peer.request()

    with Server(script, script, serve) as server:
        driver.together([request_to(server)] * 2)
        assert driver.send(request_to(server, repeatable=True)).body == b"ok"
        assert server.accepted == 3
        assert driver.connections.count == 2


def test_a_request_that_is_sent_again_keeps_its_place(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)

    def script(peer: Peer) -> None:
        answers(OK, b"")(peer)
        eventually(lambda: driver.connections.waiting == 1)

    with Server(script, serve) as server:
        driver.send(request_to(server))
        first, second = (request_to(server, target, repeatable=True) for target in ("/first", "/second"))
        assert bodies(driver.together([first, second])) == [b"ok"] * 2
        assert [each.target for each in server.requests] == ["/", "/first", "/first", "/second"]
        assert driver.connections.count == 1
