"""Headers that users add: they are sent and signed, or refused when the client is made."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import BotocoreSigner, Client, ConfigurationError
from novaact_http._call import user_headers
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, OPTIONS, call_for, mocked, options_for

if TYPE_CHECKING:
    import httpx

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face


def sent(face: Face, headers: Any, **more: Any) -> httpx.Request:
    """Return the request of a call."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx_page()

    face.page({**mocked(answer), "headers": headers, **more}, **CALL)
    return requests[0]


def names_of_signed(request: httpx.Request) -> list[str]:
    return request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")


def test_they_are_sent_and_signed(face: Face) -> None:
    request = sent(face, {"X-Tenant": "blue", "x-empty": "", "X-Text": "a  b, c"})
    assert (request.headers["x-tenant"], request.headers["x-empty"]) == ("blue", "")
    assert names_of_signed(request) == ["content-type", "host", "x-amz-date", "x-empty", "x-tenant", "x-text"]


@pytest.mark.parametrize("name", ["traceparent", "tracestate", "baggage", "X-Amzn-Trace-Id"])
def test_those_that_change_on_the_way_are_not_signed(face: Face, name: str) -> None:
    request = sent(face, {name: "a=b", "X-Tenant": "blue"})
    assert request.headers[name] == "a=b"
    assert names_of_signed(request) == ["content-type", "host", "x-amz-date", "x-tenant"]


def test_a_service_that_checks_signatures_accepts_them(face: Face, service: LocalService) -> None:
    headers = {"X-Tenant": "blue  and  green", "traceparent": "00-a-b-01"}
    for more in ({}, {"signer": BotocoreSigner()}):
        page = face.page({**options_for(service), "headers": headers, **more}, **call_for(service.runs[0]))
        assert page.session_summaries


def test_botocore_leaves_out_the_same() -> None:
    from botocore.auth import SIGNED_HEADERS_BLACKLIST

    left_out = set(SIGNED_HEADERS_BLACKLIST) - user_headers._OURS - user_headers._OF_THE_CONNECTION
    assert left_out <= user_headers._NOT_SIGNED


def test_in_lambda_its_trace_goes_along_unless_there_is_another(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1")
    assert sent(face, {}).headers["x-amzn-trace-id"] == "Root=1"
    request = sent(face, {"traceparent": "00", "X-Tenant": "blue"})
    assert (request.headers["x-amzn-trace-id"], request.headers["traceparent"]) == ("Root=1", "00")
    assert sent(face, {"x-amzn-trace-id": "Root=2"}).headers.get_list("x-amzn-trace-id") == ["Root=2"]


BAD: list[tuple[object, str]] = [
    ([("a", "b")], "is of type list"),
    ("a: b", "is of type str"),
    (5, "is of type int"),
    ({5: "a"}, "has the name 5"),
    ({"": "a"}, "has the name ''"),
    ({"a b": "c"}, "has the name 'a b'"),
    ({"a:": "c"}, "has the name 'a:'"),
    ({"a\r\nb": "c"}, "has the name 'a\\r\\nb'"),
    ({"ä": "c"}, "has the name 'ä'"),
    ({"x-a": "b", "X-A": "c"}, "has X-A twice"),
    ({"x-a": "pass\r\nwords"}, "has a value for x-a that is no header's"),
    ({"x-a": "pass\nwords"}, "has a value for x-a that is no header's"),
    ({"x-a": "pass\0words"}, "has a value for x-a that is no header's"),
    ({"x-a": " password"}, "has a value for x-a that is no header's"),
    ({"x-a": "password "}, "has a value for x-a that is no header's"),
    ({"x-a": "pässword"}, "has a value for x-a that is no header's"),
    ({"x-a": b"password"}, "has a value for x-a that is no header's"),
    ({"x-a": None}, "has a value for x-a that is no header's"),
    *(({each.title(): "a"}, f"has {each.title()}, which the library sets itself") for each in user_headers._OURS),
    *(({each: "a"}, f"has {each}, which is about the connection") for each in user_headers._OF_THE_CONNECTION),
]


@pytest.mark.parametrize(("headers", "problem"), BAD, ids=map(str, range(len(BAD))))
def test_bad_ones_are_refused_when_a_client_is_made(face: Face, headers: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sent(face, headers)
    assert f"the argument headers {problem}" in str(caught.value)
    assert (caught.value.setting, caught.value.source) == ("headers", "the argument headers")
    assert "ssword" not in str(caught.value)
    with Client(**OPTIONS) as client, pytest.raises(ConfigurationError):
        client.with_options(headers=headers)


def test_with_options_replaces_them() -> None:
    seen: list[tuple[str | None, str | None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.headers.get("x-a"), request.headers.get("x-b")))
        return httpx_page()

    with Client(**mocked(answer), headers={"x-a": "1"}) as client:
        for each in (
            client,
            client.with_options(headers={"x-b": "2"}),
            client.with_options(timeout=5),
            client.with_options(headers={}),
        ):
            each.list_sessions(**CALL)
    assert seen == [("1", None), (None, "2"), ("1", None), (None, None)]


def _credentials() -> Any:
    return None


def test_a_pickled_client_keeps_them() -> None:
    given = {"x-a": "1"}
    options: dict[str, Any] = {**OPTIONS, "credentials": _credentials}
    client = Client(**options, headers=given)
    given["x-a"] = "changed later"
    for each, expected in ((client, (("x-a", "1"),)), (client.with_options(headers={"x-b": "2"}), (("x-b", "2"),))):
        assert pickle.loads(pickle.dumps(each))._context.heads.headers == expected
        assert "x-" not in repr(each)
