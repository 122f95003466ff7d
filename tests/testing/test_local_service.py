"""The local service: it lets in what is signed rightly and nothing else, and answers as the service model says."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client, Credentials, ServiceError, SortOrder, Timeout, errors
from novaact_http._call.sigv4 import Scope, SigV4Signer
from novaact_http._operations.service_errors import ERRORS
from novaact_http.testing import LocalService, ReceivedRequest
from novaact_http.testing._local_service.authorization import SignatureVerifier
from novaact_http.testing._local_service.credentials import CredentialStore
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.boto3_oracle import boto3_arguments, boto3_for
from tests.helpers.calls import NOW, TEMPORARY_KEYS, call_for, options_for
from tests.helpers.flows import request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http._call.http_messages import Request


Headers = list[tuple[str, str]]


def send(
    service: LocalService, method: str, target: str, headers: Headers, body: bytes
) -> tuple[int, dict[str, str], Any]:
    """Send exactly this, and return status, headers and parsed body."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    parsed = json.loads(answer.read() or b"null")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, parsed


@pytest.fixture(scope="module")
def at_now() -> Iterator[LocalService]:
    """A service whose clock stands still at `NOW`, so that signatures made then stay good."""
    with LocalService(clock=lambda: NOW, credentials=TEMPORARY_KEYS) as running:
        yield running


def signed(service: LocalService, **changes: Any) -> Request:
    run = service.runs[0]
    return request_of({**call_for(run), **changes}, service.credentials, endpoint_url=service.url)


def changed_header(headers: Headers, name: str, change: Callable[[str], str]) -> Headers:
    return [(each, change(value) if each == name else value) for each, value in headers]


def test_a_signed_request_is_let_in(at_now: LocalService) -> None:
    request = signed(at_now)
    status, headers, body = send(at_now, request.method, request.target, list(request.headers), request.body)
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
    headers = [(name, parts.get(name, value)) for name, value in request.headers]
    status, got, _ = send(at_now, parts["method"], parts["target"], headers, parts["body"].encode())
    assert status == (403 if re.fullmatch(r"[^\"(),/:;<=>?@\[\\\]{}]*", parts["method"]) else 400), got


SIGNED = ("Host", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "Authorization")


def test_every_byte_counts(at_now: LocalService) -> None:
    request = signed(at_now, max_results=5, sort_order="Ascending")
    verifier = SignatureVerifier(credentials=CredentialStore(0, TEMPORARY_KEYS, None), region="us-east-1")

    def let_in(**changes: str) -> bool:
        received = ReceivedRequest(
            method=changes.get("method", request.method),
            target=changes.get("target", request.target),
            headers=tuple((name, changes.get(name, value)) for name, value in request.headers),
            body=changes.get("body", request.body.decode()).encode(),
        )
        return verifier.refusal(received, NOW) is None

    assert let_in()
    signed_headers = {name: value for name, value in request.headers if name in SIGNED}
    parts = {"method": request.method, "target": request.target, "body": request.body.decode(), **signed_headers}
    for name, text in parts.items():
        for position, character in enumerate(text):
            for other in {*"/.%[?#@", character.swapcase()} - {character}:
                changed = text[:position] + other + text[position + 1 :]
                assert not let_in(**{name: changed}), changed


@pytest.mark.parametrize("claim", ["UNSIGNED-PAYLOAD", hashlib.sha256(b'{"sortOrder": "Descending"}').hexdigest()])
def test_a_claim_about_the_body_is_not_believed(at_now: LocalService, claim: str) -> None:
    request = signed(at_now)
    headers = SigV4Signer().sign(
        "POST",
        request.target,
        (*request.headers[:2], ("X-Amz-Content-SHA256", claim)),
        b"{}",
        credentials=TEMPORARY_KEYS,
        scope=Scope("us-east-1", "nova-act"),
        now=NOW,
    )
    status, got, body = send(at_now, "POST", request.target, [*headers, ("Content-Length", "2")], b"{}")
    assert (status, got["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert "x-amz-content-sha256" in body["message"]


@pytest.mark.parametrize("name", SIGNED[1:])
def test_a_signed_header_left_out_is_refused(at_now: LocalService, name: str) -> None:
    request = signed(at_now)
    headers = [each for each in request.headers if each[0] != name]
    status, got, _ = send(at_now, request.method, request.target, headers, request.body)
    assert status == 403
    code = "MissingAuthenticationTokenException" if name == "Authorization" else None
    assert code in (None, got["x-amzn-errortype"])


@pytest.mark.parametrize("extra", [("X-Amz-Target", "x"), ("X-Amz-Date", "20251123T203456Z"), ("Content-Type", "x")])
def test_a_header_smuggled_in_is_refused(at_now: LocalService, extra: tuple[str, str]) -> None:
    request = signed(at_now)
    headers = [*request.headers, extra]
    status, got, _ = send(at_now, request.method, request.target, headers, request.body)
    assert (status, got["x-amzn-errortype"]) == (403, "InvalidSignatureException")


def test_headers_that_need_no_signature_may_change(at_now: LocalService) -> None:
    request = signed(at_now)
    headers = [*changed_header(list(request.headers), "User-Agent", lambda _: "x"), ("X-Forwarded-For", "1.2.3.4")]
    assert send(at_now, request.method, request.target, headers, request.body)[0] == 200


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
def test_what_is_wrong_with_a_signature_is_said(
    at_now: LocalService, change: Callable[[str], str], code: str, message: str
) -> None:
    request = signed(at_now)
    headers = changed_header(list(request.headers), "Authorization", change)
    status, got, body = send(at_now, request.method, request.target, headers, request.body)
    assert (status, got["x-amzn-errortype"]) == (403, code)
    assert message in body["message"]


def test_a_mismatch_shows_what_should_have_been_signed(at_now: LocalService) -> None:
    request = signed(at_now)
    _, _, body = send(at_now, request.method, request.target, list(request.headers), b'{"sortOrder": "Ascending"}'[:2])
    assert "The Canonical String for this request should have been\n'POST\n/workflow-definitions/" in body["message"]
    assert "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20251123T203456Z\n" in body["message"]


def test_a_wrong_date_header_is_refused(at_now: LocalService) -> None:
    request = signed(at_now)
    headers = changed_header(list(request.headers), "X-Amz-Date", lambda _: "yesterday")
    status, got, _ = send(at_now, request.method, request.target, headers, request.body)
    assert (status, got["x-amzn-errortype"]) == (403, "IncompleteSignatureException")


@pytest.mark.parametrize(("offset", "problem"), [(301, "Signature expired"), (-301, "Signature not yet current")])
def test_a_clock_more_than_five_minutes_off_is_refused(offset: float, problem: str) -> None:
    for seconds, refused in ((offset, True), (offset * 0.99, False)):
        with LocalService(clock=lambda seconds=seconds: int(NOW) + seconds, credentials=TEMPORARY_KEYS) as service:  # type: ignore[misc]
            request = signed(service)
            status, _, body = send(service, request.method, request.target, list(request.headers), request.body)
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


# boto3 and we, side by side.

sort_orders = st.none() | st.sampled_from([*SortOrder])


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


@pytest.fixture(scope="module")
def theirs(shared: LocalService) -> Any:
    return boto3_for(shared)


def outcome_of_boto3(client: Any, arguments: dict[str, Any]) -> Any:
    try:
        page = client.list_sessions(**boto3_arguments(arguments))
    except ClientError as error:
        members = {name: value for name, value in error.response.items() if name not in ("Error", "ResponseMetadata")}
        return type(error).__name__, error.response["Error"], members
    return [each["sessionId"] for each in page["sessionSummaries"]], page.get("nextToken")


def outcome_of_ours(client: Client, arguments: dict[str, Any]) -> Any:
    try:
        page = client.list_sessions(**arguments)
    except ServiceError as error:
        members: dict[str, Any] = {"message": error.message} if error.code in ERRORS else {}
        for member in ERRORS[error.code].members if error.code in ERRORS else ():
            value = getattr(error, member.name)
            if member.name == "field_list":
                value = [{"name": each.name, "message": each.message} for each in value]
            members[member.wire_name] = value
        return type(error).__name__, {"Code": error.code, "Message": error.message}, members
    return [each.session_id for each in page.session_summaries], page.next_token


@given(
    st.integers(0, 5),
    st.none() | st.sampled_from([1, 2, 10, 33, 34, 35, 100, 101]),
    sort_orders,
    st.none() | st.just("not a token") | st.just("bm90IG91cnM="),
    st.none() | st.sampled_from(["nobody", "a b", "é", "x" * 41, "{}"]),
    st.none() | st.sampled_from(["00000000-0000-4000-8000-000000000000", "x", "%2F", "a/b"]),
)
def test_boto3_and_we_get_the_same_from_the_same_call(
    shared: LocalService,
    theirs: Any,
    run_number: int,
    max_results: int | None,
    sort_order: SortOrder | None,
    next_token: str | None,
    name: str | None,
    run_id: str | None,
) -> None:
    run = shared.runs[run_number]
    arguments: dict[str, Any] = {
        "workflow_definition_name": name or run.workflow_definition_name,
        "workflow_run_id": run_id or run.workflow_run_id,
        "max_results": max_results,
        "next_token": next_token,
        "sort_order": sort_order,
    }
    with Client(**options_for(shared)) as client:
        assert outcome_of_ours(client, arguments) == outcome_of_boto3(theirs, arguments)


@pytest.mark.parametrize("code", ERRORS)
def test_boto3_and_we_raise_the_same_modelled_errors(face: Face, service: LocalService, code: str) -> None:
    service.fail_next(code, "As asked.", times=2)
    with pytest.raises(getattr(errors, code)) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    client = boto3_for(service)
    with pytest.raises(getattr(client.exceptions, code)) as their:
        client.list_sessions(**boto3_arguments(call_for(service.runs[0])))
    assert caught.value.status_code == their.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert caught.value.message == their.value.response["Error"]["Message"] == "As asked."
    assert caught.value.request_id
    for member in ERRORS[code].members:
        if member.name != "field_list":
            assert getattr(caught.value, member.name) == their.value.response.get(member.wire_name)
    assert len(service.requests) == 2
    face.page(options_for(service), **call_for(service.runs[0]))  # and then all is well again


def test_an_errors_members_can_be_chosen(face: Face, service: LocalService) -> None:
    service.fail_next("ThrottlingException", retry_after_seconds=7, service_code="nova-act", quota_code="L-1")
    with pytest.raises(errors.ThrottlingException) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    assert (caught.value.retry_after_seconds, caught.value.retry_after) == (7, 7.0)
    assert (caught.value.service_code, caught.value.quota_code) == ("nova-act", "L-1")


def test_an_error_that_is_not_modelled_is_refused_with_advice(service: LocalService) -> None:
    with pytest.raises(ValueError, match="answer_next"):
        service.fail_next("TeapotException")
    with pytest.raises(TypeError, match="ThrottlingException has no reason, only message, "):
        service.fail_next("ThrottlingException", reason="x")


def test_any_answer_can_be_asked_for(face: Face, service: LocalService) -> None:
    service.answer_next(599, b"<html>gateway</html>", {"X-Cache": "Error"})
    with pytest.raises(ServiceError) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    assert (caught.value.code, caught.value.headers["x-cache"]) == ("599", "Error")


def test_an_answers_headers_replace_the_services_own(face: Face, service: LocalService) -> None:
    service.answer_next(418, b"{}", {"x-amzn-requestid": "mine", "DATE": "never"})
    with pytest.raises(ServiceError) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    assert (caught.value.request_id, caught.value.headers["date"]) == ("mine", "never")
    service.answer_next(200, b"{}", {"Content-Length": "99"})
    with pytest.raises(errors.TransportError):
        face.page({**options_for(service), "timeout": Timeout(read=0.05)}, **call_for(service.runs[0]))


@pytest.mark.parametrize("header", [("a", "b\r\nc: d"), ("a b", "c"), ("", "c"), ("a", "\u20ac"), ("a:", "b")])
def test_an_answers_headers_are_checked_where_they_are_given(service: LocalService, header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="not a header that can be sent"):
        service.answer_next(200, b"", dict([header]))


def test_an_answers_body_is_checked_where_it_is_given(service: LocalService) -> None:
    body: Any = "text"
    with pytest.raises(TypeError, match="the body must be bytes, not str"):
        service.answer_next(200, body)


def test_answers_come_in_the_order_asked_for(face: Face, service: LocalService) -> None:
    for status in (501, 502):
        service.answer_next(status)
    for status in (501, 502):
        with pytest.raises(ServiceError) as caught:
            face.page(options_for(service), **call_for(service.runs[0]))
        assert caught.value.status_code == status


def test_an_asked_for_answer_is_not_wasted_on_a_bad_signature(service: LocalService) -> None:
    service.fail_next("ThrottlingException")
    keys = Credentials(access_key_id=service.credentials.access_key_id, secret_access_key="wrong")
    codes = []
    for credentials in (keys, service.credentials):
        with Client(**{**options_for(service), "credentials": credentials}) as client:
            with pytest.raises(ServiceError) as caught:
                client.list_sessions(**call_for(service.runs[0]))
            codes.append(caught.value.code)
    assert codes == ["InvalidSignatureException", "ThrottlingException"]


# What is in the service.


def test_the_same_seed_makes_the_same_world() -> None:
    one, same, other = LocalService(seed=1), LocalService(seed=1), LocalService(seed=2)
    assert one.runs == same.runs != other.runs
    assert one.credentials == same.credentials != other.credentials


def test_the_example_run_has_more_than_ten_sessions_and_ids_are_uuids(service: LocalService) -> None:
    assert len(service.runs[0].session_ids) > 10
    assert {len(run.session_ids) for run in service.runs} >= {0, 1}
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    for run in service.runs:
        assert all(map(uuid.fullmatch, (run.workflow_run_id, *run.session_ids)))
    assert repr(service.runs[0]).endswith("session_ids=<34 sessions>)")


def test_what_is_made_up_does_not_depend_on_the_requests_before() -> None:
    with LocalService(seed=4) as service:
        SyncFace().page(options_for(service), **call_for(service.runs[0]))
        run = service.add_run("a", sessions=2)
    assert run == LocalService(seed=4).add_run("a", sessions=2)


@pytest.mark.parametrize("name", ["", "a/b", "bad name", "x" * 41])
def test_a_run_that_could_not_be_listed_is_refused(service: LocalService, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a workflowDefinitionName"):
        service.add_run(name, sessions=1)


def test_a_run_can_be_added(face: Face, service: LocalService) -> None:
    run = service.add_run("of-my-own", sessions=205)
    items, _ = face.items(options_for(service), **call_for(run))
    assert [each.session_id for each in items] == list(run.session_ids)
    assert len(service.requests) == 3


def test_a_page_has_a_hundred_where_the_caller_does_not_say(face: Face, service: LocalService) -> None:
    got = face.page(options_for(service), **call_for(service.add_run("a", sessions=101)))
    assert len(got.session_summaries) == 100
    assert got.next_token


def test_what_is_not_found_is_named(face: Face, service: LocalService) -> None:
    run = call_for(service.runs[0])
    for changes, kind in (
        ({"workflow_definition_name": "nobody"}, "WorkflowDefinition"),
        ({"workflow_run_id": UUID}, "WorkflowRun"),
    ):
        with pytest.raises(errors.ResourceNotFoundException) as caught:
            face.page(options_for(service), **{**run, **changes})
        assert caught.value.resource_type == kind


@pytest.mark.parametrize(("max_results", "pages"), [(4, 3), (5, 2), (9, 2), (10, 1), (11, 1)])
def test_the_last_page_has_no_token(face: Face, service: LocalService, max_results: int, pages: int) -> None:
    run = service.add_run("ten", sessions=10)
    got, _ = face.pages(options_for(service), **call_for(run), page_size=max_results)
    assert [bool(page.next_token) for page in got] == [True] * (pages - 1) + [False]


def test_tokens_are_of_one_listing_only(service: LocalService) -> None:
    first, other = service.runs[0], service.add_run("other", sessions=20)
    with Client(**options_for(service)) as client:
        token = client.list_sessions(**call_for(first), max_results=2).next_token
        for arguments in (
            {**call_for(other), "next_token": token},
            {**call_for(first), "next_token": token, "sort_order": "Descending"},
            {**call_for(first), "next_token": "AAAA"},
            {**call_for(first), "next_token": "A"},
            {**call_for(first), "next_token": "é"},
        ):
            with pytest.raises(errors.ValidationException) as caught:
                client.list_sessions(**arguments)
            assert caught.value.field_list[0].name == "nextToken"


def _target(name: str, run_id: str, query: str = "") -> str:
    return f"/workflow-definitions/{name}/workflow-runs/{run_id}{query}"


UUID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("PUT", _target("a", UUID), b"{}", 404, "UnknownOperationException"),
        ("GET", _target("a", UUID), b"", 404, "UnknownOperationException"),
        ("POST", "/", b"{}", 404, "UnknownOperationException"),
        ("POST", "/workflow-definitions/a/workflow-runs/", b"{}", 404, "UnknownOperationException"),
        ("POST", _target("a", UUID), b"", 400, "SerializationException"),
        ("POST", _target("a", UUID), b"[]", 400, "SerializationException"),
        ("POST", _target("a", UUID), b"\xff", 400, "SerializationException"),
        ("POST", _target("%ff", UUID), b"{}", 400, "SerializationException"),
        ("POST", _target("a", UUID, "?nextToken=%ff"), b"{}", 400, "SerializationException"),
        ("POST", _target("a", "x"), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID, "?maxResults=x"), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID, "?maxResults=0"), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID, "?nextToken="), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID), b'{"sortOrder": "Up"}', 400, "ValidationException"),
        ("POST", _target("a", UUID), b'{"sortOrder": 1}', 400, "ValidationException"),
        ("POST", _target("a", UUID), b'{"sortOrder": null}', 404, "ResourceNotFoundException"),
        ("POST", _target("a", UUID), b"[" * 100_000, 400, "SerializationException"),
        ("POST", _target("a", UUID, "?sortOrder=Up&workflowRunId=x"), b"{}", 404, "ResourceNotFoundException"),
        ("POST", _target("a", UUID), b'{"maxResults": 0, "nextToken": 1}', 404, "ResourceNotFoundException"),
        ("POST", _target("a", UUID, "?other=1"), b'{"new": 1}', 404, "ResourceNotFoundException"),
    ],
)
def test_what_the_service_refuses(
    at_now: LocalService, method: str, target: str, body: bytes, status: int, code: str
) -> None:
    base = (("Host", urlsplit(at_now.url).netloc), ("Content-Type", "application/json"))
    headers = SigV4Signer().sign(
        method, target, base, body, credentials=TEMPORARY_KEYS, scope=Scope("us-east-1", "nova-act"), now=NOW
    )
    got, got_headers, _ = send(at_now, method, target, [*headers, ("Content-Length", str(len(body)))], body)
    assert (got, got_headers["x-amzn-errortype"]) == (status, code)


def test_members_in_the_wrong_place_are_not_looked_at(at_now: LocalService) -> None:
    run, other = at_now.runs[0], at_now.runs[1]
    target = _target(run.workflow_definition_name, run.workflow_run_id)
    body = json.dumps({"maxResults": "3", "workflowRunId": other.workflow_run_id, "sortOrder": None}).encode()
    for where, what in (
        (target, body),
        (f"{target}?sortOrder=Descending&workflowRunId={other.workflow_run_id}", b"{}"),
    ):
        base = (("Host", urlsplit(at_now.url).netloc), ("Content-Type", "application/json"))
        headers = SigV4Signer().sign(
            "POST", where, base, what, credentials=TEMPORARY_KEYS, scope=Scope("us-east-1", "nova-act"), now=NOW
        )
        _, _, got = send(at_now, "POST", where, [*headers, ("Content-Length", str(len(what)))], what)
        assert [each["sessionId"] for each in got["sessionSummaries"]] == list(run.session_ids)


def test_it_remembers_what_came_as_it_came(service: LocalService) -> None:
    run = service.runs[0]
    with Client(**options_for(service)) as client:
        client.list_sessions(**call_for(run), max_results=3, sort_order="Ascending")
    (request,) = service.requests
    assert isinstance(request, ReceivedRequest)
    assert request.target == _target(run.workflow_definition_name, run.workflow_run_id, "?maxResults=3")
    assert (request.method, request.body) == ("POST", b'{"sortOrder": "Ascending"}')
    assert request.header("AMZ-SDK-Request") == "attempt=1; max=1"
    assert request.header("nothing") is None
    assert "Signature" not in repr(request)
