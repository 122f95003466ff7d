"""What both pools decide, without I/O. A pool asks these rules, and does what they say with sockets, threads and tasks.

- Which connection a request goes out on: an idle one, the last used first; else a new one, up to the limit; else the
  request waits, and waiting requests are served in order. Connections that were idle for too long are closed. Each
  decision takes constant time, however many connections there are.
- Whether a connection is kept after an exchange, and whether a request is sent again on another connection.
- How a request becomes bytes, and how bytes become a response, with limits on its size.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from novaact_http._call.http_messages import Response
from novaact_http._http.exchange_errors import ExchangeError
from novaact_http._http.http1 import ProtocolError, ResponseReader, UnsendableError, encode_head
from novaact_http._support.interruptions import Place
from novaact_http.errors import ConfigurationError, NovaActError

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http._call.http_messages import Origin, Request

MAX_CONNECTIONS = 100
KEEPALIVE_EXPIRY = 30.0  # seconds
_LONGEST_IDLE_ONCE = 5.0  # seconds that a connection was idle at most, for a request that cannot be sent again
LOOK_AGAIN_AFTER = 0.25  # seconds that a request waits for a connection, if no wake-up reaches it before
_LARGE = 64 * 1024  # bytes of a request's body
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


def encode(request: Request) -> tuple[bytes, bytes]:
    """Return a request as it goes over the wire: what to send, and what to send after it.

    The latter is a large body, which is not copied to be joined to the head. Else it is empty, as one write is cheaper
    than two.

    Raises:
        ConfigurationError: HTTP cannot express it.
    """
    body = request.body
    try:
        head = request.head or encode_head(request.method, request.target, request.headers)
        return (head + body, b"") if len(body) < _LARGE else (head, body)
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
    return Response(reader.status, reader.headers, reader.take())


def may_send_again(request: Request, reader: ResponseReader, error: ExchangeError) -> bool:
    """Tell whether a request that failed on a kept connection may go out on another one, as part of the same attempt.

    It may if the peer had most likely closed the connection before the request came: nothing of a response has come,
    and the connection did not just stay silent. Only what is safe to repeat is sent again, as that is not certain.
    """
    return request.repeatable and not reader.started and not error.timed_out


def longest_idle(request: Request) -> float:
    """Return how many seconds a connection may have been idle before this request goes out on it.

    The peer may close an idle connection at any moment, and then it is unknown whether it has seen the request.
    """
    return math.inf if request.repeatable else _LONGEST_IDLE_ONCE


def may_be_kept(connection: Pooled, reader: ResponseReader) -> bool:
    """Tell whether another request may follow a whole response on its connection."""
    return reader.keep_alive and connection.is_reusable


def is_timeout(error: BaseException | None) -> bool:
    """Tell whether an exchange took too long, so that other connections that were idle as long may lead nowhere too."""
    return isinstance(error, ExchangeError) and error.timed_out


class Pooled(Protocol):
    """What the rules need of a connection."""

    origin: Origin
    place: Place
    idle_since: float

    @property
    def is_reusable(self) -> bool:
        """Whether the peer took all of the request."""
        ...

    def close(self) -> None:
        """Close the connection. Its place stays taken."""
        ...


class Waiter(Protocol):
    """What the rules need of a request that waits."""

    gone: bool

    def wake(self) -> None:
        """Have it look again."""
        ...


ItemT = TypeVar("ItemT")
ConnectionT = TypeVar("ConnectionT", bound=Pooled)
WaiterT = TypeVar("WaiterT", bound=Waiter)


class Connections(Generic[ConnectionT, WaiterT]):
    """The connections of a pool, and the requests that wait for one.

    Safe to share between threads, and to interrupt anywhere (see `interruptions`): it has no lock, and counts places by
    what holds them. An idle connection holds one, so does one in use, and so does a request that opens one.

    A request asks `take`. If it gets nothing, it queues up with `wait`, and asks again when it is woken, or after some
    time, until it ends its wait with `leave`. It gives back what it got with `keep`, `discard` or `give_back`.

    Args:
        max_connections: the limit on connections at the same time, to all origins together.
        keepalive_expiry: seconds after which an idle connection is not used again.

    Attributes:
        closed: whether connections are closed instead of kept, as the pool is closed.
    """

    def __init__(self, max_connections: int, keepalive_expiry: float) -> None:
        check_limits(max_connections, keepalive_expiry)
        self._max_connections = max_connections
        self._keepalive_expiry = keepalive_expiry
        self._places: set[weakref.ref[Place]] = set()
        self._idle: dict[Origin, deque[ConnectionT]] = {}  # the longest idle first
        self._queue: deque[weakref.ref[WaiterT]] = deque()
        self.closed = False

    @property
    def count(self) -> int:
        """The number of connections: in use, idle, and being opened."""
        return len(self._places)

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return len(self.waiters())

    def idle(self) -> list[ConnectionT]:
        """Return the idle connections."""
        return [connection for idle in list(self._idle.values()) for connection in idle.copy()]

    def waiters(self) -> list[WaiterT]:
        """Return the requests that wait, in their order."""
        return [waiter for each in self._queue.copy() if (waiter := each()) is not None and not waiter.gone]

    def take(
        self, origin: Origin, now: float, waiter: WaiterT | None = None, longest_idle: float = math.inf
    ) -> ConnectionT | Place | None:
        """Return an idle connection to this origin; else the place to open one in; else None: the request has to wait.

        Args:
            origin: where the request goes.
            now: seconds since some moment.
            waiter: the request, if it waits already. Only the first of those gets something.
            longest_idle: how many seconds the connection may have been idle, if that is less than for all requests.
        """
        if self._queue and self._first_in_queue() is not waiter:
            return None
        idle = self._idle.get(origin)
        if idle:
            try:
                since = now - min(longest_idle, self._keepalive_expiry)
                if idle[0].idle_since < since:
                    self._discard_older(idle, since)
                return idle.pop()
            except IndexError:  # they have expired, or were taken at this moment
                pass
        return self._take_place(now)

    def _take_place(self, now: float) -> Place | None:
        for origin, idle in list(self._idle.items()):
            self._discard_older(idle, now - self._keepalive_expiry)
            if not idle:  # a connection that another thread puts into it at this moment is dropped, and so is closed
                self._idle.pop(origin, None)
        while len(self._places) >= self._max_connections:
            # Idle connections lead to other origins. The one that was idle longest makes room.
            oldest = [each for idle in list(self._idle.values()) if (each := _first(idle)) is not None]
            if not oldest:
                return None
            self.remove(min(oldest, key=lambda each: each.idle_since))
        place = Place(self._places)
        if len(self._places) > self._max_connections:  # another thread took the last place at this moment
            place.close()
            return None
        return place

    def wait(self, waiter: WaiterT, *, first: bool = False) -> None:
        """Queue up, at the end or as the first. The queue does not keep the waiter alive."""
        (self._queue.appendleft if first else self._queue.append)(weakref.ref(waiter))

    def leave(self, waiter: WaiterT) -> None:
        """Stop waiting, with or without a connection."""
        waiter.gone = True
        self.wake_first()

    def keep(self, connection: ConnectionT, now: float) -> None:
        """Take back a connection that can be used again. It is discarded if the pool is closed."""
        connection.idle_since = now
        idle = self._idle.get(connection.origin)
        if idle is None:
            idle = self._idle.setdefault(connection.origin, deque())
        idle.append(connection)
        if self.closed:  # looked at only now, as it may be closed at any moment
            self.clear()
        if self._queue:
            self.wake_first()

    def discard(self, connection: ConnectionT) -> None:
        """Close a connection that is in use, and give back its place."""
        connection.close()
        self.give_back(connection.place)

    def give_back(self, place: Place) -> None:
        """Give back the place of a connection that is closed or was not opened."""
        place.close()
        if self._queue:
            self.wake_first()

    def remove(self, connection: ConnectionT) -> None:
        """Discard a connection if it is idle."""
        idle = self._idle.get(connection.origin)
        if idle is not None and _remove(idle, connection):
            self.discard(connection)

    def distrust(self, connection: ConnectionT) -> None:
        """Discard the connections that were idle as long as this one, over which nothing came in time, or longer.

        The network path to the service may have changed, so that all of them lead nowhere. A connection that was never
        idle tells nothing about others.
        """
        idle = self._idle.get(connection.origin)
        if idle:
            self._discard_older(idle, math.nextafter(connection.idle_since, math.inf))

    def clear(self) -> None:
        """Discard all idle connections."""
        for idle in list(self._idle.values()):
            self._discard_older(idle, math.inf)

    def close(self) -> None:
        """Discard all idle connections, and keep none from now on."""
        self.closed = True
        self.clear()

    def _discard_older(self, idle: deque[ConnectionT], moment: float) -> None:
        while (connection := _first(idle)) is not None and connection.idle_since < moment:
            if _remove(idle, connection):
                self.discard(connection)

    def wake_first(self) -> bool:
        """Have the first that waits look again, if that can end its wait. Tell whether any waits."""
        waiter = self._first_in_queue()
        if waiter is None:
            return False
        if self.closed or len(self._places) < self._max_connections or any(list(self._idle.values())):
            waiter.wake()
        return True

    def _first_in_queue(self) -> WaiterT | None:
        while (reference := _first(self._queue)) is not None:
            waiter = reference()
            if waiter is not None and not waiter.gone:
                return waiter
            _remove(self._queue, reference)
        return None


def _first(items: deque[ItemT]) -> ItemT | None:
    try:
        return items[0]
    except IndexError:
        return None


def _remove(items: deque[ItemT], item: ItemT) -> bool:
    """Remove an item, and tell whether it was still there."""
    try:
        items.remove(item)
    except (ValueError, IndexError):  # IndexError: the deque was changed at this moment
        return False
    return True


def check_limits(max_connections: Any, keepalive_expiry: Any) -> None:
    """Raise a `ConfigurationError` if these cannot be the limits of a pool."""
    if not isinstance(max_connections, int) or isinstance(max_connections, bool) or max_connections < 1:
        raise _refused("max_connections", "must be a whole number from 1", max_connections)
    is_number = isinstance(keepalive_expiry, (int, float)) and not isinstance(keepalive_expiry, bool)
    if not is_number or not keepalive_expiry >= 0:  # NaN neither
        raise _refused("keepalive_expiry", "must be a number of seconds", keepalive_expiry)


def _refused(name: str, rule: str, value: object) -> ConfigurationError:
    from novaact_http._support.short_repr import short_repr  # only errors need it

    return ConfigurationError(f"{rule}, not {short_repr(value)}", setting=name, source=f"the argument {name}")
