"""Both pools: connections that are kept open, or that ended while they were idle."""

from __future__ import annotations

import select
import time

import pytest

from tests.helpers.pool_drivers import AsyncDriver, Driver, MakeDriver, idle, wait_for_news
from tests.helpers.servers import (
    OK,
    OK_AND_CLOSE,
    Peer,
    Script,
    Server,
    always,
    answers,
    answers_and_resets,
    echo,
    request_to,
    serve,
)


def test_requests_in_turn_share_one_connection(driver: Driver) -> None:
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
    "Connection: close": OK_AND_CLOSE,
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


def test_a_server_may_close_connections_after_some_responses(driver: Driver) -> None:
    with Server(answers(OK, OK, OK_AND_CLOSE)) as server:
        for _ in range(7):
            assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == 3


def test_a_head_request_is_answered_without_a_body(driver: Driver) -> None:
    with Server(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        assert [driver.send(request_to(server, method="HEAD")).body for _ in range(2)] == [b""] * 2
        assert server.accepted == 1


def sends_unasked(peer: Peer) -> None:
    """Send a second response after the client has read the first one."""
    answers(OK)(peer)
    time.sleep(0.01)
    peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    peer.stall()


IDLE = {"was closed": answers(OK), "was reset": answers_and_resets(OK), "got data": sends_unasked}


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("script", IDLE.values(), ids=IDLE)
def test_a_connection_that_ended_or_got_data_while_idle_is_not_used(driver: Driver, script: Script, turns: int) -> None:
    with Server(script, serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver, turns)
        response = driver.send(request_to(server, "/next"))
        assert (response.status, response.body) == (200, b"ok")
        assert server.accepted == 2
        assert [each.target for each in server.requests] == ["/", "/next"]


def test_a_connection_that_was_closed_while_idle_is_noticed_without_poll(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "poll", raising=False)  # as on Windows
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


def test_a_connection_is_not_used_after_its_expiry(make_driver: MakeDriver) -> None:
    driver = make_driver(keepalive_expiry=20.0)
    with Server(serve) as server:
        driver.send(request_to(server))
        (kept,) = idle(driver.connections)
        kept.idle_since -= 20.0
        driver.send(request_to(server))
        server.wait_for_end(0)
        assert server.accepted == 2
