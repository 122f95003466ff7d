"""Requests and responses of the local service, as values without HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class ReceivedRequest:
    """A request as received. `target` is the path and query of the request line, still percent-encoded."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes
    _by_name: dict[str, str] = attrs.field(init=False, repr=False, eq=False)

    @_by_name.default
    def _(self) -> dict[str, str]:
        return {name.lower(): value for name, value in reversed(self.headers)}

    def header(self, name: str) -> str | None:
        """Return the value of the first header of this name, or None. The case of the name does not matter."""
        return self._by_name.get(name.lower())


@attrs.frozen(kw_only=True)
class Answer:
    """A response: status, headers in addition to those that every response has, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)  # it repeats the request if the signature is wrong


def success(members: Mapping[str, object], status: int = 200) -> Answer:
    """Make a response with these members."""
    return _json(status, {}, members)


def error(status: int, code: str, members: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
    """Make an error as AWS's REST-JSON services send it: the code in a header, the members in the body."""
    return _json(status, {"x-amzn-ErrorType": code, **(headers or {})}, members)


def _json(status: int, headers: Mapping[str, str], members: Mapping[str, object]) -> Answer:
    return Answer(
        status=status,
        headers={"Content-Type": "application/json", **headers},
        body=_JSON.encode(members).encode(),
    )


# asdict is for field_list. Looking for circles, which are an error in any case, would cost a quarter of the encoding.
_JSON = json.JSONEncoder(separators=(",", ":"), default=attrs.asdict, check_circular=False)
