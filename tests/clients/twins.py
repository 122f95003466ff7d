"""Writes the methods of `AsyncClient` from those of `Client`: only signatures and documentation, as there is no logic.

`make twins` runs it. A test says if the file is not what this would write.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import novaact_http

CLIENTS = Path(novaact_http.__file__).parent / "_clients"
TWIN = CLIENTS / "async_methods.py"

_PREFETCH = """\
            prefetch: whether to fetch the next page while you work on the current one. If you stop early, that is one
                page more than needed. Close the iterator then, with
                `async with contextlib.aclosing(aiter(pager)) as items`, or the event loop cleans up its task later.
"""
# In this order.
_CHANGES = (
    (
        r'"""The methods of `Client` .*?"""',
        '"""The methods of `AsyncClient`, which `make twins` writes from `methods.py`."""',
    ),
    (r"\bMethods\b", "AsyncMethods"),
    (r"\bPager\b", "AsyncPager"),
    (r"import Options, AsyncPager", "import AsyncPager, Options"),
    (r"    def (?!iter_)(\w+)\(", r"    async def \1("),
    (r"return self\._call\(", "return await self._call("),
    (r"(starting_token: str \| None = None,\n)", r"\1        prefetch: bool = False,\n"),
    (r"(            starting_token: [^\n]*\n(?:                [^\n]*\n)*)", r"\1" + _PREFETCH.replace("\\", r"\\")),
    (r"(AsyncPager\(self\._call, [^)]*)\)", r"\1, prefetch=prefetch)"),
    (r"List all ([^.]*)\.", r"List all \1 with `async for`."),
)


def twin() -> str:
    """Return what the file should be."""
    text = (CLIENTS / "methods.py").read_text(encoding="utf-8")
    for pattern, replacement in _CHANGES:
        text, count = re.subn(pattern, replacement, text, flags=re.DOTALL if "The methods" in pattern else 0)
        assert count, f"nothing matches {pattern}"
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(TWIN), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    TWIN.write_text(twin(), encoding="utf-8")
