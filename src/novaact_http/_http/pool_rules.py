"""What both pools decide, without I/O. A pool asks these rules, and does what they say with sockets, threads and tasks.

- Which connection a request goes out on: an idle one, the last used first; else a new one, up to the limit; else the
  request waits, and waiting requests are served in order. Connections that were idle for too long are closed. Each
  decision takes constant time, however many connections there are.
- Whether a connection is kept after an exchange, and whether a request is sent again on another connection.
- How a request becomes bytes, and how bytes become a response, with limits on its size.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from novaact_http._call.http_messages import Response
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import ProtocolError, ResponseReader, UnsendableError, encode_head
from novaact_http.errors import ConfigurationError, NovaActError

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http._call.http_messages import Origin, Request

MAX_CONNECTIONS = 100
KEEPALIVE_EXPIRY = 30.0  # seconds
MAX_BODY = 64 * 1024 * 1024  # bytes of a response that is read whole
MAX_ERROR_BODY = 1024 * 1024  # bytes that are read of an error, which says what it has to say in a few hundred
RECEIVE_SIZE = 65_536  # bytes to read at a time; a TLS record has at most 16,384


def check_open(*, closed: bool) -> None:
    """Raise a `NovaActError` if the pool or transport that a request is to go through is closed."""
    if closed:
        raise NovaActError("this client is closed; make a new one")


def seconds_left(limit: float | None, deadline: float | None, now: float) -> float | None:
    """Return how many seconds an operation may take: at most its limit, and not beyond the deadline.

    Args:
        limit: seconds; None for no limit.
        deadline: on the same clock as `now`; None for no deadline.
        now: seconds since some moment.
    """
    if deadline is None:
        return limit
    left = max(deadline - now, 0.0)
    return left if limit is None or left < limit else limit


def encode(request: Request) -> bytes:
    """Return a request as it goes over the wire.

    Raises:
        ConfigurationError: HTTP cannot express it.
    """
    try:
        return encode_head(request.method, request.target, request.headers) + request.body
    except UnsendableError as error:
        raise ConfigurationError(
            f"the signer made a request that HTTP cannot express: {error}", setting="signer"
        ) from error


def reader_maker(max_head: int, max_body: int | None, max_error_body: int | None) -> Callable[[str], ResponseReader]:
    """Return a function that takes a request's method, and makes the reader of its response with these limits.

    Raises:
        ConfigurationError: a limit is not a number of bytes.
    """
    for name, value in (("max_head", max_head), ("max_body", max_body)):
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_number and (value is not None or name == "max_head"):
            raise _refused(name, "must be a whole number of bytes", value)
    return partial(ResponseReader, max_head=max_head, max_body=max_body, max_error_body=max_error_body)


def feed(reader: ResponseReader, data: bytes) -> None:
    """Have a reader read what came over the connection: bytes, or (`b""`) the end of the connection.

    Raises:
        ExchangeError: it is not the rest of a response.
    """
    try:
        if data:
            reader.feed(data)
        else:
            reader.feed_eof()
    except ProtocolError as error:
        raise ExchangeError("response", f"{type(error).__name__}: {error}") from error


def to_response(reader: ResponseReader) -> Response:
    """Return the response that a reader has read whole."""
    assert reader.status is not None  # noqa: S101 - it is complete
    return Response(status=reader.status, headers=reader.headers, body=reader.take())


def may_send_again(request: Request, reader: ResponseReader, error: ExchangeError) -> bool:
    """Tell whether a request that failed on a kept connection may go out on another one, as part of the same attempt.

    It may if the peer had most likely closed the connection before the request came: nothing of a response has come,
    and the connection did not just stay silent. Only what is safe to repeat is sent again, as that is not certain.
    """
    return request.repeatable and not reader.started and not error.timed_out


def may_be_kept(connection: Pooled, reader: ResponseReader) -> bool:
    """Tell whether another request may follow a whole response on its connection."""
    return reader.keep_alive and connection.is_reusable


def is_timeout(error: BaseException | None) -> bool:
    """Tell whether an exchange took too long, so that other connections that were idle as long may lead nowhere too."""
    return isinstance(error, ExchangeError) and error.timed_out


class Pooled(Protocol):
    """What the rules know of a connection."""

    origin: Origin
    idle_since: float

    @property
    def is_reusable(self) -> bool:
        """Whether the peer took all of the request."""
        ...


ConnectionT = TypeVar("ConnectionT", bound=Pooled)
WaiterT = TypeVar("WaiterT")


class Connections(Generic[ConnectionT, WaiterT]):
    """The connections of a pool, and the requests that wait for one. Not thread-safe: a shared pool needs a lock.

    A request asks `reuse`, then `may_open`; if it may not open one, it queues up with `wait`. It ends with `release`.

    Args:
        max_connections: the limit on connections at the same time, to all origins together.
        keepalive_expiry: seconds after which an idle connection is not used again.

    Attributes:
        closed: whether connections are closed instead of kept, as the pool is closed.
        discarded: connections that the pool has to close.
    """

    def __init__(self, max_connections: int, keepalive_expiry: float) -> None:
        check_limits(max_connections, keepalive_expiry)
        self._max_connections = max_connections
        self._keepalive_expiry = keepalive_expiry
        self._count = 0  # in use, idle, and being opened
        self._idle: dict[Origin, deque[ConnectionT]] = {}  # the longest idle first
        self._waiting: OrderedDict[WaiterT, Origin] = OrderedDict()
        self.closed = False
        self.discarded: list[ConnectionT] = []

    @property
    def count(self) -> int:
        """The number of connections: in use, idle, and being opened."""
        return self._count

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return len(self._waiting)

    def reuse(self, origin: Origin, now: float) -> ConnectionT | None:
        """Return an idle connection to this origin, which is in use from now on; None if there is none."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        self._expire(idle, now)
        return idle.pop() if idle else None

    def may_open(self, now: float) -> bool:
        """Tell whether there is room for one more connection. If so, its place is taken from now on."""
        for idle in self._idle.values():
            self._expire(idle, now)
        self._idle = {origin: idle for origin, idle in self._idle.items() if idle}
        if self._count >= self._max_connections:
            # Idle connections lead to other origins, as `reuse` found none. The one that was idle longest makes room.
            idle_longest = min(self._idle.values(), key=lambda each: each[0].idle_since, default=None)
            if idle_longest is None:
                return False
            self._discard(idle_longest.popleft())
        self._count += 1
        return True

    def wait(self, waiter: WaiterT, origin: Origin) -> None:
        """Queue up. `release` returns the waiter when its turn comes."""
        self._waiting[waiter] = origin

    def give_up(self, waiter: WaiterT) -> None:
        """Stop waiting. Do nothing if the waiter's turn has come already."""
        self._waiting.pop(waiter, None)

    def release(
        self, origin: Origin, connection: ConnectionT | None, now: float
    ) -> tuple[WaiterT, ConnectionT | None] | None:
        """Take back a connection that can be used again, or (None) the place of one that is closed.

        Args:
            origin: where the connection leads, or led.
            connection: the connection; it is discarded if the pool is closed.
            now: seconds since some moment.

        Returns:
            The waiter whose turn it is, with the connection that it gets, or with None: it opens a new one. None if
            nothing waits; the connection is idle then, or the place is free.
        """
        if connection is not None and self.closed:
            self.discarded.append(connection)
            connection = None
        if self._waiting:
            waiter, wanted = self._waiting.popitem(last=False)
            if connection is not None and wanted != origin:
                self.discarded.append(connection)
                connection = None
            return waiter, connection
        if connection is None:
            self._count -= 1
        else:
            connection.idle_since = now
            idle = self._idle.get(origin)
            if idle is None:
                self._idle[origin] = deque((connection,))
            else:
                idle.append(connection)
        return None

    def remove(self, connection: ConnectionT) -> None:
        """Forget a connection that the peer has closed, if it is idle."""
        idle = self._idle.get(connection.origin)
        if idle is not None and connection in idle:
            idle.remove(connection)
            self._count -= 1

    def distrust(self, connection: ConnectionT) -> None:
        """Discard the connections that were idle as long as this one, over which nothing came in time, or longer.

        The network path to the service may have changed, so that all of them lead nowhere. A connection that was never
        idle tells nothing about others.
        """
        idle = self._idle.get(connection.origin)
        while idle and idle[0].idle_since <= connection.idle_since:
            self._discard(idle.popleft())

    def take_discarded(self) -> list[ConnectionT]:
        """Return the connections that the pool has to close now."""
        discarded = self.discarded
        if discarded:
            self.discarded = []
        return discarded

    def clear(self) -> list[ConnectionT]:
        """Forget all idle connections. Return them and the discarded ones: the pool has to close them now."""
        idle = [connection for each in self._idle.values() for connection in each]
        self._count -= len(idle)
        self._idle.clear()
        return idle + self.take_discarded()

    def close(self) -> list[ConnectionT]:
        """Keep no connection from now on. Return those that the pool has to close now."""
        self.closed = True
        return self.clear()

    def _expire(self, idle: deque[ConnectionT], now: float) -> None:
        oldest = now - self._keepalive_expiry
        while idle and idle[0].idle_since < oldest:
            self._discard(idle.popleft())

    def _discard(self, connection: ConnectionT) -> None:
        self._count -= 1
        self.discarded.append(connection)


def check_limits(max_connections: Any, keepalive_expiry: Any) -> None:
    """Raise a `ConfigurationError` if these cannot be the limits of a pool."""
    if not isinstance(max_connections, int) or isinstance(max_connections, bool) or max_connections < 1:
        raise _refused("max_connections", "must be a whole number from 1", max_connections)
    is_number = isinstance(keepalive_expiry, (int, float)) and not isinstance(keepalive_expiry, bool)
    if not is_number or not keepalive_expiry >= 0:  # NaN neither
        raise _refused("keepalive_expiry", "must be a number of seconds", keepalive_expiry)


def _refused(name: str, rule: str, value: object) -> ConfigurationError:
    return ConfigurationError(f"{rule}, not {value!r}", setting=name, source=f"the argument {name}")
