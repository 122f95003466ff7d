"""Errors of the service, compared with boto3's for the same response."""

from __future__ import annotations

import functools
import gzip
import json
import pickle
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Credentials, errors
from novaact_http._call.http_messages import Response
from novaact_http._operations.service_errors import ERRORS
from novaact_http.errors import ServiceError, ValidationException, ValidationExceptionField
from tests.helpers.answers import response
from tests.helpers.boto3_oracle import Boto3Wire
from tests.helpers.calls import KEYS, NOW, TEMPORARY_KEYS
from tests.helpers.flows import attempt, context, drive, new_flow

if TYPE_CHECKING:
    from collections.abc import Callable

boto3_wire = functools.cache(Boto3Wire)


def raised(answer: Response, credentials: Credentials = KEYS) -> ServiceError:
    """Return the error that a call raises for this response."""
    driven = drive(context(), [answer], credentials=credentials)
    assert isinstance(driven.error, ServiceError)
    return driven.error


codes = st.sampled_from(
    [
        *ERRORS,
        "UnknownThing",
        "Throttling",
        "aws.novaact#ThrottlingException",
        "ThrottlingException:http://internal.amazon.com/coral/",
        "ns#ValidationException:x:y",
        "a#b#ConflictException",
    ]
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
members = st.fixed_dictionaries(
    {},
    optional={
        "message": texts | st.none(),
        "Message": texts,
        "errorMessage": texts,
        "__type": codes,
        "code": codes | st.none(),
        "Code": codes,
        "resourceId": texts,
        "resourceType": texts,
        "serviceCode": texts | st.none(),
        "quotaCode": texts,
        "reason": texts,
        "retryAfterSeconds": st.integers(),
        "fieldList": st.lists(st.fixed_dictionaries({"name": texts, "message": texts}), max_size=2),
    },
)
statuses = st.sampled_from([301, 400, 402, 403, 404, 409, 418, 429, 499, 500, 503, 599])
headers = st.fixed_dictionaries(
    {},
    optional={
        "x_amzn_errortype": codes,
        "x_amzn_requestid": st.just("request-1"),
        "retry_after": st.integers(0, 99).map(str),
    },
)


@given(statuses, members, headers)
def test_an_error_is_read_as_boto3_reads_it(status: int, body: dict[str, Any], extra: dict[str, str]) -> None:
    answer = response(status, body, **extra)
    ours, theirs = raised(answer), boto3_wire().result_of(answer)
    assert isinstance(theirs, ClientError)
    assert ours.code == theirs.response["Error"]["Code"]
    assert ours.message == (theirs.response["Error"]["Message"] or "")
    assert ours.status_code == theirs.response["ResponseMetadata"]["HTTPStatusCode"]
    assert ours.request_id == theirs.response["ResponseMetadata"].get("RequestId")
    assert ours.headers == theirs.response["ResponseMetadata"]["HTTPHeaders"]
    if theirs.response["Error"]["Message"] is not None:  # boto3 says "None" then
        assert str(ours).startswith(str(theirs).replace(" (reached max retries: 0)", ""))
    assert type(ours).__name__ == (type(theirs).__name__ if type(theirs) is not ClientError else "ServiceError")
    if ours.code in ERRORS:
        _compare_members(ours, theirs.response)


def _compare_members(ours: ServiceError, theirs: dict[str, Any]) -> None:
    for member in ERRORS[ours.code].members:
        value = getattr(ours, member.name)
        if member.name == "field_list":
            value = [{"name": each.name, "message": each.message} for each in value]
            assert value == theirs.get(member.wire_name, [])
        else:
            assert value == theirs.get(member.wire_name), member.name
    if ERRORS[ours.code].has_retry_after:
        assert ours.retry_after_seconds == theirs.get("retryAfterSeconds")  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", ERRORS)
def test_the_errors_are_those_of_the_service_model(code: str) -> None:
    shape = next(each for each in boto3_wire().client.meta.service_model.error_shapes if each.name == code)
    error = ERRORS[code].exception()
    assert error.code == code
    assert error.status_code == shape.metadata["error"]["httpStatusCode"]
    modelled = {name for name in shape.members if name != "message"}
    known = {member.wire_name for member in ERRORS[code].members}
    assert known | ({"retryAfterSeconds"} if ERRORS[code].has_retry_after else set()) == modelled


def test_every_error_of_the_service_model_is_known() -> None:
    assert {shape.name for shape in boto3_wire().client.meta.service_model.error_shapes} == set(ERRORS)


# Intended differences from botocore.


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (response(400, {"__type": "FromType"}, x_amzn_errortype=""), "FromType"),
        (response(400, {"code": "", "__type": "FromType"}), "FromType"),
        (response(400, {"code": "FromCode", "__type": "FromType"}, x_amzn_errortype=" "), "FromCode"),
        (response(400, {}, x_amzn_errortype="A,B"), "A"),
        (response(400, {}, x_amzn_errortype=" ,B"), "B"),
        (response(400, {}, x_amzn_errortype="  A  "), "A"),
        (response(400, {}, x_amzn_errortype="ns#:x"), "400"),
        (response(400, {"code": "A\nERROR forged\x1b[31m"}), "AERROR forged[31m"),
        (response(400, {"code": 7}), "400"),
        (response(400, {"__type": 7}), "400"),
        (response(400, {"__type": ["A"]}), "400"),
        (response(503, b"", x_amzn_errortype="ThrottlingException"), "ThrottlingException"),
        (response(503, b"<html>no</html>", x_amzn_errortype="ThrottlingException"), "ThrottlingException"),
        (Response(status=400, headers=(("x-amzn-errortype", "A"), ("x-amzn-errortype", "B")), body=b"{}"), "A"),
        (response(300, {"__type": "Odd"}), "Odd"),
        (response(300), "300"),
    ],
)
def test_the_code_is_the_first_that_is_not_empty(answer: Response, code: str) -> None:
    assert raised(answer).code == code


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"', b"[" * 10_000, b"not json", b"\xff\xfe"])
def test_a_body_that_is_not_an_object_is_the_message(body: bytes) -> None:
    error = raised(response(400, body))
    assert error.message == body.decode("utf-8", "replace")
    assert error.code == "400"


@pytest.mark.parametrize("status", [502, 403])
@pytest.mark.parametrize(
    "page",
    [
        "<html>",
        "<HTML>",
        '<html lang="en">',
        "<!DOCTYPE html>",
        "\n <!doctype HTML PUBLIC '-'>",
        "<html\n>",
        "\ufeff<html>",
        "<?xml version='1.0'?>\n<!DOCTYPE html>",
        "<!-- a\n --> <!-- b --><html>",
    ],
)
def test_an_html_page_is_recognised_and_not_shown(page: str, status: int) -> None:
    error = raised(response(status, f"{page}<body>{'secret plans ' * 1000}</body>".encode(), x_amzn_requestid="r-1"))
    phrase = {502: "Bad Gateway", 403: "Forbidden"}[status]
    assert error.message == f"{phrase} (an HTML page: a gateway answered, not the service)"
    assert (error.code, error.request_id) == (str(status), "r-1")


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (599, "HTTP status 599"),
        (404, ""),
    ],
)
@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_server_error_has_the_reason_phrase_of_its_status(status: int, phrase: str, body: bytes) -> None:
    error = raised(response(status, body, x_amzn_requestid="r-1"))
    assert (error.code, error.message, error.request_id) == (str(status), phrase, "r-1")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("1.2", 1.2),
        (" 2 ", 2.0),
        ("0", 0.0),
        (formatdate(NOW + 30, usegmt=True), 29.5),
        (formatdate(NOW - 30, usegmt=True), 0.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("1e9", None),
        ("9" * 400, None),
        ("٣", None),
        ("Mon, 99 Foo 99999 99:99:99 GMT", None),
        ("Mon, 01 Jan 999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_raises(value: str, seconds: float | None) -> None:
    error = raised(response(429, {"__type": "ThrottlingException"}, retry_after=value))
    assert isinstance(error, errors.ThrottlingException)
    assert error.retry_after == seconds
    assert error.retry_after_seconds == (None if seconds is None else -int(-seconds // 1))


@given(st.text(max_size=40))
def test_no_text_in_retry_after_raises(value: str) -> None:
    after = raised(response(503, b"", retry_after=value)).retry_after
    assert after is None or after >= 0


def test_a_member_named_retry_after_counts_more_than_the_header_as_in_boto3() -> None:
    answer = response(429, {"__type": "ThrottlingException", "Retry-After": 9}, retry_after="3")
    error = raised(answer)
    assert isinstance(error, errors.ThrottlingException)
    assert error.retry_after_seconds == boto3_wire().result_of(answer).response["retryAfterSeconds"] == 9


@pytest.mark.parametrize("field_list", [7, "x", {}, [None], [7], [{"name": 1, "message": "m"}], [[{"name": "a"}]]])
def test_members_that_are_not_as_modelled_are_left_out(field_list: object) -> None:
    error = raised(response(400, {"__type": "ValidationException", "reason": 7, "fieldList": field_list}))
    assert isinstance(error, ValidationException)
    assert (error.reason, error.field_list) == (None, ())


def test_a_field_may_lack_a_part() -> None:
    error = raised(response(400, {"__type": "ValidationException", "fieldList": [{"name": "a"}, {}]}))
    assert isinstance(error, ValidationException)
    assert error.field_list == (ValidationExceptionField(name="a"), ValidationExceptionField())


def test_only_a_page_that_begins_as_one_is_html() -> None:
    assert raised(response(400, {"message": "no <html> here"})).message == "no <html> here"
    assert raised(response(400, {"message": "m"}, content_encoding="Identity")).message == "m"


def test_the_body_of_a_compressed_error_is_not_shown() -> None:
    error = raised(response(502, gzip.compress(b"hello"), content_encoding="gzip"))
    assert error.message == "Bad Gateway (the body has Content-Encoding 'gzip', which was not asked for)"


def test_a_message_that_is_not_text_is_shown_as_json() -> None:
    assert raised(response(400, {"message": {"a": [1]}})).message == '{"a": [1]}'


def test_lone_surrogates_do_not_make_an_error_unprintable() -> None:
    body = b'{"__type": "ValidationException", "message": "a\\ud800", "reason": "\\udfff", "code": "\\ud801"}'
    error = raised(response(400, body))
    str(error).encode()
    error.code.encode()


def test_echoed_secrets_are_blanked_out_everywhere() -> None:
    keys = TEMPORARY_KEYS
    flow = new_flow(context())
    signature = dict(attempt(flow, keys).headers)["Authorization"].rpartition("=")[2]
    echo = f"you sent {keys.secret_access_key}, {keys.session_token} and {signature}"
    body = {
        "__type": "ValidationException",
        "message": echo,
        "reason": echo,
        "fieldList": [{"name": echo, "message": echo}],
    }
    with pytest.raises(ValidationException) as caught:
        # As written by an encoder that escapes more than necessary: the text is the same.
        raw = json.dumps(body).replace("/", "\\/").replace("+", "\\u002b").encode()
        flow.send(response(400, raw, x_echo=echo))
    error = caught.value
    blanked = "you sent ***, *** and ***"
    assert (error.message, error.reason, error.headers["x-echo"]) == (blanked, blanked, blanked)
    assert error.field_list == (ValidationExceptionField(name=blanked, message=blanked),)
    for shown in (str(error), repr(error), repr(vars(error)), str(pickle.dumps(error))):
        for secret in (keys.secret_access_key, keys.session_token, signature):
            assert str(secret) not in shown


@pytest.mark.parametrize(
    "spelling", [str, lambda secret: secret.replace("/", "\\/"), lambda secret: quote(secret, safe="")]
)
@pytest.mark.parametrize("status", [200, 403])
def test_secrets_are_blanked_out_in_every_spelling_of_a_gateway(status: int, spelling: Callable[[str], str]) -> None:
    body = f"you sent {spelling(KEYS.secret_access_key)} {spelling('IQoJ/Token+==')}".encode()
    shown = str(drive(context(), [response(status, body)], credentials=TEMPORARY_KEYS).error)
    assert "you sent" in shown
    assert spelling("IQoJ/Token+==") not in shown


@pytest.mark.parametrize(("secret", "shown"), [("7letter", "7letter"), ("8letters", "***")])
def test_secrets_are_blanked_out_from_eight_characters_on(secret: str, shown: str) -> None:
    keys = Credentials(access_key_id="a", secret_access_key=secret)
    assert raised(response(400, {"message": f"<{secret}>"}), keys).message == f"<{shown}>"


def test_placeholders_for_secrets_garble_no_text() -> None:
    stand_ins = Credentials(access_key_id="a", secret_access_key="b", session_token="testing")
    error = raised(response(400, {"message": "testing a bad request"}, x_amzn_requestid="abba"), stand_ins)
    assert (error.message, error.request_id) == ("testing a bad request", "abba")


def test_an_errors_text_has_all_its_facts() -> None:
    answer = response(
        404, {"message": "No such run."}, x_amzn_errortype="ResourceNotFoundException", x_amzn_requestid="r-1"
    )
    assert str(raised(answer)) == (
        "An error occurred (ResourceNotFoundException) when calling the ListSessions operation: No such run. "
        "(status 404, request id r-1, attempts 1)"
    )
