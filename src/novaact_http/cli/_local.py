"""`novaact-http local`."""

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

_WHERE, _WHAT, _WRONG = "Where", "What there is", "What goes wrong"


@click.command(cls=Command)
@option(_WHERE, "--port", type=click.IntRange(0, 65_535), default=0, help="Any free one by default.")
@option(_WHERE, "--region", default="us-east-1", show_default=True, metavar="REGION", help="That signatures are for.")
@option(_WHERE, "--tls", is_flag=True, help="Speak HTTPS, with a certificate made at start.")
@option(_WHERE, "--control", is_flag=True, help="Read commands from standard input, one a line; `help` lists them.")
@option(_WHAT, "--seed", type=int, default=0, show_default=True, help="The same seed makes up the same data.")
@option(
    _WHAT,
    "--run",
    "runs",
    metavar="NAME=SESSIONS",
    multiple=True,
    help="A run of this definition, with so many sessions. May be repeated; replaces the made-up runs.",
)
@option(_WHAT, "--credentials-lifetime", type=float, metavar="SECONDS", help="The credentials expire after so long.")
@option(
    _WRONG,
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="Such as 'ThrottlingException every 3rd', 'reset next 2', 'drip for 0.1s 10 %'. May be repeated.",
)
@option(_WRONG, "--latency", type=float, default=0.0, metavar="SECONDS", help="Before each answer.")
@option(_WRONG, "--jitter", type=float, default=0.0, metavar="SECONDS", help="More latency at most, at random.")
@option(_WRONG, "--rate", type=float, metavar="N", help="Throttle what is over so many requests a second.")
@option(_WRONG, "--burst", type=float, metavar="N", help="So many at once are not throttled; a second's by default.")
@option(_WRONG, "--clock-offset", type=float, default=0.0, metavar="SECONDS", help="The service's clock is ahead.")
def local(*, control: bool, runs: tuple[str, ...], faults: tuple[str, ...], **options: Any) -> None:
    """Run Nova Act's ListSessions on this machine, with made-up data, until interrupted.

    \b
    The first two lines on standard output are
      ready URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY [SESSION_TOKEN]
      example WORKFLOW_DEFINITION_NAME WORKFLOW_RUN_ID
    and with --tls a third one
      ca-bundle PATH

    \b
    Examples:
      novaact-http local --port 8080 --fault 'ThrottlingException 10 %' --latency 0.1
      novaact-http local --run checkout-flow=34 --run checkout-flow=1000000
    """  # noqa: D301 - click marks verbatim text with a \b
    # Here, as it needs botocore, which takes a while to import.
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
        click.echo(f"ready {service.url} {service.region} {_shown(service.credentials)}")
        run = service.runs[0]
        click.echo(f"example {run.workflow_definition_name} {run.workflow_run_id}")
        if service.ca_file is not None:
            click.echo(f"ca-bundle {service.ca_file}")
        if control:
            _obey(service, sys.stdin)
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
        _give_up(f"cannot listen on port {port}: {os.strerror(error.errno or 0)}")
    except RuntimeError as error:  # what TLS needs is not installed
        _give_up(str(error))


def _give_up(message: str) -> NoReturn:
    say(message)
    sys.exit(255)


def _shown(keys: Credentials) -> str:
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
    return _shown(service.credentials)


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


def _obey(service: LocalService, lines: Iterable[str]) -> None:
    """Do what lines say, and answer each with one line, `ok` or `error`, until there are no more."""
    known = ", ".join(f"{name} {arguments}".strip() for name, (arguments, _) in _CONTROLS.items())
    for line in lines:
        name = arguments = ""
        try:
            name, *words = shlex.split(line) or [""]
            arguments, control = _CONTROLS.get(name, ("", None))
            if control is None:
                click.echo(f"{'ok' if name == 'help' else 'error'} there are the commands {known}")
                continue
            told = control(service, *words)
        except ValueError as error:
            click.echo(f"error {error}")
        except TypeError:
            click.echo(f"error it must be {name} {arguments}".rstrip())
        else:
            click.echo(f"ok {told or ''}".rstrip())
