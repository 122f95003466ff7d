"""Adaptive mode: the limiter compared with botocore's, and whole calls with boto3's, on clocks that tests set."""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
import types
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from botocore.config import Config
from botocore.exceptions import CapacityNotAvailableError, EndpointConnectionError
from botocore.retries import bucket
from botocore.retries.adaptive import ClientRateLimiter, RateClocker
from botocore.retries.throttling import CubicCalculator
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import (
    AsyncClient,
    Attempt,
    Client,
    DeadlineExceeded,
    RetryPolicy,
    ThrottlingException,
    Timeout,
)
from novaact_http._call.flow import GetCredentials, Sleep
from novaact_http._call.http_messages import Request, Response
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._clients import asynchronous, base, blocking
from novaact_http.errors import CredentialsError, TransportError
from novaact_http.testing import LocalService
from tests.helpers.answers import page, response
from tests.helpers.boto3_oracle import RetryingBoto3
from tests.helpers.calls import KEYS, Clock, call_for, options_for
from tests.helpers.flows import attempt, context, drive, new_flow, sent_flow

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

BROKEN = response(200, {})
THROTTLED = response(400, {}, code="ThrottlingException")
ADAPTIVE = RetryPolicy(mode="adaptive", rng=lambda: 0.5)


class BotocoreClock(Clock):
    """A clock that botocore can use too."""

    def current_time(self) -> float:
        return self.now


class Waiting:
    """Replaces a bucket's condition, so that nobody really waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def notify(self) -> None:
        pass

    def wait(self, seconds: float) -> None:
        self._clock.now += seconds + 1e-9  # slightly more, or rounding could make it ask for smaller waits without end


class Botocores:
    """botocore's limiter, which is told whether each response throttles."""

    def __init__(self, clock: BotocoreClock) -> None:
        self._clock = clock
        with mock.patch("threading.Condition", return_value=Waiting(clock)):
            self._bucket = bucket.TokenBucket(max_rate=1, clock=clock)
        self._limiter = ClientRateLimiter(
            rate_adjustor=CubicCalculator(starting_max_rate=0, start_time=clock.now),
            rate_clocker=RateClocker(clock),
            token_bucket=self._bucket,
            throttling_detector=self,
            clock=clock,
        )

    def is_throttling_error(self, *, throttled: bool) -> bool:
        return throttled

    @property
    def rate(self) -> float:
        return float(self._bucket.max_rate)

    def acquire(self) -> float:
        """Take a token, or return the seconds until there is one."""
        if not self._limiter._enabled:
            return 0.0
        try:
            self._bucket.acquire(block=False)
        except CapacityNotAvailableError:
            seconds = float(self._bucket._sleep_amount(1))
            if seconds > 1e-5:
                return seconds
            self._bucket.acquire()  # except for rounding
        return 0.0

    def update(self, *, throttled: bool) -> None:
        self._limiter.on_receiving_response(throttled=throttled)


# From bursts to idling. Each event is a request that wants a token, or a response.
gaps = st.sampled_from([0.0, 0.001, 0.02, 0.1, 0.25, 0.5, 1.0, 7.0]) | st.floats(0.0, 3.0)
steps = st.lists(st.tuples(gaps, st.sampled_from(["acquire", "acquire", "success", "throttled"])), max_size=120)


@given(st.floats(0.0, 1e6), steps)
def test_tokens_and_rates_equal_botocores(start: float, sequence: list[tuple[float, str]]) -> None:
    clock = BotocoreClock(start)
    theirs, ours = Botocores(clock), RateLimiter(start)
    for gap, what in sequence:
        clock.now += gap
        if what == "acquire":
            assert ours.acquire(clock.now) == pytest.approx(theirs.acquire(), abs=1e-5)
        else:
            ours.update(clock.now, throttled=what == "throttled")
            theirs.update(throttled=what == "throttled")
            assert ours.rate == pytest.approx(theirs.rate)


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.booleans()), max_size=80))
def test_a_client_that_waits_for_its_turn_sends_when_botocore_would(responses: list[tuple[float, bool]]) -> None:
    ours_at, theirs_at = Clock(1_000.0), BotocoreClock(1_000.0)
    ours, theirs = RateLimiter(1_000.0), Botocores(theirs_at)
    for latency, throttled in responses:
        while wait := ours.acquire(ours_at.now):
            ours_at.sleep(wait)
        while wait := theirs.acquire():
            theirs_at.sleep(wait)
        assert ours_at.now == pytest.approx(theirs_at.now, abs=1e-4)
        theirs_at.now = ours_at.now = ours_at.now + latency
        ours.update(ours_at.now, throttled=throttled)
        theirs.update(throttled=throttled)


# Whole calls.

LOST = "lost"  # the connection
Result = Response | str
FAILURES: list[Result] = [
    LOST,
    response(500, {}),
    response(503, {}),
    response(403, {}, code="AccessDeniedException"),
    response(429, {}),
    response(429, {}, code="Unknown"),
    response(429, {}, code="ValidationException"),
    THROTTLED,
    response(500, {}, code="SlowDown"),
    response(400, {}, code="PriorRequestNotComplete"),
    response(402, {}, code="ServiceQuotaExceededException"),
]
LATENCY = 0.05
results_of_calls = st.lists(st.lists(st.sampled_from(FAILURES), max_size=3), min_size=1, max_size=15)


class Sender:
    """Records when requests are sent. Each takes some time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.sent_at: list[float] = []

    def send(self, *_: object) -> None:
        self.sent_at.append(self.clock.now)
        self.clock.sleep(LATENCY)


class Boto3s(Sender):
    """boto3 in adaptive mode."""

    def __init__(self, clock: BotocoreClock) -> None:
        super().__init__(clock)
        config = Config(retries={"total_max_attempts": 3, "mode": "adaptive"})
        with (
            mock.patch("botocore.retries.bucket.Clock", return_value=clock),
            mock.patch("threading.Condition", return_value=Waiting(clock)),
        ):
            self._boto3 = RetryingBoto3(config, on_request=self.send, on_wait=clock.sleep)

    def call(self, results: list[Result]) -> None:
        lost = EndpointConnectionError(endpoint_url="http://h", error="lost")
        self._boto3.call(lost if isinstance(each, str) else each for each in results)


class Ours(Sender):
    """Our flow with the same results."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.context = context(retries=ADAPTIVE, monotonic=clock, limiter=RateLimiter(clock.now))

    def call(self, results: list[Result]) -> None:
        lost = TransportError("lost", request_sent=True)
        answers = (lost if isinstance(each, str) else each for each in results)
        drive(self.context, answers, on_request=self.send, on_wait=self.clock.sleep)


@pytest.mark.newest("boto3 backs off as we do from botocore 1.44 on")
@given(results_of_calls)
def test_whole_calls_are_sent_when_boto3s_are(sequence: list[list[Result]]) -> None:
    ours_at, theirs_at = Clock(1_000.0), BotocoreClock(1_000.0)
    ours, theirs = Ours(ours_at), Boto3s(theirs_at)
    for results in sequence:
        ours.call(results)
        theirs.call(results)
        assert ours.sent_at == pytest.approx(theirs.sent_at, abs=1e-3)


@pytest.mark.newest("boto3 backs off as we do from botocore 1.44 on")
@pytest.mark.parametrize(
    "failure", FAILURES, ids=lambda each: each if isinstance(each, str) else f"{each.status} {dict(each.headers)}"
)
def test_a_failure_counts_as_throttling_if_it_does_for_boto3(failure: Result) -> None:
    ours_at, theirs_at = Clock(1_000.0), BotocoreClock(1_000.0)
    ours, theirs = Ours(ours_at), Boto3s(theirs_at)
    for each in (ours, theirs):
        each.call([failure])
        each.call([])
    assert ours.sent_at == pytest.approx(theirs.sent_at, abs=1e-3)


def test_nothing_is_waited_for_until_the_service_throttles() -> None:
    limiter = RateLimiter(0.0)
    for _ in range(100):
        assert limiter.acquire(0.0) == 0.0
        limiter.update(0.0, throttled=False)
    limiter.update(0.0, throttled=True)
    assert limiter.acquire(0.0) > 0.0


def test_no_token_takes_longer_than_two_seconds() -> None:
    limiter = RateLimiter(0.0)
    for _ in range(10):
        limiter.update(0.0, throttled=True)
    assert limiter.rate == 0.5
    assert limiter.acquire(0.0) == 2.0
    assert limiter.acquire(2.0) == 0.0
    assert limiter.acquire(2.0) == 2.0


def test_an_outdated_reading_of_the_clock_takes_no_token_away() -> None:
    limiter = RateLimiter(0.0)
    limiter.update(0.0, throttled=True)
    assert limiter.acquire(3.0) == 0.0
    before = limiter.acquire(3.0)
    assert limiter.acquire(1.0) == before  # from a thread that was suspended after it read the clock
    assert limiter.acquire(3.0) == before


def test_the_limiter_gives_no_token_twice_in_many_threads() -> None:
    limiter = RateLimiter(0.0)
    for now in range(50):
        for _ in range(100):
            limiter.update(now / 10, throttled=False)
    limiter.update(5.0, throttled=True)
    tokens = int(limiter.rate)
    limiter.acquire(1_000.0)
    got: list[bool] = []
    barrier = threading.Barrier(8)

    def take() -> None:
        barrier.wait()
        got.extend(limiter.acquire(1_000.0) == 0.0 for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(True) == tokens - 1 > 100


def test_waiting_calls_are_served_in_order() -> None:
    limiter = RateLimiter(0.0)
    limiter.update(0.0, throttled=True)
    first, second, third = limiter.join(), limiter.join(), limiter.join()
    assert limiter.acquire(1.0, first) == 1.0
    assert limiter.acquire(1.0, second) == 1.5  # half the time
    assert limiter.acquire(1.0, third) == 2.0  # no longer, although its turn is in five seconds
    assert limiter.acquire(2.0, second) == 1.0
    assert limiter.acquire(2.0) > 0.0  # a new call is behind them
    assert limiter.acquire(2.0, first) == 0.0
    first.close()
    assert limiter.acquire(4.0, third) > 0.0
    assert limiter.acquire(4.0) > 0.0
    assert limiter.acquire(4.0, second) == 0.0
    second.close()
    third.close()  # it gives up
    assert limiter.acquire(6.0) == 0.0


def test_a_forked_child_does_not_wait_for_its_parents_calls() -> None:
    limiter = RateLimiter(0.0)
    limiter.update(0.0, throttled=True)
    place = limiter.join()
    assert limiter.acquire(2.0) > 0.0
    limiter.after_fork()
    assert limiter.acquire(2.0) == 0.0
    place.close()  # by a call that was under way during the fork
    assert limiter.acquire(2.0) == 2.0


@given(st.integers(1, 60), st.floats(0.1, 20.0))
def test_calls_in_a_queue_are_served_in_order_and_sleep_most_of_the_time(waiting: int, rate: float) -> None:
    limiter = RateLimiter(0.0)
    limiter.update(0.0, throttled=True)
    limiter._set_rate(rate, 0.0)
    places = [limiter.join() for _ in range(waiting)]
    asleep = [(0.0, number) for number in range(waiting)]
    served, asked, now = [], 0, 0.0
    while asleep:
        now, number = heapq.heappop(asleep)
        asked += 1
        wait = limiter.acquire(now, places[number])
        if wait:
            heapq.heappush(asleep, (now + wait, number))
        else:
            served.append(number)
            places[number].close()
    assert served == list(range(waiting))
    assert now == pytest.approx(waiting / limiter.rate, rel=0.01)  # no token is lost
    assert asked <= waiting * (10 + now / 2.0)


# The flow.


def slowed(clock: Clock) -> RateLimiter:
    """Return a limiter that has no token for two seconds."""
    limiter = RateLimiter(clock.now)
    limiter.update(clock.now, throttled=True)
    return limiter


def test_a_call_waits_for_its_turn_before_it_asks_for_credentials() -> None:
    clock = Clock(10.0)
    flow = new_flow(context(retries=ADAPTIVE, monotonic=clock, limiter=slowed(clock)))
    assert next(flow) == Sleep(2.0)
    clock.sleep(1.5)  # woken too early
    assert next(flow) == Sleep(0.5)
    clock.sleep(0.5)
    assert next(flow) == GetCredentials()
    assert isinstance(flow.send(KEYS), Request)


@pytest.mark.parametrize(("total", "begun"), [(1.9, False), (2.0, False), (2.1, True)])
def test_a_wait_for_a_turn_that_would_end_too_late_is_not_begun(total: float, begun: bool) -> None:
    clock = Clock(10.0)
    shared = context(retries=ADAPTIVE, monotonic=clock, limiter=slowed(clock), timeout=Timeout(total=total))
    flow = new_flow(shared)
    if begun:
        assert next(flow) == Sleep(2.0)
        return
    with pytest.raises(DeadlineExceeded) as caught:
        next(flow)
    assert (caught.value.attempts, caught.value.request_sent) == (0, False)


def test_a_retry_waits_for_its_turn_too_after_its_backoff() -> None:
    clock = Clock(10.0)
    flow = sent_flow(context(retries=ADAPTIVE, monotonic=clock, limiter=RateLimiter(10.0)))
    assert flow.send(THROTTLED) == Sleep(0.5)
    clock.sleep(0.5)
    assert next(flow) == Sleep(1.5)


def test_the_hook_is_told_how_long_each_attempt_waited_for_its_turn() -> None:
    clock, told = Clock(10.0), list[Attempt]()
    shared = context(retries=ADAPTIVE, monotonic=clock, limiter=RateLimiter(10.0), on_attempt=told.append)
    flow = sent_flow(shared)
    flow.send(THROTTLED)
    clock.sleep(0.5)
    next(flow)
    clock.sleep(1.5)
    attempt(flow)
    flow.send(THROTTLED)
    clock.sleep(60.0)
    attempt(flow)
    with pytest.raises(ThrottlingException):
        flow.send(THROTTLED)
    assert [each.queued for each in told] == [0.0, 1.5, 0.0]
    assert [", waited 1.500 s for its turn" in str(each) for each in told] == [False, True, False]


def test_a_call_that_gives_up_waiting_leaves_the_queue() -> None:
    clock = Clock(10.0)
    shared = context(retries=ADAPTIVE, monotonic=clock, limiter=slowed(clock))
    flows = [new_flow(shared) for _ in range(3)]
    assert [next(flow) for flow in flows] == [Sleep(2.0)] * 3
    clock.sleep(2.0)
    assert next(flows[1]) == Sleep(1.0)
    flows[0].close()
    assert next(flows[1]) == GetCredentials()


def test_a_call_that_runs_out_of_time_leaves_the_queue() -> None:
    clock = Clock(10.0)
    limiter = slowed(clock)
    for _ in range(3):
        late = context(retries=ADAPTIVE, monotonic=clock, limiter=limiter, timeout=Timeout(total=1.0))
        with pytest.raises(DeadlineExceeded):
            next(new_flow(late))
    clock.sleep(2.0)
    assert limiter.acquire(clock.now) == 0.0


@pytest.mark.parametrize("mode", ["standard", "off"])
def test_other_modes_do_not_use_the_limiter(mode: Any) -> None:
    clock = Clock(10.0)
    limiter = slowed(clock)
    rate = limiter.rate
    shared = context(retries=RetryPolicy(mode=mode, max_attempts=1), monotonic=clock, limiter=limiter)
    for answer, error in ((THROTTLED, ThrottlingException), (page(), type(None))):
        driven = drive(shared, [answer], on_request=lambda _: clock.sleep(5.0))
        assert type(driven.error) is error
        assert driven.waits == []
    assert limiter.rate == rate


def test_a_broken_page_does_not_count_as_throttling() -> None:
    clock = Clock(10.0)
    ours = Ours(clock)
    ours.call([BROKEN, BROKEN])
    ours.call([])
    assert ours.context.limiter.acquire(clock.now) == 0.0


def test_an_attempt_that_was_not_sent_does_not_count_as_throttling() -> None:
    clock = Clock(10.0)
    limiter = slowed(clock)
    flow = new_flow(context(retries=ADAPTIVE, monotonic=clock, limiter=limiter))
    next(flow)
    clock.sleep(2.0)
    next(flow)
    rate = limiter.rate
    clock.sleep(60.0)
    with pytest.raises(CredentialsError):
        flow.throw(CredentialsError("none"))
    assert limiter.rate == rate


# Clients.


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_copies_of_a_client_wait_together(make: Any) -> None:
    made = make(region="us-east-1", credentials=KEYS)
    copies = [made.with_options(retries=RetryPolicy(mode="adaptive", max_attempts=most)) for most in (3, 5)]
    assert {id(each._context.limiter) for each in (made, *copies)} == {id(made._context.limiter)}


def test_a_client_that_was_throttled_slows_down(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1_000.0)

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    monkeypatch.setattr(blocking, "time", types.SimpleNamespace(**{**vars(time), "sleep": clock.sleep}))
    monkeypatch.setattr(asynchronous, "asyncio", types.SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(base, "time", types.SimpleNamespace(**{**vars(time), "monotonic": clock}))
    with LocalService() as service:
        service.fail_next("ThrottlingException")
        options = {**options_for(service), "retries": ADAPTIVE}
        assert face.page(options, **call_for(service.runs[0])).metadata.attempts == 2
    assert clock.now == 1_002.0  # the backoff, and the rest of the two seconds for the first token


def throttled() -> RateLimiter:
    limiter = RateLimiter(0.0)
    limiter.update(0.0, throttled=True)
    return limiter


def test_a_lost_call_may_leave_while_the_lock_is_held() -> None:
    limiter = throttled()
    with limiter._lock:  # as inside `acquire`, where garbage collection may run
        assert limiter._lock.acquire(blocking=False)
        limiter._lock.release()


def test_calls_that_no_longer_ask_are_passed_over() -> None:
    limiter = throttled()
    *silent, place = [limiter.join() for _ in range(4)]
    now = 0.0
    while wait := limiter.acquire(now, place):
        now += wait
        assert now < 20
    assert now > 6
    place.close()
    assert limiter.acquire(now + 2) == 0.0
    for each in silent:
        each.close()
    first, second = limiter.join(), limiter.join()
    assert limiter.acquire(now + 6, second) > 0.0
    assert limiter.acquire(now + 6, first) == 0.0


def test_a_call_that_is_lost_in_the_queue_holds_nobody_up() -> None:
    limiter = throttled()
    limiter.join()  # and an interruption came before the call kept it
    assert limiter.acquire(2.0) == 0.0


def test_a_call_that_waited_in_the_parent_leaves_the_queue_once() -> None:
    limiter = throttled()
    places = [limiter.join() for _ in range(2)]
    limiter.after_fork()
    for place in places:
        place.close()
    first, second = limiter.join(), limiter.join()
    assert limiter.acquire(5.0, second) > 0
    assert limiter.acquire(5.0, first) == 0.0
