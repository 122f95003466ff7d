"""The command `novaact-http`. It needs the packages of the extra `cli`, and imports them only when it is run."""

from __future__ import annotations

import sys

_EXTRA = ("click", "jmespath", "rich")


def main() -> None:
    """Run the command line; the entry point of the script."""
    try:
        from novaact_http.cli._commands import commands

        commands(prog_name="novaact-http")
    except KeyboardInterrupt:  # during the imports
        sys.exit(130)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.exit(f"novaact-http needs {error.name}: install it with pip install 'novaact-http[cli]'")
