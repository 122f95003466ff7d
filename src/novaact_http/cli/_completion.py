"""`novaact-http completion`: prints a script that makes a shell complete this command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_PROGRAM, _VARIABLE = "novaact-http", "_NOVAACT_HTTP_COMPLETE"  # click derives the variable from the name


@click.command(short_help="Print a script for completion in a shell.")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print a script that makes SHELL (bash, zsh or fish) complete commands and options.

    \b
    Examples:
      eval "$(novaact-http completion bash)"        # in ~/.bashrc
      eval "$(novaact-http completion zsh)"         # in ~/.zshrc
      novaact-http completion fish > ~/.config/fish/completions/novaact-http.fish
    """  # noqa: D301 - click marks verbatim text with a \b
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    click.echo(kind(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source())
