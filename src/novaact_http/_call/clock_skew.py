"""How wrong this machine's clock is, learnt from the service's errors. Pure: times are arguments.

AWS refuses a request that was signed more than five minutes before or after its own time. Its response has the right
time in the header Date, so that the next request can be signed with that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novaact_http.errors import ServiceError

# What the service says when a clock is wrong. Some of these codes have other causes too, so the date decides.
_CODES = frozenset(
    {
        "AuthFailure",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_TOLERATED = 4 * 60  # seconds; AWS refuses requests from 5 minutes on


class ClockSkew:
    """The skew that all calls of a client sign with.

    Attributes:
        seconds: how far the service's clock is ahead of this machine's; 0.0 until a call has learnt otherwise.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def learn(
        self, error: ServiceError, date: float, *, sent_at: float, received_at: float, signed_with: float
    ) -> bool:
        """Learn the skew if it explains the error, and return whether it does.

        Args:
            error: why the service refused the request.
            date: the error's Date, in seconds since the epoch.
            sent_at: when the request was sent, by this machine's clock.
            received_at: when the error was received, by the same clock.
            signed_with: the skew that the request was signed with; another call may have learnt a newer one since.
        """
        if error.code not in _CODES or "age" in error.headers:  # a response out of a cache does not tell the time
            return False
        seconds = date - (sent_at + received_at) / 2
        if abs(seconds - signed_with) <= _TOLERATED:  # the clock is right, the error has another cause
            return False
        self.seconds = seconds
        return True
