"""Lines for people: cut to the terminal, in colours and characters that it has; and the table of statuses."""

from __future__ import annotations

import io
import locale
import sys

import pytest

from novaact_http.cli import _lines, _statuses
from novaact_http.models import ActStatus, WorkflowDefinitionStatus, WorkflowRunStatus
from tests.helpers.terminals import Terminal, look

HOSTILE = "a\x1b[31m\r\n\x9b\u202e\u2028b"


def test_every_status_of_the_library_is_in_the_table() -> None:
    names = {str(each) for kind in (WorkflowDefinitionStatus, WorkflowRunStatus, ActStatus) for each in kind}
    assert names == set(_statuses.STATUSES)
    assert list(_statuses.RUN_STATUSES) == [str(each) for each in WorkflowRunStatus]


def test_statuses_are_counted_in_the_order_of_the_table_and_new_ones_after_them() -> None:
    counts = {"ZOMBIE": 1, "FAILED": 2, "PAUSED": 3, "RUNNING": 4, "SUCCEEDED": 0}
    assert _statuses.in_table_order(counts) == [("RUNNING", 4), ("FAILED", 2), ("PAUSED", 3), ("ZOMBIE", 1)]
    assert _statuses.status_of("PAUSED") == _statuses.Status("")


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (None, "- a-long-name  RUNNING  for 12s"),
        (40, "- a-long-name  RUNNING  for 12s"),
        (30, "- a-long-na…  RUNNING  for 12s"),
        (29, "- a-long-n…  RUNNING  for 12s"),
        (28, "- a-long-name  RUNNING"),
        (20, "- a-long-n…  RUNNING"),
        (19, "- a-long-name"),
        (8, "- a-lon…"),
        (2, "- "),
    ],
)
def test_a_line_leaves_out_details_and_cuts_the_name_to_fit(width: int | None, line: str) -> None:
    details = [("RUNNING", "36"), ("", ""), ("for 12s", "")]
    assert look(width).line(("a-long-name", ""), details, before="- ") == line


def test_wide_characters_take_two_cells() -> None:
    assert _lines.cells("日本") == 4
    assert look(5).line(("日本語", ""), ()) == "日本…"
    assert look(4).line(("日本語", ""), ()) == "日…"
    assert look(4, encoding="ascii").line(("abcdefg", ""), ()) == "a..."


def test_styles_are_shown_only_with_colours() -> None:
    assert look(has_colours=True).line(("a", "1"), [("b", "31"), ("c", "")]) == "\x1b[1ma\x1b[0m  \x1b[31mb\x1b[0m  c"
    assert look().line(("a", "1"), [("b", "31")]) == "a  b"


def test_text_from_outside_cannot_control_a_terminal() -> None:
    assert look().plain(HOSTILE) == "a\\x1b[31m\\r\\n\\x9b\\u202e\\u2028b"
    assert look(encoding="ascii").plain("é日") == "\\xe9\\u65e5"
    assert look().plain("é日") == "é日"


@pytest.mark.parametrize(
    ("variables", "has_colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_can_be_switched_off(
    variables: dict[str, str], has_colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": "55", **variables}.items():
        monkeypatch.setenv(name, value)
    shown = _lines.look_of(Terminal())
    assert (shown.has_colours, shown.width) == (has_colours, 55)


def test_what_is_no_terminal_gets_plain_lines_of_any_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    shown = _lines.look_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert (shown.has_colours, shown.width) == (False, None)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no nl_langinfo")
@pytest.mark.parametrize(
    ("of_stream", "of_locale", "branch"),
    [
        ("utf-8", "UTF-8", "├─ "),
        ("utf-8", "ANSI_X3.4-1968", "|- "),  # with LC_ALL=C, in which Python uses UTF-8 all the same
        ("utf-8", "no such encoding", "|- "),
        ("iso-8859-1", "UTF-8", "|- "),
    ],
)
def test_lines_are_drawn_in_ascii_where_the_encoding_has_no_others(
    of_stream: str, of_locale: str, branch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locale, "nl_langinfo", lambda _: of_locale)
    assert _lines.look_of(io.TextIOWrapper(io.BytesIO(), encoding=of_stream)).marks.branch == branch


def test_windows_has_the_encoding_of_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert _lines.look_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")).encoding == "utf-8"


@pytest.mark.parametrize(("number", "words"), [((0), "0 calls"), (1, "1 call"), (1_234, "1,234 calls")])
def test_things_are_counted_in_words(number: int, words: str) -> None:
    assert _lines.counted(number, "call") == words
