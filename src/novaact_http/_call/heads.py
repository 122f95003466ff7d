"""The heads of requests: their headers, signed, and the same as text.

Nearly all of a head is the same in all requests of an operation, as long as the credentials and the day are. For the
library's own signer this part is written once, and so is what goes into the signature. It needs no further check:
endpoint, credentials, `headers=` and the rest were checked where they came in, and targets are percent-encoded. What
another signer returns is written and checked by the pool, with `encode_head`; the tests compare the two.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from novaact_http._call.rest_json import CONTENT_TYPE
from novaact_http._call.sigv4 import Prepared, Scope, Signer, SigV4Signer
from novaact_http._support.records import Record

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Headers
    from novaact_http._operations.shapes import Operation
    from novaact_http.config import Credentials

_CONTENT_TYPE = ("Content-Type", CONTENT_TYPE)


class _Template:
    """What the heads of an operation's requests have in common, with the same credentials and on the same day."""

    __slots__ = ("lines", "prepared", "signed")

    def __init__(self, signed: Headers, prepared: Prepared) -> None:
        self.signed = signed
        self.lines = _lines(signed)
        self.prepared = prepared


class Heads(Record):
    """Makes the heads of a client's requests. Safe to share between threads.

    Attributes:
        signer: what signs them.
        scope: the scope of all signatures.
        authority: the header Host.
        user_agent: the header User-Agent.
        headers: further headers of every request, which are signed.
    """

    signer: Signer
    scope: Scope
    authority: str
    user_agent: str
    headers: Headers

    @cached_property
    def _unsigned(self) -> Headers:
        # Not signed, as proxies may change them. AWS's own SDKs leave out the same.
        return (("Accept-Encoding", "identity"), ("User-Agent", self.user_agent))

    @cached_property
    def _unsigned_lines(self) -> str:
        return _lines(self._unsigned)

    @cached_property
    def _templates(self) -> dict[Operation[Any], _Template]:
        return {}

    def sign(
        self,
        operation: Operation[Any],
        target: str,
        body: bytes,
        more: Headers,
        *,
        credentials: Credentials,
        now: float,
        canonical: bool = False,
    ) -> tuple[Headers, bytes]:
        """Return the headers of a request, and its head as bytes; no bytes if the signer is not the library's own.

        Args:
            operation: what is called.
            target: encoded path and query, as on the request line.
            body: the whole body.
            more: further headers, which are not signed.
            credentials: the credentials to sign with.
            now: the time to sign with, in seconds since the epoch.
            canonical: whether path and query are known to be as the canonical request has them.
        """
        signer = self.signer
        if type(signer) is not SigV4Signer:
            signed = signer.sign(
                operation.method,
                target,
                self._signed(operation),
                body,
                credentials=credentials,
                scope=self.scope,
                now=now,
            )
            return (*signed, *self._unsigned, *more), b""
        timestamp = signer.timestamp(now)
        template = self._templates.get(operation)
        if template is None or not template.prepared.is_for(credentials, timestamp):
            signed = self._signed(operation)
            prepared = signer.prepare(
                operation.method, signed, credentials=credentials, scope=self.scope, timestamp=timestamp
            )
            self._templates[operation] = template = _Template(signed, prepared)
        signature = template.prepared.sign(target, body, timestamp, canonical=canonical)
        text = (
            f"{operation.method} {target} HTTP/1.1\r\n"
            f"{template.lines}{_lines(signature)}{self._unsigned_lines}{_lines(more)}\r\n"
        )
        return (*template.signed, *signature, *self._unsigned, *more), text.encode("ascii")

    def _signed(self, operation: Operation[Any]) -> Headers:
        content_type = (_CONTENT_TYPE,) if operation.has_body else ()
        return (("Host", self.authority), *content_type, *self.headers)


def _lines(headers: Headers) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])
