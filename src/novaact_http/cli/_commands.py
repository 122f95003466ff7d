"""The group of all commands, and how it handles their errors. A command imports the library only when it is run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from novaact_http._version import __version__
from novaact_http.cli import _errors, _operation_commands
from novaact_http.cli._completion import completion
from novaact_http.cli._doctor import doctor
from novaact_http.cli._local_service import local
from novaact_http.cli._options import make_command, option, output_options
from novaact_http.cli._presentation import ROWS
from novaact_http.cli._terminal import say
from novaact_http.cli._tree import tree
from novaact_http.cli._wait import wait_for_workflow_run
from novaact_http.cli._watch import watch

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Commands(click.Group):
    """A group that shows errors as one line on standard error, and exits with the AWS CLI's codes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _with_global_options_last(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ROWS})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            import difflib  # few command lines are misspelt

            close = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            raise click.UsageError(f"No such command {name!r}" + "".join(f"; did you mean {each!r}?" for each in close))
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ROWS and cmd_name not in self.commands:
            self.add_command(_operation_commands.make(cmd_name))
        return super().get_command(ctx, cmd_name)

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name, **extra)
        except click.ClickException as error:
            code = _usage(error)
        except click.Abort:
            code = _errors.INTERRUPTED
        except OSError as error:  # while help or the version was printed
            _errors.give_up_standard_output()
            code = _errors.report(error, debug=False)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        debug = "--debug" in ctx.args
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of the output has stopped reading
            _errors.give_up_standard_output()
            ctx.exit(0)
        except KeyboardInterrupt:
            ctx.exit(_errors.INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort, ModuleNotFoundError):
            raise
        except Exception as error:  # noqa: BLE001 - the last resort
            if isinstance(error, OSError):
                _errors.give_up_standard_output()
            ctx.exit(_errors.report(error, debug=debug if self._has_debug(ctx.invoked_subcommand) else None))

    def _has_debug(self, name: str | None) -> bool:
        return name is not None and any("--debug" in each.opts for each in self.commands[name].params)


def _with_global_options_last(args: list[str]) -> list[str]:
    """Return the arguments with options of the command that stand before it, as the AWS CLI allows, moved behind it.

    Raises:
        click.UsageError: there is no command.
    """
    if not args or not args[0].startswith("--"):
        return args
    options = make_command("", lambda: None, [*output_options(()), option("", "--no-paginate", is_flag=True)]).params
    is_flag = {name: isinstance(each, click.Option) and each.is_flag for each in options for name in each.opts}
    moved, rest = [], list(args)
    while rest and (name := rest[0].partition("=")[0]) in is_flag:
        moved.append(rest.pop(0))
        if rest and not is_flag[name] and "=" not in moved[-1]:
            moved.append(rest.pop(0))
    if not rest:
        raise click.UsageError(f"There is no command after {' '.join(moved)}")
    return [*rest[:1], *moved, *rest[1:]]


def _usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "novaact-http"
    message = " ".join(error.format_message().split())
    say(f"{message.removesuffix('.')}; see {command} --help")
    return _errors.USAGE


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="novaact-http")
@click.pass_context
def commands(ctx: click.Context, /) -> None:
    """Show what Amazon Nova Act workflows do, and wait for them, without the AWS SDK.

    \b
    Examples:
      novaact-http list-sessions --workflow-definition-name checkout-flow \\
        --workflow-run-id 01234567-89ab-4cde-8f01-23456789abcd
      novaact-http tree --status RUNNING
      novaact-http watch --until-done
      novaact-http doctor --profile dev
      novaact-http local
    """  # noqa: D301 - click marks verbatim text with a \b
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for each in (doctor, completion, local, tree, watch, wait_for_workflow_run):
    commands.add_command(each)
