"""`novaact-http local`: runs the local service until it is interrupted."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import click

from novaact_http.cli._options import Command, option
from novaact_http.cli._terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from novaact_http.config import Credentials
    from novaact_http.testing import LocalService

_SERVER, _DATA, _FAULTS = "Server", "Data", "Faults"


@click.command(cls=Command)
@option(_SERVER, "--port", type=click.IntRange(0, 65_535), default=0, help="The port. Default: any free one.")
@option(
    _SERVER,
    "--region",
    default="us-east-1",
    show_default=True,
    metavar="REGION",
    help="The region that requests must be signed for.",
)
@option(_SERVER, "--tls", is_flag=True, help="Serve HTTPS, with a certificate made at start.")
@option(_SERVER, "--control", is_flag=True, help="Read commands from standard input, one per line; `help` lists them.")
@option(_DATA, "--seed", type=int, default=0, show_default=True, help="The same seed makes the same data.")
@option(
    _DATA,
    "--run",
    "runs",
    metavar="NAME=SESSIONS",
    multiple=True,
    help="Add a run of this definition with this many sessions, instead of the made-up runs. May be repeated.",
)
@option(
    _DATA, "--credentials-lifetime", type=float, metavar="SECONDS", help="Let the credentials expire after this time."
)
@option(
    _FAULTS,
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="Add a fault, such as 'ThrottlingException every 3rd', 'reset next 2' or 'drip for 0.1s 10 %'. May be "
    "repeated.",
)
@option(_FAULTS, "--latency", type=float, default=0.0, metavar="SECONDS", help="Wait before each response.")
@option(
    _FAULTS, "--jitter", type=float, default=0.0, metavar="SECONDS", help="Wait longer by a random time up to this."
)
@option(_FAULTS, "--rate", type=float, metavar="N", help="Throttle above N requests a second.")
@option(_FAULTS, "--burst", type=float, metavar="N", help="Allow bursts of N requests. Default: those of a second.")
@option(
    _FAULTS, "--clock-offset", type=float, default=0.0, metavar="SECONDS", help="Set the service's clock ahead by this."
)
def local(*, control: bool, runs: tuple[str, ...], faults: tuple[str, ...], **options: Any) -> None:
    """Serve Nova Act's ListSessions on this machine, with made-up data, until interrupted.

    \b
    The first two lines on standard output are
      ready URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY [SESSION_TOKEN]
      example WORKFLOW_DEFINITION_NAME WORKFLOW_RUN_ID
    and with --tls a third
      ca-bundle PATH

    \b
    Examples:
      novaact-http local --port 8080 --fault 'ThrottlingException 10 %' --latency 0.1
      novaact-http local --run checkout-flow=34 --run checkout-flow=1000000
    """  # noqa: D301 - click marks verbatim text with a \b
    # Imported here, as it needs botocore, which is slow to import.
    from novaact_http.testing import LocalService

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        service = LocalService(definitions=_definitions(runs) if runs else None, record_requests=False, **options)
        for fault in faults:
            service.inject(fault)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _start(service, options["port"])
    with service, contextlib.suppress(KeyboardInterrupt):
        click.echo(f"ready {service.url} {service.region} {_key_words(service.credentials)}")
        run = service.runs[0]
        click.echo(f"example {run.workflow_definition_name} {run.workflow_run_id}")
        if service.ca_file is not None:
            click.echo(f"ca-bundle {service.ca_file}")
        if control:
            _run_control_commands(service, sys.stdin)
        threading.Event().wait()


def _definitions(runs: Iterable[str]) -> Mapping[str, list[int]]:
    definitions: dict[str, list[int]] = {}
    for each in runs:
        name, _, sessions = each.partition("=")
        if not sessions.isdecimal():
            raise ValueError(f"--run must be NAME=SESSIONS, not {each!r}")
        definitions.setdefault(name, []).append(int(sessions))
    return definitions


def _start(service: LocalService, port: int) -> None:
    try:
        service.start()
    except OSError as error:
        _exit_with(f"cannot listen on port {port}: {os.strerror(error.errno or 0)}")
    except RuntimeError as error:  # a package that TLS needs is not installed
        _exit_with(str(error))


def _exit_with(message: str) -> NoReturn:
    say(message)
    sys.exit(255)


def _key_words(keys: Credentials) -> str:
    return " ".join(filter(None, (keys.access_key_id, keys.secret_access_key, keys.session_token)))


def _add_run(service: LocalService, name: str, sessions: str) -> str:
    return service.add_run(name, sessions=_count(sessions)).workflow_run_id


def _add_sessions(service: LocalService, name: str, run_id: str, sessions: str) -> None:
    runs = {(each.workflow_definition_name, each.workflow_run_id): each for each in service.runs}
    if (name, run_id) not in runs:
        raise ValueError(f"there is no run {run_id} of {name}")
    service.add_sessions(runs[name, run_id], _count(sessions))


def _expire_credentials(service: LocalService) -> str:
    service.expire_credentials()
    return _key_words(service.credentials)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"SESSIONS must be a whole number from 0, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"SECONDS must be a number, not {text!r}") from None


def _set_clock_offset(service: LocalService, seconds: str) -> None:
    service.clock_offset = _seconds(seconds)


def _set_latency(service: LocalService, seconds: str) -> None:
    service.latency = _seconds(seconds)


_CONTROLS: dict[str, tuple[str, Callable[..., str | None]]] = {
    "fault": ("FAULT", lambda service, *words: service.inject(" ".join(words))),
    "clear-faults": ("", lambda service: service.clear_faults()),
    "latency": ("SECONDS", _set_latency),
    "clock-offset": ("SECONDS", _set_clock_offset),
    "add-run": ("NAME SESSIONS", _add_run),
    "add-sessions": ("NAME RUN_ID SESSIONS", _add_sessions),
    "expire-credentials": ("", _expire_credentials),
}


def _run_control_commands(service: LocalService, lines: Iterable[str]) -> None:
    """Run a command for each line, and print one line for each, `ok ...` or `error ...`."""
    known = ", ".join(f"{name} {arguments}".strip() for name, (arguments, _) in _CONTROLS.items())
    for line in lines:
        name = arguments = ""
        try:
            name, *words = shlex.split(line) or [""]
            arguments, control = _CONTROLS.get(name, ("", None))
            if control is None:
                click.echo(f"{'ok' if name == 'help' else 'error'} the commands are {known}")
                continue
            result = control(service, *words)
        except ValueError as error:
            click.echo(f"error {error}")
        except TypeError:
            click.echo(f"error the command is {name} {arguments}".rstrip())
        else:
            click.echo(f"ok {result or ''}".rstrip())
