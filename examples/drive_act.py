"""Drives an act: does the calls that the service asks for, step by step, and answers with their results.

    python examples/drive_act.py checkout-flow "Buy a blue bicycle."

`Browser` is a stand-in: put yours in its place. The service asks for a screenshot by the call `takeObservation`, and
says by `return` or `throw` that the act is done or given up. The first step has results that nobody asked for. All of
this is as in AWS's own SDK.

A step is never done twice. If its answer is lost, so are the calls that it asked for, and the act cannot go on: it is
FAILED then, unless the service says that it has ended well. The run ends in any case.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from novaact_http import Client, NovaActError
from novaact_http.models import ActError, CallResult, CallResultContent, ClientInfo, ToolInputSchema, ToolSpec

if TYPE_CHECKING:
    from novaact_http.models import Call

MOST_STEPS = 100
TOOLS = [
    ToolSpec(
        name="getPrice",
        description="Returns the price of an article, in euros.",
        input_schema=ToolInputSchema(
            json={"type": "object", "properties": {"article": {"type": "string"}}, "required": ["article"]}
        ),
    )
]


class Run(TypedDict):
    """The names of a run, as calls take them."""

    workflow_definition_name: str
    workflow_run_id: str


class Act(Run):
    """The names of an act."""

    session_id: str
    act_id: str


class ActFailedError(Exception):
    """The act did not reach its end."""


class Browser:
    """A browser that only says what it is told to do."""

    def do(self, name: str, arguments: Any) -> Any:
        """Do a call of the service, and return its result as JSON has it."""
        print(f"{name}({json.dumps(arguments)})")
        if name == "takeObservation":
            screenshot = base64.b64encode(b"\xff\xd8\xff" + bytes(500_000)).decode()
            return {"activeURL": "https://example.com/", "screenshotBase64": f"data:image/jpeg;base64,{screenshot}"}
        return None


def drive(client: Client, run: Run, task: str, browser: Browser) -> None:
    """Create an act in a new session, and take its steps until it has ended.

    Raises:
        ActFailedError: the model gave up, or did not come to an end.
        NovaActError: a call failed, and what the library does about that did not help.
    """
    session_id = client.create_session(**run).session_id
    act_id = client.create_act(**run, session_id=session_id, task=task, tool_specs=TOOLS).act_id
    act: Act = {**run, "session_id": session_id, "act_id": act_id}
    try:
        take_steps(client, act, browser)
        client.update_act(**act, status="SUCCEEDED")
    except Exception as error:
        # If the lost answer is the last one, the act has ended all the same.
        if isinstance(error, NovaActError) and status_of(client, act) == "SUCCEEDED":
            return
        give_up(client, act, error)
        raise


def take_steps(client: Client, act: Act, browser: Browser) -> None:
    results: list[CallResult] = [
        result("initiateAct", {}),
        result("takeObservation", browser.do("takeObservation", {})),
    ]
    step_id = None
    for _ in range(MOST_STEPS):
        step = client.invoke_act_step(**act, call_results=results, previous_step_id=step_id)
        if not step.calls:
            return
        results = []
        step_id = step.step_id
        for call in step.calls:
            if call.name == "return":
                return
            if call.name == "throw":
                raise ActFailedError(f"the model gave up: {call.input}")
            results.append(do(browser, call))
    raise ActFailedError(f"no end after {MOST_STEPS} steps")


def do(browser: Browser, call: Call) -> CallResult:
    """Do a call. If it fails, the model learns that, and can try something else."""
    try:
        return result(call.call_id, browser.do(call.name, call.input))
    except Exception as error:  # noqa: BLE001 - whatever the browser raises
        return result(call.call_id, f"{type(error).__name__}: {error}")


def result(call_id: str, value: Any) -> CallResult:
    return CallResult(call_id=call_id, content=[CallResultContent(text=json.dumps(value))])


def status_of(client: Client, act: Act) -> str | None:
    """Return the status of an act, or None if it cannot be found out."""
    with contextlib.suppress(NovaActError):
        for each in client.iter_acts(
            workflow_definition_name=act["workflow_definition_name"],
            workflow_run_id=act["workflow_run_id"],
            session_id=act["session_id"],
        ):
            if each.act_id == act["act_id"]:
                return each.status
    return None


def give_up(client: Client, act: Act, error: Exception) -> None:
    """End an act as FAILED, if it has not ended. If that is not possible, what went wrong first is what counts."""
    with contextlib.suppress(NovaActError):
        kind = type(error).__name__
        client.update_act(**act, status="FAILED", error=ActError(message=f"{kind}: {error}"[:10_000], type=kind))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("task")
    options = parser.parse_args()
    with Client() as client:
        name = client.ensure_workflow_definition(name=options.workflow_definition_name).name
        created = client.create_workflow_run(
            workflow_definition_name=name,
            model_id="nova-act-latest",
            client_info=ClientInfo(compatibility_version=1),
        )
        run: Run = {"workflow_definition_name": name, "workflow_run_id": created.workflow_run_id}
        print("run", created.workflow_run_id, flush=True)
        status: Literal["SUCCEEDED", "FAILED"] = "FAILED"
        try:
            drive(client, run, options.task, Browser())
            status = "SUCCEEDED"
        except (NovaActError, ActFailedError) as error:
            sys.exit(f"the act has FAILED: {error}")
        finally:
            client.update_workflow_run(**run, status=status)
    print("the act has SUCCEEDED")


if __name__ == "__main__":
    main()
