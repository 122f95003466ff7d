"""The two pools, side by side: how many connections there are, who waits, and what closing ends."""

from __future__ import annotations

import ssl
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import Client, DeadlineExceeded, NovaActError
from novaact_http._call.http_messages import Origin, Response
from novaact_http._http import blocking_pool
from novaact_http._http.blocking_connection import Connection
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import ResponseReader
from novaact_http._http.pool_rules import Connections
from novaact_http._support.interruptions import Place
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.servers import (
    OK,
    Driver,
    MakeDriver,
    Peer,
    Server,
    SyncDriver,
    always,
    answers,
    bodies,
    endpoint,
    eventually,
    idle,
    never,
    no_tls,
    patiently,
    request_to,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Callable


HERE = Origin("http", "127.0.0.1", 80)


# Limits.


def test_there_are_never_more_connections_than_the_limit(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=2)
    all_are_there = threading.Event()

    def script(peer: Peer) -> None:
        while received := peer.request():
            eventually(lambda: all_are_there.is_set() or driver.connections.waiting == 18)
            all_are_there.set()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + received.target.encode())

    with Server(script) as server:
        targets = [f"/{number}" for number in range(10, 30)]
        assert bodies(driver.together([request_to(server, target) for target in targets])) == [
            target.encode() for target in targets
        ]
        assert server.accepted == 2
        assert driver.connections.count == 2


def test_those_who_wait_are_served_in_the_order_in_which_they_came(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(patiently(lambda: driver.connections.waiting == 9)) as server:
        targets = [f"/{number}" for number in range(10)]
        assert bodies(driver.together([request_to(server, target) for target in targets])) == [b"ok"] * 10
        assert [each.target for each in server.requests] == targets
        assert server.accepted == 1


def test_those_who_wait_open_connections_of_their_own_if_those_before_them_end(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    with Server(patiently(lambda: driver.connections.waiting == 2, last), always(last)) as server:
        assert bodies(driver.together([request_to(server)] * 3)) == [b"ok"] * 3
        assert server.accepted == 3


def test_waiting_for_a_connection_ends_at_the_deadline(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_driver(max_connections=1)
    gave_up: list[object] = []

    def leave(waiter: Any) -> None:
        Connections.leave(connections, waiter)
        gave_up.append(waiter)

    def script(peer: Peer) -> None:
        answers(OK)(peer)
        patiently(lambda: gave_up)(peer)

    with Server(script) as server:
        driver.send(request_to(server))
        connections = driver.connections
        monkeypatch.setattr(connections, "leave", leave)
        served, late = driver.together([request_to(server), request_to(server, within=0.02)])
        assert isinstance(served, Response)
        assert isinstance(late, DeadlineExceeded)
        assert "waiting for a connection took too long" in str(late)
        assert not late.request_sent
        assert len(server.requests) == 2


def test_the_place_of_a_connection_goes_to_one_who_waits_for_another_server(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(patiently(lambda: driver.connections.waiting == 1)) as one, Server(serve) as other:
        assert bodies(driver.together([request_to(one), request_to(other)])) == [b"ok"] * 2
        one.wait_for_end()
        assert driver.connections.count == 1
        assert driver.send(request_to(other)).body == b"ok"
        assert (one.accepted, other.accepted) == (1, 1)


def test_a_connection_that_is_idle_makes_room_for_one_to_another_server(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(serve) as one, Server(serve) as other:
        driver.send(request_to(one))
        driver.send(request_to(other))
        one.wait_for_end()
        assert driver.connections.count == 1


def test_a_connection_that_was_closed_on_its_way_to_a_waiter_is_not_used(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)

    def script(peer: Peer) -> None:
        peer.request()
        eventually(lambda: driver.connections.waiting == 1)
        peer.send(OK)

    with Server(script, serve) as server:
        first, second = driver.together([request_to(server), request_to(server, repeatable=True)])
        assert bodies([first, second]) == [b"ok"] * 2
        assert server.accepted == 2


# Closing.


def test_a_closed_pool_sends_nothing(driver: Driver) -> None:
    with Server(serve) as server:
        driver.send(request_to(server))
        driver.close()
        server.wait_for_end()
        with pytest.raises(NovaActError, match="this client is closed"):
            driver.send(request_to(server))
        driver.close()


def test_closing_lets_those_finish_that_have_begun_and_nobody_else(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)

    def script(peer: Peer) -> None:
        peer.request()
        connections.append(driver.connections)
        eventually(lambda: driver.connections.waiting == 2)
        driver.pool.close()  # type: ignore[attr-defined] # on a thread of the server's
        peer.send(OK)
        peer.stall()

    connections: list[Any] = []
    with Server(script) as server:
        served, *refused = driver.together([request_to(server)] * 3)
        assert isinstance(served, Response)
        assert [type(each) for each in refused] == [NovaActError, NovaActError]
        server.wait_for_end()
        assert server.accepted == 1
        assert (connections[0].count, connections[0].waiting) == (0, 0)


# Threads.


def full(
    monkeypatch: pytest.MonkeyPatch, when_waiting: Callable[[blocking_pool.Pool, Any], None]
) -> tuple[SyncDriver, Any]:
    """Return a pool and its only place, which is taken; `when_waiting` is called with both when a call waits for it."""
    driver = SyncDriver(max_connections=1)
    place = driver.pool.acquire(HERE, None)
    monkeypatch.setattr(blocking_pool._Waiter, "sleep", lambda *_: when_waiting(driver.pool, place))
    return driver, place


def test_a_turn_that_comes_with_the_deadline_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(pool: blocking_pool.Pool, place: Any) -> None:
        pool.discard(place)
        now = time.monotonic()
        monkeypatch.setattr(blocking_pool, "time", types.SimpleNamespace(monotonic=lambda: now + 60))

    driver, _ = full(monkeypatch, turn)
    with pytest.raises(ExchangeError, match="waiting for a connection took too long"):
        driver.pool.acquire(HERE, time.monotonic() + 30)
    driver.end()


def test_a_signal_ends_the_wait_for_ones_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    driver, place = full(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        driver.pool.acquire(HERE, None)
    assert (driver.connections.count, driver.connections.waiting) == (1, 0)
    driver.pool.discard(place)
    driver.end()


def test_a_turn_that_comes_with_a_signal_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(pool: blocking_pool.Pool, place: Any) -> None:
        pool.discard(place)
        raise KeyboardInterrupt

    driver, _ = full(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        driver.pool.acquire(HERE, None)
    driver.end()


@pytest.mark.parametrize(("owner", "stage"), [(blocking_pool, "connect"), (Connection, "exchange")])
def test_a_signal_in_the_middle_of_a_call_takes_no_place(
    owner: Any, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    driver = SyncDriver()
    monkeypatch.setattr(owner, stage, interrupt)
    with Server(serve) as server, pytest.raises(KeyboardInterrupt):
        driver.send(request_to(server))
    assert driver.connections.count == 0
    driver.end()


def test_a_signal_as_a_kept_connection_is_looked_at_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    driver = SyncDriver()
    with Server(serve) as server:
        driver.send(request_to(server))
        monkeypatch.setattr(Connection, "is_stale", interrupt)
        with pytest.raises(KeyboardInterrupt):
            driver.send(request_to(server))
    assert driver.connections.count == 0
    driver.end()


def test_a_signal_while_connecting_closes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ssl.SSLContext):
        def wrap_socket(self, *_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

    driver = SyncDriver(lambda: Interrupted(ssl.PROTOCOL_TLS_CLIENT))
    with Server(never) as server:
        with pytest.raises(KeyboardInterrupt):
            driver.send(request_to(endpoint("127.0.0.1", server.port, "https")))
        server.wait_for_end()
    driver.end()


def test_a_forked_child_counts_no_connection_of_its_parents() -> None:
    driver = SyncDriver(max_connections=2)
    with Server(serve) as server:
        driver.send(request_to(server))
        origin = server.endpoint().origin
        used, other = driver.pool.acquire(origin, None), driver.pool.acquire(origin, None)
        assert isinstance(used, Connection)
        assert isinstance(other, Place)
        other = driver.pool.open(origin, other, None, None)
        driver.pool.discard(other)
        driver.pool.after_fork()  # as in a child, though there is none
        assert driver.connections.count == 0
        driver.send(request_to(server))
        reader = ResponseReader("GET")
        reader.feed(OK)
        driver.pool.finish(used, reader)
        assert driver.connections.count == 1
        idle_now = idle(driver.connections)
        driver.pool.after_fork()
        assert idle_now[0]._socket.fileno() == -1
    driver.end()


def test_many_threads_each_have_their_own_answers() -> None:
    def script(peer: Peer) -> None:
        while received := peer.request():
            token = received.target.partition("nextToken=")[2].partition("&")[0]
            body = b'{"sessionSummaries": [], "nextToken": "%b"}' % token.encode()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def call(number: int) -> bool:
        return client.list_sessions(**CALL, next_token=f"token-{number}").next_token == f"token-{number}"

    with Server(script) as server:
        where = server.endpoint()
        with Client(**{**OPTIONS, "endpoint_url": f"http://{where.authority}"}) as client:
            client._senders._pool = blocking_pool.Pool(no_tls, max_connections=20)
            with ThreadPoolExecutor(64) as executor:
                assert all(executor.map(call, range(2_000)))
        assert server.accepted <= 20
        assert len(server.requests) == 2_000
