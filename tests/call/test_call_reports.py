"""The report about each call, and what it has in common with those about its attempts."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import (
    Attempt,
    CallReport,
    Client,
    ConfigurationError,
    NovaActError,
    ParameterError,
    ResponseError,
    RetryPolicy,
    ServiceError,
    TransportError,
)
from tests.helpers.answers import httpx_page, response
from tests.helpers.calls import CALL, NOW, Clock, mocked
from tests.helpers.flows import attempt, context, drive, new_flow

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

THROTTLED = response(429, code="ThrottlingException", x_amzn_requestid="r-1")
PAGE = response(200, {"sessionSummaries": []}, x_amzn_requestid="r-2")
LOST = TransportError("reset", request_sent=True)
TWICE = RetryPolicy(max_attempts=2, rng=lambda: 0.5)


def reported(*answers: Any) -> tuple[CallReport, list[Attempt]]:
    """Return the reports of a call, each attempt of which takes a quarter of a second."""
    calls: list[CallReport] = []
    attempts: list[Attempt] = []
    clock = Clock()
    of = context(clock=clock, monotonic=clock, retries=TWICE, on_call=calls.append, on_attempt=attempts.append)
    drive(of, answers, on_request=lambda _: clock.sleep(0.25), on_wait=clock.sleep)
    (call,) = calls
    return call, attempts


def test_a_call_is_reported_once_with_all_its_attempts() -> None:
    call, attempts = reported(THROTTLED, PAGE)
    assert (call.operation, call.region) == ("ListSessions", "us-east-1")
    assert call.endpoint == "https://nova-act.us-east-1.amazonaws.com"
    assert (call.attempts, call.status_code, call.request_id, call.error) == (2, 200, "r-2", None)
    assert (call.started, call.milliseconds) == (NOW, 1_000.0)  # two attempts, and half a second between them
    assert [each.started for each in attempts] == [NOW, NOW + 0.75]
    assert {each.call_id for each in attempts} == {call.call_id}
    with pytest.raises(AttributeError):
        call.attempts = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("failure", "kind", "status", "request_id"),
    [
        (THROTTLED, ServiceError, 429, "r-1"),
        (response(200, b"[]", x_amzn_requestid="r-3"), ResponseError, 200, "r-3"),
        (LOST, TransportError, None, None),
    ],
)
def test_a_call_that_failed_is_reported_with_its_error(
    failure: Any, kind: type[NovaActError], status: int | None, request_id: str | None
) -> None:
    call, attempts = reported(failure, failure)
    assert isinstance(call.error, kind)
    assert (call.attempts, call.status_code, call.request_id) == (2, status, request_id)
    assert call.error is attempts[-1].error


def test_the_last_response_is_reported_also_if_another_attempt_had_none() -> None:
    call, _ = reported(THROTTLED, LOST)
    assert isinstance(call.error, TransportError)
    assert (call.attempts, call.status_code, call.request_id) == (2, 429, "r-1")


def test_a_hook_that_ends_the_program_is_not_called_again() -> None:
    def hook(report: CallReport) -> None:
        calls.append(report)
        raise SystemExit

    calls: list[CallReport] = []
    with Client(**mocked(lambda _: httpx_page()), on_call=hook) as client, pytest.raises(SystemExit):
        client.list_sessions(**CALL)
    assert len(calls) == 1


def test_a_call_that_was_given_up_is_reported() -> None:
    calls: list[CallReport] = []
    flow = new_flow(context(on_call=calls.append))
    attempt(flow)
    flow.close()
    assert isinstance(calls[0].error, GeneratorExit)
    assert calls[0].attempts == 1


def test_a_call_that_did_not_begin_is_not_reported(face: Face) -> None:
    calls: list[CallReport] = []
    with pytest.raises(ParameterError):
        face.page({**mocked(lambda _: httpx_page()), "on_call": calls.append}, **{**CALL, "workflow_run_id": ""})
    assert calls == []


def test_what_the_users_own_code_raised_is_the_error_of_the_call(face: Face) -> None:
    calls: list[CallReport] = []

    def crash(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        face.page({**mocked(crash), "on_call": calls.append}, **CALL)
    assert isinstance(calls[0].error, ZeroDivisionError)


def test_a_transport_that_has_no_more_answers_raises_what_it_raises() -> None:
    calls: list[CallReport] = []
    answers = iter([httpx_page()])
    with Client(**mocked(lambda _: next(answers)), on_call=calls.append) as client:
        client.list_sessions(**CALL)
        with pytest.raises(StopIteration):
            client.list_sessions(**CALL)
    assert [type(each.error) for each in calls] == [type(None), GeneratorExit]


def test_the_service_gets_the_calls_id(face: Face) -> None:
    calls: list[CallReport] = []
    attempts: list[Attempt] = []
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["amz-sdk-invocation-id"])
        return httpx.Response(503) if len(sent) == 1 else httpx_page()

    options = {**mocked(answer), "retries": TWICE, "on_call": calls.append, "on_attempt": attempts.append}
    face.page(options, **CALL)
    assert sent == [calls[0].call_id] * 2 == [each.call_id for each in attempts]
    assert uuid.UUID(sent[0]).version == 4


def test_each_page_and_each_question_is_a_call(face: Face) -> None:
    calls: list[CallReport] = []
    pages = iter([httpx_page("a", next_token="t"), httpx_page("b")])
    face.items({**mocked(lambda _: next(pages)), "on_call": calls.append}, **CALL)
    assert [each.operation for each in calls] == ["ListSessions"] * 2


def test_a_hook_that_raises_is_logged_and_the_call_goes_on(face: Face, caplog: pytest.LogCaptureFixture) -> None:
    def hook(_: CallReport) -> None:
        raise ValueError("no metrics today")

    with caplog.at_level(logging.ERROR, "novaact_http"):
        assert face.page({**mocked(lambda _: httpx_page("a")), "on_call": hook}, **CALL).session_summaries
    assert "on_call raised; the call goes on without it" in caplog.text
    assert "no metrics today" in caplog.text


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the argument on_call is of type str: pass a function that takes"):
        Client(**mocked(lambda _: httpx_page()), on_call="print")  # type: ignore[arg-type]
