"""The commands. Options are named as the AWS CLI names them, wherever it has one of the kind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from novaact_http import Client, SortOrder, __version__
from novaact_http.errors import ConfigurationError, CredentialsError, NovaActError, ParameterError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novaact_http.models import SessionSummary

# The AWS CLI's: 252 for what was asked, 253 for what it was asked with, 254 for what the service said, else 255.
_EXIT_CODES: tuple[tuple[type[NovaActError], int], ...] = (
    (ParameterError, 252),
    (ConfigurationError, 253),
    (CredentialsError, 253),
    (ServiceError, 254),
    (NovaActError, 255),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="novaact-http")
def commands() -> None:
    """List the sessions of Amazon Nova Act workflow runs, without the AWS SDK."""


@commands.command()
@click.option("--workflow-definition-name", metavar="NAME", required=True, help="The workflow definition.")
@click.option("--workflow-run-id", metavar="UUID", required=True, help="The workflow run.")
@click.option("--sort-order", type=click.Choice([order.value for order in SortOrder]), help="By time of creation.")
@click.option("--page-size", type=int, metavar="N", help="How many sessions each call asks for.")
@click.option("--max-items", type=int, metavar="N", help="Stop after so many sessions, and print a token to go on.")
@click.option("--starting-token", metavar="TOKEN", help="Go on from here: the NextToken printed before.")
@click.option("--region", metavar="REGION", help="Else AWS_REGION, then AWS_DEFAULT_REGION.")
@click.option("--endpoint-url", metavar="URL", help="Else AWS_ENDPOINT_URL_NOVA_ACT, then AWS_ENDPOINT_URL.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_sessions(
    *,
    workflow_definition_name: str,
    workflow_run_id: str,
    sort_order: str | None,
    page_size: int | None,
    max_items: int | None,
    starting_token: str | None,
    region: str | None,
    endpoint_url: str | None,
    output: str,
) -> None:
    """List the sessions of a workflow run, all pages of them.

    \b
    Example:
      novaact-http list-sessions --region us-east-1 --workflow-definition-name checkout-flow \\
        --workflow-run-id 01234567-89ab-4cde-8f01-23456789abcd --output json
    """  # noqa: D301 - click marks verbatim text with a \b
    try:
        with Client(region=region, endpoint_url=endpoint_url) as client:
            pager = client.iter_sessions(
                workflow_definition_name=workflow_definition_name,
                workflow_run_id=workflow_run_id,
                sort_order=sort_order,
                page_size=page_size,
                max_items=max_items,
                starting_token=starting_token,
            )
            sessions = list(pager)
    except NovaActError as error:
        _fail(error)
    if output == "json":
        _print_json(sessions, pager.resume_token)
    else:
        _print_table(sessions, pager.resume_token)


def _print_json(sessions: Sequence[SessionSummary], resume_token: str | None) -> None:
    document: dict[str, object] = {"sessionSummaries": [{"sessionId": each.session_id} for each in sessions]}
    if resume_token is not None:
        document["NextToken"] = resume_token
    click.echo(json.dumps(document, indent=4))


def _print_table(sessions: Sequence[SessionSummary], resume_token: str | None) -> None:
    table = Table("#", Column("Session ID", overflow="fold"))
    for number, session in enumerate(sessions, start=1):
        table.add_row(str(number), Text(_printable(session.session_id)))
    Console().print(table)
    if resume_token is not None:
        click.echo(f"There are more: go on with --starting-token {resume_token}", err=True)


def _fail(error: NovaActError) -> NoReturn:
    click.echo(f"novaact-http: {_printable(' '.join(str(error).split()))}", err=True)
    sys.exit(next(code for kind, code in _EXIT_CODES if isinstance(error, kind)))


def _printable(text: str) -> str:
    """The text with what could steer a terminal escaped: it came from outside."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


@commands.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Port to listen on; any free one by default.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed makes up the same data.")
def local(*, port: int, seed: int) -> None:
    """Run Nova Act's ListSessions on this machine, with made-up data, until interrupted.

    \b
    The first two lines on standard output are
      ready URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY
      example WORKFLOW_DEFINITION_NAME WORKFLOW_RUN_ID
    """  # noqa: D301
    # Here, as it needs botocore, which takes a while to import.
    from novaact_http.testing import LocalService

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    service = LocalService(port=port, seed=seed)
    try:
        service.start()
    except OSError as error:
        click.echo(f"novaact-http: cannot listen on port {port}: {os.strerror(error.errno or 0)}", err=True)
        sys.exit(255)
    with service, contextlib.suppress(KeyboardInterrupt):
        keys = service.credentials
        click.echo(f"ready {service.url} {service.region} {keys.access_key_id} {keys.secret_access_key}")
        run = service.runs[0]
        click.echo(f"example {run.workflow_definition_name} {run.workflow_run_id}")
        threading.Event().wait()
