"""The client inside AWS's `nova-act` SDK drives a workflow in the local service: `make sdk` runs this."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

PYTHON = os.environ.get("SDK_PYTHON", str(Path(sys.executable).parents[2] / ".venv-sdk" / "bin" / "python"))
PROGRAM = str(Path(__file__).with_name("sdk_workflow.py"))
STEPS: list[Any] = [
    [{"name": "agentClick", "input": ["<box>10,10,20,20</box>"]}, {"name": "takeObservation", "input": []}],
    [{"name": "look_it_up", "input": {"what": ["kettles", None, 1.5]}}, {"name": "takeObservation", "input": []}],
    [{"name": "return", "input": []}],
]


def driven(service: LocalService, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **service.environ, **environ}
    return subprocess.run([PYTHON, PROGRAM, "shop"], env=variables, capture_output=True, text=True, check=False)


@pytest.fixture
def shop(service: LocalService) -> LocalService:
    service.add_definition("shop")
    service.script_acts(STEPS)
    return service


def test_the_sdk_drives_a_workflow_from_its_run_to_its_end(shop: LocalService) -> None:
    done = driven(shop, {})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["steps"] == [["agentClick", "takeObservation"], ["look_it_up", "takeObservation"], ["return"]]
    (run,) = [each for each in shop.runs if each.workflow_definition_name == "shop"]
    assert told["run"] == run.workflow_run_id
    assert {name: text.partition(":")[0] for name, text in told["errors"].items()} == {
        "unknown run": "ActBadRequestError",
        "bad name": "ValidationError",  # of the SDK's own
        "step of an ended act": "ActBadRequestError",
        "act in an ended run": "ActBadRequestError",
    }
    steps = [call for call in shop.calls if call.operation == "InvokeActStep" and call.status_code == 200]
    first, second, _ = [call.arguments for call in steps]
    assert [each["callId"] for each in first["call_results"]] == ["initiateAct", "takeObservation"]
    assert len(first["call_results"][1]["content"][0]["text"]) > 700_000
    assert second["previous_step_id"]
    assert {call.operation for call in shop.calls} >= {
        "CreateWorkflowRun", "CreateSession", "CreateAct", "InvokeActStep", "UpdateAct", "UpdateWorkflowRun",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "members", "operation", "error"),
    [
        ("ThrottlingException", {}, "CreateWorkflowRun", "ActRequestThrottledError"),
        ("ServiceQuotaExceededException", {}, "CreateAct", "ActDailyQuotaExceededError"),
        ("AccessDeniedException", {}, "CreateSession", "AuthError"),
        ("ConflictException", {}, "UpdateAct", "ActClientError"),
        ("ValidationException", {"reason": "GuardrailIntervened"}, "InvokeActStep", "ActGuardrailsError"),
        ("InternalServerException", {"reason": "InvalidModelGeneration"}, "InvokeActStep", "ActInvalidModelGeneration"),
    ],
)
def test_the_sdk_takes_errors_of_the_local_service_for_those_of_aws(
    shop: LocalService, fault: str, members: dict[str, Any], operation: str, error: str
) -> None:
    shop.inject(fault, operation=operation, **members)
    done = driven(shop, {"AWS_MAX_ATTEMPTS": "1"})
    assert done.returncode == 1
    assert done.stderr.count(error) >= 1
