"""Bad values within arguments are named by their paths, all at once, and nothing is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import ParameterError
from novaact_http.models import (
    ActError,
    CallResult,
    CallResultContent,
    ClientInfo,
    ToolInputSchema,
    ToolSpec,
    WorkflowExportConfig,
)
from tests.helpers.calls import NAME, RUN_ID, mocked

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

RUN = {"workflow_definition_name": NAME, "workflow_run_id": RUN_ID}
SESSION = {**RUN, "session_id": "s"}
ACT = {**SESSION, "act_id": "a"}
SECRET = "do not show this"


class Circle(dict):  # type: ignore[type-arg]
    """A document that has itself in it."""

    def __init__(self) -> None:
        super().__init__()
        self["itself"] = self


def tool(**changes: Any) -> ToolSpec:
    members: dict[str, Any] = {"name": "n", "description": "d", "input_schema": ToolInputSchema(json={})}
    return ToolSpec(**{**members, **changes})


def with_tools(*tools: Any) -> tuple[str, dict[str, Any]]:
    return "create_act", {**SESSION, "task": "t", "tool_specs": tools}


def with_document(document: Any) -> tuple[str, dict[str, Any]]:
    return with_tools(tool(input_schema=ToolInputSchema(json=document)))


def with_results(*results: Any) -> tuple[str, dict[str, Any]]:
    return "invoke_act_step", {**ACT, "call_results": results}


DOCUMENT = "tool_specs[0].input_schema.json"
BAD = [
    (with_tools(tool(), tool(), tool(name=5)), "tool_specs[2].name", "must be str, not int (5)"),
    (with_tools(tool(name="")), "tool_specs[0].name", "must not be empty"),
    (with_tools(tool(description=5)), "tool_specs[0].description", "must be str, not int"),
    (with_tools({"name": "n"}), "tool_specs[0]", "must be a novaact_http.models.ToolSpec, not dict"),
    (with_tools(tool(input_schema={})), "tool_specs[0].input_schema", "must be a novaact_http.models.ToolInputSchema"),
    (with_tools(None), "tool_specs[0]", "must be a novaact_http.models.ToolSpec, not NoneType"),
    (with_document(None), "tool_specs[0].input_schema", "must have exactly one of json, not none"),
    (with_document(float("nan")), DOCUMENT, "has NaN or infinity"),
    (with_document({"a": [1, float("-inf")]}), DOCUMENT, "has NaN or infinity"),
    (with_document({"a": {1, 2}}), DOCUMENT, "has set, which JSON cannot express"),
    (with_document([b"x"]), DOCUMENT, "has bytes, which JSON cannot express"),
    (with_document({"a": "\ud800"}), DOCUMENT, "has a lone surrogate"),
    (with_document({"\ud800": 1}), DOCUMENT, "has a lone surrogate"),
    (with_document({1: "a"}), DOCUMENT, "has a key that is int: keys must be str"),
    (with_document({None: "a"}), DOCUMENT, "has a key that is NoneType: keys must be str"),
    (with_document(10**5000), DOCUMENT, "has an integer of more digits than Python writes"),
    (with_document(Circle()), DOCUMENT, "is nested too deeply to be sent"),
    (with_results(), "call_results", "must have at least 1 element"),
    (with_results(CallResult(content=())), "call_results[0].content", "must have at least 1 element"),
    (with_results(CallResult(content="text")), "call_results[0].content", "must be a list or tuple, not str"),  # type: ignore[arg-type]
    (
        with_results(CallResult(content=[CallResultContent()])),
        "call_results[0].content[0]",
        "must have exactly one of text, not none",
    ),
    (
        with_results(CallResult(call_id="", content=[CallResultContent(text="t")])),
        "call_results[0].call_id",
        "must not be empty",
    ),
    (("create_act", {**SESSION, "task": 5}), "task", "must be str, not int"),
    (("create_act", {**SESSION, "task": "t", "client_token": "short"}), "client_token", "must have at least 33"),
    (
        ("create_workflow_run", {"workflow_definition_name": "d", "model_id": "m", "client_info": None}),
        "client_info",
        "must be a novaact_http.models.ClientInfo, not NoneType",
    ),
    (
        (
            "create_workflow_run",
            {
                "workflow_definition_name": "d",
                "model_id": "m",
                "client_info": ClientInfo(compatibility_version=True),
            },
        ),
        "client_info.compatibility_version",
        "must be int, not bool (True)",
    ),
    (
        ("create_workflow_definition", {"name": "n", "export_config": WorkflowExportConfig(s3_bucket_name="")}),
        "export_config.s3_bucket_name",
        "must have at least 3 characters",
    ),
    (("update_act", {**ACT, "status": None}), "status", "must be str, not NoneType"),
    (("update_act", {**ACT, "status": "FAILED", "error": ActError(message=5)}), "error.message", "must be str"),  # type: ignore[arg-type]
    (("list_models", {"client_compatibility_version": None}), "client_compatibility_version", "must be int, not None"),
]


def _never(request: httpx.Request) -> httpx.Response:
    pytest.fail(f"{request} was sent")


@pytest.mark.parametrize(("call", "where", "problem"), BAD, ids=map(str, range(len(BAD))))
def test_a_bad_value_is_named_by_its_path_and_nothing_is_sent(
    face: Face, call: tuple[str, dict[str, Any]], where: str, problem: str
) -> None:
    method, arguments = call
    with pytest.raises(ParameterError) as caught:
        face.call(method, mocked(_never), **arguments)
    assert [each.argument for each in caught.value.problems] == [where]
    assert caught.value.problems[0].message.startswith(problem)
    str(caught.value).encode()


def test_all_bad_values_are_named_at_once(face: Face) -> None:
    with pytest.raises(ParameterError) as caught:
        face.call(
            "create_act",
            mocked(_never),
            **{**SESSION, "session_id": ".."},
            task=1,
            tool_specs=[tool(name=2), tool(input_schema=ToolInputSchema(json={"a": {3}}))],
        )
    assert [each.argument for each in caught.value.problems] == [
        "session_id",
        "task",
        "tool_specs[0].name",
        "tool_specs[1].input_schema.json",
    ]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("create_act", {**SESSION, "task": [SECRET]}),
        with_tools(tool(description=[SECRET])),
        with_document({SECRET: float("nan")}),
        with_document({"a": f"{SECRET}\ud800"}),
        with_results(CallResult(content=[CallResultContent(text=[SECRET])])),  # type: ignore[arg-type]
        ("update_act", {**ACT, "status": "FAILED", "error": ActError(message=[SECRET])}),  # type: ignore[arg-type]
        ("create_workflow_definition", {"name": "n", "description": [SECRET]}),
    ],
    ids=map(str, range(7)),
)
def test_an_error_shows_no_sensitive_value(face: Face, method: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as caught:
        face.call(method, mocked(_never), **arguments)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value)


def test_lists_and_tuples_are_the_same_and_what_is_not_given_is_not_sent(face: Face) -> None:
    bodies = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={"stepId": "s", "calls": [{"callId": "c", "name": "n", "input": None}]})

    result = CallResult(content=(CallResultContent(text="t"),))
    step = face.call("invoke_act_step", mocked(answer), **ACT, call_results=[result])
    face.call("invoke_act_step", mocked(answer), **ACT, call_results=(result,), previous_step_id=None)
    assert bodies == [{"callResults": [{"content": [{"text": "t"}]}]}] * 2
    assert step.calls[0].input is None
