"""Outputs of all operations: what is read liberally, and what is no output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import ResponseError
from novaact_http.models import ActStatus, CallResult, CallResultContent, WorkflowRunStatus
from tests.helpers.calls import CALL, mocked

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

SESSION = {**CALL, "session_id": "s"}
STEP = {**SESSION, "act_id": "a", "call_results": [CallResult(content=[CallResultContent(text="t")])]}
RUN = {"workflowRunArn": "arn", "workflowRunId": "r", "status": "RUNNING", "startedAt": 1, "modelId": "m"}
MODELS = {
    "modelSummaries": [
        {"modelId": "m", "modelLifecycle": {"status": "ACTIVE"}, "minimumCompatibilityVersion": 1},
    ],
    "modelAliases": [],
    "compatibilityInformation": {"clientCompatibilityVersion": 1, "supportedModelIds": ["m"]},
}


def read(face: Face, method: str, arguments: dict[str, Any], body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return face.call(method, mocked(lambda _: httpx.Response(status, content=content)), **arguments)


def test_unknown_members_are_ignored_and_unknown_values_of_enumerations_kept(face: Face) -> None:
    run = read(face, "get_workflow_run", CALL, {**RUN, "status": "PAUSED", "new": {"a": 1}})
    assert run.status == "PAUSED"
    assert not isinstance(run.status, WorkflowRunStatus)
    acts = {
        "actSummaries": [{**RUN, "sessionId": "s", "actId": "a", "status": "FAILED", "startedAt": "2026-01-01T00:00Z"}]
    }
    (act,) = read(face, "list_acts", {"workflow_definition_name": "d"}, acts).act_summaries
    assert act.status is ActStatus.FAILED
    assert f"{act.status} {act.status!s}" == "FAILED FAILED"


@pytest.mark.parametrize("method", ["update_workflow_run", "update_act"])
@pytest.mark.parametrize("body", [b"", b"{}", b' {"new": 1} ', b" \r\n"])
def test_an_output_without_members_may_be_empty(face: Face, method: str, body: bytes) -> None:
    arguments = {**(CALL if method == "update_workflow_run" else {**SESSION, "act_id": "a"}), "status": "FAILED"}
    assert read(face, method, arguments, body).metadata.status_code == 200


def test_created_and_accepted_are_successes(face: Face) -> None:
    assert read(face, "create_session", CALL, {"sessionId": "s"}, 201).session_id == "s"
    deleted = read(face, "delete_workflow_run", CALL, {"status": "DELETING"}, 202)
    assert (deleted.status, deleted.metadata.status_code) == ("DELETING", 202)


BROKEN: list[tuple[str, dict[str, Any], Any, str]] = [
    ("get_workflow_run", CALL, b"", "Expecting value"),
    ("get_workflow_run", CALL, {**RUN, "startedAt": None}, "the body has no startedAt"),
    ("get_workflow_run", CALL, {**RUN, "startedAt": "soon"}, "startedAt is not a timestamp"),
    ("get_workflow_run", CALL, {**RUN, "startedAt": True}, "startedAt is not a timestamp"),
    ("get_workflow_run", CALL, {**RUN, "endedAt": {}}, "endedAt is not a timestamp"),
    ("get_workflow_run", CALL, {**RUN, "status": 5}, "status is not a string"),
    ("get_workflow_run", CALL, {**RUN, "modelId": "\ud800"}, "surrogates not allowed"),
    ("update_workflow_run", {**CALL, "status": "FAILED"}, b"[]", "the body is not an object"),
    ("update_workflow_run", {**CALL, "status": "FAILED"}, b"<html>", "Expecting value"),
    ("list_models", {"client_compatibility_version": 1}, {**MODELS, "modelAliases": {}}, "modelAliases is not a list"),
    (
        "list_models",
        {"client_compatibility_version": 1},
        {**MODELS, "modelAliases": [[]]},
        "modelAliases is not an",
    ),
    (
        "list_models",
        {"client_compatibility_version": 1},
        {**MODELS, "compatibilityInformation": {"clientCompatibilityVersion": "1", "supportedModelIds": []}},
        "clientCompatibilityVersion is not an integer",
    ),
    (
        "list_models",
        {"client_compatibility_version": 1},
        {**MODELS, "compatibilityInformation": {"clientCompatibilityVersion": True, "supportedModelIds": []}},
        "clientCompatibilityVersion is not an integer",
    ),
    (
        "list_models",
        {"client_compatibility_version": 1},
        {**MODELS, "compatibilityInformation": {"clientCompatibilityVersion": 1, "supportedModelIds": [1]}},
        "supportedModelIds is not a string",
    ),
    ("invoke_act_step", STEP, {"stepId": "s", "calls": [{"callId": "c", "name": "n"}]}, "has no input"),
]


@pytest.mark.parametrize(("method", "arguments", "body", "reason"), BROKEN, ids=map(str, range(len(BROKEN))))
def test_what_is_no_output_is_an_error(face: Face, method: str, arguments: Any, body: Any, reason: str) -> None:
    with pytest.raises(ResponseError, match=reason):
        read(face, method, arguments, body)


def test_models_are_read(face: Face) -> None:
    models = read(face, "list_models", {"client_compatibility_version": 1}, MODELS)
    assert models.model_summaries[0].model_lifecycle.status == "ACTIVE"
    assert models.compatibility_information.supported_model_ids == ("m",)
