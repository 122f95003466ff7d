"""`novaact-http list-sessions`. Options are the AWS CLI's, in name and meaning, wherever it has one of the kind."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors, _output, _runs
from novaact_http.cli._options import Command, command_line, connection_options, option
from novaact_http.cli._terminal import Progress, is_terminal, notices, say, say_exactly

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence

    from novaact_http import Client, ListSessionsResponse

_WHAT, _PAGING, _OUTPUT, _CONNECTION = "What to list", "Paging", "Output", "Time, attempts and trust"
SORT_ORDERS = ("Ascending", "Descending")
_NO_LIMIT = 365 * 24 * 60 * 60.0  # the longest that the library takes
_MOST_RUNS_SHOWN = 20
# What the AWS CLI goes on from after no items: base64 of {"nextToken": null, "boto_truncate_amount": 0}.
_THE_BEGINNING = "eyJuZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAwfQ=="


@click.command("list-sessions", cls=Command)
@option(_WHAT, "--workflow-definition-name", metavar="NAME", required=True, help="The workflow definition.")
@option(
    _WHAT,
    "--workflow-run-id",
    metavar="UUID",
    required=True,
    multiple=True,
    help="The workflow run. May be repeated; - reads ids from standard input, one a line.",
)
@option(_WHAT, "--sort-order", type=click.Choice(SORT_ORDERS), help="By time of creation.")
@option(
    _WHAT,
    "--concurrency",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    metavar="N",
    help="How many of several runs are listed at once.",
)
@option(_OUTPUT, "--output", type=click.Choice(_output.NAMES), help="table by default; json with --query.")
@option(_OUTPUT, "--query", metavar="JMESPATH", help="What of the document to print, as json or text.")
@option(_PAGING, "--page-size", type=int, metavar="N", help="How many sessions each call asks for.")
@option(_PAGING, "--max-items", type=int, metavar="N", help="Stop after so many sessions (of each run).")
@option(_PAGING, "--starting-token", metavar="TOKEN", help="Go on from here: the NextToken printed before.")
@option(_PAGING, "--no-paginate", is_flag=True, help="One call only, not all pages.")
@option(_PAGING, "--max-results", type=int, metavar="N", help="One call only, which asks for so many sessions.")
@option(_PAGING, "--next-token", metavar="TOKEN", help="One call only: the nextToken of the call before.")
@connection_options
@option(_CONNECTION, "--no-verify-ssl", is_flag=True, help="Trust whoever answers, whatever --ca-bundle says. Unsafe.")
@option(
    _CONNECTION,
    "--cli-connect-timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="0 for no limit; 5 by default.",
)
@option(
    _CONNECTION,
    "--cli-read-timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="0 for no limit; 60 by default.",
)
@option(
    _CONNECTION,
    "--max-attempts",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of each call, the first included. Else AWS_MAX_ATTEMPTS, the profile's, 3.",
)
@option("Other", "--debug", is_flag=True, help="Show each attempt and, of errors, the traceback. Shows no secrets.")
@click.pass_context
def list_sessions(ctx: click.Context, /, **options: Any) -> None:
    """List the sessions of workflow runs.

    One that fails does not stop the others. Exits with 0 if all is well, 252 for bad arguments, 253 for settings or
    credentials, 254 if the service said no, 255 for all else, 130 after Ctrl-C; of several runs, with the code of the
    first, in the order given, that failed.

    \b
    Examples:
      novaact-http list-sessions --workflow-definition-name checkout-flow \\
        --workflow-run-id 01234567-89ab-4cde-8f01-23456789abcd
      novaact-http list-sessions --workflow-definition-name checkout-flow \\
        --workflow-run-id 01234567-89ab-4cde-8f01-23456789abcd \\
        --query 'length(sessionSummaries)'
      novaact-http list-sessions --workflow-definition-name checkout-flow \\
        --workflow-run-id - --output jsonl < run-ids > sessions.jsonl
    """  # noqa: D301 - click marks verbatim text with a \b
    given = Given(**options)
    given.check()
    with notices(debug=given.debug):
        ctx.exit(_list(ctx, given))


class Given(NamedTuple):
    """The options, as they were given."""

    workflow_definition_name: str
    workflow_run_id: tuple[str, ...]
    sort_order: str | None
    concurrency: int
    output: str | None
    query: str | None
    page_size: int | None
    max_items: int | None
    starting_token: str | None
    no_paginate: bool
    max_results: int | None
    next_token: str | None
    profile: str | None
    region: str | None
    endpoint_url: str | None
    ca_bundle: str | None
    no_verify_ssl: bool
    cli_connect_timeout: float | None
    cli_read_timeout: float | None
    max_attempts: int | None
    debug: bool

    @property
    def format(self) -> str:
        """The output's format."""
        return self.output or ("table" if self.query is None else "json")

    @property
    def is_single(self) -> bool:
        """Is it one call only? As in the AWS CLI, the call's own paging arguments say so too."""
        return self.no_paginate or self.max_results is not None or self.next_token is not None

    @property
    def is_of_several(self) -> bool:
        """Are there, or could there be, several runs, so that the output must tell them apart?"""
        return len(self.workflow_run_id) > 1 or self.workflow_run_id[0] == "-"

    def about(self, run: Run) -> str:
        """What a message about a run begins with."""
        return f"run {run.run_id}: " if self.is_of_several else ""

    def check(self) -> None:
        """Refuse options that do not go together.

        Raises:
            click.UsageError: what is wrong.
        """
        if self.query is not None and self.format not in _output.WITH_QUERY:
            raise click.UsageError(f"--query goes with --output {' or '.join(_output.WITH_QUERY)}")
        for name, token in (("--starting-token", self.starting_token), ("--next-token", self.next_token)):
            if token is not None and self.is_of_several:
                raise click.UsageError(f"{name} is of one run, and cannot be used for several")
        paging = {
            "--starting-token": self.starting_token,
            "--page-size": self.page_size,
            "--max-items": self.max_items,
        }
        used = ", ".join(name for name, value in paging.items() if value is not None)
        if self.is_single and used:
            raise click.UsageError(
                f"{used} cannot be used for one call only, which --no-paginate, --max-results and --next-token ask for"
            )
        for name, seconds in (
            ("--cli-connect-timeout", self.cli_connect_timeout),
            ("--cli-read-timeout", self.cli_read_timeout),
        ):
            if seconds is not None and not seconds <= _NO_LIMIT:  # which is so of nan too
                raise click.UsageError(f"{name} must be a number of seconds, a year at most; 0 for no limit")

    def client(self) -> Client:
        """The client that these options ask for."""
        from novaact_http import Client, RetryPolicy, Timeout

        limits = {"connect": self.cli_connect_timeout, "read": self.cli_read_timeout}
        return Client(
            region=self.region,
            profile=self.profile,
            endpoint_url=self.endpoint_url,
            verify=self._trusting_anybody() if self.no_verify_ssl else self.ca_bundle,
            timeout=Timeout(**{name: value or _NO_LIMIT for name, value in limits.items() if value is not None}),
            retries=None if self.max_attempts is None else RetryPolicy(max_attempts=self.max_attempts),
        )

    def _trusting_anybody(self) -> ssl.SSLContext:
        import ssl

        unused = "; --ca-bundle is not used" if self.ca_bundle is not None else ""  # as in the AWS CLI
        say(f"warning: with --no-verify-ssl whoever answers is trusted, and can read and replay requests{unused}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        return context

    def target(self) -> _errors.Target:
        """What requests go to."""
        import os

        from novaact_http._aws.profiles import Profile
        from novaact_http._aws.settings import resolve

        settings = resolve(
            region=self.region,
            endpoint_url=self.endpoint_url,
            environ=os.environ,
            profile=Profile(self.profile, os.environ),
        )
        source = _errors.as_options(settings.sources["endpoint_url"].place)
        return _errors.Target(settings.region, settings.endpoint.url, source)


class Run:
    """One run's listing, and what has come of it.

    Args:
        given: the options.
        client: that lists it.
        run_id: the run's.
        query: applied to the documents.
        progress: told of each page.
        marked: the output says which run it is of.

    Raises:
        ParameterError: what is given cannot be asked for.

    Attributes:
        error: what it failed with, or None.
        listed: how many sessions came.
    """

    def __init__(
        self,
        given: Given,
        client: Client,
        run_id: str,
        query: _output.Query | None,
        progress: Progress,
        *,
        marked: bool,
    ) -> None:
        self.run_id = run_id
        self.error: Exception | None = None
        self._progress = progress
        to_terminal = is_terminal(sys.stdout)
        self._is_streamed = given.format in _output.STREAMED
        self._format = _output.make(given.format, query=query, run_id=run_id if marked else None, safe=to_terminal)
        # What programs read is always UTF-8.
        encoding = sys.stdout.encoding if to_terminal or given.format == "table" else "utf-8"
        self.outlet = _runs.Outlet(encoding, progress)
        self._call: dict[str, Any] = {
            "workflow_definition_name": given.workflow_definition_name,
            "workflow_run_id": run_id,
            "sort_order": given.sort_order,
        }
        self._pager = client.iter_sessions(
            **self._call,
            page_size=given.page_size,
            max_items=1 if given.max_items == 0 else given.max_items,
            starting_token=given.starting_token,
        )
        # As in the AWS CLI, a listing of no items asks too, and so knows whether there is one to begin with.
        self._here = (given.starting_token or _THE_BEGINNING) if given.max_items == 0 else None
        self._single: dict[str, Any] | None = (
            {"max_results": given.max_results, "next_token": given.next_token} if given.is_single else None
        )
        self._client = client
        self._token: str | None = None
        self._is_complete = False
        self.listed = 0

    def list(self) -> None:
        """List it, and write what is listed. What goes wrong is kept; a Ctrl-C is not."""
        try:
            if self._single is None:
                self._list_pages()
            else:
                page = self._client.list_sessions(**self._call, **self._single)
                self._finish(self._format.single(page), page.next_token or None)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told of when it is the run's turn
            self.error = error
            self._salvage()
        except BaseException:
            self._salvage()
            raise

    def _list_pages(self) -> None:
        for page, token in self._pages():
            text = self._format.page(page)
            if self._is_streamed:
                self.outlet.write(text, token)
            self._token = token
            self.listed += len(page.session_summaries)
            self._progress.add(len(page.session_summaries))
        self._finish(self._format.end(self._token), self._token)

    def _pages(self) -> Iterator[tuple[ListSessionsResponse, str | None]]:
        """The pages, each with the token that the listing goes on from after it."""
        import attrs

        for page in self._pager.pages():
            if self._here is not None and page.session_summaries:
                yield attrs.evolve(page, session_summaries=()), self._here
            else:
                yield page, self._pager.resume_token

    def _finish(self, text: str, token: str | None) -> None:
        self._is_complete = True  # so that a write that is interrupted is not begun again
        self.outlet.write(text, token)

    def _salvage(self) -> None:
        """Write what can be of the pages that came."""
        text = None if self._is_complete else self._format.partial()
        if text is not None and not isinstance(self.error, OSError):
            self.outlet.write(text, self._token)


def _list(ctx: click.Context, given: Given) -> int:
    from novaact_http.errors import NovaActError

    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    query = _query(given.query)
    run_ids = _run_ids(given.workflow_run_id)
    progress = Progress(streamed=given.format in _output.STREAMED)
    try:
        client = given.client()
        with client:
            runs = [Run(given, client, each, query, progress, marked=given.is_of_several) for each in run_ids]
            return _show(ctx, given, runs, progress)
    except NovaActError as error:
        return _errors.report(error, debug=given.debug)


def _query(text: str | None) -> _output.Query | None:
    if text is None:
        return None
    import jmespath  # 20 ms to import

    try:
        expression = jmespath.compile(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--query") from error

    def search(document: object) -> object:
        try:
            return expression.search(document)
        except ValueError as error:  # a function of the query's was given what it does not take
            raise _output.QueryError(f"--query cannot be applied: {error}") from error

    return search


def _run_ids(given: Sequence[str]) -> list[str]:
    """The ids that were given, those of standard input in the place of `-`."""
    ids: list[str] = []
    for each in given:
        if each != "-":
            ids.append(each)
        elif sys.stdin is None:
            raise click.UsageError("standard input, which --workflow-run-id - reads, is closed")
        else:
            # Windows begins texts with a mark. What is not UTF-8 is no id either: the library says so.
            lines = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape").splitlines()
            ids += filter(None, map(str.strip, lines))
    return ids


def _show(ctx: click.Context, given: Given, runs: Sequence[Run], progress: Progress) -> int:
    """List the runs, and say on standard error what is to be said of each when it is done. Returns the exit code."""
    code, number = 0, -1
    try:
        for number in _runs.in_order(runs, given.concurrency):
            with progress.erased():
                its_own = _tell(ctx, given, runs[number])
            code = code or its_own
    except KeyboardInterrupt:
        _errors.give_up_standard_output()
        rest = runs[number + 1 :]
        if rest:
            with progress.erased():
                _tell_of_the_rest(ctx, given, rest)
        return _errors.INTERRUPTED
    return code


def _tell(ctx: click.Context, given: Given, run: Run) -> int:
    """Say what there is to say of a run that is done, and return its exit code."""
    error = run.error
    if isinstance(error, OSError):
        raise error  # the output is the same for all runs
    about, code = given.about(run), 0
    if error is not None:
        code = _errors.report(error, debug=given.debug, target=given.target(), about=about)
    if isinstance(error, _output.QueryError):
        return code  # and would be so again
    if run.outlet.token is not None:
        _tell_how_to_go_on(ctx, given, run)
    elif error is not None and run.listed:
        say(f"{about}what was listed before is not printed, as the document would look complete; jsonl has it")
    return code


def _tell_how_to_go_on(ctx: click.Context, given: Given, run: Run) -> None:
    token = run.outlet.token or ""
    add = {"--workflow-run-id": (run.run_id,), "--next-token" if given.is_single else "--starting-token": (token,)}
    say_exactly(f"{given.about(run)}there are more sessions; go on with: {_command(ctx, add)}")


def _tell_of_the_rest(ctx: click.Context, given: Given, rest: Sequence[Run]) -> None:
    """Say how to go on with the run that was interrupted, and with those after it."""
    run = rest[0]
    if run.outlet.token is not None:
        _tell_how_to_go_on(ctx, given, run)
        rest = rest[1:]
    if rest and given.is_of_several:
        left = f"runs that were not listed: {len(rest)}"
        if len(rest) > _MOST_RUNS_SHOWN:
            say(f"{left}, from {rest[0].run_id} on")
        else:
            add = {"--workflow-run-id": tuple([each.run_id for each in rest])}
            say_exactly(f"{left}; go on with: {_command(ctx, add)}")


def _command(ctx: click.Context, add: Mapping[str, tuple[str, ...]]) -> str:
    return command_line(ctx, leave_out=("workflow_run_id", "starting_token", "next_token"), add=add)
