"""One call as a generator, driven by hand: no socket, no clock, no client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import _flow
from novaact_http._wire import Request, Response
from novaact_http.errors import (
    CredentialsError,
    NovaActError,
    ParameterError,
    ResponseError,
    ServiceError,
    TransportError,
)
from novaact_http.operations import LIST_SESSIONS, Operation
from support import CALL, KEYS, TEMPORARY_KEYS, context

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Response(status=200, headers=(), body=b'{"sessionSummaries": []}')
BROKEN = Response(status=200, headers=(), body=b"{}")
DOWN = Response(status=503, headers=(), body=b"")


class Scripted:
    """A retry strategy that waits as it is told to, and remembers what it was asked."""

    max_attempts = 3

    def __init__(self, *delays: float | None) -> None:
        self._delays: Iterator[float | None] = iter(delays)
        self.asked: list[tuple[str, int]] = []

    def delay(self, operation: Operation[object], error: NovaActError, attempt: int) -> float | None:
        assert operation is LIST_SESSIONS
        self.asked.append((type(error).__name__, attempt))
        return next(self._delays)


def _headers(request: object) -> dict[str, str]:
    assert isinstance(request, Request)
    return dict(request.headers)


def test_a_call_asks_for_credentials_then_sends_then_returns_the_page() -> None:
    flow = _flow.call(context(), LIST_SESSIONS, CALL)
    assert next(flow) == _flow.GetCredentials()
    assert isinstance(flow.send(KEYS), Request)
    with pytest.raises(StopIteration) as finished:
        flow.send(PAGE)
    assert finished.value.value.session_summaries == ()
    assert finished.value.value.metadata.attempts == 1


def test_bad_arguments_are_refused_before_anything_is_asked_for() -> None:
    with pytest.raises(ParameterError):
        next(_flow.call(context(), LIST_SESSIONS, {}))


def test_every_failure_is_put_to_the_retry_strategy_and_every_attempt_is_signed_anew() -> None:
    retry = Scripted(0.5, 0.0, 2.0)
    flow = _flow.call(context(retry=retry), LIST_SESSIONS, CALL)
    next(flow)
    first = _headers(flow.send(KEYS))
    assert flow.throw(TransportError("lost", request_sent=True)) == _flow.Sleep(0.5)

    assert next(flow) == _flow.GetCredentials()
    second = _headers(flow.send(TEMPORARY_KEYS))
    assert flow.send(DOWN) == _flow.Sleep(0.0)

    assert next(flow) == _flow.GetCredentials()
    third = _headers(flow.send(KEYS))
    assert flow.send(BROKEN) == _flow.Sleep(2.0)

    assert next(flow) == _flow.GetCredentials()
    flow.send(KEYS)
    with pytest.raises(StopIteration) as finished:
        flow.send(PAGE)

    assert finished.value.value.metadata.attempts == 4
    assert retry.asked == [("TransportError", 1), ("ServiceError", 2), ("ResponseError", 3)]
    attempts = (first, second, third)
    assert [each["amz-sdk-request"] for each in attempts] == [f"attempt={n}; max=3" for n in (1, 2, 3)]
    assert {each["amz-sdk-invocation-id"] for each in attempts} == {"invocation-0"}
    assert "X-Amz-Security-Token" not in first
    assert second["X-Amz-Security-Token"] == TEMPORARY_KEYS.session_token


def test_calls_have_invocation_ids_of_their_own() -> None:
    shared = context()
    ids = set()
    for _ in range(2):
        flow = _flow.call(shared, LIST_SESSIONS, CALL)
        next(flow)
        ids.add(_headers(flow.send(KEYS))["amz-sdk-invocation-id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(TransportError("lost", request_sent=True), TransportError), (DOWN, ServiceError), (BROKEN, ResponseError)],
)
def test_when_the_strategy_gives_up_the_error_is_raised_with_its_attempts(answer: Any, kind: type[Any]) -> None:
    flow = _flow.call(context(retry=Scripted(0, None)), LIST_SESSIONS, CALL)

    def attempt() -> Any:
        next(flow)
        flow.send(KEYS)
        return flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)

    assert attempt() == _flow.Sleep(0)
    with pytest.raises(kind) as caught:
        attempt()
    assert caught.value.attempts == 2
    assert "attempts 2" in str(caught.value)


def test_without_retries_the_first_failure_is_final() -> None:
    flow = _flow.call(context(), LIST_SESSIONS, CALL)
    next(flow)
    assert _headers(flow.send(KEYS))["amz-sdk-request"] == "attempt=1; max=1"
    with pytest.raises(ServiceError):
        flow.send(DOWN)


def test_missing_credentials_end_the_call_without_a_retry() -> None:
    retry = Scripted()
    flow = _flow.call(context(retry=retry), LIST_SESSIONS, CALL)
    next(flow)
    with pytest.raises(CredentialsError):
        flow.throw(CredentialsError("none"))
    assert retry.asked == []


def test_an_error_that_is_not_ours_passes_through() -> None:
    flow = _flow.call(context(retry=Scripted()), LIST_SESSIONS, CALL)
    next(flow)
    flow.send(KEYS)
    with pytest.raises(KeyboardInterrupt):
        flow.throw(KeyboardInterrupt)
