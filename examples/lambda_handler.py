"""AWS Lambda: one client for all invocations, and calls that end before the invocation does.

The handler is `lambda_handler.handler`; the event is

    {"workflowDefinitionName": "checkout-flow", "workflowRunId": "62e6…", "nextToken": "optional"}

It needs no configuration: Lambda sets the region, keys and session token in the environment, so neither botocore nor
httpx is imported. To try it on this machine, with AWS_REGION and credentials in the environment:

    python examples/lambda_handler.py checkout-flow 62e6e282-e5c1-457c-b8c3-a967b36711eb
"""

from __future__ import annotations

import sys
import time
from typing import Protocol, TypedDict

from novaact_http import Client, Timeout

RESERVE = 0.5  # seconds of an invocation that are kept for the work after the last call
MIN_SECONDS_FOR_A_PAGE = 1.0  # with less time left, no further page is requested


class Context(Protocol):
    """The part of Lambda's context that the handler uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda stops the function."""
        ...


class Result(TypedDict):
    """The result of the function."""

    sessionIds: list[str]
    nextToken: str | None


# Made while Lambda initializes the function. The client and its connections are kept between invocations.
client = Client()


def handler(event: dict[str, str], context: Context) -> Result:
    """List as many of a run's sessions as time permits; pass `nextToken` in the next event to continue."""
    session_ids: list[str] = []
    token = event.get("nextToken")
    while True:
        # `total` limits one call, so each page gets the time that is left. A DeadlineExceeded says what happened; a
        # function that Lambda stops does not.
        timeout = Timeout(connect=2, total=max(_seconds_left(context), 0.01))
        page = client.with_options(timeout=timeout).list_sessions(
            workflow_definition_name=event["workflowDefinitionName"],
            workflow_run_id=event["workflowRunId"],
            next_token=token,
        )
        session_ids += [session.session_id for session in page.session_summaries]
        token = page.next_token or None
        if token is None or _seconds_left(context) < MIN_SECONDS_FOR_A_PAGE:
            return {"sessionIds": session_ids, "nextToken": token}


def _seconds_left(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000 - RESERVE


class _TenSeconds:
    """The context of an invocation that may take ten seconds."""

    def __init__(self) -> None:
        self._end = time.monotonic() + 10

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the end."""
        return int((self._end - time.monotonic()) * 1000)


if __name__ == "__main__":
    _, name, run_id = sys.argv
    print(handler({"workflowDefinitionName": name, "workflowRunId": run_id}, _TenSeconds()))
