"""Both pools: requests that are sent again because their connection had ended."""

from __future__ import annotations

import pytest

from novaact_http.errors import TransportError, TransportTimeout
from tests.helpers.pool_drivers import Driver, MakeDriver, bodies
from tests.helpers.servers import (
    BIG,
    OK,
    Peer,
    Server,
    answers,
    answers_and_resets,
    eventually,
    never,
    request_to,
    serve,
)


def test_a_request_over_a_used_connection_that_had_ended_is_sent_again_at_once(driver: Driver) -> None:
    with Server(answers(OK, b""), serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, "/again", repeatable=True)).body == b"ok"
        assert [each.target for each in server.requests] == ["/", "/again", "/again"]
        assert server.accepted == 2
        assert driver.connections.count == 1


def test_a_request_over_a_used_connection_that_is_reset_is_sent_again(driver: Driver) -> None:
    with Server(answers_and_resets(OK, b""), serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, repeatable=True)).body == b"ok"


def test_a_big_request_over_a_used_connection_that_is_reset_is_sent_again(driver: Driver) -> None:
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


def test_a_request_is_not_sent_again_once_a_byte_of_a_response_has_come(driver: Driver) -> None:
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


def test_connections_idle_as_long_as_one_that_did_not_answer_are_not_used(driver: Driver) -> None:
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


def test_a_request_is_sent_again_only_once(driver: Driver) -> None:
    with Server(answers(OK, b""), answers(b"")) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="before any of the response came"):
            driver.send(request_to(server, repeatable=True))
        assert server.accepted == 2


def test_a_request_is_sent_again_over_a_new_connection_even_if_others_are_idle(driver: Driver) -> None:
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
