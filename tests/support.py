"""Helpers of several tests: one way to call both clients, boto3 as the oracle, and flows driven by hand."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from unittest import mock

import boto3
import httpx
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from urllib3 import HTTPHeaderDict

from novaact_http import (
    AsyncClient,
    Attempt,
    Client,
    Credentials,
    ListSessionsResponse,
    RetryPolicy,
    SessionSummary,
    Timeout,
)
from novaact_http._aws import settings as settings_module
from novaact_http._call import flow as call_flow
from novaact_http._call import messages, rate_limiter, sigv4
from novaact_http._call import retries as retry_rules
from novaact_http._call.clock_skew import ClockSkew
from novaact_http._call.user_agent import user_agent
from novaact_http._operations.sessions import LIST_SESSIONS

if TYPE_CHECKING:
    from novaact_http.testing import LocalService, WorkflowRun

# How many requests a test of many requests sends: fewer where somebody waits for the suite.
MANY = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 1_000

T = TypeVar("T")
Handler = Callable[[httpx.Request], httpx.Response]

NAME = "checkout-flow"
RUN_ID = "01234567-89ab-4cde-8f01-23456789abcd"
CALL: dict[str, Any] = {"workflow_definition_name": NAME, "workflow_run_id": RUN_ID}
KEYS = Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
TEMPORARY_KEYS = Credentials(
    access_key_id="ASIAIOSFODNN7EXAMPLE",
    secret_access_key="wJalrXUtnFEMI+bPxRfiCYEXAMPLEKEY",
    session_token="IQoJ/Token+==",
)
NOW = 1_763_930_096.5  # 2025-11-23T20:34:56Z, and half a second that must not appear
ONCE = RetryPolicy(mode="off")
OPTIONS: dict[str, Any] = {
    "region": "us-east-1",
    "credentials": KEYS,
    "endpoint_url": "http://127.0.0.1:9",
    "retries": ONCE,
}


def options_for(service: LocalService) -> dict[str, Any]:
    """Return the options of a client that talks to the local service, with one attempt a call."""
    return {
        "region": service.region,
        "credentials": service.credentials,
        "endpoint_url": service.url,
        "retries": ONCE,
    }


def call_for(run: WorkflowRun) -> dict[str, Any]:
    """Return the arguments that name a run."""
    return {"workflow_definition_name": run.workflow_definition_name, "workflow_run_id": run.workflow_run_id}


class Face(Protocol):
    """One of the two clients, called synchronously. Each call has a new client (and event loop)."""

    def page(self, options: Mapping[str, Any], **arguments: Any) -> ListSessionsResponse:
        """Return the page of one call."""
        ...

    def items(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[SessionSummary], str | None]:
        """Return all items of a listing, and the resume token after the last."""
        ...

    def pages(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[ListSessionsResponse], str | None]:
        """Return all pages of a listing, and the resume token after the last."""
        ...


class SyncFace(Face):
    def page(self, options: Mapping[str, Any], **arguments: Any) -> ListSessionsResponse:
        with Client(**options) as client:
            return client.list_sessions(**arguments)

    def items(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[SessionSummary], str | None]:
        with Client(**options) as client:
            pager = client.iter_sessions(**arguments)
            return list(pager), pager.resume_token

    def pages(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[ListSessionsResponse], str | None]:
        with Client(**options) as client:
            pager = client.iter_sessions(**arguments)
            return list(pager.pages()), pager.resume_token


class AsyncFace(Face):
    def page(self, options: Mapping[str, Any], **arguments: Any) -> ListSessionsResponse:
        async def run() -> ListSessionsResponse:
            async with AsyncClient(**options) as client:
                return await client.list_sessions(**arguments)

        return asyncio.run(run())

    def items(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[SessionSummary], str | None]:
        async def run() -> tuple[list[SessionSummary], str | None]:
            async with AsyncClient(**options) as client:
                pager = client.iter_sessions(**arguments)
                return [item async for item in pager], pager.resume_token

        return asyncio.run(run())

    def pages(self, options: Mapping[str, Any], **arguments: Any) -> tuple[list[ListSessionsResponse], str | None]:
        async def run() -> tuple[list[ListSessionsResponse], str | None]:
            async with AsyncClient(**options) as client:
                pager = client.iter_sessions(**arguments)
                return [page async for page in pager.pages()], pager.resume_token

        return asyncio.run(run())


FACES = (SyncFace, AsyncFace)


def mocked(handler: Handler) -> dict[str, Any]:
    """Return options of a client for which the handler answers instead of a server."""
    return {**OPTIONS, "transport": httpx.MockTransport(handler)}


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


def request_of(arguments: Mapping[str, object], credentials: Credentials = KEYS, **settings: Any) -> messages.Request:
    """Return the request that a call would send, without sending it."""
    flow = call_flow.call(context(**settings), LIST_SESSIONS, arguments)
    assert isinstance(next(flow), call_flow.GetCredentials)
    request = flow.send(credentials)
    assert isinstance(request, messages.Request)
    flow.close()
    return request


@functools.cache
def boto3_session() -> boto3.Session:
    return boto3.Session()


def boto3_client(
    *,
    endpoint_url: str | None = None,
    region: str = "us-east-1",
    credentials: Credentials = KEYS,
    max_attempts: int = 1,
    config: Config | None = None,
) -> Any:
    """Return a boto3 client. All share one session, as a session takes long to make."""
    return boto3_session().client(
        "nova-act",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=Config(retries={"total_max_attempts": max_attempts, "mode": "standard"}).merge(config or Config()),
    )


def boto3_for(service: LocalService) -> Any:
    return boto3_client(endpoint_url=service.url, region=service.region, credentials=service.credentials)


BOTO3_NAMES = {each.name: each.wire_name for each in LIST_SESSIONS.inputs}


def boto3_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return our arguments under boto3's names; None means not given."""
    # In our order, as boto3 writes the query in the order of its arguments.
    return {theirs: arguments[ours] for ours, theirs in BOTO3_NAMES.items() if arguments.get(ours) is not None}


class Boto3Wire:
    """A boto3 client that sends nothing. It gets a given response, and its request is remembered."""

    def __init__(self, **options: Any) -> None:
        self.client = boto3_client(**options)
        self._sent: list[Any] = []
        self._answer = messages.Response(status=200, headers=(), body=b'{"sessionSummaries": []}')
        self.client.meta.events.register("before-send.nova-act.*", self._send)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self._sent.append(request)
        return self.response(request.url, self._answer)

    @staticmethod
    def response(url: str, answer: messages.Response) -> AWSResponse:
        """Return a response of botocore's type."""
        return AWSResponse(url, answer.status, HTTPHeaderDict(answer.headers), _RawBody(answer.body))

    def request_of(self, arguments: Mapping[str, object]) -> Any:
        """Return what boto3 would send at `NOW`: an object with method, url, headers and body."""
        now = dt.datetime.fromtimestamp(NOW, dt.timezone.utc).replace(tzinfo=None)
        with mock.patch("botocore.auth.get_current_datetime", return_value=now):
            self.client.list_sessions(**boto3_arguments(arguments))
        return self._sent.pop()

    def result_of(self, answer: messages.Response) -> Any:
        """Return boto3's result for a response: the parsed page, or the exception."""
        self._answer = answer
        try:
            return self.client.list_sessions(**boto3_arguments(CALL))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            return error


class _RawBody:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
