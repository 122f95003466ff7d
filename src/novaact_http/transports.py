"""The connection pools that the clients use, offered to httpx as transports.

This module is imported when it is first needed, as importing httpx is slow.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from novaact_http._call.http_messages import Origin
from novaact_http._http.asyncio_exchange import StreamedExchange
from novaact_http._http.asyncio_pool import Pool as AsyncPool
from novaact_http._http.blocking_pool import Pool
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import LAST_CHUNK, MAX_HEAD, UnsendableError, encode_chunk, encode_head
from novaact_http._http.pool_rules import KEEPALIVE_EXPIRY, MAX_CONNECTIONS
from novaact_http._http.tls import provider
from novaact_http._needed_packages import needed
from novaact_http._support import traceback_scrubbing
from novaact_http._support.interruptions import Place

with needed("httpx", by="novaact_http.transports"):
    import httpx

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator

    from novaact_http._http.asyncio_connection import Connection as AsyncConnection
    from novaact_http._http.blocking_connection import Connection
    from novaact_http._http.http1 import ResponseReader

__all__ = ["LeanAsyncTransport", "LeanTransport"]

_PORTS = {"http": 80, "https": 443}
_WORTH_SENDING = 16_384  # bytes of a request; fewer are held back until more follow, or the request ends

# The exceptions of httpx for an exchange that fails in a phase, and for one that takes too long there.
_EXCEPTIONS: dict[str, tuple[type[httpx.TransportError], type[httpx.TransportError]]] = {
    "queue": (httpx.PoolTimeout, httpx.PoolTimeout),
    "connect": (httpx.ConnectError, httpx.ConnectTimeout),
    "write": (httpx.WriteError, httpx.WriteTimeout),
    "read": (httpx.ReadError, httpx.ReadTimeout),
    "response": (httpx.RemoteProtocolError, httpx.RemoteProtocolError),
}


class LeanTransport(httpx.BaseTransport):
    """The pool that `Client` uses, for any `httpx.Client(transport=LeanTransport())`. Safe to share between threads.

    It speaks HTTP/1.1, verifies certificates, and uses no proxy. It knows the request extension `timeout`, and its
    responses have the extensions `http_version` and `reason_phrase`. It raises what httpx's own transport raises in the
    same case, and also a `RemoteProtocolError` for a response that could be understood in two ways (see
    `docs/differences.md`).

    Args:
        verify: path of a CA bundle (PEM), or an `ssl.SSLContext`; certifi's bundle by default, or the
            system's trust store if certifi is not installed. A CA bundle is read when it is first needed.
        max_connections: the limit on connections, 100 by default; further requests wait for their turn.
        keepalive_expiry: seconds after which an idle connection is not used again, 30 by default.
        max_head: the limit in bytes on the head of a response, 64 KiB by default. It includes informational responses
            before the head, and the extensions of chunks and the trailers after it.
        max_body: the limit in bytes on the body of a response; None, the default, for no limit, as you read the body
            piece by piece. A `Client` that uses this transport has the same limit, or 64 MiB for None.

    Raises:
        ConfigurationError: an argument is not one of these.
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
            max_error_body=None,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its response as soon as its head is there. The body is read as you ask for it.

        Raises:
            httpx.TransportError: the exchange failed; the subclass says how.
            ConfigurationError: the CA bundle cannot be used.
            NovaActError: the transport is closed.
        """
        with _as_httpx():
            exchange = _Exchange(request, self._pool.new_reader)
            pool, origin = self._pool, exchange.origin
            held = pool.acquire(origin, exchange.pool_deadline())
            stream = _Stream(pool, exchange, held)
            try:
                connection = pool.open(origin, held, exchange.connect, None) if isinstance(held, Place) else held
                stream.begin(cast("Iterable[bytes]", request.stream), connection)
            except BaseException as error:
                stream.close(error)
                raise
        return exchange.response(stream)

    def close(self) -> None:
        """Close the idle connections now, and each of the others when its exchange ends."""
        self._pool.close()


class LeanAsyncTransport(httpx.AsyncBaseTransport):
    """The pool that `AsyncClient` uses, for any `httpx.AsyncClient` on asyncio.

    See `LeanTransport`. Each event loop has its own connections, up to `max_connections`. The event loop must be able
    to watch sockets, as all are except the `ProactorEventLoop` of Windows.
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
            max_error_body=None,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its response. See `LeanTransport.handle_request`."""
        with _as_httpx():
            exchange = _Exchange(request, self._pool.new_reader)
            pool, origin = self._pool.here(), exchange.origin
            held = await pool.acquire(origin, exchange.pool_deadline())
            stream = _AsyncStream(pool, exchange, held)
            try:
                connection = await pool.open(origin, held, exchange.connect, None) if isinstance(held, Place) else held
                await stream.begin(cast("AsyncIterable[bytes]", request.stream), connection)
            except BaseException as error:
                await stream.aclose(error)
                raise
        return exchange.response(stream)

    async def aclose(self) -> None:
        """Close the idle connections now, and each of the others when its exchange ends."""
        self._pool.close()


class _Exchange:
    """A request of httpx in the form that the pools take, and its response.

    Attributes:
        origin: where the request goes.
        connect, read, write: seconds that each of these may take; None for no limit.
        reader: reads the response.
        sent: whether all of the request was sent. A response may come without waiting for that.
    """

    def __init__(self, request: httpx.Request, new_reader: Callable[[str], ResponseReader]) -> None:
        url = request.url
        if url.scheme not in _PORTS:
            raise httpx.UnsupportedProtocol(f"this transport speaks http:// and https://, not {url.scheme!r}://")
        self.origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            self._unsent = encode_head(request.method, url.raw_path.decode("ascii"), headers)
        except UnsendableError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        length = request.headers.get("Content-Length")
        self._room = 0 if length is None else int(length)  # bytes of the body that may still follow
        self._chunked = "Transfer-Encoding" in request.headers
        self.reader = new_reader(request.method)
        timeout = request.extensions.get("timeout", {})
        self.connect, self.read, self.write, self._pool = map(timeout.get, ("connect", "read", "write", "pool"))
        self.sent = False
        self._refusal: ExchangeError | None = None

    def pool_deadline(self) -> float | None:
        """Return until when to wait for a connection, by `time.monotonic`; None for no limit."""
        return None if self._pool is None else time.monotonic() + self._pool

    def add(self, part: bytes) -> tuple[bytes, ...]:
        """Add a part of the body. Return what to send now: nothing while a few bytes are held back.

        So the head and a small body go out in one write. A large part is not copied to be joined to what goes before.
        """
        if self._chunked:
            part = encode_chunk(part)
        else:
            self._room -= len(part)
            if self._room < 0:
                raise httpx.LocalProtocolError("the body is longer than its Content-Length")
        if len(self._unsent) + len(part) < _WORTH_SENDING:
            self._unsent += part
            return ()
        unsent, self._unsent = self._unsent, b""
        return (unsent, part) if unsent else (part,)

    def end(self) -> bytes:
        """End the body. Return what is left to send."""
        if self._room > 0:
            raise httpx.LocalProtocolError("the body is shorter than its Content-Length")
        return self._unsent + LAST_CHUNK if self._chunked else self._unsent

    def sending_failed(self, error: ExchangeError) -> None:
        """Go on to the response, which the peer may have sent before it closed the connection. Raise a timeout."""
        if error.timed_out:
            raise error
        self._refusal = error

    def error_to_raise(self, error: ExchangeError) -> ExchangeError:
        """Return the error to raise if there is no response: the failure to send, if there was one, tells more."""
        return self._refusal or error

    def response(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
        """Return the response, once its head is there."""
        reader = self.reader
        assert reader.status is not None  # noqa: S101 - its head is there
        return httpx.Response(
            reader.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in reader.raw_headers],
            stream=stream,
            extensions={
                "http_version": f"HTTP/{reader.http_version}".encode(),
                "reason_phrase": reader.reason.encode("latin-1"),
            },
        )


ConnectionT = TypeVar("ConnectionT")
ConnectionT_contra = TypeVar("ConnectionT_contra", contravariant=True)


class _Pool(Protocol[ConnectionT_contra]):
    """What a stream needs of its pool."""

    def finish(self, connection: ConnectionT_contra, reader: ResponseReader) -> None:
        """Give back a connection after a whole response."""
        ...

    def discard(self, held: ConnectionT_contra | Place, error: BaseException | None = None) -> None:
        """Give back a place, and close the connection in it."""
        ...


class _StreamBase(Generic[ConnectionT]):
    """The body of a response. It gives its connection back when the body was read to its end, or when it is closed."""

    def __init__(self, pool: _Pool[ConnectionT], exchange: _Exchange, held: ConnectionT | Place) -> None:
        self._pool = pool
        self._exchange = exchange
        self._held: ConnectionT | Place | None = held  # None once it has ended

    def _end(self, error: BaseException | None) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        exchange = self._exchange
        if not isinstance(held, Place) and exchange.sent and exchange.reader.complete:
            self._pool.finish(held, exchange.reader)
        else:
            self._pool.discard(held, error)


class _Stream(_StreamBase["Connection"], httpx.SyncByteStream):
    """The body of a response over a blocking connection."""

    def begin(self, body: Iterable[bytes], connection: Connection) -> None:
        """Send the request, and read the head of the response."""
        self._held = connection
        exchange = self._exchange
        try:
            for part in body:
                for unsent in exchange.add(part):
                    connection.send(unsent, exchange.write)
            connection.send(exchange.end(), exchange.write)
            exchange.sent = True
        except ExchangeError as error:
            exchange.sending_failed(error)
        try:
            while exchange.reader.status is None:
                connection.receive(exchange.reader, exchange.read)
        except ExchangeError as error:
            raise exchange.error_to_raise(error) from exchange.error_to_raise(error).__cause__

    def __iter__(self) -> Iterator[bytes]:
        reader = self._exchange.reader
        with _as_httpx():
            try:
                while (connection := self._held) is not None:
                    part = reader.take()
                    if reader.complete:
                        self.close()
                    if part:
                        yield part
                    elif self._held is not None:
                        assert not isinstance(connection, Place)  # noqa: S101 - it has begun
                        connection.receive(reader, self._exchange.read)
            except BaseException as error:  # also that nobody reads on
                self.close(error)
                raise

    def close(self, error: BaseException | None = None) -> None:
        self._end(error)


class _AsyncStream(_StreamBase["AsyncConnection"], httpx.AsyncByteStream):
    """The body of a response over a connection on asyncio."""

    _streamed: StreamedExchange

    async def begin(self, body: AsyncIterable[bytes], connection: AsyncConnection) -> None:
        """Send the request, and read the head of the response."""
        self._held = connection
        exchange = self._exchange
        streamed = self._streamed = StreamedExchange(connection, exchange.reader)
        try:
            async for part in body:
                for unsent in exchange.add(part):
                    await streamed.send(unsent, exchange.write)
            await streamed.send(exchange.end(), exchange.write)
            exchange.sent = True
        except ExchangeError as error:
            exchange.sending_failed(error)
        try:
            while exchange.reader.status is None:
                await streamed.receive(exchange.read)
        except ExchangeError as error:
            raise exchange.error_to_raise(error) from exchange.error_to_raise(error).__cause__

    async def __aiter__(self) -> AsyncIterator[bytes]:
        reader = self._exchange.reader
        with _as_httpx():
            try:
                while self._held is not None:
                    part = reader.take()
                    if reader.complete:
                        await self.aclose()
                    if part:
                        yield part  # and take again afterwards: more may have come meanwhile
                    elif self._held is not None:
                        await self._streamed.receive(self._exchange.read)
            except BaseException as error:  # also that nobody reads on
                await self.aclose(error)
                raise

    async def aclose(self, error: BaseException | None = None) -> None:
        self._end(error)


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise what httpx's own transport would raise: without the request, which `httpx.Client` adds."""
    try:
        yield
    except ExchangeError as error:
        traceback_scrubbing.clear(error)
        failed, timed_out = _EXCEPTIONS[error.phase]
        kind = timed_out if error.timed_out else failed
        raise kind(str(error)) from error.__cause__
    except BaseException as error:
        traceback_scrubbing.clear(error)
        raise
