"""Drives a workflow with the client inside AWS's `nova-act` SDK, which must be installed where this program runs.

It prints what came of it as JSON: the calls of each step, and the errors by what was done wrong.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from boto3 import Session
from nova_act.impl.backends.burst.backend import BurstBackend
from nova_act.impl.backends.burst.types import ActErrorData
from nova_act.impl.backends.starburst.client import StarburstClient
from nova_act.impl.program.base import Call, CallResult
from nova_act.types.state.act import Act
from nova_act.types.workflow_run import WorkflowRun

SCREENSHOT = "data:image/png;base64," + "A" * 700_000
OBSERVATION = {
    "activeURL": "https://example.com",
    "browserDimensions": {"windowWidth": 1600, "windowHeight": 900, "scrollHeight": 0, "scrollLeft": 0, "scrollTop": 0,
                          "scrollWidth": 0},
    "idToBboxMap": {},
    "simplifiedDOM": "<html/>",
    "timestamp_ms": 0,
    "userAgent": "test",
    "screenshotBase64": SCREENSHOT,
}  # fmt: skip


class LocalClient(StarburstClient):  # type: ignore[misc]
    def _resolve_endpoints(self) -> None:
        self._api_url = os.environ["AWS_ENDPOINT_URL_NOVA_ACT"]


class LocalBackend(BurstBackend[LocalClient]):  # type: ignore[misc]
    def __init__(self) -> None:
        self._client = LocalClient(Session(), None)
        super().__init__()

    def validate_auth(self) -> None:
        pass

    def get_auth_warning_message_for_backend(self, message: str) -> str:
        return message


def result_of(call: Call) -> CallResult:
    return CallResult(call=call, return_value=OBSERVATION if call.name == "takeObservation" else None, error=None)


def take_steps(backend: LocalBackend, act: Act) -> list[list[str]]:
    """Take steps until one returns, and return the names of the calls of each."""
    names: list[list[str]] = []
    results = [result_of(Call(name="takeObservation", id="takeObservation", kwargs={}))]
    while not names or "return" not in names[-1]:
        step = backend.step(act, results)
        act.add_step(step)
        names.append([call.name for call in step.program.calls])
        results = [result_of(call) for call in step.program.calls]
    return names


def error_of(function: Any, *arguments: Any, **named: Any) -> str:
    try:
        function(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - it is what is asked for
        return f"{type(error).__name__}: {error}"
    return "none"


def main(name: str) -> None:
    backend = LocalBackend()
    run = backend.create_workflow_run(name, log_group_name="/aws/example")
    session = backend.create_session(run)
    act_id = backend.create_act(run, session, "Buy a kettle.")
    act = Act(id=act_id, prompt="Buy a kettle.", session_id=session, timeout=60, workflow_run=run)
    steps = take_steps(backend, act)
    backend.update_act(run, session, act_id, "SUCCEEDED")
    failed = backend.create_act(run, session, "Buy another one.")
    backend.update_act(run, session, failed, "FAILED", ActErrorData(message="Sold out.", type="ShopError"))
    nobody = WorkflowRun(workflow_definition_name=name, workflow_run_id="00000000-0000-4000-8000-000000000000")
    errors = {
        "unknown run": error_of(backend.create_session, nobody),
        "bad name": error_of(backend.create_workflow_run, "not a name"),
        "step of an ended act": error_of(
            backend.step, act, [result_of(Call(name="takeObservation", id="x", kwargs={}))]
        ),
    }
    backend.update_workflow_run(run, "SUCCEEDED")
    errors["act in an ended run"] = error_of(backend.create_act, run, session, "Too late.")
    json.dump({"run": run.workflow_run_id, "acts": [act_id, failed], "steps": steps, "errors": errors}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
