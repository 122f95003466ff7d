"""Flows that tests drive by hand, in which nothing is left to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from novaact_http import (
    Attempt,
    Credentials,
    RetryPolicy,
    Timeout,
)
from novaact_http._aws import settings as settings_module
from novaact_http._call import flow as call_flow
from novaact_http._call import http_messages, rate_limiter, sigv4
from novaact_http._call import retries as retry_rules
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.user_agent import user_agent
from novaact_http._operations.sessions import LIST_SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

from tests.helpers.calls import KEYS, NOW, ONCE


def context(
    *,
    endpoint_url: str = "https://nova-act.us-east-1.amazonaws.com",
    region: str = "us-east-1",
    retries: RetryPolicy = ONCE,
    quota: retry_rules.Quota | None = None,
    limiter: rate_limiter.RateLimiter | None = None,
    timeout: Timeout | None = None,
    clock: Callable[[], float] = lambda: NOW,
    monotonic: Callable[[], float] = lambda: 0.0,
    skew: ClockSkew | None = None,
    correct_clock_skew: bool = True,
    on_attempt: Callable[[Attempt], object] | None = None,
    signer: sigv4.Signer | None = None,
    renews_credentials: bool = False,
) -> call_flow.Context:
    """Return a flow's context without randomness or real clocks."""
    return call_flow.Context(
        endpoint=settings_module.resolve(region=region, endpoint_url=endpoint_url, environ={}).endpoint,
        region=region,
        timeout=timeout or Timeout(),
        signer=signer or sigv4.SigV4Signer(),
        retries=retries,
        quota=quota or retry_rules.Quota(),
        limiter=limiter or rate_limiter.RateLimiter(0.0),
        skew=skew or ClockSkew(),
        correct_clock_skew=correct_clock_skew,
        clock=clock,
        monotonic=monotonic,
        user_agent=user_agent(""),
        on_attempt=on_attempt,
        renews_credentials=renews_credentials,
        new_invocation_id=iter(f"invocation-{number}" for number in range(1_000)).__next__,
    )


def request_of(
    arguments: Mapping[str, object], credentials: Credentials = KEYS, **settings: Any
) -> http_messages.Request:
    """Return the request that a call would send, without sending it."""
    flow = call_flow.call(context(**settings), LIST_SESSIONS, arguments)
    assert isinstance(next(flow), call_flow.GetCredentials)
    request = flow.send(credentials)
    assert isinstance(request, http_messages.Request)
    flow.close()
    return request
