"""The expected result of a listing with a fault: for every fault of the local service, wherever it can occur.

`test_matrix.py` checks each cell. `python -m tests.promises.faults.matrix` writes the matrix to README.md.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http.testing import LocalService

README = Path(__file__).parent / "README.md"
ATTEMPTS = 3
BEYOND_TOTAL = "a byte at a time, beyond `total`"
INTERRUPTED = "interrupted, before the answer"
PAGES = {"first": 0, "middle": 1, "last": 2}
BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head></html>"
THROTTLED = {"x-amzn-ErrorType": "ThrottlingException"}

Client = Literal["sync", "async"]
Transport = Literal["lean", "stock"]
Page = Literal["first", "middle", "last"]
Strikes = Literal["once", "always"]


class Expected(NamedTuple):
    """The result of one page.

    Attributes:
        error: the class of the exception; `""` if the listing survives.
        attempts: how many times the page is tried.
    """

    error: str
    attempts: int


SURVIVED = Expected("", 1)


class Fault(NamedTuple):
    """A fault.

    Attributes:
        once: the result if only the first attempt at a page has the fault.
        always: the result if every attempt has it.
        inject: makes the service have the fault from now on, this many times, or always with None.
        timeout: the client's timeouts, where the usual ones would take too long.
        comes_before_answer: whether the connection breaks before any of the response comes. Then the library's own
            pools try once more at once if the connection was used before, as it may have been closed long ago.
        clock_offset: by how many seconds the service's clock jumps.
    """

    once: Expected
    always: Expected
    inject: Callable[[LocalService, int | None], None] | None = None
    timeout: dict[str, float] = {}  # noqa: RUF012 - it is never changed
    comes_before_answer: bool = False
    clock_offset: float = 0.0


def scheduled(fault: str, **members: Any) -> Callable[[LocalService, int | None], None]:
    return lambda service, times: service.inject(fault, times=times, **members)


def answered(
    status: int, body: bytes, headers: dict[str, str] | None = None
) -> Callable[[LocalService, int | None], None]:
    def inject(service: LocalService, times: int | None) -> None:
        for _ in range(times or ATTEMPTS):
            service.answer_next(status, body, headers)

    return inject


def retried(error: str) -> tuple[Expected, Expected]:
    return Expected("", 2), Expected(error, ATTEMPTS)


def final(error: str) -> tuple[Expected, Expected]:
    return Expected(error, 1), Expected(error, 1)


FAULTS: dict[str, Fault] = {
    "connections refused": Fault(*retried("TransportError")),
    "reset before the answer": Fault(*retried("TransportError"), scheduled("reset"), comes_before_answer=True),
    "reset in the answer": Fault(*retried("TransportError"), scheduled("reset-mid", seconds=0.1)),
    "reset after the answer": Fault(SURVIVED, SURVIVED, scheduled("reset-after", seconds=0.1)),
    "closed in the body": Fault(*retried("TransportError"), scheduled("truncate")),
    "closed after the answer": Fault(SURVIVED, SURVIVED, scheduled("close")),
    "a byte at a time": Fault(SURVIVED, SURVIVED, scheduled("drip", seconds=0.0)),
    BEYOND_TOTAL: Fault(*final("DeadlineExceeded"), scheduled("drip", seconds=0.02), timeout={"total": 0.6}),
    "no answer, beyond `read`": Fault(*retried("TransportTimeout"), scheduled("stall"), timeout={"read": 0.25}),
    "no answer, beyond `total`": Fault(*final("DeadlineExceeded"), scheduled("stall"), timeout={"total": 0.6}),
    "ThrottlingException": Fault(*retried("ThrottlingException"), scheduled("ThrottlingException")),
    "ThrottlingException, Retry-After: 3": Fault(
        *retried("ThrottlingException"), scheduled("ThrottlingException", retry_after_seconds=3)
    ),
    "InternalServerException": Fault(*retried("InternalServerException"), scheduled("InternalServerException")),
    "AccessDeniedException": Fault(*final("AccessDeniedException"), scheduled("AccessDeniedException")),
    "ConflictException": Fault(*final("ConflictException"), scheduled("ConflictException")),
    "ResourceNotFoundException": Fault(*final("ResourceNotFoundException"), scheduled("ResourceNotFoundException")),
    "ServiceQuotaExceededException": Fault(
        *final("ServiceQuotaExceededException"), scheduled("ServiceQuotaExceededException")
    ),
    "ValidationException": Fault(*final("ValidationException"), scheduled("ValidationException")),
    "a gateway's 502": Fault(*retried("ServiceError"), answered(502, BAD_GATEWAY)),
    "an error of 2 MB": Fault(*retried("ServiceError"), answered(500, b'{"message": "%s"}' % (2_000_000 * b"a"))),
    "ThrottlingException, Retry-After: a list": Fault(
        *retried("ThrottlingException"), answered(429, b'{"retryAfterSeconds": [8, 9]}', THROTTLED)
    ),
    "a 200 that is no page": Fault(*retried("ResponseError"), answered(200, b'{"sessionSummaries": [{}]}')),
    "a 200 that is cut short": Fault(*retried("ResponseError"), answered(200, b'{"sessionSummaries": [{"sessi')),
    "the service's clock jumps": Fault(Expected("", 2), Expected("ServiceError", 1), clock_offset=3_600),
    "the service's clock jumps two days": Fault(*final("ServiceError"), clock_offset=2 * 86_400),
    INTERRUPTED: Fault(Expected("Interrupted", 0), Expected("Interrupted", 0), scheduled("stall")),
    "the credentials expire": Fault(Expected("", 2), Expected("ServiceError", 1)),
}


class Cell(NamedTuple):
    """One case: a fault, a client, and where the fault occurs."""

    fault: str
    client: Client
    transport: Transport
    page: Page
    strikes: Strikes

    @property
    def expected(self) -> Expected:
        """The result of the page."""
        fault = FAULTS[self.fault]
        expected: Expected = getattr(fault, self.strikes)
        if self.strikes == "once" and (self.is_repeated or self.is_early):
            return SURVIVED
        return expected

    @property
    def requests(self) -> int:
        """How many requests the service gets."""
        if self.fault == "connections refused":
            return 1 if self.strikes == "once" else 0
        if self.fault == INTERRUPTED:
            return 1
        return self.expected.attempts + self.is_repeated

    @property
    def is_final(self) -> bool:
        """Whether the client's credentials stay expired."""
        return (self.fault, self.strikes) == ("the credentials expire", "always")

    @property
    def is_early(self) -> bool:
        """Whether the credentials expire before the client has asked for any."""
        return (self.fault, self.page) == ("the credentials expire", "first")

    @property
    def is_repeated(self) -> bool:
        """Whether the pool repeats the request by itself."""
        return FAULTS[self.fault].comes_before_answer and self.transport == "lean" and self.page != "first"


def cells() -> Iterator[Cell]:
    """Yield all cells."""
    for each in itertools.product(FAULTS, ("sync", "async"), ("lean", "stock"), PAGES, ("once", "always")):
        cell = Cell(*each)  # type: ignore[arg-type]
        if cell[:3] != (BEYOND_TOTAL, "sync", "stock"):  # which `total` cannot interrupt
            yield cell


def table() -> str:
    """Return the matrix as Markdown."""
    rows = []
    for name, fault in FAULTS.items():
        outcomes = [
            f"raised {each.error}, attempts: {each.attempts}" if each.error else f"survived, attempts: {each.attempts}"
            for each in (fault.once, fault.always)
        ]
        rows.append(f"| {name} | {' | '.join(outcomes)} |")
    count = len(list(cells()))
    raised = sum(bool(each.expected.error) for each in cells())
    return "\n".join(
        (
            "# Faults",
            "",
            "The results of a listing of three pages with one fault of the local service: for `Client` and",
            "`AsyncClient`, over the library's own connections and over httpx's, at the first, middle and last page,",
            f"in only the first of {ATTEMPTS} attempts and in all of them. `test_matrix.py` checks each result,",
            "and also that:",
            "",
            "- the listed sessions are complete, in order, and without duplicates, up to the error if there is one;",
            "- the error is raised within its deadline, after as many requests for the page as the table says;",
            "- the client works afterwards, and leaves no socket open when it is closed.",
            "",
            f"**Cells: {count}. Survived: {count - raised}. Raised: {raised}. Lost: 0.**",
            "",
            "| fault | in one attempt | in all attempts |",
            "|---|---|---|",
            *rows,
            "",
            "If a connection that was used before is reset before any of the response comes, the library's own pools",
            "repeat the request at once on a new one. So that page survives a single reset in its first attempt.",
            "",
            "A signal handler interrupts a call of `Client` with an exception; a call of `AsyncClient` is cancelled.",
            "",
            "`total` does not limit a byte at a time over httpx's synchronous transport, so that case is left out.",
            "",
            "`python -m tests.promises.faults.matrix` wrote this file.",
            "",
        )
    )


if __name__ == "__main__":
    README.write_text(table(), encoding="utf-8")
