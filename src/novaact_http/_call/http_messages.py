"""One HTTP exchange as plain values: the request that the flow asks to send, and its response.

They depend on no HTTP library. No repr shows header values, as these hold the signature and the session token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from novaact_http.config import Timeout

Headers = tuple[tuple[str, str], ...]


class Origin(NamedTuple):
    """The server that a connection goes to.

    Attributes:
        scheme: `"http"` or `"https"`.
        host: its name or address: lower-case, without brackets around an IPv6 address; a name may end with a dot.
        port: its port.
    """

    scheme: str
    host: str
    port: int


class Endpoint(NamedTuple):
    """Where requests go.

    Attributes:
        origin: where to connect to.
        authority: the Host header: lower-case, with brackets around an IPv6 address, without the scheme's default port
            and without a dot at the end of the name.
        path: what every request's path begins with: `""`, or a path that begins with `/` and does not end with one.
        query: what every request's query begins with; `""` for nothing.
    """

    origin: Origin
    authority: str
    path: str = ""
    query: str = ""

    @property
    def scheme(self) -> str:
        """The origin's scheme."""
        return self.origin.scheme

    @property
    def host(self) -> str:
        """The origin's host."""
        return self.origin.host

    @property
    def url(self) -> str:
        """The endpoint as a URL."""
        return f"{self.scheme}://{self.authority}{self.path}" + (f"?{self.query}" if self.query else "")


class Request(NamedTuple):
    """A signed request. All text is ASCII.

    Attributes:
        target: the path and query exactly as they go on the request line.
        deadline: when the whole response must be there: a time of `time.monotonic`, or None for no limit.
        repeatable: whether it may be sent again when it is unknown if the service has seen it.
        head: method, target and headers as they are sent, if they are known to be as HTTP wants them; else `b""`.
    """

    method: str
    endpoint: Endpoint
    target: str
    headers: Headers
    body: bytes
    timeout: Timeout
    deadline: float | None = None
    repeatable: bool = False
    head: bytes = b""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.endpoint.scheme}://{self.endpoint.authority}{self.target})"


class Response(NamedTuple):
    """A whole response. Header names are lower-case. `body` is what was received, never decompressed."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"
