"""The report about each attempt, to the hook and to the log."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import Attempt, RetryPolicy, ServiceError, ThrottlingException, TransportError
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, TEMPORARY_KEYS, mocked
from tests.helpers.flows import context, drive

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

THROTTLED = httpx.Response(429, headers={"x-amzn-ErrorType": "ThrottlingException", "x-amzn-RequestId": "r-1"})
PAGE = httpx_page(x_amzn_RequestId="r-2")
TWICE = RetryPolicy(max_attempts=2, rng=lambda: 0.25)


def told(face: Face, *answers: Any, **options: Any) -> list[Attempt]:
    """Return the reported attempts of a call that gets these responses."""
    attempts: list[Attempt] = []
    remaining = iter(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        given = next(remaining)
        if isinstance(given, Exception):
            raise given
        return given  # type: ignore[no-any-return]

    face.page({**mocked(answer), "retries": TWICE, "on_attempt": attempts.append, **options}, **CALL)
    return attempts


def test_the_hook_gets_every_attempt(face: Face) -> None:
    first, second = told(face, THROTTLED, PAGE)
    assert isinstance(first.error, ThrottlingException)
    assert (first.operation, first.number, first.status_code, first.request_id) == ("ListSessions", 1, 429, "r-1")
    assert first.wait == 0.25
    assert (second.number, second.status_code, second.request_id) == (2, 200, "r-2")
    assert (second.error, second.wait) == (None, None)
    assert first.milliseconds >= 0
    with pytest.raises(AttributeError):
        first.number = 2  # type: ignore[misc]


def test_an_attempt_tells_whether_the_service_throttled_it(face: Face) -> None:
    failed = httpx.Response(500, headers={"x-amzn-ErrorType": "InternalServerException"})
    assert [each.throttled for each in told(face, THROTTLED, PAGE)] == [True, False]
    assert [each.throttled for each in told(face, failed, PAGE)] == [False, False]


def test_an_attempt_without_a_response_has_neither_status_nor_request_id(face: Face) -> None:
    first, _ = told(face, httpx.ConnectError("refused"), PAGE)
    assert isinstance(first.error, TransportError)
    assert (first.status_code, first.request_id) == (None, None)


def test_the_last_attempt_is_reported_too_if_the_call_fails(face: Face) -> None:
    attempts: list[Attempt] = []
    with pytest.raises(ServiceError):
        face.page({**mocked(lambda _: THROTTLED), "retries": TWICE, "on_attempt": attempts.append}, **CALL)
    assert [each.wait for each in attempts] == [0.25, None]


def test_the_time_of_an_attempt_is_in_milliseconds() -> None:
    ticks = iter([10.0, 10.25])
    attempts: list[Attempt] = []
    drive(context(monotonic=lambda: next(ticks), on_attempt=attempts.append), [])
    assert [each.milliseconds for each in attempts] == [250.0]


def test_the_hook_is_called_on_the_callers_thread(face: Face) -> None:
    threads: list[threading.Thread] = []
    told(face, PAGE, on_attempt=lambda _: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()]


def test_an_error_of_the_hook_is_logged_and_the_call_continues(face: Face, caplog: pytest.LogCaptureFixture) -> None:
    def broken(attempt: Attempt) -> None:
        raise ZeroDivisionError

    told(face, PAGE, on_attempt=broken)
    assert "on_attempt raised" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_log_has_a_line_for_each_attempt(face: Face, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "novaact_http"):
        told(face, THROTTLED, PAGE, on_attempt=None)
        told(face, httpx.ReadTimeout(""), PAGE, on_attempt=None)
    lines = [record.getMessage() for record in caplog.records if record.name == "novaact_http"]
    assert [line.rpartition(" ms")[0].rpartition(" ")[0] for line in lines] == [
        "ListSessions attempt 1: status 429, ThrottlingException, request id r-1,",
        "ListSessions attempt 2: status 200, request id r-2,",
        "ListSessions attempt 1: no response, TransportTimeout, request id None,",
        "ListSessions attempt 2: status 200, request id r-2,",
    ]
    assert lines[0].endswith(" ms, next in 0.250 s")


def test_nothing_is_logged_above_the_level_debug(face: Face, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "novaact_http"):
        told(face, THROTTLED, PAGE, on_attempt=None)
    assert caplog.records == []


def test_no_secret_is_logged(face: Face, caplog: pytest.LogCaptureFixture) -> None:
    echo = f"{TEMPORARY_KEYS.secret_access_key} {TEMPORARY_KEYS.session_token}"
    answer = httpx.Response(429, headers={"x-amzn-RequestId": echo, "x-amzn-ErrorType": echo}, text=echo)
    with caplog.at_level(logging.DEBUG):
        attempts = told(face, answer, PAGE, credentials=TEMPORARY_KEYS)
    for text in (caplog.text, repr(attempts), str(attempts)):
        assert TEMPORARY_KEYS.secret_access_key not in text
        assert str(TEMPORARY_KEYS.session_token) not in text
