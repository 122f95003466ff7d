"""Signatures, compared with botocore's step by step and byte for byte."""

from __future__ import annotations

import datetime as dt
import hashlib
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import BotocoreSigner, Credentials
from novaact_http._call import sigv4
from novaact_http._call.sigv4 import Scope, Signer, SigV4Signer
from tests.helpers.calls import KEYS, NOW, TEMPORARY_KEYS

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Headers

SCOPE = Scope("us-east-1", "nova-act")

paths = st.lists(st.sampled_from(["a", "b c", ".", "..", "", "%2F", "%C3%A9", "~x", "a:b@c", "A-Z_0"]), max_size=6).map(
    lambda parts: "/" + "/".join(part.replace(" ", "%20") for part in parts)
)
query_texts = st.text("aZ9-._~%20B+=", max_size=8)
queries = st.lists(st.tuples(st.sampled_from("abAB"), query_texts), max_size=5).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
) | st.sampled_from(["a", "a&b=1", "b=1&a", "a=b=c", "&&", "=", "x=2&x=10&x=1"])
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12) | st.sampled_from(
    ["  a   b  ", "", "\t"]
)
other_headers = st.lists(
    st.tuples(st.sampled_from(["Accept", "X-Custom", "x-custom", "Content-Type", "A"]), values), max_size=5
)
credentials = st.sampled_from([KEYS, TEMPORARY_KEYS])
times = st.integers(0, 4_102_444_800)


def sign(signer: Signer, keys: Credentials = KEYS, scope: Scope = SCOPE, now: float = NOW) -> Headers:
    """Sign a small request."""
    return signer.sign("POST", "/", (("Host", "h"),), b"", credentials=keys, scope=scope, now=now)


class Botocores:
    """The steps of a signature, done by botocore."""

    def __init__(self, method: str, target: str, headers: Any, body: bytes, keys: Credentials, now: float) -> None:
        self.request = AWSRequest(method=method, url=f"https://host.example{target}", data=body)
        for name, value in headers:
            self.request.headers[name] = value
        self.request.context["timestamp"] = sigv4.amz_date(now)
        theirs = BotocoreCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
        self.auth = SigV4Auth(theirs, SCOPE.service, SCOPE.region)
        self.canonical = self.auth.canonical_request(self.request)
        self.to_sign = self.auth.string_to_sign(self.request, self.canonical)
        self.signature = self.auth.signature(self.to_sign, self.request)


@given(paths, queries, other_headers, st.binary(max_size=50), credentials, times)
@example("/", "", [], b"", KEYS, 0)
@example("/a//b/../c/", "b=2&a=1&a=0", [("Accept", " x  y "), ("accept", "z")], b"{}", TEMPORARY_KEYS, 1_440_938_160)
def test_every_step_equals_botocores(
    path: str, query: str, others: list[tuple[str, str]], body: bytes, keys: Credentials, now: int
) -> None:
    target = f"{path}?{query}" if query else path
    given_headers = (("Host", "host.example"), *others)
    signed = SigV4Signer().sign("POST", target, given_headers, body, credentials=keys, scope=SCOPE, now=now)
    assert signed[: len(given_headers)] == given_headers
    assert signed[-1][0] == "Authorization"
    theirs = Botocores("POST", target, signed[:-1], body, keys, now)

    canonical = sigv4.canonical_request("POST", target, signed[:-1], body)
    assert canonical == theirs.canonical
    assert sigv4.string_to_sign(sigv4.amz_date(now), SCOPE, canonical) == theirs.to_sign
    assert signed[-1][1].endswith(f"Signature={theirs.signature}")


@given(paths, queries, other_headers, st.binary(max_size=50), credentials, times)
def test_the_two_signers_return_the_same(
    path: str, query: str, others: list[tuple[str, str]], body: bytes, keys: Credentials, now: int
) -> None:
    target = f"{path}?{query}" if query else path
    headers = (("Host", "host.example"), *others)
    ours, theirs = (
        signer.sign("POST", target, headers, body, credentials=keys, scope=SCOPE, now=now)
        for signer in (SigV4Signer(), BotocoreSigner())
    )
    assert ours == theirs


def test_botocores_add_auth_makes_our_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    # botocore's clients call `add_auth`; the other tests call its steps.
    at = dt.datetime.fromtimestamp(NOW, dt.timezone.utc).replace(tzinfo=None)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at)
    request = AWSRequest(method="POST", url="https://host.example/a%20b?x=1", data=b"{}")
    request.headers["Content-Type"] = "application/json"
    theirs = BotocoreCredentials(
        TEMPORARY_KEYS.access_key_id, TEMPORARY_KEYS.secret_access_key, TEMPORARY_KEYS.session_token
    )
    SigV4Auth(theirs, SCOPE.service, SCOPE.region).add_auth(request)
    headers = (("Host", "host.example"), ("Content-Type", "application/json"))
    ours = SigV4Signer().sign("POST", "/a%20b?x=1", headers, b"{}", credentials=TEMPORARY_KEYS, scope=SCOPE, now=NOW)
    assert dict(ours[1:]) == dict(request.headers.items())


def test_the_signing_key_is_derived_once_for_each_credential_day_and_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[tuple[Any, ...]] = []
    original = sigv4.signing_key

    def counted(secret_access_key: str, date: str, scope: Scope) -> bytes:
        derived.append((secret_access_key, date, scope))
        return original(secret_access_key, date, scope)

    monkeypatch.setattr(sigv4, "signing_key", counted)
    signer = SigV4Signer()

    def sign_twice(keys: Credentials, scope: Scope, now: float) -> None:
        headers = sign(signer, keys, scope, now)
        assert headers == sign(SigV4Signer(), keys, scope, now)
        derived.pop()  # the new signer's

    sign_twice(KEYS, SCOPE, NOW)
    sign_twice(KEYS, SCOPE, NOW + 1)
    assert len(derived) == 1
    sign_twice(TEMPORARY_KEYS, SCOPE, NOW)
    sign_twice(TEMPORARY_KEYS, Scope("eu-west-1", "nova-act"), NOW)
    sign_twice(TEMPORARY_KEYS, Scope("eu-west-1", "nova-act"), NOW + 86_400)
    sign_twice(TEMPORARY_KEYS, Scope("eu-west-1", "other"), NOW + 86_400)
    assert len(derived) == 5


def test_a_key_that_another_thread_has_derived_meanwhile_is_not_used() -> None:
    class Raced(SigV4Signer):
        _last: Any = property(lambda _: (("other", "", SCOPE), b"key"), lambda _, __: None)

    assert sign(Raced()) == sign(SigV4Signer())


def test_an_empty_session_token_is_not_sent() -> None:
    keys = Credentials(access_key_id="a", secret_access_key="b", session_token="")
    for signer in (SigV4Signer(), BotocoreSigner()):
        assert [name for name, _ in sign(signer, keys)] == ["Host", "X-Amz-Date", "Authorization"]


@pytest.mark.parametrize("signer", [SigV4Signer(), BotocoreSigner()], ids=repr)
def test_a_signers_repr_shows_no_secret(signer: Signer) -> None:
    sign(signer)
    assert repr(signer) in ("SigV4Signer()", "BotocoreSigner()")


def test_a_signer_is_pickled_without_its_keys() -> None:
    signer = SigV4Signer()
    sign(signer)
    pickled = pickle.dumps(signer)
    assert KEYS.secret_access_key.encode() not in pickled
    assert isinstance(pickle.loads(pickled), SigV4Signer)


def test_an_empty_body_has_the_documented_hash() -> None:
    canonical = sigv4.canonical_request("POST", "/", (("Host", "h"),), b"{}")
    assert canonical.endswith(hashlib.sha256(b"{}").hexdigest())
    assert canonical.endswith("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
