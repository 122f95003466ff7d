"""The commands that make one call."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors, _inputs, _output
from novaact_http.cli._connection import Connection
from novaact_http.cli._lines import look_of
from novaact_http.cli._options import make_command, option, output_options
from novaact_http.cli._output_settings import check_query, compiled, output_format
from novaact_http.cli._terminal import is_terminal, notices, printable, say, say_exactly, write_output

if TYPE_CHECKING:
    from novaact_http._operations.shapes import Operation
    from novaact_http.cli._presentation import Row


def make(name: str, row: Row, operation: Operation[Any]) -> click.Command:
    """Make the command that calls an operation."""
    inputs = _inputs.sent(operation)

    @click.pass_context
    def run(ctx: click.Context, /, **options: Any) -> None:
        if options.pop("generate_cli_skeleton") is not None:
            click.echo(_inputs.skeleton(inputs))
            return
        connection = Connection.take_from(options)
        call = _inputs.arguments_of(inputs, options, ctx)
        method = name.replace("-", "_")
        given = Given(row, operation, method, connection, call, yes=options.pop("yes", False), **options)
        check_query(given.query, given.output)
        with notices(debug=given.debug):
            ctx.exit(_call(given))

    asking = option("Confirmation", "--yes", is_flag=True, help="Do not ask on a terminal.")
    options = [
        *_inputs.options_of(inputs, row.helps),
        *_inputs.WHOLE_INPUT,
        *output_options(_output.OF_CALLS),
        *([asking] if row.asks else []),
    ]
    return make_command(name, run, options, help=row.help(name), short_help=row.summary)


class Given(NamedTuple):
    """The options as given, and what they are of.

    Attributes:
        row: the command's presentation.
        operation: the operation.
        method: the client's method for it.
        call: the arguments of the operation.
    """

    row: Row
    operation: Operation[Any]
    method: str
    connection: Connection
    call: dict[str, Any]
    output: str | None
    query: str | None
    yes: bool
    debug: bool


def _call(given: Given) -> int:
    from novaact_http.errors import NovaActError

    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    query = compiled(given.query)
    try:
        form = output_format(given.output, given.query, given.connection, _output.OF_CALLS)
        with given.connection.client() as client:
            if not _is_wanted(given):
                return _errors.GENERAL
            output = getattr(client, given.method)(**given.call)
    except NovaActError as error:
        return _errors.report(error, debug=given.debug, target=_target(given, error))
    done = _done(given, output) if given.row.done else ""
    try:
        if form == "table" and done:
            write_output(f"{done}\n")
        else:
            write_call(output, form, query)
    except (_output.QueryError, OSError) as error:
        if done:
            say_exactly(done)  # the id would be lost
        if isinstance(error, OSError):
            raise
        return _errors.report(error, debug=given.debug)
    return 0


def write_call(output: Any, form: str, query: _output.Query | None) -> None:
    """Write the output of a call.

    Raises:
        QueryError: the query cannot be applied to it.
    """
    look = look_of(sys.stdout)
    write_output(_output.of_call(form, output, look=look, query=query, safe=is_terminal(sys.stdout)))


def _is_wanted(given: Given) -> bool:
    """Ask whether to delete something, if there is somebody to ask."""
    if not given.row.asks or given.yes or not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return True
    from novaact_http._call import parameters

    parameters.check(given.operation.name, given.operation.inputs, given.call)
    try:
        if click.confirm(printable(given.row.asks.format(**given.call)), err=True):
            return True
    except click.Abort as abort:
        click.echo(err=True)  # the end of the question's line
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise
    say("nothing was deleted")
    return False


def _done(given: Given, output: Any) -> str:
    members = {name: getattr(output, name, None) for name in ("act_id", "session_id", "workflow_run_id", "status")}
    told = {**given.call, **{name: value for name, value in members.items() if value is not None}}
    return printable(given.row.done.format(**{name: str(value) for name, value in told.items()}))


def _target(given: Given, error: Exception) -> _errors.Target | None:
    """Return where the request went, if one could be made."""
    from novaact_http.errors import ConfigurationError, CredentialsError, ParameterError

    never_sent = isinstance(error, (ConfigurationError, CredentialsError, ParameterError))
    return None if never_sent else given.connection.target()
