"""The server side of HTTP/1.1, without I/O, and only the part of it that clients of AWS use."""

from __future__ import annotations

import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from novaact_http.testing._local_service.http_messages import ReceivedRequest

if TYPE_CHECKING:
    from novaact_http.testing._local_service.http_messages import Answer

_LONGEST_HEAD = 65_536  # bytes
_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\xff]+) HTTP/1\.([01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_LENGTH = re.compile(r"[0-9]{1,9}")


class BadRequest(Exception):  # noqa: N818 - named like the status
    """The bytes received are not a valid request.

    Attributes:
        answer: the bytes to send before the connection is closed.
    """

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.answer = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def take_request(buffer: bytearray) -> tuple[ReceivedRequest, bool] | None:
    """Take the first request from a buffer.

    Returns:
        The request, and whether the connection may be kept; None if the request is not complete yet.

    Raises:
        BadRequest: the bytes are not a valid request.
    """
    end = buffer.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
    if end < 0:
        if len(buffer) < _LONGEST_HEAD:
            return None
        is_line = buffer.find(b"\r\n", 0, _LONGEST_HEAD) < 0
        raise BadRequest(HTTPStatus.REQUEST_URI_TOO_LONG if is_line else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    start, *lines = buffer[:end].decode("latin-1").split("\r\n")
    parsed = _REQUEST_LINE.fullmatch(start)
    fields = [_HEADER.fullmatch(line) for line in lines]
    if parsed is None or None in fields:
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    headers = tuple([(field[1], field[2].rstrip(" \t")) for field in fields if field is not None])
    length = _length(headers)
    body_end = end + 4 + length
    if len(buffer) < body_end:
        return None
    method, target, minor_version = parsed.groups()
    request = ReceivedRequest(method=method, target=target, headers=headers, body=bytes(buffer[end + 4 : body_end]))
    del buffer[:body_end]
    return request, minor_version == "1" and (request.header("Connection") or "").lower() != "close"


def _length(headers: tuple[tuple[str, str], ...]) -> int:
    length = None
    for name, value in headers:
        lower_name = name.lower()
        if lower_name == "content-length" and _LENGTH.fullmatch(value) and length in (None, value):
            length = value
        elif lower_name in ("content-length", "transfer-encoding"):
            raise BadRequest(HTTPStatus.BAD_REQUEST)
    return int(length or 0)


def check_header(name: str, value: str) -> None:
    """Raise a ValueError unless the header can be sent."""
    parsed = _HEADER.fullmatch(f"{name}:{value}")
    if parsed is None or parsed.groups() != (name, value):
        raise ValueError(f"{name!r}: {value!r} is not a header that can be sent")


@lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def encode_head(answer: Answer, request_id: str, now: float) -> bytes:
    """Encode the head of a response. Its own headers replace those that every response has."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = ""
    common = {
        "Date": _date(int(now)),
        "x-amzn-RequestId": request_id,
        "Content-Length": str(len(answer.body)),
    }
    given = {name.lower() for name in answer.headers}
    headers = {**{name: value for name, value in common.items() if name.lower() not in given}, **answer.headers}
    head = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    return f"HTTP/1.1 {answer.status} {phrase}\r\n{head}\r\n".encode("latin-1")
