"""`novaact-http watch`: shows the runs that run, and what changes, until it is interrupted or all runs have ended."""

from __future__ import annotations

import errno
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors
from novaact_http.cli._connection import Connection
from novaact_http.cli._durations import Duration, Seconds
from novaact_http.cli._lines import can_move_cursor, counted, look_of
from novaact_http.cli._options import Command, Number, connection_options, option
from novaact_http.cli._terminal import notices, say

if TYPE_CHECKING:
    import datetime as dt
    from concurrent.futures import Future

    from novaact_http.cli._background import Background
    from novaact_http.cli._watched_runs import CallCount, Refresh, WatchedRuns

_SELECTION, _TIME, _OUTPUT = "What to watch", "Time", "Output"
_A_WEEK = 7 * 24 * 60 * 60  # no run takes longer
_SHORTEST_PAUSE = 1.0  # seconds between two refreshes, however long they take
_FAILED = 1


@click.command(cls=Command, short_help="Show what runs and what changes, live.")
@option(
    _SELECTION,
    "--workflow-definition-name",
    metavar="NAME",
    multiple=True,
    help="Only this workflow definition. May be repeated.",
)
@option(
    _SELECTION,
    "--since",
    type=Duration(),
    metavar="DURATION",
    help="Only runs that started since then, such as 15m, 2h or 1d. Default: 7d, as no run takes longer.",
)
@option(
    _TIME,
    "--interval",
    type=Seconds(),
    default=10,
    show_default=True,
    metavar="SECONDS",
    help="How often to ask, at least 1.",
)
@option(
    _TIME,
    "--until-done",
    is_flag=True,
    help="Stop when no run runs any more. The exit code is then 1 if a run has not succeeded: one that ran meanwhile, "
    "or with --since any.",
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
@option(
    _OUTPUT,
    "--output",
    type=click.Choice(("screen", "log", "jsonl")),
    help="The format: a screen that is drawn in place, or a line for each change. Default: screen on a terminal, "
    "else or with --debug log.",
)
@connection_options
@click.pass_context
def watch(ctx: click.Context, /, **options: Any) -> None:
    """Show the runs that run, the number of runs for each status, and what changes.

    A refresh asks only for what can have changed: the newest runs of each definition, back to the oldest that still
    ran. If the account is throttled, calls slow down. Ctrl-C ends it.

    \b
    Examples:
      novaact-http watch
      novaact-http watch --workflow-definition-name checkout-flow --until-done
      novaact-http watch --interval 60 --output jsonl >> changes.jsonl
    """  # noqa: D301 - click marks verbatim text with a \b
    connection = Connection.take_from(options)
    given = Given(**options)
    if given.output == "screen" and not can_move_cursor(sys.stdout):
        raise click.UsageError("--output screen needs a terminal as standard output, and a TERM other than dumb")
    with notices(debug=given.debug):
        ctx.exit(_watch(given, connection))


class Given(NamedTuple):
    """The options as given."""

    workflow_definition_name: tuple[str, ...]
    since: int | None
    interval: float
    until_done: bool
    concurrency: int
    output: str | None
    debug: bool

    @property
    def format(self) -> str:
        """The output format."""
        return self.output or ("screen" if can_move_cursor(sys.stdout) and not self.debug else "log")

    def is_over(self, refresh: Refresh) -> bool:
        """Tell whether there is nothing more to wait for."""
        if refresh.is_hopeless:
            return refresh.is_first or self.until_done
        return self.until_done and refresh.is_done


class _Watch(NamedTuple):
    """What the two ways of showing need."""

    given: Given
    connection: Connection
    background: Background
    watched: WatchedRuns

    def ask(self) -> Future[Refresh]:
        """Begin a refresh."""
        return self.background.start(self.watched.refresh())

    def problems(self, refresh: Refresh) -> dict[object, str]:
        """Return what is wrong, in words, by what stays the same as long as it is wrong."""
        from novaact_http.cli._watch_formats import slowness

        slow = slowness(refresh, self.given.interval)
        problems: dict[object, str] = {"slow": slow} if slow else {}
        for about, error in refresh.failures:
            description = _errors.describe(error, self.connection.target(), "")
            problems[about, type(error)] = f"{about}: {description}" if about else description
        return problems

    def pause(self, refresh: Refresh) -> float:
        """Return how many seconds to wait before the next refresh.

        After a refresh that was throttled the whole interval is waited for, to leave something to others.
        """
        return self.given.interval if refresh.throttled else max(self.given.interval - refresh.seconds, _SHORTEST_PAUSE)

    def end(self, refresh: Refresh) -> int:
        """Report what has failed, and return the exit code."""
        target, debug = self.connection.target(), self.given.debug
        codes = [
            _errors.report(each.error, debug=debug, target=target, about=f"{each.about}: " if each.about else "")
            for each in refresh.failures
        ]
        return codes[0] if codes else _FAILED if refresh.has_failed else 0


def _watch(given: Given, connection: Connection) -> int:
    import datetime as dt

    from novaact_http.cli._background import Background
    from novaact_http.cli._watched_runs import CallCount, WatchedRuns
    from novaact_http.errors import NovaActError

    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    count = CallCount()
    try:
        client = connection.patient_client(count.add)
    except NovaActError as error:
        return _errors.report(error, debug=given.debug)
    watched = WatchedRuns(
        client,
        count,
        names=tuple(dict.fromkeys(given.workflow_definition_name)),
        since=_now() - dt.timedelta(seconds=given.since or _A_WEEK),
        judges_all=given.since is not None,
        concurrency=given.concurrency,
    )
    with Background(client) as background:
        this = _Watch(given, connection, background, watched)
        return _on_screen(this, count) if given.format == "screen" else _as_log(this)


def _as_log(this: _Watch) -> int:
    """Write a line for each change, and on standard error what is wrong and what a refresh costs."""
    from novaact_http.cli import _watch_formats

    look, is_json = look_of(sys.stdout), this.given.format == "jsonl"
    said: dict[object, str] = {}
    costs = iter(("the first refresh took", "a refresh takes"))
    while True:
        refresh = this.ask().result()
        now = _now()
        for each in refresh.changes:
            line = _watch_formats.json_line(each, now) if is_json else _watch_formats.log_line(each, now, look)
            sys.stdout.buffer.write(line.encode(errors="backslashreplace"))
        sys.stdout.flush()
        if this.given.is_over(refresh):
            return this.end(refresh)
        if (about := next(costs, None)) is not None:
            say(f"{about} {_watch_formats.costs(refresh)}")
        problems, pause = this.problems(refresh), this.pause(refresh)
        for key in problems.keys() - said.keys():
            say(f"{problems[key]}; watching goes on, next refresh in {pause:.0f} s")
        said = problems
        time.sleep(pause)


def _on_screen(this: _Watch, count: CallCount) -> int:
    """Draw the runs in place, again each second, as durations grow."""
    from novaact_http.cli import _watch_formats
    from novaact_http.cli._live_screen import Event, LiveScreen

    target, look = this.connection.target(), look_of(sys.stdout)
    asking: Future[Refresh] | None = None
    refresh: Refresh | None = None
    problems: dict[object, str] = {}
    due, calls = time.monotonic(), 0
    with LiveScreen() as screen:
        while True:
            now = time.monotonic()
            if asking is not None and asking.done():
                refresh, asking = asking.result(), None
                problems = this.problems(refresh)
                due = now + this.pause(refresh)
            elif asking is None and now >= due:
                asking, calls = this.ask(), count.calls
                asking.add_done_callback(lambda _: screen.events.put(Event.ANSWERED))
            if asking is not None:
                state = f"asking, {counted(count.calls - calls, 'call')} so far"
            else:
                state = f"next in {max(due - now, 0):.0f} s"
            if refresh is not None:
                state = f"every {this.given.interval:g} s: {_watch_formats.costs(refresh)}; {state}"
            view = _watch_formats.Screen(look, f"Nova Act, {target.region}", screen.size())
            screen.draw(view.lines(refresh, list(problems.values()), state, _now()))
            if refresh is not None and asking is None and this.given.is_over(refresh):
                break
            screen.wait(1.0 if asking is not None else min(due - now, 1.0))
    return this.end(refresh)


def _now() -> dt.datetime:
    import datetime as dt

    return dt.datetime.fromtimestamp(time.time(), dt.timezone.utc)
