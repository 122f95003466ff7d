"""Deadlines and wrong clocks, with clocks that the tests set."""

from __future__ import annotations

import asyncio
import sys
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import AsyncClient, Attempt, Client, DeadlineExceeded, RetryPolicy, ServiceError, Timeout
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.flow import Sleep, limit_timeout
from novaact_http._call.retries import Quota
from novaact_http._call.sigv4 import amz_date
from novaact_http.errors import InternalServerException, TransportError, TransportTimeout
from novaact_http.testing import LocalService
from tests.helpers.answers import httpx_page, response
from tests.helpers.calls import CALL, KEYS, NOW, OPTIONS, Clock, call_for, mocked, options_for
from tests.helpers.flows import attempt, context, drive, finish, new_flow, sent_flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novaact_http._call.http_messages import Request, Response
    from tests.helpers.both_clients import Face

DOWN = response(503)


class TimedCall:
    """A call that may take ten seconds in all, and the clock that measures them."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock(1_000.0)
        options = {"retries": RetryPolicy(max_attempts=9, rng=lambda: 1.0), "timeout": Timeout(total=10.0), **options}
        self.flow = new_flow(context(monotonic=self.clock, **options))

    def attempt(self) -> Request:
        """Send the next attempt."""
        return attempt(self.flow)


def test_every_request_has_the_deadline_and_shorter_timeouts_near_it() -> None:
    call = TimedCall()
    first = call.attempt()
    assert first.deadline == 1_010.0
    assert (first.timeout.connect, first.timeout.read) == (5.0, 10.0)
    call.clock.sleep(8.0)
    call.flow.send(DOWN)
    second = call.attempt()
    assert second.deadline == 1_010.0
    assert (second.timeout.connect, second.timeout.read) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("left", "expected"), [(100.0, (5.0, 60.0)), (60.0, (5.0, 60.0)), (30.0, (5.0, 30.0)), (2.0, (2.0, 2.0))]
)
def test_what_is_left_of_the_total_limits_an_attempt(left: float, expected: tuple[float, float]) -> None:
    timeout = limit_timeout(Timeout(total=100.0), left)
    assert (timeout.connect, timeout.read, timeout.total) == (*expected, 100.0)


def test_without_a_total_there_is_no_deadline() -> None:
    request = TimedCall(timeout=Timeout()).attempt()
    assert request.deadline is None
    assert request.timeout == Timeout()


def test_a_wait_that_would_end_too_late_is_not_begun() -> None:
    told: list[Attempt] = []
    call = TimedCall(on_attempt=told.append)
    call.attempt()
    call.clock.sleep(9.0)
    with pytest.raises(DeadlineExceeded) as caught:
        call.flow.send(response(503, retry_after="1"))
    assert [each.wait for each in told] == [None]
    assert isinstance(caught.value.__cause__, ServiceError)
    assert (caught.value.attempts, caught.value.request_sent) == (1, True)
    assert "10.0 s in all" in str(caught.value)


def test_a_wait_that_ends_in_time_is_begun() -> None:
    call = TimedCall()
    call.attempt()
    call.clock.sleep(8.9)
    assert call.flow.send(response(503, retry_after="1")) == Sleep(1.0)


def test_nothing_is_sent_once_the_time_is_over() -> None:
    call = TimedCall()
    next(call.flow)
    call.clock.sleep(10.0)  # the credentials took all of the time
    with pytest.raises(DeadlineExceeded) as caught:
        call.flow.send(KEYS)
    assert (caught.value.attempts, caught.value.request_sent) == (0, False)


def test_a_timeout_at_the_deadline_is_reported_as_the_deadline() -> None:
    call = TimedCall(retries=RetryPolicy(mode="off"))
    call.attempt()
    call.clock.sleep(10.0)
    with pytest.raises(DeadlineExceeded) as caught:
        call.flow.throw(TransportTimeout("late", request_sent=False))
    assert not caught.value.request_sent


def test_a_final_response_is_returned_even_if_it_is_late() -> None:
    call = TimedCall()
    call.attempt()
    call.clock.sleep(11.0)
    with pytest.raises(ServiceError) as caught:
        call.flow.send(response(400))
    assert not isinstance(caught.value, DeadlineExceeded)

    call = TimedCall()
    call.attempt()
    call.clock.sleep(11.0)
    assert finish(call.flow).session_summaries == ()


def test_an_earlier_attempt_may_have_been_received_even_if_the_last_was_not_sent() -> None:
    call = TimedCall()
    call.attempt()
    call.flow.throw(TransportError("lost", request_sent=True))
    call.attempt()
    call.clock.sleep(10.0)
    with pytest.raises(DeadlineExceeded) as caught:
        call.flow.throw(TransportTimeout("late", request_sent=False))
    assert (caught.value.request_sent, caught.value.attempts) == (True, 2)


def test_a_deadline_error_of_a_transport_is_raised_unchanged() -> None:
    call = TimedCall()
    call.attempt()
    over = DeadlineExceeded("over", request_sent=True)
    with pytest.raises(DeadlineExceeded) as caught:
        call.flow.throw(over)
    assert caught.value is over


def test_an_async_call_ends_when_its_time_is_over_even_if_the_transport_hangs() -> None:
    cancelled = []
    limits: list[float] = []

    async def never(request: httpx.Request) -> httpx.Response:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        raise AssertionError

    async def main() -> None:
        loop = asyncio.get_running_loop()
        call_at = loop.call_at

        def watched(when: float, *arguments: Any) -> asyncio.TimerHandle:
            limits.append(when - loop.time())
            return call_at(when, *arguments)

        loop.call_at = watched  # type: ignore[method-assign, assignment]
        async with AsyncClient(**{**OPTIONS, "transport": httpx.MockTransport(never), "timeout": 0.02}) as client:
            with pytest.raises(DeadlineExceeded, match="time was over before the response came") as caught:
                await client.list_sessions(**CALL)
            assert caught.value.attempts == 1

    asyncio.run(main())
    assert cancelled == [True]
    assert 0 < limits[0] <= 0.02


def test_a_cancellation_is_not_lost_in_a_call_with_a_total() -> None:
    sent = []

    async def main() -> None:
        release = asyncio.Event()

        async def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            await release.wait()
            return httpx.Response(503)

        options = {**OPTIONS, "transport": httpx.MockTransport(answer), "timeout": 60, "retries": RetryPolicy()}
        async with AsyncClient(**options) as client:
            for ticks in range(6):
                release.clear()
                sent.clear()
                task = asyncio.create_task(client.list_sessions(**CALL))
                while not sent:  # noqa: ASYNC110 - tick by tick
                    await asyncio.sleep(0)
                release.set()
                for _ in range(ticks):
                    await asyncio.sleep(0)
                cancelled = task.cancel()
                (result,) = await asyncio.gather(task, return_exceptions=True)
                assert not cancelled or isinstance(result, asyncio.CancelledError), ticks

    asyncio.run(main())


def test_a_call_that_is_cancelled_and_out_of_time_is_cancelled() -> None:
    async def main() -> None:
        async def never(request: httpx.Request) -> httpx.Response:
            task = asyncio.current_task()
            assert task is not None
            try:
                await asyncio.Event().wait()
            finally:
                task.cancel()  # from outside, at the moment when the time is over
            raise AssertionError

        async with AsyncClient(**{**OPTIONS, "transport": httpx.MockTransport(never), "timeout": 0.01}) as client:
            with pytest.raises((asyncio.CancelledError, DeadlineExceeded)) as caught:
                await asyncio.create_task(client.list_sessions(**CALL))
        if sys.version_info >= (3, 11):  # where cancellations are counted
            assert caught.type is asyncio.CancelledError

    asyncio.run(main())


def test_the_total_limits_the_wait_for_a_connection_too(face: Face) -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"]["pool"])
        return httpx_page()

    face.page({**mocked(answer), "timeout": 5}, **CALL)
    face.page(mocked(answer), **CALL)
    assert 0 < seen[0] <= 5
    assert seen[1] is None


def test_a_wait_that_is_not_begun_costs_nothing() -> None:
    quota = Quota()
    for _ in range(40):
        call = TimedCall(quota=quota)
        call.attempt()
        with pytest.raises(DeadlineExceeded):
            call.flow.send(response(503, retry_after="11"))
    assert quota.acquire(500)


def test_a_call_with_enough_time_succeeds(face: Face, service: LocalService) -> None:
    options = {**options_for(service), "timeout": 60}
    assert face.page(options, **call_for(service.runs[0])).session_summaries


def test_a_client_does_not_begin_a_wait_that_would_end_too_late(face: Face, waits: list[float]) -> None:
    options = {**mocked(lambda _: httpx.Response(503, headers={"Retry-After": "9"})), "retries": None, "timeout": 5}
    with pytest.raises(DeadlineExceeded):
        face.page(options, **CALL)
    assert waits == []


# Wrong clocks.

EXPIRED = {"message": "Signature expired"}
HALF_AN_HOUR = 30 * 60


def refused(server_time: float, code: str = "InvalidSignatureException", **headers: str) -> Response:
    """Return the refusal of a service whose clock shows this time."""
    return response(403, EXPIRED, code=code, date=formatdate(server_time, usegmt=True), **headers)


@pytest.mark.parametrize(
    "code",
    [
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
        "RequestExpired",
        "RequestInTheFuture",
        "AuthFailure",
    ],
)
@pytest.mark.parametrize("off", [HALF_AN_HOUR, -HALF_AN_HOUR])
def test_a_wrong_clock_is_corrected_once_at_no_cost_and_remembered(code: str, off: float) -> None:
    shared = context(retries=RetryPolicy(max_attempts=1))
    driven = drive(shared, [refused(NOW + off, code)])
    assert driven.waits == [0.0]
    assert driven.output.metadata.attempts == 2
    again = dict(driven.requests[1].headers)
    assert again["X-Amz-Date"] == amz_date(int(NOW + off))
    assert again["amz-sdk-request"].endswith("attempt=1; max=1")

    (later,) = drive(shared, []).requests
    assert dict(later.headers)["X-Amz-Date"] == again["X-Amz-Date"]
    assert shared.quota.acquire(500)


def test_a_clock_is_corrected_only_once_in_a_call() -> None:
    driven = drive(context(), [refused(NOW + HALF_AN_HOUR), refused(NOW - HALF_AN_HOUR)])
    assert isinstance(driven.error, ServiceError)
    assert driven.error.attempts == len(driven.requests) == 2


def test_calls_under_way_together_all_correct_their_clocks() -> None:
    shared = context(retries=RetryPolicy(max_attempts=1))
    flows = [sent_flow(shared) for _ in range(3)]
    for flow in flows:
        assert flow.send(refused(NOW + HALF_AN_HOUR)) == Sleep(0.0)


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 2026 99999999999999:00:00 GMT",
        "Mon, 01 Jan 2026 999999999999999999999:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999",
        "Mon, 01 Jan 2026 00:00:00 -99999999999999999",
        "Mon, 01 Jan 9999 00:00:00 GMT",
    ],
)
@pytest.mark.parametrize("code", ["RequestExpired", "InternalServerException"])
def test_a_garbled_date_hides_no_error(date: str, code: str) -> None:
    shared = context()
    driven = drive(shared, [response(500, {}, code=code, date=date)])
    assert isinstance(driven.error, ServiceError)
    assert driven.error.code == code
    assert shared.skew.seconds == 0.0


def test_a_clock_that_moves_again_is_learnt_again() -> None:
    clock = Clock()
    shared = context(clock=clock)
    assert sent_flow(shared).send(refused(NOW + HALF_AN_HOUR)) == Sleep(0.0)
    clock.now += HALF_AN_HOUR  # somebody has corrected it
    assert sent_flow(shared).send(refused(clock.now)) == Sleep(0.0)
    assert shared.skew.seconds == pytest.approx(0.0, abs=1)


@pytest.mark.parametrize(
    "answer",
    [
        refused(NOW + 239),
        refused(NOW - 239),
        refused(NOW + HALF_AN_HOUR, "AccessDeniedException"),
        refused(NOW + HALF_AN_HOUR, age="10"),
        response(403, EXPIRED, code="RequestExpired", date="never"),
        response(403, EXPIRED, code="RequestExpired"),
    ],
    ids=["a little ahead", "a little behind", "another error", "out of a cache", "no date", "no header"],
)
def test_a_clock_that_is_not_at_fault_is_left_alone(answer: Response) -> None:
    shared = context()
    driven = drive(shared, [answer])
    assert isinstance(driven.error, ServiceError)
    assert shared.skew.seconds == 0.0


def test_the_skew_is_measured_from_the_middle_between_sending_and_receiving() -> None:
    clock = Clock()
    shared = context(clock=clock)
    flow = sent_flow(shared)
    clock.sleep(100)
    flow.send(refused(NOW + 50 + HALF_AN_HOUR))
    assert shared.skew.seconds == pytest.approx(HALF_AN_HOUR, abs=1)


def test_a_date_to_wait_until_is_by_the_services_clock() -> None:
    skew = ClockSkew()
    skew.seconds = HALF_AN_HOUR
    until = formatdate(NOW + HALF_AN_HOUR + 10, usegmt=True)
    driven = drive(context(skew=skew, retries=RetryPolicy(rng=lambda: 0.0)), [response(503, retry_after=until)])
    assert driven.waits == pytest.approx([10], abs=1)


def test_correction_can_be_turned_off() -> None:
    driven = drive(context(correct_clock_skew=False), [refused(NOW + HALF_AN_HOUR)])
    assert isinstance(driven.error, ServiceError)


def test_only_the_first_call_to_a_service_whose_clock_is_off_takes_one_request_more(
    service_off: LocalService,
) -> None:
    run = call_for(service_off.runs[0])
    with Client(**options_for(service_off)) as client:
        assert client.list_sessions(**run).metadata.attempts == 2
        assert client.list_sessions(**run).metadata.attempts == 1
    with Client(**options_for(service_off), correct_clock_skew=False) as client, pytest.raises(ServiceError):
        client.list_sessions(**run)
    assert len(service_off.requests) == 4


@pytest.fixture
def service_off() -> Iterator[LocalService]:
    with LocalService(clock=lambda: time.time() + 20 * 60) as service:
        yield service


def test_an_internal_error_is_still_retried_after_a_correction() -> None:
    shared = context(retries=RetryPolicy(max_attempts=2, rng=lambda: 1.0))
    driven = drive(shared, [refused(NOW + HALF_AN_HOUR), DOWN, DOWN])
    assert driven.waits == [0.0, 0.05]
    assert isinstance(driven.error, ServiceError)
    assert driven.error.attempts == 3
    assert not isinstance(driven.error, InternalServerException)
