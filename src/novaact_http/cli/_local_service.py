"""`novaact-http local`: runs the local service until it is interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

import click

from novaact_http.cli._options import Command, Number, command_words, option
from novaact_http.cli._terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from novaact_http.config import Credentials
    from novaact_http.testing import LocalService

_SERVER, _DATA, _FAULTS = "Server", "Data", "Faults"


@click.command(cls=Command, short_help="Serve Nova Act on this machine, for tests.")
@option(_SERVER, "--port", type=Number(whole=True), default=0, metavar="PORT", help="The port. Default: any free one.")
@option(
    _SERVER,
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to listen on; 0.0.0.0 for other containers and machines too.",
)
@option(
    _SERVER,
    "--region",
    default="us-east-1",
    show_default=True,
    metavar="REGION",
    help="The region that requests must be signed for.",
)
@option(_SERVER, "--tls", is_flag=True, help="Serve HTTPS, with a certificate made at start.")
@option(
    _SERVER,
    "--control",
    is_flag=True,
    help="Read commands from standard input, one per line, and stop at its end; `help` lists them.",
)
@option(
    _SERVER,
    "--export",
    is_flag=True,
    help="Serve in the background, and print shell commands that set the environment, for eval.",
)
@click.option("--exported", is_flag=True, hidden=True)  # what the process in the background is started with
@option(
    _DATA,
    "--state",
    "state_path",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Begin with the definitions, runs, sessions and acts of this JSON file instead; `-` for standard input.",
)
@option(
    _DATA,
    "--seed",
    type=Number(whole=True),
    default=0,
    show_default=True,
    metavar="N",
    help="The same seed makes the same data.",
)
@option(
    _DATA,
    "--run",
    "runs",
    metavar="NAME=SESSIONS",
    multiple=True,
    help="Add a run of this definition with this many sessions, instead of the made-up runs. May be repeated.",
)
@option(
    _DATA,
    "--credentials-lifetime",
    type=Number(),
    metavar="SECONDS",
    help="Let the credentials expire after this time.",
)
@option(
    _FAULTS,
    "--fault",
    "faults",
    metavar="FAULT",
    multiple=True,
    help="Add a fault, such as 'AccessDeniedException on ListActs', 'reset next 2' or 'drip for 0.1s 10 %'. May be "
    "repeated.",
)
@option(_FAULTS, "--latency", type=Number(), default=0.0, metavar="SECONDS", help="Wait before each response.")
@option(
    _FAULTS,
    "--jitter",
    type=Number(),
    default=0.0,
    metavar="SECONDS",
    help="Wait up to this much longer before each response, at random.",
)
@option(_FAULTS, "--rate", type=Number(), metavar="N", help="Throttle above N requests a second.")
@option(
    _FAULTS,
    "--burst",
    type=Number(),
    metavar="N",
    help="With --rate: allow N requests at once. Default: the requests of one second.",
)
@option(
    _FAULTS,
    "--clock-offset",
    type=Number(),
    default=0.0,
    metavar="SECONDS",
    help="Set the service's clock ahead by this.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def local(
    ctx: click.Context,
    /,
    *,
    control: bool,
    export: bool,
    exported: bool,
    state_path: str | None,
    runs: tuple[str, ...],
    faults: tuple[str, ...],
    command: tuple[str, ...],
    **options: Any,
) -> None:
    """Serve all of Nova Act on this machine, with made-up data, until interrupted.

    After `--`, a COMMAND can be given. It runs with the settings of the service in its environment, where this
    library, boto3 and the AWS CLI find them. The service stops when the command ends, with the command's exit code.

    With --export, the service serves in the background, and the shell has the settings. The function novaact_local_stop
    stops it and takes them back; `kill $NOVAACT_LOCAL_PID` stops it from elsewhere.

    A file for --state looks like this, where everything but the name may be left out. A time is ISO 8601, a number of
    seconds since the epoch, or before now if it is negative. `sessions` may also be a number.

    \b
    {"definitions": [{"name": "checkout", "description": "Buys.", "created_at": "2026-01-31T12:00:00Z",
      "export_config": {"s3BucketName": "traces"},
      "runs": [{"status": "FAILED", "started_at": -3600, "ended_at": -60, "workflow_run_id": "...",
        "sessions": [{"session_id": "...",
          "acts": [{"task": "Buy a kettle.", "status": "FAILED", "started_at": -600, "ended_at": -60}]}]}]}]}

    \b
    The first two lines on standard output are
      ready URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY [SESSION_TOKEN]
      example WORKFLOW_DEFINITION_NAME WORKFLOW_RUN_ID (nothing more than `example` if there is no run)
    and with --tls a third
      ca-bundle PATH

    \b
    Examples:
      novaact-http local --port 8080 --fault 'ThrottlingException 10 %' --latency 0.1
      novaact-http local --run checkout-flow=34 --run checkout-flow=1000000
      novaact-http local -- aws nova-act list-workflow-definitions
      eval "$(novaact-http local --export)"; novaact-http tree; novaact_local_stop
    """  # noqa: D301 - click marks verbatim text with a \b
    if options["burst"] is not None and options["rate"] is None:
        raise click.UsageError("--burst needs --rate: without it, every request is admitted")
    _check_streams(control=control, export=export, state_path=state_path, command=command)
    if export:
        ctx.exit(_serve_in_background(ctx))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    service = _make(ctx, runs, faults, state_path, options)
    if options["host"] not in ("127.0.0.1", "::1"):
        say("other machines can reach the service, and its keys are no secret: use it for tests alone")
    _start(service, options["host"], options["port"])
    if command:
        with service:
            ctx.exit(_run(command, service.environ))
    if exported:
        click.echo(_export_lines(service.environ))
        say(f"the service runs as process {os.getpid()}, until novaact_local_stop")
        _close_standard_streams()
    with service, contextlib.suppress(KeyboardInterrupt):
        click.echo(f"ready {service.url} {service.region} {_key_words(service.credentials)}")
        example = [f" {run.workflow_definition_name} {run.workflow_run_id}" for run in service.runs[:1]]
        click.echo(f"example{''.join(example)}")
        if service.ca_file is not None:
            click.echo(f"ca-bundle {service.ca_file}")
        if control:
            _run_control_commands(service, sys.stdin)
        else:
            threading.Event().wait()


def _check_streams(*, control: bool, export: bool, state_path: str | None, command: Sequence[str]) -> None:
    """Raise a click.UsageError if two options want standard input, or one has nobody to read it from."""
    if command and control:
        raise click.UsageError("--control reads standard input, which belongs to the command after `--`: leave one out")
    if control and state_path == "-":
        raise click.UsageError("--control and --state - both read standard input: leave one out")
    if export and (command or control):
        raise click.UsageError("--export serves in the background: leave out --control and the command after `--`")


def _serve_in_background(ctx: click.Context) -> int:
    """Start another process that serves, let it print how to set the environment, and return the exit code."""
    program = [sys.executable, "-c", "from novaact_http.cli import main; main()"]
    words = command_words(ctx, leave_out=("export",), add={})[1:]
    process = subprocess.Popen(  # noqa: S603 - it is this program
        [*program, *words, "--exported"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        with cast("TextIO", process.stdout) as stdout:
            lines = stdout.read()  # up to where it closes its standard output, or ends
    except KeyboardInterrupt:
        process.terminate()  # as nobody would know of it
        raise
    if lines:
        click.echo(lines, nl=False)
        return 0
    click.echo("false")  # so that eval fails as well
    return process.wait()


def _export_lines(environ: Mapping[str, str]) -> str:
    """Return the shell commands that set the environment."""
    variables = {**environ, "NOVAACT_LOCAL_PID": str(os.getpid())}
    stop = f"kill {os.getpid()} 2>/dev/null || :; unset {' '.join(variables)}; unset -f novaact_local_stop"
    return "\n".join(
        [
            f"unset {' '.join(_in_the_way(environ))}",
            *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
            f"novaact_local_stop() {{ {stop}; }}",
        ]
    )


def _in_the_way(environ: Mapping[str, str]) -> list[str]:
    from novaact_http.testing._local_service.service import VARIABLES_IN_THE_WAY

    return [name for name in VARIABLES_IN_THE_WAY if name not in environ]


def _close_standard_streams() -> None:
    """Have the standard streams lead nowhere, so that nobody waits for their end."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command with further variables in its environment, and return its exit code as a shell has it."""
    variables = {**os.environ, **environ}
    for name in _in_the_way(environ):
        variables.pop(name, None)
    started: list[subprocess.Popen[bytes]] = []
    is_to_end = threading.Event()

    def end(*_: object) -> None:
        is_to_end.set()
        for process in started:
            process.terminate()

    signal.signal(signal.SIGTERM, end)
    try:
        process = subprocess.Popen(command, env=variables)  # noqa: S603 - it is the user's command
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        return 127 if isinstance(error, FileNotFoundError) else 126
    started.append(process)
    if is_to_end.is_set():  # by a signal that came at this moment
        process.terminate()
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # the terminal interrupts the command too, which decides
            code = process.wait()
            return code if code >= 0 else 128 - code


def _make(
    ctx: click.Context,
    runs: Sequence[str],
    faults: Iterable[str],
    state_path: str | None,
    options: Mapping[str, Any],
) -> LocalService:
    """Make the service that the options ask for.

    Raises:
        click.UsageError: an option has a value that is not allowed.
    """
    from novaact_http.errors import ConfigurationError

    try:
        from novaact_http.testing import LocalService  # here, as it needs botocore, which is slow to import
    except ConfigurationError as error:  # botocore is not installed
        _exit_with(str(error))

    names = {each.name or "": each.opts[0] for each in ctx.command.params}
    with _refusing("", names):
        has_own_world = runs or state_path is not None
        service = LocalService(definitions={} if has_own_world else None, record_requests=False, **options)
    if state_path is not None:
        with _refusing(f"--state: {state_path}: ", names):
            service.load(_read(state_path))
    with _refusing("--run: ", names):
        for name, numbers in _definitions(runs).items():
            for sessions in numbers:
                service.add_run(name, sessions=sessions)
    with _refusing("--fault: ", names):
        for fault in faults:
            service.inject(fault, allow_unused=True)
    return service


def _read(path: str) -> Any:
    try:
        with click.open_file(path, encoding="utf-8") as file:
            return json.load(file)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:  # it is not JSON, or not UTF-8
        raise ValueError(f"it is not JSON: {error}") from None


@contextlib.contextmanager
def _refusing(about: str, names: Mapping[str, str]) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise click.UsageError(f"{about}{_explain(error, names)}") from error


def _explain(error: ValueError, names: Mapping[str, str]) -> str:
    """Return what is wrong, without advice for Python code.

    Args:
        error: what was raised.
        names: for arguments of the library, the names that the user knows.
    """
    from novaact_http.testing._argument_checks import ArgumentError

    if not isinstance(error, ArgumentError):
        return str(error)
    return f"{names.get(error.subject, error.subject)} {error.problem}"


def _definitions(runs: Iterable[str]) -> Mapping[str, list[int]]:
    definitions: dict[str, list[int]] = {}
    for each in runs:
        name, _, sessions = each.partition("=")
        if not sessions.isdecimal():
            raise ValueError(f"write NAME=SESSIONS, with a whole number of sessions, not {each!r}")
        definitions.setdefault(name, []).append(int(sessions))
    return definitions


def _start(service: LocalService, host: str, port: int) -> None:
    from novaact_http.errors import ConfigurationError

    try:
        service.start()
    except OSError as error:
        _exit_with(f"cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}")
    except ConfigurationError as error:  # a package that TLS needs is not installed
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
    "fault": ("FAULT", lambda service, *words: service.inject(" ".join(words), allow_unused=True)),
    "clear-faults": ("", lambda service: service.clear_faults()),
    "latency": ("SECONDS", _set_latency),
    "clock-offset": ("SECONDS", _set_clock_offset),
    "add-run": ("NAME SESSIONS", _add_run),
    "add-sessions": ("NAME RUN_ID SESSIONS", _add_sessions),
    "expire-credentials": ("", _expire_credentials),
}


def _run_control_commands(service: LocalService, lines: Iterable[str]) -> None:
    """Run a command for each line, and print one line for each, `ok ...` or `error ...`."""
    known = ", ".join([*(f"{name} {arguments}".strip() for name, (arguments, _) in _CONTROLS.items()), "quit"])
    names = {name.replace("-", "_"): name for name in _CONTROLS}
    for line in lines:
        try:
            name, *words = shlex.split(line) or [""]
        except ValueError as error:  # such as a quotation mark without its second one
            click.echo(f"error the line cannot be split into words: {error}")
            continue
        if name == "quit":
            click.echo("ok")
            return
        arguments, control = _CONTROLS.get(name, ("", None))
        if control is None:
            click.echo(f"{'ok' if name == 'help' else 'error'} the commands are {known}")
            continue
        try:
            result = control(service, *words)
        except ValueError as error:
            click.echo(f"error {_explain(error, names)}")
        except TypeError:
            click.echo(f"error the command is {name} {arguments}".rstrip())
        else:
            click.echo(f"ok {result or ''}".rstrip())
