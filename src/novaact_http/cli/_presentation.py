"""How each operation of the service is presented as a command. All else comes from the operation itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EXIT_CODES = (
    "Exit codes: 0 success, 252 bad arguments, 253 bad settings or credentials, 254 an error of the service, "
    "255 any other error, 130 Ctrl-C."
)
_RUN = "01234567-89ab-4cde-8f01-23456789abcd"
_SESSION = "11234567-89ab-4cde-8f01-23456789abcd"
_ACT = "21234567-89ab-4cde-8f01-23456789abcd"

_HELPS = {
    "act_id": "The act.",
    "call_results": "The results of the calls that the previous step asked for.",
    "client_compatibility_version": "The version of the service's protocol that the client speaks.",
    "client_info": "The program that runs the workflow.",
    "client_token": "Makes a repeated call the same one.",
    "description": "What the workflow is for.",
    "error": "Why the act failed.",
    "export_config": "Where the service puts traces.",
    "log_group_name": "The CloudWatch log group to write to.",
    "model_id": "The model to use.",
    "name": "The name of the workflow definition.",
    "previous_step_id": "The step before; none for the first.",
    "session_id": "The session.",
    "sort_order": "The order, by time of creation.",
    "status": "The new status.",
    "task": "What the act is to do.",
    "tool_specs": "The tools that the act may call.",
    "workflow_definition_name": "The workflow definition.",
    "workflow_run_id": "The workflow run.",
}


class Row(NamedTuple):
    """How an operation is presented.

    Attributes:
        summary: what the command does, in one sentence.
        example: the options of an example.
        noun: what it is about.
        columns: of an operation that lists: the attributes that tables show, the id first.
        repeated: of an operation that lists: the argument that may be given several times.
        one: what the values of `repeated` are.
        done: of an operation that creates or deletes: what it has done, with names of its arguments and its output.
        asks: of an operation that deletes: what to ask before, with names of its arguments.
        helps: what each argument is.
    """

    summary: str
    example: str
    noun: str = ""
    columns: Sequence[str] = ()
    repeated: str | None = None
    one: str = ""
    done: str = ""
    asks: str = ""
    helps: Mapping[str, str] = _HELPS

    def help(self, name: str, notes: str = "") -> str:
        """Return the text of the command's help."""
        lines = f"novaact-http {name} {self.example}".split(" --")
        example = lines[0] + "".join([f" \\\n    --{line}" for line in lines[1:]])
        return f"{self.summary}\n\n{f'{notes} {_EXIT_CODES}'.strip()}\n\n\b\nExample:\n  {example}\n"


_OF_DEFINITION = "--workflow-definition-name checkout-flow"
_OF_RUN = f"{_OF_DEFINITION} --workflow-run-id {_RUN}"
_OF_SESSION = f"{_OF_RUN} --session-id {_SESSION}"
_OF_ACT = f"{_OF_SESSION} --act-id {_ACT}"

ROWS = {
    "create-act": Row(
        "Create an act in a session.",
        f"{_OF_SESSION} --task 'Put two apples into the cart.'",
        done="created the act {act_id}; it is {status}",
    ),
    "create-session": Row("Create a session in a workflow run.", _OF_RUN, done="created the session {session_id}"),
    "create-workflow-definition": Row(
        "Create a workflow definition.",
        "--name checkout-flow --export-config s3BucketName=traces,s3KeyPrefix=checkout",
        done="created the workflow definition {name}; it is {status}",
    ),
    "create-workflow-run": Row(
        "Create a workflow run.",
        f"{_OF_DEFINITION} --model-id nova-act-latest --client-info compatibilityVersion=1",
        done="created the workflow run {workflow_run_id}; it is {status}",
    ),
    "delete-workflow-definition": Row(
        "Delete a workflow definition with all its runs.",
        _OF_DEFINITION,
        done="the workflow definition {workflow_definition_name} is {status}",
        asks="Delete the workflow definition {workflow_definition_name} with all its runs?",
    ),
    "delete-workflow-run": Row(
        "Delete a workflow run with its sessions and acts.",
        _OF_RUN,
        done="the workflow run {workflow_run_id} is {status}",
        asks="Delete the workflow run {workflow_run_id} of {workflow_definition_name} with its sessions and acts?",
    ),
    "get-workflow-definition": Row("Show a workflow definition.", _OF_DEFINITION),
    "get-workflow-run": Row("Show a workflow run.", _OF_RUN),
    "invoke-act-step": Row(
        "Take the next step of an act, as the program that carries out its calls.",
        f"{_OF_ACT} --call-results file://results.json",
    ),
    "list-acts": Row(
        "List the acts of a workflow definition, of one of its runs, or of a session.",
        _OF_RUN,
        noun="act",
        columns=("act_id", "status", "started_at", "ended_at", "workflow_run_id", "session_id"),
        repeated="workflow_run_id",
        one="run",
    ),
    "list-models": Row("List the models.", "--client-compatibility-version 1"),
    "list-sessions": Row(
        "List the sessions of workflow runs.",
        _OF_RUN,
        noun="session",
        columns=("session_id",),
        repeated="workflow_run_id",
        one="run",
    ),
    "list-workflow-definitions": Row(
        "List the workflow definitions.",
        "--sort-order Descending --max-items 20",
        noun="workflow definition",
        columns=("workflow_definition_name", "status", "created_at"),
    ),
    "list-workflow-runs": Row(
        "List the runs of workflow definitions.",
        f"{_OF_DEFINITION} --query 'workflowRunSummaries[?status==`RUNNING`].workflowRunId'",
        noun="workflow run",
        columns=("workflow_run_id", "status", "started_at", "ended_at"),
        repeated="workflow_definition_name",
        one="definition",
    ),
    "update-act": Row("Change the status of an act.", f"{_OF_ACT} --status FAILED --error message=timeout"),
    "update-workflow-run": Row("Change the status of a workflow run.", f"{_OF_RUN} --status SUCCEEDED"),
}
