"""Programs that tests run in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONGEST = 120  # seconds; then it hangs


def run_python(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    exit_code: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, and return what it printed.

    Args:
        arguments: such as `"-c", code`, where the code may be indented; or the path of a program.
        environ: added to this process's environment.
        cwd: the folder to run in.
        exit_code: what the program must end with, or the test fails with its standard error.
    """
    done = subprocess.run(
        [sys.executable, *map(textwrap.dedent, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        timeout=_LONGEST,
    )
    assert done.returncode == exit_code, done.stderr
    return done


def modules_after(code: str, environ: Mapping[str, str] | None = None) -> set[str]:
    """Return the modules that are loaded after some code has run in a fresh Python."""
    done = run_python("-c", f"{textwrap.dedent(code)}\nimport sys\nprint(*sys.modules)", environ=environ)
    return set(done.stdout.split())


def loaded_after(code: str, environ: Mapping[str, str] | None = None) -> set[str]:
    """Return the top-level packages that are loaded after some code has run in a fresh Python."""
    return {name.partition(".")[0] for name in modules_after(code, environ)}
