"""A pool of connections on asyncio, which has its own connections for each event loop.

`pool_rules` decides; this module carries it out, and lets tasks wait. A task may be cancelled anywhere: no place in the
pool is lost then, and no connection stays open. One timer for each event loop watches all exchanges there, so that a
time limit costs nothing unless it passes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from typing import TYPE_CHECKING

from novaact_http._http import pool_rules
from novaact_http._http.asyncio_connection import Connection
from novaact_http._http.asyncio_exchange import WholeExchange
from novaact_http._http.asyncio_socket import begin_tls, connect
from novaact_http._http.deadline import DeadlinePassed, wait_until
from novaact_http._http.exchange_errors import ExchangeError, failure, to_transport_error
from novaact_http._http.http1 import MAX_HEAD
from novaact_http._http.pool_rules import Connections, seconds_left
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from novaact_http._call.http_messages import Origin, Request, Response
    from novaact_http._http.http1 import ResponseReader


class LoopPool:
    """The connections of one event loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, tls: Callable[[], ssl.SSLContext], limits: tuple[int, float]
    ) -> None:
        self.loop = loop
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._connections: Connections[Connection, asyncio.Future[Connection | None]] = Connections(*limits)
        self._in_use: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    async def exchange(self, request: Request, data: bytes, new_reader: Callable[[str], ResponseReader]) -> Response:
        """Send a request, and read its whole response. See `Pool.send`."""
        origin, deadline = request.endpoint.origin, request.deadline
        connection = await self.acquire(origin, deadline)
        while True:
            reader = new_reader(request.method)
            kept = connection
            try:
                if connection is None:
                    connection = await self.open(origin, request.timeout.connect, deadline)
                await WholeExchange(connection, reader).run(data, request.timeout.read, deadline)
            except ExchangeError as error:
                if kept is not None and pool_rules.may_send_again(request, reader, error):
                    self._close(kept)
                    connection = None  # its place in the pool is still ours
                    continue
                self.discard(origin, connection, error)
                raise
            except BaseException:
                self.discard(origin, connection)
                raise
            self.finish(connection, reader)
            return pool_rules.to_response(reader)

    async def acquire(self, origin: Origin, deadline: float | None) -> Connection | None:
        """Return a kept connection, or None: the caller has a place to `open` one. See `blocking_pool.Pool.acquire`."""
        connections = self._connections
        pool_rules.check_open(closed=connections.closed)
        now = time.monotonic()
        connection = connections.reuse(origin, now)
        if connection is None and not connections.may_open(now):
            connection = await self._wait(origin, deadline)
        if connections.discarded:
            self._close_discarded()
        if connection is None:
            return None
        if connection.is_stale():
            return None
        self._in_use.add(connection)
        return connection

    async def _wait(self, origin: Origin, deadline: float | None) -> Connection | None:
        turn = self.loop.create_future()
        self._connections.wait(turn, origin)
        try:
            return await wait_until(deadline, turn)
        except BaseException as error:
            self._connections.give_up(turn)
            if turn.done() and not turn.cancelled():  # the turn came at this very moment
                self.discard(origin, turn.result())
            if isinstance(error, DeadlinePassed):
                raise failure("queue", None) from None
            raise

    async def open(self, origin: Origin, timeout: float | None, deadline: float | None) -> Connection:
        """Open a connection in the place that `acquire` gave. See `blocking_pool.Pool.open`."""
        pool_rules.check_open(closed=self._connections.closed)
        now = time.monotonic()
        left = seconds_left(timeout, deadline, now)
        try:
            connected = await wait_until(None if left is None else now + left, self._connect(origin, left))
        except DeadlinePassed as error:
            raise failure("connect", None) from error
        except OSError as error:
            raise failure("connect", error) from error
        connection = Connection(origin, self, connected)
        self._in_use.add(connection)
        return connection

    async def _connect(self, origin: Origin, timeout: float | None) -> socket.socket:
        if origin.scheme != "https":
            return await connect(self.loop, origin, timeout)
        if self._context is None:
            self._context = await self.loop.run_in_executor(None, self._tls)  # which reads a file
        return await begin_tls(self.loop, self._context, await connect(self.loop, origin, timeout), origin)

    def finish(self, connection: Connection, reader: ResponseReader) -> None:
        """Give back a connection after a whole response: it is kept, or closed if no request may follow on it."""
        if pool_rules.may_be_kept(connection, reader):
            self._in_use.discard(connection)
            connection.end()
            self._release(connection.origin, connection)
        else:
            self.discard(connection.origin, connection)

    def discard(self, origin: Origin, connection: Connection | None, error: BaseException | None = None) -> None:
        """Close a connection, if it was opened, and give back its place. See `blocking_pool.Pool.discard`."""
        if connection is not None:
            self._close(connection)
            if pool_rules.is_timeout(error):
                self._connections.distrust(connection)
        self._release(origin, None)

    def _release(self, origin: Origin, connection: Connection | None) -> None:
        now = time.monotonic()
        while True:
            turn = self._connections.release(origin, connection, now)
            self._close_discarded()
            if turn is None:
                return
            waiter, connection = turn
            if not waiter.done() and not self.loop.is_closed():  # done: it was cancelled just now
                waiter.set_result(connection)
                return

    def lose(self, connection: Connection) -> None:
        """Close a connection that ended while no exchange used it. If it is not idle, its place stays taken."""
        self._connections.remove(connection)
        connection.close()

    def watch(self, due: float) -> None:
        """Have the timer go off at this time, by `time.monotonic`, or earlier."""
        if due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = self.loop.call_later(max(0.0, due - time.monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_at = None, math.inf
        now, earliest = time.monotonic(), math.inf
        for each in self._in_use:
            if each.due <= now:
                each.time_out()
            else:
                earliest = min(earliest, each.due)
        self.watch(earliest)

    def close(self) -> None:
        """Close the idle connections now, and each of the others when its exchange ends."""
        for each in self._connections.close():
            each.close()
        if not self._in_use and self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf  # calls that are connecting now will need another one

    def drop(self) -> None:
        """Close all sockets, and leave the event loop alone."""
        for each in (*self._connections.clear(), *self._in_use):
            each.drop()

    def _close(self, connection: Connection) -> None:
        self._in_use.discard(connection)
        connection.close()

    def _close_discarded(self) -> None:
        for each in self._connections.take_discarded():
            self._close(each)


class Pool:
    """Connections that are kept open and used again: a `LoopPool` for each event loop that uses the pool.

    Args:
        tls: makes the TLS context, when it is first needed, on a thread.
        max_connections: the limit on connections of each event loop; further requests wait for their turn.
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
        self._pools: dict[asyncio.AbstractEventLoop, LoopPool] = {}
        self.new_reader = pool_rules.reader_maker(max_head, max_body, max_error_body)
        self._tls = tls
        self._limits = (max_connections, keepalive_expiry)
        pool_rules.check_limits(*self._limits)
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent. Closing the sockets here does not end them there."""
        inherited, self._pools = self._pools, {}
        for pool in inherited.values():
            pool.drop()

    async def send(self, request: Request) -> Response:
        """Send a request, and read its whole response.

        Raises:
            TransportError: no whole response came.
            ConfigurationError: HTTP cannot express the request, or the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        data = pool_rules.encode(request)
        try:
            return await self.here().exchange(request, data, self.new_reader)
        except ExchangeError as error:
            raise to_transport_error(request.endpoint, error) from error.__cause__

    def here(self) -> LoopPool:
        """Return the pool of the running event loop.

        Raises:
            NovaActError: it is closed.
            ConfigurationError: no event loop of asyncio is running.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "this transport needs a running event loop of asyncio", advice="use LeanTransport elsewhere"
            ) from None
        pool = self._pools.get(loop)
        if pool is None:
            self._drop_ended()
            pool = self._pools[loop] = LoopPool(loop, self._tls, self._limits)
        # Only now, as another thread may close this pool at any time: after this line, it closes the new one too.
        pool_rules.check_open(closed=self._closed)
        return pool

    def close(self) -> None:
        """Close the idle connections now, and each of the others when its exchange ends."""
        self._closed = True
        self._drop_ended()
        with contextlib.suppress(RuntimeError, KeyError):  # no event loop is running, or it has no connections
            self._pools.pop(asyncio.get_running_loop()).close()
        while self._pools:
            loop, pool = self._pools.popitem()
            if not loop.is_running():  # and may never run again
                pool.close()
                continue
            try:
                loop.call_soon_threadsafe(pool.close)
            except RuntimeError:  # it has ended just now
                pool.drop()

    def __del__(self) -> None:
        self.close()  # without a ResourceWarning, also if the event loops have ended

    def _drop_ended(self) -> None:
        for loop, pool in list(self._pools.items()):  # a copy, as other threads may add event loops meanwhile
            if loop.is_closed():
                self._pools.pop(loop, None)
                pool.drop()
