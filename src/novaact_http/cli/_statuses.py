"""The statuses of definitions, runs and acts: how each is shown, and what it means for who waits for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOLD, _BOLD_MAGENTA, _BLUE, _CYAN, _DIM, _GREEN, _RED, _YELLOW = "1", "1;35", "34", "36", "2", "32", "31", "33"
ERROR_STYLE, FAINT_STYLE, NAME_STYLE = _RED, _DIM, _BOLD


class Status(NamedTuple):
    """What is known of a status.

    Attributes:
        style: how a terminal shows it, as numbers of the escape sequence SGR; `""` for no style.
        exit_code: the exit code of a command that waited for it; None if what has it has not ended.
    """

    style: str
    exit_code: int | None = None


STATUSES = {
    "RUNNING": Status(_CYAN),
    "PENDING_CLIENT_ACTION": Status(_BLUE),
    "PENDING_HUMAN_ACTION": Status(_BOLD_MAGENTA),
    "SUCCEEDED": Status(_GREEN, 0),
    "FAILED": Status(_RED, 1),
    "TIMED_OUT": Status(_YELLOW, 2),
    "ACTIVE": Status(""),
    "DELETING": Status(_DIM),
}
_UNKNOWN = Status("")
RUN_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "DELETING")


def status_of(name: str) -> Status:
    """Return what is known of a status; a new one of the service has no style, and has not ended."""
    return STATUSES.get(name, _UNKNOWN)


def in_table_order(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return statuses and their counts in the order of the table, and new ones of the service after them."""
    known = [name for name in STATUSES if counts.get(name)]
    return [(name, counts[name]) for name in (*known, *sorted(counts.keys() - set(STATUSES)))]
