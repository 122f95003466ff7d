"""What the service model calls sensitive is in no repr, message, log line or variable of a traceback."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import NovaActError, ResponseError, RetryPolicy, Timeout, models
from novaact_http._operations import shapes
from tests.helpers.calls import CALL, NAME, mocked
from tests.helpers.operations import OPERATIONS, method_name
from tests.helpers.tracebacks import everything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.both_clients import Face

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
    options = {**mocked(ENDS[end]), "retries": RetryPolicy(max_attempts=2), "on_attempt": told.append}
    options |= {"on_call": told.append, "timeout": Timeout(total=5)}
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
