"""The header that lets AWS see a function of Lambda calling itself, and X-Ray connect what it calls.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._call.http_messages import Headers

_TRACE_ID = "_X_AMZN_TRACE_ID"  # Lambda sets it anew for each invocation
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~=;:+&[]{}\"',")


def trace_header(environ: Mapping[str, str]) -> Headers:
    """Return the header X-Amzn-Trace-Id as AWS's SDKs send it, percent-encoded; nothing if there is no trace."""
    value = environ.get(_TRACE_ID, "").encode("utf-8", "surrogateescape")
    if not value:
        return ()
    return (("X-Amzn-Trace-Id", "".join([chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in value])),)
