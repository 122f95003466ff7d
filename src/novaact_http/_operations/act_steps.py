"""Steps of an act: the models, and the operation that drives an act."""

from __future__ import annotations

from typing import Any

from novaact_http._operations.common import ResponseMetadata
from novaact_http._operations.service_errors import OF_CREATES
from novaact_http._operations.shapes import DOCUMENT, NAME, ListOf, Operation, body, path, structure, union
from novaact_http._support.late_attrs import ValueObject, field, frozen


@frozen(kw_only=True, eq=False, repr=False)
class CallResultContent(ValueObject):
    """A part of what a call returned. Exactly one attribute is given. It is not shown in the repr.

    Attributes:
        text: text.
    """

    text: str | None = field(default=None, repr=False)


def _number_of_parts(content: object) -> str:
    return f"<{len(content)} parts>" if isinstance(content, (list, tuple)) else f"<{type(content).__name__}>"


@frozen(kw_only=True, eq=False, repr=False)
class CallResult(ValueObject):
    """What a call returned.

    Attributes:
        call_id: the id of the `Call`; None for the first step of an act, before any call.
        content: what it returned, at least one part.
    """

    call_id: str | None = None
    content: tuple[CallResultContent, ...] | list[CallResultContent] = field(repr=_number_of_parts)


@frozen(kw_only=True, eq=False, repr=False)
class Call(ValueObject):
    """A call that the service asks the client to make.

    Attributes:
        call_id: its id, for the `CallResult`.
        input: what to call it with, any JSON value. It is not shown in the repr.
        name: what to call.
    """

    call_id: str
    input: Any = field(repr=False, hash=False)
    name: str


@frozen(kw_only=True, eq=False, repr=False)
class InvokeActStepResponse(ValueObject):
    """The next step of an act.

    Attributes:
        calls: the calls to make next; empty if there is nothing more to do.
        step_id: the step's id, a UUID: the `previous_step_id` of the next step.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    calls: tuple[Call, ...]
    step_id: str
    metadata: ResponseMetadata = field(eq=False, repr=False)


INVOKE_ACT_STEP = Operation(
    name="InvokeActStep",
    http=(
        "PUT /workflow-definitions/{workflowDefinitionName}/workflow-runs/{workflowRunId}/sessions/{sessionId}"
        "/acts/{actId}/invoke-step/"
    ),
    inputs=(
        path("workflow_definition_name"),
        path("workflow_run_id"),
        path("session_id"),
        path("act_id"),
        body(
            "call_results",
            ListOf(structure(CallResult, call_id=NAME, content=ListOf(union(CallResultContent), minimum=1)), minimum=1),
            required=True,
        ),
        body("previous_step_id"),
    ),
    output=structure(InvokeActStepResponse, calls=ListOf(structure(Call, input=DOCUMENT))),
    errors=OF_CREATES,
    repeatable=False,
)
