"""Requests and answers of the local service as plain values, apart from HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class ReceivedRequest:
    """A request as it came: `target` is the path and query of the request line, still encoded."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the header of this name, whatever its case; the first if there are several."""
        wanted = name.lower()
        return next((value for each, value in self.headers if each.lower() == wanted), None)


@attrs.frozen(kw_only=True)
class Answer:
    """Status, headers beyond those every answer has, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)  # it repeats a request whose signature is wrong


def success(members: Mapping[str, object]) -> Answer:
    """A 200 with these members."""
    return _json(200, {}, members)


def error(status: int, code: str, members: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    """An error as AWS's REST-JSON services send it: the code in a header, the rest in the body."""
    return _json(status, {"x-amzn-ErrorType": code, **(headers or {})}, members)


def _json(status: int, headers: Mapping[str, str], members: Mapping[str, object]) -> Answer:
    return Answer(
        status=status,
        headers={"Content-Type": "application/json", **headers},
        body=json.dumps(members, separators=(",", ":"), default=attrs.asdict).encode(),  # fields are the exception's
    )
