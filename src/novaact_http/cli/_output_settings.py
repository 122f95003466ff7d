"""Which format and query the output has: by options, the environment, the profile, and where it goes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

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


def check_query(query: str | None, output: str | None) -> None:
    """Refuse a query with an output format, as given, that has none.

    Raises:
        click.UsageError: they cannot be combined.
    """
    if query is not None and output not in (None, *_output.WITH_QUERY):
        raise click.UsageError(f"--query needs --output {' or '.join(_output.WITH_QUERY)}")


def compiled(text: str | None) -> _output.Query | None:
    """Return the query of the option `--query`.

    Raises:
        click.BadParameter: it is not JMESPath, or has a function that there is not.
    """
    if text is None:
        return None
    import jmespath  # 20 ms to import

    try:
        expression = jmespath.compile(text)
        unknown = sorted(_functions(expression.parsed) - set(jmespath.functions.Functions.FUNCTION_TABLE))
    except ValueError as error:
        # Its last line only has a caret below the place.
        lines = [line for line in str(error).splitlines() if line.strip() != "^"]
        raise click.BadParameter(" ".join(lines), param_hint="--query") from error
    except RecursionError as error:
        raise click.BadParameter("is nested too deeply", param_hint="--query") from error
    if unknown:
        raise click.BadParameter(f"has the unknown function {', '.join(unknown)}", param_hint="--query")

    def search(document: object) -> object:
        try:
            return expression.search(document)
        except (ValueError, RecursionError) as error:  # such as a value that a function in the query does not take
            raise _output.QueryError(f"--query cannot be applied: {error}") from error

    return search


def _functions(node: Any) -> set[str]:
    """Return the names of the functions in a parsed query, whose nodes are dicts; the ends of a slice are numbers."""
    if not isinstance(node, dict):
        return set()
    own = {node["value"]} if node["type"] == "function_expression" else set()
    return own.union(*map(_functions, node["children"]))
