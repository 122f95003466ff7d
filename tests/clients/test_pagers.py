"""Paging, with pages that are written by hand."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING

import httpx
import pytest

from novaact_http import AsyncClient, Client, NovaActError, PaginationError, ServiceError
from tests.helpers.calls import CALL, mocked
from tests.helpers.paging import THREE, Page, Script, ids, token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.helpers.both_clients import Face


def test_items_of_all_pages_are_listed(face: Face) -> None:
    script = Script(THREE)
    items, resume = face.items(mocked(script), **CALL)
    assert ids(items) == list("abcdef")
    assert script.asked == [None, "t1", "t2"]
    assert resume is None


def test_pages_are_listed_whole(face: Face) -> None:
    pages, resume = face.pages(mocked(Script(THREE)), **CALL)
    assert [ids(page.session_summaries) for page in pages] == [["a", "b", "c"], ["d", "e"], ["f"]]
    assert [page.next_token for page in pages] == ["t1", "t2", None]
    assert pages[0].metadata.status_code == 200
    assert resume is None


def test_a_listing_continues_after_an_empty_page(face: Face) -> None:
    script = Script({None: ([], "t1"), "t1": ([], "t2"), "t2": (["a"], "t3"), "t3": ([], None)})
    assert ids(face.items(mocked(script), **CALL)[0]) == ["a"]
    assert len(script.asked) == 4


def test_an_empty_token_ends_the_listing(face: Face) -> None:
    script = Script({None: (["a"], "")})
    assert ids(face.items(mocked(script), **CALL)[0]) == ["a"]


def test_a_token_spelled_none_is_an_ordinary_token(face: Face) -> None:
    script = Script({None: (["a"], "None"), "None": (["b"], None)})
    assert ids(face.items(mocked(script), **CALL)[0]) == ["a", "b"]
    assert ids(face.items(mocked(script), **CALL, starting_token="None")[0]) == ["b"]


@pytest.mark.parametrize(
    "pages",
    [
        {None: (["a"], "A"), "A": (["b"], "A")},
        {None: (["a"], "A"), "A": (["b"], "B"), "B": (["c"], "A")},
        {None: ([], "A"), "A": ([], "A")},
    ],
    ids=["A-A", "A-B-A", "empty"],
)
def test_a_repeated_token_is_an_error_after_all_items_were_returned(
    face: Face, pages: Mapping[str | None, Page]
) -> None:
    script = Script(pages)
    got: list[str] = []
    with Client(**mocked(script)) as client, pytest.raises(PaginationError, match="'A' a second time"):
        for session in client.iter_sessions(**CALL):
            got.append(session.session_id)
    assert got == [each for page, _ in pages.values() for each in page]
    assert len(script.asked) == len(pages)
    with pytest.raises(PaginationError):
        face.pages(mocked(script), **CALL)


def test_a_long_token_is_cut_short_in_the_message(face: Face) -> None:
    long = "x" * 5_000
    with pytest.raises(PaginationError) as caught:
        face.items(mocked(Script({None: ([], long), long: ([], long)})), **CALL)
    assert len(str(caught.value)) < 300


def test_going_back_to_the_starting_token_is_a_repetition_too(face: Face) -> None:
    with pytest.raises(PaginationError):
        face.items(mocked(Script({"A": (["a"], "B"), "B": (["b"], "A")})), **CALL, starting_token="A")


def test_nothing_is_fetched_before_it_is_needed() -> None:
    script = Script(THREE)
    with Client(**mocked(script)) as client:
        pager = client.iter_sessions(**CALL)
        items = iter(pager)
        assert script.asked == []
        for _ in range(3):
            next(items)
        assert script.asked == [None]
        next(items)
        assert script.asked == [None, "t1"]


def test_nothing_is_fetched_before_it_is_needed_async() -> None:
    script = Script(THREE)

    async def main() -> None:
        async with AsyncClient(**mocked(script)) as client:
            items = client.iter_sessions(**CALL).__aiter__()
            assert script.asked == []
            for _ in range(3):
                await items.__anext__()
            assert script.asked == [None]

    asyncio.run(main())


def test_every_call_has_the_page_size_and_no_call_has_max_items(face: Face) -> None:
    seen: list[httpx.QueryParams] = []
    script = Script(THREE)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params)
        return script(request)

    face.items(mocked(answer), **CALL, page_size=7, max_items=4)
    assert [each.get("maxResults") for each in seen] == ["7", "7"]


@pytest.mark.parametrize(
    ("max_items", "expected", "calls", "resume"),
    [
        (0, "", 0, None),
        (1, "a", 1, token(None, 1)),
        (3, "abc", 1, token("t1")),
        (4, "abcd", 2, token("t1", 1)),
        (5, "abcde", 2, token("t2")),
        (6, "abcdef", 3, None),
        (7, "abcdef", 3, None),
    ],
)
def test_max_items_cuts_the_listing_off(
    face: Face, max_items: int, expected: str, calls: int, resume: str | None
) -> None:
    for listing in (face.items, face.pages):
        script = Script(THREE)
        got, token_after = listing(mocked(script), **CALL, max_items=max_items)
        flat = got if listing == face.items else [each for page in got for each in page.session_summaries]  # type: ignore[union-attr]
        assert ids(flat) == list(expected)
        assert len(script.asked) == calls
        assert token_after == resume


def test_the_resume_token_points_after_the_last_returned_item() -> None:
    handed_out = "abcdef"
    with Client(**mocked(Script(THREE))) as client:
        pager = client.iter_sessions(**CALL)
        assert not pager.resume_token
        for number, _ in enumerate(pager, start=1):
            resume: str | None = pager.resume_token
            if number == len(handed_out):
                assert resume is None
            else:
                rest = list(client.iter_sessions(**CALL, starting_token=resume))
                assert ids(rest) == list(handed_out[number:])


def test_the_resume_token_holds_after_a_break_in_the_middle_of_a_page() -> None:
    with Client(**mocked(Script(THREE))) as client:
        pager = client.iter_sessions(**CALL)
        for session in pager:
            if session.session_id == "d":
                break
        assert pager.resume_token == token("t1", 1)


def test_the_resume_token_holds_after_a_break_between_pages() -> None:
    with Client(**mocked(Script(THREE))) as client:
        pager = client.iter_sessions(**CALL)
        next(pager.pages())
        assert pager.resume_token == token("t1")


def test_the_resume_token_holds_after_a_break_async() -> None:
    async def main() -> None:
        async with AsyncClient(**mocked(Script(THREE))) as client:
            pager = client.iter_sessions(**CALL)
            async for session in pager:
                if session.session_id == "d":
                    break
            assert pager.resume_token == token("t1", 1)
            pager = client.iter_sessions(**CALL)
            await pager.pages().__anext__()
            assert pager.resume_token == token("t1")

    asyncio.run(main())


def test_the_resume_token_holds_after_a_failure(face: Face) -> None:
    script = Script(THREE)

    def fails_at_the_second(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if "nextToken" in request.url.params else script(request)

    with Client(**mocked(fails_at_the_second)) as client:
        pager = client.iter_sessions(**CALL)
        with pytest.raises(ServiceError):
            list(pager)
        assert pager.resume_token == token("t1")
    assert ids(face.items(mocked(script), **CALL, starting_token=pager.resume_token)[0]) == list("def")


@pytest.mark.parametrize(
    ("starting_token", "expected"),
    [
        ("t1", "def"),
        (token("t1"), "def"),
        (token("t1", 0), "def"),
        (token("t1", 1), "ef"),
        (token("t1", 1)[:8] + "\n" + token("t1", 1)[8:] + "\n", "ef"),
        (token("t1", 2), "f"),
        (token("t1", 99), "f"),
        (token(None), "abcdef"),
        (token(None, 2), "cdef"),
        ("t1___1", "ef"),
        ("None___2", "cdef"),
    ],
)
def test_a_listing_continues_from_any_kind_of_token(face: Face, starting_token: str, expected: str) -> None:
    assert ids(face.items(mocked(Script(THREE)), **CALL, starting_token=starting_token)[0]) == list(expected)


@pytest.mark.parametrize(
    "raw",
    [
        base64.b64encode(json.dumps(each).encode()).decode()
        for each in (
            {"lastKey": "x"},
            {"nextToken": "t1", "more": 1},
            {"nextToken": 7},
            {"nextToken": ""},
            {"nextToken": "t1", "boto_truncate_amount": -1},
            {"nextToken": "t1", "boto_truncate_amount": True},
            {"nextToken": "t1", "boto_truncate_amount": "1"},
            ["t1"],
            "t1",
            7,
        )
    ]
    + ["x___y", "x___-1", "x___", "___3", "x___1___2", "x___²", "a b", "é", base64.b64encode(b"[" * 40_000).decode()],
)
def test_a_token_of_the_service_is_passed_on_unchanged(face: Face, raw: str) -> None:
    script = Script({raw: (["z"], None)})
    assert ids(face.items(mocked(script), **CALL, starting_token=raw)[0]) == ["z"]


def test_a_pager_is_used_once() -> None:
    with Client(**mocked(Script(THREE))) as client:
        for first in (iter, lambda pager: pager.pages()):
            for second in (iter, lambda pager: pager.pages()):
                pager = client.iter_sessions(**CALL)
                first(pager)
                with pytest.raises(NovaActError, match="iterated once"):
                    second(pager)


def test_an_async_pager_is_used_once() -> None:
    async def main() -> None:
        async with AsyncClient(**mocked(Script(THREE))) as client:
            pager = client.iter_sessions(**CALL)
            pager.pages()
            with pytest.raises(NovaActError, match="iterated once"):
                pager.__aiter__()

    asyncio.run(main())


def test_a_page_that_was_cut_differs_only_in_its_items() -> None:
    with Client(**mocked(Script(THREE))) as client:
        (page,) = client.iter_sessions(**CALL, max_items=2).pages()
        assert ids(page.session_summaries) == ["a", "b"]
        assert page.next_token == "t1"
        assert page.metadata.attempts == 1
