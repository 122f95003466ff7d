"""The report about each attempt of a call, for the log and for the user's hook for metrics and tracing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs

from novaact_http._support.interruptions import comes_from_signal_handler
from novaact_http.errors import NovaActError, ServiceError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

__all__ = ["Attempt"]


def log() -> logging.Logger:
    """Return the library's logger. `logging` takes 5 ms to import, and most calls log nothing."""
    import logging

    return logging.getLogger("novaact_http")


@attrs.frozen(kw_only=True)
class Attempt:
    """One attempt of a call.

    Attributes:
        operation: the operation's name, such as `"ListSessions"`.
        number: the number of the attempt in its call, from 1.
        status_code: the HTTP status, or None if there was no response.
        request_id: the service's id of the request, or None if the response has none.
        error: why the attempt failed, or None if it succeeded. If `wait` is not None, the call may still succeed.
        milliseconds: the time from sending to the response's last byte, or to the failure.
        wait: seconds until the next attempt, or until that waits for its turn; None if this was the last one.
        queued: how many seconds the attempt waited for its turn, in adaptive mode; else 0.0.
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
        result = "no response" if self.status_code is None else f"status {self.status_code}"
        if self.error is not None:
            result += f", {self.error.code if isinstance(self.error, ServiceError) else type(self.error).__name__}"
        before = f", waited {self.queued:.3f} s for its turn" if self.queued else ""
        after = "" if self.wait is None else f", next in {self.wait:.3f} s"
        return (
            f"{self.operation} attempt {self.number}: {result}, request id {self.request_id}, "
            f"{self.milliseconds:.1f} ms{before}{after}"
        )


def is_wanted(hook: Callable[[Attempt], object] | None) -> bool:
    """Tell whether a report about an attempt would reach anybody."""
    # A program that has not loaded `logging` has not asked for debug lines either.
    logging = sys.modules.get("logging")
    return hook is not None or (logging is not None and logging.getLogger("novaact_http").isEnabledFor(logging.DEBUG))


def report(attempt: Attempt, hook: Callable[[Attempt], object] | None) -> None:
    """Log an attempt at level DEBUG, and call the hook with it. If the hook raises, that is only logged."""
    log().debug("%s", attempt)
    if hook is not None:
        try:
            hook(attempt)
        except Exception as error:
            if comes_from_signal_handler(error):
                raise
            log().exception("on_attempt raised; the call goes on without it")
