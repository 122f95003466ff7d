"""Every operation: the AWS CLI and this command, each against a local service of its own, and both services the same.

What differs on purpose is in `DIFFERENCES`.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from novaact_http.testing import LocalService
from tests.beside.awscli.aws_cli import IS_VERSION_2, Done, has_exit_code, run, run_aws
from tests.helpers.command import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SESSION_ID = "11111111-1111-4111-8111-111111111111"
DEFINITION = ["--workflow-definition-name", "checkout-flow"]
RUN = [*DEFINITION, "--workflow-run-id", "{run}"]
SESSION = [*RUN, "--session-id", "{session}"]
ACT = [*SESSION, "--act-id", "{act}"]
NEW_RUN = [*DEFINITION, "--model-id", "nova-act-latest"]
RESULTS = '[{"callId": "a", "content": [{"text": "done"}]}]'
TOOLS = '[{"name": "n", "description": "d", "inputSchema": {"json": {"type": "object", "n": [1, 1.5, null]}}}]'
RUN_AS_JSON = '{"workflowDefinitionName": "checkout-flow", "modelId": "m", "clientInfo": {"compatibilityVersion": 1}}'


class Pair(NamedTuple):
    """Two services with the same content, and what there is in it."""

    theirs: LocalService
    ours: LocalService
    names: dict[str, str]

    def run(self, arguments: Sequence[str]) -> tuple[Done, Done]:
        """Run the AWS CLI and this command with the same arguments."""
        names = {f"{{{name}}}": value for name, value in self.names.items()}
        filled = [names.get(each, each) for each in arguments]
        return (
            run_aws(filled, {**os.environ, **self.theirs.environ}),
            run([COMMAND, *filled], {**os.environ, **self.ours.environ}),
        )


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    # Version 1 prints times as the service sends them unless it is told otherwise.
    (tmp_path / "config").write_text("[default]\ncli_timestamp_format = iso8601\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    now = time.time()
    with LocalService(clock=lambda: now) as theirs, LocalService(clock=lambda: now) as ours:
        run, same = [each.add_run("checkout-flow", sessions=[SESSION_ID]) for each in (theirs, ours)]
        act, same_act = [each.add_act(run, SESSION_ID, task="buy") for each in (theirs, ours)]
        assert (run, act) == (same, same_act)
        names = {"run": run.workflow_run_id, "session": SESSION_ID, "act": act}
        (tmp_path / "export.json").write_text('{"s3BucketName": "bucket"}')
        (tmp_path / "task.txt").write_text("buy, 'now'\n")
        (tmp_path / "results.json").write_text(RESULTS)
        (tmp_path / "input.json").write_text(RUN_AS_JSON)
        names["folder"] = f"file://{tmp_path}"
        monkeypatch.chdir(tmp_path)
        yield Pair(theirs, ours, names)


GOOD: list[list[str]] = [
    ["create-workflow-definition", "--name", "x"],
    ["create-workflow-definition", "--name", "x", "--export-config", "s3BucketName=bucket,s3KeyPrefix=a/b"],
    ["create-workflow-definition", "--name", "x", "--export-config", '{"s3BucketName": "bucket"}'],
    ["create-workflow-definition", "--name", "x", "--export-config", "file://export.json", "--description", "é"],
    ["get-workflow-definition", *DEFINITION],
    ["list-workflow-definitions"],
    ["list-workflow-definitions", "--max-items", "1", "--page-size", "1"],
    ["list-workflow-definitions", "--sort-order", "Descending", "--query", "workflowDefinitionSummaries[].[status]"],
    ["delete-workflow-definition", *DEFINITION],
    ["create-workflow-run", *NEW_RUN, "--client-info", "compatibilityVersion=1,sdkVersion='1, 2'"],
    ["create-workflow-run", *NEW_RUN, "--client-info", '{"compatibilityVersion": 1}', "--log-group-name", "g"],
    ["create-workflow-run", "--cli-input-json", RUN_AS_JSON],
    ["create-workflow-run", "--cli-input-json", "file://input.json", "--model-id", "other"],
    ["get-workflow-run", *RUN],
    ["list-workflow-runs", *DEFINITION],
    ["list-workflow-runs", *DEFINITION, "--query", "workflowRunSummaries[?status==`RUNNING`].workflowRunId"],
    ["list-workflow-runs", *DEFINITION, "--max-results", "1"],
    ["update-workflow-run", *RUN, "--status", "SUCCEEDED"],
    ["delete-workflow-run", *RUN],
    ["create-session", *RUN],
    ["list-sessions", *RUN],
    ["create-act", *SESSION, "--task", "buy"],
    ["create-act", *SESSION, "--task", "file://task.txt", "--tool-specs", TOOLS],
    ["list-acts", *DEFINITION],
    ["list-acts", *RUN, "--page-size", "1"],
    ["list-acts", *SESSION, "--no-paginate"],
    ["update-act", *ACT, "--status", "FAILED", "--error", "message=no,type=T"],
    ["update-act", *ACT, "--status", "SUCCEEDED"],
    ["invoke-act-step", *ACT, "--call-results", RESULTS],
    ["invoke-act-step", *ACT, "--call-results", "file://results.json"],
    ["list-models", "--client-compatibility-version", "1"],
    ["list-models", "--client-compatibility-version", "2", "--query", "modelSummaries[].modelLifecycle.status"],
]


@pytest.mark.parametrize("output", ["json", "text"])
@pytest.mark.parametrize("arguments", GOOD, ids=" ".join)
def test_both_print_and_do_the_same(arguments: list[str], output: str, pair: Pair) -> None:
    theirs, ours = pair.run([*arguments, "--output", output])
    assert (theirs.exit_code, theirs.stderr) == (0, "")
    assert (ours.stdout, ours.exit_code) == (theirs.stdout, 0)
    done = [[{**each.arguments, "client_token": ""} for each in of.calls] for of in (pair.theirs, pair.ours)]
    assert done[0] == done[1]
    assert done[0]


BAD = [
    (["get-workflow-definition", "--workflow-definition-name", "none"], 254),
    (["create-workflow-definition", "--name", "checkout-flow"], 254),
    (["create-workflow-definition", "--name", "not a name!"], 254),
    (["create-workflow-definition"], 252),
    (["create-workflow-definition", "--name", "x", "--export-config", "{"], 252),
    (["create-workflow-definition", "--name", "x", "--export-config", "s3BucketName"], 252),
    (["create-workflow-definition", "--name", "x", "--export-config", "unknown=1"], 252),
    (["create-workflow-definition", "--name", "x", "--export-config", "s3KeyPrefix=1"], 252),
    (["create-workflow-definition", "--name", "x", "--description", "file://none"], 252),
    (["create-workflow-run", "--cli-input-json", "nonsense"], 252),
    (["create-workflow-run", "--cli-input-json", "[]"], 252),
    (["create-workflow-run", "--cli-input-json", "{}"], 252),
    (["get-workflow-run", *DEFINITION, "--workflow-run-id", "none"], 254),
    (["invoke-act-step", *ACT, "--call-results", "[{}]"], 252),
    (["invoke-act-step", *ACT, "--call-results", RESULTS, "--previous-step-id", "none"], 254),
    (["list-models", "--client-compatibility-version", "1", "--nonsense"], 252),
    (["list-acts", *DEFINITION, "--session-id", "{session}"], 254),
]


@pytest.mark.parametrize(("arguments", "exit_code"), BAD, ids=str)
def test_both_refuse_the_same(arguments: list[str], exit_code: int, pair: Pair) -> None:
    theirs, ours = pair.run(arguments)
    assert (ours.stdout, ours.exit_code) == ("", exit_code)
    assert theirs.stdout == ""
    assert has_exit_code(theirs, exit_code)
    sent = [len(each.calls) for each in (pair.theirs, pair.ours)]
    assert sent == ([1, 1] if exit_code == 254 else [0, 0])


# What differs from the AWS CLI on purpose: what, arguments, its exit code (version 2's), ours, and why.
DIFFERENCES = [
    (["update-workflow-run", *RUN, "--status", "NEW"], 254, 252, "a misspelt status is refused before it is sent"),
    (["list-acts", *DEFINITION, "--sort-order", "Up"], 254, 252, "a misspelt order is refused before it is sent"),
    (["list-models", "--client-compatibility-version", "x"], 255, 252, "a bad number is a bad argument"),
    (
        ["create-workflow-run", *NEW_RUN, "--client-info", "compatibilityVersion=one"],
        255,
        252,
        "a bad number is a bad argument",
    ),
    (["create-session", *RUN, "--no-sign-request"], 254, 252, "Nova Act answers signed requests only"),
    (["list-models", "--client-compatibility-version", "1", "--output", "yaml"], 0, 252, "there is no YAML"),
    (["list-workflow-definitions", "--output", "table", "--query", "a"], 0, 252, "tables have their own columns"),
    (["list-workflow-runs", *DEFINITION, *DEFINITION], 0, 0, "it may be repeated, to list several"),
]


@pytest.mark.parametrize(("arguments", "theirs_code", "ours_code", "reason"), DIFFERENCES, ids=str)
def test_what_differs_still_differs(
    arguments: list[str], theirs_code: int, ours_code: int, reason: str, pair: Pair
) -> None:
    theirs, ours = pair.run(arguments)
    assert ours.exit_code == ours_code, reason
    if "yaml" in arguments and not IS_VERSION_2:
        assert theirs.exit_code != 0  # only version 2 has it
    else:
        assert has_exit_code(theirs, theirs_code), theirs.stderr
    assert (theirs_code, theirs.stdout) != (ours.exit_code, ours.stdout)


@pytest.mark.parametrize("name", ["create-act", "create-workflow-run", "invoke-act-step", "list-sessions"])
def test_skeletons_have_the_same_members(name: str, pair: Pair) -> None:
    theirs, ours = pair.run([name, "--generate-cli-skeleton"])

    def members(value: object) -> object:
        if isinstance(value, dict):
            return {key: members(each) for key, each in value.items()}
        return [members(each) for each in value] if isinstance(value, list) else type(value)

    assert members(json.loads(ours.stdout)) == members(json.loads(theirs.stdout))
