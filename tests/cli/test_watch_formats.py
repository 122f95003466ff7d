"""The screen of `watch`, and its lines of a log."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from os import terminal_size
from typing import Any

import pytest

from novaact_http.cli import _lines, _watch_formats
from novaact_http.cli._watched_runs import Change, Refresh, Run
from tests.helpers.terminals import look

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)
HOSTILE = "a\x1b[2J\r\n\u202e"


def make_run(number: int, status: str = "RUNNING", **changes: Any) -> Run:
    started_at = NOW - dt.timedelta(seconds=754)
    ended_at = None if status == "RUNNING" else NOW - dt.timedelta(seconds=60)
    run = Run("flow", f"{number:08}-{'0' * 27}", status, started_at, ended_at)
    return run._replace(**changes)


def refresh(*runs: Run, changes: tuple[Change, ...] = (), **facts: Any) -> Refresh:
    facts = {"is_first": False, "failures": [], "is_hopeless": False, "is_done": False, "has_failed": False, **facts}
    return Refresh(
        open=[run for run in runs if run.status == "RUNNING"],
        ended=[run for run in runs if run.status != "RUNNING"],
        counts=Counter([run.status for run in runs]),
        changes=list(changes),
        **{"calls": 12, "throttled": 0, "seconds": 0.84, **facts},
    )


def lines(of: Refresh | None, *problems: str, width: int = 80, height: int = 24, **options: Any) -> list[str]:
    screen = _watch_formats.Screen(look(**options), "Nova Act, us-east-1", terminal_size((width, height)))
    return screen.lines(of, problems, "next in 7 s", NOW)


def test_before_the_first_answer_there_are_two_lines() -> None:
    assert lines(None) == ["Nova Act, us-east-1", "next in 7 s"]


def test_what_runs_comes_first_under_the_counts() -> None:
    shown = lines(refresh(make_run(1, "FAILED"), make_run(2), make_run(3, "SUCCEEDED", definition="longer")), width=120)
    assert [line.rstrip() for line in shown] == [
        "1 RUNNING  1 SUCCEEDED  1 FAILED  Nova Act, us-east-1",
        "next in 7 s",
        "",
        "  00000002-000000000000000000000000000  RUNNING    flow    12m 34s",
        "  00000001-000000000000000000000000000  FAILED     flow    11m 34s  ended 1m ago",
        "  00000003-000000000000000000000000000  SUCCEEDED  longer  11m 34s  ended 1m ago",
    ]


def test_what_has_changed_is_marked() -> None:
    new, ended, gone = make_run(1), make_run(2, "FAILED"), make_run(3)
    changes = (Change(new, None, "RUNNING"), Change(ended, "RUNNING", "FAILED"), Change(gone, "RUNNING", None))
    shown = lines(refresh(new, ended, changes=changes), width=120, has_colours=True)
    assert [line[:6] for line in shown[3:]] == ["+ \x1b[1m", "* \x1b[1m", "* \x1b[1m"]
    assert ["RUNNING" in shown[3], "deleted" in shown[4], "FAILED" in shown[5]] == [True] * 3
    assert ["new" in shown[3], "was RUNNING" in shown[4], "was RUNNING" in shown[5]] == [True] * 3
    first = lines(refresh(new, ended, changes=changes[:1], is_first=True))
    assert [line[:2] for line in first[3:]] == ["  ", "  "]


@pytest.mark.parametrize("width", [1, 10, 40, 80, 200])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 5, 8, 24, 100])
def test_a_screen_is_never_larger_than_the_terminal(width: int, height: int) -> None:
    runs = [make_run(number, status, definition="日本語") for number in range(60) for status in ("RUNNING", "FAILED")]
    shown = lines(refresh(*runs), "something is wrong " * 9, width=width, height=height)
    assert len(shown) <= height
    assert max(map(_lines.cells, shown)) <= width


def test_runs_that_have_ended_keep_a_third_of_the_rows() -> None:
    runs = [make_run(number, status) for number in range(60) for status in ("RUNNING", "FAILED")]
    shown = lines(refresh(*runs), height=15)
    statuses = ["RUNNING" if "RUNNING" in line else "FAILED" if "FAILED" in line else line for line in shown[3:]]
    assert statuses == ["RUNNING"] * 7 + ["  and 53 more"] + ["FAILED"] * 3 + ["  and 57 more"]
    few = lines(refresh(*runs[:4]), height=15)
    assert len(few) == 3 + 4
    many_ended = lines(refresh(*runs[:2], *runs[1::2]), height=15)
    assert (len(many_ended), many_ended[-1]) == (15, "  and 51 more")


def test_three_problems_are_shown_at_most() -> None:
    shown = lines(refresh(), "one", HOSTILE, "three", "four")
    assert shown[2:5] == ["one", "a\\x1b[2J\\r\\n\\u202e", "three"]
    assert "four" not in shown


def test_hostile_names_do_no_harm() -> None:
    run = make_run(1, HOSTILE, definition=HOSTILE, run_id=HOSTILE)
    change = Change(run, HOSTILE, HOSTILE)
    shown = "\n".join(lines(refresh(run, changes=(change,)), width=200))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len(shown.split("\n")) == 4
    line = _watch_formats.log_line(change, NOW, look())
    assert line.rstrip("\n").isprintable()
    assert len(_watch_formats.json_line(change, NOW).splitlines()) == 1


def test_a_change_is_a_line_of_a_log() -> None:
    def line(change: Change, **options: Any) -> str:
        return _watch_formats.log_line(change, NOW, look(**options))

    run, ended = make_run(1), make_run(1, "FAILED")
    start = f"2026-01-02T03:04:05Z flow {run.run_id} "
    assert line(Change(run, None, "RUNNING")) == f"{start}RUNNING\n"
    assert line(Change(ended, "RUNNING", "FAILED")) == f"{start}RUNNING → FAILED after 11m 34s\n"
    assert line(Change(run, "RUNNING", None), encoding="ascii") == f"{start}RUNNING -> deleted\n"
    assert line(Change(ended, None, "FAILED"), has_colours=True) == f"{start}\x1b[31mFAILED\x1b[0m after 11m 34s\n"


def test_a_change_is_a_json_object() -> None:
    ended = make_run(1, "FAILED")
    assert json.loads(_watch_formats.json_line(Change(ended, "RUNNING", "FAILED"), NOW)) == {
        "time": "2026-01-02T03:04:05+00:00",
        "workflowDefinitionName": "flow",
        "workflowRunId": ended.run_id,
        "previousStatus": "RUNNING",
        "status": "FAILED",
        "startedAt": "2026-01-02T02:51:31+00:00",
        "endedAt": "2026-01-02T03:03:05+00:00",
    }
    gone = json.loads(_watch_formats.json_line(Change(make_run(1), "RUNNING", None), NOW))
    assert (gone["status"], gone["endedAt"]) == (None, None)


def test_the_calls_of_a_refresh_are_told_and_what_to_do_if_it_is_slow() -> None:
    assert _watch_formats.costs(refresh()) == "12 calls in 0.8 s"
    assert _watch_formats.costs(refresh(calls=1, throttled=2)) == "1 call in 0.8 s, throttled 2 times"
    assert _watch_formats.slowness(refresh(), 10) == ""
    slow = refresh(calls=1_001, seconds=23.4)
    advice = "name definitions with --workflow-definition-name, or pass a longer --interval"
    assert _watch_formats.slowness(slow, 10) == f"slower than every 10 s: 1,001 calls took 23 s; {advice}"
    assert _watch_formats.slowness(slow._replace(throttled=7), 10) == (
        f"slower than every 10 s, as the account is throttled: 1,001 calls took 23 s; {advice}"
    )
