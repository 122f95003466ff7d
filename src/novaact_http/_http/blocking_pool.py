"""A pool of blocking connections, which threads share.

`pool_rules` decides; this module carries it out, and lets threads wait. A signal may interrupt any of it: no place in
the pool is lost then, and no connection stays open. There is no lock, so a signal handler may use and close the pool.
"""

from __future__ import annotations

import contextlib
import math
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
from novaact_http._support.interruptions import Place

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from novaact_http._call.http_messages import Origin, Request, Response
    from novaact_http._http.http1 import ResponseReader


class _Waiter:
    """A thread that waits for a connection."""

    __slots__ = ("__weakref__", "_hint", "gone", "thread")

    def __init__(self) -> None:
        self.gone = False
        self.thread = threading.get_ident()
        self._hint = threading.Lock()
        self._hint.acquire()

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # it was woken already
            self._hint.release()

    def sleep(self, seconds: float) -> None:
        """Wait until it is woken, or was woken since it last slept; at most for this long."""
        self._hint.acquire(timeout=seconds)


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
        self._closing = weakref.finalize(self, self._connections.close)
        self._closing.atexit = False

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
            return self._exchange(request, *data)
        except ExchangeError as error:
            raise to_transport_error(request.endpoint, error) from error.__cause__

    def _exchange(self, request: Request, data: bytes, rest: bytes) -> Response:
        origin, deadline = request.endpoint.origin, request.deadline
        held = self.acquire(origin, deadline, pool_rules.longest_idle(request))
        while True:
            reader = self.new_reader(request.method)
            is_kept = not isinstance(held, Place)
            try:
                if isinstance(held, Place):
                    held = self.open(origin, held, request.timeout.connect, deadline)
                held.exchange(data, rest, reader, request.timeout.read, deadline)
            except ExchangeError as error:
                if is_kept and pool_rules.may_send_again(request, reader, error):
                    assert not isinstance(held, Place)  # noqa: S101 - it was kept
                    held.close()
                    held = held.place
                    continue
                self.discard(held, error)
                raise
            except BaseException:
                self.discard(held)
                raise
            self.finish(held, reader)
            return pool_rules.to_response(reader)

    def acquire(self, origin: Origin, deadline: float | None, longest_idle: float = math.inf) -> Connection | Place:
        """Return a kept connection; or a place in the pool, in which the caller opens a connection with `open`.

        The caller gives either back with `finish` or `discard`; else the pool has it back when nothing refers to it.

        Args:
            origin: where to connect to.
            deadline: how long to wait for a turn, by `time.monotonic`; None for no limit.
            longest_idle: how many seconds a kept connection may have been idle.

        Raises:
            ExchangeError: the turn did not come in time.
            NovaActError: the pool is closed.
        """
        connections = self._connections
        pool_rules.check_open(closed=connections.closed)
        taken = connections.take(origin, time.monotonic(), None, longest_idle)
        if taken is None:
            taken = self._wait(origin, deadline, longest_idle)
        if isinstance(taken, Place) or not taken.is_stale():
            return taken
        taken.close()
        return taken.place

    def _wait(self, origin: Origin, deadline: float | None, longest_idle: float) -> Connection | Place:
        connections, waiter = self._connections, _Waiter()
        # A signal handler that makes a call while its own thread waits goes first, as it holds the other call up.
        is_nested = any(each.thread == waiter.thread for each in connections.waiters())
        connections.wait(waiter, first=is_nested)
        try:
            while True:
                now = time.monotonic()
                pool_rules.check_open(closed=connections.closed)
                left = seconds_left(pool_rules.LOOK_AGAIN_AFTER, deadline, now)
                if not left:
                    raise failure("queue", None)
                taken = connections.take(origin, now, waiter, longest_idle)
                if taken is not None:
                    return taken
                waiter.sleep(left)
        finally:
            connections.leave(waiter)

    def open(self, origin: Origin, place: Place, timeout: float | None, deadline: float | None) -> Connection:
        """Open a connection in the place that `acquire` gave.

        Args:
            origin: where to connect to.
            place: the place.
            timeout: seconds for all of it: TCP, TLS, one address after another; None for no limit.
            deadline: by `time.monotonic`; None for no deadline.

        Raises:
            ExchangeError: connecting failed; nothing was sent.
            ConfigurationError: the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        home = self._connections
        pool_rules.check_open(closed=home.closed)
        try:
            tls = self._tls() if origin.scheme == "https" else None
            connected = connect(origin, tls, seconds_left(timeout, deadline, time.monotonic()))
        except OSError as error:
            raise failure("connect", error) from error
        return Connection(origin, home, place, connected)

    def finish(self, connection: Connection, reader: ResponseReader) -> None:
        """Give back a connection after a whole response: it is kept, or closed if no request may follow on it."""
        if pool_rules.may_be_kept(connection, reader):
            connection.home.keep(connection, time.monotonic())
        else:
            connection.home.discard(connection)

    def discard(self, held: Connection | Place, error: BaseException | None = None) -> None:
        """Give back a place, and close the connection in it, if one was opened.

        Args:
            held: the connection, or the place in which none was opened.
            error: why the exchange failed, if it did.
        """
        if isinstance(held, Place):
            self._connections.give_back(held)
            return
        if pool_rules.is_timeout(error):
            held.home.distrust(held)
        held.home.discard(held)

    def close(self) -> None:
        """Close the idle connections now, and each of the others when its exchange ends."""
        self._connections.close()
