"""Listings of several pages, written by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.helpers.answers import httpx_page

if TYPE_CHECKING:
    import httpx

Page = tuple[Sequence[str], str | None]


class Script:
    """Returns the page of each token, and remembers the tokens that were asked for."""

    def __init__(self, pages: Mapping[str | None, Page]) -> None:
        self.pages = pages
        self.asked: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        token = request.url.params.get("nextToken")
        self.asked.append(token)
        assert len(self.asked) < 50, "the listing does not end"
        session_ids, next_token = self.pages[token]
        return httpx_page(*session_ids, next_token=next_token)


THREE: dict[str | None, Page] = {None: (["a", "b", "c"], "t1"), "t1": (["d", "e"], "t2"), "t2": (["f"], None)}


def ids(items: Iterable[Any]) -> list[str]:
    """Return the IDs of sessions."""
    return [each.session_id for each in items]


def token(next_token: str | None, skip: int | None = None) -> str:
    """Return boto3's token for a page of which this number of items is skipped."""
    position: dict[str, object] = {"nextToken": next_token}
    if skip is not None:
        position["boto_truncate_amount"] = skip
    return base64.b64encode(json.dumps(position).encode()).decode()
