"""How an exchange of a request and its response fails inside the pools, and which error users see.

The pools raise an `ExchangeError`, which knows how far the exchange had come. A client turns it into the
`TransportError` that its users see; the lean transports turn it into the exception that httpx would raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from novaact_http._support.interruptions import comes_from_signal_handler
from novaact_http.errors import DeadlineExceeded, TransportError, TransportTimeout

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Endpoint

Phase = Literal["queue", "connect", "write", "read", "response"]
_TIMED_OUT: dict[Phase, str] = {
    "queue": "waiting for a connection",
    "connect": "connecting",
    "write": "sending",
    "read": "waiting for the response",
}


class ExchangeError(Exception):
    """An exchange that failed. The `__cause__` says why, unless it took too long.

    Attributes:
        phase: how far it had come. Nothing of the request was sent before the phase `"write"`.
        timed_out: whether it took too long.
    """

    def __init__(self, phase: Phase, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.phase = phase
        self.timed_out = timed_out


def failure(phase: Phase, error: OSError | None) -> ExchangeError:
    """Return the error for an operation on a connection that failed; None stands for a time limit that has passed.

    Raises:
        OSError: the operation did not fail; a signal handler raised this.
    """
    if error is not None and comes_from_signal_handler(error):
        raise error
    if error is None or isinstance(error, TimeoutError):
        return ExchangeError(phase, f"{_TIMED_OUT[phase]} took too long", timed_out=True)
    failed = ExchangeError(phase, f"{type(error).__name__}: {error}")
    failed.__cause__ = error
    return failed


def to_transport_error(endpoint: Endpoint, error: ExchangeError) -> TransportError:
    """Return the error that the users of a client see."""
    message = f"no response from {endpoint.scheme}://{endpoint.authority}: {error}"
    if error.phase == "queue":  # only the call's total time limits this wait
        return DeadlineExceeded(message, request_sent=False)
    kind = TransportTimeout if error.timed_out else TransportError
    return kind(message, request_sent=error.phase != "connect")
