"""AWS Signature Version 4, for requests whose whole body is at hand.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

Pure: time is an argument. Every header given is signed, so give those only that no proxy changes. The path is encoded
once more for the canonical URI, and the query is not; both must come as they go on the wire.
The tests hold each step against botocore's on the same input, byte for byte.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import attrs

if TYPE_CHECKING:
    from novaact_http._wire import Headers
    from novaact_http.config import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"


@attrs.frozen
class Scope:
    """What a signature is valid for, besides its day: a region and a service."""

    region: str
    service: str

    def on(self, timestamp: str) -> str:
        """The credential scope of the timestamp's day."""
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
            credentials: to sign with.
            scope: region and service.
            now: seconds since the epoch.
        """
        ...


class SigV4Signer:
    """The library's own signer. Safe to share between threads."""

    def __init__(self) -> None:
        # The last signing key derived and what it was derived from. One is enough: a client has one set of credentials
        # at a time. The tuple is replaced whole, so that threads need no lock.
        self._last: tuple[tuple[str, str, Scope], bytes] | None = None

    def __repr__(self) -> str:
        return "SigV4Signer()"

    def __reduce__(self) -> tuple[type[SigV4Signer], tuple[()]]:
        return SigV4Signer, ()  # never with the key

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
        timestamp = amz_date(now)
        to_sign = headers + _date_and_token(timestamp, credentials)
        names = signed_headers(to_sign)
        message = string_to_sign(timestamp, scope, canonical_request(method, target, to_sign, body))
        signature = hmac.digest(self._signing_key(credentials, timestamp[:8], scope), message.encode(), "sha256").hex()
        return (*to_sign, _authorization(credentials, scope.on(timestamp), names, signature))

    def _signing_key(self, credentials: Credentials, date: str, scope: Scope) -> bytes:
        wanted = (credentials.secret_access_key, date, scope)
        last = self._last
        if last is None or last[0] != wanted:
            self._last = last = (wanted, signing_key(*wanted))
        return last[1]


class BotocoreSigner:
    """Signs with AWS's own code, `botocore.auth.SigV4Auth`, for those who prefer it; imports it on first use."""

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
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials as BotocoreCredentials

        timestamp = amz_date(now)
        to_sign = headers + _date_and_token(timestamp, credentials)
        # The host in the URL is not looked at, as the Host header is among those given.
        request = AWSRequest(method=method, url=f"https://localhost{target}", data=body)
        for name, value in to_sign:
            request.headers[name] = value
        request.context["timestamp"] = timestamp
        # Step by step, as `add_auth` would take the time from the system's clock, and log the signature.
        auth = SigV4Auth(
            BotocoreCredentials(
                credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
            ),
            scope.service,
            scope.region,
        )
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        names = auth.signed_headers(auth.headers_to_sign(request))
        return (*to_sign, _authorization(credentials, auth.credential_scope(request), names, signature))


def amz_date(now: float) -> str:
    """Seconds since the epoch as `YYYYMMDDTHHMMSSZ`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def canonical_request(method: str, target: str, headers: Headers, body: bytes) -> str:
    """The request in the one form that both sides hash."""
    path, _, query = target.partition("?")
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    lines = "\n".join(f"{name}:{','.join(values[name])}" for name in sorted(values))
    names, body_hash = signed_headers(headers), hashlib.sha256(body).hexdigest()
    return f"{method}\n{_canonical_uri(path)}\n{_canonical_query(query)}\n{lines}\n\n{names}\n{body_hash}"


def signed_headers(headers: Headers) -> str:
    """The names of the headers, lower-case and sorted."""
    return ";".join(sorted({name.lower() for name, _ in headers}))


def string_to_sign(timestamp: str, scope: Scope, canonical: str) -> str:
    """What the signing key is applied to."""
    return f"{ALGORITHM}\n{timestamp}\n{scope.on(timestamp)}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def signing_key(secret_access_key: str, date: str, scope: Scope) -> bytes:
    """The key derived for one day (`YYYYMMDD`), region and service."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_uri(path: str) -> str:
    # RFC 3986, 5.2.4, and repeated slashes become one, as AWS asks of all services but S3.
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    last = "/" if path.endswith("/") and segments else ""
    return quote(f"/{'/'.join(segments)}{last}", safe="/~")


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = sorted(pair.partition("=")[::2] for pair in query.split("&"))
    return "&".join(f"{name}={value}" for name, value in pairs)


def _date_and_token(timestamp: str, credentials: Credentials) -> Headers:
    date = ("X-Amz-Date", timestamp)
    token = credentials.session_token
    return (date, ("X-Amz-Security-Token", token)) if token else (date,)


def _authorization(credentials: Credentials, scope: str, names: str, signature: str) -> tuple[str, str]:
    return (
        "Authorization",
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}",
    )
