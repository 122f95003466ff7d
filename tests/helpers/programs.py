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
# Only attrs is installed in the slim installation.
_NOT_IN_SLIM = (
    "anyio", "botocore", "certifi", "click", "h11", "httpcore", "httpx", "idna", "jmespath", "opentelemetry", "rich",
    "trustme",
)  # fmt: skip
_REFUSE = f"""
import sys
class Refuse:
    @staticmethod
    def find_spec(name, *_):
        if name.partition(".")[0] in {_NOT_IN_SLIM}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse)
"""


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


def run_slim(code: str, environ: Mapping[str, str] | None = None) -> str:
    """Return what some code prints in a fresh Python, as if only the library and attrs were installed."""
    return run_python("-c", f"{_REFUSE}\n{textwrap.dedent(code)}", environ=environ).stdout.strip()


def modules_after(code: str, environ: Mapping[str, str] | None = None) -> set[str]:
    """Return the modules that are loaded after some code has run in a fresh Python."""
    done = run_python("-c", f"{textwrap.dedent(code)}\nimport sys\nprint(*sys.modules)", environ=environ)
    return set(done.stdout.split())


def loaded_after(code: str, environ: Mapping[str, str] | None = None) -> set[str]:
    """Return the top-level packages that are loaded after some code has run in a fresh Python."""
    return {name.partition(".")[0] for name in modules_after(code, environ)}
