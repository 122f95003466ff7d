"""A connection over a blocking socket, and how it is opened: DNS, TCP (RFC 8305) and TLS.

Every wait has a limit: before each operation the socket's timeout is set to what is left of the operation's own limit
and of the call's deadline. Only the look-up of a host's addresses cannot be interrupted.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from novaact_http._http import host_names
from novaact_http._http.exchange_errors import ExchangeError, failure
from novaact_http._http.pool_rules import RECEIVE_SIZE, feed, seconds_left

if TYPE_CHECKING:
    import ssl

    from novaact_http._call.http_messages import Origin
    from novaact_http._http.http1 import ResponseReader
    from novaact_http._http.pool_rules import Connections
    from novaact_http._support.interruptions import Place

    Home = Connections["Connection", Any]

_LONGEST_SELECT = 3600.0  # seconds; selectors refuse to wait for weeks


class Connection:
    """A connection, used by one thread at a time.

    Attributes:
        origin: where it leads.
        home: the connections of the pool that it belongs to; after a fork they are the parent's.
        place: its place among them.
        is_reusable: whether the peer took all of the request. A response may come without waiting for that.
        idle_since: when it became idle, by `time.monotonic`.
    """

    __slots__ = ("_poll", "_socket", "_timeout", "home", "idle_since", "is_reusable", "origin", "place")

    def __init__(self, origin: Origin, home: Home, place: Place, connected: socket.socket) -> None:
        self.origin = origin
        self.home = home
        self.place = place
        self.is_reusable = True
        self.idle_since = 0.0
        self._socket = connected
        self._timeout = connected.gettimeout()
        self._poll: Any = None

    def exchange(
        self, data: bytes, rest: bytes, reader: ResponseReader, timeout: float | None, deadline: float | None
    ) -> None:
        """Send a request, and read the response to its end.

        Args:
            data: the request.
            rest: what is sent after that, to complete the request.
            reader: reads the response.
            timeout: seconds to wait for more of the response, or until the peer takes more of the request.
            deadline: for the whole exchange, by `time.monotonic`.

        Raises:
            ExchangeError: the exchange failed.
        """
        refused = None
        try:
            self.send(data, timeout, deadline)
            if rest:
                self.send(rest, timeout, deadline)
        except ExchangeError as error:
            if error.timed_out:
                raise
            refused = error  # but the peer may have responded before it closed the connection
        try:
            while not reader.complete:
                self.receive(reader, timeout, deadline)
        except ExchangeError as error:
            raise refused or error from (refused or error).__cause__

    def send(self, data: bytes, timeout: float | None, deadline: float | None = None) -> None:
        """Send a part of a request.

        Args:
            data: the part.
            timeout: seconds to wait until the peer takes more of it.
            deadline: for all of it, by `time.monotonic`.

        Raises:
            ExchangeError: sending failed; a part of the data may have been sent.
        """
        unsent = memoryview(data)
        try:
            while unsent:
                self._set_timeout(timeout, deadline)
                unsent = unsent[self._socket.send(unsent) :]
        except OSError as error:
            self.is_reusable = False
            raise failure("write", error) from error

    def receive(self, reader: ResponseReader, timeout: float | None, deadline: float | None = None) -> None:
        """Wait for more of the response, and have the reader read it.

        Raises:
            ExchangeError: nothing came, or what came is not the rest of a response.
        """
        try:
            self._set_timeout(timeout, deadline)
            data = self._socket.recv(RECEIVE_SIZE)
        except OSError as error:
            raise failure("read", error) from error
        feed(reader, data)

    def is_stale(self) -> bool:
        """Tell whether the peer has closed the connection, or has sent something unasked."""
        if not hasattr(select, "poll"):  # Windows
            readable = bool(select.select([self._socket], [], [], 0)[0])
        else:
            if self._poll is None:
                self._poll = select.poll()
                self._poll.register(self._socket, select.POLLIN)
            readable = bool(self._poll.poll(0))
        return readable and self._has_ended()

    def _has_ended(self) -> bool:
        if self.origin.scheme != "https":
            return True
        import ssl  # loaded already

        self._socket.settimeout(0.0)
        try:
            self._socket.recv(1)
        except ssl.SSLWantReadError:  # only TLS itself has sent something, such as a session ticket
            self._socket.settimeout(self._timeout)
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close the connection. Its place stays taken."""
        with contextlib.suppress(OSError, AttributeError):  # AttributeError: `__init__` was interrupted
            self._socket.close()

    def __del__(self) -> None:
        self.close()  # without a ResourceWarning: nobody can use it any more

    def _set_timeout(self, timeout: float | None, deadline: float | None) -> None:
        left = _time_left(timeout, deadline)
        if left != self._timeout:
            self._socket.settimeout(left)
            self._timeout = left


def connect(origin: Origin, tls: ssl.SSLContext | None, timeout: float | None) -> socket.socket:
    """Return a socket that is connected to an origin. Raise OSError if there is none.

    Args:
        origin: where to connect to.
        tls: the context for TLS; None to connect without TLS.
        timeout: seconds for all of it: TCP, TLS, one address after another; None for no limit.
    """
    until = None if timeout is None else time.monotonic() + timeout
    host = host_names.for_resolver(origin.host)
    connected = _first_to_answer(socket.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM), until)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.settimeout(_time_left(None, until))
        if tls is None:
            return connected
        # The end of TCP without the end of TLS may be forged: RFC 9112, 9.8.
        name = host_names.for_tls(origin.host, tls)
        return tls.wrap_socket(connected, server_hostname=name, suppress_ragged_eofs=False)
    except BaseException:
        connected.close()
        raise


def _first_to_answer(found: list[Any], until: float | None) -> socket.socket:
    """Return a socket that is connected to the first address that answers (RFC 8305). Raise OSError if none does."""
    addresses, next_after = deque(found), _LONGEST_SELECT
    if len(addresses) > 1:
        from novaact_http._http import happy_eyeballs  # one address needs no order

        addresses = happy_eyeballs.in_turn(found)
        next_after = happy_eyeballs.next_address_after(len(found), seconds_left(None, until, time.monotonic()))
    last: OSError = TimeoutError()
    with selectors.DefaultSelector() as selector:
        try:
            while addresses or selector.get_map():
                if addresses:
                    try:
                        attempt = _begin_to_connect(*addresses.popleft())
                    except OSError as error:  # for example an IPv6 address from DNS, on a machine without IPv6
                        last = error
                        continue
                    selector.register(attempt, selectors.EVENT_WRITE, attempt)
                left = seconds_left(next_after if addresses else _LONGEST_SELECT, until, time.monotonic())
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
        with contextlib.suppress(BlockingIOError):  # the selector tells when it is connected
            attempt.connect(address)
    except BaseException:
        attempt.close()
        raise
    return attempt


def _time_left(limit: float | None, deadline: float | None) -> float | None:
    """Return what `seconds_left` returns. Raise TimeoutError if no time is left, even if the socket is always ready."""
    left = seconds_left(limit, deadline, time.monotonic())
    if left == 0.0:
        raise TimeoutError
    return left
