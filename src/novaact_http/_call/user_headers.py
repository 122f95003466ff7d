"""The headers that users add to every request. Imported only if there are any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Headers

# RFC 9110, 5.1 and 5.5; values in ASCII alone, as nothing says how other characters are read.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")

_OURS = frozenset(
    {
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
    }
)
# RFC 9110, 7.6.1, and those that change how messages follow one another.
_OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Proxies and tracing change these on the way. botocore leaves out the same.
_NOT_SIGNED = frozenset({"baggage", "traceparent", "tracestate", "x-amzn-trace-id"})


class UserHeaders(NamedTuple):
    """Headers that were checked.

    Attributes:
        signed: those that the signature protects.
        unsigned: those that it leaves out.
    """

    signed: Headers
    unsigned: Headers


def check(given: object) -> UserHeaders:
    """Return the headers by whether they are signed.

    Raises:
        ConfigurationError: they cannot be sent, or would change what the library sends. It shows no value.
    """
    if not isinstance(given, Mapping):
        raise _wrong(f"is of type {type(given).__name__}", "pass a dict of str to str")
    signed: list[tuple[str, str]] = []
    unsigned: list[tuple[str, str]] = []
    seen: set[str] = set()
    for name, value in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _wrong(f"has the name {name!r:.100}", "use letters, digits and hyphens")
        lower = name.lower()
        if lower in seen:
            raise _wrong(f"has {name} twice", "use one spelling, and join the values with a comma")
        seen.add(lower)
        if lower in _OURS:
            advice = "use app_id" if lower == "user-agent" else "leave it out"
            raise _wrong(f"has {name}, which the library sets itself", advice)
        if lower in _OF_THE_CONNECTION:
            raise _wrong(f"has {name}, which is about the connection and not the request", "leave it out")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise _wrong(
                f"has a value for {name} that is no header's",
                "use a str of ASCII characters, without line breaks or spaces around it",
            )
        (unsigned if lower in _NOT_SIGNED else signed).append((name, value))
    return UserHeaders(tuple(signed), tuple(unsigned))


def _wrong(problem: str, advice: str) -> ConfigurationError:
    return ConfigurationError(problem, setting="headers", source="the argument headers", advice=advice)
