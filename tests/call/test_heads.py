"""The quick way to make a head sends, byte for byte, what the careful way sends, which any signer can go."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client, Credentials
from novaact_http._call.heads import Heads
from novaact_http._call.sigv4 import Scope, SigV4Signer
from novaact_http._call.user_headers import check
from novaact_http._http.http1 import encode_head
from tests.helpers.calls import CALL, KEYS, NOW, TEMPORARY_KEYS
from tests.helpers.flows import request_of
from tests.helpers.operations import OPERATIONS

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Headers

SCOPE = Scope("us-east-1", "nova-act")
DAY = 24 * 60 * 60
TARGETS = ("/", "/a//b/", "/a%20b/../c", "/a?b=1", "/a?b=2&b-c=1&b=1&B=%20", "/a?b", "/a?&=&")
MORE: Headers = (("amz-sdk-request", "attempt=1; max=3"), ("Content-Length", "2"))
user_headers = st.dictionaries(
    st.sampled_from(["a", "X-Tenant", "x-amz-e", "X-AMZ-Zone", "traceparent", "Y"]),
    st.sampled_from(["", "a", "a  b\t c", "a: b, c"]),
)
secrets = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
credentials = st.builds(
    Credentials, access_key_id=secrets, secret_access_key=secrets, session_token=secrets | st.none()
)


class OtherSigner(SigV4Signer):
    """Signs the same, but goes the careful way, as another class could sign otherwise."""


def heads(signer: SigV4Signer, headers: Headers = ()) -> Heads:
    return Heads(signer=signer, scope=SCOPE, authority="host.example:8443", user_agent="a/1 b/2", headers=headers)


@pytest.mark.parametrize("name", OPERATIONS)
@given(
    st.sampled_from(TARGETS),
    st.binary(max_size=50),
    user_headers,
    st.lists(credentials, min_size=2, max_size=2),
    st.data(),
)
def test_the_quick_way_sends_what_the_careful_way_sends(
    name: str, target: str, body: bytes, given_headers: dict[str, str], keys: list[Credentials], data: st.DataObject
) -> None:
    operation, headers = OPERATIONS[name], check(given_headers).signed
    quick, careful = heads(SigV4Signer(), headers), heads(OtherSigner(), headers)
    # The days and the credentials of a client come and go.
    for _ in range(4):
        named: dict[str, Any] = {
            "credentials": data.draw(st.sampled_from(keys)),
            "now": NOW + data.draw(st.integers(0, 2 * DAY)),
        }
        made, head = quick.sign(operation, target, body, MORE, **named)
        assert (made, b"") == careful.sign(operation, target, body, MORE, **named)
        assert head == encode_head(operation.method, target, made)


@given(st.sampled_from(["/", "/a", "/a-b/c~d", "/a?b=1", "/a/b?b=1&c=%2B&d="]), st.binary(max_size=3))
def test_what_is_known_to_be_canonical_is_signed_as_anything_else(target: str, body: bytes) -> None:
    operation, signs = OPERATIONS["ListSessions"], heads(SigV4Signer())
    made, known = [
        signs.sign(operation, target, body, MORE, credentials=KEYS, now=NOW, canonical=each) for each in (False, True)
    ]
    assert made == known


def test_operations_do_not_mix() -> None:
    both = heads(SigV4Signer())
    for operation in [*OPERATIONS.values()] * 2:
        made, head = both.sign(operation, "/", b"", (), credentials=KEYS, now=NOW)
        assert head == encode_head(operation.method, "/", made)
        assert ("Content-Type" in dict(made)) is operation.has_body


@pytest.mark.parametrize("keys", [KEYS, TEMPORARY_KEYS])
def test_a_request_of_the_librarys_signer_has_its_head_and_that_of_another_has_none(keys: Credentials) -> None:
    quick, careful = request_of(CALL, keys), request_of(CALL, keys, signer=OtherSigner())
    assert quick.headers == careful.headers
    assert quick.head == encode_head(careful.method, careful.target, careful.headers)
    assert not careful.head


def test_a_template_is_made_once_for_each_operation_credential_and_day(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    prepare = SigV4Signer.prepare

    def counted(*arguments: Any, **named: Any) -> Any:
        made.append(named["timestamp"][:8])
        return prepare(*arguments, **named)

    monkeypatch.setattr(SigV4Signer, "prepare", counted)
    one, midnight = heads(SigV4Signer()), dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc).timestamp()
    for now in (midnight - 2, midnight - 1, midnight, midnight + DAY - 1):
        one.sign(OPERATIONS["ListActs"], "/", b"", (), credentials=KEYS, now=now)
    assert made == ["20260101", "20260102"]


def test_a_copy_with_other_headers_does_not_send_those_of_its_original() -> None:
    client = Client(region="us-east-1", credentials=KEYS, headers={"x-a": "1"})
    other = client.with_options(headers={"x-b": "2"})
    for each, header in ((client, ("x-a", "1")), (other, ("x-b", "2")), (client, ("x-a", "1"))):
        made, _ = each._context.heads.sign(OPERATIONS["ListSessions"], "/", b"", (), credentials=KEYS, now=NOW)
        assert [pair for pair in made if pair[0].startswith("x-")] == [header]
