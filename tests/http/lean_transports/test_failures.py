"""Our transports in httpx's clients: what fails, and which of httpx's errors is raised."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.helpers.httpx_clients import SOON, HttpxClient, Parts, compare_with_httpx, response_or_error, url_of
from tests.helpers.servers import (
    BIG,
    OK,
    BlackHole,
    Peer,
    Server,
    closed_port,
    deaf_until,
    fail_lookups,
    http_response,
    never,
    serve,
    soon,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def test_no_answer_in_time_is_a_read_timeout(asynchronous: bool) -> None:
    assert compare_with_httpx(asynchronous, never, timeout=SOON)[0] is httpx.ReadTimeout


def test_a_server_that_does_not_read_is_a_write_timeout(asynchronous: bool) -> None:
    over = threading.Event()
    with Server(deaf_until(over)) as server, HttpxClient(asynchronous=asynchronous) as client:
        assert response_or_error(client, "POST", url_of(server), content=BIG, timeout=SOON) is httpx.WriteTimeout
        assert client.connections == 0
        over.set()


@pytest.mark.parametrize("lean", [True, False], ids=["lean", "stock"])
def test_a_failure_to_connect_is_a_connect_error(
    asynchronous: bool, lean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HttpxClient(asynchronous=asynchronous, lean=lean) as client:
        assert response_or_error(client, "GET", f"http://127.0.0.1:{closed_port()}/") is httpx.ConnectError
        with BlackHole() as hole:
            soon = httpx.Timeout(10, connect=0.05)
            assert (
                response_or_error(client, "GET", f"http://127.0.0.1:{hole.port}/", timeout=soon) is httpx.ConnectTimeout
            )

        fail_lookups(monkeypatch)
        assert response_or_error(client, "GET", "http://nobody.invalid/") is httpx.ConnectError


def test_a_connection_that_is_not_free_in_time_is_a_pool_timeout(asynchronous: bool) -> None:
    with Server(serve) as server, HttpxClient(asynchronous=asynchronous, max_connections=1) as client:
        held = client.open("GET", url_of(server))
        assert response_or_error(client, "GET", url_of(server), timeout=SOON) is httpx.PoolTimeout
        client.close(held)
        assert response_or_error(client, "GET", url_of(server))[0] == 200
        assert client.connections == 1


@pytest.mark.parametrize("size", [1, len(BIG)])
def test_a_response_that_comes_before_the_request_was_sent_whole_is_read(client: HttpxClient, size: int) -> None:
    gone = threading.Event()
    refusal = http_response(b"no", status=b"413 Content Too Large")

    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.send(refusal)
        peer.socket.shutdown(socket.SHUT_WR)
        gone.set()
        peer.stall()

    with Server(script, serve) as server:
        response = client.request("POST", url_of(server), content=Parts(*[b"x" * size] * 2).of(client))
        assert (response.status_code, response.content) == (413, b"no")
        gone.wait()
        assert client.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 2


def test_a_response_before_a_reset_is_read_and_its_connection_is_not_used_again(client: HttpxClient) -> None:
    release = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"x" * 20_000
        release.wait()
        for _ in range(400):
            yield b"x" * 20_000

    async def async_body() -> AsyncIterator[bytes]:
        for part in body():
            yield part
            await asyncio.sleep(0)

    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.send(OK)
        peer.end()  # with bytes unread, so that the client's next ones are refused
        release.set()

    with Server(script) as server:
        found = response_or_error(client, "POST", url_of(server), content=body() if client.is_sync else async_body())
        # The reset may overtake the response on its way; then the request fails.
        assert found in (httpx.WriteError, httpx.ReadError) or found[0] == 200
    assert client.connections == 0


@pytest.mark.parametrize(
    ("asynchronous", "problem"),
    [(False, "fails"), (False, "is too short"), (True, "fails"), (True, "is too short"), (True, "is cancelled")],
)
def test_a_connection_that_sent_half_a_request_is_not_used_again(client: HttpxClient, problem: str) -> None:
    answered = threading.Event()

    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.send(OK)
        answered.set()
        peer.stall()

    def body() -> Iterator[bytes]:
        yield b"x" * 20_000
        assert answered.wait(10)
        if problem == "fails":
            raise RuntimeError

    async def async_body() -> AsyncIterator[bytes]:
        yield b"x" * 20_000
        (used,) = client.transport._pool.here()._in_use
        await soon(lambda: used._exchange.reader.complete)
        if problem == "fails":
            raise RuntimeError
        if problem == "is cancelled":
            raise asyncio.CancelledError

    with Server(script, serve) as server:
        with pytest.raises((RuntimeError, asyncio.CancelledError, httpx.LocalProtocolError)):
            client.request(
                "POST",
                url_of(server),
                content=body() if client.is_sync else async_body(),
                headers={"Content-Length": "40000"},
            )
        assert client.connections == 0
        assert client.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 2
