"""The lean pools as httpx's transports, in an ordinary `httpx.Client`, beside httpx's own transport."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
import trustme

from novaact_http import ConfigurationError, LeanAsyncTransport, LeanTransport, NovaActError
from tests.helpers.calls import MANY
from tests.helpers.servers import (
    OK,
    BlackHole,
    Peer,
    Script,
    Server,
    always,
    answers,
    closed_port,
    echo,
    eventually,
    never,
    serve,
    soon,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Self

BIG = b"x" * 8_000_000  # more than the buffers of both ends hold
SOON = httpx.Timeout(10, read=0.05, write=0.05, pool=0.05)


class Parts:
    """A body that comes in parts."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def of(self, web: Web) -> Iterable[bytes] | AsyncIterable[bytes]:
        async def asynchronously() -> AsyncIterator[bytes]:
            for part in self._parts:
                yield part

        return iter(self._parts) if web.is_sync else asynchronously()


class Web:
    """An `httpx.Client` or `httpx.AsyncClient` with a lean or a stock transport, called synchronously."""

    def __init__(self, *, asynchronous: bool, lean: bool = True, **options: Any) -> None:
        self._loop = asyncio.new_event_loop() if asynchronous else None
        kinds: Any = (httpx.HTTPTransport, httpx.AsyncHTTPTransport, LeanTransport, LeanAsyncTransport)
        if "verify" not in options and not lean:
            options["verify"] = ssl.create_default_context()
        self.transport: Any = kinds[2 * lean + asynchronous](**options)
        self.client: Any = (httpx.AsyncClient if asynchronous else httpx.Client)(transport=self.transport, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is None:
            self.client.close()
        else:
            self._loop.run_until_complete(self.client.aclose())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    @property
    def is_sync(self) -> bool:
        return self._loop is None

    def run(self, work: Any) -> Any:
        """Return the result of a coroutine; return anything else as it is."""
        return work if self._loop is None else self._loop.run_until_complete(work)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return cast("httpx.Response", self.run(self.client.request(method, url, **options)))

    def open(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Return a response whose body was not read."""
        request = self.client.build_request(method, url, **options)
        return cast("httpx.Response", self.run(self.client.send(request, stream=True)))

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


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def web(asynchronous: bool) -> Iterator[Web]:
    with Web(asynchronous=asynchronous) as made:
        yield made


def outcome(web: Web, method: str, url: str, **options: Any) -> Any:
    """Return the whole response to a request, or the class of the error."""
    if isinstance(options.get("content"), Parts):
        options["content"] = options["content"].of(web)
    try:
        response = web.request(method, url, **options)
    except httpx.HTTPError as error:
        return type(error)
    about = (response.status_code, response.reason_phrase, response.http_version, response.headers.multi_items())
    return (*about, response.content)


def url_of(server: Server, path: str = "/a?b=c", host: str = "127.0.0.1") -> str:
    return f"{server.endpoint().scheme}://{host}:{server.port}{path}"


def same(asynchronous: bool, script: Script, method: str = "GET", **options: Any) -> tuple[Any, Server]:
    """Return the result with our transport, which equals httpx's, and the server that ours talked to."""
    found = []
    for lean in (False, True):
        with Server(script) as server, Web(asynchronous=asynchronous, lean=lean) as web:
            found.append((outcome(web, method, url_of(server), **options), server))
    (theirs, their_server), (ours, our_server) = found
    assert ours == theirs
    assert our_server.requests == their_server.requests
    return ours, our_server


RESPONSES = {
    "a body": OK,
    "a reason of its own": b"HTTP/1.1 418 I'm a teapot, really\r\nContent-Length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nay!\r\n0\r\n\r\n",
    "fields that repeat": b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    "a field beyond ASCII": b"HTTP/1.1 200 OK\r\nX: \xe9\r\nContent-Length: 0\r\n\r\n",
    "informational ones before it": b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + OK,
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"ok"),
    "nothing": b"",
    "half a head": OK[:25],
    "half a body": OK[:-1],
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "a bad length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
}


@pytest.mark.parametrize("response", RESPONSES.values(), ids=RESPONSES)
def test_a_response_is_what_it_is_with_httpxs_transport(asynchronous: bool, response: bytes) -> None:
    same(asynchronous, answers(response))


def test_a_response_that_has_no_body_as_nobody_asked_for_it(asynchronous: bool) -> None:
    assert same(asynchronous, answers(OK[:-2]), "HEAD")[0][0] == 200


@pytest.mark.parametrize(
    "options",
    [
        {"content": b"hello"},
        {"content": Parts(b"he", b"", b"llo"), "headers": {"Content-Length": "5"}},
        {"content": BIG},
        {"json": {"a": [1, "é"]}},
        {"data": {"a": "b c"}},
        {"headers": {"X": "a\r\nHost: evil"}},
        {"headers": {"X Y": "a"}},
        {"headers": [("X", "1"), ("X", "é".encode("latin-1"))]},
    ],
    ids=lambda each: "+".join(map(str, each))[:30],
)
def test_a_request_is_sent_as_httpxs_transport_sends_it(asynchronous: bool, options: dict[str, Any]) -> None:
    same(asynchronous, echo, "POST", **options)


@pytest.mark.parametrize("parts", [Parts(b"hel", b"lo, too long"), Parts(b"hell"), Parts()])
def test_a_body_of_another_length_than_was_said_is_refused(web: Web, parts: Parts) -> None:
    with Server(echo) as server:  # where httpx's own transport lets an error of h11's through
        found = outcome(web, "POST", url_of(server), content=parts, headers={"Content-Length": "5"})
        assert found is httpx.LocalProtocolError
        assert web.connections == 0


def test_a_body_of_unknown_length_goes_out_in_chunks(asynchronous: bool) -> None:
    received: list[bytes] = []

    def script(peer: Peer) -> None:
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += peer.socket.recv(65_536)
        received.append(data.partition(b"\r\n\r\n")[2])
        peer.send(OK)

    big = b"y" * 20_000
    same(asynchronous, script, "POST", content=Parts(b"he", b"", big, b"llo"))
    theirs, ours = received
    assert ours == theirs == b"2\r\nhe\r\n4e20\r\n" + big + b"\r\n3\r\nllo\r\n0\r\n\r\n"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "unix:///a"])
def test_other_schemes_are_refused(web: Web, url: str) -> None:
    assert outcome(web, "GET", url) is httpx.UnsupportedProtocol


def test_redirects_are_httpxs_to_follow(asynchronous: bool) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
    ours, server = same(asynchronous, answers(moved, OK), follow_redirects=True)
    assert ours[0] == 200
    assert [each.target for each in server.requests] == ["/a?b=c", "/b"]
    assert server.accepted == 1


def test_an_address_of_ipv6_is_connected_to(web: Web) -> None:
    try:
        server = Server(serve, host="::1")
    except OSError:  # pragma: no cover - not on this machine
        pytest.skip("there is no IPv6 here")
    with server:
        assert web.request("GET", url_of(server, host="[::1]")).status_code == 200


# What goes wrong on the way.


def test_no_answer_in_time_is_a_read_timeout(asynchronous: bool) -> None:
    assert same(asynchronous, never, timeout=SOON)[0] is httpx.ReadTimeout


def test_a_server_that_does_not_read_is_a_write_timeout(asynchronous: bool) -> None:
    over = threading.Event()

    def deaf(peer: Peer) -> None:
        over.wait()

    with Server(deaf) as server, Web(asynchronous=asynchronous) as web:
        assert outcome(web, "POST", url_of(server), content=BIG, timeout=SOON) is httpx.WriteTimeout
        assert web.connections == 0
        over.set()


@pytest.mark.parametrize("lean", [True, False], ids=["lean", "stock"])
def test_what_cannot_be_connected_to_is_a_connect_error(
    asynchronous: bool, lean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Web(asynchronous=asynchronous, lean=lean) as web:
        assert outcome(web, "GET", f"http://127.0.0.1:{closed_port()}/") is httpx.ConnectError
        with BlackHole() as hole:
            soon = httpx.Timeout(10, connect=0.05)
            assert outcome(web, "GET", f"http://127.0.0.1:{hole.port}/", timeout=soon) is httpx.ConnectTimeout

        def unknown(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        assert outcome(web, "GET", "http://nobody.invalid/") is httpx.ConnectError


def test_a_connection_that_is_not_free_in_time_is_a_pool_timeout(asynchronous: bool) -> None:
    with Server(serve) as server, Web(asynchronous=asynchronous, max_connections=1) as web:
        held = web.open("GET", url_of(server))
        assert outcome(web, "GET", url_of(server), timeout=SOON) is httpx.PoolTimeout
        web.close(held)
        assert outcome(web, "GET", url_of(server))[0] == 200
        assert web.connections == 1


@pytest.mark.parametrize("size", [1, len(BIG)])
def test_an_answer_that_does_not_wait_for_the_request_is_read(web: Web, size: int) -> None:
    gone = threading.Event()
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"

    def script(peer: Peer) -> None:
        peer.socket.recv(1)
        peer.send(refusal)
        peer.socket.shutdown(socket.SHUT_WR)
        gone.set()
        peer.stall()

    with Server(script, serve) as server:
        response = web.request("POST", url_of(server), content=Parts(*[b"x" * size] * 2).of(web))
        assert (response.status_code, response.content) == (413, b"no")
        gone.wait()
        assert web.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 2


def test_an_answer_before_a_reset_is_read_and_the_connection_not_used_again(web: Web) -> None:
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
        found = outcome(web, "POST", url_of(server), content=body() if web.is_sync else async_body())
        # The reset may overtake the response on its way; then the request fails.
        assert found in (httpx.WriteError, httpx.ReadError) or found[0] == 200
    assert web.connections == 0


@pytest.mark.parametrize(
    ("asynchronous", "problem"),
    [(False, "fails"), (False, "is too short"), (True, "fails"), (True, "is too short"), (True, "is cancelled")],
)
def test_a_connection_over_which_half_a_request_went_is_not_used_again(web: Web, problem: str) -> None:
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
        (used,) = web.transport._pool.here()._in_use
        await soon(lambda: used._exchange.reader.complete)
        if problem == "fails":
            raise RuntimeError
        if problem == "is cancelled":
            raise asyncio.CancelledError

    with Server(script, serve) as server:
        with pytest.raises((RuntimeError, asyncio.CancelledError, httpx.LocalProtocolError)):
            web.request(
                "POST",
                url_of(server),
                content=body() if web.is_sync else async_body(),
                headers={"Content-Length": "40000"},
            )
        assert web.connections == 0
        assert web.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 2


# Bodies that are read as they come.


def test_a_body_comes_as_it_is_sent_and_its_connection_is_used_again(web: Web) -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        go_on.wait()
        peer.send(b"def")
        serve(peer)

    with Server(script) as server:
        response = web.open("GET", url_of(server))
        assert not response.is_closed
        if web.is_sync:
            parts = response.iter_raw()
            assert next(parts) == b"abc"
            go_on.set()
            assert b"".join(parts) == b"def"
        else:
            found = web.run(_two_halves(response, go_on))
            assert found == [b"abc", b"def"]
        web.close(response)
        assert web.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 1


async def _two_halves(response: httpx.Response, go_on: threading.Event) -> list[bytes]:
    found = []
    async for part in response.aiter_raw():
        found.append(part)
        go_on.set()
    return found


def test_what_comes_while_the_last_part_is_worked_on_is_not_missed() -> None:
    taken, sent = threading.Semaphore(0), threading.Semaphore(0)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        for part in (b"def", b"ghi"):
            taken.acquire()
            peer.send(part)
            sent.release()
        serve(peer)

    async def work(response: httpx.Response) -> list[bytes]:
        found = []
        async for part in response.aiter_raw():
            found.append(part)
            if len(found) < 3:
                taken.release()
                await asyncio.to_thread(sent.acquire)
                for _ in range(3):
                    await asyncio.sleep(0)
        return found

    with Server(script) as server, Web(asynchronous=True) as web:
        try:
            assert web.run(work(web.open("GET", url_of(server), timeout=2))) == [b"abc", b"def", b"ghi"]
        finally:
            taken.release(2)  # or a failing test would wait for the server
        assert web.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 1


def test_a_response_closed_early_gives_its_place_back_and_not_its_connection(web: Web) -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BIG) + BIG
    with Server(always(large)) as server:
        for number in range(3):
            response = web.open("GET", url_of(server))
            assert web.read(response, 1)[0]
            web.close(response)
            web.close(response)
            assert web.connections == 0
            assert server.accepted == number + 1


@pytest.mark.parametrize(("asynchronous", "fails"), [(False, False), (False, True), (True, True)])
def test_a_response_that_is_read_no_further_gives_its_place_back(asynchronous: bool, fails: bool) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        peer.stall()

    with Server(script, serve) as server, Web(asynchronous=asynchronous, max_connections=1) as web:
        response = web.open("GET", url_of(server), timeout=SOON)
        if fails:
            with pytest.raises(httpx.ReadTimeout):
                web.read(response)
        else:
            assert web.read(response, 1) == [b"abc"]
        assert web.connections == 0
        assert web.request("GET", url_of(server)).content == b"ok"


def test_a_response_that_another_task_closes_is_an_error_where_it_is_read() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        peer.stall()

    async def work(web: Web, response: httpx.Response) -> None:
        reading = asyncio.ensure_future(response.aread())
        (used,) = web.transport._pool.here()._in_use
        await soon(lambda: used._waiter is not None)
        await response.aclose()
        with pytest.raises(httpx.ReadError, match="closed while it was read"):
            await asyncio.wait_for(reading, 5)

    with Server(script) as server, Web(asynchronous=True) as web:
        web.run(work(web, web.open("GET", url_of(server))))
        assert web.connections == 0


def test_a_response_that_nobody_reads_is_closed_with_its_connection(web: Web) -> None:
    with Server(always(OK)) as server:
        response = web.open("GET", url_of(server))
        web.close(response)
        assert web.request("GET", url_of(server)).content == b"ok"


def test_a_large_body_is_read_whole_however_slowly(web: Web) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%b\r\n" % (len(BIG), BIG) + b"0\r\n\r\n"
    with Server(always(chunked)) as server:
        response = web.open("GET", url_of(server))
        if web.is_sync:
            assert sum(map(len, response.iter_raw())) == len(BIG)
        else:
            assert web.run(_slowly(response)) == len(BIG)
        web.close(response)
        assert web.connections == 1


async def _slowly(response: httpx.Response) -> int:
    count = 0
    async for part in response.aiter_raw():
        assert len(part) < 1_000_000  # what was not asked for yet stays with the peer
        count += len(part)
        for _ in range(3):
            await asyncio.sleep(0)
    return count


def test_a_body_that_breaks_off_is_an_error_where_it_is_read(web: Web) -> None:
    with Server(answers(OK[:-1])) as server:
        response = web.open("GET", url_of(server))
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            web.read(response)
        assert caught.value.request is response.request
        web.close(response)
        assert web.connections == 0


def test_bytes_after_a_response_end_its_connection(web: Web) -> None:
    with Server(answers(OK + b"HTTP/1.1 200 OK\r\n\r\n"), serve) as server:
        assert [web.request("GET", url_of(server)).content for _ in range(2)] == [b"ok", b"ok"]
        assert server.accepted == 2


# Certificates.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_certificates_are_checked_as_httpxs_transport_checks_them(
    asynchronous: bool, authority: trustme.CA, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    for names, trusted, expected in (
        (("127.0.0.1", "localhost"), True, 200),
        (("elsewhere.example",), True, httpx.ConnectError),
        (("127.0.0.1",), False, httpx.ConnectError),
    ):
        found = []
        for lean in (True, False):
            context = ssl.create_default_context(cafile=bundle if trusted else None)
            with (
                Server(serve, tls=serving(authority, *names)) as server,
                Web(asynchronous=asynchronous, lean=lean, verify=context) as web,
            ):
                found.append(outcome(web, "GET", url_of(server)))
        assert found[0] == found[1]
        assert (found[0] if isinstance(found[0], type) else found[0][0]) == expected
    with (
        Server(serve, tls=serving(authority, "127.0.0.1")) as server,
        Web(asynchronous=asynchronous, verify=str(bundle)) as web,
    ):
        assert web.request("GET", url_of(server)).status_code == 200


# Many of them.


def test_many_requests_follow_one_another_over_one_connection(web: Web) -> None:
    async def many() -> set[bytes]:
        return {(await web.client.get(url)).content for _ in range(MANY)}

    with Server(serve) as server:
        url = url_of(server)
        found = {web.client.get(url).content for _ in range(MANY)} if web.is_sync else web.run(many())
        assert found == {b"ok"}
        assert len(server.requests) == MANY
        assert server.accepted == 1


def test_a_thousand_requests_at_once_share_few_connections(asynchronous: bool) -> None:
    with Server(echo) as server, Web(asynchronous=asynchronous, max_connections=10) as web:
        urls = [url_of(server, f"/{number}") for number in range(1_000)]

        async def all_at_once() -> list[httpx.Response]:
            return list(await asyncio.gather(*[web.client.get(url) for url in urls]))

        if asynchronous:
            responses = web.run(all_at_once())
        else:
            with ThreadPoolExecutor(32) as threads:
                responses = list(threads.map(web.client.get, urls))
        assert [each.text for each in responses] == [f"/{number}" for number in range(1_000)]
        assert server.accepted <= 10
        assert web.connections == server.accepted


def test_connections_that_the_server_closes_after_some_answers_are_not_missed(web: Web) -> None:
    with Server(answers(OK, OK, OK)) as server:
        for number in range(10):
            assert web.request("GET", url_of(server)).content == b"ok"
            if number % 3 == 2:
                server.wait_for_end(number // 3)
        assert server.accepted == 4


# Lifecycles.


def test_a_request_that_is_cancelled_leaves_nothing_behind() -> None:
    with Server(never) as server, Web(asynchronous=True, max_connections=2) as web:

        async def cancel_many() -> None:
            tasks = [asyncio.ensure_future(web.client.get(url_of(server))) for _ in range(6)]
            await asyncio.to_thread(eventually, lambda: len(server.requests) == 2)
            for task in tasks:
                task.cancel()
            assert all(
                isinstance(each, asyncio.CancelledError)
                for each in await asyncio.gather(*tasks, return_exceptions=True)
            )

        web.run(cancel_many())
        assert web.connections == 0


def test_a_transport_serves_one_event_loop_after_another() -> None:
    transport = LeanAsyncTransport()

    async def get() -> bytes:
        response = await transport.handle_async_request(httpx.Request("GET", url))
        return await response.aread()

    with Server(serve) as server:
        url = url_of(server)
        assert asyncio.run(get()) == asyncio.run(get()) == b"ok"
        assert server.accepted == 2
        eventually(server.peers[0].ended.is_set)

    async def close() -> None:
        await transport.aclose()
        with pytest.raises(NovaActError, match="closed"):
            await get()

    asyncio.run(close())


def test_a_closed_transport_says_so() -> None:
    transport = LeanTransport()
    transport.close()
    with pytest.raises(NovaActError, match="closed"):
        transport.handle_request(httpx.Request("GET", "http://127.0.0.1:9/"))


def test_outside_of_asyncio_it_is_said_what_is_needed() -> None:
    sending = LeanAsyncTransport().handle_async_request(httpx.Request("GET", "http://127.0.0.1:9/"))
    with pytest.raises(ConfigurationError, match="needs a running event loop of asyncio"):
        sending.send(None)


@pytest.mark.parametrize("make", [LeanTransport, LeanAsyncTransport])
@pytest.mark.parametrize(
    ("option", "value"), [("max_connections", 0), ("keepalive_expiry", -1), ("verify", False), ("verify", "")]
)
def test_bad_arguments_are_refused(make: Callable[..., object], option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=option):
        make(**{option: value})


def test_without_a_timeout_there_is_none(asynchronous: bool) -> None:
    with Server(serve) as server, Web(asynchronous=asynchronous) as web:
        assert web.request("GET", url_of(server), timeout=None).content == b"ok"
        request = httpx.Request("GET", url_of(server))  # which has no extensions
        if asynchronous:
            response = web.run(web.transport.handle_async_request(request))
        else:
            response = web.transport.handle_request(request)
        assert b"".join(web.read(response)) == b"ok"
