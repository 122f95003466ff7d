"""HTTP/1.1 on asyncio's selector: a pool of connections for each event loop.

Sockets are read when the loop says that they can be, without asyncio's transports and protocols between: those cost
more than all the rest of an exchange, with TLS most of all, and cannot be closed any more once their loop has ended. It
takes an event loop with `add_reader`: all have it but the proactor of Windows.

One timer a pool watches all exchanges, so that a time limit costs nothing unless it is exceeded. A connection whose
exchange fails, is cancelled or takes too long is closed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 - or the loop would read it from a file when it first needs a thread
import contextlib
import math
import select
import socket
import ssl
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from novaact_http._call.messages import Response
from novaact_http._http import pool_rules
from novaact_http._http.deadline import DeadlinePassed, wait_until
from novaact_http._http.http1 import MAX_HEAD, ProtocolError, ResponseReader
from novaact_http._http.pool_rules import Connections, ExchangeError, failure, seconds_left
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http._call.messages import Origin, Request

_ENOUGH = 4 * pool_rules.RECEIVE  # bytes of a body that nobody has taken yet; no more are read then
_READS_AT_ONCE = 16


class Connection:
    """A connection, used by one task at a time.

    Attributes:
        origin: what it leads to.
        idle_since: when it was used last, by `time.monotonic`.
        due: when what it waits for has taken too long, likewise.
    """

    __slots__ = (
        "_deadline",
        "_failure",
        "_fd",
        "_limit",
        "_loop",
        "_poll",
        "_pool",
        "_reader",
        "_reads",
        "_refusal",
        "_socket",
        "_unsent",
        "_untaken",
        "_waiter",
        "_whole",
        "due",
        "idle_since",
        "origin",
    )

    def __init__(self, origin: Origin, pool: LoopPool, connected: socket.socket) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.due = math.inf
        self._pool = pool
        self._loop = pool.loop
        self._socket = connected
        self._fd = connected.fileno()
        self._poll: select.poll | None = None
        self._reader: ResponseReader | None = None  # None while it is idle
        self._whole = False  # is the response wanted in one piece?
        self._waiter: asyncio.Future[None] | None = None
        self._failure: ExchangeError | None = None
        self._refusal: ExchangeError | None = None  # to read the request; there may be an answer all the same
        self._unsent: bytes | memoryview = b""
        self._untaken = 0
        self._limit: float | None = None
        self._deadline: float | None = None
        self._reads = False
        self._resume()

    async def exchange(
        self, data: bytes, reader: ResponseReader, timeout: float | None, deadline: float | None
    ) -> None:
        """Send a request, and read the response to its end.

        Args:
            data: the whole request.
            reader: of the response.
            timeout: seconds to wait for more of the response, or for more of the request to be taken.
            deadline: for all of it, by `time.monotonic`.

        Raises:
            ExchangeError: that failed.
        """
        self.begin(reader, whole=True)
        self._send(data)
        await self._progress(timeout, deadline)
        self._check()

    def begin(self, reader: ResponseReader, *, whole: bool = False) -> None:
        """Begin an exchange: what comes from now on is the response."""
        self._reader, self._whole = reader, whole
        self._refusal = None

    async def send(self, data: bytes, timeout: float | None) -> None:
        """Send a part of a request.

        Raises:
            ExchangeError: that failed; or the response has come without waiting for all of the request.
        """
        self._send(data)
        while self._unsent:
            await self._progress(timeout, None)
            self._check()
        if self._refusal is not None:
            raise self._refusal

    async def receive(self, timeout: float | None) -> None:
        """Wait until more of the response has come than the caller has taken from the reader, which must be all so far.

        Raises:
            ExchangeError: it did not.
        """
        self._untaken = 0
        self._resume()
        await self._progress(timeout, None)
        if not self._untaken:  # else what came before the failure comes first
            self._check()

    def end(self) -> None:
        """End an exchange whose response is complete."""
        self._reader = None
        self._untaken = 0
        self._resume()

    def time_out(self) -> None:
        """Its time is over."""
        if self._waiter is None or self._waiter.done():  # what it waited for has come in this very moment
            self.due = math.inf
            return
        self._fail(failure("write" if self._unsent else "read", None))

    def is_stale(self) -> bool:
        """Has the peer closed it, or sent what nobody asked for? The event loop may not have had the time to tell."""
        if self._fd < 0:  # since it was handed over
            return True
        if self._poll is None and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)
        if self._poll is None or self._poll.poll(0):  # Windows has none
            self._on_readable()  # or TLS had something to say
        return self._fd < 0

    @property
    def is_reusable(self) -> bool:
        """Was all of the request taken? The response may have come without waiting for it."""
        return self._refusal is None and not self._unsent

    def close(self) -> None:
        """Close it. Also after the event loop has ended, and in a child of its process."""
        if self._fd < 0:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            if self._waiter is not None:  # of another task than the one that closes it
                self._failure = ExchangeError("read", "the response was closed while it was read")
                self._wake()
        self.drop()

    def drop(self) -> None:
        """Close the socket alone, and leave the event loop as it is: it has ended, or is the parent process's."""
        self._fd = -1
        self._socket.close()

    async def _progress(self, timeout: float | None, deadline: float | None) -> None:
        """Wait until something has happened; with `whole`, until the response is complete."""
        if self._failure is None:
            self._limit, self._deadline = timeout, deadline
            waiter = self._waiter = self._loop.create_future()
            self._extend()
            try:
                await waiter
            finally:
                self._waiter = None
                self.due = math.inf

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _extend(self) -> None:
        """Something has happened: from now on, the whole time limit is there again."""
        now = time.monotonic()
        left = seconds_left(self._limit, self._deadline, now)
        if left is not None:
            self.due = now + left
            self._pool.watch(self.due)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: ExchangeError) -> None:
        self._failure = error
        self._pause()
        self._wake()

    def _send(self, data: bytes | memoryview) -> None:
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
            sent = 0
        except ssl.SSLWantReadError:  # TLS has to hear from the peer first: `_on_readable` goes on
            if self._unsent:
                self._loop.remove_writer(self._fd)
            self._unsent = data
            return
        except OSError as error:
            # The peer may have answered before it closed the connection: what it said matters more.
            self._refusal = failure("write", error)
            sent = len(data)
        was_unsent, self._unsent = self._unsent, b"" if sent == len(data) else memoryview(data)[sent:]
        if self._unsent:
            self._loop.add_writer(self._fd, self._on_writable)
        elif was_unsent:
            self._loop.remove_writer(self._fd)

    def _on_writable(self) -> None:
        if self._unsent:
            self._send(self._unsent)
            self._extend()
            if not self._unsent and not self._whole:
                self._wake()
        else:  # TLS had to write before it could read
            self._loop.remove_writer(self._fd)
            self._on_readable()

    def _on_readable(self) -> None:
        # Until there is no more, as uvloop tells no more than once of a connection that was reset. But others, too,
        # have their turn.
        for _ in range(_READS_AT_ONCE):
            if not self._receive():
                return

    def _receive(self) -> bool:
        """Read what has come. Returns whether there may be more to be read now."""
        try:
            data = self._socket.recv(pool_rules.RECEIVE)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            if self._unsent:  # TLS had to read before it could write
                self._send(self._unsent)
        except ssl.SSLWantWriteError:
            self._loop.add_writer(self._fd, self._on_writable)
        except OSError as error:
            self._lose(failure("read", error))
        else:
            if self._reader is None:
                self._pool.lose(self)  # it was closed, or something was sent that nobody asked for
            else:
                self._read(self._reader, data)
                return self._reads and not self._reader.complete
        return False

    def _read(self, reader: ResponseReader, data: bytes) -> None:
        try:
            if data:
                reader.feed(data)
            else:
                self._pause()
                reader.feed_eof()
        except ProtocolError as error:
            broken = ExchangeError("response", f"{type(error).__name__}: {error}")
            broken.__cause__ = error
            self._lose(broken)
            return
        if not self._whole:
            self._untaken += len(data)
            if self._untaken > _ENOUGH:
                self._pause()
        elif not reader.complete:
            self._extend()
            return
        self._wake()

    def _lose(self, error: ExchangeError) -> None:
        if self._reader is None:
            self._pool.lose(self)
        else:
            self._fail(self._refusal or error)

    def _pause(self) -> None:
        if self._reads:
            self._reads = False
            self._loop.remove_reader(self._fd)

    def _resume(self) -> None:
        if not self._reads:
            self._reads = True
            self._loop.add_reader(self._fd, self._on_readable)


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
        self._closed = False

    async def exchange(self, request: Request, data: bytes, new_reader: Callable[[str], ResponseReader]) -> Response:
        """Send a request, and read its whole response. See `Pool.send`."""
        origin, deadline = request.endpoint.origin, request.deadline
        connection = await self.acquire(origin, deadline)
        while True:
            reader = new_reader(request.method)
            reused = connection is not None
            try:
                if connection is None:
                    connection = await self.open(origin, request.timeout.connect, deadline)
                await connection.exchange(data, reader, request.timeout.read, deadline)
            except ExchangeError as error:
                if connection and reused and request.repeatable and not reader.started and not error.timed_out:
                    # The peer had closed it, and most likely has not seen the request. The place is still ours.
                    self._close(connection)
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

    async def acquire(self, origin: Origin, deadline: float | None) -> Connection | None:
        """A connection that was used before, or None: a place for one to `open`. See `blocking_pool.Pool.acquire`."""
        pool_rules.check_open(closed=self._closed)
        now = time.monotonic()
        connections = self._connections
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
            if turn.done() and not turn.cancelled():  # in the very moment in which it came
                self.discard(origin, turn.result())
            if isinstance(error, DeadlinePassed):
                raise failure("queue", None) from None
            raise

    async def open(self, origin: Origin, timeout: float | None, deadline: float | None) -> Connection:
        """Open a connection in the place that `acquire` gave. See `blocking_pool.Pool.open`."""
        pool_rules.check_open(closed=self._closed)
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
            return await _connect(self.loop, origin, timeout)
        if self._context is None:
            self._context = await self.loop.run_in_executor(None, self._tls)  # it reads a file
        connected = await _connect(self.loop, origin, timeout)
        return await _begin_tls(self.loop, self._context, connected, origin.host.encode("ascii"))

    def finish(self, connection: Connection, reader: ResponseReader) -> None:
        """Give back a connection that a response has come over."""
        if reader.keep_alive and connection.is_reusable and not self._closed:
            self._in_use.discard(connection)
            connection.end()
            self._release(connection.origin, connection)
        else:
            self.discard(connection.origin, connection)

    def discard(self, origin: Origin, connection: Connection | None, why: BaseException | None = None) -> None:
        """Give back the place of a connection, and close it, if it was opened. `why`: the error, if there was one."""
        if connection is not None:
            self._close(connection)
            if isinstance(why, ExchangeError) and why.timed_out:
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
            if not waiter.done() and not self.loop.is_closed():  # nor cancelled just now
                waiter.set_result(connection)
                return

    def lose(self, connection: Connection) -> None:
        """A connection that no exchange uses has been closed by the peer. If it is not idle, its place is kept."""
        self._connections.remove(connection)
        connection.close()

    def watch(self, due: float) -> None:
        """See to it that what is due then is looked at then."""
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
        """Close the connections that are idle now, and the others when they become so."""
        self._closed = True
        for each in self._connections.clear():
            each.close()
        if not self._in_use and self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf  # those that connect now will need another

    def drop(self) -> None:
        """Close all sockets, and leave the event loop as it is."""
        for each in (*self._connections.clear(), *self._in_use):
            each.drop()

    def _close(self, connection: Connection) -> None:
        self._in_use.discard(connection)
        connection.close()

    def _close_discarded(self) -> None:
        for each in self._connections.take_discarded():
            self._close(each)


class Pool:
    """Connections, kept open and used again: a pool for each event loop that it is used on.

    Args:
        tls: makes the TLS context, when it is needed, on a thread.
        max_connections: how many there are at most, on each loop; further requests wait for their turn.
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
        self.new_reader = partial(ResponseReader, max_head=max_head, max_body=max_body)
        self._pools: dict[asyncio.AbstractEventLoop, LoopPool] = {}
        self._tls = tls
        self._limits = (max_connections, keepalive_expiry)
        pool_rules.check_limits(*self._limits)
        pool_rules.check_sizes(max_head, max_body)
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Leave the connections to the parent. Closing the sockets here ends nothing there."""
        inherited, self._pools = self._pools, {}
        for pool in inherited.values():
            pool.drop()

    async def send(self, request: Request) -> Response:
        """Send a request, and read its whole response.

        Raises:
            TransportError: no whole response came.
            ConfigurationError: the request cannot be expressed in HTTP; or the CA bundle cannot be used.
            NovaActError: the pool is closed.
        """
        data = pool_rules.encode(request)
        try:
            return await self.here().exchange(request, data, self.new_reader)
        except ExchangeError as error:
            raise pool_rules.to_transport_error(request.endpoint, error) from error.__cause__

    def here(self) -> LoopPool:
        """The pool of the running event loop.

        Raises:
            NovaActError: it is closed.
            ConfigurationError: none runs here.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError("this transport needs a running event loop of asyncio") from None
        pool = self._pools.get(loop)
        if pool is None:
            self._drop_ended()
            pool = self._pools[loop] = LoopPool(loop, self._tls, self._limits)
        pool_rules.check_open(closed=self._closed)  # now: if another thread closes it later, that closes the new one
        return pool

    def close(self) -> None:
        """Close the connections that are idle now, and the others when they become so."""
        self._closed = True
        self._drop_ended()
        with contextlib.suppress(RuntimeError, KeyError):  # no loop runs here, or one without connections
            self._pools.pop(asyncio.get_running_loop()).close()
        while self._pools:
            loop, pool = self._pools.popitem()
            if not loop.is_running():  # and may never again
                pool.close()
                continue
            try:
                loop.call_soon_threadsafe(pool.close)
            except RuntimeError:  # it has ended just now
                pool.drop()

    def __del__(self) -> None:
        self.close()  # silently, also if its event loops have ended

    def _drop_ended(self) -> None:
        for loop, pool in list(self._pools.items()):  # other threads may add theirs meanwhile
            if loop.is_closed():
                self._pools.pop(loop, None)
                pool.drop()


async def _connect(loop: asyncio.AbstractEventLoop, origin: Origin, timeout: float | None) -> socket.socket:
    """A connected socket, by the first address that answers (RFC 8305). Raises OSError."""
    addresses = pool_rules.in_turn(await _addresses(loop, origin))
    if len(addresses) == 1:
        return await _connect_to(loop, *addresses[0])
    next_after = pool_rules.next_address_after(len(addresses), timeout)
    attempts: set[asyncio.Task[socket.socket]] = set()
    last: BaseException | None = None
    try:
        while addresses or attempts:
            if addresses:
                attempts.add(loop.create_task(_connect_to(loop, *addresses.popleft())))
            ended, _ = await asyncio.wait(
                attempts, timeout=next_after if addresses else None, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in ended:
                attempts.discard(attempt)
                last = attempt.exception()
                if last is None:
                    return attempt.result()
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_close_late)
    raise last or OSError(f"{origin.host} has no address")


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


async def _addresses(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[Any]:
    # Bytes, as text would have sockets and TLS import what encodes it for DNS.
    host, port = origin.host.encode("ascii"), origin.port
    if b":" in host or host[-1:].isdigit():
        with contextlib.suppress(OSError):  # an address needs no thread to be looked up on
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _connect_to(
    loop: asyncio.AbstractEventLoop, family: int, kind: int, protocol: int, _: str, address: Any
) -> socket.socket:
    connected = socket.socket(family, kind, protocol)
    try:
        connected.setblocking(False)
        await loop.sock_connect(connected, address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


async def _begin_tls(
    loop: asyncio.AbstractEventLoop, context: ssl.SSLContext, connected: socket.socket, host: bytes
) -> ssl.SSLSocket:
    try:
        # The end of TCP is not one that TLS vouches for: RFC 9112, 9.8.
        wrapped = context.wrap_socket(
            connected,
            server_hostname=host.rstrip(b"."),
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )
    except BaseException:
        connected.close()
        raise
    try:
        while (needed := _shake_hands(wrapped)) is not None:
            await _ready(loop, wrapped.fileno(), needed)
    except BaseException:
        wrapped.close()
        raise
    return wrapped


def _shake_hands(wrapped: ssl.SSLSocket) -> type[OSError] | None:
    """Go on with the handshake. Returns what it needs to go on, None if it is through. Raises OSError."""
    try:
        wrapped.do_handshake()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as needed:
        return type(needed)
    return None


async def _ready(loop: asyncio.AbstractEventLoop, fd: int, needed: type[OSError]) -> None:
    ready = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (
        (loop.add_reader, loop.remove_reader)
        if needed is ssl.SSLWantReadError
        else (loop.add_writer, loop.remove_writer)
    )
    add(fd, tell)
    try:
        await ready
    finally:
        remove(fd)
