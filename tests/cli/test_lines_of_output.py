"""Output of one line for each session: whatever an id contains, it is one line to every reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.command import list_sessions

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

LINE_ENDS = ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


def printed(world: LocalService, output: str, *ids: str) -> list[str]:
    world.answer_next(200, json.dumps({"sessionSummaries": [{"sessionId": each} for each in ids]}).encode())
    result = list_sessions(world.runs[0], "--output", output)
    assert result.exit_code == 0
    assert result.stdout.endswith("\n")
    return result.stdout.splitlines()


@pytest.mark.parametrize("where", ["{}forged", "a{}forged", "a{}", "{}"])
@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_no_id_passes_for_two(world: LocalService, end: str, where: str) -> None:
    session_id = where.format(end)
    escaped = where.format(json.dumps(end)[1:-1])
    assert printed(world, "ids", "first", session_id, "last") == ["first", escaped, "last"]
    lines = printed(world, "jsonl", "first", session_id, "last")
    assert [json.loads(each)["sessionId"] for each in lines] == ["first", session_id, "last"]


def test_other_ids_are_printed_as_they_are(world: LocalService) -> None:
    ids = ["a b", "\tc", "é", "\\n", "\U0001f600", "\x7f", "\ufeff"]
    assert printed(world, "ids", *ids) == ids
    assert [json.loads(each)["sessionId"] for each in printed(world, "jsonl", *ids)] == ids
