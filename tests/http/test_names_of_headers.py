"""The lean transports hand on the names of headers as they came, as httpx's own transport does."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from novaact_http import LeanAsyncTransport, LeanTransport
from tests.helpers.servers import Server, answers

HEADS = [
    b"Content-Length: 2\r\nX-Request-Id: 1\r\nx-lower: 2\r\nX-UPPER:3\r\n",
    b"CONTENT-LENGTH: 2\r\nContent-Length: 2\r\nSet-Cookie: a\r\nset-cookie: b\r\nSET-COOKIE: c\r\n",
    b"A: 1\r\nContent-Length: 2\r\nB: 2\r\ncontent-length: 2\r\nContent-length: 2\r\nC: 3\r\n",
    b"Connection: Close\r\nConTent-lenGth:2\r\nEmpty:\r\nx: \xe9\r\n",
]


def raw_headers(transport: Any, url: str) -> list[tuple[bytes, bytes]]:
    if isinstance(transport, httpx.BaseTransport):
        with httpx.Client(transport=transport) as client:
            return client.get(url).headers.raw

    async def get() -> list[tuple[bytes, bytes]]:
        async with httpx.AsyncClient(transport=transport) as client:
            return (await client.get(url)).headers.raw

    return asyncio.run(get())


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("make", [LeanTransport, LeanAsyncTransport])
def test_names_are_as_httpxs_own_transport_gives_them(make: Any, head: bytes) -> None:
    with Server(answers(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nok")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        headers = raw_headers(make(), url)
        assert headers == raw_headers(httpx.HTTPTransport(), url)
    assert any(name != name.lower() for name, _ in headers)


def test_a_chunked_response_keeps_its_names_too() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n"
    with Server(answers(answer)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        headers = raw_headers(LeanTransport(), url)
        assert headers == raw_headers(httpx.HTTPTransport(), url)
        assert headers == [(b"Transfer-Encoding", b"chunked"), (b"X-A", b"1")]
