"""Recorded exchanges: each case is a folder with numbered requests and responses, as they cross the wire.

`1.request.http` and `1.response.http` are HTTP/1.1 messages with CRLF line ends. A case of several calls continues with
2, 3 and so on. The file `provenance` says how the case was recorded.

What differs from one recording to the next is normalised: dates, the User-Agent, the invocation id, the values in the
Authorization header and the local service's port. So recording again writes the same files, and no file has a secret.
"""

from __future__ import annotations

import contextlib
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote

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
# UUIDs and account numbers, in one pattern because the end of a UUID can look like an account number.
_ID = re.compile(rb"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|\b[0-9]{12}\b")
_PRINCIPAL = re.compile(rb"(arn:aws[a-z-]*:(?:iam|sts)::[0-9]*:)[\w+=,.@/-]+")
_ACCOUNT = b"123456789012"
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

    def header(self, name: str) -> str:
        """Return the value of a header, or `""` if there is none. The case of the name does not matter."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

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
    (case / "provenance").write_text(provenance, encoding="utf-8")


def add(case: Path, number: int, request: Message, response: Message) -> None:
    """Add an exchange to a case. The first has the number 1."""
    (case / _REQUEST.format(number)).write_bytes(request.normalised().to_bytes())
    (case / _RESPONSE.format(number)).write_bytes(response.normalised().to_bytes())


@attrs.define
class Scrubber:
    """Replaces what belongs to an account. The same original always gets the same replacement.

    It replaces names of workflow definitions, ids of runs and sessions, UUIDs, pagination tokens, account numbers and
    principals of IAM and STS. It also replaces the parts of a request's Authorization header and session token that a
    service may repeat in a response.
    """

    _replacements: dict[bytes, bytes] = attrs.field(factory=dict, init=False)
    _ids: dict[bytes, bytes] = attrs.field(factory=dict, init=False)

    def scrub(self, request: Message, response: Message) -> tuple[Message, Message]:
        """Return an exchange with everything replaced.

        Call it with the exchanges in their order, because a request repeats the token of the response before it.
        """
        self._learn_from_request(request)
        self._learn_from_response(response)
        return self._replace(request), self._replace(response)

    def _learn_from_request(self, request: Message) -> None:
        path, _, query = request.start.split(" ")[1].partition("?")
        parts = path.split("/")
        if len(parts) == 5:  # /workflow-definitions/NAME/workflow-runs/ID
            self._learn(unquote(parts[2]), "example-definition")
            self._learn_id(unquote(parts[4]), "run")
        for token in parse_qs(query).get("nextToken", []):
            self._learn(token, f"token-{len(self._replacements)}")
        self._learn(request.header("X-Amz-Security-Token"), "normalised")
        signed = re.search(r"Credential=([^/]+)/.*Signature=([0-9a-f]{64})", request.header("Authorization"))
        if signed:
            self._learn(signed[1], "ACCESS_KEY_ID")
            self._learn(signed[2], "0" * 64)

    def _learn_from_response(self, response: Message) -> None:
        with contextlib.suppress(ValueError, AttributeError, TypeError, KeyError):
            page = json.loads(response.body)
            token = page.get("nextToken")
            if isinstance(token, str):
                self._learn(token, f"token-{len(self._replacements)}")
            for each in page["sessionSummaries"]:
                self._learn_id(each["sessionId"], "session")

    def _learn_id(self, real: str, kind: str) -> None:
        if not _ID.fullmatch(real.encode()):  # `_replace` handles all of these
            self._learn(real, f"{kind}-{len(self._replacements)}")

    def _learn(self, real: str, replacement: str) -> None:
        if real:
            self._replacements.setdefault(real.encode(), replacement.encode())
            self._replacements.setdefault(quote(real, safe="-._~").encode(), replacement.encode())

    def _replace(self, message: Message) -> Message:
        raw = message.to_bytes()
        for real, replacement in self._replacements.items():
            raw = re.sub(rb"(?<![\w-])%b(?![\w-])" % re.escape(real), replacement, raw)
        raw = _ID.sub(self._replace_id, _PRINCIPAL.sub(rb"\1user/example", raw))
        scrubbed = Message.from_bytes(raw)
        length = str(len(scrubbed.body))
        headers = ((name, length if name.lower() == "content-length" else value) for name, value in scrubbed.headers)
        return attrs.evolve(scrubbed, headers=tuple(headers))

    def _replace_id(self, match: re.Match[bytes]) -> bytes:
        if len(match[0]) == len(_ACCOUNT):
            return _ACCOUNT
        return self._ids.setdefault(match[0], b"00000000-0000-4000-8000-%012x" % (len(self._ids) + 1))
