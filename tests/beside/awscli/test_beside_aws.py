"""`list-sessions` of the AWS CLI and of this command, side by side against the local service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.beside.awscli.aws_cli import Done, has_exit_code, run, run_aws
from tests.helpers.command import COMMAND, naming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novaact_http.testing import LocalService, WorkflowRun


def theirs(of: WorkflowRun, *arguments: str) -> Done:
    return run_aws(["list-sessions", *naming(of), *arguments])


def ours(of: WorkflowRun, *arguments: str) -> Done:
    return run([COMMAND, "list-sessions", *naming(of), *arguments])


@pytest.fixture
def of(world: LocalService) -> WorkflowRun:
    return world.runs[0]


@pytest.mark.parametrize("output", ["json", "text"])
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--page-size", "10"],
        ["--max-items", "12", "--page-size", "5"],
        ["--max-items", "34"],
        ["--max-items", "0"],
        ["--sort-order", "Descending", "--max-items", "2"],
        ["--no-paginate"],
        ["--max-results", "3"],
        ["--no-paginate", "--max-results", "3", "--sort-order", "Ascending"],
        ["--cli-read-timeout", "0", "--cli-connect-timeout", "0"],
        ["--query", "sessionSummaries[].sessionId"],
        ["--query", "sessionSummaries[].sessionId", "--page-size", "10", "--max-items", "15"],
        ["--query", "sessionSummaries[].[sessionId, sessionId]", "--page-size", "10"],
        ["--query", "length(sessionSummaries)", "--page-size", "10"],
        ["--query", "sessionSummaries[:2].{b: sessionId, a: `1`, deep: {x: sessionId, y: [`1`, `null`, `true`]}}"],
        ["--query", "{all: sessionSummaries[:2], n: `1.5`, none: nothing}"],
        ["--query", "nothing"],
        ["--query", "sessionSummaries[?sessionId=='a']"],
        ["--query", "nextToken", "--max-results", "3"],
        ["--query", "`{}`"],
        ["--query", "`false`"],
        ["--query", "sessionSummaries[0].sessionId"],
    ],
    ids=" ".join,
)
def test_both_print_the_same(output: str, arguments: Sequence[str], of: WorkflowRun) -> None:
    expected = theirs(of, "--output", output, *arguments)
    assert expected.exit_code == 0, expected.stderr
    got = ours(of, "--output", output, *arguments)
    assert (got.stdout, got.exit_code) == (expected.stdout, 0)


@pytest.mark.parametrize("output", ["json", "text"])
@pytest.mark.parametrize(
    "page",
    [
        {"sessionSummaries": []},
        {"sessionSummaries": [{"sessionId": "é\u202e\x7f\t\n\\\"'"}]},
        {"sessionSummaries": [{"sessionId": "a"}], "nextToken": None},
    ],
)
@pytest.mark.parametrize(
    "arguments", [[], ["--no-paginate"], ["--max-items", "0"]], ids=["pages", "one call", "no items"]
)
def test_both_print_the_same_for_any_page(
    page: object, output: str, arguments: Sequence[str], of: WorkflowRun, world: LocalService
) -> None:
    printed = []
    for call in (theirs, ours):
        world.answer_next(200, json.dumps(page).encode())
        printed.append(call(of, "--output", output, *arguments))
    assert printed[1].stdout == printed[0].stdout
    assert [each.exit_code for each in printed] == [0, 0]


@pytest.mark.parametrize("first_is_ours", [True, False])
def test_a_starting_token_of_one_works_in_the_other(first_is_ours: bool, of: WorkflowRun) -> None:
    first, second = (ours, theirs) if first_is_ours else (theirs, ours)
    listed: list[str] = []
    step, token = first, ""
    while True:
        start = ["--starting-token", token] if token else []
        document = json.loads(step(of, "--output", "json", "--max-items", "12", "--page-size", "5", *start).stdout)
        listed += [each["sessionId"] for each in document["sessionSummaries"]]
        token = document.get("NextToken", "")
        if not token:
            break
        step = second if step is first else first
    assert listed == list(of.session_ids)


@pytest.mark.parametrize("first_is_ours", [True, False])
def test_a_next_token_of_one_works_in_the_other(first_is_ours: bool, of: WorkflowRun) -> None:
    first, second = (ours, theirs) if first_is_ours else (theirs, ours)
    token = json.loads(first(of, "--output", "json", "--max-results", "30").stdout)["nextToken"]
    rest = json.loads(second(of, "--output", "json", "--next-token", token).stdout)
    assert [each["sessionId"] for each in rest["sessionSummaries"]] == list(of.session_ids[30:])


@pytest.mark.parametrize(
    ("arguments", "environ", "exit_code"),
    [
        (["--foo"], {}, 252),
        (["--page-size", "x"], {}, 252),
        (["--page-size", "0"], {}, 252),
        (["--output", "xml"], {}, 252),
        (["--query", "[["], {}, 252),
        (["--query", "length(`1`)"], {}, 255),
        (["--no-paginate", "--max-items", "1"], {}, 252),
        (["--max-results", "1", "--page-size", "1"], {}, 252),
        ([], {"AWS_ACCESS_KEY_ID": ""}, 253),
        (["--sort-order", "Ascending", "--starting-token", "nonsense"], {}, 254),
        ([], {"AWS_SECRET_ACCESS_KEY": "another"}, 254),
        (["--endpoint-url", "http://127.0.0.1:1"], {}, 255),
    ],
    ids=str,
)
def test_an_error_of_one_is_an_error_of_the_other(
    arguments: Sequence[str],
    environ: dict[str, str],
    exit_code: int,
    of: WorkflowRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    got, expected = ours(of, "--output", "json", *arguments), theirs(of, "--output", "json", *arguments)
    assert (got.stdout, got.exit_code) == ("", exit_code)
    assert expected.stdout == ""
    assert has_exit_code(expected, exit_code)


@pytest.mark.parametrize("arguments", [["--region", "a b"], ["--profile", "nobody"]], ids=str)
def test_a_bad_setting_has_the_exit_code_of_a_missing_one(arguments: Sequence[str], of: WorkflowRun) -> None:
    # In the AWS CLI, only a missing setting has this exit code.
    assert (ours(of, *arguments).exit_code, theirs(of, *arguments).exit_code) == (253, 255)
