"""`novaact-http wait-for-workflow-run`: waits until a run has ended, for scripts that go on after it."""

from __future__ import annotations

import contextlib
import errno
import itertools
import sys
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors
from novaact_http.cli._connection import Connection
from novaact_http.cli._durations import Seconds, in_words
from novaact_http.cli._lines import look_of
from novaact_http.cli._options import Command, connection_options, option, output_options
from novaact_http.cli._output import OF_CALLS, QueryError
from novaact_http.cli._output_settings import check_query, compiled, output_format
from novaact_http.cli._status_line import StatusLine
from novaact_http.cli._statuses import status_of
from novaact_http.cli._terminal import notices, say, write_output

if TYPE_CHECKING:
    from concurrent.futures import Future

    from novaact_http.models import GetWorkflowRunResponse

_NOT_ENDED = 124  # as of the command `timeout`
_TURN = 0.1  # seconds for each turn of the spinner
_OUTPUT, _QUERY = output_options(OF_CALLS)


@click.command("wait-for-workflow-run", cls=Command, short_help="Wait until a workflow run has ended.")
@option(
    "What to wait for", "--workflow-definition-name", metavar="NAME", required=True, help="The workflow definition."
)
@option("What to wait for", "--workflow-run-id", metavar="UUID", required=True, help="The workflow run.")
@option(
    "What to wait for",
    "--timeout",
    type=Seconds(),
    metavar="SECONDS",
    help="How long to wait. Default: as long as the run runs.",
)
@_OUTPUT
@_QUERY
@connection_options
@click.pass_context
def wait_for_workflow_run(ctx: click.Context, /, **options: Any) -> None:
    """Wait until a workflow run has ended, and print it: a line on a terminal, else what get-workflow-run prints.

    Throttling and outages are survived. Exit codes: 0 the run has SUCCEEDED, 1 FAILED, 2 TIMED_OUT, 124 it has not
    ended in time; 252 bad arguments, 253 bad settings or credentials, 254 an error of the service, 255 any other error
    or status, 130 Ctrl-C.

    \b
    Examples:
      novaact-http wait-for-workflow-run --workflow-definition-name checkout-flow \\
        --workflow-run-id 01234567-89ab-4cde-8f01-23456789abcd --timeout 3600 && echo succeeded
    """  # noqa: D301 - click marks verbatim text with a \b
    connection = Connection.take_from(options)
    given = Given(**options)
    check_query(given.query, given.output)
    with notices(debug=given.debug):
        ctx.exit(_wait(given, connection))


class Given(NamedTuple):
    """The options as given."""

    workflow_definition_name: str
    workflow_run_id: str
    timeout: float | None
    output: str | None
    query: str | None
    debug: bool


def _wait(given: Given, connection: Connection) -> int:
    from novaact_http.cli._background import Background
    from novaact_http.cli._single_call import write_call
    from novaact_http.errors import DeadlineExceeded, NovaActError

    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    query = compiled(given.query)
    try:
        form = output_format(given.output, given.query, connection, OF_CALLS)
        client = connection.patient_client()
    except NovaActError as error:
        return _errors.report(error, debug=given.debug)
    try:
        with Background(client) as background:
            waiting = background.start(
                client.wait_for_workflow_run(
                    workflow_definition_name=given.workflow_definition_name,
                    workflow_run_id=given.workflow_run_id,
                    total=given.timeout,
                )
            )
            run = _result(waiting)
    except DeadlineExceeded as error:
        say(error.args[0])
        return _NOT_ENDED
    except NovaActError as error:
        return _errors.report(error, debug=given.debug, target=connection.target())
    if form == "table":
        _write_line(run)
    else:
        try:
            write_call(run, form, query)
        except QueryError as error:
            return _errors.report(error, debug=given.debug)
    code_of_status = status_of(str(run.status)).exit_code
    if code_of_status is None:
        say(f"the run has not ended as runs do: it is {run.status!s}")
        return _errors.GENERAL
    return code_of_status


def _result(waiting: Future[GetWorkflowRunResponse]) -> GetWorkflowRunResponse:
    """Return the run when it has ended, and show meanwhile for how long that has been waited for."""
    import datetime as dt

    with StatusLine() as line:
        if not line.is_shown:
            return waiting.result()
        ended: SimpleQueue[object] = SimpleQueue()
        waiting.add_done_callback(ended.put)
        began = time.monotonic()
        turns = itertools.cycle(look_of(sys.stderr).marks.spinner)
        while True:
            waited = dt.timedelta(seconds=time.monotonic() - began)
            line.show(f"{next(turns)} the run has not ended yet; waiting for {in_words(waited)}")
            with contextlib.suppress(Empty):
                ended.get(timeout=_TURN)
                return waiting.result()


def _write_line(run: GetWorkflowRunResponse) -> None:
    look = look_of(sys.stdout)
    took = "" if run.ended_at is None else in_words(run.ended_at - run.started_at)
    status = look.plain(str(run.status)), status_of(str(run.status)).style
    write_output(look.line((look.plain(run.workflow_run_id), ""), [status, (took, "")]) + "\n")
