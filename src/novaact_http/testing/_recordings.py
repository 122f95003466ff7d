"""Recorded exchanges: one folder a case, with numbered requests and responses as they cross the wire.

`1.request.http` and `1.response.http` are HTTP/1.1 messages, line ends and all; a case of several calls goes on with 2,
3 and so on. A file `provenance` says how the case came to be.

What differs from one recording to the next is normalised: dates, the User-Agent, the invocation id, the Authorization
header's values and the local service's port. So recording again gives the same files, and none has a secret in it.
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
# UUIDs and account numbers: at once, as the end of a UUID may look like an account number.
_ID = re.compile(rb"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|\b[0-9]{12}\b")
_PRINCIPAL = re.compile(rb"(arn:aws[a-z-]*:(?:iam|sts)::[0-9]*:)[\w+=,.@/-]+")
_ACCOUNT = b"123456789012"
_REQUEST = "{}.request.http"
_RESPONSE = "{}.response.http"


@attrs.frozen
class Message:
    """An HTTP message: its first line, its headers in order, its body."""

    start: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def to_bytes(self) -> bytes:
        """The message as it crosses the wire."""
        head = "".join(f"{line}\r\n" for line in (self.start, *(f"{name}: {value}" for name, value in self.headers)))
        return f"{head}\r\n".encode("latin-1") + self.body

    @classmethod
    def from_bytes(cls, raw: bytes) -> Message:
        """Take a message apart."""
        head, _, body = raw.partition(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = (line.partition(":")[::2] for line in lines)
        return cls(start, tuple((name, value.strip()) for name, value in headers), body)

    @classmethod
    def response(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Message:
        """A response, its reason phrase the standard's if it has one."""
        phrase = HTTPStatus(status).phrase if status in {*HTTPStatus} else ""
        return cls(f"HTTP/1.1 {status} {phrase}", tuple(headers), body)

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.start.split(" ")[1])

    def header(self, name: str) -> str:
        """The value of a header, in whatever case its name is; `""` if there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    def normalised(self) -> Message:
        """The message without what differs from one recording to the next."""
        return attrs.evolve(self, headers=tuple((name, _normal(name.lower(), value)) for name, value in self.headers))


def _normal(name: str, value: str) -> str:
    if name == "host":
        return re.sub(r"^127\.0\.0\.1:\d+$", "127.0.0.1", value)
    if name == "authorization":
        value = re.sub(r"Credential=[^/]+/\d{8}/", "Credential=ACCESS_KEY_ID/19700101/", value)
        return re.sub(r"Signature=[0-9a-f]{64}", f"Signature={'0' * 64}", value)
    return _NORMAL_FORMS.get(name, value)


def read(case: Path) -> list[tuple[Message, Message]]:
    """The requests of a case with their responses, in order."""
    numbers = sorted(int(path.name.partition(".")[0]) for path in case.glob(_REQUEST.format("*")))
    return [
        (
            Message.from_bytes((case / _REQUEST.format(number)).read_bytes()),
            Message.from_bytes((case / _RESPONSE.format(number)).read_bytes()),
        )
        for number in numbers
    ]


def begin(case: Path, provenance: str) -> None:
    """Begin a case anew."""
    case.mkdir(parents=True, exist_ok=True)
    for pattern in (_REQUEST, _RESPONSE):
        for old in case.glob(pattern.format("*")):
            old.unlink()
    (case / "provenance").write_text(provenance, encoding="utf-8")


def add(case: Path, number: int, request: Message, response: Message) -> None:
    """Add an exchange to a case; the first has the number 1."""
    (case / _REQUEST.format(number)).write_bytes(request.normalised().to_bytes())
    (case / _RESPONSE.format(number)).write_bytes(response.normalised().to_bytes())


@attrs.define
class Scrubber:
    """Replaces what belongs to an account, the same thing always by the same other.

    That is the names of workflow definitions, ids of runs and sessions, UUIDs, pagination tokens, account numbers, the
    principals of IAM and STS; and what a service may repeat of a request's Authorization and session token.
    """

    _known: dict[bytes, bytes] = attrs.field(factory=dict, init=False)
    _ids: dict[bytes, bytes] = attrs.field(factory=dict, init=False)

    def scrub(self, request: Message, response: Message) -> tuple[Message, Message]:
        """An exchange with everything replaced. Exchanges come in their order, as one's token is in the next one."""
        self._learn_from_request(request)
        self._learn_from_response(response)
        return self._replace(request), self._replace(response)

    def _learn_from_request(self, request: Message) -> None:
        path, _, query = request.start.split(" ")[1].partition("?")
        parts = path.split("/")
        if len(parts) == 5:  # /workflow-definitions/NAME/workflow-runs/ID
            self._know(unquote(parts[2]), "example-definition")
            self._know_id(unquote(parts[4]), "run")
        for token in parse_qs(query).get("nextToken", []):
            self._know(token, f"token-{len(self._known)}")
        self._know(request.header("X-Amz-Security-Token"), "normalised")
        signed = re.search(r"Credential=([^/]+)/.*Signature=([0-9a-f]{64})", request.header("Authorization"))
        if signed:
            self._know(signed[1], "ACCESS_KEY_ID")
            self._know(signed[2], "0" * 64)

    def _learn_from_response(self, response: Message) -> None:
        with contextlib.suppress(ValueError, AttributeError, TypeError, KeyError):
            page = json.loads(response.body)
            token = page.get("nextToken")
            if isinstance(token, str):
                self._know(token, f"token-{len(self._known)}")
            for each in page["sessionSummaries"]:
                self._know_id(each["sessionId"], "session")

    def _know_id(self, real: str, kind: str) -> None:
        if not _ID.fullmatch(real.encode()):  # which all are replaced
            self._know(real, f"{kind}-{len(self._known)}")

    def _know(self, real: str, made_up: str) -> None:
        if real:
            self._known.setdefault(real.encode(), made_up.encode())
            self._known.setdefault(quote(real, safe="-._~").encode(), made_up.encode())

    def _replace(self, message: Message) -> Message:
        raw = message.to_bytes()
        for real, made_up in self._known.items():
            raw = re.sub(rb"(?<![\w-])%b(?![\w-])" % re.escape(real), made_up, raw)
        raw = _ID.sub(self._id, _PRINCIPAL.sub(rb"\1user/example", raw))
        scrubbed = Message.from_bytes(raw)
        length = str(len(scrubbed.body))
        headers = ((name, length if name.lower() == "content-length" else value) for name, value in scrubbed.headers)
        return attrs.evolve(scrubbed, headers=tuple(headers))

    def _id(self, found: re.Match[bytes]) -> bytes:
        if len(found[0]) == len(_ACCOUNT):
            return _ACCOUNT
        return self._ids.setdefault(found[0], b"00000000-0000-4000-8000-%012x" % (len(self._ids) + 1))
