"""The limit on the time of a whole listing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import AsyncClient, Client, DeadlineExceeded, ParameterError, Timeout
from novaact_http._clients import base, pagers
from tests.helpers.answers import httpx_page
from tests.helpers.both_clients import AsyncFace, Face
from tests.helpers.calls import CALL, Clock, mocked
from tests.helpers.paging import THREE, Script
from tests.helpers.servers import Server, never

if TYPE_CHECKING:
    import httpx


def test_a_listing_has_a_limit_on_its_time_and_can_be_resumed(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(100.0)
    monkeypatch.setattr(pagers, "time", SimpleNamespace(monotonic=clock))
    monkeypatch.setattr(base, "_monotonic", clock)
    script = Script(THREE)

    def slow(request: httpx.Request) -> httpx.Response:
        clock.sleep(2)
        return script(request)

    got: list[str] = []
    resume: str | None = None

    async def of_async(**more: Any) -> None:
        nonlocal resume
        async with AsyncClient(**mocked(slow)) as client:
            pager = client.iter_sessions(**CALL, **more)
            try:
                async for each in pager:
                    got.append(each.session_id)
            finally:
                resume = pager.resume_token

    def of_sync(**more: Any) -> None:
        nonlocal resume
        with Client(**mocked(slow)) as client:
            pager = client.iter_sessions(**CALL, **more)
            try:
                got.extend(each.session_id for each in pager)
            finally:
                resume = pager.resume_token

    def listing(**more: Any) -> None:
        asyncio.run(of_async(**more)) if isinstance(face, AsyncFace) else of_sync(**more)

    with pytest.raises(DeadlineExceeded, match=r"ListSessions .*: total allows the listing 3 s in all"):
        listing(total=3)
    assert got == ["a", "b", "c", "d", "e"]
    assert script.asked == [None, "t1"]
    listing(total=3, starting_token=resume)
    assert got == ["a", "b", "c", "d", "e", "f"]


def test_the_limit_of_a_listing_is_on_each_request_too(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagers, "time", SimpleNamespace(monotonic=lambda: 100.0))
    monkeypatch.setattr(base, "_monotonic", lambda: 100.0)
    limits: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        return httpx_page()

    face.items(mocked(answer), **CALL, total=3)
    face.items({**mocked(answer), "timeout": Timeout(total=2)}, **CALL, total=3)
    face.items({**mocked(answer), "timeout": Timeout(total=4)}, **CALL, total=3)
    assert limits == [3, 2, 3]


def test_a_deadline_that_strikes_in_a_transport_names_the_limit_of_the_listing(face: Face) -> None:
    with Server(never) as server:
        options = {**mocked(lambda _: httpx_page()), "endpoint_url": server.url, "transport": None}
        with pytest.raises(DeadlineExceeded, match=r"total allows the listing 0\.1 s in all"):
            face.items(options, **CALL, total=0.1)


@pytest.mark.parametrize("total", [0, -1, "5", True, float("inf")])
def test_a_bad_limit_of_a_listing_is_refused(face: Face, total: Any) -> None:
    with pytest.raises(ParameterError, match="total must be a positive number of seconds"):
        face.items(mocked(lambda _: httpx_page()), **CALL, total=total)
