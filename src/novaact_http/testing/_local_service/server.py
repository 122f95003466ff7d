"""The sockets of the local service: asyncio on its own thread, with connections that can break in many ways."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
import threading
import traceback
from concurrent.futures import Future
from typing import TYPE_CHECKING, cast

import attrs

from novaact_http.testing._local_service.faults import ConnectionFault
from novaact_http.testing._local_service.http import BadRequest, take_request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from novaact_http.testing._local_service.http_messages import ReceivedRequest

ADDRESS = "127.0.0.1"
_BACKLOG = 1024  # with a small backlog, a burst of connections waits for seconds
_RESET = struct.pack("ii", 1, 0)  # of SO_LINGER: closing sends RST


@attrs.frozen
class Reply:
    """A response as bytes, and how to send it.

    Attributes:
        delay: seconds to wait before sending it.
        fault: what to do to the connection; None to send the response as it is.
    """

    head: bytes
    body: bytes = attrs.field(repr=False)
    delay: float
    fault: ConnectionFault | None


class Server:
    """Listens, and answers the requests of each connection one by one.

    Args:
        respond: called with each request, on the server's thread.
        port: the port to listen on; 0 for any free port.
        tls: the context for TLS handshakes; None for plain HTTP.
        on_accept: called for each connection, on the server's thread.
        host: the address to listen on.
    """

    def __init__(
        self,
        respond: Callable[[ReceivedRequest], Reply],
        port: int,
        tls: ssl.SSLContext | None,
        on_accept: Callable[[], None],
        host: str = ADDRESS,
    ) -> None:
        self._host = host
        self.respond = respond
        self.port = port
        self._tls = tls
        self._on_accept = on_accept
        self._connections: set[_Connection] = set()
        self._handshakes: set[asyncio.Task[object]] = set()
        self._listener = self._listen()  # here, so that a port in use raises in the caller
        self._loop = asyncio.new_event_loop()
        self._closed = False
        self._control = threading.RLock()  # for those who use the server's event loop from other threads
        self._thread = threading.Thread(target=self._run, name="novaact-local", daemon=True)
        self._loop.call_soon(self._start_accepting)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and close all connections."""
        with self._control:
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def refuse(self) -> None:
        """Close all connections and refuse new ones. Returns when that is done."""
        self._call_on_loop(self.stop_accepting)

    def accept(self) -> None:
        """Accept connections again, unless the server was closed meanwhile.

        Raises:
            OSError: another program has taken the port meanwhile.
        """
        self._call_on_loop(self._accept_again)

    def _call_on_loop(self, function: Callable[[], None]) -> None:
        done: Future[None] = Future()

        def call() -> None:
            try:
                function()
                done.set_result(None)
            except OSError as error:
                done.set_exception(error)

        with self._control:
            if not self._closed:
                self._loop.call_soon_threadsafe(call)
                done.result()

    def _run(self) -> None:
        loop = self._loop
        try:
            loop.run_forever()
        finally:
            self.stop_accepting()
            while self._connections or self._handshakes:
                loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    def _listen(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self.port), family=family, backlog=_BACKLOG)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        return listener

    def _start_accepting(self) -> None:
        self._loop.add_reader(self._listener, self._accept)

    def stop_accepting(self) -> None:
        """Refuse new connections, and close the open ones. Call it on the server's thread."""
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()
        for handshake in self._handshakes:
            handshake.cancel()
        for connection in list(self._connections):
            connection.abort()

    def pause(self, seconds: float) -> None:
        """Refuse connections for some seconds. Call it on the server's thread."""
        self.stop_accepting()
        self._loop.call_later(seconds, self._accept_again)

    def _accept_again(self) -> None:
        if self._listener.fileno() < 0:
            self._listener = self._listen()
            self._start_accepting()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while True:
                accepted, _ = self._listener.accept()
                accepted.setblocking(False)
                self._on_accept()
                handshake = self._loop.create_task(
                    self._loop.connect_accepted_socket(lambda: _Connection(self), accepted, ssl=self._tls)
                )
                self._handshakes.add(cast("asyncio.Task[object]", handshake))
                handshake.add_done_callback(functools.partial(self._end_handshake, accepted))

    def _end_handshake(self, accepted: socket.socket, handshake: asyncio.Task[object]) -> None:
        self._handshakes.discard(handshake)
        # A failed handshake is not reported here: a client that does not trust the certificate raises an error itself.
        if handshake.cancelled() or handshake.exception() is not None:
            accepted.close()

    def add(self, connection: _Connection) -> None:
        """Add an open connection."""
        self._connections.add(connection)

    def remove(self, connection: _Connection) -> None:
        """Remove a connection that has closed."""
        self._connections.discard(connection)


class _Connection(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._is_busy = False
        self._is_last_request = False  # whether to close the connection after the response
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport.close()  # it is closed already, but over TLS Python 3.10 would otherwise warn that it is not
        if self._timer is not None:
            self._timer.cancel()
        self._server.remove(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_busy:
            self._read()

    def eof_received(self) -> bool:
        self._is_last_request = True
        is_plain = self._transport.get_extra_info("sslcontext") is None
        return is_plain and self._timer is not None  # True keeps it open: a response is still to be sent

    def abort(self) -> None:
        """Close the connection at once, without sending what is left."""
        self._transport.abort()

    def _read(self) -> None:
        try:
            taken = take_request(self._buffer)
        except BadRequest as error:
            self._transport.write(error.answer)
            self._transport.close()
            return
        if taken is None:
            return
        request, keep = taken
        self._is_busy, self._is_last_request = True, self._is_last_request or not keep
        try:
            reply = self._server.respond(request)
        except Exception:  # noqa: BLE001 - a mistake in the test itself, which must be shown
            traceback.print_exc()
            self.abort()
            return
        if reply.delay:
            self._call_later(reply.delay, self._reply, reply)
        else:
            self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        self._timer = None
        if reply.fault is not None:
            self._apply_fault(reply, reply.fault)
            return
        self._transport.write(reply.head + reply.body)
        self._end_reply()

    def _end_reply(self) -> None:
        self._is_busy = False
        if self._is_last_request:
            self._transport.close()
        elif self._buffer:
            self._loop.call_soon(self._read)

    def _apply_fault(self, reply: Reply, fault: ConnectionFault) -> None:
        whole = reply.head + reply.body
        if fault.kind == "drip":
            self._drip(whole, fault.seconds)
        elif fault.kind == "truncate":
            self._transport.write(reply.head + reply.body[: len(reply.body) // 2])
            self._transport.close()
        elif fault.kind == "close":
            self._transport.write(whole)
            self._transport.close()
        elif fault.kind in ("reset-mid", "reset-after"):
            self._transport.write(whole if fault.kind == "reset-after" else whole[: len(whole) // 2])
            self._call_later(fault.seconds, self._reset)
        elif fault.kind in ("reset", "refuse"):
            self._reset()
            if fault.kind == "refuse":
                self._server.pause(fault.seconds)
        # Otherwise the fault is "stall": send nothing until the client closes the connection or the service stops.

    def _drip(self, rest: bytes, seconds: float) -> None:
        self._transport.write(rest[:1])
        if len(rest) > 1:
            self._call_later(seconds, self._drip, rest[1:], seconds)
        else:
            self._timer = None
            self._end_reply()

    def _reset(self) -> None:
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.abort()

    def _call_later(self, seconds: float, function: Callable[..., None], *arguments: object) -> None:
        self._timer = self._loop.call_later(seconds, function, *arguments)
