"""HTTP/1.1 for a client, without I/O: a request to bytes, and the bytes of a response to values.

https://www.rfc-editor.org/rfc/rfc9112 (how it is written) and https://www.rfc-editor.org/rfc/rfc9110 (what it means)

A reader reads one response. Connections, time limits, and whether to send again are up to the code that uses it.

What two readers could understand differently is refused: all that h11 refuses, and this, which h11 accepts:

- a bare LF as the end of a line (RFC 9112, 2.2), and obsolete line folding (5.2);
- a version other than HTTP/1.0 and HTTP/1.1;
- Transfer-Encoding with Content-Length (6.3), or in a response of HTTP/1.0 (6.1);
- around a chunk: a size of more than 16 digits, whitespace after the size, extensions of more than 1,024 bytes, or one
  that is not written as 7.1.1 says: without a name, or with a quote that does not end;
- Content-Length, Transfer-Encoding or Connection as a trailer (RFC 9110, 6.5.1);
- status 101, and 2xx in response to CONNECT, even if the request asked for it;
- in a request: control characters (RFC 9110, 5.5), several Content-Lengths, `chunked` with upper-case letters.

A response's fields may have control characters other than NUL, LF, VT, FF and CR, as RFC 9110, 5.5, permits. Repeated
equal Content-Lengths count as one, and Transfer-Encoding is returned in lower case. Trailers are checked and dropped.

It is built for a small response that comes in one piece: one search for the end of the head, one decoding, one count of
forbidden characters, one split, one look-up for each name, one slice. The work is linear in the bytes that are fed,
however they are split, and the parts of a body that were taken are not kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novaact_http._call.http_messages import Headers

MAX_HEAD: Final = 65_536  # bytes
LAST_CHUNK: Final = b"0\r\n\r\n"

_END: Final = b"\r\n\r\n"  # ends a head, and trailers
_WHITESPACE: Final = " \t"
# They are counted, to check a whole head at once. CR and LF are right if there are as many as the line ends have.
_FORBIDDEN_TO_READ: Final = b"\0\n\v\f\r"
_FORBIDDEN_TO_WRITE: Final = bytes([*range(9), *range(10, 32), 127])
_BEGINNING: Final = b"HTTP/1."
_STATUS_LINE: Final = re.compile(r"HTTP/(1\.[01]) ([1-9][0-9]{2})(?: (.*))?")
_LENGTH: Final = re.compile(r"[0-9]{1,20}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# The line before a chunk, with the CRLF that ends what comes before the line: the head, or the last chunk's data.
# This and the next two are compiled when a response is in chunks, as hardly any is.
_CHUNK_LINE: Final = rb"\r\n([0-9A-Fa-f]{1,16})(;[\t -~\x80-\xff]{0,1024})?\r\n"
_EXTENSIONS: Final = (
    rb"(?:[\t ]*;[\t ]*[!#$%&'*+.^_`|~0-9A-Za-z-]+"
    rb"(?:[\t ]*=[\t ]*(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|\"(?:[^\"\\]|\\.)*\"))?)*"
)
_CHUNK_LINE_BEGUN: Final = rb"(?:\r(?:\n(?:[0-9A-Fa-f]{1,16}(?:;[\t -~\x80-\xff]{0,1024})?\r?)?)?)?"

# The fields that decide how long a message is, and whether another one may follow it.
_DECISIVE: Final = frozenset({"content-length", "transfer-encoding", "connection"})
# The fields that a request may have only once. It may not have both of the last two.
_ONCE: Final = frozenset({"host", "content-length", "transfer-encoding"})

# States of a reader: what it expects next.
_HEAD, _SIZED, _CHUNKED, _TRAILERS, _UNTIL_CLOSE, _COMPLETE, _FAILED = range(7)

_UNLIMITED: Final = float("inf")
_HEAD_TOO_LARGE: Final = "the head of the response or its trailers are too large"
_BODY_TOO_LARGE: Final = "the body of the response is too large"


class ProtocolError(Exception):
    """What came is not an HTTP/1.1 response, or not the rest of one. The connection cannot be used any more."""


class UnsendableError(ValueError):
    """HTTP/1.1 cannot express the request, or a server might read it as another one."""


class _Tokens(dict[str, str]):
    """The lower case of tokens. Valid tokens are remembered, as the same ones come all the time."""

    _MAX_COUNT = 1_000
    _MAX_LENGTH = 64

    def __missing__(self, token: str) -> str:
        if _TOKEN.fullmatch(token) is None:
            raise KeyError(token)
        lower = token.lower()
        if len(self) < self._MAX_COUNT and len(token) <= self._MAX_LENGTH:
            self[token] = lower
        return lower


_tokens = _Tokens()


def encode_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a request: its line, and its fields in the given order.

    Args:
        method: such as `"POST"`.
        target: path and query, encoded.
        headers: with Host, and with Content-Length or `Transfer-Encoding: chunked` if there is a body.

    Raises:
        UnsendableError: the request must not be sent. The message contains no value of a field.
    """
    lines = [f"{method} {target} HTTP/1.1"]
    once = []
    try:
        _tokens[method]
        for name, value in headers:
            lower = _tokens[name]
            if value != value.strip(_WHITESPACE):
                raise UnsendableError(f"whitespace around the value of {name}")
            if lower in _ONCE:
                _check_once(lower, value)
                once.append(lower)
            lines.append(f"{name}: {value}")
    except KeyError as error:
        raise UnsendableError(f"a method or a header's name is not a token: {_short(error.args[0])}") from None
    if once.count("host") != 1:
        raise UnsendableError("a request must have exactly one Host")  # RFC 9112, 3.2
    if len(once) > 2:
        raise UnsendableError("more than one Content-Length or Transfer-Encoding")  # RFC 9112, 6.2
    # RFC 9112, 3.2. Control characters are counted below.
    if not target or not target.isascii() or " " in target or "\t" in target:
        raise UnsendableError("the target is empty, or has whitespace or non-ASCII characters in it")
    lines.append("\r\n")
    try:
        head = "\r\n".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise UnsendableError("a header's value has characters beyond Latin-1 in it") from None
    if len(head) - len(head.translate(None, _FORBIDDEN_TO_WRITE)) != 2 * len(lines):
        raise UnsendableError("the target or a header's value has control characters in it")  # RFC 9110, 5.5
    return head


def encode_chunk(data: bytes) -> bytes:
    """Return a piece of a body as a chunk; for an empty piece, return nothing, as an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class ResponseReader:
    """Reads the response to one request.

    Args:
        method: the request's method; it decides whether the response has a body.
        max_head: the limit in bytes on the head. It includes informational responses before the head, and the
            extensions of chunks and the trailers after it.
        max_body: the limit in bytes on the body; None for no limit.
        max_error_body: how many bytes are read of the body of an error, that is, of a response with a status from 300
            on; None to treat it as any other body. What goes beyond is not read, and the connection is not used again.

    Attributes:
        started: whether anything of a response has come.
        status: the status of the final response; None until its head has come.
        reason: the reason phrase as it came; `""` if there is none.
        http_version: `"1.0"` or `"1.1"`.
        headers: with names in lower case.
        raw_headers: the same, with names as they came.
        complete: whether all of the response has come, or all that is read of it.
        keep_alive: whether another request may follow on the connection, as far as the response tells. False until the
            response is complete.
        leftovers: whether bytes came after the end of the response. They are dropped.
    """

    __slots__ = (
        "_body",
        "_body_room",
        "_head_room",
        "_left",
        "_lines",
        "_max_error_body",
        "_method",
        "_pending",
        "_persistent",
        "_state",
        "complete",
        "headers",
        "http_version",
        "keep_alive",
        "leftovers",
        "reason",
        "started",
        "status",
    )

    def __init__(
        self,
        method: str,
        *,
        max_head: int = MAX_HEAD,
        max_body: int | None = None,
        max_error_body: int | None = None,
    ) -> None:
        self.started = False
        self.status: int | None = None
        self.reason = ""
        self.http_version = ""
        self.headers: Headers = ()
        self.complete = False
        self.keep_alive = False
        self.leftovers = False
        self._method = method
        self._head_room = max_head  # bytes that may still come
        self._body_room = _UNLIMITED if max_body is None else max_body
        self._max_error_body = max_error_body
        self._lines: list[str] = []  # of the fields, as they came
        self._state = _HEAD
        self._persistent = False  # becomes `keep_alive`
        self._left = 0  # bytes of the body, or of the chunk, that are yet to come
        self._pending = bytearray()  # the beginning of a head, of a chunk's line, or of trailers
        self._body: bytes | bytearray = b""  # the part that has come and was not taken

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the connection. No bytes do nothing: the end of the connection is `feed_eof`.

        Raises:
            ProtocolError: the response is malformed, ambiguous or too large, or was found to be so before.
        """
        if self._state == _FAILED:
            raise ProtocolError("the response was broken before")
        if not data:
            return
        self.started = True
        try:
            if self._pending:
                data = self._joined(data)
                if not data:
                    return
            self._READERS[self._state](self, data, 0)
        except ProtocolError:
            self._state = _FAILED
            raise

    def feed_eof(self) -> None:
        """Read the end of the connection.

        Raises:
            ProtocolError: the response is not complete.
        """
        state = self._state
        if state == _UNTIL_CLOSE:
            self._finish(b"", 0)
        elif state == _COMPLETE:
            self.keep_alive = False
        else:
            self._state = _FAILED
            where = "before any of the response came" if not self.started else "in the middle of the response"
            raise ProtocolError(f"the connection ended {where}")

    @property
    def raw_headers(self) -> Headers:
        # In their order; lines without a field of their own, such as a repeated Content-Length, are passed over.
        names = iter([line.partition(":")[0] for line in self._lines])
        return tuple([(next(each for each in names if each.lower() == name), value) for name, value in self.headers])

    def take(self) -> bytes:
        """Return the part of the body that has come since the last call."""
        body = bytes(self._body)
        self._body = b""
        return body

    def _add(self, piece: bytes) -> None:
        # Not to a list, where a small piece takes many times its length.
        if not self._body:
            self._body = piece
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += piece

    def _joined(self, data: bytes) -> bytes:
        """Return all that is pending, with what has come; return nothing if it stays pending."""
        pending = self._pending
        seen = len(pending)
        pending += data
        # The line of a chunk is short enough to be parsed again with each byte; a head is not.
        if self._state != _CHUNKED and pending.find(_END, max(seen - 3, 0)) < 0:
            self._check_pending(seen)
            return b""
        data = bytes(pending)
        pending.clear()
        return data

    def _check_pending(self, seen: int) -> None:
        """Refuse a head or trailers before their end has come, as soon as they are certainly bad."""
        pending = self._pending
        if len(pending) >= self._head_room:
            raise ProtocolError(_HEAD_TOO_LARGE)
        if self._state == _HEAD and not _BEGINNING.startswith(bytes(pending[: len(_BEGINNING)])):
            raise ProtocolError(f"not HTTP/1.0 or HTTP/1.1: {_short(bytes(pending))}")
        if pending.count(b"\n", seen) != pending.count(b"\r\n", max(seen - 1, 0)):
            raise ProtocolError("a bare LF in the head or the trailers")

    def _end_of_section(self, data: bytes, start: int) -> int:
        """Return where the head or the trailers at `start` end; -1 if the end is yet to come: then they are pending."""
        end = data.find(_END, start)
        if end < 0:
            self._pending += data[start:]
            self._check_pending(0)
            return end
        self._head_room -= end + len(_END) - start
        if self._head_room < 0:
            raise ProtocolError(_HEAD_TOO_LARGE)
        return end

    def _read_head(self, data: bytes, start: int) -> None:
        while True:
            end = self._end_of_section(data, start)
            if end < 0:
                return
            line, *lines = _lines(data[start:end])
            match = _STATUS_LINE.fullmatch(line)
            if match is None:
                raise ProtocolError(f"not a status line of HTTP/1.0 or HTTP/1.1: {_short(line)}")
            version, digits, reason = match.groups()
            status = int(digits)
            headers, decisive = _fields(lines)
            start = end + len(_END)
            self._check_use(status, version, decisive)
            if status >= 200:
                break
        self.status, self.http_version, self.reason, self.headers = status, version, reason or "", tuple(headers)
        self._lines = lines
        # RFC 9112, 9.3.
        self._persistent = version == "1.1"
        if "connection" in decisive and "close" in _members(decisive["connection"]):
            self._persistent = False
        if status >= 300 and self._max_error_body is not None:
            self._body_room = self._max_error_body
        # RFC 9112, 6.3, in its order.
        if self._method == "HEAD" or status in (204, 304):
            self._finish(data, start)
        elif "transfer-encoding" in decisive:
            self._state = _CHUNKED
            self._read_chunked(data, start - 2)
        elif "content-length" in decisive:
            self._state = _SIZED
            self._left = int(decisive["content-length"])
            self._read_sized(data, start)
        else:
            self._state = _UNTIL_CLOSE
            self._persistent = False
            self._read_until_close(data, start)

    def _check_use(self, status: int, version: str, decisive: dict[str, str]) -> None:
        if status == 101 or (self._method == "CONNECT" and 200 <= status < 300):
            raise ProtocolError("the connection was switched to another protocol")
        if version == "1.0" and "transfer-encoding" in decisive:
            raise ProtocolError("Transfer-Encoding in a response of HTTP/1.0")  # RFC 9112, 6.1

    def _read_sized(self, data: bytes, start: int) -> None:
        if self._left > self._body_room:
            self._read_cut(data, start)
            return
        end = start + self._left
        piece = data[start:end]
        self._add(piece)
        self._left -= len(piece)
        if not self._left:
            self._finish(data, end)

    def _read_until_close(self, data: bytes, start: int) -> None:
        piece = data[start:]
        if len(piece) > self._body_room:
            self._read_cut(data, start)
            return
        self._body_room -= len(piece)
        self._add(piece)

    def _read_chunked(self, data: bytes, start: int) -> None:
        while True:
            if self._left:
                piece = data[start : start + self._left]
                self._add(piece)
                start += len(piece)
                self._left -= len(piece)
                if self._left:
                    return
            line = re.compile(_CHUNK_LINE).match(data, start)
            if line is None:
                if re.compile(_CHUNK_LINE_BEGUN).fullmatch(data, start) is None:
                    raise ProtocolError("bad end of a chunk, or size of the next")  # not shown: it may be of the body
                self._pending += data[start:]
                return
            start = line.end()
            if line[2] is not None:
                self._check_extensions(line[2])
            self._left = int(line[1], 16)
            if self._left > self._body_room:
                self._read_cut(data, start)
                return
            self._body_room -= self._left
            if not self._left:
                self._state = _TRAILERS
                self._read_trailers(data, start - 2)
                return

    def _check_extensions(self, extensions: bytes) -> None:
        if re.fullmatch(_EXTENSIONS, extensions) is None:
            raise ProtocolError("bad extension of a chunk")
        self._head_room -= len(extensions)
        if self._head_room < 0:
            raise ProtocolError(_HEAD_TOO_LARGE)

    def _read_cut(self, data: bytes, start: int) -> None:
        """Read on to where the body goes beyond its limit, if it is an error's, and no further."""
        if self._max_error_body is None or (self.status or 0) < 300:
            raise ProtocolError(_BODY_TOO_LARGE)
        self._persistent = False
        self._state, self._left = _SIZED, int(self._body_room)
        self._read_sized(data, start)

    def _read_trailers(self, data: bytes, start: int) -> None:
        end = self._end_of_section(data, start)
        if end < 0:
            return
        if end > start:
            _, decisive = _fields(_lines(data[start + 2 : end]))
            if decisive:
                raise ProtocolError(f"{next(iter(decisive))} among the trailers")  # RFC 9110, 6.5.1
        self._finish(data, end + len(_END))

    def _finish(self, data: bytes, end: int) -> None:
        self._state = _COMPLETE
        self.complete = True
        self.leftovers = len(data) > end
        self.keep_alive = self._persistent and not self.leftovers

    # The method that reads what comes, by state.
    _READERS = (_read_head, _read_sized, _read_chunked, _read_trailers, _read_until_close, _finish)


def _lines(section: bytes) -> list[str]:
    """Return the lines of a head or of trailers."""
    lines = section.decode("latin-1").split("\r\n")
    if len(section) - len(section.translate(None, _FORBIDDEN_TO_READ)) != 2 * (len(lines) - 1):
        raise ProtocolError("a bare CR or LF, or NUL, VT or FF, in the head or the trailers")
    return lines


def _fields(lines: list[str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Return all fields, and the values of the decisive ones by name."""
    fields = []
    decisive: dict[str, str] = {}
    try:
        for line in lines:
            name, value = line.split(":", 1)
            name = _tokens[name]
            value = value.strip(_WHITESPACE)
            if name in _DECISIVE:
                repeated = name in decisive
                value = _decide(name, value, decisive)
                if repeated and name == "content-length":
                    continue
            fields.append((name, value))
    except KeyError as error:
        raise ProtocolError(f"not the name of a field: {_short(error.args[0])}") from None
    except ValueError:
        raise ProtocolError("a line without a colon in the head or the trailers") from None
    if "content-length" in decisive and "transfer-encoding" in decisive:
        raise ProtocolError("both Transfer-Encoding and Content-Length")  # RFC 9112, 6.3
    return fields, decisive


def _decide(name: str, value: str, decisive: dict[str, str]) -> str:
    """Add the value of a decisive field to the known ones, and return it normalized."""
    known = decisive.get(name)
    if name == "connection":
        decisive[name] = value.lower() if known is None else f"{known},{value.lower()}"
        return value
    if name == "transfer-encoding":
        value = value.lower()
        if value != "chunked" or known is not None:
            raise ProtocolError("a Transfer-Encoding other than chunked")
    else:
        if "," in value:  # RFC 9112, 6.3: a list of equal lengths may be read as that length
            value, *others = set(_members(value))
            if others:
                raise ProtocolError("several Content-Lengths")
        if _LENGTH.fullmatch(value) is None:
            raise ProtocolError(f"not a Content-Length: {_short(value)}")
        if known is not None and known != value:
            raise ProtocolError("several Content-Lengths")
    decisive[name] = value
    return value


def _members(value: str) -> list[str]:
    """Return the members of a list without quoted strings (RFC 9110, 5.6.1)."""
    return [each.strip(_WHITESPACE) for each in value.split(",")]


def _check_once(name: str, value: str) -> None:
    if name == "content-length" and not _LENGTH.fullmatch(value):
        raise UnsendableError("Content-Length is not a number of bytes")
    if name == "transfer-encoding" and value != "chunked":
        raise UnsendableError("Transfer-Encoding is not chunked")


def _short(data: str | bytes) -> str:
    return repr(data[:20])
