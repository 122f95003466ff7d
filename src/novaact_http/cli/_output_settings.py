"""Which format and query the output has: by options, the environment, the profile, and where it goes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from novaact_http.cli import _output
from novaact_http.cli._terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novaact_http.cli._connection import Connection


def output_format(option: str | None, query: str | None, connection: Connection, formats: Sequence[str]) -> str:
    """Return the format to print in.

    Args:
        option: the option `--output`.
        query: the option `--query`.
        connection: has the profile.
        formats: those that the command has.

    Raises:
        ConfigurationError: the environment or the profile names a format that the command has not, or the profile is
            missing.
    """
    form = option or configured_format(connection, formats)[0]
    if form is None:
        form = "table" if is_terminal(sys.stdout) else "json"
    return "json" if query is not None and form not in _output.WITH_QUERY else form


def configured_format(connection: Connection, formats: Sequence[str]) -> tuple[str | None, str]:
    """Return the format that the environment or the profile names, or None, and what names it.

    Raises:
        ConfigurationError: see `output_format`.
    """
    from novaact_http.errors import ConfigurationError

    form, source = os.environ.get("AWS_DEFAULT_OUTPUT"), "AWS_DEFAULT_OUTPUT"
    if not form:
        profile = connection.profile_of()
        found = profile.get("output")
        if not found:
            return None, "the default"
        form, source = str(found), f"output of the profile {profile.name!r} in {profile.file_of('output')}"
    if form not in formats:
        raise ConfigurationError(
            f"is {form!r}, which this command cannot print",
            setting="output",
            source=source,
            advice=f"pass --output with {', '.join(formats)}",
        )
    return form, source


def compiled(text: str | None) -> _output.Query | None:
    """Return the query of the option `--query`.

    Raises:
        click.BadParameter: it is not JMESPath.
    """
    if text is None:
        return None
    import jmespath  # 20 ms to import

    try:
        expression = jmespath.compile(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--query") from error

    def search(document: object) -> object:
        try:
            return expression.search(document)
        except ValueError as error:  # a function in the query got a value that it does not take
            raise _output.QueryError(f"--query cannot be applied: {error}") from error

    return search
