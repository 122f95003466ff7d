"""How wrong this machine's clock is, learnt from the service's errors. Pure: times are arguments.

AWS refuses a request that was signed more than five minutes before or after its own time. Its response has the right
time in the header Date, so that the next request can be signed with that. A day is the most that is learnt: a larger
difference is rather the mistake of whoever answered, which would spoil all later requests, or one that people must know
of. The error tells it then.
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
# Seconds.
_TOLERATED = 4 * 60  # AWS refuses requests from 5 minutes on
_DAY = 24 * 60 * 60
_2025, _2100 = 1_735_689_600, 4_102_444_800  # the service did not exist before; a Date out of these years is wrong


class ClockSkew:
    """The skew that all calls of a client sign with.

    Attributes:
        seconds: how far the service's clock is ahead of this machine's; 0.0 until a call has learnt otherwise.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def learn(self, seconds: float) -> bool:
        """Sign with this skew from now on, unless it is too large to be learnt. Return whether it was learnt."""
        if abs(seconds) > _DAY:
            return False
        self.seconds = seconds
        return True

    @staticmethod
    def explanation(
        error: ServiceError, date: float, *, sent_at: float, received_at: float, signed_with: float
    ) -> float | None:
        """Return the skew if it explains the error, else None.

        Args:
            error: why the service refused the request.
            date: the error's Date, in seconds since the epoch.
            sent_at: when the request was sent, by this machine's clock.
            received_at: when the error was received, by the same clock.
            signed_with: the skew that the request was signed with; another call may have learnt a newer one since.
        """
        if error.code not in _CODES or "age" in error.headers:  # a response out of a cache does not tell the time
            return None
        seconds = date - (sent_at + received_at) / 2
        if abs(seconds - signed_with) <= _TOLERATED:  # the clock is right, the error has another cause
            return None
        return seconds


def describe(seconds: float, date: float) -> str:
    """Return words that say whose clock is wrong, and by how much.

    Args:
        seconds: how far the service's clock is ahead of this machine's.
        date: the service's time, in seconds since the epoch.
    """
    amount = abs(seconds)
    size = f"{amount / _DAY:,.1f} days" if amount >= _DAY else f"{amount / 60:.0f} minutes"
    if _2025 <= date < _2100:
        return f"this machine's clock is {size} {'behind' if seconds > 0 else 'ahead of'} the service's: set it right"
    return (
        f"the Date of the response is {size} {'ahead of' if seconds > 0 else 'behind'} this machine's clock: "
        "the clock of the server or proxy that answered is wrong"
    )
