"""Flows that tests drive by hand, in which nothing is left to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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
from novaact_http.errors import NovaActError
from tests.helpers.answers import page
from tests.helpers.calls import CALL, KEYS, NOW, ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


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


def attempt(flow: call_flow.Flow[Any], credentials: Credentials = KEYS) -> http_messages.Request:
    """Give a flow the credentials that it asks for, and return the request that it sends then."""
    assert isinstance(next(flow), call_flow.GetCredentials)
    request = flow.send(credentials)
    assert isinstance(request, http_messages.Request)
    return request


def request_of(
    arguments: Mapping[str, object], credentials: Credentials = KEYS, **settings: Any
) -> http_messages.Request:
    """Return the request that a call would send, without sending it."""
    flow = call_flow.call(context(**settings), LIST_SESSIONS, arguments)
    request = attempt(flow, credentials)
    flow.close()
    return request


class Driven(NamedTuple):
    """What came of a call.

    Attributes:
        output: what it returned, or None.
        error: what it raised, or None.
        requests: what it sent.
        waits: how many seconds it waited each time.
    """

    output: Any
    error: NovaActError | None
    requests: list[http_messages.Request]
    waits: list[float]


def drive(
    of: call_flow.Context,
    answers: Iterable[http_messages.Response | NovaActError],
    *,
    credentials: Credentials = KEYS,
    on_request: Callable[[http_messages.Request], object] = lambda _: None,
    on_wait: Callable[[float], object] = lambda _: None,
) -> Driven:
    """Make a call, and drive its flow to the end.

    Args:
        of: the context that the call is made in.
        answers: what comes back for each request; an error is raised. When there are no more, an empty page comes.
        credentials: what it gets whenever it asks for credentials.
        on_request: called with each request before it is answered.
        on_wait: called with the seconds of each wait.
    """
    flow = call_flow.call(of, LIST_SESSIONS, CALL)
    driven = Driven(None, None, [], [])
    remaining = iter(answers)
    step: Callable[[Any], call_flow.Need] = flow.send
    answer: object = None
    while True:
        try:
            need = step(answer)
        except StopIteration as ended:
            return driven._replace(output=ended.value)
        except NovaActError as error:
            return driven._replace(error=error)
        step, answer = flow.send, None
        if isinstance(need, call_flow.GetCredentials):
            answer = credentials
        elif isinstance(need, call_flow.Sleep):
            driven.waits.append(need.seconds)
            on_wait(need.seconds)
        else:
            driven.requests.append(need)
            on_request(need)
            answer = next(remaining, page())
            if isinstance(answer, NovaActError):
                step = flow.throw
