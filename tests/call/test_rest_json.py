"""Responses with a success status: pages, and bodies that are not a page."""

from __future__ import annotations

import gzip
import pickle
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from novaact_http import ListSessionsResponse, ResponseError, ResponseMetadata, SessionSummary
from novaact_http._call import rest_json
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http._operations.shapes import STRING, ListOf, Member, Operation, Shape, Structure
from tests.helpers.answers import page_body, response
from tests.helpers.boto3_oracle import Boto3Wire
from tests.helpers.calls import CALL, KEYS, mocked

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face


def _answer(body: bytes, status: int = 200, headers: Any = ()) -> dict[str, Any]:
    return mocked(lambda _: httpx.Response(status, headers=headers, stream=httpx.ByteStream(body)))


@pytest.mark.parametrize(
    ("body", "ids", "next_token"),
    [
        (b'{"sessionSummaries": []}', [], None),
        (b'{"sessionSummaries": [{"sessionId": "a"}, {"sessionId": "b"}], "nextToken": "t"}', ["a", "b"], "t"),
        (b'{"sessionSummaries": [], "nextToken": null}', [], None),
        (b'{"sessionSummaries": [], "nextToken": ""}', [], ""),
        (b'{"sessionSummaries": [{"sessionId": "a", "new": 1}], "more": {"deep": [1]}}', ["a"], None),
        ('{"sessionSummaries": [{"sessionId": "é\\u00e9\\ud83d\\ude00"}]}'.encode(), ["éé😀"], None),
        (b' \n{"sessionSummaries":[]}\n', [], None),
    ],
)
def test_a_page_is_read_as_boto3_reads_it(face: Face, body: bytes, ids: list[str], next_token: str | None) -> None:
    page = face.page(_answer(body), **CALL)
    assert [each.session_id for each in page.session_summaries] == ids
    assert page.next_token == next_token
    theirs = Boto3Wire().result_of(response(200, body))
    assert [each["sessionId"] for each in theirs["sessionSummaries"]] == ids
    assert theirs.get("nextToken") == next_token


BROKEN = {
    "empty": b"",
    "truncated": b'{"sessionSummaries": [{"sessionId": "a"}',
    "html": b"<html><body>hello</body></html>",
    "byte order mark": b'\xef\xbb\xbf{"sessionSummaries": []}',
    "utf-16": '{"sessionSummaries": []}'.encode("utf-16"),
    "not utf-8": b'{"sessionSummaries": [{"sessionId": "\xff"}]}',
    "array": b"[]",
    "null": b"null",
    "number": b"7",
    "string": b'"sessionSummaries"',
    "no list": b"{}",
    "null list": b'{"sessionSummaries": null}',
    "not a list": b'{"sessionSummaries": {"sessionId": "a"}}',
    "a string for a list": b'{"sessionSummaries": "ab"}',
    "null element": b'{"sessionSummaries": [null]}',
    "element without id": b'{"sessionSummaries": [{}]}',
    "null id": b'{"sessionSummaries": [{"sessionId": null}]}',
    "number for an id": b'{"sessionSummaries": [{"sessionId": 7}]}',
    "number for a token": b'{"sessionSummaries": [], "nextToken": 7}',
    "lone surrogate": b'{"sessionSummaries": [{"sessionId": "\\ud800"}]}',
    "too deep": b'{"sessionSummaries": ' + b"[" * 200_000,
    "number too long": b'{"sessionSummaries": [], "other": ' + b"1" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_success_that_is_not_a_page_is_a_response_error(face: Face, name: str) -> None:
    with pytest.raises(ResponseError) as caught:
        face.page(_answer(BROKEN[name], headers={"x-amzn-RequestId": "r-1"}), **CALL)
    error = caught.value
    assert (error.status_code, error.request_id, error.attempts) == (200, "r-1", 1)
    assert "ListSessions got a success that is not its response" in str(error)
    assert "request id r-1" in str(error)
    assert len(str(error)) < 500
    str(error).encode()
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@attrs.frozen(kw_only=True)
class _Thing:
    """An element of a list, or the output that has the list."""

    a: Any = "the default"
    b: Any = None
    metadata: ResponseMetadata | None = attrs.field(default=None, eq=False)


_A = Member("a", "a", STRING, required=True)


@pytest.mark.parametrize(
    ("element", "sent", "expected"),
    [
        (STRING, ["x", "y"], ("x", "y")),
        (ListOf(STRING), [["x"], []], (("x",), ())),
        (
            Structure(_Thing, (_A, _A._replace(name="b", wire_name="b"))),
            [{"a": "x", "b": "y"}],
            (_Thing(a="x", b="y"),),
        ),
        (Structure(_Thing, (_A._replace(required=False),)), [{"a": "x"}, {}], (_Thing(a="x"), _Thing())),
        (Structure(_Thing, (_A._replace(shape=ListOf(STRING)),)), [{"a": ["x"]}], (_Thing(a=("x",)),)),
        (Structure(lambda a: a, (_A,)), [{"a": "x"}], ("x",)),
        (Structure(SessionSummary, (_A._replace(name="session_id"),)), [{"a": "x"}], (SessionSummary("x"),)),
    ],
    ids=["strings", "lists", "two strings", "an optional string", "a list each", "a function", "one string"],
)
def test_lists_have_elements_of_any_shape(element: Shape, sent: Any, expected: tuple[object, ...]) -> None:
    output: Structure[Any] = Structure(_Thing, (Member("a", "things", ListOf(element)),))
    operation: Operation[Any] = LIST_SESSIONS.replace(output=output)
    for _ in range(2):
        got = rest_json.decode(operation, response(200, {"things": sent}), attempts=1, now=0.0, redact=str)
        assert got == _Thing(a=expected)


def test_a_204_is_not_a_page(face: Face) -> None:
    with pytest.raises(ResponseError) as caught:
        face.page(_answer(b"", status=204), **CALL)
    assert caught.value.status_code == 204


def test_a_compressed_body_is_not_decompressed(face: Face) -> None:
    body = gzip.compress(page_body())
    with pytest.raises(ResponseError, match="Content-Encoding 'gzip', which was not asked for"):
        face.page(_answer(body, headers={"Content-Encoding": "gzip"}), **CALL)


def test_an_echoed_secret_is_not_shown(face: Face) -> None:
    with pytest.raises(ResponseError) as caught:
        face.page(_answer(KEYS.secret_access_key.encode(), headers={"x-echo": KEYS.secret_access_key}), **CALL)
    assert KEYS.secret_access_key not in str(caught.value)
    assert caught.value.headers["x-echo"] == "***"


def test_a_broken_page_may_ask_to_wait(face: Face) -> None:
    with pytest.raises(ResponseError) as caught:
        face.page(_answer(b"", headers={"Retry-After": "3"}), **CALL)
    assert caught.value.retry_after == 3.0


def test_a_secret_that_the_excerpt_cuts_off_is_not_shown(face: Face) -> None:
    with pytest.raises(ResponseError) as caught:
        face.page(_answer(b"x" * 90 + KEYS.secret_access_key.encode()), **CALL)
    assert KEYS.secret_access_key[:5] not in str(caught.value)


def test_a_page_has_the_metadata_of_its_response(face: Face) -> None:
    headers = [("X-Amzn-RequestId", "r-1"), ("X-Twice", "a"), ("x-twice", "b")]
    page = face.page(_answer(page_body(), headers=headers), **CALL)
    assert page.metadata == ResponseMetadata(
        request_id="r-1",
        status_code=200,
        headers={"x-amzn-requestid": "r-1", "x-twice": "a, b"},
        attempts=1,
    )


def test_the_request_id_may_come_in_the_older_header(face: Face) -> None:
    headers = {"x-amz-request-id": "r-2"}
    assert face.page(_answer(page_body(), headers=headers), **CALL).metadata.request_id == "r-2"
    assert face.page(_answer(page_body()), **CALL).metadata.request_id is None
    both = {"x-amz-request-id": "old", "x-amzn-requestid": "new"}
    assert face.page(_answer(page_body(), headers=both), **CALL).metadata.request_id == "new"


def _page(request_id: str) -> ListSessionsResponse:
    metadata = ResponseMetadata(request_id=request_id, status_code=200, headers={"a": "b"}, attempts=1)
    return ListSessionsResponse(session_summaries=(SessionSummary("a"),), next_token="t", metadata=metadata)


def test_pages_that_list_the_same_are_equal() -> None:
    assert _page("r-1") == _page("r-2")
    assert hash(_page("r-1")) == hash(_page("r-2"))
    assert "request_id" not in repr(_page("r-1"))
    assert hash(_page("r-1").metadata) != hash(_page("r-2").metadata)


def test_pages_pickle_and_cannot_be_changed() -> None:
    page = _page("r-1")
    copy = pickle.loads(pickle.dumps(page))
    assert (copy, copy.metadata) == (page, page.metadata)
    with pytest.raises(AttributeError):
        page.next_token = None  # type: ignore[misc]
    with pytest.raises(AttributeError):
        page.session_summaries[0].extra = 1  # type: ignore[attr-defined]
