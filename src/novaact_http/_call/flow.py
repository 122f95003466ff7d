"""One call as a generator: it makes all decisions about a call, and never waits or connects itself.

The generator yields what it needs and is sent the result: `GetCredentials` (the result is `Credentials`), a `Request`
(a `Response`), `Sleep` (None). If that fails, the error is thrown into the generator. It returns the operation's output
or raises a `NovaActError`. `Client` and `AsyncClient` are two drivers of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from novaact_http._call import parameters, rest_json
from novaact_http._call.clock_skew import ClockSkew, describe
from novaact_http._call.http_messages import Endpoint, Headers, Request, Response
from novaact_http._call.retries import Quota, Retries, is_throttling, may_be_done
from novaact_http._call.sigv4 import amz_date
from novaact_http._support import traceback_scrubbing
from novaact_http._support.http_dates import parse_date
from novaact_http._support.logs import shows_debug_lines
from novaact_http._support.records import Record
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import (
    DeadlineExceeded,
    NovaActError,
    ResponseError,
    ServiceError,
    TransportError,
    TransportTimeout,
)

if TYPE_CHECKING:
    from novaact_http._call.heads import Heads
    from novaact_http._call.rate_limiter import RateLimiter
    from novaact_http._call.redaction import Redact, Redaction
    from novaact_http._operations.shapes import Operation, Output
    from novaact_http.attempts import Attempt, CallReport

    Failure = TransportError | ServiceError | ResponseError

OutputT = TypeVar("OutputT", bound="Output")

_NOT_REPEATED = (
    "; it was not sent again, as the service may have carried it out: find out whether it has before you call again"
)
_EXPIRED = "ExpiredToken"  # of the session token; there is also ExpiredTokenException


class GetCredentials(NamedTuple):
    """Asks for credentials that are valid now. The flow asks before every attempt for which none are at hand.

    Attributes:
        refused: credentials that the service calls expired, so the result must be others; None if there are none.
        deadline: how long to wait for them: a time of `time.monotonic`, or None for no limit.
    """

    refused: Credentials | None = None
    deadline: float | None = None


class Sleep(NamedTuple):
    """Asks to wait before the next attempt, or, in adaptive mode, for the call's turn."""

    seconds: float


Need = GetCredentials | Request | Sleep
Flow = Generator[Need, Any, OutputT]
MakeFlow = Callable[["Context", "Operation[OutputT]", Mapping[str, object]], Flow[OutputT]]


class Context(Record):
    """What all calls of a client have in common. Clocks and randomness enter here.

    Attributes:
        endpoint: where requests go.
        region: the region that signatures are for.
        heads: makes and signs the heads of requests.
        redaction: blanks out secrets that the service echoes.
        limiter: the rate limiter of calls in adaptive mode; its times are those of `monotonic`.
        skew: the clock skew that all calls sign with.
        correct_clock_skew: whether calls learn the skew from the service's errors.
        clock: returns the seconds since the epoch.
        monotonic: returns the seconds since some moment, on a clock that nobody sets.
        new_invocation_id: returns a new UUID as text.
        credentials_at_hand: returns credentials that are good for now; None if the flow has to ask for them.
        on_attempt: the user's hook for attempts, or None.
        renews_credentials: whether there may be other credentials once the service calls some expired.
        on_call: the user's hook for calls, or None.
        call_headers: returns further headers for a call, which are not signed; None if there are never any.
    """

    endpoint: Endpoint
    region: str
    timeout: Timeout
    heads: Heads
    redaction: Redaction
    retries: RetryPolicy
    quota: Quota
    limiter: RateLimiter
    skew: ClockSkew
    correct_clock_skew: bool
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    new_invocation_id: Callable[[], str]
    credentials_at_hand: Callable[[], Credentials | None]
    on_attempt: Callable[[Attempt], object] | None
    renews_credentials: bool
    on_call: Callable[[CallReport], object] | None = None
    call_headers: Callable[[], Headers] | None = None


class Limit(Record):
    """A limit on the time of several calls together.

    Attributes:
        deadline: when it is over, on the context's monotonic clock.
        text: what sets it, such as "total allows the listing 5 s in all".
    """

    deadline: float
    text: str


def call(
    context: Context, operation: Operation[OutputT], arguments: Mapping[str, object], limit: Limit | None = None
) -> Flow[OutputT]:
    """Call an operation.

    Args:
        context: the client's context.
        operation: what to call.
        arguments: values by Python name; None for those not given.
        limit: a limit on its time besides the client's, or None.

    Raises:
        ParameterError: bad arguments; the flow has yielded nothing.
        NovaActError: the error of the last attempt, or there was no time for another one.
    """
    this = _Call(context, operation, arguments, limit)
    try:
        while True:
            queued = 0.0 if this.limiter is None else (yield from this.turn(this.limiter))
            credentials = this.credentials_at_hand()
            if credentials is None:
                try:
                    credentials = yield this.wanted_credentials()
                except DeadlineExceeded as error:
                    raise this.deadline_exceeded() from error
            attempt = this.attempt(credentials, queued)
            try:
                response: Response = yield attempt.request
                return this.output(attempt, response)
            except (TransportError, ServiceError, ResponseError) as failure:
                traceback_scrubbing.clear(failure)  # the user's hook gets it
                wait = this.wait_after(attempt, failure)
                if wait is None:
                    raise
            yield Sleep(wait)
    except BaseException as error:
        this.failed(error)
        raise


class _Attempt:
    """One attempt of a call: its request, and what is needed to judge the response.

    Attributes:
        request: the signed request.
        number: the number of the attempt in its call, from 1.
        queued: how many seconds it waited for its turn, in adaptive mode.
        credentials: what the request is signed with.
        skew: the clock skew that the request is signed with, in seconds.
        sent_at: when the request was sent, in seconds since the epoch.
        started: the same moment on the monotonic clock.
        redact: blanks out the request's secrets in a text.
    """

    __slots__ = ("credentials", "number", "queued", "redact", "request", "sent_at", "skew", "started")

    def __init__(  # noqa: PLR0917 - keywords would cost 0.4 % of a call
        self,
        request: Request,
        number: int,
        queued: float,
        credentials: Credentials,
        skew: float,
        sent_at: float,
        started: float,
        redact: Redact,
    ) -> None:
        self.request = request
        self.number = number
        self.queued = queued
        self.credentials = credentials
        self.skew = skew
        self.sent_at = sent_at
        self.started = started
        self.redact = redact


class _Call(Generic[OutputT]):
    """One call under way: it makes requests, and turns each response into an output, a retry or an error."""

    def __init__(
        self, context: Context, operation: Operation[OutputT], arguments: Mapping[str, object], limit: Limit | None
    ) -> None:
        self._context = context
        self._operation = operation
        self._id = context.new_invocation_id()
        self._token: Any = None
        complete = arguments
        if operation.token is not None:
            self._token = arguments.get(operation.token) or context.new_invocation_id()
            complete = {**arguments, operation.token: self._token}
        self._retries = Retries(context.retries, context.quota)
        self.limiter = context.limiter if context.retries.mode == "adaptive" else None
        usual = rest_json.encode_usual(operation, complete)
        if usual is None:
            parameters.check(operation.name, operation.inputs, arguments)
        path, query, self._body = usual or rest_json.encode(operation, complete)
        endpoint = context.endpoint
        # What is usual needs no encoding, and an endpoint's path may.
        self._is_canonical = usual is not None and operation.query_is_sorted and not (endpoint.path or endpoint.query)
        if endpoint.query:
            query = "&".join(filter(None, (endpoint.query, query)))
        self._target = f"{endpoint.path}{path}{'?' if query else ''}{query}"
        total = context.timeout.total
        self._deadline = None if total is None else context.monotonic() + total
        self._limit = limit
        if limit is not None and (self._deadline is None or limit.deadline < self._deadline):
            self._deadline = limit.deadline
        self._began = None if context.on_call is None else (context.clock(), context.monotonic())
        self._more_headers = () if context.call_headers is None else context.call_headers()
        if self._body or operation.method != "GET":
            self._more_headers = (("Content-Length", str(len(self._body))), *self._more_headers)
        self._attempts = 0
        # Attempts that the policy does not count. There is at most one of each kind.
        self._clock_corrections = 0
        self._renewals = 0
        self._refused: Credentials | None = None
        self._last_status: int | None = None
        self._last_request_id: str | None = None
        self._ttl = ""
        self._may_have_been_received = False

    def turn(self, limiter: RateLimiter) -> Generator[Sleep, None, float]:
        """Wait until the limiter lets the next attempt be sent, and return how many seconds that took.

        Raises:
            DeadlineExceeded: the call's time would be over first.
        """
        monotonic = self._context.monotonic
        began = monotonic()
        if not limiter.acquire(began):
            return 0.0
        place = limiter.join()
        try:
            while wait := limiter.acquire(monotonic(), place):
                if wait >= self._left():
                    raise self.deadline_exceeded()
                yield Sleep(wait)
            return monotonic() - began
        finally:
            place.close()

    def credentials_at_hand(self) -> Credentials | None:
        """Return credentials for the next attempt, if nobody has to be asked for them."""
        return self._context.credentials_at_hand() if self._refused is None else None

    def wanted_credentials(self) -> GetCredentials:
        """Return what asks for the next attempt's credentials."""
        refused, self._refused = self._refused, None
        return GetCredentials(refused=refused, deadline=self._deadline)

    def attempt(self, credentials: Credentials, queued: float) -> _Attempt:
        """Return the next attempt, with a signature of its own.

        Raises:
            DeadlineExceeded: no time is left to send it.
        """
        context, operation = self._context, self._operation
        left = self._left()
        if left <= 0:
            raise self.deadline_exceeded()
        self._attempts += 1
        sent_at, started = context.clock(), context.monotonic()
        skew = context.skew.seconds  # another call may change it while this one waits
        more = (
            ("amz-sdk-invocation-id", self._id),
            ("amz-sdk-request", f"{self._ttl}attempt={self._counted}; max={self._retries.max_attempts}"),
            *self._more_headers,
        )
        headers, head = context.heads.sign(
            operation,
            self._target,
            self._body,
            more,
            credentials=credentials,
            now=sent_at + skew,
            canonical=self._is_canonical,
        )
        request = Request(
            operation.method,
            context.endpoint,
            self._target,
            headers,
            self._body,
            context.timeout if left == math.inf else limit_timeout(context.timeout, left),
            self._deadline,
            operation.repeatable,
            head,
        )
        redact = context.redaction.for_request(credentials, headers)
        return _Attempt(request, self._attempts, queued, credentials, skew, sent_at, started, redact)

    def output(self, attempt: _Attempt, response: Response) -> OutputT:
        """Return the call's output.

        Raises:
            ServiceError, ResponseError: the response is an error, or a success that is not this operation's output.
        """
        now = self._context.clock() + self._context.skew.seconds
        output = rest_json.decode(self._operation, response, attempts=attempt.number, now=now, redact=attempt.redact)
        self._retries.succeeded()
        if self.limiter is not None:
            self.limiter.update(self._context.monotonic(), throttled=False)
        self._report(attempt, response.status, output.metadata.request_id, None, None)
        self._report_call(None)
        return output

    def failed(self, error: BaseException) -> None:
        """Report that the call ended with an error, and put the token into it."""
        if self._token is not None and isinstance(error, NovaActError):
            error.client_token = self._token
        if self._context.on_call is not None:
            traceback_scrubbing.clear(error)  # the user's hook gets it
        self._report_call(error)

    def wait_after(self, attempt: _Attempt, failure: Failure) -> float | None:
        """Return how many seconds to wait before the next attempt, or None to raise the failure.

        Raises:
            DeadlineExceeded: there is no time for the next attempt, or there was too little for this one.
        """
        failure.attempts = attempt.number
        if isinstance(failure, TransportError):
            _hide_secrets(attempt, failure)
            self._may_have_been_received |= failure.request_sent
            status_code, request_id = None, None
        else:
            self._may_have_been_received = True
            status_code, request_id = failure.status_code, failure.request_id
        if self.limiter is not None:
            self.limiter.update(self._context.monotonic(), throttled=is_throttling(self._operation, failure))
        wait = self._retry_in(attempt, failure)
        needs_time = isinstance(failure, TransportTimeout) or wait is not None
        if isinstance(failure, DeadlineExceeded) and self._limit is not None:
            needs_time = True  # for its text, which a transport does not know
        if wait is None and may_be_done(self._operation, failure):
            failure._remark += _NOT_REPEATED  # noqa: SLF001 - for its text
        out_of_time = needs_time and self._left() <= (wait or 0.0)
        self._report(attempt, status_code, request_id, failure, None if out_of_time else wait)
        if out_of_time:
            raise self.deadline_exceeded() from failure
        return wait

    def _retry_in(self, attempt: _Attempt, failure: Failure) -> float | None:
        if isinstance(failure, DeadlineExceeded):
            return None
        if not isinstance(failure, TransportError):
            date = parse_date(failure.headers.get("date", ""))
            if date is not None:
                self._ttl = f"ttl={amz_date(date + self._context.timeout.read)}; "
                if isinstance(failure, ServiceError) and self._corrects_clock(attempt, failure, date):
                    return 0.0
            if isinstance(failure, ServiceError) and self._renews_credentials(attempt, failure):
                return 0.0
        return self._retries.delay(self._operation, failure, self._counted, left=self._left())

    @property
    def _counted(self) -> int:
        """The number of the attempt, as the retry policy counts."""
        return self._attempts - self._clock_corrections - self._renewals

    def _renews_credentials(self, attempt: _Attempt, error: ServiceError) -> bool:
        """Ask for other credentials if the service calls these expired, at most once a call; return whether it did."""
        if not self._context.renews_credentials or self._renewals or not error.code.startswith(_EXPIRED):
            return False
        self._refused = attempt.credentials
        self._renewals = 1
        return True

    def _corrects_clock(self, attempt: _Attempt, error: ServiceError, date: float) -> bool:
        """Learn the clock skew if it explains the error, at most once a call; return whether it did.

        If it explains the error and is not learnt, the error tells it.
        """
        context = self._context
        seconds = context.skew.explanation(
            error, date, sent_at=attempt.sent_at, received_at=context.clock(), signed_with=attempt.skew
        )
        if seconds is None:
            return False
        if context.correct_clock_skew and not self._clock_corrections and context.skew.learn(seconds):
            self._clock_corrections = 1
            return True
        error.clock_skew, error._remark = seconds, f"; {describe(seconds, date)}"  # noqa: SLF001 - for its text
        return False

    def _left(self) -> float:
        """Return the seconds until the deadline."""
        return math.inf if self._deadline is None else self._deadline - self._context.monotonic()

    def deadline_exceeded(self) -> DeadlineExceeded:
        """Return the error for a call that has no time left."""
        limit = f"Timeout.total allows it {self._context.timeout.total} s in all"
        if self._limit is not None and self._limit.deadline == self._deadline:
            limit = self._limit.text
        return DeadlineExceeded(
            f"{self._operation.name} has no time left for its next step: {limit}",
            request_sent=self._may_have_been_received,
            attempts=self._attempts,
        )

    def _report(
        self,
        attempt: _Attempt,
        status_code: int | None,
        request_id: str | None,
        error: Failure | None,
        wait: float | None,
    ) -> None:
        if self._began is not None:
            self._last_status, self._last_request_id = (
                status_code or self._last_status,
                request_id or self._last_request_id,
            )
        hook, logs = self._context.on_attempt, shows_debug_lines()
        if hook is None and not logs:
            return
        from novaact_http import attempts

        report = attempts.Attempt(
            operation=self._operation.name,
            number=attempt.number,
            status_code=status_code,
            request_id=request_id,
            error=error,
            milliseconds=(self._context.monotonic() - attempt.started) * 1000,
            wait=wait,
            queued=attempt.queued,
            call_id=self._id,
            started=attempt.sent_at,
            throttled=error is not None and is_throttling(self._operation, error),
        )
        if logs:
            attempts.log_attempt(report)
        if hook is not None:
            attempts.tell(hook, "on_attempt", report)

    def _report_call(self, error: BaseException | None) -> None:
        """Report the call, once. It ended with this error, or with a success."""
        hook, began = self._context.on_call, self._began
        if hook is None or began is None:
            return
        self._began = None
        from novaact_http import attempts

        report = attempts.CallReport(
            operation=self._operation.name,
            region=self._context.region,
            endpoint=self._context.endpoint.url,
            call_id=self._id,
            attempts=self._attempts,
            started=began[0],
            milliseconds=(self._context.monotonic() - began[1]) * 1000,
            status_code=self._last_status,
            request_id=self._last_request_id,
            error=error,
        )
        attempts.tell(hook, "on_call", report)


def _hide_secrets(attempt: _Attempt, failure: TransportError) -> None:
    """Blank out secrets: a transport may quote the header that it cannot send, or what it cannot read."""
    message = attempt.redact(failure.args[0])
    if message != failure.args[0]:
        failure.args = (message,)
        failure.__cause__ = failure.__context__ = None  # the secret is in there too


def limit_timeout(timeout: Timeout, left: float) -> Timeout:
    """Return the limits of an attempt that must end within the seconds that are left."""
    if left >= timeout.read and left >= timeout.connect:
        return timeout
    return Timeout(connect=min(timeout.connect, left), read=min(timeout.read, left), total=timeout.total)
