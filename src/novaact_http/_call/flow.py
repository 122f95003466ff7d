"""One call as a generator: all that is decided about a call is decided here, and nothing here waits or connects.

The generator yields what it needs and is told the result: `GetCredentials` (answered with `Credentials`), a
`Request` (answered with a `Response`), `Sleep` (answered with None). What goes wrong is thrown in. It
returns the operation's output, or raises a `NovaActError`. `Client` and `AsyncClient` are two drivers of it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import attrs

from novaact_http._call import parameters, rest_json
from novaact_http._call.messages import Endpoint, Headers, Request, Response
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._call.retries import Quota, Retries, is_throttling
from novaact_http._call.sigv4 import Scope, Signer, amz_date
from novaact_http._support import percent_encoding, traceback_scrubbing
from novaact_http._support.http_dates import parse_date
from novaact_http._version import __version__
from novaact_http.attempts import Attempt, is_wanted, report
from novaact_http.config import Credentials, RetryPolicy, Timeout
from novaact_http.errors import DeadlineExceeded, ResponseError, ServiceError, TransportError, TransportTimeout

if TYPE_CHECKING:
    from novaact_http._operations.shapes import Operation, Output

    Failure = TransportError | ServiceError | ResponseError

OutputT = TypeVar("OutputT", bound="Output")

SERVICE = "nova-act"

# AWS's have 40 characters and more. Shorter ones are stand-ins in tests: blanking out each "b" would garble all text.
_SHORTEST_SECRET = 8

# What a wrong clock makes the service say; some of it has other causes too.
_SKEW_CODES = frozenset(
    {
        "AuthFailure",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
_TOLERATED_SKEW = 4 * 60  # seconds; AWS refuses requests from 5 minutes on
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


class ClockSkew:
    """How many seconds the service's clock is ahead of this machine's, as learnt from its responses; 0 until then."""

    def __init__(self) -> None:
        self.seconds = 0.0


class Redaction:
    """Blanks out a request's secrets where the service echoes them, as it does in a signature mismatch."""

    def __init__(self) -> None:
        # The last credentials and how they are spelt: a client has one set of them at a time. Replaced whole, so that
        # threads need no lock.
        self._last: tuple[Credentials, tuple[str, ...]] | None = None

    def of(self, credentials: Credentials, signed: Headers) -> rest_json.Redact:
        """What blanks out these credentials' secrets, and the signature."""
        last = self._last
        if last is None or last[0] is not credentials:
            self._last = last = (
                credentials,
                _spellings(credentials.secret_access_key, credentials.session_token or ""),
            )
        spellings = last[1]
        signatures = [value.rpartition("Signature=")[2] for name, value in signed if name == "Authorization"]
        spellings += tuple([each for each in signatures if len(each) >= _SHORTEST_SECRET])

        def redact(text: str) -> str:
            for spelling in spellings:
                text = text.replace(spelling, "***")
            return text

        return redact


def _spellings(*secrets: str) -> tuple[str, ...]:
    """The secrets as they are, and as JSON and URLs may spell them."""
    known = [each for each in secrets if len(each) >= _SHORTEST_SECRET]
    return tuple({spelt for each in known for spelt in (each, each.replace("/", "\\/"), percent_encoding.encode(each))})


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
        if this.limiter is not None:
            yield from this.turn(this.limiter)
        try:
            credentials: Credentials = yield this.credentials()
        except DeadlineExceeded as error:
            raise this.deadline_exceeded() from error
        request = this.request(credentials)
        try:
            response: Response = yield request
            return this.output(response)
        except (TransportError, ServiceError, ResponseError) as failure:
            traceback_scrubbing.clear(failure)  # the user's hook is told of it
            wait = this.wait_after(failure)
            if wait is None:
                raise
        yield Sleep(wait)


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
        self._queued = 0.0
        # Attempts besides those that the policy counts, one each at most.
        self._clock_corrections = 0
        self._renewals = 0
        self._refused: Credentials | None = None
        self._ttl = ""
        self._may_have_been_received = False

    def turn(self, limiter: RateLimiter) -> Generator[Sleep, None, None]:
        """Wait until the next attempt may be sent.

        Raises:
            DeadlineExceeded: there is no time for that.
        """
        monotonic = self._context.monotonic
        self._queued = 0.0
        began = monotonic()
        if not limiter.acquire(began):
            return
        place = None
        try:
            place = limiter.join()
            while wait := limiter.acquire(monotonic(), place):
                if wait >= self._left():
                    raise self.deadline_exceeded()
                yield Sleep(wait)
            self._queued = monotonic() - began
        finally:
            if place is not None:  # pragma: no branch - an interruption may come before it has one
                limiter.leave()

    def credentials(self) -> GetCredentials:
        """What to ask for before the next attempt."""
        refused, self._refused = self._refused, None
        return GetCredentials(refused=refused, deadline=self._deadline)

    def request(self, credentials: Credentials) -> Request:
        """The request of the next attempt, signed anew.

        Raises:
            DeadlineExceeded: there is no time left to send it.
        """
        context, endpoint = self._context, self._context.endpoint
        left = self._left()
        if left <= 0:
            raise self.deadline_exceeded()
        self._attempts += 1
        self._credentials = credentials
        self._sent_at, self._started = context.clock(), context.monotonic()
        self._skew = context.skew.seconds  # another call may learn it anew while this one waits
        signed = context.signer.sign(
            self._operation.method,
            self._target,
            (("Host", endpoint.authority), ("Content-Type", rest_json.CONTENT_TYPE)),
            self._body,
            credentials=credentials,
            scope=context.scope,
            now=self._sent_at + self._skew,
        )
        self._redact = context.redaction.of(credentials, signed)
        # The rest is not signed, as proxies may change it: AWS's own SDKs leave out the same.
        headers = (
            *signed,
            ("Accept-Encoding", "identity"),
            ("User-Agent", context.user_agent),
            ("amz-sdk-invocation-id", self._invocation_id),
            ("amz-sdk-request", f"{self._ttl}attempt={self._number}; max={self._retries.max_attempts}"),
            ("Content-Length", str(len(self._body))),
        )
        return Request(
            method=self._operation.method,
            endpoint=endpoint,
            target=self._target,
            headers=headers,
            body=self._body,
            timeout=within(context.timeout, left),
            deadline=self._deadline,
            repeatable=self._operation.read_only,
        )

    def output(self, response: Response) -> OutputT:
        """What the call returns.

        Raises:
            ServiceError, ResponseError: the response is not one of success.
        """
        now = self._context.clock() + self._context.skew.seconds
        output = rest_json.decode(self._operation, response, attempts=self._attempts, now=now, redact=self._redact)
        self._retries.succeeded()
        if self.limiter is not None:
            self.limiter.update(self._context.monotonic(), throttled=False)
        self._report(response.status, output.metadata.request_id, None, None)
        return output

    def wait_after(self, failure: Failure) -> float | None:
        """Seconds to wait before the next attempt, or None to raise the failure.

        Raises:
            DeadlineExceeded: there is no time for the next attempt, or there was too little for this one.
        """
        failure.attempts = self._attempts
        if isinstance(failure, TransportError):
            self._hide_secrets(failure)
            self._may_have_been_received |= failure.request_sent
            status_code, request_id = None, None
        else:
            self._may_have_been_received = True
            status_code, request_id = failure.status_code, failure.request_id
        if self.limiter is not None:
            self.limiter.update(self._context.monotonic(), throttled=is_throttling(self._operation, failure))
        wait = self._retry_in(failure)
        starved = isinstance(failure, TransportTimeout) or wait is not None
        out_of_time = starved and self._left() <= (wait or 0.0)
        self._report(status_code, request_id, failure, None if out_of_time else wait)
        if out_of_time:
            raise self.deadline_exceeded() from failure
        return wait

    def _hide_secrets(self, failure: TransportError) -> None:
        """A transport may quote the header that it cannot send, or what it cannot read."""
        message = self._redact(failure.args[0])
        if message != failure.args[0]:
            failure.args = (message,)
            failure.__cause__ = failure.__context__ = None  # that is where it stands

    def _retry_in(self, failure: Failure) -> float | None:
        if isinstance(failure, DeadlineExceeded):
            return None
        if not isinstance(failure, TransportError):
            date = parse_date(failure.headers.get("date", ""))
            if date is not None:
                self._ttl = f"ttl={amz_date(date + self._context.timeout.read)}; "
                if isinstance(failure, ServiceError) and self._corrects_clock(failure, date):
                    return 0.0
            if isinstance(failure, ServiceError) and self._renews_credentials(failure):
                return 0.0
        return self._retries.delay(self._operation, failure, self._number, left=self._left())

    @property
    def _number(self) -> int:
        """The number of the attempt, as the policy counts."""
        return self._attempts - self._clock_corrections - self._renewals

    def _renews_credentials(self, error: ServiceError) -> bool:
        """Ask for others if the service calls these expired, and this call has not done so before."""
        if not self._context.renews_credentials or self._renewals or not error.code.startswith(_EXPIRED):
            return False
        self._refused = self._credentials
        self._renewals = 1
        return True

    def _corrects_clock(self, error: ServiceError, date: float) -> bool:
        """Learn the skew if it is what the service complains of, and this call has not done so before."""
        context = self._context
        if not context.correct_clock_skew or self._clock_corrections or error.code not in _SKEW_CODES:
            return False
        skew = date - (self._sent_at + context.clock()) / 2
        if "age" in error.headers or abs(skew - self._skew) <= _TOLERATED_SKEW:
            return False  # an answer out of a cache tells no time; and a clock that is right needs no correction
        context.skew.seconds = skew
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
        self, status_code: int | None, request_id: str | None, error: Failure | None, wait: float | None
    ) -> None:
        hook = self._context.on_attempt
        if not is_wanted(hook):
            return
        report(
            Attempt(
                operation=self._operation.name,
                number=self._attempts,
                status_code=status_code,
                request_id=request_id,
                error=error,
                milliseconds=(self._context.monotonic() - self._started) * 1000,
                wait=wait,
                queued=self._queued,
            ),
            hook,
        )


def within(timeout: Timeout, left: float) -> Timeout:
    """The limits of an attempt for which so many seconds are left."""
    if left >= timeout.read and left >= timeout.connect:
        return timeout
    return Timeout(connect=min(timeout.connect, left), read=min(timeout.read, left), total=timeout.total)


def user_agent(app_id: str) -> str:
    """What a client calls itself; the application's id is part of it, if there is one."""
    # The form of AWS's SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-application-id.html
    # `platform` would tell more about the OS, but importing it costs more than the rest of this module.
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    python = ".".join(map(str, sys.version_info[:3]))
    implementation = {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, sys.implementation.name)
    return f"novaact-http/{__version__} ua/2.1 os/{system} lang/python#{python} md/pyimpl#{implementation}" + (
        f" app/{app_id}" if app_id else ""
    )
