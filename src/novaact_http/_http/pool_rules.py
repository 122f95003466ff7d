"""What the lean pools have in common: which connection a request goes out on, and how an exchange fails. No I/O.

A connection that is free is used again, the last one first; those not used for long are closed. There are so many and
no more; then requests wait, first come, first served. All of that takes constant time, however many there are.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from novaact_http._http.http1 import UnsendableError, encode_head
from novaact_http.errors import ConfigurationError, DeadlineExceeded, NovaActError, TransportError, TransportTimeout

if TYPE_CHECKING:
    from novaact_http._call.messages import Endpoint, Origin, Request

MAX_CONNECTIONS = 100
KEEPALIVE_EXPIRY = 30.0  # seconds
NEXT_ADDRESS_AFTER = 0.25  # seconds: RFC 8305, 5
MAX_BODY = 64 * 1024 * 1024  # bytes of a response that is read whole
RECEIVE = 65_536  # bytes at a time; TLS has 16,384 in a record at most

Phase = Literal["queue", "connect", "write", "read", "response"]
_TIMED_OUT: dict[Phase, str] = {
    "queue": "waiting for a connection",
    "connect": "connecting",
    "write": "sending",
    "read": "waiting for the response",
}


class ExchangeError(Exception):
    """An exchange that failed. The `__cause__` is why, unless it took too long.

    Attributes:
        phase: how far it had come. Until it is `"write"`, nothing of the request was sent.
        timed_out: it took too long.
    """

    def __init__(self, phase: Phase, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.phase = phase
        self.timed_out = timed_out


def check_open(*, closed: bool) -> None:
    """Raise a `NovaActError` if that is closed which a request was to go through."""
    if closed:
        raise NovaActError("this client is closed; make a new one")


def encode(request: Request) -> bytes:
    """The request as it goes over the wire.

    Raises:
        ConfigurationError: it cannot be expressed in HTTP.
    """
    try:
        return encode_head(request.method, request.target, request.headers) + request.body
    except UnsendableError as error:
        raise ConfigurationError(f"the signer made a request that HTTP cannot express: {error}") from error


def failure(phase: Phase, error: OSError | None) -> ExchangeError:
    """What an operation on a connection has come to; None for a time that is over."""
    if error is None or isinstance(error, TimeoutError):
        return ExchangeError(phase, f"{_TIMED_OUT[phase]} took too long", timed_out=True)
    failed = ExchangeError(phase, f"{type(error).__name__}: {error}")
    failed.__cause__ = error
    return failed


def to_transport_error(endpoint: Endpoint, error: ExchangeError) -> TransportError:
    """The error that the users of a client see."""
    message = f"no response from {endpoint.scheme}://{endpoint.authority}: {error}"
    if error.phase == "queue":  # bounded by the call's total alone
        return DeadlineExceeded(message, request_sent=False)
    kind = TransportTimeout if error.timed_out else TransportError
    return kind(message, request_sent=error.phase != "connect")


def in_turn(addresses: list[Any]) -> deque[Any]:
    """The addresses, families alternating, beginning with the one that the system prefers: RFC 8305, 4."""
    families: dict[int, deque[Any]] = {}
    for each in addresses:
        families.setdefault(each[0], deque()).append(each)
    ordered: deque[Any] = deque()
    while families:
        for family in list(families):
            ordered.append(families[family].popleft())
            if not families[family]:
                del families[family]
    return ordered


def next_address_after(count: int, timeout: float | None) -> float:
    """Seconds after which the next of so many addresses is tried besides, so that all have their turn in time."""
    return NEXT_ADDRESS_AFTER if timeout is None else min(NEXT_ADDRESS_AFTER, timeout / (count + 1))


def seconds_left(limit: float | None, deadline: float | None, now: float) -> float | None:
    """How long an operation may take: so many seconds, and not beyond the deadline. None for any time."""
    if deadline is None:
        return limit
    left = max(deadline - now, 0.0)
    return left if limit is None or left < limit else limit


class Pooled(Protocol):
    """A connection, as far as this module knows it."""

    origin: Origin
    idle_since: float


ConnectionT = TypeVar("ConnectionT", bound=Pooled)
WaiterT = TypeVar("WaiterT")


class Connections(Generic[ConnectionT, WaiterT]):
    """The connections of a pool. Not safe to share between threads: a pool that is, has a lock.

    A request asks `reuse`, then `may_open`; if it may not, it queues up with `wait`. It ends with `release`.

    Args:
        max_connections: how many there may be at once, whatever they lead to.
        keepalive_expiry: seconds after which a connection that was not used is not used any more.

    Attributes:
        discarded: connections that the pool is to close.
    """

    def __init__(self, max_connections: int, keepalive_expiry: float) -> None:
        check_limits(max_connections, keepalive_expiry)
        self._max_connections = max_connections
        self._keepalive_expiry = keepalive_expiry
        self._count = 0  # of those in use, idle and being opened
        self._idle: dict[Origin, deque[ConnectionT]] = {}  # by when they became so
        self._waiting: OrderedDict[WaiterT, Origin] = OrderedDict()
        self.discarded: list[ConnectionT] = []

    @property
    def count(self) -> int:
        """How many there are: in use, idle, and being opened."""
        return self._count

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def reuse(self, origin: Origin, now: float) -> ConnectionT | None:
        """A connection that was used before, or None."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        self._expire(idle, now)
        return idle.pop() if idle else None

    def may_open(self, now: float) -> bool:
        """Is there room for one more connection? If so, it counts from now on."""
        for idle in self._idle.values():
            self._expire(idle, now)
        self._idle = {origin: idle for origin, idle in self._idle.items() if idle}
        if self._count >= self._max_connections:
            # One that is idle leads elsewhere, or it would be in use now.
            idle_longest = min(self._idle.values(), key=lambda each: each[0].idle_since, default=None)
            if idle_longest is None:
                return False
            self._discard(idle_longest.popleft())
        self._count += 1
        return True

    def wait(self, waiter: WaiterT, origin: Origin) -> None:
        """Queue up. The waiter is in what `release` returns, in its turn."""
        self._waiting[waiter] = origin

    def give_up(self, waiter: WaiterT) -> None:
        """Wait no longer. Does nothing if it was the waiter's turn already."""
        self._waiting.pop(waiter, None)

    def release(
        self, origin: Origin, connection: ConnectionT | None, now: float
    ) -> tuple[WaiterT, ConnectionT | None] | None:
        """A connection is free, or (None) one was closed and there is room for another.

        Args:
            origin: what it leads to, or led to.
            connection: it, if it can be used again.
            now: seconds since some moment.

        Returns:
            The waiter whose turn it is, if any, with the connection to use; with None, to open one of their own.
        """
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
        """Discard those that have been idle for as long as this one was, or longer: nothing came over it in time.

        The way to the service may have changed, and all of them lead nowhere. One that was never idle tells nothing.
        """
        idle = self._idle.get(connection.origin)
        while idle and idle[0].idle_since <= connection.idle_since:
            self._discard(idle.popleft())

    def take_discarded(self) -> list[ConnectionT]:
        """Those to be closed."""
        discarded = self.discarded
        if discarded:
            self.discarded = []
        return discarded

    def clear(self) -> list[ConnectionT]:
        """Forget all that are idle, and return them and those discarded, to be closed."""
        idle = [connection for each in self._idle.values() for connection in each]
        self._count -= len(idle)
        self._idle.clear()
        return idle + self.take_discarded()

    def _expire(self, idle: deque[ConnectionT], now: float) -> None:
        oldest = now - self._keepalive_expiry
        while idle and idle[0].idle_since < oldest:
            self._discard(idle.popleft())

    def _discard(self, connection: ConnectionT) -> None:
        self._count -= 1
        self.discarded.append(connection)


def check_sizes(max_head: Any, max_body: Any) -> None:
    """Raise a `ConfigurationError` if the limits of a response are none."""
    for name, value in (("max_head", max_head), ("max_body", max_body)):
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_number and (value is not None or name == "max_head"):
            raise ConfigurationError(f"{name} must be a whole number of bytes, not {value!r}")


def check_limits(max_connections: Any, keepalive_expiry: Any) -> None:
    """Raise a `ConfigurationError` if the limits of a pool are none."""
    if not isinstance(max_connections, int) or isinstance(max_connections, bool) or max_connections < 1:
        raise ConfigurationError(f"max_connections must be a whole number from 1, not {max_connections!r}")
    is_number = isinstance(keepalive_expiry, (int, float)) and not isinstance(keepalive_expiry, bool)
    if not is_number or not keepalive_expiry >= 0:  # nor NaN
        raise ConfigurationError(f"keepalive_expiry must be a number of seconds, not {keepalive_expiry!r}")
