"""Servers on this machine that do what a test tells them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import Mock

from novaact_http._call.http_messages import Endpoint, Origin, Request
from novaact_http.config import Timeout

if TYPE_CHECKING:
    from types import TracebackType

    import pytest
    import trustme
    from typing_extensions import Self


PATIENCE = 90.0  # seconds until a test that hangs fails
BIG = b"x" * 8_000_000  # more than the buffers of both ends hold
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OK_AND_CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


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


def http_response(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    """Return a response with this body, and with its length in the head."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def serve(peer: Peer) -> None:
    """Answer all requests in the same way."""
    while peer.request():
        peer.send(OK)


def answers(*responses: bytes) -> Script:
    """Answer one request with each of these responses, then close the connection."""

    def script(peer: Peer) -> None:
        for each in responses:
            if not peer.request():
                return
            peer.send(each)

    return script


def answers_and_resets(*responses: bytes) -> Script:
    """Answer one request with each of these responses, then reset the connection."""

    def script(peer: Peer) -> None:
        answers(*responses)(peer)
        peer.reset()

    return script


def answers_early(response: bytes) -> Script:
    """Read only the beginning of a request, answer it, and close the connection."""

    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        peer.send(response)

    return script


def always(response: bytes) -> Script:
    """Answer all requests with this response."""

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(response)

    return script


def echo(peer: Peer) -> None:
    """Answer each request with its target and its body."""
    while received := peer.request():
        peer.send(http_response(received.target.encode() + received.body))


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


def deaf_until(over: threading.Event) -> Script:
    """Read nothing until the event is set."""

    def script(_: Peer) -> None:
        over.wait(PATIENCE)

    return script


class Server:
    """Listens, and runs a script for each connection, on its own thread.

    Args:
        scripts: one for the first connection, one for the second, and so on; the last one for all further connections.
        tls: the context for TLS; without one the server speaks plain HTTP.
        host: the address of this machine to listen on.

    Attributes:
        port: the port that the server listens on.
        peers: the server's ends of all connections, in order.
        requests: all requests that were read, in order.
        errors: what scripts raised.
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

    @property
    def url(self) -> str:
        """The server's URL, without a path."""
        where = self.endpoint()
        return f"{where.scheme}://{where.authority}"

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


def answer_lookups_with(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Have each host resolve to these ports of this machine, in this order."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def fail_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no host resolve."""
    monkeypatch.setattr(
        socket, "getaddrinfo", Mock(side_effect=socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    )


def server_context(certificate: trustme.LeafCert, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return the context of a server with this certificate, which speaks this version of TLS only if one is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def endpoint(host: str, port: int, scheme: str = "http") -> Endpoint:
    """Return the endpoint with this host and port."""
    shown = f"[{host}]" if ":" in host else host
    return Endpoint(Origin(scheme, host, port), authority=f"{shown}:{port}")


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
        assert time.monotonic() < until, "the condition never held"
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
