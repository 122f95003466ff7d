"""How our reader and h11 read a response, for comparison; and how h11 reads a request."""

from __future__ import annotations

from typing import Any, NamedTuple

import h11

from novaact_http._http.http1 import ProtocolError, ResponseReader

HOST = ("Host", "service.example")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Read(NamedTuple):
    """A response as a reader has read it."""

    status: int | None
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool
    keep_alive: bool
    leftovers: bool


def read(*pieces: bytes, method: str = "GET", eof: bool = False, **limits: Any) -> Read:
    """Read a response with our reader. The body is taken after every piece."""
    reader = ResponseReader(method, **limits)
    body = []
    for piece in pieces:
        reader.feed(piece)
        body.append(reader.take())
    if eof:
        reader.feed_eof()
    return Read(
        reader.status,
        reader.reason,
        reader.http_version,
        reader.headers,
        b"".join(body),
        reader.complete,
        reader.keep_alive,
        reader.leftovers,
    )


def outcome(*pieces: bytes, method: str = "GET", eof: bool = False) -> Read | None:
    """Read a response with our reader; return None if it is refused."""
    try:
        return read(*pieces, method=method, eof=eof)
    except ProtocolError:
        return None


def by_h11(data: bytes, method: str = "GET", *, eof: bool = False) -> Read | None:
    """Read a response with h11; return None if it is refused."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1_000_000)
    connection.send(h11.Request(method=method, target="/", headers=[HOST]))
    connection.send(h11.EndOfMessage())
    final, body, ended = None, b"", False
    try:
        if data:
            connection.receive_data(data)
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                final = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif event is h11.NEED_DATA:
                if ended or not eof:
                    break
                connection.receive_data(b"")
                ended = True
            else:
                assert isinstance(event, h11.InformationalResponse)
    except h11.RemoteProtocolError:
        return None
    complete = isinstance(event, h11.EndOfMessage)
    leftovers = complete and bool(connection.trailing_data[0])
    keep_alive = complete and not leftovers and not eof and connection.their_state is h11.DONE
    if final is None:
        return Read(None, "", "", (), b"", complete=False, keep_alive=False, leftovers=False)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in final.headers)
    reason, version = final.reason.decode("latin-1"), final.http_version.decode("latin-1")
    return Read(final.status_code, reason, version, headers, body, complete, keep_alive, leftovers)


def request_by_h11(data: bytes) -> tuple[h11.Request, bytes]:
    """Read a request and its body with h11, which must use all bytes and need no more."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=10_000_000)
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += event.data
    assert connection.trailing_data == (b"", False)
    return request, body


def pieces_of(data: bytes, size: int) -> list[bytes]:
    """Cut bytes into pieces of this size."""
    return [data[start : start + size] for start in range(0, len(data), size)]
