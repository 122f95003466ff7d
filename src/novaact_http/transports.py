"""httpx at the seam: our wire values to httpx's requests, httpx's responses and errors to ours.

Transports are called directly, never through `httpx.Client`, which would follow redirects, decompress bodies, and add
headers and time of its own. This module is imported when a transport is first needed, as importing httpx takes a while.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, cast

import httpx

from novaact_http._locks import renew_after_fork
from novaact_http._wire import Request, Response
from novaact_http.errors import ConfigurationError, NovaActError, ParameterError, TransportError, TransportTimeout

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterable, Callable, Iterable

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
                    body = b"".join(cast("Iterable[bytes]", response.stream))
            finally:
                response.close()
        except _FAILURES as error:
            raise _to_transport_error(request, error) from error
        return _from_httpx(response, body)

    def _stock_transport(self) -> httpx.HTTPTransport:
        with self._lock:
            _check_open(closed=self._closed)
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
        self._tls = tls
        self._proxy_url = proxy_url
        self._stock: dict[asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport] = {}
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent."""
        self._stock = {}

    async def send(self, request: Request) -> Response:
        """See `Sender.send`."""
        transport = await self._stock_transport() if self._transport is None else self._transport
        try:
            response = await transport.handle_async_request(_to_httpx(request))
            try:
                body = _body_read_by_transport(response)
                if body is None:
                    body = b"".join([chunk async for chunk in cast("AsyncIterable[bytes]", response.stream)])
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
            _check_open(closed=self._closed)
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


def _proxy(url: str | None, tls: ssl.SSLContext) -> httpx.Proxy | None:
    if url is None:
        return None
    return httpx.Proxy(url, ssl_context=tls if url.startswith("https:") else None)


def _check_open(*, closed: bool) -> None:
    if closed:
        raise NovaActError("this client is closed; make a new one")


def _check(transport: object, kind: type) -> None:
    if transport is not None and not isinstance(transport, kind):
        raise ConfigurationError(
            f"transport must be an httpx.{kind.__name__}, such as httpx.MockTransport(...), "
            f"not {type(transport).__name__}"
        )


def _to_httpx(request: Request) -> httpx.Request:
    endpoint, timeout = request.endpoint, request.timeout
    left = None if request.deadline is None else max(0.0, request.deadline - time.monotonic())
    try:
        url = httpx.URL(
            scheme=endpoint.scheme, host=endpoint.host, port=endpoint.port, raw_path=request.target.encode("ascii")
        )
    except httpx.InvalidURL as error:  # over 65,536 characters of path or query
        raise ParameterError(f"an argument is too long, nothing was sent: {error}") from error
    return httpx.Request(
        request.method,
        url,
        headers=request.headers,
        content=request.body,
        # `pool`: first come, first served, for as long as the call may take.
        extensions={"timeout": {"connect": timeout.connect, "read": timeout.read, "write": timeout.read, "pool": left}},
    )


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
