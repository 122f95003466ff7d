"""Listings of several pages, written by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

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
