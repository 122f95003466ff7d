"""What `novaact-http watch` writes: the lines of a screen, or a line for each change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from novaact_http.cli._durations import in_words
from novaact_http.cli._lines import SHORTEST_NAME, cells, counted, padded, taken
from novaact_http.cli._statuses import ERROR_STYLE, FAINT_STYLE, NAME_STYLE, in_table_order, status_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from os import terminal_size

    from novaact_http.cli._lines import Look, Part
    from novaact_http.cli._watched_runs import Change, Refresh, Run

_GONE = "deleted"
_STATUS_WIDTH, _DURATION_WIDTH = 9, 7  # of most of them
_MOST_PROBLEMS = 3
_SHARE_OF_ENDED = 3  # of so many rows, one is for runs that have ended, if others need the rest


class Screen:
    """The screen of `watch`: what runs first, and then what has ended.

    Args:
        look: how lines look.
        where: what is watched, in words.
        size: the size of the terminal.
    """

    def __init__(self, look: Look, where: str, size: terminal_size) -> None:
        self._look = look._replace(width=size.columns)
        self._where = where
        self._size = size

    def lines(self, refresh: Refresh | None, problems: Sequence[str], state: str, now: dt.datetime) -> list[str]:
        """Return the lines.

        Args:
            refresh: what is known; None before the first answer.
            problems: what is wrong, the most important first.
            state: what is done or waited for now.
            now: the time.
        """
        look = self._look
        counts = [] if refresh is None else in_table_order(refresh.counts)
        parts: list[Part] = [(f"{count:,} {look.plain(name)}", status_of(name).style) for name, count in counts]
        parts.append((look.plain(self._where), NAME_STYLE))
        lines = [look.line(parts[0], parts[1:]), look.line((state, FAINT_STYLE), ())]
        lines += [look.line((look.plain(each), ERROR_STYLE), ()) for each in problems[:_MOST_PROBLEMS]]
        if refresh is not None:
            lines += ["", *self._rows(refresh, now, self._size.lines - len(lines) - 1)]
        return lines[: self._size.lines]

    def _rows(self, refresh: Refresh, now: dt.datetime, room: int) -> list[str]:
        changes = {} if refresh.is_first else {each.run.run_id: each for each in refresh.changes}
        ended = [each.run for each in refresh.changes if each.after is None] + refresh.ended
        ended_rows = min(len(ended), max(room - len(refresh.open), room // _SHARE_OF_ENDED))
        shown = _cut(refresh.open, room - ended_rows), _cut(ended, ended_rows)
        width = max([cells(self._look.plain(run.definition)) for runs, _ in shown for run in runs], default=0)
        rows = [[self._row(run, changes.get(run.run_id), now, width) for run in runs] for runs, _ in shown]
        columns, name_width = self._fitting([row for part in rows for row in part])
        lines = []
        for part, (_, left) in zip(rows, shown, strict=True):
            for row in part:
                name = padded(self._look.cut(row.name, name_width), name_width)
                lines.append(self._look.line((name, row.style), row.details[:columns], before=row.mark))
            if left:
                lines.append(self._look.line((f"  and {left:,} more", FAINT_STYLE), ()))
        return lines

    def _fitting(self, rows: Sequence[_Row]) -> tuple[int, int]:
        """Return how many columns there is room for after the names, and how many cells all names get."""
        columns = max([len(row.details) for row in rows], default=0)
        width = max([cells(row.name) for row in rows], default=0)
        while True:
            room = min([self._size.columns - cells(row.mark) - taken(row.details[:columns]) for row in rows], default=0)
            if room >= SHORTEST_NAME or columns == 0:
                return columns, max(min(width, room), 0)
            columns -= 1

    def _row(self, run: Run, change: Change | None, now: dt.datetime, width: int) -> _Row:
        plain = self._look.plain
        status, mark, style = run.status, "  ", ""
        note: Part = "" if run.ended_at is None else f"ended {in_words(now - run.ended_at)} ago", FAINT_STYLE
        if change is not None:
            status, style = change.after or _GONE, NAME_STYLE
            mark = "+ " if change.before is None else "* "
            note = "new" if change.before is None else f"was {plain(change.before)}", NAME_STYLE
        details: list[Part] = [
            (padded(plain(status), _STATUS_WIDTH), status_of(status).style),
            (padded(plain(run.definition), width), ""),
            (padded(in_words((run.ended_at or now) - run.started_at), _DURATION_WIDTH), ""),
            note,
        ]
        return _Row(mark, plain(run.run_id), style, details)


class _Row(NamedTuple):
    """A run on the screen: a mark, its id with a style, and what follows that."""

    mark: str
    name: str
    style: str
    details: list[Part]


def _cut(runs: Sequence[Run], rows: int) -> tuple[Sequence[Run], int]:
    """Return the first runs, and the number of those left out, for which there is a row too."""
    if len(runs) <= rows:
        return runs, 0
    kept = max(rows - 1, 0)
    return runs[:kept], len(runs) - kept


def log_line(change: Change, now: dt.datetime, look: Look) -> str:
    """Return a change as a line of a log."""
    run = change.run
    after = change.after or _GONE
    status = after if change.before is None else f"{change.before} {look.marks.arrow} {after}"
    time = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    took = "" if run.ended_at is None else f" after {in_words(run.ended_at - run.started_at)}"
    name, run_id = look.plain(run.definition), look.plain(run.run_id)
    return f"{time} {name} {run_id} {look.styled(look.plain(status), status_of(after).style)}{took}\n"


def json_line(change: Change, now: dt.datetime) -> str:
    """Return a change as a JSON object on a line."""
    run = change.run
    ended_at = None if run.ended_at is None else run.ended_at.isoformat()
    document = {
        "time": now.isoformat(),
        "workflowDefinitionName": run.definition,
        "workflowRunId": run.run_id,
        "previousStatus": change.before,
        "status": change.after,
        "startedAt": run.started_at.isoformat(),
        "endedAt": ended_at,
    }
    return f"{json.dumps(document)}\n"


def costs(refresh: Refresh) -> str:
    """Return how many calls a refresh took."""
    throttled = f", throttled {counted(refresh.throttled, 'time')}" if refresh.throttled else ""
    return f"{counted(refresh.calls, 'call')} in {refresh.seconds:.1f} s{throttled}"


def slowness(refresh: Refresh, interval: float) -> str:
    """Return what to do if a refresh takes longer than the interval; else `""`."""
    if refresh.seconds <= interval:
        return ""
    why = ", as the account is throttled" if refresh.throttled else ""
    return (
        f"slower than every {interval:g} s{why}: {counted(refresh.calls, 'call')} took {refresh.seconds:.0f} s; name "
        "definitions with --workflow-definition-name, or pass a longer --interval"
    )
