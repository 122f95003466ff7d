"""Flows that tests drive by hand, in which nothing is left to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from novaact_http import (
    Attempt,
    CallReport,
    Credentials,
    RetryPolicy,
    Timeout,
)
from novaact_http._aws.settings import resolve
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.flow import Context, Flow, GetCredentials, Need, Sleep, call
from novaact_http._call.heads import Heads
from novaact_http._call.http_messages import Request, Response
from novaact_http._call.rate_limiter import RateLimiter
from novaact_http._call.redaction import Redaction
from novaact_http._call.retries import Quota
from novaact_http._call.sigv4 import Scope, Signer, SigV4Signer
from novaact_http._call.user_agent import user_agent
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.errors import NovaActError
from tests.helpers.answers import page
from tests.helpers.calls import CALL, KEYS, NOW, ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from novaact_http._operations.shapes import Operation


def context(
    *,
    endpoint_url: str = "https://nova-act.us-east-1.amazonaws.com",
    region: str = "us-east-1",
    retries: RetryPolicy = ONCE,
    quota: Quota | None = None,
    limiter: RateLimiter | None = None,
    timeout: Timeout | None = None,
    clock: Callable[[], float] = lambda: NOW,
    monotonic: Callable[[], float] = lambda: 0.0,
    skew: ClockSkew | None = None,
    correct_clock_skew: bool = True,
    on_attempt: Callable[[Attempt], object] | None = None,
    on_call: Callable[[CallReport], object] | None = None,
    signer: Signer | None = None,
    renews_credentials: bool = False,
    credentials_at_hand: Callable[[], Credentials | None] = lambda: None,
) -> Context:
    """Return a flow's context without randomness or real clocks."""
    endpoint = resolve(region=region, endpoint_url=endpoint_url, environ={}).endpoint
    return Context(
        endpoint=endpoint,
        region=region,
        timeout=timeout or Timeout(),
        heads=Heads(
            signer=signer or SigV4Signer(),
            scope=Scope(region, "nova-act"),
            authority=endpoint.authority,
            user_agent=user_agent(""),
            headers=(),
        ),
        redaction=Redaction(),
        retries=retries,
        quota=quota or Quota(),
        limiter=limiter or RateLimiter(0.0),
        skew=skew or ClockSkew(),
        correct_clock_skew=correct_clock_skew,
        clock=clock,
        monotonic=monotonic,
        on_attempt=on_attempt,
        on_call=on_call,
        renews_credentials=renews_credentials,
        credentials_at_hand=credentials_at_hand,
        new_invocation_id=iter(f"invocation-{number}" for number in range(1_000)).__next__,
    )


def new_flow(
    of: Context, arguments: Mapping[str, object] = CALL, operation: Operation[Any] = LIST_SESSIONS
) -> Flow[Any]:
    """Return the flow of a call that has not begun."""
    return call(of, operation, arguments)


def attempt(flow: Flow[Any], credentials: Credentials = KEYS) -> Request:
    """Give a flow the credentials that it asks for next, and return the request that it sends then."""
    assert isinstance(next(flow), GetCredentials)
    request = flow.send(credentials)
    assert isinstance(request, Request)
    return request


def sent_flow(of: Context, credentials: Credentials = KEYS) -> Flow[Any]:
    """Return the flow of a call that has sent its first request."""
    flow = new_flow(of)
    attempt(flow, credentials)
    return flow


def finish(flow: Flow[Any], response: Response | None = None) -> Any:
    """Give a flow the response to its last request, by default an empty page. Return the output of the call."""
    try:
        need = flow.send(response or page())
    except StopIteration as finished:
        return finished.value
    raise AssertionError(f"the call goes on: it asks for {need}")


def request_of(
    arguments: Mapping[str, object],
    credentials: Credentials = KEYS,
    operation: Operation[Any] = LIST_SESSIONS,
    **settings: Any,
) -> Request:
    """Return the request that a call would send, without sending it."""
    flow = new_flow(context(**settings), arguments, operation)
    request = attempt(flow, credentials)
    flow.close()
    return request


class Driven(NamedTuple):
    """What a call did.

    Attributes:
        output: what it returned, or None.
        error: what it raised, or None.
        requests: what it sent.
        waits: how many seconds it waited each time.
    """

    output: Any
    error: NovaActError | None
    requests: list[Request]
    waits: list[float]


def drive(
    of: Context,
    answers: Iterable[Response | NovaActError],
    *,
    flow: Flow[Any] | None = None,
    credentials: Credentials = KEYS,
    on_request: Callable[[Request], object] = lambda _: None,
    on_wait: Callable[[float], object] = lambda _: None,
) -> Driven:
    """Make a call, and drive its flow to the end.

    Args:
        of: the context of the call.
        answers: the response to each request; an error is raised instead. After the last, every response is an empty
            page.
        flow: the flow; by default that of a call of ListSessions.
        credentials: the credentials that the call gets each time it asks.
        on_request: called with each request before it is answered.
        on_wait: called with the seconds of each wait.
    """
    flow = new_flow(of) if flow is None else flow
    driven = Driven(None, None, [], [])
    remaining = iter(answers)
    step: Callable[[Any], Need] = flow.send
    answer: object = None
    while True:
        try:
            need = step(answer)
        except StopIteration as ended:
            return driven._replace(output=ended.value)
        except NovaActError as error:
            return driven._replace(error=error)
        step, answer = flow.send, None
        if isinstance(need, GetCredentials):
            answer = credentials
        elif isinstance(need, Sleep):
            driven.waits.append(need.seconds)
            on_wait(need.seconds)
        else:
            driven.requests.append(need)
            on_request(need)
            answer = next(remaining, page())
            if isinstance(answer, NovaActError):
                step = flow.throw
