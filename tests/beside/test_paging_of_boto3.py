"""Listings, compared with boto3's paginator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client
from tests.helpers.answers import page
from tests.helpers.boto3_oracle import Boto3Wire, boto3_for
from tests.helpers.calls import CALL, OPTIONS, call_for, mocked, options_for
from tests.helpers.paging import Page, Script, ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.paginate import PageIterator

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face


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
def test_stopping_and_continuing_gives_the_same_pages_as_boto3(
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


def test_the_oracle_answers_as_a_service_does() -> None:
    # boto3 decodes the same bytes to the scripted pages.
    got = Boto3Wire().result_of(page("a", next_token="t"))
    assert (got["sessionSummaries"], got["nextToken"]) == ([{"sessionId": "a"}], "t")
    assert OPTIONS["region"] == "us-east-1"
