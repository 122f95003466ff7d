"""Generated responses and arguments. `fuzz_checks` says what must hold for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import ListSessionsResponse, NovaActError, ResponseError
from novaact_http._call.http_messages import Response
from tests.beside.test_responses_read_by_h11 import broken, responses
from tests.helpers import fuzz_checks
from tests.helpers.answers import response
from tests.helpers.both_clients import FACES, Face
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.servers import Server, answers

CASES = [(target, path) for target in fuzz_checks.CHECKS for path in sorted((fuzz_checks.CASES / target).iterdir())]

statuses = st.sampled_from([200, 201, 204, 301, 400, 402, 403, 404, 409, 413, 429, 500, 503, 599, 999])
codes = st.sampled_from(
    ["ThrottlingException", "ValidationException", "InternalServerException", "x", "", "a:b", "\xff"]
)
header_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=20) | codes
headers = st.lists(
    st.tuples(
        st.sampled_from(["x-amzn-ErrorType", "Retry-After", "x-amzn-RequestId", "Content-Encoding", "Date", "X-Y"]),
        header_values | st.integers().map(str) | st.sampled_from(["gzip", "Thu, 01 Jan 1970 00:00:00 GMT", "1e999"]),
    ),
    max_size=4,
).map(tuple)
keys = st.sampled_from(
    [
        "sessionSummaries",
        "sessionId",
        "nextToken",
        "message",
        "Message",
        "__type",
        "code",
        "reason",
        "fieldList",
        "name",
    ]
)
texts = st.text() | st.sampled_from(["\ud800", "\0", "a" * 10_000])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | texts, inner, max_size=4),
    max_leaves=12,
)
pages = st.fixed_dictionaries(
    {"sessionSummaries": st.lists(st.fixed_dictionaries({"sessionId": values}), max_size=3) | values},
    optional={"nextToken": values, "other": values},
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Return JSON of any shape in any encoding, or bytes that are not JSON."""
    text = json.dumps(draw(values | pages), ensure_ascii=draw(st.booleans()))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "utf-32-be", "latin-1", "utf-8-sig"]))
    body = text.encode(encoding, "replace" if encoding == "latin-1" else "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(body)))
        body = (
            body[:at]
            + draw(st.binary(max_size=3) | st.sampled_from([b'"', b"{", b"1e999", b"\xef\xbb\xbf"]))
            + body[at:]
        )
    return body


DEEP = sys.getrecursionlimit() * 100


@given(statuses, headers, bodies() | st.binary())
@example(200, (), b"[" * DEEP)
@example(200, (), b'{"sessionSummaries": ' + b"[" * DEEP + b"]" * DEEP + b"}")
@example(400, (), b'{"message": ' * DEEP + b"1" + b"}" * DEEP)
@example(200, (), b'{"sessionSummaries": [], "nextToken": "' + b"t" * 5_000_000 + b'"}')
@example(200, (), b'{"sessionSummaries": [], "sessionSummaries": [{"sessionId": "a"}], "nextToken": "\\ud800"}')
@example(200, (), b'{"sessionSummaries": [], "n": ' + b"9" * 100_000 + b"}")
@example(400, (("Retry-After", "9" * 5_000),), b'{"message": ' + b"9" * 100_000 + b"}")
@example(503, (), b"<!---->" * 5_000 + b"x")
@example(503, (), b" " * 1_000_000 + b"<?xml" * 1_000)
@example(400, (("x-amzn-ErrorType", "ValidationException"),), b'{"fieldList": [{"name": 1, "message": []}, 2, null]}')
def test_any_response_is_a_page_or_one_of_our_errors(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    fuzz_checks.check_answer(Response(status=status, headers=headers, body=body))


@given(responses() | broken(), st.integers(0, 9))
def test_any_bytes_are_a_page_or_one_of_our_errors(data: tuple[bytes, str], size: int) -> None:
    fuzz_checks.check_response(bytes([size]) + data[0])


@pytest.mark.parametrize("face", [kind() for kind in FACES], ids=["sync", "async"])
@given(bodies(), responses() | broken(), st.booleans())
def test_both_clients_get_a_page_or_one_of_our_errors(
    face: Face, body: bytes, other: tuple[bytes, str], is_http: bool
) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body) if is_http else other[0]
    with Server(answers(data)) as server:
        endpoint = server.endpoint()
        try:
            page = face.page({**OPTIONS, "endpoint_url": f"http://127.0.0.1:{endpoint.origin.port}"}, **CALL)
        except NovaActError:
            return
        assert isinstance(page, ListSessionsResponse)


arguments = st.fixed_dictionaries(
    {
        "workflow_definition_name": texts
        | st.sampled_from(["..", ".", "", "a/b", "a%2Fb", "a?b", "a#b", "a b\r\nc: d"]),
        "workflow_run_id": texts
        | st.sampled_from(["../x", "x\r\n\r\nGET / HTTP/1.1\r\n\r\n", "\u2028", "@evil.example"]),
    },
    optional={
        "max_results": st.integers() | st.none(),
        "next_token": texts | st.sampled_from(["a&maxResults=9", "a+b", "%00", "a=b&a=c", "\x7f"]) | st.none(),
        "sort_order": texts | st.sampled_from(["Ascending", '", "x": "']) | st.none(),
    },
)


@given(arguments)
def test_no_argument_adds_a_header_a_request_or_another_path_or_query(arguments: dict[str, Any]) -> None:
    fuzz_checks.check_arguments(arguments)


@pytest.mark.parametrize(("target", "path"), CASES, ids=lambda each: each.name if isinstance(each, Path) else each)
def test_the_inputs_that_fuzzing_starts_with_and_has_found_pass(target: str, path: Path) -> None:
    fuzz_checks.CHECKS[target](path.read_bytes())


def test_the_checks_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    bad_page = response(200, {"sessionSummaries": [{"sessionId": 1}]})
    fuzz_checks.check_answer(bad_page)
    monkeypatch.setattr("novaact_http._call.rest_json.ResponseError", KeyError)
    with pytest.raises((KeyError, TypeError)):
        fuzz_checks.check_answer(bad_page)
    assert issubclass(ResponseError, NovaActError)
