"""A connection on asyncio's selector: its socket, when that is ready, and the time limit of what is waited for.

The event loop tells when the socket can be read or written, without asyncio's transports and protocols in between.
These cost more than the rest of an exchange, most of all with TLS, and cannot be closed after their event loop has
ended. This needs an event loop with `add_reader`: all have it except the proactor of Windows.

What comes and goes is reported to the exchange that uses the connection (see `asyncio_exchange`). A connection whose
exchange fails, is cancelled or takes too long is closed.
"""

from __future__ import annotations

import math
import select
import ssl
import time
from typing import TYPE_CHECKING, Protocol

from novaact_http._http.exchange_errors import ExchangeError, failure
from novaact_http._http.pool_rules import RECEIVE_SIZE, seconds_left

if TYPE_CHECKING:
    import asyncio
    import socket

    from novaact_http._call.http_messages import Origin
    from novaact_http._http.http1 import ResponseReader
    from novaact_http._support.interruptions import Place

_READS_AT_ONCE = 16


class Exchange(Protocol):
    """What a connection reports to. It answers with the connection's `wake`, `restart_limit`, `pause` and `resume`."""

    reader: ResponseReader

    def received(self, data: bytes) -> None:
        """Take what has come: bytes, or (`b""`) the end of the connection.

        Raises:
            ExchangeError: it is not the rest of a response.
        """
        ...

    def sent(self) -> None:
        """Learn that the peer has taken all that was to be sent, after it took some time."""
        ...


class Owner(Protocol):
    """What a connection needs of its pool."""

    loop: asyncio.AbstractEventLoop

    def lose(self, connection: Connection) -> None:
        """Forget a connection that ended while no exchange used it."""
        ...

    def watch(self, due: float) -> None:
        """Call `Connection.time_out` if a connection is due then, by `time.monotonic`."""
        ...


class Connection:
    """A connection, used by one task at a time.

    Attributes:
        origin: where it leads.
        place: its place in the pool.
        idle_since: when it became idle, by `time.monotonic`.
        due: when the wait for the peer has taken too long, by `time.monotonic`.
        unsent: what the peer has not taken yet of what was sent.
        refusal: the error if the peer takes no more of the request. There may be a response all the same.
    """

    __slots__ = (
        "_deadline",
        "_exchange",
        "_failure",
        "_fd",
        "_limit",
        "_loop",
        "_poll",
        "_pool",
        "_reads",
        "_rest",
        "_socket",
        "_waiter",
        "due",
        "idle_since",
        "origin",
        "place",
        "refusal",
        "unsent",
    )

    def __init__(self, origin: Origin, pool: Owner, place: Place, connected: socket.socket) -> None:
        self.origin = origin
        self.place = place
        self.idle_since = 0.0
        self.due = math.inf
        self.unsent: bytes | memoryview = b""
        self._rest = b""  # what is sent after that
        self.refusal: ExchangeError | None = None
        self._pool = pool
        self._loop = pool.loop
        self._socket = connected
        self._fd = connected.fileno()
        self._poll: select.poll | None = None
        self._exchange: Exchange | None = None  # None while it is idle
        self._waiter: asyncio.Future[None] | None = None
        self._failure: ExchangeError | None = None
        self._limit: float | None = None
        self._deadline: float | None = None
        self._reads = False
        self.resume()

    def begin(self, exchange: Exchange) -> None:
        """Begin an exchange: what comes from now on is its response."""
        self._exchange = exchange
        self.refusal = None

    def end(self) -> None:
        """End an exchange whose response is complete."""
        self._exchange = None
        self.resume()

    def send(self, data: bytes | memoryview, rest: bytes = b"") -> None:
        """Send a part of a request. What it does not take at once is `unsent`, and sent as it takes more.

        Args:
            data: the part.
            rest: what to send after it.
        """
        try:
            sent = self._socket.send(data)
            if rest and sent == len(data):
                data, rest = rest, b""
                sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError, ssl.SSLWantWriteError):
            sent = 0
        except ssl.SSLWantReadError:  # TLS has to hear from the peer first: `_receive` continues
            if self.unsent:
                self._loop.remove_writer(self._fd)
            self.unsent, self._rest = data, rest
            return
        except OSError as error:
            # The peer may have responded before it closed the connection. A response matters more than this error.
            self.refusal = failure("write", error)
            sent, rest = len(data), b""
        was_unsent = self.unsent
        self.unsent, self._rest = b"" if sent == len(data) else memoryview(data)[sent:], rest
        if self.unsent:
            self._loop.add_writer(self._fd, self._on_writable)
        elif was_unsent:
            self._loop.remove_writer(self._fd)

    async def wait(self, timeout: float | None, deadline: float | None) -> None:
        """Wait until the exchange calls `wake`, or the connection fails. Does not raise the failure: see `check`.

        Args:
            timeout: seconds until something has to happen; each time that something happens, they begin anew.
            deadline: for the whole wait, by `time.monotonic`.
        """
        if self._failure is None:
            self._limit, self._deadline = timeout, deadline
            waiter = self._waiter = self._loop.create_future()
            self.restart_limit()
            try:
                await waiter
            finally:
                self._waiter = None
                self.due = math.inf

    def check(self) -> None:
        """Raise the failure of the connection, if it has failed."""
        if self._failure is not None:
            raise self._failure

    def wake(self) -> None:
        """End the `wait`."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def restart_limit(self) -> None:
        """Begin the time limit anew, as something has happened."""
        now = time.monotonic()
        left = seconds_left(self._limit, self._deadline, now)
        if left is not None:
            self.due = now + left
            self._pool.watch(self.due)

    def time_out(self) -> None:
        """Fail, as the time limit has passed."""
        if self._waiter is None or self._waiter.done():  # what it waited for came at this very moment
            self.due = math.inf
            return
        self._fail(failure("write" if self.unsent else "read", None))

    def pause(self) -> None:
        """Stop reading. What comes stays with the operating system, until that stops the peer."""
        if self._reads:
            self._reads = False
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read what comes, from now on."""
        if not self._reads:
            self._reads = True
            self._loop.add_reader(self._fd, self._on_readable)

    def is_stale(self) -> bool:
        """Tell whether the peer has closed the connection, or has sent something unasked.

        The event loop may not have had the time to report it.
        """
        if self._fd < 0:  # closed since it was handed over
            return True
        if self._poll is None and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(self._fd, select.POLLIN)
        if self._poll is None or self._poll.poll(0):  # Windows has no `poll`
            self._on_readable()  # which closes it, unless only TLS itself has sent something
        return self._fd < 0

    @property
    def is_reusable(self) -> bool:
        """Whether the peer took all of the request. A response may come without waiting for that."""
        return self.refusal is None and not self.unsent

    def close(self) -> None:
        """Close the connection, not its place. Works also after the event loop has ended, and in a forked child."""
        if self._fd < 0:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            if self._waiter is not None:  # of another task than the one that closes it
                self._failure = ExchangeError("read", "the response was closed while it was read")
                self.wake()
        self._exchange = None  # which refers to the connection
        self.drop()

    def drop(self) -> None:
        """Close only the socket, and leave the event loop alone: it has ended, or belongs to the parent process."""
        self._fd = -1
        self._socket.close()

    def _fail(self, error: ExchangeError) -> None:
        self._failure = error
        self.pause()
        self.wake()

    def _on_writable(self) -> None:
        if self.unsent:
            self.send(self.unsent, self._rest)
            self.restart_limit()
            if not self.unsent and self._exchange is not None:
                self._exchange.sent()
        else:  # TLS had to write before it could read
            self._loop.remove_writer(self._fd)
            self._on_readable()

    def _on_readable(self) -> None:
        # Reads until nothing is left, as uvloop reports only once that a connection was reset; but not for ever, as
        # other connections need their turn.
        for _ in range(_READS_AT_ONCE):
            if not self._receive():
                return

    def _receive(self) -> bool:
        """Read what has come. Return whether there may be more to read now."""
        try:
            data = self._socket.recv(RECEIVE_SIZE)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            if self.unsent:  # TLS had to read before it could write
                self.send(self.unsent, self._rest)
        except ssl.SSLWantWriteError:
            self._loop.add_writer(self._fd, self._on_writable)
        except OSError as error:
            self._lose(failure("read", error))
        else:
            exchange = self._exchange
            if exchange is None:
                self._pool.lose(self)  # the peer has closed it, or has sent something unasked
                return False
            if not data:
                self.pause()
            try:
                exchange.received(data)
            except ExchangeError as error:
                self._lose(error)
            else:
                return self._reads and not exchange.reader.complete
        return False

    def _lose(self, error: ExchangeError) -> None:
        if self._exchange is None:
            self._pool.lose(self)
        else:
            self._fail(self.refusal or error)
