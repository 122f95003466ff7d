"""Servers on this machine that do what a test tells them, and one interface to both kinds of pool."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from novaact_http._call.http_messages import Endpoint, Request, Response
from novaact_http._http import asyncio_pool, blocking_pool
from novaact_http.config import Timeout

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from novaact_http._http.pool_rules import Connections

PATIENCE = 90.0  # seconds until a test that hangs fails
BIG = b"x" * 8_000_000  # more than the buffers of both ends hold
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Received(NamedTuple):
    """A request, as a server reads it."""

    target: str
    body: bytes


class Peer:
    """A server's end of a connection."""

    def __init__(self, accepted: socket.socket, received: list[Received]) -> None:
        self.socket = accepted
        self.ended = threading.Event()
        self._received = received
        self._unread = b""

    def request(self) -> Received | None:
        """Return the next request; None if the client has closed the connection."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                return None
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        length = next((int(each[15:]) for each in fields if each.lower().startswith("content-length:")), 0)
        while len(self._unread) < length:
            if not self._read():
                return None
        body, self._unread = self._unread[:length], self._unread[length:]
        received = Received(line.split(" ")[1], body)
        self._received.append(received)
        return received

    def _read(self) -> bool:
        data = self.socket.recv(65_536)
        self._unread += data
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send all of the data."""
        self.socket.sendall(data)

    def drip(self, data: bytes, seconds: float = 0.0) -> None:
        """Send a byte at a time, with a wait before each."""
        for each in data:
            time.sleep(seconds)
            self.socket.sendall(bytes((each,)))

    def stall(self) -> None:
        """Do nothing until the client closes the connection."""
        while self.socket.recv(65_536):
            pass

    def reset(self) -> None:
        """Reset the connection, as after a crash of the server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def end(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.ended.set()


Script = Callable[[Peer], None]


def serve(peer: Peer) -> None:
    """Answer all requests in the same way."""
    while peer.request():
        peer.send(OK)


def answers(*responses: bytes) -> Script:
    """Answer one request with each of these, then close the connection."""

    def script(peer: Peer) -> None:
        for each in responses:
            if not peer.request():
                return
            peer.send(each)

    return script


def always(response: bytes) -> Script:
    """Answer all requests with this."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(response)

    return script


def echo(peer: Peer) -> None:
    """Answer each request with its target and its body."""
    while received := peer.request():
        body = received.target.encode() + received.body
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def patiently(is_so: Callable[[], object], response: bytes = OK) -> Script:
    """Answer requests, the first one only when the condition holds."""

    def script(peer: Peer) -> None:
        peer.request()
        eventually(is_so)
        peer.send(response)
        always(response)(peer)

    return script


def never(peer: Peer) -> None:
    """Read a request, and do nothing."""
    peer.request()
    peer.stall()


class Server:
    """Listens, and runs a script for each connection, on its own thread.

    Args:
        scripts: for the first connection, the second, and so on; the last one for all further ones.
        tls: to shake hands with.
        host: an address of this machine's.

    Attributes:
        port: that it listens on.
        peers: of all connections, in their order.
        requests: all that were read, in their order.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._scripts = scripts
        self._tls = tls
        self._host = host
        self.peers: list[Peer] = []
        self.requests: list[Received] = []
        self.errors: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=256
        )
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # or `accept` would continue to wait
        self._accepting.join()
        self._listener.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        if error is None:
            assert not self.errors, self.errors

    @property
    def accepted(self) -> int:
        """The number of connections so far."""
        return len(self.peers)

    def endpoint(self, host: str = "") -> Endpoint:
        """Return the server's endpoint, by another host name if one is given."""
        scheme = "https" if self._tls else "http"
        return endpoint(host or self._host, self.port, scheme)

    def wait_for_end(self, number: int = 0) -> None:
        """Wait until the server has closed the connection with this number."""
        eventually(lambda: len(self.peers) > number)
        assert self.peers[number].ended.wait(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
            peer = Peer(accepted, self.requests)
            self.peers.append(peer)
            thread = threading.Thread(target=self._run, args=(script, peer))
            self._threads.append(thread)
            thread.start()

    def _run(self, script: Script, peer: Peer) -> None:
        try:
            if self._tls is not None:
                peer.socket = self._tls.wrap_socket(peer.socket, server_side=True)
            script(peer)
        except OSError:
            pass  # the client has gone, as it should in many tests
        except BaseException as error:  # noqa: BLE001 - for the test's own thread
            self.errors.append(error)
        finally:
            peer.end()


class BlackHole:
    """An address that neither accepts nor refuses connections, as its backlog is full."""

    def __init__(self) -> None:
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=0)]
        self.port: int = self._sockets[0].getsockname()[1]
        for _ in range(8):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self._sockets.append(waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()


def closed_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def endpoint(host: str, port: int, scheme: str = "http") -> Endpoint:
    """Return the endpoint with this host and port."""
    shown = f"[{host}]" if ":" in host else host
    return Endpoint(scheme=scheme, host=host, port=port, authority=f"{shown}:{port}")


def request_to(
    to: Server | Endpoint,
    target: str = "/",
    *,
    method: str = "POST",
    body: bytes = b"",
    connect: float = PATIENCE,
    read: float = PATIENCE,
    within: float | None = None,
    repeatable: bool = False,
) -> Request:
    """Return a request. `within` is the number of seconds from now to its deadline."""
    where = to.endpoint() if isinstance(to, Server) else to
    return Request(
        method=method,
        endpoint=where,
        target=target,
        headers=(("Host", where.authority), ("Content-Length", str(len(body)))),
        body=body,
        timeout=Timeout(connect=connect, read=read),
        deadline=None if within is None else time.monotonic() + within,
        repeatable=repeatable,
    )


def eventually(is_so: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "it never came to be so"
        time.sleep(0.001)


async def soon(is_so: Callable[[], object]) -> None:
    """Wait until the condition holds, while the event loop runs."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        await asyncio.sleep(0.001)


def no_tls() -> ssl.SSLContext:
    """Fail: this is for pools that connect without TLS."""
    raise AssertionError("no TLS is needed")


class Driver(Protocol):
    """A pool of either kind with a synchronous interface."""

    @property
    def connections(self) -> Connections[Any, Any]:
        """The connections of the pool."""
        ...

    def send(self, request: Request) -> Response:
        """Send a request."""
        ...

    def together(self, requests: Sequence[Request]) -> list[Response | BaseException]:
        """Send all requests at once, each queued before the next. Return their responses or errors in that order."""
        ...

    def turn(self) -> None:
        """Let the event loop, if there is one, see what has happened."""
        ...

    def close(self) -> None:
        """Close the pool."""
        ...

    def end(self) -> None:
        """Close the pool, and check that nothing is left."""
        ...


MakeDriver = Callable[..., Driver]


def idle(connections: Connections[Any, Any]) -> list[Any]:
    """Return the idle connections."""
    return [each for some in connections._idle.values() for each in some]


def wait_for_news(driver: Driver) -> None:
    """Wait until something has come over each idle connection: mostly, its end."""
    for each in idle(driver.connections):
        assert select.select([each._socket], [], [], PATIENCE)[0]


def _check_at_rest(connections: Connections[Any, Any]) -> None:
    assert connections.waiting == 0
    assert connections.count == len(idle(connections))


class SyncDriver(Driver):
    """The blocking pool."""

    def __init__(self, tls: Callable[[], ssl.SSLContext] = no_tls, **limits: Any) -> None:
        self.pool = blocking_pool.Pool(tls, **limits)

    @property
    def connections(self) -> Connections[Any, Any]:
        return self.pool._connections

    def send(self, request: Request) -> Response:
        return self.pool.send(request)

    def together(self, requests: Sequence[Request]) -> list[Response | BaseException]:
        def has_begun(future: Future[Response], before: tuple[int, ...]) -> bool:
            return future.done() or before != self._state()

        with ThreadPoolExecutor(len(requests)) as executor:
            futures = []
            for each in requests:
                before = self._state()
                futures.append(executor.submit(self.send, each))
                eventually(partial(has_begun, futures[-1], before))
            return [error if (error := each.exception(PATIENCE)) else each.result() for each in futures]

    def _state(self) -> tuple[int, ...]:
        return self.connections.waiting, self.connections.count, len(idle(self.connections))

    def turn(self) -> None:
        pass

    def close(self) -> None:
        self.pool.close()

    def end(self) -> None:
        _check_at_rest(self.connections)
        self.close()
        assert self.connections.count == 0


class AsyncDriver(Driver):
    """The pool on asyncio."""

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext] = no_tls,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        **limits: Any,
    ) -> None:
        self.pool = asyncio_pool.Pool(tls, **limits)
        self.loop = loop or asyncio.new_event_loop()
        self.troubles: list[object] = []  # what went wrong in a callback, which asyncio only logs
        self.loop.set_exception_handler(lambda _, context: self.troubles.append(context))

    @property
    def here(self) -> asyncio_pool.LoopPool:
        """The pool of the one event loop."""
        return self.pool._pools[self.loop]

    @property
    def connections(self) -> Connections[Any, Any]:
        return self.here._connections

    def run(self, doing: Any) -> Any:
        """Run a coroutine, with a time limit."""

        async def limited() -> Any:
            return await asyncio.wait_for(doing, PATIENCE)

        return self.loop.run_until_complete(limited())

    def send(self, request: Request) -> Response:
        response: Response = self.run(self.pool.send(request))
        return response

    def together(self, requests: Sequence[Request]) -> list[Response | BaseException]:
        async def gathered() -> Any:
            return await asyncio.gather(*(self.pool.send(each) for each in requests), return_exceptions=True)

        results: list[Response | BaseException] = self.run(gathered())
        return results

    def turn(self) -> None:
        self.run(asyncio.sleep(0.001))  # long enough to look at the sockets, whatever the event loop

    def close(self) -> None:
        async def close() -> None:
            self.pool.close()

        self.run(close())

    def end(self) -> None:
        pool = self.pool._pools.get(self.loop)
        if pool is not None:
            _check_at_rest(pool._connections)
            assert not pool._in_use
        self.turn()  # attempts to connect that came too late are cancelled
        assert not asyncio.all_tasks(self.loop)
        self.close()
        if pool is not None:
            assert pool._connections.count == 0
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        assert self.troubles == []


def uvloop_driver(tls: Callable[[], ssl.SSLContext] = no_tls, **limits: Any) -> AsyncDriver:
    """Return a pool on uvloop."""
    import uvloop

    return AsyncDriver(tls, loop=uvloop.new_event_loop(), **limits)


DRIVERS = (
    SyncDriver,
    AsyncDriver,
    pytest.param(
        uvloop_driver,
        marks=pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not there"),
    ),
)


def made_by(request: pytest.FixtureRequest) -> Iterator[MakeDriver]:
    """Yield a function that makes drivers of the kind in the fixture's parameter, and end them."""
    made: list[Driver] = []

    def make(*args: Any, **options: Any) -> Driver:
        driver: Driver = request.param(*args, **options)
        made.append(driver)
        return driver

    yield make
    for each in made:
        each.end()


def bodies(responses: list[Response | BaseException]) -> list[bytes]:
    """Return the bodies of responses. Raise the first error."""
    for each in responses:
        if isinstance(each, BaseException):
            raise each
    return [each.body for each in responses if isinstance(each, Response)]
