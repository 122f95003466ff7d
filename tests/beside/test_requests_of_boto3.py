"""The request of a call, compared with boto3's for the same call."""

from __future__ import annotations

import functools
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import BotocoreSigner, Credentials, SortOrder, __version__
from tests.helpers.answers import response
from tests.helpers.boto3_oracle import Boto3Wire
from tests.helpers.calls import CALL, KEYS, TEMPORARY_KEYS
from tests.helpers.flows import request_of

boto3_wire = functools.cache(Boto3Wire)

ENDPOINTS = (
    "https://nova-act.us-east-1.amazonaws.com",
    "http://127.0.0.1:8080/base/",
    "http://H.Example:80",
    "https://h.example:443/a/b",
    "https://h.example:8443/a%20b/c?x=1&a=%2F",
    "http://[::1]:8080",
    "https://h.example?q",
    "https://h.example//",
)

labels = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
    | st.sampled_from(["a b/c%2Fd+é:", "%2e%2e", "...", "~", "a//b", "?", "#", "\u2028", "\U0001f600", "x" * 100])
).filter(lambda label: label not in (".", ".."))
tokens = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(
    ["a b+c/d=e%f&g?h#i~é", "==", "\x00\r\n"]
)
calls = st.fixed_dictionaries(
    {
        "workflow_definition_name": labels,
        "workflow_run_id": labels,
        "max_results": st.none() | st.integers(1, 2**63 - 1),
        "next_token": st.none() | tokens,
        "sort_order": st.none() | st.sampled_from([*SortOrder, "Ascending", "upwards", "", 'quo"te', "é"]),
    }
)


def _theirs(prepared: Any) -> tuple[str, str, dict[str, str], bytes]:
    parts = urlsplit(prepared.url)
    headers = {
        name.lower(): (value.decode() if isinstance(value, bytes) else value)
        for name, value in prepared.headers.items()
    }
    return prepared.method, f"{parts.path}{'?' if parts.query else ''}{parts.query}", headers, prepared.body


@given(calls, st.sampled_from(ENDPOINTS), st.sampled_from([KEYS, TEMPORARY_KEYS]))
def test_a_request_equals_boto3s(arguments: dict[str, Any], endpoint_url: str, keys: Credentials) -> None:
    ours = request_of(arguments, keys, endpoint_url=endpoint_url)
    method, target, headers, body = _theirs(
        boto3_wire(endpoint_url=endpoint_url, credentials=keys).request_of(arguments)
    )
    assert (ours.method, ours.target, ours.body) == (method, target, body)
    sent = {name.lower(): value for name, value in ours.headers}
    for name in ("content-type", "x-amz-date", "x-amz-security-token", "authorization"):
        assert sent.get(name) == headers.get(name), name
    assert sent["content-length"] == str(len(body))


def test_the_headers_are_those_of_an_aws_sdk() -> None:
    names = [name for name, _ in request_of(CALL, TEMPORARY_KEYS).headers]
    assert sorted(names) == [
        "Accept-Encoding",
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Host",
        "User-Agent",
        "X-Amz-Date",
        "X-Amz-Security-Token",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
    ]


def test_only_headers_that_no_proxy_changes_are_signed() -> None:
    headers = dict(request_of(CALL, TEMPORARY_KEYS).headers)
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, " in headers["Authorization"]


def test_a_call_without_sort_order_still_has_a_body() -> None:
    request = request_of(CALL)
    assert request.body == b"{}"
    assert dict(request.headers)["Content-Length"] == "2"


def test_the_user_agent_names_library_version_python_and_os() -> None:
    agent = dict(request_of(CALL).headers)["User-Agent"]
    assert re.fullmatch(
        rf"novaact-http/{re.escape(__version__)} ua/2\.1 os/\w+ lang/python#3\.\d+\.\d+ md/pyimpl#\w+", agent
    )


def test_botocores_signer_makes_the_same_request() -> None:
    theirs, ours = (request_of(CALL, TEMPORARY_KEYS, signer=each) for each in (BotocoreSigner(), None))
    assert theirs == ours._replace(head=b"")  # the pool writes it


@pytest.mark.parametrize(
    ("endpoint_url", "host"),
    [
        ("http://H:8080/base/", "h:8080"),
        ("https://h:443", "h"),
        ("http://h:80", "h"),
        ("http://h:443", "h:443"),
        ("http://[::1]:80", "[::1]"),
        ("http://[0:0:0:0:0:0:0:1]", "[::1]"),
        ("https://h.example.:443", "h.example"),
        ("https://h.example.:8443", "h.example:8443"),
    ],
)
def test_the_host_header_is_lower_case_and_without_the_default_port_or_a_dot(endpoint_url: str, host: str) -> None:
    assert dict(request_of(CALL, endpoint_url=endpoint_url).headers)["Host"] == host


def test_a_requests_repr_shows_no_secret() -> None:
    shown = repr(request_of(CALL, TEMPORARY_KEYS))
    assert TEMPORARY_KEYS.session_token is not None
    assert TEMPORARY_KEYS.session_token not in shown
    assert "Signature" not in shown


def test_requests_and_responses_show_none_of_their_headers() -> None:
    request = request_of(CALL, TEMPORARY_KEYS)
    assert repr(request) == f"Request(POST https://nova-act.us-east-1.amazonaws.com{request.target})"
    assert repr(response(200, {}, set_cookie="secret")) == "Response(200, 2 bytes)"
