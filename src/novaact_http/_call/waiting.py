"""Calls that are made of several, as generators like `flow.call`: waiting for a workflow run, ensuring a definition.

Imported when they are first used.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from novaact_http import _operations as operations
from novaact_http._call import parameters
from novaact_http._call.flow import Context, Flow, Limit, Sleep, call
from novaact_http._call.retries import is_retryable, random_number
from novaact_http._operations.shapes import STRING, Input, ListOf, Seconds, path
from novaact_http.config import Poll
from novaact_http.errors import (
    ConflictException,
    DeadlineExceeded,
    Problem,
    ResourceNotFoundException,
    ResponseError,
    ServiceError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._operations.shapes import Operation
    from novaact_http._operations.workflow_definitions import GetWorkflowDefinitionResponse
    from novaact_http._operations.workflow_runs import GetWorkflowRunResponse

_WAITING = (
    Input("until", "until", "client", ListOf(STRING, minimum=1)),
    Input("total", "total", "client", Seconds()),
)
# Seconds before the end of the time in which the last question is asked, and the part of a short time.
_LAST, _LAST_PART = 1.0, 0.1
# Seconds before asking again for a definition that is there but not to be seen yet.
_UNTIL_SEEN = (0.1, 0.2, 0.4, 0.8, 1.6)


def wait_for_workflow_run(
    context: Context, operation: Operation[GetWorkflowRunResponse], arguments: Mapping[str, object]
) -> Flow[GetWorkflowRunResponse]:
    """Ask for a workflow run until its status is one of those wanted.

    Args:
        context: the client's context.
        operation: `GetWorkflowRun`.
        arguments: those of the operation; and `until`, `total` and `poll` as `Client.wait_for_workflow_run` has them.

    Raises:
        ParameterError: bad arguments.
        DeadlineExceeded: the time is over. It names the last status.
        NovaActError: what an attempt raised that would fail again in the same way.
    """
    until, total, poll = arguments["until"], arguments["total"], arguments["poll"]
    wrong = []
    if not isinstance(poll, Poll):
        wrong.append(Problem("poll", f"must be a Poll, not {type(poll).__name__}"))
    if isinstance(until, Iterable) and not isinstance(until, (str, bytes)):
        until = tuple(until)
    elif until is not None:
        wrong.append(Problem("until", f'must be several statuses, such as ["SUCCEEDED"], not {type(until).__name__}'))
        until = None
    own = {name: value for name, value in arguments.items() if name not in ("until", "total", "poll")}
    parameters.check(
        "wait_for_workflow_run", (*operation.inputs, *_WAITING), {**own, "until": until, "total": total}, wrong
    )
    this = _Waiting(context, poll, total)
    while True:
        try:
            run: GetWorkflowRunResponse = yield from call(context, operation, own, this.limit)
        except (TransportError, ServiceError, ResponseError) as failure:
            this.survive(operation, failure)
        else:
            this.answered(run)
            if run.status in until if until else run.status != "RUNNING":
                return run
        yield Sleep(this.next_wait())


class _Waiting:
    """How a wait is going.

    Attributes:
        limit: the limit on the time of all calls; None for no limit.
        last: what is known of the status, for the error.
        failure: the failure of the last call, or None.
    """

    def __init__(self, context: Context, poll: Any, total: Any) -> None:
        self._context = context
        self._poll: Poll = poll
        self._total: float | None = total
        self._wait: float = min(self._poll.initial, self._poll.maximum)
        self._attempts = 0
        self._was_received = False
        self._advice = ": wait again, as nothing is lost"
        self._was_last = False
        self.limit = None
        if total is not None:
            self.limit = Limit(deadline=context.monotonic() + total, text=f"total allows the wait {total} s in all")
        self.last = "its status is not known, as every question failed"
        self.failure: TransportError | ServiceError | ResponseError | None = None

    def answered(self, run: GetWorkflowRunResponse) -> None:
        """Take note of what was answered."""
        self.last, self.failure = f"its last status was {run.status!s}", None
        self._advice = self._advice if run.status == "RUNNING" else ", which is not one of `until`"
        self._attempts += run.metadata.attempts
        self._was_received = True

    def survive(self, operation: Operation[Any], failure: TransportError | ServiceError | ResponseError) -> None:
        """Take note of a failure after which it makes sense to ask again.

        Raises:
            NovaActError: it makes no sense, or the time is over.
        """
        self.failure = failure
        self._attempts += failure.attempts
        self._was_received |= getattr(failure, "request_sent", True)
        if _left(self._context, self.limit) <= 0:
            raise self._deadline_exceeded() from failure
        if not is_retryable(operation, failure):
            raise failure

    def next_wait(self) -> float:
        """Return how many seconds to wait before asking again.

        Raises:
            DeadlineExceeded: there is no time to ask again.
        """
        wait: float = self._wait * (0.5 + random_number(self._context.retries) / 2)
        self._wait = min(self._wait * self._poll.multiplier, self._poll.maximum)
        if isinstance(self.failure, (ServiceError, ResponseError)):
            wait = max(wait, min(self.failure.retry_after or 0.0, self._poll.maximum))
        if self._total is not None:
            # The last question is asked shortly before the end, as nobody learns from what is asked after it.
            left = _left(self._context, self.limit) - min(_LAST, self._total * _LAST_PART)
            if left <= 0 or self._was_last:
                raise self._deadline_exceeded() from self.failure
            self._was_last = wait >= left
            wait = min(wait, left)
        return wait

    def _deadline_exceeded(self) -> DeadlineExceeded:
        error = DeadlineExceeded(
            f"the workflow run was not done within {self._total} s; {self.last}{self._advice}",
            request_sent=self._was_received,
            attempts=self._attempts,
        )
        error._is_of_wait = True  # noqa: SLF001 - for its text
        return error


def ensure_workflow_definition(
    context: Context, operation: Operation[GetWorkflowDefinitionResponse], arguments: Mapping[str, object]
) -> Flow[GetWorkflowDefinitionResponse]:
    """Return a workflow definition, and create it before if there is none.

    Args:
        context: the client's context.
        operation: `GetWorkflowDefinition`.
        arguments: those of `CreateWorkflowDefinition`.

    Raises:
        ParameterError: bad arguments.
        NovaActError: what a call raised.
    """
    create = operations.CREATE_WORKFLOW_DEFINITION
    # As the name of what is to be found, not only of what is to be created.
    inputs = (path("name"), *(each for each in create.inputs if each.name != "name"))
    parameters.check("ensure_workflow_definition", inputs, arguments)
    total = context.timeout.total
    limit = None
    if total is not None:
        limit = Limit(deadline=context.monotonic() + total, text=f"Timeout.total allows it {total} s in all")
    get = {"workflow_definition_name": arguments["name"]}
    with contextlib.suppress(ResourceNotFoundException):
        return (yield from call(context, operation, get, limit))
    refused = None
    try:
        yield from call(context, create, arguments, limit)
    except ConflictException as conflict:  # as somebody else has created it in the meantime
        refused = conflict
    for wait in _UNTIL_SEEN:
        with contextlib.suppress(ResourceNotFoundException):
            return (yield from call(context, operation, get, limit))
        yield Sleep(min(wait, _left(context, limit)))
    try:
        return (yield from call(context, operation, get, limit))
    except ResourceNotFoundException:
        if refused is None:
            raise
    raise refused


def _left(context: Context, limit: Limit | None) -> float:
    return math.inf if limit is None else max(limit.deadline - context.monotonic(), 0.0)
