"""`Recorder`: a transport that writes exchanges to files."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from novaact_http._needed_packages import needed
from novaact_http.testing import _recordings
from novaact_http.testing._argument_checks import check, refuse
from novaact_http.testing._recordings import Message
from novaact_http.testing._scrubbing import Scrubber

with needed("httpx", by="Recorder"):
    import httpx

    from novaact_http.transports import LeanAsyncTransport, LeanTransport

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterable, Iterable

T = TypeVar("T", httpx.BaseTransport, httpx.AsyncBaseTransport)

_PROVENANCE = (
    "Recorded by novaact_http.testing.Recorder. Names, ids and tokens were made up. "
    "Not known to be harmless: {headers} headers, which were left out, and {words} words, which were replaced by x.\n"
)


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that writes all exchanges to a folder, for `replay`. It serves either kind of client, but not both.

    Only what is known to be harmless is written: the service's paths, headers and members, and the usual words of its
    messages. Names, ids and tokens are made up, the same one always as the same other one. Other headers are left out,
    other words become `x`, and large numbers 0; the file `provenance` says how many headers and words that were. The
    files are written as soon as an exchange ends. An earlier recording in the folder is replaced.

    Args:
        folder: the folder to write to; made if it does not exist.
        transport: the transport that sends the requests; by default the library's own, `LeanTransport` or
            `LeanAsyncTransport`.

    Raises:
        ValueError: `transport` is not a transport; or, at the first request, it is not of the client's kind.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
    ) -> None:
        is_transport = isinstance(transport, (httpx.BaseTransport, httpx.AsyncBaseTransport, type(None)))
        check("transport", transport, "an httpx.BaseTransport or an httpx.AsyncBaseTransport", valid=is_transport)
        self._folder = Path(folder)
        self._transport = transport
        self._default: LeanTransport | LeanAsyncTransport | None = None
        self._scrubber = Scrubber()
        self._count = 0
        self._lock = threading.Lock()
        _recordings.begin(self._folder, _PROVENANCE.format_map(self._scrubber.left_out))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and write it to the folder with its response."""
        transport = self._sender(httpx.BaseTransport, LeanTransport)
        response = transport.handle_request(request)
        try:
            body = b"".join(cast("Iterable[bytes]", response.stream))
        finally:
            response.close()
        return self._record(request, response, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `handle_request`."""
        transport = self._sender(httpx.AsyncBaseTransport, LeanAsyncTransport)
        response = await transport.handle_async_request(request)
        try:
            body = b"".join([part async for part in cast("AsyncIterable[bytes]", response.stream)])
        finally:
            await response.aclose()
        return self._record(request, response, body)

    def _sender(self, required: type[T], default: type[LeanTransport | LeanAsyncTransport]) -> T:
        with self._lock:
            if self._transport is None:
                self._transport = self._default = default()
            transport = self._transport
        if not isinstance(transport, required):
            refuse("a Recorder's transport", type(transport), f"an httpx.{required.__name__} for this client")
        return transport

    def _record(self, request: httpx.Request, response: httpx.Response, body: bytes) -> httpx.Response:
        sent = Message(
            f"{request.method} {request.url.raw_path.decode('ascii')} HTTP/1.1",
            _header_pairs(request.headers),
            request.content,
        )
        headers = _header_pairs(response.headers)
        received = Message.response(response.status_code, headers, body)
        with self._lock:
            self._count += 1
            _recordings.add(self._folder, self._count, *self._scrubber.scrub(sent, received))
            _recordings.say(self._folder, _PROVENANCE.format_map(self._scrubber.left_out))
        return httpx.Response(response.status_code, headers=headers, stream=httpx.ByteStream(body))

    def close(self) -> None:
        """Close the transport, unless it was passed to `Recorder`."""
        if isinstance(self._default, LeanTransport):
            self._default.close()

    async def aclose(self) -> None:
        """See `close`."""
        if isinstance(self._default, LeanAsyncTransport):
            await self._default.aclose()


def _header_pairs(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw])
