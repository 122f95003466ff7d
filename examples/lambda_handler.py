"""AWS Lambda: one client for all invocations, and no call that outlives the invocation it is made for.

As a handler: `lambda_handler.handler`, with the event

    {"workflowDefinitionName": "checkout-flow", "workflowRunId": "62e6…", "nextToken": "optional"}

It needs nothing that Lambda does not set by itself: the region, keys and session token are in the environment, for
which neither botocore nor httpx is imported. To try it here, with AWS_REGION and credentials in the environment:

    python examples/lambda_handler.py checkout-flow 62e6e282-e5c1-457c-b8c3-a967b36711eb
"""

from __future__ import annotations

import sys
import time
from typing import Protocol, TypedDict

from novaact_http import Client, Timeout

RESERVE = 0.5  # seconds of an invocation that are kept for what comes after the last call
ENOUGH = 1.0  # seconds without which no further page is asked for


class Context(Protocol):
    """What is used of the context that Lambda passes."""

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda stops the function."""
        ...


class Result(TypedDict):
    """What the function answers."""

    sessionIds: list[str]
    nextToken: str | None


# Made while Lambda initializes the function, and kept with its connections from one invocation to the next.
client = Client()


def handler(event: dict[str, str], context: Context) -> Result:
    """List a run's sessions, as many as time permits; `nextToken` in the next event goes on from there."""
    session_ids: list[str] = []
    token = event.get("nextToken")
    while True:
        # A total is the limit of one call: there is less left for each page. Better a DeadlineExceeded, which says
        # what happened, than a function that Lambda stops.
        timeout = Timeout(connect=2, total=max(_seconds_left(context), 0.01))
        page = client.with_options(timeout=timeout).list_sessions(
            workflow_definition_name=event["workflowDefinitionName"],
            workflow_run_id=event["workflowRunId"],
            next_token=token,
        )
        session_ids += [session.session_id for session in page.session_summaries]
        token = page.next_token or None
        if token is None or _seconds_left(context) < ENOUGH:
            return {"sessionIds": session_ids, "nextToken": token}


def _seconds_left(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000 - RESERVE


class _TenSeconds:
    """The context of an invocation that may take ten seconds."""

    def __init__(self) -> None:
        self._end = time.monotonic() + 10

    def get_remaining_time_in_millis(self) -> int:
        """Until the end."""
        return int((self._end - time.monotonic()) * 1000)


if __name__ == "__main__":
    _, name, run_id = sys.argv
    print(handler({"workflowDefinitionName": name, "workflowRunId": run_id}, _TenSeconds()))
