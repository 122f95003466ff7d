"""What `list-sessions` prints in each format. `tests/beside/awscli` compares json and text."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from novaact_http.cli import _output
from tests.helpers.answers import page_body
from tests.helpers.boto3_oracle import boto3_for
from tests.helpers.command import Held, list_sessions, naming, run, spawn
from tests.helpers.terminals import look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novaact_http.testing import LocalService


SESSIONS = _output.Items("session_summaries", "sessionSummaries", ("session_id",))


def sessions(name: str, **options: Any) -> _output.Format:
    """Make a format for sessions."""
    return _output.make(name, SESSIONS, look=look(), **options)


def test_json_has_the_services_member_names_and_all_pages(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--output", "json", "--page-size", "10")
    assert result.exit_code == 0
    document = {"sessionSummaries": [{"sessionId": each} for each in world.runs[0].session_ids]}
    assert result.stdout == json.dumps(document, indent=4) + "\n"
    assert result.stderr == ""
    assert len(world.requests) == 4


def test_a_limited_listing_continues_as_with_boto3(world: LocalService) -> None:
    of = world.runs[0]
    first = json.loads(list_sessions(of, "--output", "json", "--max-items", "3", "--sort-order", "Descending").stdout)
    pages = (
        boto3_for(world)
        .get_paginator("list_sessions")
        .paginate(
            workflowDefinitionName=of.workflow_definition_name,
            workflowRunId=of.workflow_run_id,
            sortOrder="Descending",
            PaginationConfig={"MaxItems": 3},
        )
    )
    assert first == {key: pages.build_full_result()[key] for key in ("sessionSummaries", "NextToken")}
    rest = list_sessions(of, "--output", "json", "--sort-order", "Descending", "--starting-token", first["NextToken"])
    listed = first["sessionSummaries"] + json.loads(rest.stdout)["sessionSummaries"]
    assert [each["sessionId"] for each in listed] == list(of.session_ids[::-1])


def test_a_listing_of_no_items_has_the_token_of_the_aws_cli(world: LocalService) -> None:
    of, empty = world.runs[0], world.add_run("none", sessions=0)
    no_items = list_sessions(of, "--output", "json", "--max-items", "0")
    document = json.loads(no_items.stdout)
    assert document["sessionSummaries"] == []
    token = document["NextToken"]
    assert json.loads(base64.b64decode(token)) == {"nextToken": None, "boto_truncate_amount": 0}
    assert no_items.stderr.endswith(f"--starting-token {token}\n")
    rest = list_sessions(of, "--output", "ids", "--starting-token", token)
    assert rest.stdout.splitlines() == list(of.session_ids)
    assert list_sessions(empty, "--output", "ids", "--max-items", "0").stderr == ""


def test_a_listing_of_no_items_keeps_its_starting_token(world: LocalService) -> None:
    of = world.runs[0]
    document = json.loads(list_sessions(of, "--output", "json", "--max-items", "3").stdout)
    from_token = ("--output", "json", "--starting-token", document["NextToken"])
    no_items = json.loads(list_sessions(of, *from_token, "--max-items", "0").stdout)
    assert no_items == {"sessionSummaries": [], "NextToken": document["NextToken"]}


def test_the_table_has_every_session(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--output", "table")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [f"{number:>2}  {each}" for number, each in enumerate(world.runs[0].session_ids, start=1)]
    assert result.stdout.splitlines() == [" #  Session ID", *rows]


def test_ids_and_jsonl_have_one_session_a_line(world: LocalService) -> None:
    of = world.runs[0]
    assert list_sessions(of, "--output", "ids").stdout.splitlines() == list(of.session_ids)
    lines = list_sessions(of, "--output", "jsonl").stdout.splitlines()
    assert [json.loads(each) for each in lines] == [{"sessionId": each} for each in of.session_ids]


def test_text_has_the_members_name_before_each(world: LocalService) -> None:
    of = world.runs[0]
    shown = list_sessions(of, "--output", "text", "--max-items", "2").stdout.splitlines()
    assert shown[:2] == [f"SESSIONSUMMARIES\t{each}" for each in of.session_ids[:2]]
    assert shown[2].startswith("NEXTTOKEN\teyJ")


@pytest.mark.parametrize("name", ["json", "text", "jsonl", "ids", "table"])
def test_one_call_prints_its_page(name: str, world: LocalService) -> None:
    of = world.runs[0]
    result = list_sessions(of, "--output", name, "--max-results", "2", "--no-paginate")
    assert all(each in result.stdout for each in of.session_ids[:2])
    assert of.session_ids[2] not in result.stdout
    token = result.stderr.split()[-1]
    assert "--next-token" in result.stderr
    if name == "json":
        assert json.loads(result.stdout)["nextToken"] == token
    if name == "text":
        assert result.stdout.splitlines()[0] == token
    second = list_sessions(of, "--output", name, "--max-results", "32", "--next-token", token)
    assert of.session_ids[2] in second.stdout
    assert second.stderr == ""
    assert len(world.requests) == 2


def test_a_query_is_applied_to_the_document(world: LocalService) -> None:
    of = world.runs[0]
    assert list_sessions(of, "--query", "length(sessionSummaries)").stdout == f"{len(of.session_ids)}\n"
    # Page by page, as in the AWS CLI.
    by_page = list_sessions(of, "--output", "text", "--page-size", "20", "--query", "length(sessionSummaries)")
    assert by_page.stdout == "20\n14\n"


@pytest.mark.parametrize(("found", "shown"), [({}, ""), ([], "[]\n"), (None, "null\n"), (0, "0\n"), ("", '""\n')])
def test_only_an_empty_object_is_not_printed(found: object, shown: str) -> None:
    assert sessions("json", query=lambda _: found).end(None) == shown


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        ({}, []),
        ([], []),
        (None, ["None"]),
        (True, ["True"]),
        (1.5, ["1.5"]),
        (["a", 1, None], ["a\t1\tNone"]),
        ([["a", "b"], ["c"]], ["a\tb", "c"]),
        (["a", ["b"], "c"], ["a\tc", "b"]),
        ({"b": 1, "a": "x"}, ["x\t1"]),
        ({"list": ["x", "y"]}, ["LIST\tx", "LIST\ty"]),
        ({"one": {"two": 2}, "a": 1}, ["1", "ONE\t2"]),
        ({"items": [{"a": 1}, {"b": 2, "deep": {"c": 3}}]}, ["ITEMS\t1\t", "ITEMS\t\t2", "DEEP\t3"]),
        ({"items": [{"a": {"x": 1}}]}, ["A\t1"]),
        ([{"a": 1}, "plain"], ["1", "plain"]),
    ],
)
def test_text_is_laid_out_as_the_aws_cli_does(document: object, lines: Sequence[str]) -> None:
    shown = sessions("text", query=lambda _: document).end("token")
    assert shown == "".join(f"{line}\n" for line in lines)


def test_text_of_the_service_cannot_control_the_terminal(world: LocalService) -> None:
    world.answer_next(200, page_body("a\x1b[31m[red]é"))
    assert r"a\x1b[31m[red]é" in list_sessions(world.runs[0], "--output", "table").stdout
    for name in ("ids", "text"):
        assert sessions(name, safe=True, query=lambda _: "\x1b[31m").end("t") in ("", "\\x1b[31m\n")
    world.answer_next(400, json.dumps({"message": "a\x1b[31m\nb\u202e"}).encode())
    assert r"a\x1b[31m b\u202e" in list_sessions(world.runs[0]).stderr


def test_json_on_a_terminal_has_the_escapes_of_json() -> None:
    value = {"é": ["a\x1b\n\x7f\u202e", "\U000e0001"]}
    shown = sessions("json", safe=True, query=lambda _: value).end(None)
    assert shown == '{\n    "é": [\n        "a\\u001b\\n\\u007f\\u202e",\n        "\\udb40\\udc01"\n    ]\n}\n'
    assert json.loads(shown) == value
    assert "é" in sessions("json", safe=True, query=lambda _: "é").end(None)


@pytest.mark.parametrize("name", ["ids", "text"])
def test_programs_get_the_bytes_unchanged(name: str, world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    world.answer_next(200, page_body("a\x1b[31mé"))
    with spawn("list-sessions", *naming(world.runs[0]), "--output", name) as process:
        stdout, _ = process.communicate()
    assert stdout == (b"SESSIONSUMMARIES\t" if name == "text" else b"") + b"a\x1b[31m\xc3\xa9\n"


def test_a_table_is_ascii_if_the_encoding_is(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    world.answer_next(200, page_body("é"))
    with spawn("list-sessions", *naming(world.runs[0]), "--output", "table") as process:
        stdout, _ = process.communicate()
    assert (process.returncode, stdout) == (0, b"#  Session ID\n1  \\xe9\n")


@pytest.mark.parametrize("name", ["ids", "jsonl", "text", "table"])
def test_pages_are_printed_as_they_come(name: str, world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    of = world.runs[0]
    held = Held(world, lambda target: "nextToken" in target, monkeypatch)
    with spawn("list-sessions", *naming(of), "--output", name, "--page-size", "30") as process:
        assert process.stdout is not None
        first = [process.stdout.readline().decode() for _ in range(31 if name == "table" else 30)]
        assert held.asked.wait(30)
        assert of.session_ids[29] in first[-1]
        held.let_go()
        rest, _ = process.communicate()
    assert of.session_ids[33] in rest.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--query", "[["], "Invalid value for --query: "),
        (["--query", "a", "--output", "ids"], "--query needs --output json or text"),
        (
            ["--no-paginate", "--max-items", "1", "--page-size", "2"],
            "--page-size, --max-items cannot be used with --no",
        ),
        (["--next-token", "a", "--starting-token", "b"], "--starting-token cannot be used with --no-paginate"),
        (
            ["--workflow-run-id", "-", "--starting-token", "b"],
            "--starting-token belongs to one run, and cannot be used for",
        ),
        (["--max-items", "many"], "Invalid value for '--max-items': must be a whole number, not 'many'"),
        (["--concurrency", "101"], "'--concurrency': must be a whole number from 1 to 100, not '101'"),
        (["--max-attempts", "0"], "'--max-attempts': must be a whole number from 1, not '0'"),
        (["--cli-read-timeout", "-1"], "'--cli-read-timeout': must be a number from 0, not '-1'"),
        (["--sort-order", "Up"], "Invalid value for '--sort-order': 'Up' is not one of 'Ascending', 'Descending'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(arguments: Sequence[str], message: str, world: LocalService) -> None:
    result = list_sessions(world.runs[0], *arguments)
    assert (result.exit_code, result.stdout) == (252, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["--no-paginate"], ["--output", "text"]])
def test_a_query_that_cannot_be_applied_is_an_error(arguments: Sequence[str], world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--query", "length(`1`)", *arguments)
    assert (result.exit_code, result.stdout) == (255, "")
    assert result.stderr.startswith("novaact-http: --query cannot be applied: In function length(), invalid type")
    assert result.stderr.count("\n") == 1


def test_a_query_that_fails_later_prints_no_command_to_continue(world: LocalService) -> None:
    query = "length(sessionSummaries[20] || `1`)"
    result = list_sessions(world.runs[0], "--query", query, "--output", "text", "--page-size", "30")
    assert (result.exit_code, result.stdout) == (255, "1\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("kept", [1, 2, 5, 6, 7, 10_000])
@pytest.mark.parametrize("arguments", [[], ["--max-items", "5"], ["--page-size", "7"]], ids=" ".join)
def test_json_is_the_same_when_it_is_written_page_by_page(
    kept: int, arguments: Sequence[str], world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for runs in (world.runs[:1], world.runs[:2]):
        command = ["list-sessions", *naming(*runs), "--output", "json", "--page-size", "2", *arguments]
        monkeypatch.setattr(_output, "_KEPT_ITEMS", 10_000)
        whole = run(*command)
        monkeypatch.setattr(_output, "_KEPT_ITEMS", kept)
        assert run(*command).output == whole.output


def test_a_long_json_document_that_fails_is_not_closed(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_output, "_KEPT_ITEMS", 2)
    of = world.runs[0]
    world.answer_next(200, page_body(*of.session_ids[:3], next_token="not a token"))
    result = list_sessions(of, "--output", "json")
    assert result.exit_code == 254
    assert result.stdout.endswith('"\n        }')
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(result.stdout)
    assert "there are more sessions; continue with" in result.stderr


def test_a_table_fits_its_columns_to_the_first_page_and_the_terminal() -> None:
    runs = _output.Items("runs", "runs", ("id", "status", "ended_at"))
    ended = dt.datetime(2025, 11, 23, 20, 34, 56, 789_000, tzinfo=dt.timezone.utc)

    class Run(NamedTuple):
        id: str
        status: str
        ended_at: dt.datetime | None = None

    class Page(NamedTuple):
        runs: tuple[Run, ...]

    first, second = Page((Run("abc", "FAILED", ended), Run("d", "RUNNING"))), Page((Run("longer", "é\x1b"),))
    table = _output.make("table", runs, look=look())
    assert (table.page(first, has_more=True) + table.page(second) + table.end("t")).splitlines() == [
        "     #  ID   Status   Ended at",
        "     1  abc  FAILED   2025-11-23T20:34:56Z",
        "     2  d    RUNNING  -",
        "     3  longer  é\\x1b    -",
    ]
    narrow = _output.make("table", runs, look=look(20, has_colours=True), mark=("x", "of"))
    assert narrow.single(first).splitlines() == [
        "\x1b[1mof\x1b[0m",
        "#  \x1b[1mID \x1b[0m  \x1b[1mStatus\x1b[0m",
        "1  abc  \x1b[31mFAILED\x1b[0m",
        "2  d    \x1b[36mRUNNING\x1b[0m",
    ]


def test_one_call_and_several_pages_print_the_same(world: LocalService) -> None:
    of = world.runs[0]
    paged = run("list-sessions", *naming(of), "--output", "json", "--page-size", "7").stdout
    assert run("list-sessions", *naming(of), "--output", "json", "--no-paginate").stdout == paged
