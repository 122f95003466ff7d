"""The reports about each call and each of its attempts, for the log and for the user's hooks for metrics and tracing.

Imported only if there is somebody who wants them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from novaact_http._support.interruptions import comes_from_signal_handler
from novaact_http._support.late_attrs import ValueObject, frozen
from novaact_http._support.logs import log
from novaact_http.errors import NovaActError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Attempt", "CallReport"]

ReportT = TypeVar("ReportT", "Attempt", "CallReport")


@frozen(kw_only=True, eq=False, repr=False)
class Attempt(ValueObject):
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
        call_id: a UUID, the same for all attempts of the call and in no other call. The service gets it as
            `amz-sdk-invocation-id`.
        started: when the request was sent, in seconds since the epoch.
        throttled: whether it failed because the service says that there are too many requests.
    """

    operation: str
    number: int
    status_code: int | None
    request_id: str | None
    error: NovaActError | None
    milliseconds: float
    wait: float | None
    queued: float = 0.0
    call_id: str = ""
    started: float = 0.0
    throttled: bool = False

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


@frozen(kw_only=True, eq=False, repr=False)
class CallReport(ValueObject):
    """A whole call, with all its attempts and the waits between them.

    Attributes:
        operation: the operation's name, such as `"ListSessions"`.
        region: the client's region.
        endpoint: the URL of the client's endpoint.
        call_id: a UUID, as in each `Attempt` of the call.
        attempts: how many attempts were made; 0 if the call ended before the first.
        started: when the call began, in seconds since the epoch.
        milliseconds: how long it took.
        status_code: the HTTP status of the last response, also if the call then went on without another; None if there
            was no response.
        request_id: the service's id of the last request that has one, or None.
        error: what ended the call; None if it succeeded. `asyncio.CancelledError` if it was cancelled, `GeneratorExit`
            if it was given up in another way.
    """

    operation: str
    region: str
    endpoint: str
    call_id: str
    attempts: int
    started: float
    milliseconds: float
    status_code: int | None
    request_id: str | None
    error: BaseException | None


def log_attempt(attempt: Attempt) -> None:
    """Log an attempt at level DEBUG."""
    log().debug("%s", attempt)


def tell(hook: Callable[[ReportT], object], name: str, report: ReportT) -> None:
    """Call a hook with a report. If the hook raises, that is only logged.

    Args:
        hook: the user's function.
        name: the name of the client's argument for it.
        report: the report.
    """
    try:
        hook(report)
    except Exception as error:
        if comes_from_signal_handler(error):
            raise
        log().exception("%s raised; the call goes on without it", name)
