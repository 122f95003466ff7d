"""Recorded exchanges: each case is a folder with numbered requests and responses, as they cross the wire.

`1.request.http` and `1.response.http` are HTTP/1.1 messages with CRLF line ends. A case of several calls continues with
2, 3 and so on. The file `provenance` says how the case was recorded.

What differs from one recording to the next is normalised: dates, the User-Agent, the invocation id, the values in the
Authorization header and the local service's port. So recording again writes the same files, and no file has a secret.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NORMAL_FORMS = {
    "date": "Thu, 01 Jan 1970 00:00:00 GMT",
    "user-agent": "normalised",
    "x-amz-date": "19700101T000000Z",
    "x-amz-security-token": "normalised",
    "amz-sdk-invocation-id": "00000000-0000-4000-8000-000000000000",
}
_REQUEST = "{}.request.http"
_RESPONSE = "{}.response.http"


@attrs.frozen
class Message:
    """An HTTP message: its start line, its headers in order, and its body."""

    start: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def to_bytes(self) -> bytes:
        """Return the message as it crosses the wire."""
        head = "".join(f"{line}\r\n" for line in (self.start, *(f"{name}: {value}" for name, value in self.headers)))
        return f"{head}\r\n".encode("latin-1") + self.body

    @classmethod
    def from_bytes(cls, raw: bytes) -> Message:
        """Parse a message."""
        head, _, body = raw.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = (line.partition(":")[::2] for line in lines)
        return cls(start, tuple((name, value.strip()) for name, value in headers), body)

    @classmethod
    def response(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Message:
        """Make a response, with the standard reason phrase if its status has one."""
        phrase = HTTPStatus(status).phrase if status in {*HTTPStatus} else ""
        return cls(f"HTTP/1.1 {status} {phrase}", tuple(headers), body)

    @property
    def status(self) -> int:
        """The status code of a response."""
        return int(self.start.split(" ")[1])

    def normalised(self) -> Message:
        """Return the message without what differs from one recording to the next."""
        return attrs.evolve(self, headers=tuple((name, _normal(name.lower(), value)) for name, value in self.headers))


def _normal(name: str, value: str) -> str:
    if name == "host":
        return re.sub(r"^127\.0\.0\.1:\d+$", "127.0.0.1", value)
    if name == "authorization":
        value = re.sub(r"Credential=[^/]+/\d{8}/", "Credential=ACCESS_KEY_ID/19700101/", value)
        return re.sub(r"Signature=[0-9a-f]{64}", f"Signature={'0' * 64}", value)
    return _NORMAL_FORMS.get(name, value)


def read(case: Path) -> list[tuple[Message, Message]]:
    """Return the requests of a case with their responses, in order."""
    numbers = sorted(int(path.name.partition(".")[0]) for path in case.glob(_REQUEST.format("*")))
    return [
        (
            Message.from_bytes((case / _REQUEST.format(number)).read_bytes()),
            Message.from_bytes((case / _RESPONSE.format(number)).read_bytes()),
        )
        for number in numbers
    ]


def begin(case: Path, provenance: str) -> None:
    """Start a case: make its folder, and delete an earlier recording in it."""
    case.mkdir(parents=True, exist_ok=True)
    for pattern in (_REQUEST, _RESPONSE):
        for old in case.glob(pattern.format("*")):
            old.unlink()
    say(case, provenance)


def say(case: Path, provenance: str) -> None:
    """Write how a case was recorded."""
    (case / "provenance").write_text(provenance, encoding="utf-8")


def add(case: Path, number: int, request: Message, response: Message) -> None:
    """Add an exchange to a case. The first has the number 1."""
    (case / _REQUEST.format(number)).write_bytes(request.normalised().to_bytes())
    (case / _RESPONSE.format(number)).write_bytes(response.normalised().to_bytes())
