"""AWS Signature Version 4, for requests whose whole body is known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

Pure: time is an argument. Every given header is signed, so give only headers that no proxy changes. Path and query must
be given exactly as they are sent. The canonical URI encodes the path once more, but not the query.
The tests compare each step with botocore's on the same input, byte for byte.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from novaact_http._support import percent_encoding

if TYPE_CHECKING:
    from hashlib import _Hash

    from novaact_http._call.http_messages import Headers
    from novaact_http.config import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
_BLOCK = 64  # bytes that SHA-256 takes at a time
_PADS = (0x36, 0x5C)  # of HMAC's inner and outer hash

_KNOWN_HASHES = {body: hashlib.sha256(body).hexdigest() for body in (b"", b"{}")}  # as most requests have
_LONGEST_KNOWN = 2

_TIMESTAMP = "\0"  # stands for what is yet to come; no header has it
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")  # already in canonical form


class Scope(NamedTuple):
    """The region and the service that a signature is valid for. It is also valid for one day only."""

    region: str
    service: str

    def on(self, timestamp: str) -> str:
        """Return the credential scope for the day of a timestamp."""
        return f"{timestamp[:8]}/{self.region}/{self.service}/aws4_request"


class Signer(Protocol):
    """What `Client(signer=...)` takes."""

    def sign(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        *,
        credentials: Credentials,
        scope: Scope,
        now: float,
    ) -> Headers:
        """Return the given headers and those that sign them: X-Amz-Date, X-Amz-Security-Token if any, Authorization.

        Args:
            method: HTTP method, upper-case.
            target: encoded path and query, as on the request line.
            headers: at least Host; all of them are signed.
            body: the whole body.
            credentials: the credentials to sign with.
            scope: region and service.
            now: the time to sign with, in seconds since the epoch.
        """
        ...


class Prepared:
    """Signs requests that have all in common but target, body and the time of the day. `SigV4Signer.prepare` makes it.

    Args:
        method: HTTP method, upper-case.
        headers: what is signed, apart from X-Amz-Date and X-Amz-Security-Token.
        credentials: the credentials to sign with.
        scope: the credential scope of the day.
        inner, outer: the hashes that HMAC with the signing key begins with.
    """

    __slots__ = (
        "_after",
        "_authorization",
        "_before",
        "_credentials",
        "_inner",
        "_method",
        "_outer",
        "_scope",
        "_token",
    )

    def __init__(
        self, method: str, headers: Headers, *, credentials: Credentials, scope: str, inner: _Hash, outer: _Hash
    ) -> None:
        token = credentials.session_token
        self._credentials = credentials
        self._method = method
        self._token: Headers = (("X-Amz-Security-Token", token),) if token else ()
        self._scope = scope
        self._inner = inner
        self._outer = outer
        names, lines = _canonical_headers((*headers, ("X-Amz-Date", _TIMESTAMP), *self._token))
        self._before, _, self._after = lines.partition(_TIMESTAMP)
        self._authorization = _authorization(credentials, scope, names)

    def is_for(self, credentials: Credentials, timestamp: str) -> bool:
        """Tell whether it signs with these credentials, on the day of this timestamp."""
        return self._credentials is credentials and self._scope.startswith(timestamp[:8])

    def sign(self, target: str, body: bytes, timestamp: str, *, canonical: bool = False) -> Headers:
        """Return X-Amz-Date, X-Amz-Security-Token if any, and Authorization.

        Args:
            target: encoded path and query, as on the request line.
            body: the whole body.
            timestamp: the time to sign with, on the day that this is for.
            canonical: whether path and query are known to be as the canonical request has them.
        """
        headers = f"{self._before}{timestamp}{self._after}"
        canonical_request = _canonical_request(self._method, target, headers, body, canonical=canonical)
        message = _string_to_sign(timestamp, self._scope, canonical_request)
        # HMAC (RFC 2104). Copying what the key alone decides takes half the time of `hmac.digest`.
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message.encode())
        outer.update(inner.digest())
        authorization = f"{self._authorization}{outer.hexdigest()}"
        return (("X-Amz-Date", timestamp), *self._token, ("Authorization", authorization))


class SigV4Signer:
    """The library's own signer. Safe to share between threads."""

    def __init__(self) -> None:
        # The last signing key and what it was derived from. One is enough, as a client has one set of credentials at a
        # time. The whole tuple is replaced, so that threads need no lock.
        self._last: tuple[tuple[str, str, Scope], _Hash, _Hash] | None = None
        self._last_timestamp = (0, amz_date(0))

    def __repr__(self) -> str:
        return "SigV4Signer()"

    def __reduce__(self) -> tuple[type[SigV4Signer], tuple[()]]:
        return SigV4Signer, ()  # the key must not be pickled

    def sign(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        *,
        credentials: Credentials,
        scope: Scope,
        now: float,
    ) -> Headers:
        """See `Signer.sign`."""
        timestamp = self.timestamp(now)
        prepared = self.prepare(method, headers, credentials=credentials, scope=scope, timestamp=timestamp)
        return (*headers, *prepared.sign(target, body, timestamp))

    def timestamp(self, now: float) -> str:
        """Return what `amz_date` returns."""
        last, second = self._last_timestamp, int(now)
        if last[0] != second:
            self._last_timestamp = last = (second, amz_date(second))
        return last[1]

    def prepare(
        self, method: str, headers: Headers, *, credentials: Credentials, scope: Scope, timestamp: str
    ) -> Prepared:
        """Return what signs the requests that have these in common, on the day of a timestamp. See `Signer.sign`."""
        wanted = (credentials.secret_access_key, timestamp[:8], scope)
        last = self._last
        if last is None or last[0] != wanted:
            block = signing_key(*wanted).ljust(_BLOCK, b"\0")
            inner, outer = (hashlib.sha256(bytes([each ^ pad for each in block])) for pad in _PADS)
            self._last = last = (wanted, inner, outer)
        _, inner, outer = last
        return Prepared(method, headers, credentials=credentials, scope=scope.on(timestamp), inner=inner, outer=outer)


class BotocoreSigner:
    """Signs with AWS's own code, `botocore.auth.SigV4Auth`, which it imports on first use."""

    def __repr__(self) -> str:
        return "BotocoreSigner()"

    def sign(
        self,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        *,
        credentials: Credentials,
        scope: Scope,
        now: float,
    ) -> Headers:
        """See `Signer.sign`."""
        from novaact_http._needed_packages import needed  # few programs sign with botocore

        with needed("botocore", by="BotocoreSigner"):
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest
            from botocore.credentials import Credentials as BotocoreCredentials

        timestamp = amz_date(now)
        to_sign = headers + _date_and_token(timestamp, credentials)
        # botocore ignores the host in the URL, as there is a Host header.
        request = AWSRequest(method=method, url=f"https://localhost{target}", data=body)
        for name, value in to_sign:
            request.headers[name] = value
        request.context["timestamp"] = timestamp
        # Not `add_auth`, which would take the time from the system's clock and log the signature.
        auth = SigV4Auth(
            BotocoreCredentials(
                credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
            ),
            scope.service,
            scope.region,
        )
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        names = auth.signed_headers(auth.headers_to_sign(request))
        authorization = f"{_authorization(credentials, auth.credential_scope(request), names)}{signature}"
        return (*to_sign, ("Authorization", authorization))


def amz_date(now: float) -> str:
    """Write seconds since the epoch as `YYYYMMDDTHHMMSSZ`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def canonical_request(method: str, target: str, headers: Headers, body: bytes) -> str:
    """Return the canonical request: the form of the request that both sides hash."""
    return _canonical_request(method, target, _canonical_headers(headers)[1], body)


def _canonical_request(method: str, target: str, headers: str, body: bytes, *, canonical: bool = False) -> str:
    path, _, query = target.partition("?")
    if not canonical:
        path = path if _PLAIN_PATH.fullmatch(path) else _canonical_uri(path)
        query = _canonical_query(query)
    payload = (len(body) <= _LONGEST_KNOWN and _KNOWN_HASHES.get(body)) or hashlib.sha256(body).hexdigest()
    return f"{method}\n{path}\n{query}\n{headers}\n{payload}"


def _canonical_headers(headers: Headers) -> tuple[str, str]:
    """Return the names of the signed headers, and the lines of the canonical request that are made of the headers."""
    values: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if " " in value or not value.isprintable():
            value = " ".join(value.split())  # noqa: PLW2901
        values[lower] = f"{values[lower]},{value}" if lower in values else value
    ordered = sorted(values)
    names = ";".join(ordered)
    lines = "\n".join([f"{name}:{values[name]}" for name in ordered])
    return names, f"{lines}\n\n{names}"


def string_to_sign(timestamp: str, scope: Scope, canonical: str) -> str:
    """Return the text that the signing key signs."""
    return _string_to_sign(timestamp, scope.on(timestamp), canonical)


def _string_to_sign(timestamp: str, scope: str, canonical: str) -> str:
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def signing_key(secret_access_key: str, date: str, scope: Scope) -> bytes:
    """Derive the signing key for one day (`YYYYMMDD`), region and service."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_uri(path: str) -> str:
    # RFC 3986, 5.2.4. Repeated slashes become one, as AWS requires for all services except S3.
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    last = "/" if path.endswith("/") and segments else ""
    return f"/{'/'.join(map(percent_encoding.encode, segments))}{last}"


def _canonical_query(query: str) -> str:
    if "&" not in query:
        return query if not query or "=" in query else f"{query}="
    pairs = sorted([pair.partition("=") for pair in query.split("&")])
    return "&".join([f"{name}={value}" for name, _, value in pairs])


def _date_and_token(timestamp: str, credentials: Credentials) -> Headers:
    date = ("X-Amz-Date", timestamp)
    token = credentials.session_token
    return (date, ("X-Amz-Security-Token", token)) if token else (date,)


def _authorization(credentials: Credentials, scope: str, names: str) -> str:
    """Return the value of the header Authorization, up to the signature."""
    return f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature="
