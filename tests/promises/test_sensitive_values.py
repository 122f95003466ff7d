"""What the service model calls sensitive is in no repr, message, log line or variable of a traceback."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import NovaActError, ResponseError, RetryPolicy, Timeout, TransportError, models
from novaact_http._operations import shapes
from tests.helpers.calls import CALL, NAME, mocked
from tests.helpers.operations import OPERATIONS, method_name
from tests.helpers.servers import Server
from tests.helpers.tracebacks import everything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.both_clients import Face
    from tests.helpers.servers import Peer

SENSITIVE = "Buy the blue bicycle of 4711"
SESSION = {**CALL, "session_id": "s"}
ACT = {**SESSION, "act_id": "a"}
# Of each sensitive argument, and of each argument with sensitive members.
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("create_workflow_definition", {"name": NAME, "description": SENSITIVE}),
    ("ensure_workflow_definition", {"name": NAME, "description": SENSITIVE}),
    ("create_act", {**SESSION, "task": SENSITIVE}),
    (
        "create_act",
        {
            **SESSION,
            "task": "t",
            "tool_specs": [
                models.ToolSpec(
                    name="n",
                    description=SENSITIVE,
                    input_schema=models.ToolInputSchema(json={"title": [SENSITIVE]}),
                )
            ],
        },
    ),
    ("update_act", {**ACT, "status": "FAILED", "error": models.ActError(message=SENSITIVE)}),
    (
        "invoke_act_step",
        {**ACT, "call_results": [models.CallResult(content=[models.CallResultContent(text=SENSITIVE)])]},
    ),
]
IDS = ["definition", "ensured", "task", "tool", "error", "result"]


def refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def lose(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("late")


def crash(_: httpx.Request) -> httpx.Response:
    raise ZeroDivisionError


def answering(status: int, body: bytes = b"{}", code: str = "") -> Any:
    return lambda _: httpx.Response(status, content=body, headers={"x-amzn-errortype": code} if code else {})


ENDS = {
    "refused": refuse,
    "lost": lose,
    "bug": crash,
    "error": answering(400, b'{"message": "no"}', "ValidationException"),
    "gateway": answering(503, b"<html>"),
    "no output": answering(200, b"[]"),
}


@pytest.fixture
def _lines(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log at level DEBUG, and look through all lines."""
    caplog.set_level(logging.DEBUG, "novaact_http")
    yield
    assert SENSITIVE not in caplog.text


@pytest.mark.usefixtures("_lines")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("method", "arguments"), CALLS, ids=IDS)
def test_an_error_of_a_call_shows_none(face: Face, method: str, arguments: dict[str, Any], end: str) -> None:
    told: list[Any] = []

    def hook(report: Any) -> None:
        told.append(report)
        # As an error tracker would show it, while the functions that are being called still run.
        assert report.error is None or SENSITIVE not in everything(report.error)

    options = {**mocked(ENDS[end]), "retries": RetryPolicy(max_attempts=2), "on_attempt": hook}
    options |= {"on_call": hook, "timeout": Timeout(total=5)}
    with pytest.raises((NovaActError, ZeroDivisionError)) as caught:
        face.call(method, options, **arguments)
    assert SENSITIVE not in everything(caught.value)
    assert SENSITIVE not in repr(told)
    assert told


@pytest.mark.usefixtures("_lines")
@pytest.mark.parametrize(("method", "arguments"), CALLS, ids=IDS)
def test_an_error_before_anything_is_sent_shows_none(face: Face, method: str, arguments: dict[str, Any]) -> None:
    bad = "name" if "name" in arguments else "workflow_definition_name"
    with pytest.raises(NovaActError) as caught:
        face.call(method, mocked(crash), **{**arguments, bad: 5})
    assert SENSITIVE not in everything(caught.value)


# As somebody would pass them who comes from boto3.
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("create_act", {**SESSION, "task": "t", "tool_specs": [{"name": "n", "description": SENSITIVE}]}),
    ("create_act", {**SESSION, "task": [SENSITIVE]}),
    ("update_act", {**ACT, "status": "FAILED", "error": {"message": SENSITIVE}}),
    ("update_act", {**ACT, "status": "FAILED", "error": SENSITIVE}),
    ("invoke_act_step", {**ACT, "call_results": [{"content": [{"text": SENSITIVE}]}]}),
    ("invoke_act_step", {**ACT, "call_results": SENSITIVE}),
    ("invoke_act_step", {**ACT, "call_results": [models.CallResult(content=[{"text": SENSITIVE}])]}),  # type: ignore[list-item]
    ("invoke_act_step", {**ACT, "call_results": [models.CallResult(content=SENSITIVE)]}),  # type: ignore[arg-type]
    ("create_workflow_definition", {"name": "n", "description": {"text": SENSITIVE}}),
]


@pytest.mark.parametrize(("method", "arguments"), WRONG, ids=map(str, range(len(WRONG))))
def test_a_value_of_a_wrong_type_is_shown_no_more_than_a_right_one(
    face: Face, method: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(NovaActError) as caught:
        face.call(method, mocked(crash), **arguments)
    assert SENSITIVE not in everything(caught.value)


@pytest.mark.parametrize("method", ["create_act", "update_act", "create_workflow_definition"])
def test_of_a_broken_output_that_repeats_the_request_no_excerpt_is_kept(face: Face, method: str) -> None:
    arguments = dict(CALLS)[method]
    with pytest.raises(ResponseError, match="the body is not shown") as caught:
        face.call(method, mocked(lambda request: httpx.Response(200, content=b"sent: " + request.content)), **arguments)
    assert SENSITIVE not in everything(caught.value)


def test_of_a_body_whose_chunks_are_out_of_step_nothing_is_shown(face: Face) -> None:
    body = f"3\r\n{SENSITIVE}\r\n0\r\n\r\n".encode()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    with Server(script) as server:
        options = {**mocked(crash), "endpoint_url": server.url, "transport": None}
        with pytest.raises(TransportError) as caught:
            face.call("invoke_act_step", options, **OUTPUTS["invoke_act_step"][1])
    assert "bicycle" not in everything(caught.value)


@pytest.mark.parametrize(("method", "arguments"), CALLS, ids=IDS)
def test_the_repr_of_what_is_passed_shows_none(method: str, arguments: dict[str, Any]) -> None:
    (operation,) = (
        each for name, each in OPERATIONS.items() if method_name(name) == method.replace("ensure", "create")
    )
    sensitive = {each.name for each in operation.inputs if each.sensitive}
    for name, value in arguments.items():
        assert name in sensitive or SENSITIVE not in repr(value)


OUTPUTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "get_workflow_definition": (
        {"name": "n", "arn": "a", "createdAt": 1, "status": "ACTIVE", "description": SENSITIVE},
        {"workflow_definition_name": NAME},
    ),
    "invoke_act_step": (
        {"stepId": "s", "calls": [{"callId": "c", "name": "n", "input": {"text": [SENSITIVE]}}]},
        {**ACT, "call_results": [models.CallResult(content=[models.CallResultContent(text="t")])]},
    ),
}


@pytest.mark.parametrize("method", OUTPUTS)
def test_an_output_has_them_but_its_repr_does_not(face: Face, method: str) -> None:
    body, arguments = OUTPUTS[method]
    output = face.call(method, mocked(answering(200, json.dumps(body).encode())), **arguments)
    assert SENSITIVE not in repr(output)
    assert SENSITIVE in json.dumps(models.as_dict(output), default=str)


@pytest.mark.usefixtures("_lines")
@pytest.mark.parametrize("cut", [1, 5])
@pytest.mark.parametrize("method", OUTPUTS)
def test_of_a_broken_output_no_excerpt_is_kept(face: Face, method: str, cut: int) -> None:
    body, arguments = OUTPUTS[method]
    broken = json.dumps({"description": SENSITIVE, **body}).encode()[:-cut]
    with pytest.raises(ResponseError, match="the body is not shown") as caught:
        face.call(method, mocked(answering(200, broken)), **arguments)
    assert SENSITIVE not in everything(caught.value)


def test_all_that_is_sensitive_is_tried_here() -> None:
    """The test of the service model says that our operations have what it calls sensitive. This says that tests do."""

    def of(shape: Any) -> set[str]:
        if isinstance(shape, shapes.ListOf):
            return of(shape.element)
        members = shape.members if isinstance(shape, shapes.Structure) else ()
        return {f"{shape.model.__name__}.{each.name}" for each in members if each.sensitive}.union(
            *(of(each.shape) for each in members)
        )

    found: set[str] = set()
    for name, operation in OPERATIONS.items():
        found |= of(operation.output)
        for each in operation.inputs:
            found |= {f"{name}.{each.name}"} if each.sensitive else of(each.shape)
    assert found == {
        "CreateWorkflowDefinition.description",
        "GetWorkflowDefinitionResponse.description",
        "CreateAct.task",
        "ToolSpec.description",
        "ToolSpec.input_schema",
        "ToolInputSchema.json",
        "ActError.message",
        "CallResultContent.text",
        "Call.input",
    }
