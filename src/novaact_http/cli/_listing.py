"""The commands that list. Where the AWS CLI has an option, the option here has its name and meaning."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http._operations.shapes import wire_name
from novaact_http.cli import _concurrent_listings, _errors, _inputs, _output
from novaact_http.cli._connection import Connection
from novaact_http.cli._lines import look_of
from novaact_http.cli._options import Number, command_line, make_command, option, output_options
from novaact_http.cli._output_settings import check_query, compiled, output_format
from novaact_http.cli._terminal import Progress, is_terminal, notices, say, say_exactly

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from novaact_http import Client
    from novaact_http._operations.shapes import Operation
    from novaact_http.cli._lines import Look
    from novaact_http.cli._options import Decorator
    from novaact_http.cli._presentation import Row

_PAGING = "Paging"
_PAGE = ("max_results", "next_token")  # the arguments of one call
_MOST_SHOWN = 20  # listings that were not made
# The token from which the AWS CLI continues after no items: base64 of {"nextToken": null, "boto_truncate_amount": 0}.
_THE_BEGINNING = "eyJuZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiAwfQ=="
_OF_SEVERAL = (
    "If one {one} fails, the others are still listed, and the exit code is that of the first {one}, in the order "
    "given, that failed."
)


def make(name: str, row: Row, operation: Operation[Any]) -> click.Command:
    """Make the command that lists what an operation lists."""
    inputs = _inputs.sent(operation)

    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> None:
        if options.pop("generate_cli_skeleton") is not None:
            click.echo(_inputs.skeleton(inputs))
            return
        connection = Connection.take_from(options)
        call = _inputs.arguments_of(inputs, options, ctx)
        several = call.pop(row.repeated, ()) if row.repeated is not None else ()
        given = Given(
            name=name,
            row=row,
            operation=operation,
            connection=connection,
            several=(several,) if isinstance(several, str) else several,
            max_results=call.pop("max_results", None),
            next_token=call.pop("next_token", None),
            call=call,
            concurrency=options.pop("concurrency", 1),
            **options,
        )
        given.check()
        with notices(debug=given.debug):
            ctx.exit(_list(ctx, given))

    listed = [each for each in inputs if each.name not in _PAGE]
    options = [
        *_inputs.options_of(listed, row.helps, row.repeated),
        *_concurrency(row),
        *_inputs.WHOLE_INPUT,
        *output_options(_output.OF_LISTINGS),
        *_paging(row.noun),
    ]
    notes = _OF_SEVERAL.format(one=row.one) if row.one else ""
    return make_command(name, run, options, help=row.help(name, notes), short_help=row.summary)


def _concurrency(row: Row) -> list[Decorator]:
    if row.repeated is None:
        return []
    text = f"How many {row.one}s are listed at once, from 1 to 100."
    kind = Number(1, 100, whole=True)
    return [
        option(_inputs.INPUTS, "--concurrency", type=kind, default=10, show_default=True, metavar="N", help=text),
    ]


def _paging(noun: str) -> list[Decorator]:
    number: dict[str, Any] = {"type": Number(whole=True), "metavar": "N"}
    token: dict[str, Any] = {"metavar": "TOKEN"}
    return [
        option(_PAGING, "--page-size", **number, help=f"How many {noun}s each call asks for."),
        option(_PAGING, "--max-items", **number, help=f"Stop after N {noun}s of each listing."),
        option(_PAGING, "--starting-token", **token, help="Continue from the NextToken that was printed before."),
        option(_PAGING, "--no-paginate", is_flag=True, help="Make one call only, not one for each page."),
        _inputs.input_option(_PAGING, "--max-results", **number, help=f"Make one call only, for at most N {noun}s."),
        _inputs.input_option(
            _PAGING, "--next-token", **token, help="Make one call only, with the nextToken of the previous call."
        ),
    ]


class Given(NamedTuple):
    """The options as given, and what they are of.

    Attributes:
        name: the command's name.
        row: the command's presentation.
        operation: the operation.
        several: the values of the argument that may be repeated.
        call: the other arguments.
    """

    name: str
    row: Row
    operation: Operation[Any]
    connection: Connection
    several: tuple[str, ...]
    call: dict[str, Any]
    max_results: int | None
    next_token: str | None
    concurrency: int
    output: str | None
    query: str | None
    page_size: int | None
    max_items: int | None
    starting_token: str | None
    no_paginate: bool
    debug: bool

    @property
    def is_single(self) -> bool:
        """Whether to make one call only. As in the AWS CLI, the call's own paging arguments ask for that too."""
        return self.no_paginate or self.max_results is not None or self.next_token is not None

    @property
    def is_of_several(self) -> bool:
        """Whether there are or could be several listings, so that the output must tell them apart."""
        return len(self.several) > 1 or "-" in self.several

    def about(self, listing: Listing) -> str:
        """Return how a message about a listing begins."""
        return f"{self.row.one} {listing.of}: " if self.is_of_several else ""

    def check(self) -> None:
        """Refuse options that cannot be combined.

        Raises:
            click.UsageError: options cannot be combined.
        """
        check_query(self.query, self.output)
        for name, token in (("--starting-token", self.starting_token), ("--next-token", self.next_token)):
            if token is not None and self.is_of_several:
                raise click.UsageError(f"{name} belongs to one {self.row.one}, and cannot be used for several")
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


class Printing(NamedTuple):
    """How listings are printed.

    Attributes:
        form: the output format.
        query: applied to the documents, or None.
        look: how lines look.
        progress: told of each page.
    """

    form: str
    query: _output.Query | None
    look: Look
    progress: Progress


class Listing:
    """One listing, and its result.

    Args:
        given: the options.
        client: the client that lists.
        of: the value of the argument that may be repeated; None if it is not given.
        printing: how it is printed.

    Raises:
        ParameterError: an option has a value that the library refuses.

    Attributes:
        error: the error that ended the listing, or None.
        listed: how many items were listed.
    """

    def __init__(
        self,
        given: Given,
        client: Client,
        of: str | None,
        printing: Printing,
    ) -> None:
        self.of = of
        self.error: Exception | None = None
        self._progress = printing.progress
        self._name = given.name.replace("-", "_")
        paging = given.operation.paging
        assert paging is not None  # noqa: S101 - of an operation that lists
        self._items = paging.items
        to_terminal = is_terminal(sys.stdout)
        named = {} if of is None else {given.row.repeated or "": of}
        mark = next(((wire_name(name), value) for name, value in named.items() if given.is_of_several), None)
        items = _output.Items(paging.items, wire_name(paging.items), given.row.columns)
        self._format = _output.make(
            printing.form, items, look=printing.look, query=printing.query, mark=mark, safe=to_terminal
        )
        # Output for programs is always UTF-8.
        encoding = sys.stdout.encoding if to_terminal or printing.form == "table" else "utf-8"
        self.outlet = _concurrent_listings.Outlet(encoding, printing.progress)
        self._call: dict[str, Any] = {**given.call, **named}
        self._pager = getattr(client, self._name.replace("list_", "iter_"))(
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
        self.listed = 0

    def list(self) -> None:
        """Make the listing and write its output. An error is kept, except a Ctrl-C, which is raised."""
        try:
            if self._single is None:
                self._list_pages()
            else:
                page = getattr(self._client, self._name)(**self._call, **self._single)
                self.outlet.write(self._format.single(page), page.next_token or None)
        except Exception as error:  # noqa: BLE001 - reported when it is this listing's turn
            self.error = error

    def _list_pages(self) -> None:
        token = None
        for page, token in self._pages():
            text = self._format.page(page, has_more=token is not None)
            if text:
                self.outlet.write(text, token)
            listed = len(getattr(page, self._items))
            self.listed += listed
            self._progress.add(listed)
        self.outlet.write(self._format.end(token), token)

    def _pages(self) -> Iterator[tuple[Any, str | None]]:
        """Yield the pages, each with the token that continues the listing after it."""
        from novaact_http._support.late_attrs import evolve

        for page in self._pager.pages():
            if self._start_token is not None and getattr(page, self._items):
                yield evolve(page, **{self._items: ()}), self._start_token
            else:
                yield page, self._pager.resume_token


def _list(ctx: click.Context, given: Given) -> int:
    from novaact_http.errors import NovaActError

    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    query = compiled(given.query)
    several = _several(given)
    look = look_of(sys.stdout)
    try:
        form = output_format(given.output, given.query, given.connection, _output.OF_LISTINGS)
        progress = Progress(given.row.noun, streamed=form != "json")
        with given.connection.client() as client:
            listings = [Listing(given, client, each, Printing(form, query, look, progress)) for each in several]
            return _list_all(ctx, given, listings, progress)
    except NovaActError as error:
        return _errors.report(error, debug=given.debug)


def _several(given: Given) -> Sequence[str | None]:
    """Return what to list, with what standard input has in place of `-`; None for all that there is."""
    values: list[str] = []
    for each in given.several:
        if each != "-":
            values.append(each)
        elif sys.stdin is None:
            raise click.UsageError(f"{_repeated_option(given)} - reads standard input, which is closed")
        else:
            # Windows may begin text with a byte order mark. The library refuses an id that is not UTF-8.
            lines = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape").splitlines()
            values += filter(None, map(str.strip, lines))
    return values if given.several else [None]


def _repeated_option(given: Given) -> str:
    return f"--{(given.row.repeated or '').replace('_', '-')}"


def _list_all(ctx: click.Context, given: Given, listings: Sequence[Listing], progress: Progress) -> int:
    """Make the listings, report on standard error about each when it is done, and return the exit code."""
    code, number = 0, -1
    try:
        for number in _concurrent_listings.in_order(listings, given.concurrency):
            with progress.erased():
                its_code = _report(ctx, given, listings[number])
            code = code or its_code
    except KeyboardInterrupt:
        _errors.give_up_standard_output()
        rest = listings[number + 1 :]
        if rest:
            with progress.erased():
                _report_unlisted(ctx, given, rest)
        return _errors.INTERRUPTED
    return code


def _report(ctx: click.Context, given: Given, listing: Listing) -> int:
    """Report how a listing that is done has ended, and return its exit code."""
    error = listing.error
    if isinstance(error, OSError):
        raise error  # all listings have the same output
    about, code = given.about(listing), 0
    if error is not None:
        code = _errors.report(error, debug=given.debug, target=given.connection.target(), about=about)
    if isinstance(error, _output.QueryError):
        return code  # continuing would fail again
    if listing.outlet.token is not None:
        _report_how_to_continue(ctx, given, listing)
    elif error is not None and listing.listed:
        say(
            f"{about}the {given.row.noun}s listed so far are not printed, as an incomplete document would look "
            "complete; --output jsonl prints them"
        )
    return code


def _report_how_to_continue(ctx: click.Context, given: Given, listing: Listing) -> None:
    token = listing.outlet.token or ""
    add = {"--next-token" if given.is_single else "--starting-token": (token,)}
    if listing.of is not None:
        add = {_repeated_option(given): (listing.of,), **add}
    say_exactly(f"{given.about(listing)}there are more {given.row.noun}s; continue with: {_command(ctx, given, add)}")


def _report_unlisted(ctx: click.Context, given: Given, rest: Sequence[Listing]) -> None:
    """Report how to continue the listing that was interrupted, and those after it."""
    if rest[0].outlet.token is not None:
        _report_how_to_continue(ctx, given, rest[0])
        rest = rest[1:]
    if rest and given.is_of_several:
        left = f"{given.row.one}s that were not listed: {len(rest)}"
        if len(rest) > _MOST_SHOWN:
            say(f"{left}, from {rest[0].of} on")
        else:
            add = {_repeated_option(given): tuple([each.of or "" for each in rest])}
            say_exactly(f"{left}; continue with: {_command(ctx, given, add)}")


def _command(ctx: click.Context, given: Given, add: Mapping[str, tuple[str, ...]]) -> str:
    replaced = [given.row.repeated or "", "starting_token", "next_token"]
    if given.max_items == 0:
        replaced.append("max_items")  # it would end where it begins, again and again
    return command_line(ctx, leave_out=replaced, add=add)
