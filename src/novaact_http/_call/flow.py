"""One call as a generator: all that is decided about a call is decided here, and nothing here waits or connects.

The generator yields what it needs and is told the result: `GetCredentials` (answered with `Credentials`), a
`Request` (answered with a `Response`), `Sleep` (answered with None). What goes wrong is thrown in. It
returns the operation's output, or raises a `NovaActError`. `Client` and `AsyncClient` are two drivers of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import attrs

from novaact_http._call import parameters, rest_json
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.messages import Endpoint, Request, Response
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._call.redaction import Redaction
from novaact_http._call.retries import Quota, Retries, is_throttling
from novaact_http._call.sigv4 import Scope, Signer, amz_date
from novaact_http._support import traceback_scrubbing
from novaact_http._support.http_dates import parse_date
from novaact_http.attempts import Attempt, is_wanted, report
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import DeadlineExceeded, ResponseError, ServiceError, TransportError, TransportTimeout

if TYPE_CHECKING:
    from novaact_http._call.redaction import Redact
    from novaact_http._operations.shapes import Operation, Output

    Failure = TransportError | ServiceError | ResponseError

OutputT = TypeVar("OutputT", bound="Output")

SERVICE = "nova-act"

_EXPIRED = "ExpiredToken"  # and ExpiredTokenException: of the session token


class GetCredentials(NamedTuple):
    """Asks for credentials that are good now; asked for anew before every attempt.

    Attributes:
        refused: those that the service calls expired, and that will not do, or None.
        deadline: until when they are waited for, by `time.monotonic`; None for no limit.
    """

    refused: Credentials | None = None
    deadline: float | None = None


class Sleep(NamedTuple):
    """Asks to wait: before the next attempt, or in adaptive mode for the call's turn."""

    seconds: float


Need = GetCredentials | Request | Sleep
Flow = Generator[Need, Any, OutputT]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Context:
    """What all calls of a client have in common. Time and randomness come in here.

    Attributes:
        endpoint: where requests go.
        region: that signatures are for.
        limiter: used by calls in adaptive mode, and on the clock `monotonic`.
        skew: used by all calls, and learnt by them if `correct_clock_skew`.
        clock: seconds since the epoch.
        monotonic: seconds since some moment, on a clock that nobody sets.
        new_invocation_id: a fresh UUID, as text.
        user_agent: see `user_agent`.
        on_attempt: the user's hook, or None.
        renews_credentials: may there be others, once the service calls some expired?
        scope: of all signatures.
        redaction: of what the service echoes.
    """

    endpoint: Endpoint
    region: str
    timeout: Timeout
    signer: Signer
    retries: RetryPolicy
    quota: Quota
    limiter: RateLimiter
    skew: ClockSkew
    correct_clock_skew: bool
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    new_invocation_id: Callable[[], str]
    user_agent: str
    on_attempt: Callable[[Attempt], object] | None
    renews_credentials: bool
    scope: Scope = attrs.field(init=False)
    redaction: Redaction = attrs.field(factory=Redaction)

    @scope.default
    def _(self) -> Scope:
        return Scope(self.region, SERVICE)


def call(context: Context, operation: Operation[OutputT], arguments: Mapping[str, object]) -> Flow[OutputT]:
    """Call an operation.

    Args:
        context: the client's.
        operation: what to call.
        arguments: by Python name; None for those not given.

    Raises:
        ParameterError: bad arguments; nothing was asked for.
        NovaActError: whatever the call ends with, once there are no more attempts, or no more time.
    """
    parameters.check(operation.name, operation.inputs, arguments)
    this = _Call(context, operation, arguments)
    while True:
        queued = 0.0 if this.limiter is None else (yield from this.turn(this.limiter))
        try:
            credentials: Credentials = yield this.credentials()
        except DeadlineExceeded as error:
            raise this.deadline_exceeded() from error
        attempt = this.attempt(credentials, queued)
        try:
            response: Response = yield attempt.request
            return this.output(attempt, response)
        except (TransportError, ServiceError, ResponseError) as failure:
            traceback_scrubbing.clear(failure)  # the user's hook is told of it
            wait = this.wait_after(attempt, failure)
            if wait is None:
                raise
        yield Sleep(wait)


class _Attempt:
    """One attempt of a call: its request, and what judges the response.

    Attributes:
        request: the signed request.
        number: of the attempt in its call, from 1.
        queued: seconds that it waited for its turn, in adaptive mode.
        credentials: what the request is signed with.
        skew: the clock skew that the request is signed with, in seconds.
        sent_at: when it was sent, in seconds since the epoch.
        started: the same moment on the monotonic clock.
        redact: blanks out the request's secrets.
    """

    __slots__ = ("credentials", "number", "queued", "redact", "request", "sent_at", "skew", "started")

    def __init__(
        self,
        *,
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
    """One call under way: what it sends, and what it makes of what comes back."""

    def __init__(self, context: Context, operation: Operation[OutputT], arguments: Mapping[str, object]) -> None:
        self._context = context
        self._operation = operation
        self._invocation_id = context.new_invocation_id()
        self._retries = Retries(context.retries, context.quota)
        self.limiter = context.limiter if context.retries.mode == "adaptive" else None
        path, query, self._body = rest_json.encode(operation, arguments)
        endpoint = context.endpoint
        query = "&".join(filter(None, (endpoint.query, query)))
        self._target = f"{endpoint.path}{path}{'?' if query else ''}{query}"
        total = context.timeout.total
        self._deadline = None if total is None else context.monotonic() + total
        self._attempts = 0
        # Attempts besides those that the policy counts, one each at most.
        self._clock_corrections = 0
        self._renewals = 0
        self._refused: Credentials | None = None
        self._ttl = ""
        self._may_have_been_received = False

    def turn(self, limiter: RateLimiter) -> Generator[Sleep, None, float]:
        """Wait until the next attempt may be sent; return how many seconds that took.

        Raises:
            DeadlineExceeded: there is no time for that.
        """
        monotonic = self._context.monotonic
        began = monotonic()
        if not limiter.acquire(began):
            return 0.0
        place = None
        try:
            place = limiter.join()
            while wait := limiter.acquire(monotonic(), place):
                if wait >= self._left():
                    raise self.deadline_exceeded()
                yield Sleep(wait)
            return monotonic() - began
        finally:
            if place is not None:  # pragma: no branch - an interruption may come before it has one
                limiter.leave()

    def credentials(self) -> GetCredentials:
        """What to ask for before the next attempt."""
        refused, self._refused = self._refused, None
        return GetCredentials(refused=refused, deadline=self._deadline)

    def attempt(self, credentials: Credentials, queued: float) -> _Attempt:
        """The next attempt, signed anew.

        Raises:
            DeadlineExceeded: there is no time left to send it.
        """
        context, endpoint, operation = self._context, self._context.endpoint, self._operation
        left = self._left()
        if left <= 0:
            raise self.deadline_exceeded()
        self._attempts += 1
        sent_at, started = context.clock(), context.monotonic()
        skew = context.skew.seconds  # another call may learn it anew while this one waits
        signed = context.signer.sign(
            operation.method,
            self._target,
            (("Host", endpoint.authority), ("Content-Type", rest_json.CONTENT_TYPE)),
            self._body,
            credentials=credentials,
            scope=context.scope,
            now=sent_at + skew,
        )
        # The rest is not signed, as proxies may change it: AWS's own SDKs leave out the same.
        headers = (
            *signed,
            ("Accept-Encoding", "identity"),
            ("User-Agent", context.user_agent),
            ("amz-sdk-invocation-id", self._invocation_id),
            ("amz-sdk-request", f"{self._ttl}attempt={self._counted}; max={self._retries.max_attempts}"),
            ("Content-Length", str(len(self._body))),
        )
        request = Request(
            method=operation.method,
            endpoint=endpoint,
            target=self._target,
            headers=headers,
            body=self._body,
            timeout=limit_timeout(context.timeout, left),
            deadline=self._deadline,
            repeatable=operation.read_only,
        )
        return _Attempt(
            request=request,
            number=self._attempts,
            queued=queued,
            credentials=credentials,
            skew=skew,
            sent_at=sent_at,
            started=started,
            redact=context.redaction.for_request(credentials, signed),
        )

    def output(self, attempt: _Attempt, response: Response) -> OutputT:
        """What the call returns.

        Raises:
            ServiceError, ResponseError: the response is not one of success.
        """
        now = self._context.clock() + self._context.skew.seconds
        output = rest_json.decode(self._operation, response, attempts=attempt.number, now=now, redact=attempt.redact)
        self._retries.succeeded()
        if self.limiter is not None:
            self.limiter.update(self._context.monotonic(), throttled=False)
        self._report(attempt, response.status, output.metadata.request_id, None, None)
        return output

    def wait_after(self, attempt: _Attempt, failure: Failure) -> float | None:
        """Seconds to wait before the next attempt, or None to raise the failure.

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
        starved = isinstance(failure, TransportTimeout) or wait is not None
        out_of_time = starved and self._left() <= (wait or 0.0)
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
        """The number of the attempt, as the policy counts."""
        return self._attempts - self._clock_corrections - self._renewals

    def _renews_credentials(self, attempt: _Attempt, error: ServiceError) -> bool:
        """Ask for others if the service calls these expired, and this call has not done so before."""
        if not self._context.renews_credentials or self._renewals or not error.code.startswith(_EXPIRED):
            return False
        self._refused = attempt.credentials
        self._renewals = 1
        return True

    def _corrects_clock(self, attempt: _Attempt, error: ServiceError, date: float) -> bool:
        """Learn the skew if it is what the service complains of, and this call has not done so before."""
        context = self._context
        if not context.correct_clock_skew or self._clock_corrections:
            return False
        now = context.clock()
        if not context.skew.learn(error, date, sent_at=attempt.sent_at, received_at=now, signed_with=attempt.skew):
            return False
        self._clock_corrections = 1
        return True

    def _left(self) -> float:
        """Seconds until the deadline."""
        return math.inf if self._deadline is None else self._deadline - self._context.monotonic()

    def deadline_exceeded(self) -> DeadlineExceeded:
        """What is raised when there is no time left."""
        return DeadlineExceeded(
            f"{self._operation.name} was given {self._context.timeout.total} s in all; they are over, or too few "
            "for what comes next",
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
        hook = self._context.on_attempt
        if not is_wanted(hook):
            return
        report(
            Attempt(
                operation=self._operation.name,
                number=attempt.number,
                status_code=status_code,
                request_id=request_id,
                error=error,
                milliseconds=(self._context.monotonic() - attempt.started) * 1000,
                wait=wait,
                queued=attempt.queued,
            ),
            hook,
        )


def _hide_secrets(attempt: _Attempt, failure: TransportError) -> None:
    """A transport may quote the header that it cannot send, or what it cannot read."""
    message = attempt.redact(failure.args[0])
    if message != failure.args[0]:
        failure.args = (message,)
        failure.__cause__ = failure.__context__ = None  # that is where it stands


def limit_timeout(timeout: Timeout, left: float) -> Timeout:
    """The limits of an attempt for which so many seconds are left."""
    if left >= timeout.read and left >= timeout.connect:
        return timeout
    return Timeout(connect=min(timeout.connect, left), read=min(timeout.read, left), total=timeout.total)
