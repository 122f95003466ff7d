"""One call as a generator, driven by hand: no socket, no clock, no client."""

from __future__ import annotations

from typing import Any

import pytest

from novaact_http import Credentials, RetryPolicy
from novaact_http._call.flow import GetCredentials, Sleep
from novaact_http._call.http_messages import Request, Response
from novaact_http.errors import (
    CredentialsError,
    NovaActError,
    ParameterError,
    ResponseError,
    ServiceError,
    TransportError,
)
from tests.helpers.answers import response
from tests.helpers.calls import KEYS, TEMPORARY_KEYS
from tests.helpers.flows import attempt, context, drive, finish, new_flow, sent_flow

BROKEN = response(200, {})
DOWN = response(503)
LOST = TransportError("lost", request_sent=True)
THRICE = RetryPolicy(rng=lambda: 0.5)

# With a token that is no part of the error's code, which would be blanked out.
OLD_KEYS = Credentials(access_key_id="ASIAIOSFODNN7EXAMPLE", secret_access_key="secret", session_token="IQoJ" * 9)


def test_a_call_asks_for_credentials_then_sends_then_returns_the_page() -> None:
    flow = new_flow(context())
    assert next(flow) == GetCredentials()
    assert isinstance(flow.send(KEYS), Request)
    output = finish(flow)
    assert output.session_summaries == ()
    assert output.metadata.attempts == 1


def test_bad_arguments_are_refused_before_anything_is_asked_for() -> None:
    with pytest.raises(ParameterError):
        next(new_flow(context(), {}))


def test_every_attempt_is_signed_again_and_counted() -> None:
    flow = new_flow(context(retries=RetryPolicy(max_attempts=4, rng=lambda: 0.5)))
    first = dict(attempt(flow).headers)
    assert flow.throw(LOST) == Sleep(0.025)
    second = dict(attempt(flow, TEMPORARY_KEYS).headers)
    assert flow.send(DOWN) == Sleep(0.05)
    third = dict(attempt(flow).headers)
    assert flow.send(BROKEN) == Sleep(0.1)
    attempt(flow)
    assert finish(flow).metadata.attempts == 4

    attempts = (first, second, third)
    assert [each["amz-sdk-request"] for each in attempts] == [f"attempt={n}; max=4" for n in (1, 2, 3)]
    assert {each["amz-sdk-invocation-id"] for each in attempts} == {"invocation-0"}
    assert "X-Amz-Security-Token" not in first
    assert second["X-Amz-Security-Token"] == TEMPORARY_KEYS.session_token


def test_every_attempt_asks_for_credentials_anew() -> None:
    flow = sent_flow(context(retries=RetryPolicy(max_attempts=4)))
    for failure in (LOST, DOWN, BROKEN):
        wait = flow.throw(failure) if isinstance(failure, Exception) else flow.send(failure)
        assert isinstance(wait, Sleep)
        assert next(flow) == GetCredentials()
        flow.send(KEYS)


def test_an_attempt_takes_the_credentials_at_hand_unless_the_service_called_them_expired() -> None:
    at_hand = [OLD_KEYS, KEYS]
    flow = new_flow(
        context(retries=RetryPolicy(max_attempts=4), renews_credentials=True, credentials_at_hand=lambda: at_hand[0])
    )
    first = next(flow)
    assert isinstance(first, Request)
    assert ("X-Amz-Security-Token", OLD_KEYS.session_token) in first.headers
    assert flow.send(response(403, {"__type": "ExpiredTokenException"})) == Sleep(0.0)
    assert next(flow) == GetCredentials(refused=OLD_KEYS)
    at_hand.pop(0)
    assert isinstance(flow.send(KEYS), Request)
    assert isinstance(flow.send(DOWN), Sleep)
    again = next(flow)
    assert isinstance(again, Request)
    assert "X-Amz-Security-Token" not in dict(again.headers)


def test_a_retry_says_how_long_the_client_waits_by_the_services_clock() -> None:
    dated = response(503, date="Sun, 23 Nov 2025 20:00:00 GMT")
    driven = drive(context(retries=RetryPolicy(max_attempts=4)), [dated, LOST])
    assert [dict(each.headers)["amz-sdk-request"] for each in driven.requests] == [
        "attempt=1; max=4",
        "ttl=20251123T200100Z; attempt=2; max=4",
        "ttl=20251123T200100Z; attempt=3; max=4",
    ]


def test_each_call_has_its_own_invocation_id() -> None:
    shared = context()
    requests = [attempt(new_flow(shared)) for _ in range(2)]
    assert len({dict(each.headers)["amz-sdk-invocation-id"] for each in requests}) == 2


@pytest.mark.parametrize(("answer", "kind"), [(LOST, TransportError), (DOWN, ServiceError), (BROKEN, ResponseError)])
def test_the_error_of_the_last_attempt_is_raised_and_counts_the_attempts(
    answer: Response | NovaActError, kind: type[Any]
) -> None:
    driven = drive(context(retries=RetryPolicy(max_attempts=2, rng=lambda: 0)), [answer] * 2)
    assert driven.waits == [0.0]
    assert isinstance(driven.error, kind)
    assert driven.error.attempts == 2
    assert "attempts 2" in str(driven.error)


def test_without_retries_the_first_failure_is_final() -> None:
    driven = drive(context(), [DOWN])
    (request,) = driven.requests
    assert dict(request.headers)["amz-sdk-request"] == "attempt=1; max=1"
    assert isinstance(driven.error, ServiceError)


def test_missing_credentials_end_the_call_without_a_retry() -> None:
    flow = new_flow(context(retries=THRICE))
    next(flow)
    with pytest.raises(CredentialsError):
        flow.throw(CredentialsError("none"))


def test_an_error_that_is_not_ours_passes_through() -> None:
    flow = sent_flow(context(retries=THRICE))
    with pytest.raises(KeyboardInterrupt):
        flow.throw(KeyboardInterrupt)
