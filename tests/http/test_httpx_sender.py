"""Sending through httpx: any transport works, and its errors become ours."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import respx
from hypothesis import given

from novaact_http import (
    AsyncClient,
    Client,
    ConfigurationError,
    DeadlineExceeded,
    ParameterError,
    ResponseError,
    ServiceError,
    Timeout,
    TransportError,
    TransportTimeout,
)
from novaact_http._http.httpx_sender import AsyncSender, Sender
from novaact_http._support import fork_safety
from tests.beside.test_requests_of_boto3 import calls
from tests.helpers.answers import httpx_page, page_body
from tests.helpers.both_clients import AsyncFace, SyncFace
from tests.helpers.calls import CALL, OPTIONS, call_for, mocked, options_for
from tests.helpers.flows import request_of
from tests.helpers.servers import Server, answers, answers_early, closed_port, never

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

PAGE = page_body()


@pytest.mark.parametrize(
    ("error", "kind", "sent"),
    [
        (httpx.ConnectError("no"), TransportError, False),
        (httpx.ConnectTimeout("no"), TransportTimeout, False),
        (httpx.PoolTimeout("no"), TransportTimeout, False),
        (httpx.ProxyError("no"), TransportError, False),
        (httpx.UnsupportedProtocol("no"), TransportError, False),
        (httpx.ReadTimeout("no"), TransportTimeout, True),
        (httpx.WriteTimeout("no"), TransportTimeout, True),
        (httpx.ReadError("no"), TransportError, True),
        (httpx.WriteError("no"), TransportError, True),
        (httpx.CloseError("no"), TransportError, True),
        (httpx.LocalProtocolError("no"), TransportError, True),
        (httpx.RemoteProtocolError("no"), TransportError, True),
        (httpx.DecodingError("no"), TransportError, True),
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_error_of_httpx_becomes_a_transport_error(
    face: Face, error: Exception, kind: type[TransportError], sent: bool
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(TransportError) as caught:
        face.page(mocked(fail), **CALL)
    assert type(caught.value) is kind
    assert caught.value.request_sent is sent
    assert caught.value.__cause__ is error
    assert f"no response from http://127.0.0.1:9: {type(error).__name__}: no (" in str(caught.value)


def test_an_argument_that_httpx_cannot_hold_is_a_parameter_error(face: Face) -> None:
    with pytest.raises(ParameterError, match="too long, nothing was sent"):
        face.page(mocked(lambda _: httpx_page()), **CALL, next_token="x" * 70_000)


def test_an_error_without_a_message_is_named(face: Face) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    with pytest.raises(TransportTimeout, match=r"http://127\.0\.0\.1:9: ReadTimeout \("):
        face.page(mocked(fail), **CALL)


def test_a_runtime_error_of_an_asynchronous_transport_passes_through() -> None:
    error = RuntimeError("a mock says no")

    async def fail(request: httpx.Request) -> httpx.Response:
        raise error

    async def main() -> None:
        async with AsyncClient(**{**OPTIONS, "transport": httpx.MockTransport(fail)}) as client:
            with pytest.raises(RuntimeError) as caught:
                await client.list_sessions(**CALL)
            assert caught.value is error

    asyncio.run(main())


@pytest.mark.parametrize("error", [StopIteration("mock exhausted"), AssertionError("not mocked"), OSError("odd")])
def test_errors_of_a_transport_that_are_not_httpxs_pass_through(error: Exception) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    with Client(**mocked(fail)) as client, pytest.raises(type(error)) as caught:
        client.list_sessions(**CALL)
    assert caught.value is error


class _Closing(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in parts, of which one may be an error.

    Attributes:
        closed: how often it was closed.
    """

    def __init__(self, *parts: bytes | Exception) -> None:
        self._parts = parts
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def test_a_body_is_read_in_all_its_parts_and_closed(face: Face) -> None:
    stream = _Closing(PAGE[:5], PAGE[5:6], b"", PAGE[6:])
    face.page(mocked(lambda _: httpx.Response(200, stream=stream)), **CALL)
    assert stream.closed == 1


def test_a_body_that_breaks_off_is_a_transport_error_and_is_closed(face: Face) -> None:
    stream = _Closing(PAGE[:5], httpx.RemoteProtocolError("peer closed connection"))
    with pytest.raises(TransportError) as caught:
        face.page(mocked(lambda _: httpx.Response(200, stream=stream)), **CALL)
    assert caught.value.request_sent
    assert stream.closed == 1


class _Reading(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that reads the response itself, as recorders and loggers do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = httpx.Response(200, stream=_Closing(PAGE))
        response.read()
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = httpx.Response(200, stream=_Closing(PAGE))
        await response.aread()
        return response


def test_a_transport_may_have_read_the_response_itself(face: Face) -> None:
    assert face.page({**OPTIONS, "transport": _Reading()}, **CALL).session_summaries == ()


def test_a_transport_that_read_the_response_without_keeping_it_is_an_error(face: Face) -> None:
    class Careless(_Reading):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = httpx.Response(200, stream=_Closing(PAGE))
            list(response.iter_raw())
            return response

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = httpx.Response(200, stream=_Closing(PAGE))
            assert [part async for part in response.aiter_raw()]
            return response

    with pytest.raises(TransportError, match="ResponseNotRead"):
        face.page({**OPTIONS, "transport": Careless()}, **CALL)


def test_a_body_is_not_decompressed_though_httpx_has_read_it(face: Face) -> None:
    packed, headers = gzip.compress(PAGE), {"Content-Encoding": "gzip"}
    with pytest.raises(ResponseError, match="Content-Encoding 'gzip'"):
        face.page(mocked(lambda _: httpx.Response(200, content=packed, headers=headers)), **CALL)


def test_redirects_are_not_followed(face: Face) -> None:
    seen: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(301, headers={"Location": "http://elsewhere.example/"})

    with pytest.raises(ServiceError) as caught:
        face.page(mocked(answer), **CALL)
    assert caught.value.code == "301"
    assert len(seen) == 1


def test_a_mock_transport_with_a_respx_router_works(face: Face) -> None:
    router = respx.Router()
    route = router.post(path__regex=r"/workflow-definitions/.*").respond(json={"sessionSummaries": []})
    handler: Any = router.handler if isinstance(face, SyncFace) else router.async_handler
    assert face.page({**OPTIONS, "transport": httpx.MockTransport(handler)}, **CALL).session_summaries == ()
    assert route.call_count == 1


@given(calls)
def test_httpx_does_not_change_the_request_line(arguments: dict[str, Any]) -> None:
    ours = request_of(arguments, endpoint_url="http://h:8080/a%20b/?x=%2F")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    Sender(httpx.MockTransport(answer), ssl.create_default_context).send(ours)
    assert seen[0].url.raw_path.decode() == ours.target
    assert seen[0].headers.raw == [(name.encode(), value.encode()) for name, value in ours.headers]


def test_a_transport_of_the_users_is_not_closed(face: Face) -> None:
    class Transport(httpx.MockTransport):
        closed = False

        def close(self) -> None:
            Transport.closed = True

        async def aclose(self) -> None:
            Transport.closed = True

    face.page({**OPTIONS, "transport": Transport(lambda _: httpx_page())}, **CALL)
    assert not Transport.closed


@pytest.mark.parametrize(
    ("make", "transport"),
    [
        (Client, httpx.AsyncHTTPTransport()),
        (AsyncClient, httpx.HTTPTransport()),
        *itertools.product([Client, AsyncClient], [object(), httpx.HTTPTransport, "http"]),
    ],
)
def test_an_object_that_is_not_a_transport_is_refused_when_the_client_is_made(
    make: Callable[..., Any], transport: object
) -> None:
    problem = r"^the argument transport must be an httpx\.(Async)?BaseTransport"
    with pytest.raises(ConfigurationError, match=problem) as caught:
        make(**OPTIONS, transport=transport)
    assert caught.value.setting == "transport"


def test_timeouts_reach_the_transport(face: Face) -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx_page()

    face.page({**mocked(answer), "timeout": Timeout(connect=1.5, read=2.5)}, **CALL)
    assert seen == [{"connect": 1.5, "read": 2.5, "write": 2.5, "pool": None}]


# Real sockets.


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + PAGE,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"SMTP ready\r\n\r\n",
    ],
    ids=["nothing", "half a head", "content-length not reached", "chunks cut off", "not http"],
)
def test_an_incomplete_answer_is_a_transport_error(face: Face, answer: bytes) -> None:
    with Server(answers(answer)) as server, pytest.raises(TransportError) as caught:
        face.page({**OPTIONS, "endpoint_url": server.url}, **CALL)
    assert caught.value.request_sent
    assert not isinstance(caught.value, TransportTimeout)


def test_a_silent_server_is_a_timeout(face: Face) -> None:
    with Server(never) as server, pytest.raises(TransportTimeout) as caught:
        face.page({**OPTIONS, "endpoint_url": server.url, "timeout": Timeout(read=0.05)}, **CALL)
    assert caught.value.request_sent


def test_a_refused_connection_says_that_nothing_was_sent(face: Face) -> None:
    with pytest.raises(TransportError, match="request not sent") as caught:
        face.page({**OPTIONS, "endpoint_url": f"http://127.0.0.1:{closed_port()}"}, **CALL)
    assert not caught.value.request_sent


def test_connections_are_kept(service: LocalService) -> None:
    run = call_for(service.runs[0])
    with Client(**options_for(service)) as client:
        for _ in range(5):
            client.list_sessions(**run)
    assert len(service.requests) == 5
    assert service.connections == 1


def test_the_users_context_reaches_the_connection(face: Face) -> None:
    # The server does not speak TLS: the handshake fails before anything of the request is sent.
    class Watched(ssl.SSLContext):
        used = False

        def wrap_socket(self, *arguments: Any, **options: Any) -> Any:
            Watched.used = True
            return super().wrap_socket(*arguments, **options)

        def wrap_bio(self, *arguments: Any, **options: Any) -> Any:
            Watched.used = True
            return super().wrap_bio(*arguments, **options)

    with Server(answers_early(b"HTTP/1.1 400 no\r\n\r\n")) as server, pytest.raises(TransportError) as caught:
        url = f"https://127.0.0.1:{server.port}"
        face.page({**OPTIONS, "endpoint_url": url, "verify": Watched(ssl.PROTOCOL_TLS_CLIENT)}, **CALL)
    assert not caught.value.request_sent
    assert Watched.used


def test_each_event_loop_has_one_stock_transport() -> None:
    sender = AsyncSender(None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    async def made() -> httpx.AsyncHTTPTransport:
        first, second = await asyncio.gather(sender._stock_transport(), sender._stock_transport())
        assert first is second
        return first

    one, other = asyncio.run(made()), asyncio.run(made())
    assert one is not other
    assert list(sender._stock.values()) == [other]  # those of the event loop that has ended are dropped


def test_stock_transports_are_kept_but_not_by_a_forked_child() -> None:
    sync = Sender(None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    kept = sync._stock_transport()
    assert sync._stock_transport() is kept
    asynchronous = AsyncSender(None, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    async def made() -> list[httpx.AsyncHTTPTransport]:
        return [await asynchronous._stock_transport() for _ in range(2)]

    first, second = asyncio.run(made())
    assert first is second
    fork_safety._after_fork()
    assert sync._stock_transport() is not kept
    assert asynchronous._stock == {}


def test_the_deadline_ends_the_wait_for_any_asynchronous_transport() -> None:
    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError("nobody set it")

    with pytest.raises(DeadlineExceeded) as caught:
        AsyncFace().page({**OPTIONS, "transport": Hanging(), "timeout": 0.02}, **CALL)
    assert caught.value.request_sent
