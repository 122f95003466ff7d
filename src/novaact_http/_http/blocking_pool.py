"""HTTP/1.1 over blocking sockets: a pool of connections that threads share.

Every wait has an end: each operation on a socket is given what is left of its own limit and of the call's. What cannot
be interrupted is looking up a host's addresses.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import socket
import threading
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from novaact_http._call.messages import Response
from novaact_http._http import pool_rules
from novaact_http._http.http1 import MAX_HEAD, ProtocolError, ResponseReader
from novaact_http._http.pool_rules import Connections, ExchangeError, failure, seconds_left
from novaact_http._support.fork_safety import renew_after_fork

if TYPE_CHECKING:
    import ssl
    from collections import deque
    from collections.abc import Callable

    from novaact_http._call.messages import Origin, Request


_LOOK_AGAIN = 3600.0  # seconds; selectors do not wait for weeks


class Connection:
    """A connection, used by one thread at a time.

    Attributes:
        origin: what it leads to.
        home: tells the pool it is one of from that of a parent process.
        is_reusable: was all of the request taken? The response may have come without waiting for it.
        idle_since: when it was used last, by `time.monotonic`.
    """

    __slots__ = ("_poll", "_socket", "_timeout", "home", "idle_since", "is_reusable", "origin")

    def __init__(self, origin: Origin, home: object, connected: socket.socket) -> None:
        self.origin = origin
        self.home = home
        self.is_reusable = True
        self.idle_since = 0.0
        self._socket = connected
        self._timeout = connected.gettimeout()
        self._poll: Any = None

    def send(self, data: bytes, timeout: float | None, deadline: float | None = None) -> None:
        """Send all of it.

        Args:
            data: a part of a request.
            timeout: seconds to wait for more of it to be taken.
            deadline: for all of it, by `time.monotonic`.

        Raises:
            ExchangeError: that failed; some of it may have been sent.
        """
        unsent = memoryview(data)
        try:
            while unsent:
                self._limit(timeout, deadline)
                unsent = unsent[self._socket.send(unsent) :]
        except OSError as error:
            self.is_reusable = False
            raise failure("write", error) from error

    def receive(self, reader: ResponseReader, timeout: float | None, deadline: float | None = None) -> None:
        """Read what comes next of the response.

        Raises:
            ExchangeError: nothing came, or it is no response.
        """
        try:
            self._limit(timeout, deadline)
            data = self._socket.recv(pool_rules.RECEIVE)
        except OSError as error:
            raise failure("read", error) from error
        try:
            if data:
                reader.feed(data)
            else:
                reader.feed_eof()
        except ProtocolError as error:
            raise ExchangeError("response", f"{type(error).__name__}: {error}") from error

    def is_stale(self) -> bool:
        """Has the peer closed it, or sent what nobody asked for?"""
        if not hasattr(select, "poll"):  # Windows
            news = bool(select.select([self._socket], [], [], 0)[0])
        else:
            if self._poll is None:
                self._poll = select.poll()
                self._poll.register(self._socket, select.POLLIN)
            news = bool(self._poll.poll(0))
        return news and self._has_ended()

    def _has_ended(self) -> bool:
        if self.origin.scheme != "https":
            return True
        import ssl  # loaded already

        self._socket.settimeout(0.0)
        try:
            self._socket.recv(1)
        except ssl.SSLWantReadError:  # TLS had something to say, such as a session ticket
            self._socket.settimeout(self._timeout)
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close it."""
        with contextlib.suppress(OSError, AttributeError):  # of one that was interrupted while it was made
            self._socket.close()

    def __del__(self) -> None:
        self.close()  # silently: it is of no use to anybody any more

    def _limit(self, timeout: float | None, deadline: float | None) -> None:
        left = _time_left(timeout, deadline)
        if left != self._timeout:
            self._socket.settimeout(left)
            self._timeout = left


class _Waiter:
    """A thread that waits for its turn."""

    __slots__ = ("connection", "has_turn", "turn")

    def __init__(self) -> None:
        self.has_turn = False
        self.connection: Connection | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Pool:
    """Connections, kept open and used again. Safe to share between threads.

    Args:
        tls: makes the TLS context, when it is needed.
        max_connections: how many there are at most; further requests wait for their turn.
        keepalive_expiry: seconds after which an idle connection is not used any more.
        max_head, max_body: bytes of a response, see `ResponseReader`.

    Attributes:
        new_reader: makes what reads a response, with these limits; takes the request's method.

    Raises:
        ConfigurationError: a limit is not a number, or too low.
    """

    def __init__(
        self,
        tls: Callable[[], ssl.SSLContext],
        *,
        max_connections: int = pool_rules.MAX_CONNECTIONS,
        keepalive_expiry: float = pool_rules.KEEPALIVE_EXPIRY,
        max_head: int = MAX_HEAD,
        max_body: int | None = pool_rules.MAX_BODY,
    ) -> None:
        pool_rules.check_sizes(max_head, max_body)
        self.new_reader = partial(ResponseReader, max_head=max_head, max_body=max_body)
        self._tls = tls
        self._limits = (max_connections, keepalive_expiry)
        self._closed = False
        self._start_empty()
        renew_after_fork(self)

    def _start_empty(self) -> None:
        self._connections: Connections[Connection, _Waiter] = Connections(*self._limits)
        # When the pool is forgotten, before garbage collection meets open sockets, and complains of them.
        self._closing = weakref.finalize(self, _close_idle, self._connections)
        self._closing.atexit = False
        self._home = object()
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Leave the connections to the parent. Closing them here ends nothing there."""
        self._closing()
        self._start_empty()

    def send(self, request: Request) -> Response:
        """Send a request, and read its whole response.

        Raises:
            TransportError: no whole response came.
            ConfigurationError: the request cannot be expressed in HTTP; or the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        data = pool_rules.encode(request)
        try:
            return self._exchange(request, data)
        except ExchangeError as error:
            raise pool_rules.to_transport_error(request.endpoint, error) from error.__cause__

    def _exchange(self, request: Request, data: bytes) -> Response:
        origin, deadline = request.endpoint.origin, request.deadline
        connection = self.acquire(origin, deadline)
        while True:
            reader = self.new_reader(request.method)
            reused = connection is not None
            try:
                if connection is None:
                    connection = self.open(origin, request.timeout.connect, deadline)
                _exchange(connection, reader, data, request.timeout.read, deadline)
            except ExchangeError as error:
                if connection and reused and request.repeatable and not reader.started and not error.timed_out:
                    # The peer had closed it, and most likely has not seen the request. The place is still ours.
                    connection.close()
                    connection = None
                    continue
                self.discard(origin, connection, error)
                raise
            except BaseException:
                self.discard(origin, connection)
                raise
            self.finish(connection, reader)
            assert reader.status is not None  # noqa: S101 - it is complete
            return Response(status=reader.status, headers=reader.headers, body=reader.take())

    def acquire(self, origin: Origin, deadline: float | None) -> Connection | None:
        """A connection that was used before, or None: a place for one to `open`.

        It must be given back with `finish` or `discard`.

        Args:
            origin: what it leads to.
            deadline: until when to wait for one's turn, by `time.monotonic`; None for any time.

        Raises:
            ExchangeError: one's turn did not come in time.
            NovaActError: the pool is closed.
        """
        now, waiter = time.monotonic(), None
        with self._lock:
            pool_rules.check_open(closed=self._closed)
            connection = self._connections.reuse(origin, now)
            if connection is None and not self._connections.may_open(now):
                waiter = _Waiter()
                self._connections.wait(waiter, origin)
            discarded = self._connections.take_discarded()
        for each in discarded:
            each.close()
        if waiter is not None:
            connection = self._wait(waiter, origin, deadline)
        try:
            if connection is not None and connection.is_stale():
                connection.close()
                return None
        except BaseException:  # a signal, as below
            self.discard(origin, connection)
            raise
        return connection

    def _wait(self, waiter: _Waiter, origin: Origin, deadline: float | None) -> Connection | None:
        left = seconds_left(None, deadline, time.monotonic())
        try:
            waiter.turn.acquire(timeout=-1 if left is None else left)
        except BaseException:  # a signal, perhaps in the very moment in which the turn came
            if self._give_up(waiter):
                self.discard(origin, waiter.connection)
            raise
        if not self._give_up(waiter):
            raise failure("queue", None)
        return waiter.connection

    def _give_up(self, waiter: _Waiter) -> bool:
        with self._lock:
            self._connections.give_up(waiter)
            return waiter.has_turn

    def open(self, origin: Origin, timeout: float | None, deadline: float | None) -> Connection:
        """Open a connection in the place that `acquire` gave.

        Args:
            origin: where to.
            timeout: seconds for all of it: TCP, TLS, one address after another; None for any time.
            deadline: by `time.monotonic`; None for none.

        Raises:
            ExchangeError: that failed; nothing was sent.
            ConfigurationError: the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        pool_rules.check_open(closed=self._closed)
        tls = self._tls() if origin.scheme == "https" else None
        try:
            connected = _connect(origin, tls, seconds_left(timeout, deadline, time.monotonic()))
        except OSError as error:
            raise failure("connect", error) from error
        return Connection(origin, self._home, connected)

    def finish(self, connection: Connection, reader: ResponseReader) -> None:
        """Give back a connection that a response has come over."""
        if reader.keep_alive and connection.is_reusable and connection.home is self._home:
            self._release(connection.origin, connection)
        else:
            self.discard(connection.origin, connection)

    def discard(self, origin: Origin, connection: Connection | None, why: BaseException | None = None) -> None:
        """Give back the place of a connection, and close it, if it was opened. `why`: the error, if there was one."""
        if connection is not None:
            connection.close()
            if connection.home is not self._home:
                return  # a parent process has its place
            if isinstance(why, ExchangeError) and why.timed_out:
                with self._lock:
                    self._connections.distrust(connection)
        self._release(origin, None)

    def _release(self, origin: Origin, connection: Connection | None) -> None:
        with self._lock:
            if self._closed and connection is not None:
                self._connections.discarded.append(connection)
                connection = None
            turn = self._connections.release(origin, connection, time.monotonic())
            if turn is not None:
                waiter, free = turn
                waiter.connection = free
                waiter.has_turn = True
                waiter.turn.release()
            discarded = self._connections.take_discarded()
        for each in discarded:
            each.close()

    def close(self) -> None:
        """Close the connections that are idle now, and the others when they become so."""
        with self._lock:
            self._closed = True
            _close_idle(self._connections)


def _close_idle(connections: Connections[Connection, _Waiter]) -> None:
    for each in connections.clear():
        each.close()


def _exchange(
    connection: Connection, reader: ResponseReader, data: bytes, timeout: float | None, deadline: float | None
) -> None:
    """Send it, and read the response to its end."""
    refused = None
    try:
        connection.send(data, timeout, deadline)
    except ExchangeError as error:
        if error.timed_out:
            raise
        refused = error  # but the peer may have answered before it closed the connection
    try:
        while not reader.complete:
            connection.receive(reader, timeout, deadline)
    except ExchangeError as error:
        raise refused or error from (refused or error).__cause__


def _time_left(limit: float | None, deadline: float | None) -> float | None:
    """As `seconds_left`; raises TimeoutError if there is none, though the socket may be ready, and ready again."""
    left = seconds_left(limit, deadline, time.monotonic())
    if left == 0.0:
        raise TimeoutError
    return left


def _connect(origin: Origin, tls: ssl.SSLContext | None, timeout: float | None) -> socket.socket:
    """A connected socket. Raises OSError."""
    until = None if timeout is None else time.monotonic() + timeout
    host = origin.host.encode("ascii")  # text would have sockets and TLS import what encodes it for DNS
    addresses = socket.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM)
    connected = _first_to_answer(pool_rules.in_turn(addresses), until)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(_time_left(None, until))
        if tls is None:
            return connected
        # The end of TCP is not one that TLS vouches for: RFC 9112, 9.8.
        return tls.wrap_socket(connected, server_hostname=host.rstrip(b"."), suppress_ragged_eofs=False)
    except BaseException:
        connected.close()
        raise


def _first_to_answer(addresses: deque[Any], until: float | None) -> socket.socket:
    """A socket that is connected to the first address that answers (RFC 8305). Raises OSError."""
    next_after = pool_rules.next_address_after(len(addresses), seconds_left(None, until, time.monotonic()))
    last: OSError = TimeoutError()
    with selectors.DefaultSelector() as selector:
        try:
            while addresses or selector.get_map():
                if addresses:
                    try:
                        attempt = _begin_to_connect(*addresses.popleft())
                    except OSError as error:  # DNS knows of IPv6, say, and this machine does not
                        last = error
                        continue
                    selector.register(attempt, selectors.EVENT_WRITE, attempt)
                left = seconds_left(next_after if addresses else _LOOK_AGAIN, until, time.monotonic())
                for key, _ in selector.select(left):
                    attempt = cast("socket.socket", key.data)
                    selector.unregister(attempt)
                    code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if not code:
                        return attempt
                    attempt.close()
                    last = OSError(code, os.strerror(code))
                _time_left(None, until)
        finally:
            for key in selector.get_map().values():
                key.data.close()
    raise last


def _begin_to_connect(family: int, kind: int, protocol: int, _: str, address: Any) -> socket.socket:
    attempt = socket.socket(family, kind, protocol)
    try:
        attempt.setblocking(False)
        with contextlib.suppress(BlockingIOError):  # it takes a while
            attempt.connect(address)
    except BaseException:
        attempt.close()
        raise
    return attempt
