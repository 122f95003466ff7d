"""One call as a generator, driven by hand: no socket, no clock, no client."""

from __future__ import annotations

from typing import Any

import pytest

from novaact_http import RetryPolicy
from novaact_http._call import flow as call_flow
from novaact_http._call.http_messages import Request, Response
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.errors import (
    CredentialsError,
    ParameterError,
    ResponseError,
    ServiceError,
    TransportError,
)
from tests.helpers.calls import CALL, KEYS, TEMPORARY_KEYS
from tests.helpers.flows import context

PAGE = Response(status=200, headers=(), body=b'{"sessionSummaries": []}')
BROKEN = Response(status=200, headers=(), body=b"{}")
DOWN = Response(status=503, headers=(), body=b"")


THRICE = RetryPolicy(rng=lambda: 0.5)


def _headers(request: object) -> dict[str, str]:
    assert isinstance(request, Request)
    return dict(request.headers)


def test_a_call_asks_for_credentials_then_sends_then_returns_the_page() -> None:
    flow = call_flow.call(context(), LIST_SESSIONS, CALL)
    assert next(flow) == call_flow.GetCredentials()
    assert isinstance(flow.send(KEYS), Request)
    with pytest.raises(StopIteration) as finished:
        flow.send(PAGE)
    assert finished.value.value.session_summaries == ()
    assert finished.value.value.metadata.attempts == 1


def test_bad_arguments_are_refused_before_anything_is_asked_for() -> None:
    with pytest.raises(ParameterError):
        next(call_flow.call(context(), LIST_SESSIONS, {}))


def test_every_attempt_is_signed_again_and_counted() -> None:
    flow = call_flow.call(context(retries=RetryPolicy(max_attempts=4, rng=lambda: 0.5)), LIST_SESSIONS, CALL)
    next(flow)
    first = _headers(flow.send(KEYS))
    assert flow.throw(TransportError("lost", request_sent=True)) == call_flow.Sleep(0.025)

    assert next(flow) == call_flow.GetCredentials()
    second = _headers(flow.send(TEMPORARY_KEYS))
    assert flow.send(DOWN) == call_flow.Sleep(0.05)

    assert next(flow) == call_flow.GetCredentials()
    third = _headers(flow.send(KEYS))
    assert flow.send(BROKEN) == call_flow.Sleep(0.1)

    assert next(flow) == call_flow.GetCredentials()
    flow.send(KEYS)
    with pytest.raises(StopIteration) as finished:
        flow.send(PAGE)

    assert finished.value.value.metadata.attempts == 4
    attempts = (first, second, third)
    assert [each["amz-sdk-request"] for each in attempts] == [f"attempt={n}; max=4" for n in (1, 2, 3)]
    assert {each["amz-sdk-invocation-id"] for each in attempts} == {"invocation-0"}
    assert "X-Amz-Security-Token" not in first
    assert second["X-Amz-Security-Token"] == TEMPORARY_KEYS.session_token


def test_a_retry_says_how_long_the_client_waits_by_the_services_clock() -> None:
    flow = call_flow.call(context(retries=RetryPolicy(max_attempts=4)), LIST_SESSIONS, CALL)
    next(flow)
    flow.send(KEYS)
    dated = Response(status=503, headers=(("date", "Sun, 23 Nov 2025 20:00:00 GMT"),), body=b"")
    flow.send(dated)
    next(flow)
    assert _headers(flow.send(KEYS))["amz-sdk-request"] == "ttl=20251123T200100Z; attempt=2; max=4"
    flow.throw(TransportError("lost", request_sent=True))
    next(flow)
    assert _headers(flow.send(KEYS))["amz-sdk-request"] == "ttl=20251123T200100Z; attempt=3; max=4"


def test_each_call_has_its_own_invocation_id() -> None:
    shared = context()
    ids = set()
    for _ in range(2):
        flow = call_flow.call(shared, LIST_SESSIONS, CALL)
        next(flow)
        ids.add(_headers(flow.send(KEYS))["amz-sdk-invocation-id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(TransportError("lost", request_sent=True), TransportError), (DOWN, ServiceError), (BROKEN, ResponseError)],
)
def test_when_there_are_no_more_attempts_the_error_is_raised_with_its_attempts(answer: Any, kind: type[Any]) -> None:
    flow = call_flow.call(context(retries=RetryPolicy(max_attempts=2, rng=lambda: 0)), LIST_SESSIONS, CALL)

    def attempt() -> Any:
        next(flow)
        flow.send(KEYS)
        return flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)

    assert attempt() == call_flow.Sleep(0.0)
    with pytest.raises(kind) as caught:
        attempt()
    assert caught.value.attempts == 2
    assert "attempts 2" in str(caught.value)


def test_without_retries_the_first_failure_is_final() -> None:
    flow = call_flow.call(context(), LIST_SESSIONS, CALL)
    next(flow)
    assert _headers(flow.send(KEYS))["amz-sdk-request"] == "attempt=1; max=1"
    with pytest.raises(ServiceError):
        flow.send(DOWN)


def test_missing_credentials_end_the_call_without_a_retry() -> None:
    flow = call_flow.call(context(retries=THRICE), LIST_SESSIONS, CALL)
    next(flow)
    with pytest.raises(CredentialsError):
        flow.throw(CredentialsError("none"))


def test_an_error_that_is_not_ours_passes_through() -> None:
    flow = call_flow.call(context(retries=THRICE), LIST_SESSIONS, CALL)
    next(flow)
    flow.send(KEYS)
    with pytest.raises(KeyboardInterrupt):
        flow.throw(KeyboardInterrupt)
