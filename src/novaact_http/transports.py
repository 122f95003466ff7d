"""httpx at the seam: our wire values to httpx's requests, httpx's responses and errors to ours.

Transports are called directly, never through `httpx.Client`, which would follow redirects, decompress bodies, and add
headers and time of its own. This module is imported when a transport is first needed, as importing httpx takes a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, cast

import httpx

from novaact_http._call.messages import Origin, Request, Response
from novaact_http._http.asyncio_pool import Connection as AsyncConnection
from novaact_http._http.asyncio_pool import LoopPool
from novaact_http._http.asyncio_pool import Pool as AsyncPool
from novaact_http._http.blocking_pool import Connection, Pool
from novaact_http._http.deadline import DeadlinePassed, wait_until
from novaact_http._http.http1 import LAST_CHUNK, MAX_HEAD, ResponseReader, UnsendableError, encode_chunk, encode_head
from novaact_http._http.pool_rules import KEEPALIVE_EXPIRY, MAX_BODY, MAX_CONNECTIONS, ExchangeError, check_open
from novaact_http._http.tls import provider
from novaact_http._support import traceback_scrubbing
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.errors import (
    ConfigurationError,
    DeadlineExceeded,
    ParameterError,
    TransportError,
    TransportTimeout,
)

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

    TLS = Callable[[], ssl.SSLContext]

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30.0)
# No `max_connections`: httpcore loses the place of an asynchronous request that is cancelled while it connects, and
# with all places lost, every later request would wait for ever.
_ASYNC_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0)

# All that httpx raises for a request; StreamError is for a response that a transport has read and not kept.
_FAILURES = (httpx.HTTPError, httpx.StreamError)

# Of those, what is raised when the request has certainly not left, as there was no connection to send it on.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


_PORTS = {"http": 80, "https": 443}
_WORTH_SENDING = 16_384  # bytes of a request that are not held back for more

# What httpx raises where an exchange fails in a phase, and where it takes too long.
_KINDS: dict[str, tuple[type[httpx.TransportError], type[httpx.TransportError]]] = {
    "queue": (httpx.PoolTimeout, httpx.PoolTimeout),
    "connect": (httpx.ConnectError, httpx.ConnectTimeout),
    "write": (httpx.WriteError, httpx.WriteTimeout),
    "read": (httpx.ReadError, httpx.ReadTimeout),
    "response": (httpx.RemoteProtocolError, httpx.RemoteProtocolError),
}


class Sender:
    """Sends requests through a user's `httpx.BaseTransport`, or a stock one made when first needed.

    Safe to share between threads.

    Args:
        transport: the user's, or None.
        tls: makes the TLS context of the stock transport.
        proxy_url: that the stock transport goes through, or None.
    """

    def __init__(self, transport: httpx.BaseTransport | None, tls: TLS, proxy_url: str | None = None) -> None:
        _check(transport, httpx.BaseTransport)
        self._transport = transport
        self._max_body = _max_body(transport)
        self._tls = tls
        self._proxy_url = proxy_url
        self._stock: httpx.HTTPTransport | None = None
        self._closed = False
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent."""
        self._lock = threading.Lock()
        self._stock = None

    def send(self, request: Request) -> Response:
        """Send a request and read its whole response.

        Raises:
            TransportError: no whole response came back.
        """
        transport = self._stock_transport() if self._transport is None else self._transport
        try:
            response = transport.handle_request(_to_httpx(request))
            try:
                body = _body_read_by_transport(response)
                if body is None:
                    parts = _Parts(self._max_body)
                    for part in cast("Iterable[bytes]", response.stream):
                        parts.add(part)
                    body = parts.joined()
            finally:
                response.close()
        except _FAILURES as error:
            raise _to_transport_error(request, error) from error
        return _from_httpx(response, body)

    def _stock_transport(self) -> httpx.HTTPTransport:
        with self._lock:
            check_open(closed=self._closed)
            if self._stock is None:
                tls = self._tls()
                proxy = _proxy(self._proxy_url, tls)
                self._stock = httpx.HTTPTransport(verify=tls, limits=_LIMITS, proxy=proxy)
            return self._stock

    def close(self) -> None:
        """Close the stock transport. A transport of the user's is theirs to close."""
        with self._lock:
            self._closed = True
            stock, self._stock = self._stock, None
        if stock is not None:
            stock.close()


class AsyncSender:
    """The same for `httpx.AsyncBaseTransport`, with one stock transport per event loop."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None, tls: TLS, proxy_url: str | None = None) -> None:
        _check(transport, httpx.AsyncBaseTransport)
        self._transport = transport
        self._max_body = _max_body(transport)
        self._tls = tls
        self._proxy_url = proxy_url
        self._stock: dict[asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport] = {}
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent."""
        self._stock = {}

    async def send(self, request: Request) -> Response:
        """See `Sender.send`. The deadline ends the wait for any transport."""
        try:
            return await wait_until(request.deadline, self._send(request))
        except DeadlinePassed as error:
            raise DeadlineExceeded("the call's time was over before the response came", request_sent=True) from error

    async def _send(self, request: Request) -> Response:
        transport = await self._stock_transport() if self._transport is None else self._transport
        try:
            response = await transport.handle_async_request(_to_httpx(request))
            try:
                body = _body_read_by_transport(response)
                if body is None:
                    parts = _Parts(self._max_body)
                    async for part in cast("AsyncIterable[bytes]", response.stream):
                        parts.add(part)
                    body = parts.joined()
            finally:
                await response.aclose()
        except _FAILURES as error:
            raise _to_transport_error(request, error) from error
        return _from_httpx(response, body)

    async def _stock_transport(self) -> httpx.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        stock = self._stock.get(loop)
        if stock is None:
            tls = await loop.run_in_executor(None, self._tls)  # it reads a file
            check_open(closed=self._closed)
            for ended in [each for each in self._stock if each.is_closed()]:
                del self._stock[ended]
            stock = self._stock.setdefault(
                loop, httpx.AsyncHTTPTransport(verify=tls, limits=_ASYNC_LIMITS, proxy=_proxy(self._proxy_url, tls))
            )
        return stock

    async def aclose(self) -> None:
        """Close this event loop's stock transport; those of other loops cannot be closed from here and are dropped."""
        self._closed = True
        stock = self._stock.pop(asyncio.get_running_loop(), None)
        self._stock.clear()
        if stock is not None:
            await stock.aclose()


class LeanTransport(httpx.BaseTransport):
    """The pool that `Client` uses, for any `httpx.Client(transport=LeanTransport())`. Safe to share between threads.

    It speaks HTTP/1.1, verifies certificates, and uses no proxy. Of a request's extensions it knows `timeout`, and
    those of its responses are `http_version` and `reason_phrase`. It raises what httpx's own transport does, where it
    does; but a response that could be understood in two ways is a `RemoteProtocolError` (see the README).

    Args:
        verify: path of a CA bundle (PEM), or an `ssl.SSLContext`; certifi's bundle by default.
        max_connections: how many there are at most; further requests wait for their turn.
        keepalive_expiry: seconds after which an idle connection is not used any more.
        max_head: bytes of a response's head, with those of informational responses before it, and with the extensions
            of chunks and the trailers after it. A larger one is an error.
        max_body: likewise of its body; None for any number, as you are handed it piece by piece. A `Client` reads so
            many, and 64 MiB for None.

    Raises:
        ConfigurationError: an argument is something else. A CA bundle is read when it is first needed.
    """

    def __init__(
        self,
        *,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        max_connections: int = MAX_CONNECTIONS,
        keepalive_expiry: float = KEEPALIVE_EXPIRY,
        max_head: int = MAX_HEAD,
        max_body: int | None = None,
    ) -> None:
        self.max_body = max_body
        self._pool = Pool(
            provider(verify, scheme="https"),
            max_connections=max_connections,
            keepalive_expiry=keepalive_expiry,
            max_head=max_head,
            max_body=max_body,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its response as soon as its head is there. The body is read as it is asked for.

        Raises:
            httpx.TransportError: the subclass that says what went wrong.
        """
        with _as_httpx():
            exchange = _Exchange(request, self._pool.new_reader)
            stream = _Stream(self._pool, exchange, self._pool.acquire(exchange.origin, exchange.pool_deadline()))
            try:
                stream.begin(cast("Iterable[bytes]", request.stream))
            except BaseException as error:
                stream.close(error)
                raise
        return exchange.response(stream)

    def close(self) -> None:
        """Close the connections that are idle now, and the others when they become so."""
        self._pool.close()


class LeanAsyncTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient`, on asyncio. It has connections of their own for each event loop.

    See `LeanTransport`. Not on an event loop that cannot watch sockets, as the `ProactorEventLoop` of Windows.
    """

    def __init__(
        self,
        *,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        max_connections: int = MAX_CONNECTIONS,
        keepalive_expiry: float = KEEPALIVE_EXPIRY,
        max_head: int = MAX_HEAD,
        max_body: int | None = None,
    ) -> None:
        self.max_body = max_body
        self._pool = AsyncPool(
            provider(verify, scheme="https"),
            max_connections=max_connections,
            keepalive_expiry=keepalive_expiry,
            max_head=max_head,
            max_body=max_body,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `LeanTransport.handle_request`."""
        with _as_httpx():
            exchange = _Exchange(request, self._pool.new_reader)
            pool = self._pool.here()
            stream = _AsyncStream(pool, exchange, await pool.acquire(exchange.origin, exchange.pool_deadline()))
            try:
                await stream.begin(cast("AsyncIterable[bytes]", request.stream))
            except BaseException as error:
                await stream.aclose(error)
                raise
        return exchange.response(stream)

    async def aclose(self) -> None:
        """Close the connections that are idle now, and the others when they become so."""
        self._pool.close()


class _Exchange:
    """A request of httpx's as what the pools take, and the response that comes."""

    def __init__(self, request: httpx.Request, new_reader: Callable[[str], ResponseReader]) -> None:
        url = request.url
        if url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"this transport speaks http:// and https://, not {url.scheme!r}://")
        self.origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            self.head = encode_head(request.method, url.raw_path.decode("ascii"), headers)
        except UnsendableError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        length = request.headers.get("Content-Length")
        self.chunked = "Transfer-Encoding" in request.headers
        self._room = 0 if length is None else int(length)
        self.reader = new_reader(request.method)
        timeout = request.extensions.get("timeout", {})
        self.connect, self.read, self.write, self._pool = map(timeout.get, ("connect", "read", "write", "pool"))

    def pool_deadline(self) -> float | None:
        """Until when to wait for a connection, by `time.monotonic`."""
        return None if self._pool is None else time.monotonic() + self._pool

    def encode(self, part: bytes) -> bytes:
        """A part of the body, as it goes over the wire."""
        if self.chunked:
            return encode_chunk(part)
        self._room -= len(part)
        if self._room < 0:
            raise httpx.LocalProtocolError("the body is longer than its Content-Length")
        return part

    def end(self) -> bytes:
        """What ends the body."""
        if self._room > 0:
            raise httpx.LocalProtocolError("the body is shorter than its Content-Length")
        return LAST_CHUNK if self.chunked else b""

    def response(self, stream: _Stream | _AsyncStream) -> httpx.Response:
        """The response, once its head is there."""
        reader = self.reader
        assert reader.status is not None  # noqa: S101 - its head is there
        return httpx.Response(
            reader.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in reader.headers],
            stream=stream,
            extensions={
                "http_version": f"HTTP/{reader.http_version}".encode(),
                "reason_phrase": reader.reason.encode("latin-1"),
            },
        )


class _Stream(httpx.SyncByteStream):
    """The body of a response. It gives its connection back when all of it was read, or when it is closed."""

    def __init__(self, pool: Pool, exchange: _Exchange, connection: Connection | None) -> None:
        self._pool = pool
        self._exchange = exchange
        self._connection = connection
        self._sent = False  # was all of the request sent? The response may have come without waiting for it
        self._ended = False

    def begin(self, body: Iterable[bytes]) -> None:
        """Send the request, and read the head of the response."""
        exchange = self._exchange
        if self._connection is None:
            self._connection = self._pool.open(exchange.origin, exchange.connect, None)
        connection = self._connection
        refused = None
        try:
            # One write for the head and what there is of a small body.
            unsent = exchange.head
            for part in body:
                unsent += exchange.encode(part)
                if len(unsent) >= _WORTH_SENDING:
                    connection.send(unsent, exchange.write)
                    unsent = b""
            connection.send(unsent + exchange.end(), exchange.write)
            self._sent = True
        except ExchangeError as error:
            if error.timed_out:
                raise
            refused = error  # but the peer may have answered before it closed the connection
        try:
            while exchange.reader.status is None:
                connection.receive(exchange.reader, exchange.read)
        except ExchangeError as error:
            raise refused or error from (refused or error).__cause__

    def __iter__(self) -> Iterator[bytes]:
        reader = self._exchange.reader
        with _as_httpx():
            try:
                while not self._ended:
                    part = reader.take()
                    if reader.complete:
                        self.close()
                    if part:
                        yield part
                    elif not self._ended:
                        assert self._connection is not None  # noqa: S101 - it has begun
                        self._connection.receive(reader, self._exchange.read)
            except BaseException as error:  # or nobody goes on
                self.close(error)
                raise

    def close(self, why: BaseException | None = None) -> None:
        if self._ended:
            return
        self._ended = True
        connection, reader = self._connection, self._exchange.reader
        if reader.complete and self._sent and connection is not None:
            self._pool.finish(connection, reader)
        else:
            self._pool.discard(self._exchange.origin, connection, why)


class _AsyncStream(httpx.AsyncByteStream):
    """The same on asyncio."""

    def __init__(self, pool: LoopPool, exchange: _Exchange, connection: AsyncConnection | None) -> None:
        self._pool = pool
        self._exchange = exchange
        self._connection = connection
        self._sent = False  # was all of the request sent? The response may have come without waiting for it
        self._ended = False

    async def begin(self, body: AsyncIterable[bytes]) -> None:
        """See `_Stream.begin`."""
        exchange = self._exchange
        if self._connection is None:
            self._connection = await self._pool.open(exchange.origin, exchange.connect, None)
        connection = self._connection
        connection.begin(exchange.reader)
        refused = None
        try:
            unsent = exchange.head
            async for part in body:
                unsent += exchange.encode(part)
                if len(unsent) >= _WORTH_SENDING:
                    await connection.send(unsent, exchange.write)
                    unsent = b""
            await connection.send(unsent + exchange.end(), exchange.write)
            self._sent = True
        except ExchangeError as error:
            if error.timed_out:
                raise
            refused = error
        try:
            while exchange.reader.status is None:
                await connection.receive(exchange.read)
        except ExchangeError as error:
            raise refused or error from (refused or error).__cause__

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = self._exchange.reader
        with _as_httpx():
            try:
                while not self._ended:
                    part = reader.take()
                    if reader.complete:
                        await self.aclose()
                    if part:
                        yield part  # and look again afterwards: more may have come meanwhile
                    elif not self._ended:
                        assert self._connection is not None  # noqa: S101 - it has begun
                        await self._connection.receive(self._exchange.read)
            except BaseException as error:  # or nobody goes on
                await self.aclose(error)
                raise

    async def aclose(self, why: BaseException | None = None) -> None:
        if self._ended:
            return
        self._ended = True
        connection, reader = self._connection, self._exchange.reader
        if reader.complete and self._sent and connection is not None:
            self._pool.finish(connection, reader)
        else:
            self._pool.discard(self._exchange.origin, connection, why)


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise what httpx's own transport would: without the request, which `httpx.Client` adds."""
    try:
        yield
    except ExchangeError as error:
        traceback_scrubbing.clear(error)
        failed, timed_out = _KINDS[error.phase]
        kind = timed_out if error.timed_out else failed
        raise kind(str(error)) from error.__cause__
    except BaseException as error:
        traceback_scrubbing.clear(error)
        raise


def _proxy(url: str | None, tls: ssl.SSLContext) -> httpx.Proxy | None:
    if url is None:
        return None
    return httpx.Proxy(url, ssl_context=tls if url.startswith("https:") else None)


def _check(transport: object, kind: type) -> None:
    if transport is not None and not isinstance(transport, kind):
        raise ConfigurationError(
            f"transport must be an httpx.{kind.__name__}, such as httpx.MockTransport(...), "
            f"not {type(transport).__name__}"
        )


def _max_body(transport: object) -> int:
    """How many bytes of a body are read whole."""
    # A transport that is ours may say so; what others let pass is not known.
    limit = transport.max_body if isinstance(transport, (LeanTransport, LeanAsyncTransport)) else None
    return MAX_BODY if limit is None else limit


def _to_httpx(request: Request) -> httpx.Request:
    endpoint, timeout = request.endpoint, request.timeout
    left = None if request.deadline is None else max(0.0, request.deadline - time.monotonic())
    try:
        url = httpx.URL(
            scheme=endpoint.scheme, host=endpoint.host, port=endpoint.port, raw_path=request.target.encode("ascii")
        )
    except httpx.InvalidURL as error:  # over 65,536 characters of path or query
        raise ParameterError(f"an argument is too long, nothing was sent: {error}") from error
    # `pool`: first come, first served, for as long as the call may take.
    limits = {"connect": timeout.connect, "read": timeout.read, "write": timeout.read, "pool": left}
    extensions: dict[str, object] = {"timeout": limits}
    if endpoint.host.endswith("."):  # a certificate's name has none
        extensions["sni_hostname"] = endpoint.host.rstrip(".")
    return httpx.Request(request.method, url, headers=request.headers, content=request.body, extensions=extensions)


class _Parts:
    """Those of a body that is read whole, and may be so many bytes long."""

    def __init__(self, most: int) -> None:
        self._body = bytearray()
        self._most = most

    def add(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > self._most:
            raise httpx.RemoteProtocolError("the body of the response is too large")

    def joined(self) -> bytes:
        return bytes(self._body)


def _body_read_by_transport(response: httpx.Response) -> bytes | None:
    """The body, if the transport (a recorder, say) has read its stream away; it may have been decompressed then."""
    if response.is_stream_consumed and not isinstance(response.stream, httpx.ByteStream):
        return response.content
    return None


def _from_httpx(response: httpx.Response, body: bytes) -> Response:
    headers = tuple([(name.lower(), value) for name, value in response.headers.multi_items()])
    return Response(status=response.status_code, headers=headers, body=body)


def _to_transport_error(request: Request, error: Exception) -> TransportError:
    kind = TransportTimeout if isinstance(error, httpx.TimeoutException) else TransportError
    return kind(
        f"no response from {request.endpoint.scheme}://{request.endpoint.authority}: "
        f"{type(error).__name__}{f': {error}' if str(error) else ''}",
        request_sent=not isinstance(error, _NOT_SENT),
    )
