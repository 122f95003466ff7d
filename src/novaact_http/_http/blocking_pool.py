"""A pool of blocking connections, which threads share.

`pool_rules` decides; this module carries it out under a lock, and lets threads wait. A signal may interrupt any of it:
no place in the pool is lost then, and no connection stays open.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING

from novaact_http._http import pool_rules
from novaact_http._http.blocking_connection import Connection, connect
from novaact_http._http.exchange_errors import ExchangeError, failure, to_transport_error
from novaact_http._http.http1 import MAX_HEAD
from novaact_http._http.pool_rules import Connections, seconds_left
from novaact_http._support.fork_safety import renew_after_fork

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from novaact_http._call.http_messages import Origin, Request, Response
    from novaact_http._http.http1 import ResponseReader


class _Waiter:
    """A thread that waits for its turn."""

    __slots__ = ("connection", "has_turn", "turn")

    def __init__(self) -> None:
        self.has_turn = False
        self.connection: Connection | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Pool:
    """Connections that are kept open and used again. Safe to share between threads.

    Args:
        tls: makes the TLS context, when it is first needed.
        max_connections: the limit on connections; further requests wait for their turn.
        keepalive_expiry: seconds after which an idle connection is not used again.
        max_head, max_body, max_error_body: limits in bytes on a response, see `ResponseReader`.

    Attributes:
        new_reader: makes the reader of a response, with these limits; takes the request's method.

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
        max_error_body: int | None = pool_rules.MAX_ERROR_BODY,
    ) -> None:
        self.new_reader = pool_rules.reader_maker(max_head, max_body, max_error_body)
        self._tls = tls
        self._limits = (max_connections, keepalive_expiry)
        self._start_empty(closed=False)
        renew_after_fork(self)

    def _start_empty(self, *, closed: bool) -> None:
        self._connections: Connections[Connection, _Waiter] = Connections(*self._limits)
        self._connections.closed = closed
        # Closes idle connections when the pool is dropped, before the garbage collector finds open sockets and warns.
        self._closing = weakref.finalize(self, _close_idle, self._connections)
        self._closing.atexit = False
        self._home = object()
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Leave the connections to the parent. Closing them here does not end them there."""
        closed = self._connections.closed
        self._closing()
        self._start_empty(closed=closed)

    def send(self, request: Request) -> Response:
        """Send a request, and read its whole response.

        Raises:
            TransportError: no whole response came.
            ConfigurationError: HTTP cannot express the request, or the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        data = pool_rules.encode(request)
        try:
            return self._exchange(request, data)
        except ExchangeError as error:
            raise to_transport_error(request.endpoint, error) from error.__cause__

    def _exchange(self, request: Request, data: bytes) -> Response:
        origin, deadline = request.endpoint.origin, request.deadline
        connection = self.acquire(origin, deadline)
        while True:
            reader = self.new_reader(request.method)
            kept = connection
            try:
                if connection is None:
                    connection = self.open(origin, request.timeout.connect, deadline)
                connection.exchange(data, reader, request.timeout.read, deadline)
            except ExchangeError as error:
                if kept is not None and pool_rules.may_send_again(request, reader, error):
                    kept.close()
                    connection = None  # its place in the pool is still ours
                    continue
                self.discard(origin, connection, error)
                raise
            except BaseException:
                self.discard(origin, connection)
                raise
            self.finish(connection, reader)
            return pool_rules.to_response(reader)

    def acquire(self, origin: Origin, deadline: float | None) -> Connection | None:
        """Return a kept connection; or None: the caller has a place in the pool, and opens a connection with `open`.

        The caller gives either back with `finish` or `discard`.

        Args:
            origin: where to connect to.
            deadline: how long to wait for a turn, by `time.monotonic`; None for no limit.

        Raises:
            ExchangeError: the turn did not come in time.
            NovaActError: the pool is closed.
        """
        now, waiter = time.monotonic(), None
        with self._lock:
            pool_rules.check_open(closed=self._connections.closed)
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
        except BaseException:  # a signal, perhaps at the very moment when the turn came
            if self._give_up(waiter):
                self.discard(origin, waiter.connection)
            raise
        if not self._give_up(waiter):
            raise failure("queue", None)
        return waiter.connection

    def _give_up(self, waiter: _Waiter) -> bool:
        """Stop waiting, and tell whether the turn had come by then."""
        with self._lock:
            self._connections.give_up(waiter)
            return waiter.has_turn

    def open(self, origin: Origin, timeout: float | None, deadline: float | None) -> Connection:
        """Open a connection in the place that `acquire` gave.

        Args:
            origin: where to connect to.
            timeout: seconds for all of it: TCP, TLS, one address after another; None for no limit.
            deadline: by `time.monotonic`; None for no deadline.

        Raises:
            ExchangeError: connecting failed; nothing was sent.
            ConfigurationError: the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        pool_rules.check_open(closed=self._connections.closed)
        try:
            tls = self._tls() if origin.scheme == "https" else None
            connected = connect(origin, tls, seconds_left(timeout, deadline, time.monotonic()))
        except OSError as error:
            raise failure("connect", error) from error
        return Connection(origin, self._home, connected)

    def finish(self, connection: Connection, reader: ResponseReader) -> None:
        """Give back a connection after a whole response: it is kept, or closed if no request may follow on it."""
        if pool_rules.may_be_kept(connection, reader) and connection.home is self._home:
            self._release(connection.origin, connection)
        else:
            self.discard(connection.origin, connection)

    def discard(self, origin: Origin, connection: Connection | None, error: BaseException | None = None) -> None:
        """Close a connection, if it was opened, and give back its place.

        Args:
            origin: where the connection leads.
            connection: the connection; None if none was opened.
            error: why the exchange failed, if it did.
        """
        if connection is not None:
            connection.close()
            if connection.home is not self._home:
                return  # its place is in the pool of a parent process
            if pool_rules.is_timeout(error):
                with self._lock:
                    self._connections.distrust(connection)
        self._release(origin, None)

    def _release(self, origin: Origin, connection: Connection | None) -> None:
        with self._lock:
            turn = self._connections.release(origin, connection, time.monotonic())
            if turn is not None:
                waiter, freed = turn
                waiter.connection = freed
                waiter.has_turn = True
                waiter.turn.release()
            discarded = self._connections.take_discarded()
        for each in discarded:
            each.close()

    def close(self) -> None:
        """Close the idle connections now, and each of the others when its exchange ends."""
        with self._lock:
            _close_idle(self._connections)


def _close_idle(connections: Connections[Connection, _Waiter]) -> None:
    for each in connections.close():
        each.close()
