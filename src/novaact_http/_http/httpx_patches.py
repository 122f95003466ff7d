"""Tells whether a mocking tool has patched httpx. Then requests go through httpx, so that the tool sees them.

Tools such as respx and pytest-httpx replace functions of httpx or httpcore. The `__module__` of a replacement shows
that it is not the original. Wrappers of instrumentation keep the original's, which `functools.wraps` copies.
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
    """Tell whether a function that sends requests in httpx is replaced. Costs almost nothing if httpx is not loaded.

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
