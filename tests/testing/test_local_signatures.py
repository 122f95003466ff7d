"""Which signatures the local service accepts, and what it says of the others."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Credentials, ServiceError
from novaact_http.testing import LocalService, ReceivedRequest
from novaact_http.testing._local_service.authorization import SignatureVerifier
from novaact_http.testing._local_service.credentials import CredentialStore
from tests.helpers.calls import NOW, TEMPORARY_KEYS, call_for, options_for
from tests.helpers.raw_requests import send, signed, signed_as_given

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http._call.http_messages import Request
    from tests.helpers.both_clients import Face


SIGNED = ("Host", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "Authorization")


def with_header(request: Request, name: str, change: Callable[[str], str]) -> Request:
    """Return a request with another value of one header."""
    return request._replace(
        headers=tuple([(each, change(value) if each == name else value) for each, value in request.headers])
    )


def test_a_signed_request_is_accepted(at_now: LocalService) -> None:
    status, headers, body = send(at_now, signed(at_now))
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-amzn-requestid"])
    assert headers["date"] == "Sun, 23 Nov 2025 20:34:56 GMT"
    assert [each["sessionId"] for each in body["sessionSummaries"]] == list(at_now.runs[0].session_ids)


@given(st.data())
def test_a_byte_changed_anywhere_that_is_signed_is_refused(at_now: LocalService, data: st.DataObject) -> None:
    request = signed(at_now, max_results=5, sort_order="Ascending")
    parts = {
        "method": request.method,
        "target": request.target,
        "body": request.body.decode(),
        **{name: value for name, value in request.headers if name in SIGNED},
    }
    where = data.draw(st.sampled_from(sorted(parts)))
    position = data.draw(st.integers(0, len(parts[where]) - 1))
    before = parts[where][position]
    # Visible characters only: others would not arrive as one request, and white space is not significant.
    after = data.draw(st.sampled_from("".join(map(chr, range(0x21, 0x7F)))).filter(lambda each: each != before))
    parts[where] = parts[where][:position] + after + parts[where][position + 1 :]
    changed = request._replace(
        method=parts["method"],
        target=parts["target"],
        headers=tuple([(name, parts.get(name, value)) for name, value in request.headers]),
        body=parts["body"].encode(),
    )
    answered = send(at_now, changed)
    is_http = re.fullmatch(r"[^\"(),/:;<=>?@\[\\\]{}]*", changed.method) is not None
    assert answered.status == (403 if is_http else 400), answered.headers


def test_every_byte_counts(at_now: LocalService) -> None:
    request = signed(at_now, max_results=5, sort_order="Ascending")
    verifier = SignatureVerifier(credentials=CredentialStore(0, TEMPORARY_KEYS, None), region="us-east-1")

    def is_accepted(**changes: str) -> bool:
        received = ReceivedRequest(
            method=changes.get("method", request.method),
            target=changes.get("target", request.target),
            headers=tuple((name, changes.get(name, value)) for name, value in request.headers),
            body=changes.get("body", request.body.decode()).encode(),
        )
        return verifier.refusal(received, NOW) is None

    assert is_accepted()
    signed_headers = {name: value for name, value in request.headers if name in SIGNED}
    parts = {"method": request.method, "target": request.target, "body": request.body.decode(), **signed_headers}
    for name, text in parts.items():
        for position, character in enumerate(text):
            for other in {*"/.%[?#@", character.swapcase()} - {character}:
                changed = text[:position] + other + text[position + 1 :]
                assert not is_accepted(**{name: changed}), changed


@pytest.mark.parametrize("claim", ["UNSIGNED-PAYLOAD", hashlib.sha256(b'{"sortOrder": "Descending"}').hexdigest()])
def test_a_claim_about_the_body_is_not_believed(at_now: LocalService, claim: str) -> None:
    target = signed(at_now).target
    answered = send(at_now, signed_as_given(at_now, "POST", target, b"{}", ("X-Amz-Content-SHA256", claim)))
    assert (answered.status, answered.code) == (403, "InvalidSignatureException")
    assert "x-amz-content-sha256" in answered.body["message"]


@pytest.mark.parametrize("name", SIGNED[1:])
def test_a_signed_header_left_out_is_refused(at_now: LocalService, name: str) -> None:
    request = signed(at_now)
    answered = send(at_now, request._replace(headers=tuple([each for each in request.headers if each[0] != name])))
    assert answered.status == 403
    code = "MissingAuthenticationTokenException" if name == "Authorization" else None
    assert code in (None, answered.code)


@pytest.mark.parametrize("extra", [("X-Amz-Target", "x"), ("X-Amz-Date", "20251123T203456Z"), ("Content-Type", "x")])
def test_a_header_added_after_signing_is_refused(at_now: LocalService, extra: tuple[str, str]) -> None:
    request = signed(at_now)
    answered = send(at_now, request._replace(headers=(*request.headers, extra)))
    assert (answered.status, answered.code) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("between", [",", ", ", ",  "])
def test_the_parts_of_an_authorization_may_have_any_spaces_between_them(at_now: LocalService, between: str) -> None:
    request = with_header(signed(at_now), "Authorization", lambda value: value.replace(", ", between))
    assert send(at_now, request).status == 200


def test_headers_that_need_no_signature_may_change(at_now: LocalService) -> None:
    request = with_header(signed(at_now), "User-Agent", lambda _: "x")
    assert send(at_now, request._replace(headers=(*request.headers, ("X-Forwarded-For", "1.2.3.4")))).status == 200


def test_a_header_that_botocore_never_signs_counts_if_it_is_signed(at_now: LocalService) -> None:
    target = signed(at_now).target
    request = signed_as_given(at_now, "POST", target, b"{}", ("User-Agent", "a  client"))
    assert "user-agent" in dict(request.headers)["Authorization"]
    assert send(at_now, request).status == 200
    assert send(at_now, with_header(request, "User-Agent", lambda _: "another")).status == 403


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda value: "Bearer x", "IncompleteSignatureException", "does not conform"),
        (lambda value: "", "IncompleteSignatureException", "does not conform"),
        (lambda value: value.replace("ASIA", "AKIA"), "UnrecognizedClientException", "security token"),
        (lambda value: value.replace("us-east-1", "eu-west-1"), "InvalidSignatureException", "valid region"),
        (lambda value: value.replace("nova-act", "s3"), "InvalidSignatureException", "correct service"),
        (lambda value: value.replace("/20251123/", "/20251122/"), "InvalidSignatureException", "Date in Credential"),
        (lambda value: value.replace(";host", ""), "InvalidSignatureException", "'host' must be"),
        (lambda value: value.replace("content-type;", ""), "InvalidSignatureException", "'content-type' must be"),
        (
            lambda value: value.replace("=content-type;host", "=host;content-type"),
            "IncompleteSignatureException",
            "conform",
        ),
        (lambda value: value.replace(";host", ";host;host"), "IncompleteSignatureException", "conform"),
        (lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"), "InvalidSignatureException", "does not match"),
    ],
)
def test_the_answer_says_what_is_wrong_with_a_signature(
    at_now: LocalService, change: Callable[[str], str], code: str, message: str
) -> None:
    answered = send(at_now, with_header(signed(at_now), "Authorization", change))
    assert (answered.status, answered.code) == (403, code)
    assert message in answered.body["message"]


def test_a_mismatch_shows_what_should_have_been_signed(at_now: LocalService) -> None:
    body = send(at_now, signed(at_now)._replace(body=b'{"')).body
    assert "The Canonical String for this request should have been\n'POST\n/workflow-definitions/" in body["message"]
    assert "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20251123T203456Z\n" in body["message"]


def test_a_wrong_date_header_is_refused(at_now: LocalService) -> None:
    answered = send(at_now, with_header(signed(at_now), "X-Amz-Date", lambda _: "yesterday"))
    assert (answered.status, answered.code) == (403, "IncompleteSignatureException")


@pytest.mark.parametrize(("offset", "problem"), [(301, "Signature expired"), (-301, "Signature not yet current")])
def test_a_clock_more_than_five_minutes_off_is_refused(offset: float, problem: str) -> None:
    for seconds, refused in ((offset, True), (offset * 0.99, False)):
        with LocalService(clock=lambda seconds=seconds: int(NOW) + seconds, credentials=TEMPORARY_KEYS) as service:  # type: ignore[misc]
            status, _, body = send(service, signed(service))
        assert status == (403 if refused else 200)
        if refused:
            assert body["message"].startswith(problem)


def test_wrong_secrets_and_tokens_are_refused(face: Face, service: LocalService) -> None:
    right = service.credentials
    wrong = [
        Credentials(access_key_id=right.access_key_id, secret_access_key="wrong"),
        Credentials(access_key_id="AKIAWRONG", secret_access_key=right.secret_access_key),
        Credentials(
            access_key_id=right.access_key_id, secret_access_key=right.secret_access_key, session_token="unasked"
        ),
    ]
    for keys in wrong:
        with pytest.raises(ServiceError) as caught:
            face.page({**options_for(service), "credentials": keys}, **call_for(service.runs[0]))
        assert caught.value.status_code == 403
