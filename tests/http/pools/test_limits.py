"""Both pools: how many connections there are, which calls wait, and what closing does."""

from __future__ import annotations

import ssl
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from novaact_http import Client, DeadlineExceeded, NovaActError
from novaact_http._call.http_messages import Origin, Response
from novaact_http._http import blocking_pool
from novaact_http._http.blocking_connection import Connection
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import ResponseReader
from novaact_http._http.pool_rules import Connections
from novaact_http._support.interruptions import Place
from tests.helpers.answers import page_body
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.pool_drivers import Driver, MakeDriver, SyncDriver, bodies, idle
from tests.helpers.servers import (
    OK,
    OK_AND_CLOSE,
    Peer,
    Server,
    always,
    answers,
    endpoint,
    eventually,
    http_response,
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
            peer.send(http_response(received.target.encode()))

    with Server(script) as server:
        targets = [f"/{number}" for number in range(10, 30)]
        assert bodies(driver.together([request_to(server, target) for target in targets])) == [
            target.encode() for target in targets
        ]
        assert server.accepted == 2
        assert driver.connections.count == 2


def test_waiting_calls_are_served_in_order(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(patiently(lambda: driver.connections.waiting == 9)) as server:
        targets = [f"/{number}" for number in range(10)]
        assert bodies(driver.together([request_to(server, target) for target in targets])) == [b"ok"] * 10
        assert [each.target for each in server.requests] == targets
        assert server.accepted == 1


def test_a_waiting_call_opens_a_connection_if_the_one_before_it_was_closed(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    first = patiently(lambda: driver.connections.waiting == 2, OK_AND_CLOSE)
    with Server(first, always(OK_AND_CLOSE)) as server:
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


def test_a_place_goes_to_a_call_that_waits_for_another_server(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(patiently(lambda: driver.connections.waiting == 1)) as one, Server(serve) as other:
        assert bodies(driver.together([request_to(one), request_to(other)])) == [b"ok"] * 2
        one.wait_for_end()
        assert driver.connections.count == 1
        assert driver.send(request_to(other)).body == b"ok"
        assert (one.accepted, other.accepted) == (1, 1)


def test_an_idle_connection_makes_room_for_another_server(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(serve) as one, Server(serve) as other:
        driver.send(request_to(one))
        driver.send(request_to(other))
        one.wait_for_end()
        assert driver.connections.count == 1


def test_a_connection_that_is_closed_while_it_is_handed_to_a_waiting_call_is_not_used(make_driver: MakeDriver) -> None:
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


def test_closing_lets_running_calls_finish_and_refuses_waiting_ones(make_driver: MakeDriver) -> None:
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


def interrupt(*_: object, **__: object) -> NoReturn:
    """Raise what a signal raises."""
    raise KeyboardInterrupt


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


def test_a_signal_ends_the_wait_for_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, place = full(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        driver.pool.acquire(HERE, None)
    assert (driver.connections.count, driver.connections.waiting) == (1, 0)
    driver.pool.discard(place)
    driver.end()


def test_a_turn_that_comes_with_a_signal_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def free_and_interrupt(pool: blocking_pool.Pool, place: Any) -> None:
        pool.discard(place)
        interrupt()

    driver, _ = full(monkeypatch, free_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        driver.pool.acquire(HERE, None)
    driver.end()


@pytest.mark.parametrize(("owner", "stage"), [(blocking_pool, "connect"), (Connection, "exchange")])
def test_a_signal_during_a_call_frees_its_place(owner: Any, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = SyncDriver()
    monkeypatch.setattr(owner, stage, interrupt)
    with Server(serve) as server, pytest.raises(KeyboardInterrupt):
        driver.send(request_to(server))
    assert driver.connections.count == 0
    driver.end()


def test_a_signal_while_a_kept_connection_is_checked_frees_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
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
        wrap_socket = interrupt

    driver = SyncDriver(lambda: Interrupted(ssl.PROTOCOL_TLS_CLIENT))
    with Server(never) as server:
        with pytest.raises(KeyboardInterrupt):
            driver.send(request_to(endpoint("127.0.0.1", server.port, "https")))
        server.wait_for_end()
    driver.end()


def test_a_forked_child_counts_no_connection_of_its_parent() -> None:
    driver = SyncDriver(max_connections=2)
    with Server(serve) as server:
        driver.send(request_to(server))
        origin = server.endpoint().origin
        used, other = driver.pool.acquire(origin, None), driver.pool.acquire(origin, None)
        assert isinstance(used, Connection)
        assert isinstance(other, Place)
        other = driver.pool.open(origin, other, None, None)
        driver.pool.discard(other)
        driver.pool.after_fork()  # as in a forked child
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


def test_many_threads_each_get_their_own_responses() -> None:
    def script(peer: Peer) -> None:
        while received := peer.request():
            token = received.target.partition("nextToken=")[2].partition("&")[0]
            peer.send(http_response(page_body(next_token=token)))

    def call(number: int) -> bool:
        return client.list_sessions(**CALL, next_token=f"token-{number}").next_token == f"token-{number}"

    with Server(script) as server:
        with Client(**{**OPTIONS, "endpoint_url": server.url}) as client:
            client._senders._pool = blocking_pool.Pool(no_tls, max_connections=20)
            with ThreadPoolExecutor(64) as executor:
                assert all(executor.map(call, range(2_000)))
        assert server.accepted <= 20
        assert len(server.requests) == 2_000
