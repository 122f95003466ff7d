"""When to try again. Pure: a strategy is told what went wrong and answers how long to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from novaact_http.errors import NovaActError
    from novaact_http.operations import Operation


class RetryStrategy(Protocol):
    """What the flow asks after each failed attempt."""

    @property
    def max_attempts(self) -> int:
        """The most attempts one call may take, the first included."""
        ...

    def delay(self, operation: Operation[object], error: NovaActError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt, or None to give up and raise the error.

        Args:
            operation: what was called; only what is safe to repeat may be repeated.
            error: how this attempt failed.
            attempt: its number, from 1.
        """
        ...


class NoRetries:
    """One attempt a call."""

    max_attempts = 1

    def delay(self, operation: Operation[object], error: NovaActError, attempt: int) -> float | None:  # noqa: ARG002
        """Always give up."""
        return None
