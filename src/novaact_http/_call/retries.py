"""Whether to retry, and how long to wait before that. Pure: randomness is an argument.

This is AWS's standard mode, as in botocore 1.44. Adaptive mode limits the rate of sending too (see `rate_limiter`).
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
Two things are added: `Retry-After` is waited for, and a success that is not a valid response is retried like an error.
A request that is not repeatable is repeated only if it was certainly not sent, or if the service says that it did
nothing. After an error about a certificate none is repeated, as the same certificate comes back.
"""

from __future__ import annotations

import math
import re
import threading
from typing import TYPE_CHECKING

from novaact_http._operations.service_errors import ERRORS
from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.errors import ConfigurationError, InternalServerException, ResponseError, ServiceError, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._operations.shapes import Operation, Output
    from novaact_http.config import RetryPolicy

    Failure = TransportError | ServiceError | ResponseError

_TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"})
_TRANSIENT_STATUSES = frozenset({500, 502, 503, 504})
_THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

# The class of the error, or the `reason` of an `ssl.SSLError`: an alert of the peer, which refused a certificate.
_ABOUT_CERTIFICATE = "SSLCertVerificationError|CERTIFICATE|UNKNOWN_CA"

# Seconds.
_SCALE, _THROTTLING_SCALE = 0.05, 1.0
_LONGEST_BACKOFF = 20.0
_LONGEST_RETRY_AFTER = 20.0
_MOST_ADDED_BY_AMZ_RETRY_AFTER = 5.0

# Tokens.
_CAPACITY = 500
_COST, _THROTTLING_COST = 14, 5
_EARNED_WITHOUT_RETRY = 1


class Quota:
    """The tokens that retries cost. All calls of a client share them, so that in an outage they run out.

    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._left = _CAPACITY
        self._lock = threading.RLock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def acquire(self, amount: int) -> bool:
        """Take the tokens if enough are left, and return whether they were."""
        with self._lock:
            if amount > self._left:
                return False
            self._left -= amount
            return True

    def release(self, amount: int) -> None:
        """Give tokens back, but never more than there were at the start."""
        if self._left == _CAPACITY:  # as nearly always
            return
        with self._lock:
            self._left = min(self._left + amount, _CAPACITY)


class Retries:
    """The retries of one call.

    Args:
        policy: the client's retry policy.
        quota: the client's quota.

    Attributes:
        max_attempts: how many attempts the call may take at most, the first one included.
    """

    def __init__(self, policy: RetryPolicy, quota: Quota) -> None:
        self._policy = policy
        self._quota = quota
        self._paid: int | None = None
        self.max_attempts = 1 if policy.mode == "off" else policy.max_attempts

    def delay(
        self, operation: Operation[Output], failure: Failure, attempt: int, *, left: float = math.inf
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up and raise the failure.

        Args:
            operation: what was called.
            failure: how this attempt failed.
            attempt: the number of this attempt, from 1.
            left: how many seconds the call has left. If the wait is not shorter, it costs no tokens, as the call ends.
        """
        if attempt >= self.max_attempts or not is_retryable(operation, failure):
            return None
        throttled = is_throttling(operation, failure)
        scale = _THROTTLING_SCALE if throttled else _SCALE
        # A large power of 2.0 would overflow. The backoff stops growing long before.
        backoff = random_number(self._policy) * min(scale * 2.0 ** min(attempt - 1, 64), _LONGEST_BACKOFF)
        wait = (
            backoff
            if isinstance(failure, TransportError)
            else _with_retry_after(failure.headers, failure.retry_after, backoff)
        )
        if wait < left:
            cost = _THROTTLING_COST if throttled else _COST
            if not self._quota.acquire(cost):
                return None
            self._paid = cost
        return wait

    def succeeded(self) -> None:
        """Give back what the last retry cost, or one token if the call had no retry."""
        self._quota.release(_EARNED_WITHOUT_RETRY if self._paid is None else self._paid)


def random_number(policy: RetryPolicy) -> float:
    """Return a number of the policy's `rng`, which is checked here, as a policy that only is made must not take one.

    Raises:
        ConfigurationError: it is not a number from 0 to 1.
    """
    problem = "returned no number from 0 to 1"
    try:
        number = float(policy.rng())
        if 0.0 <= number <= 1.0:
            return number
        cause = None
    except Exception as error:  # noqa: BLE001 - it is the user's function
        problem, cause = f"{problem} ({type(error).__name__}: {error})", error
    raise ConfigurationError(
        problem, setting="retries", source="RetryPolicy.rng", advice="use one such as random.random"
    ) from cause


def is_retryable(operation: Operation[Output], failure: Failure) -> bool:
    """Tell whether an attempt that failed so may be made again."""
    if isinstance(failure, TransportError):
        return (operation.repeatable or not failure.request_sent) and not _is_about_certificate(failure)
    if isinstance(failure, ResponseError):
        return operation.repeatable
    return not may_be_done(operation, failure) and (
        failure.code in _TRANSIENT_CODES
        or failure.status_code in _TRANSIENT_STATUSES
        or (failure.code in operation.errors and ERRORS[failure.code].retryable is not None)
        or is_throttling(operation, failure)
    )


def may_be_done(operation: Operation[Output], failure: Failure) -> bool:
    """Tell whether the service may have carried out a request that must not be carried out twice."""
    if operation.repeatable:
        return False
    if isinstance(failure, TransportError):
        return failure.request_sent
    if isinstance(failure, ResponseError):
        return True
    if is_throttling(operation, failure):
        return False
    if isinstance(failure, InternalServerException):
        return failure.reason is not None  # without a reason the model calls it retryable
    return failure.status_code >= 500 or failure.code in _TRANSIENT_CODES


def _is_about_certificate(failure: TransportError) -> bool:
    """Tell whether a certificate was refused: the server's or proxy's here, or this machine's there."""
    error: BaseException | None = failure
    while error is not None:
        # By its name, as ssl takes 8 ms to import.
        if re.search(_ABOUT_CERTIFICATE, f"{type(error).__name__} {getattr(error, 'reason', '')}"):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_throttling(operation: Operation[Output], failure: Failure) -> bool:
    """Tell whether the service says that there are too many requests."""
    if not isinstance(failure, ServiceError):
        return False
    if failure.code in _THROTTLING_CODES:
        return True
    if failure.code in operation.errors:  # the model decides, whatever the status
        return ERRORS[failure.code].retryable == "throttling"
    return failure.status_code == 429


def _with_retry_after(headers: Mapping[str, str], retry_after: float | None, backoff: float) -> float:
    """Return the backoff, or the wait that the service asks for if that is longer, up to a limit."""
    delay = backoff
    milliseconds = headers.get("x-amz-retry-after", "")
    if milliseconds.isdecimal():  # float, as it reads a number of any length at once; the longest become infinite
        delay = max(delay, min(float(milliseconds) / 1000, backoff + _MOST_ADDED_BY_AMZ_RETRY_AFTER))
    if retry_after is not None:
        delay = max(delay, min(retry_after, _LONGEST_RETRY_AFTER))
    return delay
