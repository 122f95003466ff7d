"""`novaact-http tree`: shows definitions, runs, sessions and acts as a tree. It is written while it is listed."""

from __future__ import annotations

import errno
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors
from novaact_http.cli._connection import Connection
from novaact_http.cli._durations import Duration
from novaact_http.cli._lines import counted, look_of
from novaact_http.cli._options import Command, Number, connection_options, option
from novaact_http.cli._status_line import StatusLine
from novaact_http.cli._statuses import RUN_STATUSES
from novaact_http.cli._terminal import is_terminal, notices, say

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from novaact_http.cli._tree_formats import Format
    from novaact_http.cli._world_listing import Node, Wanted

_SELECTION, _OUTPUT = "What to show", "Output"
LEVELS = ("definitions", "runs", "sessions", "acts")


@click.command(cls=Command, short_help="Show definitions, runs, sessions and acts as a tree.")
@option(
    _SELECTION,
    "--workflow-definition-name",
    metavar="NAME",
    multiple=True,
    help="Only this workflow definition. May be repeated.",
)
@option(_SELECTION, "--depth", type=click.Choice(LEVELS), default="runs", show_default=True, help="The last level.")
@option(
    _SELECTION,
    "--status",
    type=click.Choice(RUN_STATUSES),
    multiple=True,
    help="Only runs with this status, and definitions that have one. May be repeated.",
)
@option(
    _SELECTION,
    "--since",
    type=Duration(),
    metavar="DURATION",
    help="Only runs that started since then, such as 90s, 15m, 2h or 7d, and definitions that have one.",
)
@option(
    _SELECTION,
    "--concurrency",
    type=Number(1, 100, whole=True),
    default=10,
    show_default=True,
    metavar="N",
    help="How many calls are made at once, from 1 to 100.",
)
@option(_OUTPUT, "--output", type=click.Choice(("tree", "json")), default="tree", show_default=True, help="The format.")
@connection_options
@click.pass_context
def tree(ctx: click.Context, /, **options: Any) -> None:
    """Show workflow definitions with their runs, sessions and acts, from the newest to the oldest.

    What cannot be listed is an error in its place, and the rest is still shown; the exit code is then that of the first
    error. If the account is throttled, calls slow down.

    \b
    Examples:
      novaact-http tree
      novaact-http tree --status RUNNING --status FAILED --since 2h
      novaact-http tree --workflow-definition-name checkout-flow --depth acts --output json
    """  # noqa: D301 - click marks verbatim text with a \b
    connection = Connection.take_from(options)
    given = Given(**options)
    if given.depth == "definitions" and (given.status or given.since is not None):
        raise click.UsageError("--status and --since select runs, which --depth definitions leaves out")
    with notices(debug=given.debug):
        ctx.exit(_show(given, connection))


class Given(NamedTuple):
    """The options as given."""

    workflow_definition_name: tuple[str, ...]
    depth: str
    status: tuple[str, ...]
    since: int | None
    concurrency: int
    output: str
    debug: bool

    def wanted(self, now: dt.datetime) -> Wanted:
        """Return what to list."""
        import datetime as dt

        from novaact_http.cli._world_listing import Wanted

        return Wanted(
            depth=LEVELS.index(self.depth),
            names=tuple(dict.fromkeys(self.workflow_definition_name)),
            statuses=frozenset(self.status),
            since=None if self.since is None else now - dt.timedelta(seconds=self.since),
        )


def _show(given: Given, connection: Connection) -> int:
    import datetime as dt

    from novaact_http.cli import _tree_formats
    from novaact_http.cli._background import Background
    from novaact_http.cli._world_listing import WorldListing
    from novaact_http.errors import NovaActError

    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    now = dt.datetime.fromtimestamp(time.time(), dt.timezone.utc)
    wanted = given.wanted(now)
    form: _tree_formats.Format
    if given.output == "json":
        form = _tree_formats.Json(wanted.depth, is_safe=is_terminal(sys.stdout))
    else:
        form = _tree_formats.Tree(look_of(sys.stdout), now)
    try:
        client = connection.patient_client()
    except NovaActError as error:
        return _errors.report(error, debug=given.debug)
    with StatusLine() as line, Background(client) as background:
        listing = WorldListing(client, wanted, given.concurrency, _Progress(line).add)
        return _write(background.iterate(listing.nodes()), form, line, given, connection)


def _write(pages: Iterator[list[Node]], form: Format, line: StatusLine, given: Given, connection: Connection) -> int:
    """Write what is listed, and return the exit code."""
    from novaact_http.cli._world_listing import Failure

    code = failures = 0
    is_empty = True
    for page in pages:
        text = ""
        for node in page:
            message = ""
            if isinstance(node.value, Failure):
                error = node.value.error
                if is_empty and not node.value.about:  # nothing can be listed
                    with line.erased():
                        return _errors.report(error, debug=given.debug, target=connection.target())
                failures += 1
                code = code or _errors.exit_code(error)
                message = _errors.describe(error, connection.target(), "")
                if given.debug:
                    with line.erased():
                        _errors.report(error, debug=True, target=connection.target())
            text += form.add(node, message)
            is_empty = False
        _print(text, line)
    _print(form.end(), line)
    if failures:
        with line.erased():
            say(f"{counted(failures, 'part')} could not be listed; the output says why, in place")
    return code


def _print(text: str, line: StatusLine) -> None:
    with line.erased():
        sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
        sys.stdout.flush()


class _Progress:
    """Counts what was listed, on the status line."""

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._counts = [0] * len(LEVELS)
        self._calls = 0

    def add(self, level: int, items: int) -> None:
        """Count a page."""
        self._counts[level] += items
        self._calls += 1
        counts = [counted(count, name[:-1]) for count, name in zip(self._counts, LEVELS, strict=True) if count]
        self._line.show(f"{', '.join(counts)}, {counted(self._calls, 'call')} ...")
