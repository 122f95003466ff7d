"""Acts of a session: the models, and the operations that create, update and list them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from novaact_http._operations.common import ResponseMetadata, SortOrder, StringEnum
from novaact_http._operations.service_errors import OF_CREATES, OF_MOST
from novaact_http._operations.shapes import (
    CLIENT_TOKEN,
    DOCUMENT,
    NAME,
    PAGE,
    TIMESTAMP,
    Enumeration,
    ListOf,
    Operation,
    Paging,
    body,
    path,
    query,
    structure,
    union,
)
from novaact_http._operations.traces import TRACE_LOCATION, TraceLocation
from novaact_http._support.late_attrs import ValueObject, field, frozen


class ActStatus(StringEnum):
    """The status of an act."""

    RUNNING = "RUNNING"
    PENDING_CLIENT_ACTION = "PENDING_CLIENT_ACTION"
    PENDING_HUMAN_ACTION = "PENDING_HUMAN_ACTION"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


@frozen(kw_only=True, eq=False, repr=False)
class ToolInputSchema(ValueObject):
    """What a tool takes. Exactly one attribute is given. It is not shown in the repr.

    Attributes:
        json: a JSON Schema: dict with str keys, list or tuple, str, int, finite float, bool and None.
    """

    json: Any = field(default=None, repr=False, hash=False)


@frozen(kw_only=True, eq=False, repr=False)
class ToolSpec(ValueObject):
    """A tool of yours that an act may call.

    Attributes:
        name: the tool's name.
        description: what the tool does, in words for the model. It is not shown in the repr.
        input_schema: what the tool takes. It is not shown in the repr.
    """

    name: str
    description: str = field(repr=False)
    input_schema: ToolInputSchema = field(repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class ActError(ValueObject):
    """Why an act failed.

    Attributes:
        message: the reason in words. It is not shown in the repr.
        type: the kind of error; None to leave it out.
    """

    message: str = field(repr=False)
    type: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class ActSummary(ValueObject):
    """One act of a list.

    Attributes:
        workflow_run_id: the id of its workflow run, a UUID.
        session_id: the id of its session, a UUID.
        act_id: its id, a UUID.
        status: its status; a plain str if this library does not know it.
        started_at: when it was created, in UTC.
        ended_at: when it ended, in UTC; None as long as it runs.
        trace_location: where its trace is; None if there is none.
    """

    workflow_run_id: str
    session_id: str
    act_id: str
    status: ActStatus | str
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    trace_location: TraceLocation | None = None


@frozen(kw_only=True, eq=False, repr=False)
class CreateActResponse(ValueObject):
    """An act that was created.

    Attributes:
        act_id: its id, a UUID.
        status: its status; a plain str if this library does not know it.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    act_id: str
    status: ActStatus | str
    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class UpdateActResponse(ValueObject):
    """The act was updated.

    Attributes:
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    metadata: ResponseMetadata = field(eq=False, repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class ListActsResponse(ValueObject):
    """One page of acts.

    Attributes:
        act_summaries: the acts in the requested order; it may be empty although more pages follow.
        next_token: pass it to the next call to get the next page; None or `""` on the last page.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    act_summaries: tuple[ActSummary, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = field(eq=False, repr=False)


_STATUS = Enumeration(ActStatus)
_OF_ALL = "/workflow-definitions/{workflowDefinitionName}/workflow-runs/{workflowRunId}/sessions/{sessionId}/acts"
_OF_ONE = f"{_OF_ALL}/{{actId}}"
_SESSION = (path("workflow_definition_name"), path("workflow_run_id"), path("session_id"))
_ONE = (*_SESSION, path("act_id"))

CREATE_ACT = Operation(
    name="CreateAct",
    http=f"PUT {_OF_ALL}",
    inputs=(
        *_SESSION,
        body("task", NAME, required=True, sensitive=True),
        body(
            "tool_specs",
            ListOf(
                structure(ToolSpec, name=NAME, description=NAME, input_schema=union(ToolInputSchema, json=DOCUMENT))
            ),
        ),
        CLIENT_TOKEN,
    ),
    output=structure(CreateActResponse, status=_STATUS),
    errors=OF_CREATES,
)

UPDATE_ACT = Operation(
    name="UpdateAct",
    http=f"PUT {_OF_ONE}",
    inputs=(
        *_ONE,
        body("status", _STATUS, required=True),
        body("error", structure(ActError, message=NAME, type=NAME)),
    ),
    output=structure(UpdateActResponse),
    errors=OF_MOST,
)

LIST_ACTS = Operation(
    name="ListActs",
    http="POST /workflow-definitions/{workflowDefinitionName}/acts",
    inputs=(
        path("workflow_definition_name"),
        query("workflow_run_id"),
        query("session_id"),
        *PAGE,
        body("sort_order", Enumeration(SortOrder)),
    ),
    output=structure(
        ListActsResponse,
        act_summaries=ListOf(
            structure(
                ActSummary, status=_STATUS, started_at=TIMESTAMP, ended_at=TIMESTAMP, trace_location=TRACE_LOCATION
            )
        ),
    ),
    errors=OF_MOST,
    paging=Paging(items="act_summaries"),
)
