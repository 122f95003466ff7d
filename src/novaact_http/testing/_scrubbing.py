"""Makes exchanges fit to be shown: what is known to be harmless is kept, and everything else is made up.

Nothing is searched for. Requests and responses are taken apart, and put together again from what is on the lists here:
parts of paths, headers with values of a known form, members of JSON, and words. The same thing is always made up as the
same other thing. So it does not matter how a secret, a name or an id is spelt, cut or wrapped.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import attrs

from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.shapes import Enumeration, Label, ListOf, String, Timestamp, Token
from novaact_http.testing._recordings import Message
from novaact_http.testing._routes import OPERATIONS, find_route, structures_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http._operations.shapes import Operation, Shape

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LARGEST = 100  # whole number: the digits of another one could be an account's
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,9}){1,2}-[0-9]")
_WORD = re.compile(rf"{_UUID.pattern}|[0-9A-Za-z\x80-\U0010ffff]+")


def _members_of(operation: Operation[Any]) -> Iterator[tuple[str, Shape]]:
    """Yield the names and shapes of all members of an operation's inputs and output, also inside of others."""
    shapes = [operation.output, *(each.shape for each in operation.inputs)]
    yield from ((each.wire_name, each.shape) for each in operation.inputs)
    for structure in itertools.chain.from_iterable(map(structures_in, shapes)):
        yield from ((each.wire_name, each.shape) for each in structure.members)


_ALL_MEMBERS = tuple(itertools.chain.from_iterable(map(_members_of, OPERATIONS)))
_SHAPES = dict(_ALL_MEMBERS)
_OF_ERRORS = frozenset({"message", "Message", "code", "Code", "__type", "retryAfterSeconds", "fieldList"}) | {
    each.wire_name for error in ERRORS.values() for each in error.members
}
_MEMBERS = _OF_ERRORS | _SHAPES.keys()


def _kind(wire_name: str) -> str:
    """Return what the value of a member is called, such as `"run"` for `"workflowRunId"`."""
    words: list[str] = re.findall("[A-Z]?[a-z0-9]+", wire_name)
    words = [each.lower() for each in words]
    return words[-2] if len(words) > 1 and words[-1] in {"id", "ids", "name"} else words[-1]


# Members whose value is a name, an id, a token, or what a user wrote, and what it is called.
_MADE_UP = {
    name: _kind(name)
    for name, shape in _SHAPES.items()
    if type(shape) in (String, Label, Token, ListOf) and name not in _OF_ERRORS
} | {"resourceId": "run"}
_VALUES = {str(value.value) for _, shape in _ALL_MEMBERS if isinstance(shape, Enumeration) for value in shape.members}
_EPOCH = "1970-01-01T00:00:00Z"
_FIXED = {"date", "user-agent", "x-amz-date", "x-amz-security-token", "amz-sdk-invocation-id"}  # see `normalised`
_FORMS = {
    "accept-encoding": "identity",
    "connection": "keep-alive|close",
    "content-type": r"(?:application|text)/(?:json|html|plain|x-amz-json-1\.[01])(?:; ?charset=utf-8)?",
    "amz-sdk-request": r"(?:ttl=[0-9]{8}T[0-9]{6}Z; )?attempt=[0-9]{1,2}; max=[0-9]{1,2}",
    "retry-after": "[0-9]{1,4}",
    "x-amz-retry-after": "[0-9]{1,6}",
}
_WORDS = frozenset(
    word.lower()
    for each in (*_SHAPES, *ERRORS, *(operation.name for operation in OPERATIONS), *_VALUES)
    for word in (each, *each.split("_"))
) | frozenset(
    """
    a access account action ad all allowed allows an and any as asked at aws arn authorized bad be because between
    body by center characters code conflict content denied does doctype enum error exception exceeded expired field
    for found from gateway h1 has have head header html iam in input internal invalid is it l length less limit many
    match maximum member minimum must new no not nova act of on or page parameter pattern perform permission policy
    quota rate reached request requests reason resource retry role run satisfy security server service session
    sessions short signature sts than that the this throttled throttling time title to token too unavailable unknown
    unsupported user valid validation value was with workflow definition workflowdefinition workflowrun you your 0 1
    2 3 100 101 400 403 404 429 500 502 503 504 fieldvalidationfailed slowdown expiredtoken expiredtokenexception
    invalidsignatureexception signaturedoesnotmatch requesttimetooskewed requestexpired internalfailure
    serviceunavailable toomanyrequestsexception unrecognizedclientexception
    """.split()  # noqa: SIM905 - a hundred words are easier to read so
)


@attrs.define
class Scrubber:
    """Makes up what is not known to be harmless in exchanges. The same original always gets the same replacement.

    Attributes:
        left_out: how many headers were left out, and how many words were replaced, so far.
    """

    left_out: dict[str, int] = attrs.field(factory=lambda: {"headers": 0, "words": 0}, init=False)
    _made_up: dict[str, str] = attrs.field(factory=dict, init=False)
    _counts: dict[str, int] = attrs.field(factory=dict, init=False)

    def scrub(self, request: Message, response: Message) -> tuple[Message, Message]:
        """Return an exchange that has nothing of an account. Call it with the exchanges in their order."""
        method, target = request.start.split(" ")[:2]
        return self._message(f"{method} {self._target(method, target)} HTTP/1.1", request), self._message(
            f"HTTP/1.1 {response.status} {self._text(response.start.split(' ', 2)[2])}", response
        )

    def _message(self, start: str, message: Message) -> Message:
        body = self._body(message.body)
        headers = []
        for name, value in message.headers:
            kept = str(len(body)) if name.lower() == "content-length" else self._header(name.lower(), value)
            if kept is None:
                self.left_out["headers"] += 1
            else:
                headers.append((name, kept))
        return Message(start, tuple(headers), body)

    def _target(self, method: str, target: str) -> str:
        path, _, query = target.partition("?")
        route = find_route(method, path)
        shown = "/"
        if route is not None:
            labels = {name: quote(self._name(value, _MADE_UP[name]), safe="") for name, value in route.labels.items()}
            shown = route.operation.path.format_map(labels)
        pairs = [
            (name, value if name == "maxResults" and re.fullmatch("[0-9]{1,3}", value) else self._value(name, value))
            for name, value in parse_qsl(query, keep_blank_values=True)
            if name in _MEMBERS
        ]
        shown_query = "&".join(f"{name}={quote(str(value), safe='-._~')}" for name, value in pairs)
        return f"{shown}{'?' if pairs else ''}{shown_query}"

    def _header(self, name: str, value: str) -> str | None:
        """Return a header's value, or one that is made up; None if it is left out."""
        rules: dict[str, Callable[[], str]] = {
            "host": lambda: value if re.fullmatch(r"127\.0\.0\.1(?::\d+)?", value) else "example.com",
            "authorization": lambda: self._authorization(value),
            "x-amzn-requestid": lambda: self._name(value, "request"),
            "x-amzn-errortype": lambda: self._text(value.partition(":")[0]),
        }
        if name in _FIXED:
            return "normalised"
        if name in rules:
            return rules[name]()
        return value if name in _FORMS and re.fullmatch(_FORMS[name], value) else None

    @staticmethod
    def _authorization(value: str) -> str:
        scope = re.search(r"Credential=[^/,]*/[0-9]{8}/([a-z0-9-]+)/", value)
        region = scope[1] if scope and _REGION.fullmatch(scope[1]) else "us-east-1"
        named = re.search(r"SignedHeaders=([a-z0-9;-]+)", value)
        known = {"content-type", "host", *_FIXED, *_FORMS}
        signed = ";".join(each for each in (named[1].split(";") if named else ()) if each in known)
        return (
            f"AWS4-HMAC-SHA256 Credential=ACCESS_KEY_ID/19700101/{region}/nova-act/aws4_request, "
            f"SignedHeaders={signed}, Signature={'0' * 64}"
        )

    def _body(self, body: bytes) -> bytes:
        text = body.decode("utf-8", "replace")
        try:
            made_up = self._value("", json.loads(text))
        except (ValueError, RecursionError):
            return self._text(text).encode()
        return json.dumps(made_up, separators=(",", ":") if b'": ' not in body else None).encode()

    def _value(self, name: str, value: object) -> object:
        if isinstance(value, dict):
            members = {each: each if each in _MEMBERS else self._name(each, "member") for each in value}
            return {
                members[each]: self._value(name if name == "fieldList" else each, inner)
                for each, inner in value.items()
            }
        if isinstance(value, list):
            return [self._value(name, each) for each in value]
        if isinstance(value, str):
            if name in _MADE_UP:
                return self._name(value, _MADE_UP[name])
            return _EPOCH if type(_SHAPES.get(name)) is Timestamp else self._text(value)
        if isinstance(value, (int, float)) and value not in range(_LARGEST + 1):
            return 0
        return value

    def _text(self, text: str) -> str:
        """Return a text in which only harmless words are left."""
        return _WORD.sub(lambda word: self._word(word[0]), text)

    def _word(self, word: str) -> str:
        if word.lower() in _WORDS:
            return word
        if _UUID.fullmatch(word) or word in self._made_up:
            return self._name(word, "id")
        self.left_out["words"] += 1
        return "x"

    def _name(self, original: str, kind: str) -> str:
        if original not in self._made_up:
            if _UUID.fullmatch(original):
                kind = "id"
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            self._made_up[original] = (
                f"00000000-0000-4000-8000-{number:012x}" if kind == "id" else f"example-{kind}-{number}"
            )
        return self._made_up[original]
