"""Retries compared with botocore's standard mode on generated sequences of failures, and our intended differences."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

import attrs
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.retries.standard import ExponentialBackoff, ThrottledRetryableChecker, TransientRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import ConfigurationError, RetryPolicy
from novaact_http._call import flow as call_flow
from novaact_http._call import retries as retry_rules
from novaact_http._call.http_messages import Request, Response
from novaact_http._call.retries import Quota, Retries
from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.errors import (
    NovaActError,
    ResponseError,
    ServiceError,
    ThrottlingException,
    TransportError,
    TransportTimeout,
)
from tests.helpers.boto3_oracle import Boto3Wire, boto3_arguments, boto3_client
from tests.helpers.calls import CALL, KEYS
from tests.helpers.flows import context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSResponse

# The result of an attempt: a response, or how the transport fails.
Result = Response | str


def answer(status: int, code: str = "", **headers: str) -> Response:
    fields = {"x-amzn-errortype": code, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Response(status=status, headers=tuple((name, value) for name, value in fields.items() if value), body=b"{}")


PAGE = Response(status=200, headers=(), body=b'{"sessionSummaries": []}')
FAILURES = {
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
    lambda status, code, after: answer(status, code, x_amz_retry_after=after),
    st.sampled_from([400, 403, 404, 408, 409, 429, 500, 501, 502, 503, 504, 505, 509]),
    codes,
    amz_retry_after,
)
calls = st.lists(st.lists(failures, max_size=5), min_size=1, max_size=8)


class Boto3s:
    """boto3 in standard mode with given results. Its jitter is always a half, and its waits are recorded."""

    def __init__(self, max_attempts: int) -> None:
        half = functools.partial(ExponentialBackoff, random=lambda: 0.5)
        with mock.patch("botocore.retries.standard.ExponentialBackoff", half):
            self.client = boto3_client(max_attempts=max_attempts)
        self.client.meta.events.register("before-send.nova-act.*", self._send)
        self.waits: list[float] = []
        self._results: Iterator[Result] = iter(())
        self.sent = 0

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self.sent += 1
        result = next(self._results, PAGE)
        if isinstance(result, str):
            raise FAILURES[result][1]
        return Boto3Wire.response(request.url, result)

    def call(self, results: list[Result]) -> tuple[int, list[float], bool]:
        """Return the number of attempts, the waits between them, and whether the call succeeded."""
        self._results, self.sent = iter(results), 0
        waits: list[float] = []
        with mock.patch("time.sleep", waits.append):
            try:
                self.client.list_sessions(**boto3_arguments(CALL))
            except Exception:  # noqa: BLE001 - however it failed
                return self.sent, waits, False
        return self.sent, waits, True


class Ours:
    """Our flow with the same results."""

    def __init__(self, max_attempts: int) -> None:
        self._context = context(retries=RetryPolicy(max_attempts=max_attempts, rng=lambda: 0.5))

    def call(self, results: list[Result]) -> tuple[int, list[float], bool]:
        flow = call_flow.call(self._context, LIST_SESSIONS, CALL)
        waits: list[float] = []
        remaining, sent = iter(results), 0
        step: Any = flow.send
        value: object = None
        while True:
            try:
                need = step(value)
            except StopIteration:
                return sent, waits, True
            except NovaActError:
                return sent, waits, False
            step, value = flow.send, None
            if isinstance(need, call_flow.GetCredentials):
                value = KEYS
            elif isinstance(need, call_flow.Sleep):
                waits.append(need.seconds)
            else:
                assert isinstance(need, Request)
                sent += 1
                value = next(remaining, PAGE)
                if isinstance(value, str):
                    step, value = flow.throw, FAILURES[value][0]


def test_the_codes_are_botocores() -> None:
    assert set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES) == retry_rules._THROTTLING_CODES
    assert set(TransientRetryableChecker._TRANSIENT_ERROR_CODES) == retry_rules._TRANSIENT_CODES
    assert set(TransientRetryableChecker._TRANSIENT_STATUS_CODES) == retry_rules._TRANSIENT_STATUSES


@pytest.mark.newest("retries as AWS's SDKs have them since 2026 came with botocore 1.44")
@given(st.integers(1, 4), calls)
def test_attempts_waits_and_outcomes_equal_botocores(max_attempts: int, sequence: list[list[Result]]) -> None:
    theirs, ours = Boto3s(max_attempts), Ours(max_attempts)
    for results in sequence:
        (attempts, waits, ended_well), theirs_of_it = ours.call(results), theirs.call(results)
        assert (attempts, ended_well) == (theirs_of_it[0], theirs_of_it[2])
        assert waits == pytest.approx(theirs_of_it[1])


@pytest.mark.newest("retries as AWS's SDKs have them since 2026 came with botocore 1.44")
@pytest.mark.parametrize(
    "sequence",
    [
        [[answer(500)] * 3] * 25,
        [[answer(429)] * 3] * 60,
        [[answer(500), answer(429, "Throttling")], [answer(503)] * 5] * 20,
        [[answer(500)] * 3] * 18 + [[]] * 13 + [[answer(500)], [answer(500)] * 3],
        [["read timeout"] * 3] * 20,
    ],
    ids=["server errors", "throttles", "mixed", "recovered", "timeouts"],
)
def test_the_quota_runs_out_and_recovers_as_botocores(sequence: list[list[Result]]) -> None:
    theirs, ours = Boto3s(3), Ours(3)
    got = [ours.call(results) for results in sequence]
    assert got == [theirs.call(results) for results in sequence]
    assert len({attempts for attempts, _, _ in got}) > 1  # the quota did run out


def delay(failure: Any, *, attempt: int = 1, operation: Any = LIST_SESSIONS, rng: float = 0.5) -> float | None:
    return Retries(RetryPolicy(rng=lambda: rng), Quota()).delay(operation, failure, attempt)


WRITING = attrs.evolve(LIST_SESSIONS, read_only=False)


def test_a_broken_success_is_retried_if_the_operation_only_reads() -> None:
    broken = ResponseError("odd", status_code=200)
    assert delay(broken) == 0.025
    assert delay(broken, operation=WRITING) is None


def test_a_request_that_may_have_been_received_is_repeated_only_if_the_operation_only_reads() -> None:
    for sent, repeated in ((True, None), (False, 0.025)):
        lost = TransportError("lost", request_sent=sent)
        assert delay(lost) == 0.025
        assert delay(lost, operation=WRITING) == repeated


def test_what_the_service_refused_is_repeated_whatever_the_operation() -> None:
    assert delay(ThrottlingException(), operation=WRITING) == 0.5
    assert delay(ServiceError(code="x", status_code=503), operation=WRITING) == 0.025


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(None, 0.5), (0.0, 0.5), (0.3, 0.5), (7.0, 7.0), (20.0, 20.0), (86_400.0, 20.0)]
)
def test_retry_after_is_waited_for_up_to_a_limit(retry_after: float | None, seconds: float) -> None:
    assert delay(ThrottlingException(retry_after=retry_after)) == seconds


def test_retry_after_is_heeded_with_every_retryable_status() -> None:
    assert delay(ServiceError(code="x", status_code=503, retry_after=3.0)) == 3.0
    assert delay(ServiceError(code="x", status_code=400, retry_after=3.0)) is None


def test_retry_after_is_heeded_with_a_broken_success_too() -> None:
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
