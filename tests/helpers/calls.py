"""Names, keys, a clock, and options of clients, which many tests use."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from novaact_http import (
    Credentials,
    RetryPolicy,
)

if TYPE_CHECKING:
    from novaact_http.testing import LocalService, WorkflowRun


# The number of requests in tests of many requests: fewer where somebody waits for the suite.
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


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


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


def mocked(handler: Handler) -> dict[str, Any]:
    """Return options of a client for which the handler answers instead of a server."""
    return {**OPTIONS, "transport": httpx.MockTransport(handler)}
