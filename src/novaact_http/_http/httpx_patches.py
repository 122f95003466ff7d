"""Is a mocking tool at work? Then requests go through httpx, which it has patched, so that it sees them.

The tools for httpx (respx, pytest-httpx) put functions of their own in the place of httpx's or httpcore's. Their module
tells that they are not the original, while the wrappers of instrumentation pass for it, thanks to `functools.wraps`.
"""

from __future__ import annotations

import sys

_PATCHED = {
    "httpx": ("HTTPTransport", "AsyncHTTPTransport"),
    "httpcore": (
        "ConnectionPool",
        "HTTPConnection",
        "HTTPProxy",
        "AsyncConnectionPool",
        "AsyncHTTPConnection",
        "AsyncHTTPProxy",
    ),
}
_ORIGINALS = ("httpx.", "httpcore.")


def are_installed(method: str) -> bool:
    """Has somebody replaced what sends requests in httpx? Costs next to nothing where httpx is not loaded.

    Args:
        method: `"handle_request"` or `"handle_async_request"`.
    """
    for name, classes in _PATCHED.items():
        module = sys.modules.get(name)
        if module is None:
            continue
        for each in classes:
            function = getattr(getattr(module, each, None), method, None)
            if function is not None and not str(getattr(function, "__module__", "")).startswith(_ORIGINALS):
                return True
    return False
