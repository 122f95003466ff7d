"""Limits on what a server sends, over real connections: at the limit, beyond it, and for responses without an end."""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import AsyncClient, Client, LeanAsyncTransport, LeanTransport
from novaact_http._http import httpx_sender
from novaact_http.errors import ConfigurationError, TransportError
from tests.helpers.answers import page_body
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.pool_drivers import DRIVERS, Driver, MakeDriver
from tests.helpers.servers import Peer, Server, answers, http_response, request_to

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LIMIT = 10_000
BUFFERS = 16_000_000  # the most bytes that the system may hold between the two ends of a connection


def sized(length: int) -> bytes:
    return http_response(b"x" * length)


def chunked(length: int) -> bytes:
    return (
        CHUNKED
        + b"%x\r\n" % (length // 2)
        + b"x" * (length // 2)
        + (b"\r\n%x\r\n" % (length - length // 2) + b"x" * (length - length // 2) + b"\r\n0\r\n\r\n")
    )


def until_close(length: int) -> bytes:
    return OK + b"\r\n" + b"x" * length


def long_head(length: int) -> bytes:
    beginning = OK + b"Content-Length: 0\r\nx: "
    return beginning + b"x" * (length - len(beginning) - 4) + b"\r\n\r\n"


def informational(length: int) -> bytes:
    early, final = b"HTTP/1.1 103 x\r\n\r\n", OK + b"Content-Length: 0\r\nx: \r\n\r\n"
    room = length - len(final)
    return early * (room // len(early)) + final.replace(b"x: ", b"x: " + b"x" * (room % len(early)))


def with_trailers(length: int) -> bytes:
    return CHUNKED + b"0\r\nx: " + b"x" * (length - len(CHUNKED) - 9) + b"\r\n\r\n"


def with_extensions(length: int) -> bytes:
    room = length - len(CHUNKED) - 4  # for the line ends of the last chunk
    chunks = [b"1;" + b"x" * 999 + b"\r\nx\r\n"] * (room // 1_000) + [b"1;" + b"x" * (room % 1_000 - 1) + b"\r\nx\r\n"]
    return CHUNKED + b"".join(chunks) + b"0\r\n\r\n"


@pytest.mark.parametrize("response", [sized, chunked, until_close])
def test_a_body_may_be_as_large_as_its_limit_and_no_larger(make_driver: MakeDriver, response: Any) -> None:
    driver = make_driver(max_body=LIMIT)
    with Server(answers(response(LIMIT)), answers(response(LIMIT + 1))) as server:
        assert driver.send(request_to(server)).body == b"x" * LIMIT
        driver = make_driver(max_body=LIMIT)  # on a new connection
        with pytest.raises(TransportError, match="the body of the response is too large"):
            driver.send(request_to(server))


@pytest.mark.parametrize("response", [long_head, informational, with_trailers, with_extensions])
def test_a_head_may_be_as_large_as_its_limit_and_no_larger(make_driver: MakeDriver, response: Any) -> None:
    driver = make_driver(max_head=LIMIT)
    with Server(answers(response(LIMIT)), answers(response(LIMIT + 1))) as server:
        assert driver.send(request_to(server)).status == 200
        driver = make_driver(max_head=LIMIT)
        with pytest.raises(TransportError, match="the head of the response or its trailers are too large"):
            driver.send(request_to(server))


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "a head": (OK, b"x: y\r\n" * 1_000),
    "a line of a head": (OK + b"x: ", b"y" * 5_000),
    "a status line": (b"HTTP/1.1 200 ", b"y" * 5_000),
    "informational responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200),
    "an extension of a chunk": (CHUNKED + b"1;", b"x" * 5_000),
    "extensions of chunks": (CHUNKED, b"1;" + b"x" * 1_000 + b"\r\nx\r\n"),
    "a size of a chunk": (CHUNKED, b"0" * 5_000),
    "trailers": (CHUNKED + b"0\r\n", b"x: y\r\n" * 1_000),
    "a body without a length": (OK + b"\r\n", b"x" * 5_000),
    "chunks": (CHUNKED, b"1\r\nx\r\n" * 1_000),
    "a body with a length": (OK + b"Content-Length: 99999999999999999999\r\n\r\n", b"x" * 5_000),
}


class Endless:
    """A server's script that sends without an end.

    Attributes:
        taken: the number of bytes that the client or the system has taken.
    """

    def __init__(self, beginning: bytes, part: bytes) -> None:
        self._beginning, self._part = beginning, part
        self.taken = 0

    def __call__(self, peer: Peer) -> None:
        peer.request()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        peer.send(self._beginning)
        for _ in itertools.takewhile(lambda _: self.taken < 10 * BUFFERS, itertools.count()):
            peer.send(self._part)
            self.taken += len(self._part)


@pytest.mark.parametrize("case", ENDLESS)
def test_a_response_without_an_end_is_an_error_soon(make_driver: MakeDriver, case: str) -> None:
    driver = make_driver(max_head=LIMIT, max_body=LIMIT)
    endless = Endless(*ENDLESS[case])
    with Server(endless) as server, pytest.raises(TransportError, match=r"too large|bad end of a chunk") as caught:
        driver.send(request_to(server))
    assert caught.value.request_sent
    assert endless.taken < BUFFERS


@pytest.mark.parametrize("make_driver", DRIVERS[:2], indirect=True)
@pytest.mark.parametrize("case", sorted(ENDLESS.keys() - {"chunks"}))  # 64 MiB of tiny chunks would take long
def test_a_pool_has_limits_by_default(make_driver: MakeDriver, case: str) -> None:
    driver: Driver = make_driver()
    endless = Endless(*ENDLESS[case])
    with Server(endless) as server, pytest.raises(TransportError):
        driver.send(request_to(server))
    assert endless.taken < 64 * 1024 * 1024 + BUFFERS


def test_a_lean_transport_sets_other_limits_for_a_client(face: Face) -> None:
    page = page_body()
    answer = http_response(page)
    for limits, problem in (
        ({"max_body": len(page) - 1}, "the body of the response is too large"),
        ({"max_head": len(answer) - len(page) - 1}, "the head of the response"),
    ):
        enough = {name: limit + 1 for name, limit in limits.items()}
        with Server(answers(answer)) as server:
            options = OPTIONS | {"endpoint_url": server.url}
            assert face.page(options | {"transport": face.lean_transport(**enough)}, **CALL).session_summaries == ()
            with pytest.raises(TransportError, match=problem):
                face.page(options | {"transport": face.lean_transport(**limits)}, **CALL)


def test_a_client_reads_bodies_up_to_the_limit_of_its_lean_transport(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx_sender, "MAX_BODY", LIMIT)
    page = page_body().ljust(2 * LIMIT)
    with Server(answers(OK + b"\r\n" + page)) as server:
        options = OPTIONS | {"endpoint_url": server.url}
        assert (
            face.page(options | {"transport": face.lean_transport(max_body=2 * LIMIT)}, **CALL).session_summaries == ()
        )
        for limits in ({}, {"max_body": 2 * LIMIT - 1}):
            with pytest.raises(TransportError, match="the body of the response is too large"):
                face.page(options | {"transport": face.lean_transport(**limits)}, **CALL)


def test_a_body_that_comes_through_httpx_is_limited_too(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_sender, "MAX_BODY", LIMIT)
    page = page_body().ljust(LIMIT)
    endless = Endless(*ENDLESS["a body without a length"])
    for script, is_page in (
        (answers(OK + b"\r\n" + page), True),
        (answers(OK + b"\r\n" + page + b" "), False),
        (endless, False),
    ):
        with Server(script) as server:
            options = OPTIONS | {"endpoint_url": server.url, "transport": face.stock_transport()}
            if is_page:
                face.page(options, **CALL)
                continue
            with pytest.raises(TransportError, match="RemoteProtocolError: the body of the response is too large"):
                face.page(options, **CALL)
    assert endless.taken < BUFFERS


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_transport_returns_a_body_of_any_size_unless_it_has_a_limit(asynchronous: bool) -> None:
    async def read(transport: LeanAsyncTransport, url: str) -> int:
        async with httpx.AsyncClient(transport=transport) as client:
            return len((await client.get(url)).content)

    def length_from(server: Server, **limits: Any) -> int:
        url = f"{server.url}/"
        if asynchronous:
            return asyncio.run(read(LeanAsyncTransport(**limits), url))
        with httpx.Client(transport=LeanTransport(**limits)) as client:
            return len(client.get(url).content)

    with Server(answers(sized(LIMIT))) as server:
        assert length_from(server) == length_from(server, max_body=LIMIT) == LIMIT
        with pytest.raises(httpx.RemoteProtocolError, match="too large"):
            length_from(server, max_body=LIMIT - 1)


@pytest.mark.parametrize("make", [LeanTransport, LeanAsyncTransport])
@pytest.mark.parametrize("value", [-1, pytest.param(-(10**5000), id="huge"), 1.5, "1", True])
@pytest.mark.parametrize("name", ["max_head", "max_body"])
def test_limits_that_are_not_numbers_of_bytes_are_refused(make: Any, name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number of bytes"):
        make(**{name: value})


def test_the_head_always_has_a_limit() -> None:
    with pytest.raises(ConfigurationError, match="max_head must be a whole number of bytes"):
        LeanTransport(max_head=None)  # type: ignore[arg-type]


def test_no_transport_asks_for_an_encoding(face: Face) -> None:
    heads: list[bytes] = []

    def script(peer: Peer) -> None:
        data = b""
        while not data.endswith(b"{}"):
            data += peer.socket.recv(65_536)
        heads.append(data)
        peer.send(http_response(page_body()))

    async def call_with(transport: httpx.AsyncBaseTransport, options: dict[str, Any]) -> None:
        async with transport, AsyncClient(**options, transport=transport) as client:
            await client.list_sessions(**CALL)

    with Server(script) as server:
        options = {**OPTIONS, "endpoint_url": server.url}
        face.page(options, **CALL)
        for transport in (face.stock_transport(), face.lean_transport()):
            if isinstance(transport, httpx.AsyncBaseTransport):
                asyncio.run(call_with(transport, options))
            else:
                with transport, Client(**options, transport=transport) as client:
                    client.list_sessions(**CALL)
    assert [head.lower().count(b"accept-encoding: identity\r\n") for head in heads] == [1, 1, 1]
    assert [head.lower().count(b"encoding") for head in heads] == [1, 1, 1]
