"""Sending requests through httpx: our values become httpx's requests, and its responses and errors become ours.

Transports are called directly: `httpx.Client` would only cost time. While a function of it is replaced, as tools that
answer or record requests do, requests go through one, whole as they are, and so do the raw bytes of the responses. This
module is imported when a transport is first needed, as httpx imports slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, cast

import httpx

from novaact_http._call.http_messages import Request, Response
from novaact_http._http import httpx_patches
from novaact_http._http.deadline import DeadlinePassed, wait_until
from novaact_http._http.pool_rules import KEEPALIVE_EXPIRY, MAX_BODY, MAX_CONNECTIONS, MAX_ERROR_BODY, check_open
from novaact_http._http.threads import call_on_thread
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http._support.interruptions import Place, comes_from_signal_handler
from novaact_http.errors import (
    ConfigurationError,
    DeadlineExceeded,
    ParameterError,
    TransportError,
    TransportTimeout,
)

if TYPE_CHECKING:
    import ssl
    import weakref
    from collections.abc import AsyncIterable, Callable, Iterable

    TLS = Callable[[], ssl.SSLContext]
    Proxy = tuple[str, str]  # its URL, which may hold a password, and the variable that it came from

_LIMITS = httpx.Limits(
    max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE_EXPIRY
)
# No `max_connections`: httpcore loses the place of an asynchronous request that is cancelled while it connects. When
# all places are lost, no later request gets a turn.
_ASYNC_LIMITS = httpx.Limits(
    max_connections=None, max_keepalive_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE_EXPIRY
)

# All that httpx raises for a request. A StreamError means that the transport has read the response and not kept it.
_FAILURES = (httpx.HTTPError, httpx.StreamError)

# Those of them after which the request has certainly not left, as there was no connection to send it on.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_ADVICE_IF_407 = (
    "; the proxy wants a user name and password: put the right ones into its URL, as in http://user:password@proxy:8080"
)


class Sender:
    """Sends requests through a user's `httpx.BaseTransport`, or through a stock one that is made when first needed.

    Safe to share between threads.

    Args:
        transport: the user's transport, or None for the stock one.
        tls: makes the TLS context of the stock transport.
        proxy: what the stock transport connects through, or None.
        max_body: the limit in bytes on the body of a response; None for 64 MiB.

    Raises:
        ConfigurationError: the transport is not an `httpx.BaseTransport`.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None,
        tls: TLS,
        proxy: Proxy | None = None,
        max_body: int | None = None,
    ) -> None:
        _check(transport, httpx.BaseTransport)
        self._transport = transport
        self._tls = tls
        self._proxy = proxy
        self._max_body = MAX_BODY if max_body is None else max_body
        self._stock: dict[None, httpx.HTTPTransport] = {}
        self._under_way: set[weakref.ref[Place]] = set()  # a place for each request through the stock transport
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent process."""
        self._stock = {}
        self._under_way = set()

    def send(self, request: Request) -> Response:
        """Send a request, and read its whole response.

        Raises:
            TransportError: no whole response came.
            ParameterError: httpx refuses the URL; nothing was sent.
        """
        if self._transport is not None:
            return self._send(request)
        place = Place(self._under_way)
        try:
            return self._send(request)
        finally:
            place.close()
            if self._closed:
                self._close_stock()

    def _send(self, request: Request) -> Response:
        try:
            transport = self._stock_transport() if self._transport is None else self._transport
            made = _to_httpx(request)
            if httpx_patches.need_client("handle_request"):
                response = httpx.Client(transport=transport).send(made, stream=True)
            else:
                response = transport.handle_request(made)
            try:
                body = _body_read_by_transport(response)
                if body is None:
                    parts = _Body(response.status_code, self._max_body)
                    for part in cast("Iterable[bytes]", response.stream):
                        if not parts.add(part):
                            break
                    body = parts.joined()
            finally:
                response.close()
        except _FAILURES as error:
            raise _to_transport_error(request, error, self._proxy) from error
        return _from_httpx(response, body)

    def _stock_transport(self) -> httpx.HTTPTransport:
        check_open(closed=self._closed)
        stock = self._stock.get(None)
        if stock is None:
            tls = _bundle_read(self._tls)
            made = httpx.HTTPTransport(verify=tls, limits=_LIMITS, proxy=_proxy(self._proxy, tls))
            stock = self._stock.setdefault(None, made)
        return stock

    def close(self) -> None:
        """Close the stock transport, when no request is under way. The user closes a transport of theirs."""
        self._closed = True
        self._close_stock()

    def _close_stock(self) -> None:
        # A signal handler may close this in the middle of a request, where httpx holds a lock that closing needs.
        if not self._under_way and (stock := self._stock.pop(None, None)) is not None:
            stock.close()


class AsyncSender:
    """Sends requests through a user's `httpx.AsyncBaseTransport`, or through a stock one for each event loop.

    See `Sender`.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None,
        tls: TLS,
        proxy: Proxy | None = None,
        max_body: int | None = None,
    ) -> None:
        _check(transport, httpx.AsyncBaseTransport)
        self._transport = transport
        self._tls = tls
        self._proxy = proxy
        self._max_body = MAX_BODY if max_body is None else max_body
        self._stock: dict[asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport] = {}
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent process."""
        self._stock = {}

    async def send(self, request: Request) -> Response:
        """Send a request, and read its whole response. The deadline ends the wait for any transport. See `Sender`."""
        try:
            return await wait_until(request.deadline, self._send(request))
        except DeadlinePassed as error:
            raise DeadlineExceeded("the call's time was over before the response came", request_sent=True) from error

    async def _send(self, request: Request) -> Response:
        try:
            transport = await self._stock_transport() if self._transport is None else self._transport
            made = _to_httpx(request)
            if httpx_patches.need_client("handle_async_request"):
                response = await httpx.AsyncClient(transport=transport).send(made, stream=True)
            else:
                response = await transport.handle_async_request(made)
            try:
                body = _body_read_by_transport(response)
                if body is None:
                    parts = _Body(response.status_code, self._max_body)
                    async for part in cast("AsyncIterable[bytes]", response.stream):
                        if not parts.add(part):
                            break
                    body = parts.joined()
            finally:
                await response.aclose()
        except _FAILURES as error:
            raise _to_transport_error(request, error, self._proxy) from error
        except RuntimeError as error:  # the event loop's executor was shut down, for example
            if self._transport is not None:
                raise
            raise _to_transport_error(request, error, self._proxy) from error
        return _from_httpx(response, body)

    async def _stock_transport(self) -> httpx.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        stock = self._stock.get(loop)
        if stock is None:
            tls = await call_on_thread(loop, partial(_bundle_read, self._tls))  # which reads a file
            check_open(closed=self._closed)
            for ended in [each for each in self._stock if each.is_closed()]:
                del self._stock[ended]
            stock = self._stock.setdefault(
                loop, httpx.AsyncHTTPTransport(verify=tls, limits=_ASYNC_LIMITS, proxy=_proxy(self._proxy, tls))
            )
        return stock

    async def aclose(self) -> None:
        """Close the stock transport of this event loop. Drop those of others, which cannot be closed from here."""
        self._closed = True
        stock = self._stock.pop(asyncio.get_running_loop(), None)
        self._stock.clear()
        if stock is not None:
            await stock.aclose()


def _check(transport: object, kind: type) -> None:
    if transport is not None and not isinstance(transport, kind):
        raise ConfigurationError(
            f"must be an httpx.{kind.__name__}, such as httpx.MockTransport(...), not {type(transport).__name__}",
            setting="transport",
            source="the argument transport",
        )


def _bundle_read(tls: TLS) -> ssl.SSLContext:
    try:
        return tls()
    except OSError as error:
        if comes_from_signal_handler(error):
            raise
        raise httpx.ConnectError(str(error)) from error


def _proxy(proxy: Proxy | None, tls: ssl.SSLContext) -> httpx.Proxy | None:
    if proxy is None:
        return None
    url, source = proxy
    with contextlib.suppress(httpx.InvalidURL):  # a URL that is too long, for example
        return httpx.Proxy(url, ssl_context=tls if url.startswith("https:") else None)
    # Raised here, so that httpx's error, which may quote the password, is not in its context.
    raise ConfigurationError(
        "is not the URL of a proxy that httpx can use", source=source, advice="use one such as http://proxy:8080"
    )


def _to_httpx(request: Request) -> httpx.Request:
    endpoint, timeout = request.endpoint, request.timeout
    left = None if request.deadline is None else max(0.0, request.deadline - time.monotonic())
    try:
        url = httpx.URL(**endpoint.origin._asdict(), raw_path=request.target.encode("ascii"))
    except httpx.InvalidURL as error:  # a path or query of more than 65,536 characters
        raise ParameterError(f"an argument is too long, nothing was sent: {error}; shorten it") from error
    # `pool`: requests wait for a connection in their order, as long as the call may take.
    limits = {"connect": timeout.connect, "read": timeout.read, "write": timeout.read, "pool": left}
    extensions: dict[str, object] = {"timeout": limits}
    if endpoint.host.endswith("."):  # the name in a certificate has no dot there
        extensions["sni_hostname"] = endpoint.host.rstrip(".")
    return httpx.Request(request.method, url, headers=request.headers, content=request.body, extensions=extensions)


class _Body:
    """A body that is read whole, up to a limit in bytes. Of an error, as much is read as `ResponseReader` reads."""

    def __init__(self, status: int, limit: int) -> None:
        self._body = bytearray()
        self._is_error = status >= 300
        self._limit = MAX_ERROR_BODY if self._is_error else limit

    def add(self, part: bytes) -> bool:
        """Add a part, and tell whether to read on."""
        self._body += part
        if len(self._body) <= self._limit:
            return True
        if not self._is_error:
            raise httpx.RemoteProtocolError("the body of the response is too large")
        del self._body[self._limit :]
        return False

    def joined(self) -> bytes:
        return bytes(self._body)


def _body_read_by_transport(response: httpx.Response) -> bytes | None:
    """Return the body if the transport, for example a recorder, has read the stream; it may be decompressed then."""
    if response.is_stream_consumed and not isinstance(response.stream, httpx.ByteStream):
        return response.content
    return None


def _from_httpx(response: httpx.Response, body: bytes) -> Response:
    headers = tuple([(name.lower(), value) for name, value in response.headers.multi_items()])
    return Response(status=response.status_code, headers=headers, body=body)


def _to_transport_error(request: Request, error: Exception, proxy: Proxy | None) -> TransportError:
    kind = TransportTimeout if isinstance(error, httpx.TimeoutException) else TransportError
    through = ""
    if proxy is not None:
        url = httpx.URL(proxy[0])
        through = f" through the proxy {url.scheme}://{url.netloc.decode('ascii')} of {proxy[1]}"  # without password
    is_407 = isinstance(error, httpx.ProxyError) and str(error).startswith("407 ")
    return kind(
        f"no response from {request.endpoint.scheme}://{request.endpoint.authority}{through}: "
        f"{type(error).__name__}{f': {error}' if str(error) else ''}{_ADVICE_IF_407 if is_407 else ''}",
        request_sent=not isinstance(error, _NOT_SENT),
    )
