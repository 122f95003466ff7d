"""httpx's two clients, with our transports or with httpx's own."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from typing import TYPE_CHECKING, Any, cast

import httpx

from novaact_http import LeanAsyncTransport, LeanTransport
from tests.helpers.servers import Script, Server, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable

    from typing_extensions import Self

SOON = httpx.Timeout(10, read=0.05, write=0.05, pool=0.05)


class Parts:
    """The body of a request in parts."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def of(self, client: HttpxClient) -> Iterable[bytes] | AsyncIterable[bytes]:
        async def asynchronously() -> AsyncIterator[bytes]:
            for part in self._parts:
                yield part

        return iter(self._parts) if client.is_sync else asynchronously()


class HttpxClient:
    """An `httpx.Client` or `httpx.AsyncClient` with our transport or httpx's own one, called synchronously."""

    def __init__(self, *, asynchronous: bool, lean: bool = True, **options: Any) -> None:
        self._loop = asyncio.new_event_loop() if asynchronous else None
        kinds: Any = (httpx.HTTPTransport, httpx.AsyncHTTPTransport, LeanTransport, LeanAsyncTransport)
        if "verify" not in options and not lean:
            options["verify"] = ssl.create_default_context()
        self.transport: Any = kinds[2 * lean + asynchronous](**options)
        self.wrapped: Any = (httpx.AsyncClient if asynchronous else httpx.Client)(transport=self.transport, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is None:
            self.wrapped.close()
        else:
            self._loop.run_until_complete(self.wrapped.aclose())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    @property
    def is_sync(self) -> bool:
        return self._loop is None

    def run(self, work: Any) -> Any:
        """Return the result of a coroutine; return anything else as it is."""
        return work if self._loop is None else self._loop.run_until_complete(work)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return cast("httpx.Response", self.run(self.wrapped.request(method, url, **options)))

    def open(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Return a response whose body was not read."""
        request = self.wrapped.build_request(method, url, **options)
        return cast("httpx.Response", self.run(self.wrapped.send(request, stream=True)))

    def read(self, response: httpx.Response, parts: int | None = None) -> list[bytes]:
        """Return this number of parts of the body, or all."""
        if self.is_sync:
            return list(itertools.islice(response.iter_raw(), parts))

        async def some() -> list[bytes]:
            found: list[bytes] = []
            async for part in response.aiter_raw():
                found.append(part)
                if len(found) == parts:
                    break
            return found

        return cast("list[bytes]", self.run(some()))

    def close(self, response: httpx.Response) -> None:
        if self.is_sync:
            response.close()
        else:
            self.run(response.aclose())

    @property
    def connections(self) -> int:
        """The number of connections: in use, idle and being opened."""
        if self.is_sync:
            return cast("int", self.transport._pool._connections.count)
        return sum(pool._connections.count for pool in self.transport._pool._pools.values())


def response_or_error(client: HttpxClient, method: str, url: str, **options: Any) -> Any:
    """Return the whole response to a request, or the class of the error."""
    if isinstance(options.get("content"), Parts):
        options["content"] = options["content"].of(client)
    try:
        response = client.request(method, url, **options)
    except httpx.HTTPError as error:
        return type(error)
    about = (response.status_code, response.reason_phrase, response.http_version, response.headers.multi_items())
    return (*about, response.content)


def url_of(server: Server, path: str = "/a?b=c", host: str = "127.0.0.1") -> str:
    """Return a URL of the server, by another host name if one is given."""
    return f"{server.endpoint().scheme}://{host}:{server.port}{path}"


def compare_with_httpx(asynchronous: bool, script: Script, method: str = "GET", **options: Any) -> tuple[Any, Server]:
    """Check that the result with our transport is that with httpx's. Return it, and the server that ours talked to."""
    found = []
    for lean in (False, True):
        with Server(script) as server, HttpxClient(asynchronous=asynchronous, lean=lean) as client:
            result = response_or_error(client, method, url_of(server), **options)
            if result is httpx.ReadTimeout:
                eventually(lambda: server.requests)  # it was sent, but the server may be slower than the client
            found.append((result, server))
    (theirs, their_server), (ours, our_server) = found
    assert ours == theirs
    assert our_server.requests == their_server.requests
    return ours, our_server
