"""An exchange over a connection on asyncio: of a whole response, for the clients, or streamed, for the lean transport.

The connection reports to its exchange what comes over it; the exchange decides when the task that waits goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novaact_http._http.pool_rules import RECEIVE_SIZE, feed

if TYPE_CHECKING:
    from novaact_http._http.asyncio_connection import Connection
    from novaact_http._http.http1 import ResponseReader

_MAX_UNTAKEN = 4 * RECEIVE_SIZE  # bytes of a body that the caller has not taken yet; then reading pauses


class WholeExchange:
    """An exchange that ends when the whole response has come.

    Args:
        connection: to send the request on.
        reader: reads the response.
    """

    __slots__ = ("_connection", "reader")

    def __init__(self, connection: Connection, reader: ResponseReader) -> None:
        self._connection = connection
        self.reader = reader

    async def run(self, data: bytes, rest: bytes, timeout: float | None, deadline: float | None) -> None:
        """Send a request, and read the response to its end.

        Args:
            data: the request.
            rest: what is sent after that, to complete the request.
            timeout: seconds to wait for more of the response, or until the peer takes more of the request.
            deadline: for the whole exchange, by `time.monotonic`.

        Raises:
            ExchangeError: the exchange failed.
        """
        connection = self._connection
        connection.begin(self)
        connection.send(data, rest)
        await connection.wait(timeout, deadline)
        connection.check()

    def received(self, data: bytes) -> None:
        """Go on when the response is complete."""
        feed(self.reader, data)
        if self.reader.complete:
            self._connection.wake()
        else:
            self._connection.restart_limit()

    def sent(self) -> None:
        """Wait on for the response."""


class StreamedExchange:
    """An exchange whose request is sent in parts, and whose response is taken from the reader as it comes.

    It begins when it is made: what comes over the connection from then on is the response.

    Args:
        connection: to send the request on.
        reader: reads the response.
    """

    __slots__ = ("_connection", "_untaken", "reader")

    def __init__(self, connection: Connection, reader: ResponseReader) -> None:
        self._connection = connection
        self._untaken = 0
        self.reader = reader
        connection.begin(self)

    async def send(self, data: bytes, timeout: float | None) -> None:
        """Send a part of the request, and wait until the peer has taken it.

        Raises:
            ExchangeError: sending failed; or the peer has responded without waiting for the whole request.
        """
        connection = self._connection
        connection.send(data)
        while connection.unsent:
            await connection.wait(timeout, None)
            connection.check()
        if connection.refusal is not None:
            raise connection.refusal

    async def receive(self, timeout: float | None) -> None:
        """Wait for more of the response. The caller must have taken from the reader all that came before.

        Raises:
            ExchangeError: nothing more came.
        """
        self._untaken = 0
        self._connection.resume()
        await self._connection.wait(timeout, None)
        if not self._untaken:  # what came before a failure is for the caller first
            self._connection.check()

    def received(self, data: bytes) -> None:
        """Let the caller take what came; pause if the caller is slow."""
        feed(self.reader, data)
        self._untaken += len(data)
        if self._untaken > _MAX_UNTAKEN:
            self._connection.pause()
        self._connection.wake()

    def sent(self) -> None:
        """Go on, to send the next part."""
        self._connection.wake()
