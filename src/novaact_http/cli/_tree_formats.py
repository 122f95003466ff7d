"""The formats of `novaact-http tree`. Nodes come one by one, and each is written at once, so that memory is limited."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from novaact_http import models
from novaact_http.cli._durations import in_words
from novaact_http.cli._lines import counted
from novaact_http.cli._statuses import ERROR_STYLE, FAINT_STYLE, NAME_STYLE, in_table_order, status_of
from novaact_http.cli._world_listing import ACTS, DEFINITIONS, RUNS, SESSIONS, Failure, Node

if TYPE_CHECKING:
    import datetime as dt

    from novaact_http.cli._lines import Look, Part

_LISTS = {  # each level's list, by the service's name
    DEFINITIONS: "workflowDefinitionSummaries",
    RUNS: "workflowRunSummaries",
    SESSIONS: "sessionSummaries",
    ACTS: "actSummaries",
}
_NAMES = {DEFINITIONS: "definition", RUNS: "run", SESSIONS: "session", ACTS: "act"}


class Format(Protocol):
    """A format."""

    def add(self, node: Node, problem: str) -> str:
        """Return what to write for the next node; the problem is what to say in the place of a `Failure`."""
        ...

    def end(self) -> str:
        """Return what to write after the last node."""
        ...


class Tree:
    """A tree for people."""

    def __init__(self, look: Look, now: dt.datetime) -> None:
        self._look = look
        self._now = now
        self._ancestors: list[str] = []  # what is below each of them in the lines of its descendants
        self._counts: Counter[int] = Counter()
        self._statuses: Counter[str] = Counter()  # of runs

    def add(self, node: Node, problem: str) -> str:
        marks, level = self._look.marks, node.level
        before = "".join(self._ancestors[:level])
        if level > DEFINITIONS:
            before += marks.last_branch if node.is_last else marks.branch
            self._ancestors[level:] = [marks.no_trunk if node.is_last else marks.trunk]
        else:
            self._ancestors = [""]
        if isinstance(node.value, Failure):
            about = f"{node.value.about}: " if node.value.about else ""
            return f"{self._look.line((self._look.plain(f'{about}{problem}'), ERROR_STYLE), (), before=before)}\n"
        self._counts[level] += 1
        name, details = self._described(level, node.value)
        return f"{self._look.line(name, details, before=before)}\n"

    def _described(self, level: int, value: Any) -> tuple[Part, list[Part]]:
        plain = self._look.plain
        if level == SESSIONS:
            return (plain(value.session_id), ""), []
        status = str(value.status)
        shown: Part = plain(status), status_of(status).style
        if level == DEFINITIONS:
            created = f"created {in_words(self._now - value.created_at)} ago", FAINT_STYLE
            return (plain(value.workflow_definition_name), NAME_STYLE), [shown, created]
        if level == RUNS:
            self._statuses[status] += 1
        ended = value.ended_at
        took = in_words((ended or self._now) - value.started_at)
        details: list[Part] = [shown, (took if ended else f"for {took}", "")]
        if ended:
            details.append((f"ended {in_words(self._now - ended)} ago", FAINT_STYLE))
        return (plain(value.workflow_run_id if level == RUNS else value.act_id), ""), details

    def end(self) -> str:
        counts = [
            counted(self._counts[level], name) for level, name in _NAMES.items() if self._counts[level] or not level
        ]
        statuses = ", ".join([f"{count:,} {self._look.plain(each)}" for each, count in in_table_order(self._statuses)])
        text = ", ".join(counts) + (f"; runs: {statuses}" if statuses else "")
        return f"{self._look.line((text, FAINT_STYLE), ())}\n"


_NOT_BEGUN, _BEGUN, _ENDED = range(3)


class Json:
    """One JSON document, with the service's members, and a line for each node. Children are members of their parent.

    What could not be listed is the member `error` of its parent; or if it was named, of an object in its place.

    Args:
        depth: the last level.
        is_safe: whether to escape all but ASCII, as for a terminal.
    """

    def __init__(self, depth: int, *, is_safe: bool) -> None:
        self._depth = depth
        self._is_safe = is_safe
        self._lists = [_NOT_BEGUN]  # the list of children, of the document and of each object that is not closed

    def add(self, node: Node, problem: str) -> str:
        level, value = node.level, node.value
        text = self._close_objects(level)
        is_failure = isinstance(value, Failure)
        if is_failure and not value.about:
            return f'{text}{self._end_list()}, "error": {self._dump(problem)}'
        members = {"workflowDefinitionName": value.about, "error": problem} if is_failure else models.as_dict(value)
        text += ",\n" if self._lists[-1] == _BEGUN else f"{self._begin_list()}\n"
        self._lists.append(_ENDED if is_failure or level == self._depth else _NOT_BEGUN)
        return f"{text}{_indented(level + 1)}{self._dump(members).removesuffix('}')}"

    def end(self) -> str:
        return f"{self._close_objects(DEFINITIONS)}{self._end_list()}}}\n"

    def _close_objects(self, level: int) -> str:
        """Close the objects of this level and of those below."""
        text = ""
        while len(self._lists) > level + 1:
            text += f"{self._end_list()}}}"
            self._lists.pop()
        return text

    def _begin_list(self) -> str:
        level = len(self._lists) - 1
        self._lists[-1] = _BEGUN
        return f'{", " if level else "{"}"{_LISTS[level]}": ['

    def _end_list(self) -> str:
        text = ""
        if self._lists[-1] == _NOT_BEGUN:
            text = f"{self._begin_list()}]"
        elif self._lists[-1] == _BEGUN:
            text = f"\n{_indented(len(self._lists) - 1)}]"
        self._lists[-1] = _ENDED
        return text

    def _dump(self, value: object) -> str:
        return json.dumps(value, ensure_ascii=self._is_safe, default=_isoformat)


def _indented(level: int) -> str:
    return "  " * level


def _isoformat(time: dt.datetime) -> str:
    return time.isoformat()
