"""Options that commands share, and help that groups options under headings."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from novaact_http.cli._terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import TypeAlias

    Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


class Option(click.Option):
    """An option with the heading that help shows it under."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group
        self.needs_value = not self.is_flag and "flag_value" not in kwargs


class Number(click.ParamType):  # type: ignore[type-arg]  # generic only in new versions of click
    """A number. Its errors say in words which numbers are allowed.

    Args:
        minimum: the least that is allowed; None for no limit.
        maximum: the most that is allowed; None for no limit.
        whole: whether it must be a whole number.
    """

    name = "number"

    def __init__(self, minimum: int | None = None, maximum: int | None = None, *, whole: bool = False) -> None:
        self._minimum = -math.inf if minimum is None else minimum
        self._maximum = math.inf if maximum is None else maximum
        self._kind = int if whole else float
        self._allowed = (
            ("a whole number" if whole else "a number")
            + ("" if minimum is None else f" from {minimum}")
            + ("" if maximum is None else f" to {maximum}")
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = self._kind(value)
        except ValueError:
            number = None
        if number is None or number < self._minimum or number > self._maximum:
            self.fail(f"must be {self._allowed}, not {value!r}", param, ctx)
        return number


class Command(click.Command):
    """A command whose help has a heading for each group of options, and whose errors name the command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            self._refuse_options_as_values(ctx, args)
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click does not set it if an option has no value
            raise

    def _refuse_options_as_values(self, ctx: click.Context, args: list[str]) -> None:
        """Refuse what click would take for the value of an option that has none, as the AWS CLI does."""
        needing = {
            name for each in self.get_params(ctx) if isinstance(each, Option) and each.needs_value for name in each.opts
        }
        for word, following in itertools.pairwise(args):
            if word == "--":
                return
            if word in needing and following.startswith("--") and following != "--":
                raise click.BadOptionUsage(
                    word, f"Option {word!r} requires an argument; {word}={following} if that is it", ctx
                )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups.setdefault(getattr(parameter, "group", "Other"), []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def option(group: str, *names: str, **settings: Any) -> Decorator:
    """Add an option under a heading of the help."""
    return click.option(*names, cls=Option, group=group, **settings)


def _set_colour(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    ctx.color = {"on": True, "off": False}.get(value or "")


def _refuse_unsigned(_: click.Context, __: click.Parameter, value: object) -> None:
    if value:
        raise click.UsageError("--no-sign-request cannot be used, because Nova Act answers signed requests only")


_ENDPOINT, _LIMITS = "Endpoint and credentials", "Timeouts, attempts and TLS"
CONNECTION_OPTIONS = (
    option(_ENDPOINT, "--profile", metavar="NAME", help="The profile. Default: AWS_DEFAULT_PROFILE, AWS_PROFILE."),
    option(
        _ENDPOINT,
        "--region",
        metavar="REGION",
        help="The region. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile.",
    ),
    option(
        _ENDPOINT,
        "--endpoint-url",
        metavar="URL",
        help="The endpoint. Default: AWS_ENDPOINT_URL_NOVA_ACT, AWS_ENDPOINT_URL, the profile, the region's endpoint.",
    ),
    option(
        _ENDPOINT,
        "--ca-bundle",
        metavar="PATH",
        help="The trusted CA certificates (PEM). Default: AWS_CA_BUNDLE, the profile, REQUESTS_CA_BUNDLE, "
        "SSL_CERT_FILE, certifi.",
    ),
    option(_LIMITS, "--no-verify-ssl", is_flag=True, help="Do not check certificates, even with --ca-bundle. Unsafe."),
    option(
        _LIMITS,
        "--cli-connect-timeout",
        type=Number(0),
        metavar="SECONDS",
        help="How long to wait for a connection. Default: 5; 0 for no limit.",
    ),
    option(
        _LIMITS,
        "--cli-read-timeout",
        type=Number(0),
        metavar="SECONDS",
        help="How long to wait for more of a response. Default: 60; 0 for no limit.",
    ),
    option(
        _LIMITS,
        "--max-attempts",
        type=Number(1, whole=True),
        metavar="N",
        help="How many times each call is tried at most. Default: AWS_MAX_ATTEMPTS, the profile, 3.",
    ),
    option(
        "Other",
        "--color",
        type=click.Choice(["on", "off", "auto"]),
        expose_value=False,
        callback=_set_colour,
        help="Whether to use colours. Default: on a terminal, unless NO_COLOR is set.",
    ),
    option("Other", "--no-cli-pager", is_flag=True, hidden=True, expose_value=False),  # there is no pager
    option(_LIMITS, "--no-sign-request", is_flag=True, hidden=True, expose_value=False, callback=_refuse_unsigned),
    option(
        "Other", "--debug", is_flag=True, help="Show each attempt, and the traceback of errors. Never shows secrets."
    ),
)


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for endpoint, credentials and connections, and --debug."""
    for decorate in reversed(CONNECTION_OPTIONS):
        command = decorate(command)
    return command


def output_options(formats: Iterable[str]) -> list[Decorator]:
    """Return the options for what is printed, in one of these formats."""
    group = "Output"
    return [
        option(
            group,
            "--output",
            type=click.Choice(list(formats)),
            help="The format. Default: AWS_DEFAULT_OUTPUT, the profile, table on a terminal, else json.",
        ),
        option(group, "--query", metavar="JMESPATH", help="Select what to print, as json or text."),
    ]


def make_command(name: str, run: Callable[..., Any], options: Iterable[Decorator], **settings: Any) -> click.Command:
    """Make a command of a function and its options, in the order in which help shows them."""
    for decorate in reversed([*options, *CONNECTION_OPTIONS]):
        run = decorate(run)
    return click.command(name, cls=Command, **settings)(run)


def command_line(ctx: click.Context, *, leave_out: Collection[str], add: Mapping[str, tuple[str, ...]]) -> str:
    """Return the running command with other options, quoted for a shell. See `command_words`."""
    return " ".join(map(quoted, command_words(ctx, leave_out=leave_out, add=add)))


def command_words(ctx: click.Context, *, leave_out: Collection[str], add: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the running command with other options.

    Args:
        ctx: the command's context.
        leave_out: names of the parameters to leave out.
        add: the options to add, each with its values.
    """
    words = ctx.command_path.split(" ")
    for parameter in ctx.command.params:
        name = parameter.name
        if name in leave_out or ctx.get_parameter_source(name or "") is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name or ""]
        given = parameter.opts[0]
        if value is True:
            words.append(given)
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += _with_value(given, str(each))
    for given, values in add.items():
        for each in values:
            words += _with_value(given, each)
    return words


def _with_value(name: str, value: str) -> list[str]:
    # A value that begins with a hyphen would look like an option.
    return [f"{name}={value}"] if value.startswith("-") else [name, value]
