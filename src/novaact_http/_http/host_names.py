"""Host names in the form that the resolver and TLS take best: bytes for CPython's own, text for whatever replaces them.

For text, CPython's own would import the codec `idna`, which takes 17 ms and which no host needs: all are ASCII. But
only text is documented, so only text is safe for gevent, for truststore, and for the functions that programs and tests
put in their place.
"""

from __future__ import annotations

import socket
import sys
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    import ssl


def for_resolver(host: str, loop: asyncio.AbstractEventLoop | None = None) -> str | bytes:
    """Return the host as `getaddrinfo` should get it.

    Args:
        host: the host.
        loop: the event loop that is asked; None for `socket.getaddrinfo`, which event loops ask too.
    """
    is_own = _is_defined_in(socket.getaddrinfo, "socket")
    if loop is not None:
        is_own = is_own and _is_defined_in(loop.getaddrinfo, "asyncio.base_events")
    return host.encode("ascii") if is_own else host


def for_tls(host: str, context: ssl.SSLContext) -> str | bytes:
    """Return the host as a context's `wrap_socket` should get it: without the final dot, which is for DNS alone."""
    name = host.rstrip(".")
    is_own = type(context) is sys.modules["ssl"].SSLContext and _is_defined_in(context.wrap_socket, "ssl")
    return name.encode("ascii") if is_own else name


def _is_defined_in(function: Any, module: str) -> bool:
    # By its type and its globals. Wrappers often have the `__module__` of what they wrap.
    return type(function) in (FunctionType, MethodType) and function.__globals__ is vars(sys.modules[module])
