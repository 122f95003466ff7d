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
from novaact_http._http.threads import call_on_thread
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http._support.interruptions import Place
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from novaact_http._call.http_messages import Origin, Request, Response
    from novaact_http._http.http1 import ResponseReader


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running event loop.

    Raises:
        ConfigurationError: none of asyncio is running.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "AsyncClient and LeanAsyncTransport work only in a running event loop of asyncio",
            advice="use Client and LeanTransport elsewhere",
        ) from None


class _Waiter:
    """A task that waits for a connection."""

    __slots__ = ("__weakref__", "_hint", "_loop", "gone")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.gone = False
        self._loop = loop
        self._hint = loop.create_future()

    def wake(self) -> None:
        if not self._hint.done() and not self._loop.is_closed():
            self._hint.set_result(None)

    async def sleep(self, seconds: float | None) -> None:
        """Wait until it is woken, or was woken since it last slept; at most for this long, if it is not None."""
        timer = None if seconds is None else self._loop.call_later(seconds, self.wake)
        try:
            await self._hint
        finally:
            if timer is not None:
                timer.cancel()
        self._hint = self._loop.create_future()


class LoopPool:
    """The connections of one event loop."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, tls: Callable[[], ssl.SSLContext], limits: tuple[int, float]
    ) -> None:
        self.loop = loop
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._connections: Connections[Connection, _Waiter] = Connections(*limits)
        self._in_use: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._look_again: asyncio.TimerHandle | None = None

    async def exchange(
        self, request: Request, data: bytes, rest: bytes, new_reader: Callable[[str], ResponseReader]
    ) -> Response:
        """Send a request, and read its whole response. See `Pool.send`."""
        origin, deadline = request.endpoint.origin, request.deadline
        held = await self.acquire(origin, deadline, pool_rules.longest_idle(request))
        while True:
            reader = new_reader(request.method)
            is_kept = not isinstance(held, Place)
            try:
                if isinstance(held, Place):
                    held = await self.open(origin, held, request.timeout.connect, deadline)
                await WholeExchange(held, reader).run(data, rest, request.timeout.read, deadline)
            except ExchangeError as error:
                if is_kept and pool_rules.may_send_again(request, reader, error):
                    assert not isinstance(held, Place)  # noqa: S101 - it was kept
                    self._close(held)
                    held = held.place
                    continue
                self.discard(held, error)
                raise
            except BaseException:
                self.discard(held)
                raise
            self.finish(held, reader)
            return pool_rules.to_response(reader)

    async def acquire(
        self, origin: Origin, deadline: float | None, longest_idle: float = math.inf
    ) -> Connection | Place:
        """Return a kept connection, or a place to `open` one in. See `blocking_pool.Pool.acquire`."""
        connections = self._connections
        pool_rules.check_open(closed=connections.closed)
        taken = connections.take(origin, time.monotonic(), None, longest_idle)
        if taken is None:
            taken = await self._wait(origin, deadline, longest_idle)
        if isinstance(taken, Place):
            return taken
        if taken.is_stale():
            return taken.place
        self._in_use.add(taken)
        return taken

    async def _wait(self, origin: Origin, deadline: float | None, longest_idle: float) -> Connection | Place:
        connections, waiter = self._connections, _Waiter(self.loop)
        connections.wait(waiter)
        if self._look_again is None:
            self._look_again = self.loop.call_later(pool_rules.LOOK_AGAIN_AFTER, self._wake_first)
        try:
            while True:
                now = time.monotonic()
                pool_rules.check_open(closed=connections.closed)
                left = seconds_left(None, deadline, now)
                if left == 0:
                    raise failure("queue", None)
                taken = connections.take(origin, now, waiter, longest_idle)
                if taken is not None:
                    return taken
                await waiter.sleep(left)
        finally:
            connections.leave(waiter)

    def _wake_first(self) -> None:
        """Have the first that waits look again, from time to time: one timer for all, as thousands may wait."""
        self._look_again = None
        if self._connections.wake_first():
            self._look_again = self.loop.call_later(pool_rules.LOOK_AGAIN_AFTER, self._wake_first)

    async def open(self, origin: Origin, place: Place, timeout: float | None, deadline: float | None) -> Connection:
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
        connection = Connection(origin, self, place, connected)
        self._in_use.add(connection)
        return connection

    async def _connect(self, origin: Origin, timeout: float | None) -> socket.socket:
        if origin.scheme != "https":
            return await connect(self.loop, origin, timeout)
        if self._context is None:
            self._context = await call_on_thread(self.loop, self._tls)  # which reads a file
        return await begin_tls(self.loop, self._context, await connect(self.loop, origin, timeout), origin)

    def finish(self, connection: Connection, reader: ResponseReader) -> None:
        """Give back a connection after a whole response: it is kept, or closed if no request may follow on it."""
        if pool_rules.may_be_kept(connection, reader):
            self._in_use.discard(connection)
            connection.end()
            self._connections.keep(connection, time.monotonic())
        else:
            self.discard(connection)

    def discard(self, held: Connection | Place, error: BaseException | None = None) -> None:
        """Give back a place, and close the connection in it. See `blocking_pool.Pool.discard`."""
        if isinstance(held, Place):
            self._connections.give_back(held)
            return
        if pool_rules.is_timeout(error):
            self._connections.distrust(held)
        self._in_use.discard(held)
        self._connections.discard(held)

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
        self._connections.close()
        if not self._in_use and self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf  # calls that are connecting now will need another one

    def drop(self) -> None:
        """Close all sockets, and leave the event loop alone."""
        for each in (*self._connections.idle(), *self._in_use):
            each.drop()
            each.place.close()
        self._connections.clear()

    def _close(self, connection: Connection) -> None:
        self._in_use.discard(connection)
        connection.close()


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
            return await self.here().exchange(request, *data, self.new_reader)
        except ExchangeError as error:
            raise to_transport_error(request.endpoint, error) from error.__cause__

    def here(self) -> LoopPool:
        """Return the pool of the running event loop.

        Raises:
            NovaActError: it is closed.
            ConfigurationError: no event loop of asyncio is running.
        """
        loop = running_loop()
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
