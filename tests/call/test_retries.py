"""Retries compared with botocore's standard mode on generated sequences of failures, and our intended differences."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import ConfigurationError, RetryPolicy
from novaact_http._call import retries as retry_rules
from novaact_http._call.http_messages import Response
from novaact_http._call.retries import Quota, Retries
from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.errors import (
    InternalServerException,
    NovaActError,
    ResponseError,
    ServiceError,
    ThrottlingException,
    TransportError,
    TransportTimeout,
    ValidationException,
)
from tests.helpers.answers import response
from tests.helpers.boto3_oracle import RetryingBoto3
from tests.helpers.flows import context, drive

# The result of an attempt: a response, or how the transport fails.
Result = Response | str

# Our error and botocore's.
FAILURES: dict[str, tuple[NovaActError, BotoCoreError]] = {
    "refused": (
        TransportError("refused", request_sent=False),
        EndpointConnectionError(endpoint_url="http://h", error="refused"),
    ),
    "connect timeout": (
        TransportTimeout("late", request_sent=False),
        ConnectTimeoutError(endpoint_url="http://h", error="late"),
    ),
    "read timeout": (
        TransportTimeout("late", request_sent=True),
        ReadTimeoutError(endpoint_url="http://h", error="late"),
    ),
}

codes = st.sampled_from(
    [
        "",
        "Unknown",
        *ERRORS,
        "RequestTimeout",
        "RequestTimeoutException",
        "PriorRequestNotComplete",
        "Throttling",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
        "SlowDown",
        "EC2ThrottledException",
        "throttling",
    ]
)
amz_retry_after = st.sampled_from(["", "0", "10", "2500", "99999", "-5", "1.5", "soon", "10000000000000"])
failures: st.SearchStrategy[Result] = st.sampled_from(sorted(FAILURES)) | st.builds(
    lambda status, code, after: response(status, {}, code=code, **({"x_amz_retry_after": after} if after else {})),
    st.sampled_from([400, 403, 404, 408, 409, 429, 500, 501, 502, 503, 504, 505, 509]),
    codes,
    amz_retry_after,
)
calls = st.lists(st.lists(failures, max_size=5), min_size=1, max_size=8)


class Boto3s:
    """boto3 in standard mode."""

    def __init__(self, max_attempts: int) -> None:
        self._waits: list[float] = []
        self._requests = 0
        config = Config(retries={"total_max_attempts": max_attempts, "mode": "standard"})
        self._boto3 = RetryingBoto3(config, on_request=self._count, on_wait=self._waits.append)

    def _count(self) -> None:
        self._requests += 1

    def call(self, results: list[Result]) -> tuple[int, list[float], bool]:
        """Return the number of attempts, the waits between them, and whether the call succeeded."""
        self._waits.clear()
        self._requests = 0
        succeeded = self._boto3.call(FAILURES[each][1] if isinstance(each, str) else each for each in results)
        return self._requests, [*self._waits], succeeded


class Ours:
    """Our flow with the same results."""

    def __init__(self, max_attempts: int) -> None:
        self._context = context(retries=RetryPolicy(max_attempts=max_attempts, rng=lambda: 0.5))

    def call(self, results: list[Result]) -> tuple[int, list[float], bool]:
        driven = drive(self._context, (FAILURES[each][0] if isinstance(each, str) else each for each in results))
        return len(driven.requests), driven.waits, driven.error is None


def test_the_codes_and_statuses_that_are_retried_are_botocores() -> None:
    assert set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) == retry_rules._THROTTLING_CODES
    assert set(TransientRetryableChecker._TRANSIENT_ERROR_CODES) == retry_rules._TRANSIENT_CODES
    assert set(TransientRetryableChecker._TRANSIENT_STATUS_CODES) == retry_rules._TRANSIENT_STATUSES


@pytest.mark.newest("retries as AWS's SDKs have them since 2026 came with botocore 1.44")
@given(st.integers(1, 4), calls)
def test_attempts_waits_and_results_equal_botocores(max_attempts: int, sequence: list[list[Result]]) -> None:
    theirs, ours = Boto3s(max_attempts), Ours(max_attempts)
    for results in sequence:
        attempts, waits, succeeded = ours.call(results)
        their_attempts, their_waits, they_succeeded = theirs.call(results)
        assert (attempts, succeeded) == (their_attempts, they_succeeded)
        assert waits == pytest.approx(their_waits)


@pytest.mark.newest("retries as AWS's SDKs have them since 2026 came with botocore 1.44")
@pytest.mark.parametrize(
    "sequence",
    [
        [[response(500, {})] * 3] * 25,
        [[response(429, {})] * 3] * 60,
        [[response(500, {}), response(429, {}, code="Throttling")], [response(503, {})] * 5] * 20,
        [[response(500, {})] * 3] * 18 + [[]] * 13 + [[response(500, {})], [response(500, {})] * 3],
        [["read timeout"] * 3] * 20,
    ],
    ids=["server errors", "throttles", "mixed", "recovered", "timeouts"],
)
def test_the_quota_runs_out_and_recovers_as_botocores_does(sequence: list[list[Result]]) -> None:
    theirs, ours = Boto3s(3), Ours(3)
    got = [ours.call(results) for results in sequence]
    assert got == [theirs.call(results) for results in sequence]
    assert len({attempts for attempts, _, _ in got}) > 1  # the quota did run out


def delay(failure: Any, *, attempt: int = 1, operation: Any = LIST_SESSIONS, rng: float = 0.5) -> float | None:
    return Retries(RetryPolicy(rng=lambda: rng), Quota()).delay(operation, failure, attempt)


ONCE = LIST_SESSIONS.replace(repeatable=False)


def test_a_broken_success_is_retried_if_the_operation_is_repeatable() -> None:
    broken = ResponseError("odd", status_code=200)
    assert delay(broken) == 0.025
    assert delay(broken, operation=ONCE) is None


def test_a_request_that_may_have_been_received_is_repeated_only_if_the_operation_is_repeatable() -> None:
    for sent, repeated in ((True, None), (False, 0.025)):
        lost = TransportError("lost", request_sent=sent)
        assert delay(lost) == 0.025
        assert delay(lost, operation=ONCE) == repeated


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (ThrottlingException(), True),
        (ServiceError(code="SlowDown", status_code=503), True),
        (ServiceError(code="x", status_code=429), True),
        (InternalServerException(), True),
        (InternalServerException(reason="InvalidModelGeneration"), False),
        (ServiceError(code="x", status_code=503), False),
        (ServiceError(code="RequestTimeout", status_code=400), False),
        (ValidationException(), False),
    ],
)
def test_an_error_is_retried_if_it_says_that_nothing_was_done(error: ServiceError, repeated: bool) -> None:
    assert (delay(error, operation=ONCE) is not None) is repeated


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(None, 0.5), (0.0, 0.5), (0.3, 0.5), (7.0, 7.0), (20.0, 20.0), (86_400.0, 20.0)]
)
def test_retry_after_is_waited_for_up_to_a_limit(retry_after: float | None, seconds: float) -> None:
    assert delay(ThrottlingException(retry_after=retry_after)) == seconds


def test_retry_after_counts_with_every_retryable_status() -> None:
    assert delay(ServiceError(code="x", status_code=503, retry_after=3.0)) == 3.0
    assert delay(ServiceError(code="x", status_code=400, retry_after=3.0)) is None


def test_retry_after_counts_with_a_broken_success_too() -> None:
    assert delay(ResponseError("odd", status_code=200, retry_after=3.0)) == 3.0
    assert delay(ResponseError("odd", status_code=200, headers={"x-amz-retry-after": "1000"})) == 1.0


def test_the_longer_of_two_hints_counts() -> None:
    headers = {"x-amz-retry-after": "2000"}
    assert delay(ThrottlingException(retry_after=1.0, headers=headers)) == 2.0
    assert delay(ThrottlingException(retry_after=3.0, headers=headers)) == 3.0


def test_the_backoff_grows_up_to_twenty_seconds() -> None:
    policy = RetryPolicy(max_attempts=10_000, rng=lambda: 1.0)
    waits = [Retries(policy, Quota()).delay(LIST_SESSIONS, ThrottlingException(), n) for n in (1, 2, 3, 5, 6, 9_000)]
    assert waits == [1.0, 2.0, 4.0, 16.0, 20.0, 20.0]


def test_mode_off_is_one_attempt() -> None:
    retries = Retries(RetryPolicy(max_attempts=5, mode="off"), Quota())
    assert retries.max_attempts == 1
    assert retries.delay(LIST_SESSIONS, ThrottlingException(), 1) is None


def test_a_retry_that_does_not_happen_costs_nothing() -> None:
    quota = Quota()
    retries = Retries(RetryPolicy(max_attempts=2), quota)
    assert retries.delay(LIST_SESSIONS, ThrottlingException(), 2) is None
    assert retries.delay(LIST_SESSIONS, ServiceError(code="x", status_code=400), 1) is None
    assert quota.acquire(500)
    assert not quota.acquire(1)


def test_the_quota_is_never_fuller_than_at_the_start() -> None:
    quota = Quota()
    quota.release(100)
    assert quota.acquire(500)
    assert not quota.acquire(1)


def test_the_quota_counts_correctly_in_many_threads() -> None:
    quota = Quota()
    got: list[bool] = []
    barrier = threading.Barrier(8)

    def take() -> None:
        barrier.wait()
        got.extend(quota.acquire(1) for _ in range(100))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(True) == 500


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", -1),
        ("max_attempts", True),
        ("max_attempts", 2.0),
        ("max_attempts", None),
        ("mode", "legacy"),
        ("mode", "STANDARD"),
        ("mode", None),
        ("mode", []),
        ("rng", 0.5),
    ],
)
def test_a_wrong_policy_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"RetryPolicy.{name} is not a"):
        RetryPolicy(**{name: value})
