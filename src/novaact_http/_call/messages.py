"""One HTTP exchange as plain values: what the flow asks to be sent, and what comes back.

They belong to no HTTP library. Header values are kept out of every repr: they hold the signature and the session token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from novaact_http.config import Timeout

Headers = tuple[tuple[str, str], ...]


class Origin(NamedTuple):
    """What a connection leads to. See `Endpoint`."""

    scheme: str
    host: str
    port: int


class Endpoint(NamedTuple):
    """Where requests go.

    Attributes:
        scheme: `"http"` or `"https"`.
        host: lower-case name or address to connect to, an IPv6 address without brackets; with a dot at its end perhaps.
        port: to connect to.
        authority: the Host header: lower-case, brackets around an IPv6 address, the scheme's own port left out, and
            such a dot.
        path: what every request's path begins with; `""` or beginning with `/`, without a trailing slash.
        query: what every request's query begins with, `""` for none.
    """

    scheme: str
    host: str
    port: int
    authority: str
    path: str = ""
    query: str = ""

    @property
    def origin(self) -> Origin:
        """Scheme, host and port."""
        return Origin(self.scheme, self.host, self.port)

    @property
    def url(self) -> str:
        """What it is written as."""
        return f"{self.scheme}://{self.authority}{self.path}" + (f"?{self.query}" if self.query else "")


class Request(NamedTuple):
    """A signed request. All text is ASCII.

    Attributes:
        target: the path and query exactly as they go on the request line.
        deadline: when the whole response must have come, by `time.monotonic`; None for no limit.
        repeatable: may it be sent again, if it is not known whether the service has seen it?
    """

    method: str
    endpoint: Endpoint
    target: str
    headers: Headers
    body: bytes
    timeout: Timeout
    deadline: float | None = None
    repeatable: bool = False

    def __repr__(self) -> str:
        return f"Request({self.method} {self.endpoint.scheme}://{self.endpoint.authority}{self.target})"


class Response(NamedTuple):
    """A whole response. Header names are lower-case; `body` is as it came, never decompressed."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"
