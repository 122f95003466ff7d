"""A command for each operation of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from novaact_http.cli._presentation import ROWS

if TYPE_CHECKING:
    import click


def make(name: str) -> click.Command:
    """Make the command of one of the `ROWS`."""
    from novaact_http import _operations
    from novaact_http.cli import _listing, _single_call

    row, operation = ROWS[name], getattr(_operations, name.replace("-", "_").upper())
    kind: Any = _single_call if operation.paging is None else _listing
    return kind.make(name, row, operation)  # type: ignore[no-any-return]
