"""What is told of each attempt of a call: to the log, and to the user's own hook for metrics and tracing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs

from novaact_http.errors import NovaActError, ServiceError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

__all__ = ["Attempt"]


def log() -> logging.Logger:
    """The library's logger. `logging` takes 5 ms to import, and most calls have nothing to tell."""
    import logging

    return logging.getLogger("novaact_http")


@attrs.frozen(kw_only=True)
class Attempt:
    """One attempt of a call.

    Attributes:
        operation: such as `"ListSessions"`.
        number: of the attempt in its call, from 1.
        status_code: HTTP status, or None if no response came.
        request_id: the service's, or None if it named none.
        error: how the attempt failed, or None if it succeeded. The call may yet succeed, if `wait` is not None.
        milliseconds: from sending to the response's last byte, or to the failure.
        wait: seconds until the next attempt, or until it queues for its turn; or None if this was the last.
        queued: seconds that the attempt had waited for its turn, which happens in adaptive mode only.
    """

    operation: str
    number: int
    status_code: int | None
    request_id: str | None
    error: NovaActError | None
    milliseconds: float
    wait: float | None
    queued: float = 0.0

    def __str__(self) -> str:
        outcome = "no response" if self.status_code is None else f"status {self.status_code}"
        if self.error is not None:
            outcome += f", {self.error.code if isinstance(self.error, ServiceError) else type(self.error).__name__}"
        before = f", after {self.queued:.3f} s for its turn" if self.queued else ""
        after = "" if self.wait is None else f", next in {self.wait:.3f} s"
        return (
            f"{self.operation} attempt {self.number}: {outcome}, request id {self.request_id}, "
            f"{self.milliseconds:.1f} ms{before}{after}"
        )


def is_wanted(hook: Callable[[Attempt], object] | None) -> bool:
    """Would anybody hear of an attempt?"""
    # Who has not loaded `logging` has not asked for lines of debugging either.
    logging = sys.modules.get("logging")
    return hook is not None or (logging is not None and logging.getLogger("novaact_http").isEnabledFor(logging.DEBUG))


def report(attempt: Attempt, hook: Callable[[Attempt], object] | None) -> None:
    """Log an attempt at the level DEBUG, and hand it to the hook. What the hook raises is logged, no more."""
    log().debug("%s", attempt)
    if hook is not None:
        try:
            hook(attempt)
        except Exception:  # noqa: BLE001 - it is the user's, and it is logged
            log().exception("on_attempt raised; the call goes on without it")
