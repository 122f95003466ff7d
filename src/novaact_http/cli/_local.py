"""`novaact-http local`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

import click


@click.command()
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
