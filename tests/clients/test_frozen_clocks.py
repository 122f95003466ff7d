"""Tests that freeze or move the time, as freezegun and time-machine do, after a client was made."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import AsyncClient, Client, RetryPolicy
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._clients import asynchronous, blocking
from tests.helpers.calls import call_for, options_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http.testing import LocalService

FROZEN = {1_577_836_800.0: "20200101T000000Z", 2_208_988_800.0: "20400101T000000Z"}


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest, service: LocalService) -> Iterator[Callable[..., None]]:
    """Calls the service with one client, made at the first call."""
    made: list[Any] = []
    loop = asyncio.new_event_loop()

    def call(**more: Any) -> None:
        if not made:
            options = {**options_for(service), "timeout": 5, **more}
            made.append(Client(**options) if request.param == "sync" else AsyncClient(**options))
        result = made[0].list_sessions(**call_for(service.runs[0]))
        if request.param == "async":
            loop.run_until_complete(result)

    yield call
    if request.param == "async":
        loop.run_until_complete(made[0].aclose())
    else:
        made[0].close()
    loop.close()


@pytest.fixture(autouse=True)
def _real_modules(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    assert not waits
    monkeypatch.setattr(blocking, "time", time)  # or what a test puts in there would not be seen
    monkeypatch.setattr(asynchronous, "asyncio", asyncio)


def freeze(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """Freeze both clocks at one time, as freezegun does."""
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "monotonic", lambda: now)


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
@pytest.mark.parametrize("now", FROZEN)
@pytest.mark.parametrize("keys", ["fixed", "from a function"])
def test_a_call_in_frozen_time_has_its_whole_limit_and_signs_with_that_time(
    calls: Callable[..., None],
    service: LocalService,
    monkeypatch: pytest.MonkeyPatch,
    mode: Any,
    now: float,
    keys: str,
) -> None:
    options: dict[str, Any] = {"retries": RetryPolicy(mode=mode, max_attempts=1)}
    if keys == "from a function":
        options["credentials"] = lambda: service.credentials
    calls(**options)
    with monkeypatch.context() as frozen:
        freeze(frozen, now)
        calls()
    calls()
    dates = [dict(each.headers)["X-Amz-Date"] for each in service.requests]
    assert len(dates) == 3
    assert dates[1] == FROZEN[now]
    assert dates[0] != FROZEN[now] != dates[2]


def test_a_client_that_was_throttled_in_frozen_time_is_not_held_back_for_ever_afterwards() -> None:
    limiter = RateLimiter(2_208_988_800.0)
    limiter.update(2_208_988_801.0, throttled=True)
    for now in (1_000.0, 1_003.0, 1_006.0):  # of the real clock; half a request a second is the slowest rate
        assert limiter.acquire(now) == 0
    assert 0 < limiter.acquire(1_006.0) <= 2
    limiter.update(1_006.5, throttled=True)
    assert limiter.rate == 0.5
    limiter.update(1_020.0, throttled=False)
    assert limiter.acquire(1_030.0) == 0
