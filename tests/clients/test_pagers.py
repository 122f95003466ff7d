"""Paging, with hand-made pages and compared with boto3's paginator."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import AsyncClient, Client, NovaActError, PaginationError, ServiceError
from novaact_http._call.http_messages import Response
from tests.helpers.boto3_oracle import Boto3Wire, boto3_for
from tests.helpers.calls import CALL, OPTIONS, call_for, mocked, options_for

if TYPE_CHECKING:
    from botocore.paginate import PageIterator

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

T = TypeVar("T")
Page = tuple[Sequence[str], str | None]


class Script:
    """Returns the page of each token, and remembers the requested tokens."""

    def __init__(self, pages: Mapping[str | None, Page]) -> None:
        self.pages = pages
        self.asked: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("nextToken")
        self.asked.append(token)
        assert len(self.asked) < 50, "the listing goes round and round"
        ids, next_token = self.pages[token]
        body: dict[str, object] = {"sessionSummaries": [{"sessionId": each} for each in ids]}
        if next_token is not None:
            body["nextToken"] = next_token
        return httpx.Response(200, json=body)


THREE: dict[str | None, Page] = {None: (["a", "b", "c"], "t1"), "t1": (["d", "e"], "t2"), "t2": (["f"], None)}


def ids(items: Sequence[Any]) -> list[str]:
    return [each.session_id for each in items]


def token(next_token: str | None, skip: int | None = None) -> str:
    position: dict[str, object] = {"nextToken": next_token}
    if skip is not None:
        position["boto_truncate_amount"] = skip
    return base64.b64encode(json.dumps(position).encode()).decode()


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
            items = aiter_of(client)
            assert script.asked == []
            for _ in range(3):
                await items.__anext__()
            assert script.asked == [None]

    def aiter_of(client: AsyncClient) -> Any:
        return client.iter_sessions(**CALL).__aiter__()

    asyncio.run(main())


class Ahead:
    """A client that fetches ahead on its own event loop, and the tokens that it asked for."""

    def __init__(self, pages: Mapping[str | None, Page] = THREE) -> None:
        self.script = Script(pages)
        self.asked = self.script.asked
        self.at_the_end: set[asyncio.Task[Any]] = set()

    def run(self, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        async def main() -> T:
            async with AsyncClient(**mocked(self.script)) as client:
                try:
                    return await work(client)
                finally:
                    self.at_the_end = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}

        return asyncio.run(main())


async def turns() -> None:
    """Let all other tasks run."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_the_next_page_is_fetched_ahead_and_no_further() -> None:
    ahead = Ahead()

    async def work(client: AsyncClient) -> list[str]:
        pager = client.iter_sessions(**CALL, prefetch=True)
        listed, seen = [], []
        async for session in pager:
            listed.append(session.session_id)
            assert pager.resume_token == resume[len(listed) - 1]
            await turns()
            seen.append(list(ahead.asked))
        assert seen == [[None, "t1"]] * 3 + [[None, "t1", "t2"]] * 3
        return listed

    resume = [token(None, 1), token(None, 2), token("t1"), token("t1", 1), token("t2"), None]
    assert ahead.run(work) == list("abcdef")
    assert not ahead.at_the_end


def test_pages_are_fetched_ahead_too() -> None:
    ahead = Ahead()

    async def work(client: AsyncClient) -> list[list[str]]:
        pages = client.iter_sessions(**CALL, prefetch=True).pages()
        first = await pages.__anext__()
        await turns()
        assert ahead.asked == [None, "t1"]
        return [ids(first.session_summaries), *[ids(each.session_summaries) async for each in pages]]

    assert ahead.run(work) == [["a", "b", "c"], ["d", "e"], ["f"]]


def test_what_is_not_needed_is_not_fetched_ahead() -> None:
    for options, asked in (({"max_items": 3}, [None]), ({"max_items": 4}, [None, "t1"]), ({}, [None, "t1", "t2"])):
        ahead = Ahead()

        async def work(client: AsyncClient, options: dict[str, Any] = options) -> None:
            async for _ in client.iter_sessions(**CALL, prefetch=True, **options):
                await turns()

        ahead.run(work)
        assert ahead.asked == asked


@pytest.mark.parametrize("closing", [True, False])
@pytest.mark.parametrize("has_arrived", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_an_abandoned_pager_leaves_no_task_behind(
    closing: bool, has_arrived: bool, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    ahead = Ahead({None: THREE[None]} if fails else THREE)  # the next token is a KeyError

    async def work(client: AsyncClient) -> None:
        sessions = client.iter_sessions(**CALL, prefetch=True).__aiter__()
        assert (await sessions.__anext__()).session_id == "a"
        if has_arrived:
            await turns()
        if closing:
            await sessions.aclose()  # type: ignore[attr-defined]
        else:
            del sessions
            await turns()

    ahead.run(work)
    assert not ahead.at_the_end
    gc.collect()
    assert not caplog.records  # "Task exception was never retrieved"


def test_a_page_that_nobody_waits_for_any_more_is_not_waited_for() -> None:
    class Hanging(httpx.MockTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if "nextToken" in request.url.params:
                await asyncio.Event().wait()
            return await super().handle_async_request(request)

    async def main() -> None:
        async with AsyncClient(**{**OPTIONS, "transport": Hanging(Script(THREE))}) as client:
            pages = client.iter_sessions(**CALL, prefetch=True).pages()
            await pages.__anext__()
            await turns()
            await asyncio.wait_for(pages.aclose(), timeout=1)  # type: ignore[attr-defined]

    asyncio.run(main())


def test_a_failure_ahead_is_raised_when_its_page_is_due() -> None:
    ahead = Ahead({None: THREE[None]})
    listed: list[str] = []

    async def work(client: AsyncClient) -> None:
        async for session in client.iter_sessions(**CALL, prefetch=True):
            listed.append(session.session_id)
            await turns()

    with pytest.raises(KeyError, match="t1"):
        ahead.run(work)
    assert listed == ["a", "b", "c"]
    assert not ahead.at_the_end


def test_a_repeated_token_is_not_fetched_ahead_and_is_an_error() -> None:
    ahead = Ahead({None: (["a"], "t1"), "t1": (["b"], "t1")})
    listed: list[str] = []

    async def work(client: AsyncClient) -> None:
        async for session in client.iter_sessions(**CALL, prefetch=True):
            listed.append(session.session_id)
            await turns()

    with pytest.raises(PaginationError):
        ahead.run(work)
    assert listed == ["a", "b"]
    assert ahead.asked == [None, "t1"]


def test_page_size_goes_into_every_call_and_max_items_into_none(face: Face) -> None:
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


# Compared with boto3.

listings = st.builds(
    lambda sizes: {
        (f"t{number}" if number else None): (
            [f"{number}-{each}" for each in range(size)],
            f"t{number + 1}" if number + 1 < len(sizes) else None,
        )
        for number, size in enumerate(sizes)
    },
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
)


class _Boto3Pages:
    """boto3's paginator on scripted pages."""

    def __init__(self) -> None:
        self._wire = Boto3Wire()
        self._original = self._wire.client.list_sessions
        self._wire.client.list_sessions = self._list_sessions
        self.script: Script | None = None

    def _list_sessions(self, **arguments: Any) -> Any:
        assert self.script is not None
        request = httpx.Request("POST", "http://h", params={k: v for k, v in arguments.items() if k == "nextToken"})
        return json.loads(self.script(request).content)

    def paginate(self, pages: Mapping[str | None, Page], **config: Any) -> tuple[list[list[str]], str | None]:
        self.script = Script(pages)
        iterator: PageIterator = self._wire.client.get_paginator("list_sessions").paginate(
            workflowDefinitionName="a", workflowRunId="b", PaginationConfig=config
        )
        got = [[each["sessionId"] for each in page["sessionSummaries"]] for page in iterator]
        return got, iterator.resume_token


@pytest.fixture(scope="module")
def boto3_pages() -> _Boto3Pages:
    return _Boto3Pages()


@given(listings, st.none() | st.integers(1, 12), st.data())
def test_stopping_and_continuing_equals_boto3s(
    boto3_pages: _Boto3Pages, pages: Mapping[str | None, Page], max_items: int | None, data: st.DataObject
) -> None:
    def ours(**arguments: Any) -> tuple[list[list[str]], str | None]:
        with Client(**mocked(Script(pages))) as client:
            pager = client.iter_sessions(**CALL, **arguments)
            return [ids(page.session_summaries) for page in pager.pages()], pager.resume_token

    starting_token: str | None = None
    for _ in range(4):
        got, resume = ours(max_items=max_items, starting_token=starting_token)
        theirs, their_resume = boto3_pages.paginate(pages, MaxItems=max_items, StartingToken=starting_token)
        assert got == theirs
        assert resume == their_resume
        if resume is None:
            break
        # Continue with the token of either side, and another limit.
        starting_token = data.draw(st.sampled_from([resume, their_resume]))
        max_items = data.draw(st.none() | st.integers(1, 12))


def test_a_real_listing_passes_between_boto3_and_us(face: Face, service: LocalService) -> None:
    run = service.runs[0]
    paginator = boto3_for(service).get_paginator("list_sessions")
    name, run_id = run.workflow_definition_name, run.workflow_run_id

    def theirs(**config: Any) -> tuple[list[str], str | None]:
        pages = paginator.paginate(
            workflowDefinitionName=name, workflowRunId=run_id, PaginationConfig={"PageSize": 10, **config}
        )
        full = pages.build_full_result()
        return [each["sessionId"] for each in full["sessionSummaries"]], pages.resume_token

    def ours(**config: Any) -> tuple[list[str], str | None]:
        items, resume = face.items(options_for(service), **call_for(run), page_size=10, **config)
        return ids(items), resume

    got: list[str] = []
    resume: str | None = None
    sides: list[Callable[..., tuple[list[str], str | None]]] = [
        lambda: ours(max_items=7),
        lambda: theirs(MaxItems=7, StartingToken=resume),
        lambda: ours(max_items=9, starting_token=resume),
        lambda: theirs(StartingToken=resume),
    ]
    for side in sides:
        part, resume = side()
        got += part
    assert got == list(run.session_ids)
    assert resume is None


def test_pages_differ_in_nothing_but_what_was_cut() -> None:
    with Client(**mocked(Script(THREE))) as client:
        (page,) = client.iter_sessions(**CALL, max_items=2).pages()
        assert ids(page.session_summaries) == ["a", "b"]
        assert page.next_token == "t1"
        assert page.metadata.attempts == 1


def test_the_oracle_answers_as_a_service_does() -> None:
    # boto3 decodes the same bytes to the scripted pages.
    body = json.dumps({"sessionSummaries": [{"sessionId": "a"}], "nextToken": "t"}).encode()
    got = Boto3Wire().result_of(Response(status=200, headers=(), body=body))
    assert (got["sessionSummaries"], got["nextToken"]) == ([{"sessionId": "a"}], "t")
    assert OPTIONS["region"] == "us-east-1"
