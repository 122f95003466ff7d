"""`novaact-http list-sessions`. Where the AWS CLI has an option, the option here has its name and meaning."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _concurrent_listings, _errors, _output
from novaact_http.cli._options import Command, Number, command_line, connection_options, option
from novaact_http.cli._terminal import Progress, is_terminal, notices, say, say_exactly

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence

    from novaact_http import Client, ListSessionsResponse

_SELECTION, _PAGING, _OUTPUT, _CONNECTION = "What to list", "Paging", "Output", "Timeouts, attempts and TLS"
SORT_ORDERS = ("Ascending", "Descending")
_NO_LIMIT = 365 * 24 * 60 * 60.0  # seconds, the longest that the library allows
_MOST_RUNS_SHOWN = 20
# The token from which the AWS CLI continues after no items: base64 of {"nextToken": null, "boto_truncate_amount": 0}.
_THE_BEGINNING = "eyJuZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAwfQ=="


@click.command("list-sessions", cls=Command)
@option(_SELECTION, "--workflow-definition-name", metavar="NAME", required=True, help="The workflow definition.")
@option(
    _SELECTION,
    "--workflow-run-id",
    metavar="UUID",
    required=True,
    multiple=True,
    help="The workflow run. May be repeated; - reads ids from standard input, one per line.",
)
@option(_SELECTION, "--sort-order", type=click.Choice(SORT_ORDERS), help="The order, by time of creation.")
@option(
    _SELECTION,
    "--concurrency",
    type=Number(1, 100, whole=True),
    default=10,
    show_default=True,
    metavar="N",
    help="How many runs are listed at once, from 1 to 100.",
)
@option(_OUTPUT, "--output", type=click.Choice(_output.NAMES), help="The format. Default: table, or json with --query.")
@option(_OUTPUT, "--query", metavar="JMESPATH", help="Select what to print, as json or text.")
@option(_PAGING, "--page-size", type=Number(whole=True), metavar="N", help="How many sessions each call asks for.")
@option(_PAGING, "--max-items", type=Number(whole=True), metavar="N", help="Stop after N sessions of each run.")
@option(_PAGING, "--starting-token", metavar="TOKEN", help="Continue from the NextToken that was printed before.")
@option(_PAGING, "--no-paginate", is_flag=True, help="Make one call only, not one for each page.")
@option(
    _PAGING, "--max-results", type=Number(whole=True), metavar="N", help="Make one call only, for at most N sessions."
)
@option(_PAGING, "--next-token", metavar="TOKEN", help="Make one call only, with the nextToken of the previous call.")
@connection_options
@option(_CONNECTION, "--no-verify-ssl", is_flag=True, help="Do not check certificates, even with --ca-bundle. Unsafe.")
@option(
    _CONNECTION,
    "--cli-connect-timeout",
    type=Number(0),
    metavar="SECONDS",
    help="How long to wait for a connection. Default: 5; 0 for no limit.",
)
@option(
    _CONNECTION,
    "--cli-read-timeout",
    type=Number(0),
    metavar="SECONDS",
    help="How long to wait for more of a response. Default: 60; 0 for no limit.",
)
@option(
    _CONNECTION,
    "--max-attempts",
    type=Number(1, whole=True),
    metavar="N",
    help="How many times each call is tried at most. Default: AWS_MAX_ATTEMPTS, the profile, 3.",
)
@option("Other", "--debug", is_flag=True, help="Show each attempt, and the traceback of errors. Never shows secrets.")
@click.pass_context
def list_sessions(ctx: click.Context, /, **options: Any) -> None:
    """List the sessions of workflow runs.

    If one run fails, the others are still listed. Exit codes: 0 success, 252 bad arguments, 253 bad settings or
    credentials, 254 an error of the service, 255 any other error, 130 Ctrl-C. With several runs, the code is that of
    the first run, in the order given, that failed.

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
    """The options as given."""

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
        """The output format."""
        return self.output or ("table" if self.query is None else "json")

    @property
    def is_single(self) -> bool:
        """Whether to make one call only. As in the AWS CLI, the call's own paging arguments ask for that too."""
        return self.no_paginate or self.max_results is not None or self.next_token is not None

    @property
    def has_several_runs(self) -> bool:
        """Whether there are or could be several runs, so that the output must tell them apart."""
        return len(self.workflow_run_id) > 1 or self.workflow_run_id[0] == "-"

    def about(self, run: Run) -> str:
        """Return how a message about a run begins."""
        return f"run {run.run_id}: " if self.has_several_runs else ""

    def check(self) -> None:
        """Refuse options that cannot be combined.

        Raises:
            click.UsageError: options cannot be combined, or a timeout is too long.
        """
        if self.query is not None and self.format not in _output.WITH_QUERY:
            raise click.UsageError(f"--query needs --output {' or '.join(_output.WITH_QUERY)}")
        for name, token in (("--starting-token", self.starting_token), ("--next-token", self.next_token)):
            if token is not None and self.has_several_runs:
                raise click.UsageError(f"{name} belongs to one run, and cannot be used for several")
        paging = {
            "--starting-token": self.starting_token,
            "--page-size": self.page_size,
            "--max-items": self.max_items,
        }
        used = ", ".join(name for name, value in paging.items() if value is not None)
        if self.is_single and used:
            raise click.UsageError(
                f"{used} cannot be used with --no-paginate, --max-results or --next-token, which make one call only"
            )
        for name, seconds in (
            ("--cli-connect-timeout", self.cli_connect_timeout),
            ("--cli-read-timeout", self.cli_read_timeout),
        ):
            if seconds is not None and not seconds <= _NO_LIMIT:  # true for nan too
                raise click.UsageError(f"{name} must be a number of seconds, a year at most; 0 for no limit")

    def client(self) -> Client:
        """Make the client that the options ask for."""
        from novaact_http import Client, RetryPolicy, Timeout

        limits = {"connect": self.cli_connect_timeout, "read": self.cli_read_timeout}
        return Client(
            region=self.region,
            profile=self.profile,
            endpoint_url=self.endpoint_url,
            verify=self._unverified_tls() if self.no_verify_ssl else self.ca_bundle,
            timeout=Timeout(**{name: value or _NO_LIMIT for name, value in limits.items() if value is not None}),
            retries=None if self.max_attempts is None else RetryPolicy(max_attempts=self.max_attempts),
        )

    def _unverified_tls(self) -> ssl.SSLContext:
        import ssl

        unused = "; --ca-bundle is not used" if self.ca_bundle is not None else ""  # as in the AWS CLI
        say(
            "warning: with --no-verify-ssl no certificate is checked: any server that answers can read and replay "
            f"requests{unused}"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        return context

    def target(self) -> _errors.Target:
        """Return where requests go."""
        import os

        from novaact_http._aws.profiles import Profile
        from novaact_http._aws.settings import resolve

        settings = resolve(
            region=self.region,
            endpoint_url=self.endpoint_url,
            environ=os.environ,
            profile=Profile(self.profile, os.environ),
        )
        endpoint = settings.sources["endpoint_url"]
        return _errors.Target(
            settings.region, settings.endpoint.url, _errors.shown_source(endpoint.source, endpoint.file)
        )


class Run:
    """The listing of one run, and its result.

    Args:
        given: the options.
        client: the client that lists the run.
        run_id: the run's id.
        query: applied to the documents, or None.
        progress: told of each page.
        marked: whether the output names the run.

    Raises:
        ParameterError: an option has a value that the library refuses.

    Attributes:
        error: the error that ended the listing, or None.
        listed: how many sessions were listed.
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
        # Output for programs is always UTF-8.
        encoding = sys.stdout.encoding if to_terminal or given.format == "table" else "utf-8"
        self.outlet = _concurrent_listings.Outlet(encoding, progress)
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
        # As in the AWS CLI, a listing of no items makes a call too, to learn whether there are any.
        self._start_token = (given.starting_token or _THE_BEGINNING) if given.max_items == 0 else None
        self._single: dict[str, Any] | None = (
            {"max_results": given.max_results, "next_token": given.next_token} if given.is_single else None
        )
        self._client = client
        self._token: str | None = None
        self._is_complete = False
        self.listed = 0

    def list(self) -> None:
        """List the run and write its output. An error is kept, except a Ctrl-C, which is raised."""
        try:
            if self._single is None:
                self._list_pages()
            else:
                page = self._client.list_sessions(**self._call, **self._single)
                self._finish(self._format.single(page), page.next_token or None)
        except Exception as error:  # noqa: BLE001 - reported when it is this run's turn
            self.error = error
            self._write_partial()
        except BaseException:
            self._write_partial()
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
        """Yield the pages, each with the token that continues the listing after it."""
        import attrs

        for page in self._pager.pages():
            if self._start_token is not None and page.session_summaries:
                yield attrs.evolve(page, session_summaries=()), self._start_token
            else:
                yield page, self._pager.resume_token

    def _finish(self, text: str, token: str | None) -> None:
        self._is_complete = True  # so that an interrupted write is not repeated
        self.outlet.write(text, token)

    def _write_partial(self) -> None:
        """Write what the format allows of the pages so far."""
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
            runs = [Run(given, client, each, query, progress, marked=given.has_several_runs) for each in run_ids]
            return _list_runs(ctx, given, runs, progress)
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
        except ValueError as error:  # a function in the query got a value that it does not take
            raise _output.QueryError(f"--query cannot be applied: {error}") from error

    return search


def _run_ids(given: Sequence[str]) -> list[str]:
    """Return the ids that were given, with those from standard input in place of `-`."""
    ids: list[str] = []
    for each in given:
        if each != "-":
            ids.append(each)
        elif sys.stdin is None:
            raise click.UsageError("--workflow-run-id - reads standard input, which is closed")
        else:
            # Windows may begin text with a byte order mark. The library refuses an id that is not UTF-8.
            lines = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape").splitlines()
            ids += filter(None, map(str.strip, lines))
    return ids


def _list_runs(ctx: click.Context, given: Given, runs: Sequence[Run], progress: Progress) -> int:
    """List the runs, report on standard error about each when it is done, and return the exit code."""
    code, number = 0, -1
    try:
        for number in _concurrent_listings.in_order(runs, given.concurrency):
            with progress.erased():
                run_code = _report(ctx, given, runs[number])
            code = code or run_code
    except KeyboardInterrupt:
        _errors.give_up_standard_output()
        rest = runs[number + 1 :]
        if rest:
            with progress.erased():
                _report_unlisted(ctx, given, rest)
        return _errors.INTERRUPTED
    return code


def _report(ctx: click.Context, given: Given, run: Run) -> int:
    """Report how a run that is done has ended, and return its exit code."""
    error = run.error
    if isinstance(error, OSError):
        raise error  # all runs have the same output
    about, code = given.about(run), 0
    if error is not None:
        code = _errors.report(error, debug=given.debug, target=given.target(), about=about)
    if isinstance(error, _output.QueryError):
        return code  # continuing would fail again
    if run.outlet.token is not None:
        _report_how_to_continue(ctx, given, run)
    elif error is not None and run.listed:
        say(
            f"{about}the sessions listed so far are not printed, as an incomplete document would look complete; "
            "--output jsonl prints them"
        )
    return code


def _report_how_to_continue(ctx: click.Context, given: Given, run: Run) -> None:
    token = run.outlet.token or ""
    add = {"--workflow-run-id": (run.run_id,), "--next-token" if given.is_single else "--starting-token": (token,)}
    say_exactly(f"{given.about(run)}there are more sessions; continue with: {_command(ctx, add)}")


def _report_unlisted(ctx: click.Context, given: Given, rest: Sequence[Run]) -> None:
    """Report how to continue the run that was interrupted, and the runs after it."""
    run = rest[0]
    if run.outlet.token is not None:
        _report_how_to_continue(ctx, given, run)
        rest = rest[1:]
    if rest and given.has_several_runs:
        left = f"runs that were not listed: {len(rest)}"
        if len(rest) > _MOST_RUNS_SHOWN:
            say(f"{left}, from {rest[0].run_id} on")
        else:
            add = {"--workflow-run-id": tuple([each.run_id for each in rest])}
            say_exactly(f"{left}; continue with: {_command(ctx, add)}")


def _command(ctx: click.Context, add: Mapping[str, tuple[str, ...]]) -> str:
    return command_line(ctx, leave_out=("workflow_run_id", "starting_token", "next_token"), add=add)
