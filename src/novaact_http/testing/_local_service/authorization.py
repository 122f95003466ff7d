"""Checks the SigV4 signature of a request as AWS does, with botocore's signer, over the bytes as received."""

from __future__ import annotations

import hashlib
import hmac
import re
from calendar import timegm
from functools import lru_cache
from time import gmtime, strftime, strptime
from typing import TYPE_CHECKING, NamedTuple

import attrs

from novaact_http._needed_packages import needed
from novaact_http.testing._local_service.credentials import CredentialStore
from novaact_http.testing._local_service.http_messages import Answer, ReceivedRequest, error

with needed("botocore", by="the local service"):
    from botocore.auth import SigV4Auth
    from botocore.credentials import Credentials as BotocoreCredentials

if TYPE_CHECKING:
    from novaact_http.config import Credentials

SERVICE = "nova-act"

_TOLERANCE = 5 * 60  # seconds that the clock of a client may be wrong
_AMZ_DATE = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^ ,/]+)/([0-9]{8})/([^ ,/]+)/([^ ,/]+)/aws4_request, *"
    r"SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})"
)


class _Signature(NamedTuple):
    """The parts of an Authorization header, and the request's date."""

    key_id: str
    day: str
    region: str
    service: str
    headers: frozenset[str]
    value: str
    date: str
    time: int


@attrs.frozen(kw_only=True)
class SignatureVerifier:
    """Verifies that requests are signed with valid credentials, for this region, at about this time."""

    credentials: CredentialStore
    region: str

    def refusal(self, request: ReceivedRequest, now: float) -> Answer | None:
        """Return the error to answer with, or None if the signature is valid."""
        if request.header("Authorization") is None:
            return _forbidden("MissingAuthenticationTokenException", "Missing Authentication Token")
        signature = _parse(request)
        if signature is None:
            return _forbidden("IncompleteSignatureException", "The signature does not conform to AWS standards.")
        token = request.header("X-Amz-Security-Token") or None
        credentials = self.credentials.get(signature.key_id)
        if credentials is None or token != (credentials.session_token or None):
            return _forbidden("UnrecognizedClientException", "The security token included in the request is invalid.")
        if self.credentials.is_expired(signature.key_id, now):
            return _forbidden("ExpiredTokenException", "The security token included in the request is expired")
        problem = (
            self._scope_problem(signature)
            or _date_problem(signature, now)
            or self._mismatch(request, signature, credentials)
        )
        return None if problem is None else _forbidden("InvalidSignatureException", problem)

    def _scope_problem(self, signature: _Signature) -> str | None:
        if signature.region != self.region:
            return f"Credential should be scoped to a valid region, not '{signature.region}'."
        if signature.service != SERVICE:
            return f"Credential should be scoped to correct service: '{SERVICE}'."
        return None

    def _mismatch(self, request: ReceivedRequest, signature: _Signature, credentials: Credentials) -> str | None:
        unsigned = _must_be_signed(request) - signature.headers
        if unsigned:
            return f"'{', '.join(sorted(unsigned))}' must be a 'SignedHeader' in the AWS Authorization."
        body_hash = request.header("X-Amz-Content-SHA256")
        if body_hash is not None and body_hash != hashlib.sha256(request.body).hexdigest():
            return "The provided 'x-amz-content-sha256' header does not match what was computed."
        if request.method != request.method.upper() or not request.target.startswith("/"):
            return "The request line is not one that can be signed."
        signed = _SignedRequest(request, signature)
        auth = _Signer(
            BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key), SERVICE, self.region
        )
        canonical = auth.canonical_request(signed)
        to_sign = auth.string_to_sign(signed, canonical)
        if hmac.compare_digest(auth.signature(to_sign, signed), signature.value):
            return None
        return (
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.\n\n"
            f"The Canonical String for this request should have been\n'{canonical}'\n\n"
            f"The String-to-Sign should have been\n'{to_sign}'\n"
        )


class _SignedHeaders(dict[str, list[str]]):
    """The headers that are signed, by their names in lower case."""

    def get_all(self, name: str) -> list[str]:
        return self[name]


class _SignedRequest:
    """What botocore's signer asks an AWSRequest for, which costs more to make than the whole signature."""

    params = None  # those of the URL are

    def __init__(self, request: ReceivedRequest, signature: _Signature) -> None:
        self.method = request.method
        self.url = f"http://localhost{request.target}"  # the host is not used, because the Host header is signed
        self.body = request.body
        self.context = {"timestamp": signature.date}
        self.headers = _SignedHeaders()
        for name, value in request.headers:
            lower_name = name.lower()
            if lower_name in signature.headers:
                self.headers.setdefault(lower_name, []).append(value)


class _Signer(SigV4Auth):  # type: ignore[misc] # botocore has no types
    """botocore's signer, for requests whose headers are all to be signed. It makes each key once."""

    def headers_to_sign(self, request: _SignedRequest) -> _SignedHeaders:
        return request.headers

    def _sign(self, key: bytes, msg: str, hex: bool = False) -> str | bytes:  # noqa: A002, FBT001, FBT002 - botocore's
        return hmac.digest(key, msg.encode(), "sha256").hex() if hex else _derived_key(key, msg)


@lru_cache(64)
def _derived_key(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def _parse(request: ReceivedRequest) -> _Signature | None:
    parsed = _AUTHORIZATION.fullmatch(request.header("Authorization") or "")
    date = request.header("X-Amz-Date") or ""
    time = _seconds(date)
    if parsed is None or time is None:
        return None
    key_id, day, region, service, names, value = parsed.groups()
    headers = names.split(";")
    if headers != sorted(set(headers)):
        return None
    return _Signature(
        key_id=key_id,
        day=day,
        region=region,
        service=service,
        headers=frozenset(headers),
        value=value,
        date=date,
        time=time,
    )


@lru_cache(64)  # as many requests have the same one
def _seconds(date: str) -> int | None:
    try:
        return timegm(strptime(date, _AMZ_DATE))
    except ValueError:
        return None


def _date_problem(signature: _Signature, now: float) -> str | None:
    if signature.day != signature.date[:8]:
        return f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {signature.day}."
    earliest, latest = now - _TOLERANCE, now + _TOLERANCE
    if signature.time < earliest:
        return f"Signature expired: {signature.date} is now earlier than {_text(earliest)} ({_text(now)} - 5 min.)"
    if signature.time > latest:
        return (
            f"Signature not yet current: {signature.date} is still later than {_text(latest)} ({_text(now)} + 5 min.)"
        )
    return None


def _must_be_signed(request: ReceivedRequest) -> set[str]:
    names = [name.lower() for name, _ in request.headers]
    return {"host", *[name for name in names if name == "content-type" or name.startswith("x-amz-")]}


def _text(time: float) -> str:
    return strftime(_AMZ_DATE, gmtime(time))


def _forbidden(code: str, message: str) -> Answer:
    return error(403, code, {"message": message})
