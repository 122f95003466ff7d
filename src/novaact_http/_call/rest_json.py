"""AWS's REST-JSON protocol: arguments become a request, a response becomes a model or an exception.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html

An error may look like anything, as gateways and proxies send errors too. A success must have all that the service model
requires: anything else is a `ResponseError`, never an empty page. Unknown members are ignored.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar, cast

from novaact_http._operations.common import ResponseMetadata
from novaact_http._operations.service_errors import ERRORS, ErrorShape
from novaact_http._operations.shapes import (
    Document,
    Enumeration,
    Integer,
    ListOf,
    Operation,
    Output,
    Shape,
    String,
    Structure,
    Timestamp,
)
from novaact_http._support import percent_encoding
from novaact_http._support.http_dates import parse_date
from novaact_http.errors import ResponseError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from novaact_http._call.http_messages import Headers, Response
    from novaact_http._call.redaction import Redact

OutputT = TypeVar("OutputT", bound="Output")

CONTENT_TYPE = "application/json"

_USUAL_INTEGER = 1_000_000
# What means itself in a path: not `.` or `..`, and nothing that is encoded.
_is_usual_label = re.compile("[A-Za-z0-9_~-][A-Za-z0-9._~-]*").fullmatch
_raw_decode = json.JSONDecoder().raw_decode
_UNKNOWN = ErrorShape(exception=ServiceError)
_HTML = r"(?i)<!doctype\b|<html[\s>]"
_BEFORE_HTML = r"(?is)[\ufeff\s]+|<\?xml.*?\?>|<!--.*?-->"
# A longer number is not a wait but a mistake, and float() could make it infinite.
_SECONDS = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_EXCERPT = 100
# What is kept of an error, in characters. AWS's longest messages, encoded reasons for a denial, have up to 10,240.
_LONGEST_TEXT = 16_384
_LONGEST_CODE = 256
_LONGEST_LIST = 1_000  # elements
_LOOKED_AT = 2_048  # bytes of a success that is no output; more than the excerpt, as it may begin within a secret


def encode(operation: Operation[Output], arguments: Mapping[str, object]) -> tuple[str, str, bytes]:
    """Return the encoded path, the encoded query (`""` for none) and the body (`b""` for none).

    The arguments must be checked before.
    """
    labels: dict[str, str] = {}
    query: list[str] = []
    body: dict[str, object] = {}
    for each in operation.inputs:
        value = arguments.get(each.name)
        if value is None:
            continue
        if each.location == "path":
            labels[each.wire_name] = _percent_encode(value)
        elif each.location == "query":
            query.append(f"{each.wire_name}={_percent_encode(value)}")
        else:
            body[each.wire_name] = _to_json(each.shape, value)
    encoded = json.dumps(body).encode("ascii") if body else b"{}" if operation.has_body else b""
    return operation.path.format_map(labels), "&".join(query), encoded


def encode_usual(operation: Operation[Output], arguments: Mapping[str, object]) -> tuple[str, str, bytes] | None:
    """Return what `encode` returns, in one pass that also checks the arguments; None if any needs a closer look.

    So nearly all calls need neither `parameters.check` nor `encode`. Path and query are as the canonical request has
    them, but for the order of the arguments in the query.
    """
    labels: dict[str, str] = {}
    query: list[str] = []
    body: dict[str, object] = {}
    for name, wire_name, location, shape, required, _ in operation.inputs:
        value: Any = arguments.get(name)
        if value is None:
            if required:
                return None
        elif location == "path":
            if type(value) is not str or not _is_usual_label(value):
                return None
            labels[wire_name] = value
        elif type(value) is str and isinstance(shape, String) and value.isascii() and len(value) >= shape.minimum:
            if location == "query":
                query.append(f"{wire_name}={percent_encoding.encode(value)}")
            else:
                body[wire_name] = value
        elif (
            type(value) is int
            and type(shape) is Integer
            and location == "query"
            and (shape.minimum or 0) <= value <= _USUAL_INTEGER
        ):
            query.append(f"{wire_name}={value}")
        else:
            return None
    encoded = json.dumps(body).encode() if body else b"{}" if operation.has_body else b""
    return operation.path.format_map(labels), "&".join(query), encoded


def _to_json(shape: Shape, value: Any) -> object:
    if isinstance(shape, Structure):
        given = ((each, getattr(value, each.name)) for each in shape.members)
        return {each.wire_name: _to_json(each.shape, member) for each, member in given if member is not None}
    if isinstance(shape, ListOf):
        return [_to_json(shape.element, each) for each in value]
    return value


def _percent_encode(value: object) -> str:
    # `int.__repr__`, as the str of an IntEnum differs between Python versions.
    return percent_encoding.encode(str.__str__(value) if isinstance(value, str) else int.__repr__(cast("int", value)))


def decode(operation: Operation[OutputT], response: Response, *, attempts: int, now: float, redact: Redact) -> OutputT:
    """Turn a response into the operation's output.

    Args:
        operation: what was called.
        response: the response to it.
        attempts: how many times the request was sent.
        now: seconds since the epoch, for a `Retry-After` that is a date.
        redact: blanks out secrets that the service may have echoed in a text.

    Raises:
        ServiceError: the status is not a success; a subclass if the service model knows the code.
        ResponseError: the status is a success, but the body is not this operation's output.
    """
    headers = _redacted(_joined(response.headers), redact)
    if response.status >= 300:
        raise _service_error(operation.name, response, headers, attempts=attempts, now=now, redact=redact)
    request_id = _request_id(headers)
    try:
        raw = _json(response.body) if operation.output.members or response.body.strip() else {}
        members = _members(operation.output, raw, "the body", _encodable)
    except (ValueError, RecursionError) as error:
        reason = _reason(error, headers)
    else:
        metadata = ResponseMetadata(
            request_id=request_id, status_code=response.status, headers=headers, attempts=attempts
        )
        return operation.output.model(**members, metadata=metadata)
    # Not raised from the error: that holds the whole body, and so any secret that the service echoed.
    excerpt = "is not shown, as it may have sensitive values"
    if not operation.is_sensitive:
        excerpt = f"begins {redact(response.body[:_LOOKED_AT].decode('utf-8', 'replace'))[:_EXCERPT]!r}"
    raise ResponseError(
        f"{operation.name} got a success that is not its response: {reason}; the body {excerpt}",
        status_code=response.status,
        request_id=request_id,
        headers=headers,
        attempts=attempts,
        retry_after=_retry_after(headers.get("retry-after"), now),
    )


def _joined(headers: Headers) -> dict[str, str]:
    joined = dict(headers)
    if len(joined) == len(headers):  # as hardly any response repeats a name
        return joined
    joined = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _redacted(headers: dict[str, str], redact: Redact) -> dict[str, str]:
    # There is hardly ever anything to blank out, so all of them are checked at once.
    text = "\n".join(headers.values())
    return headers if redact(text) == text else {name: redact(value) for name, value in headers.items()}


def _request_id(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-amzn-requestid") or headers.get("x-amz-request-id")


def _json(body: bytes) -> object:
    # It is given text, as for bytes it would guess UTF-16 and skip a byte order mark.
    text = body.decode("utf-8")
    try:
        value, end = _raw_decode(text)
    except ValueError:
        return json.loads(text)
    # There is hardly ever white space after a body, or anything else.
    return value if end == len(text) else json.loads(text)


def _read_string(_: object, raw: object, where: str, text: Callable[[str], str]) -> str:
    if not isinstance(raw, str):
        raise ValueError(f"{where} is not a string")
    return text(raw)


def _read_enumeration(shape: Enumeration, raw: object, where: str, text: Callable[[str], str]) -> object:
    value = _read_string(shape, raw, where, text)
    return shape.members._value2member_map_.get(value, value)


def _read_integer(_: object, raw: object, where: str, __: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ValueError(f"{where} is not an integer")
    return raw


def _read_timestamp(_: object, raw: object, where: str, __: object) -> datetime:
    from novaact_http._support.timestamps import parse_timestamp  # takes 2 ms to import, and few operations need it

    moment = parse_timestamp(raw)
    if moment is None:
        raise ValueError(f"{where} is not a timestamp")
    return moment


def _read_document(_: object, raw: object, __: object, ___: object) -> object:
    return raw


def _read_list(shape: ListOf, raw: object, where: str, text: Callable[[str], str]) -> tuple[object, ...]:
    if not isinstance(raw, list):
        raise ValueError(f"{where} is not a list")
    models = _all_at_once(shape, raw) if text is _encodable else None
    if models is not None:
        return models
    element = shape.element
    read, where = _READERS[type(element)], f"an element of {where}"
    return tuple([read(element, each, where, text) for each in raw])


def _read_structure(shape: Structure[object], raw: object, where: str, text: Callable[[str], str]) -> object:
    return shape.model(**_members(shape, raw, where, text))


_READERS: dict[type[Shape], Callable[[Any, object, str, Callable[[str], str]], object]] = {
    String: _read_string,
    Enumeration: _read_enumeration,
    Integer: _read_integer,
    Timestamp: _read_timestamp,
    Document: _read_document,
    ListOf: _read_list,
    Structure: _read_structure,
}


# Lists of elements that are made of one string each, as sessions are, come by the hundred. Filling the one slot of each
# model takes half the time of calling its class.


def _all_at_once(shape: ListOf, raw: list[Any]) -> tuple[object, ...] | None:
    """Return the models of such a list if all its strings are there and ASCII; else None, for a closer look at each."""
    one_string = _one_string(shape)
    if one_string is None:
        return None
    model, wire_name, fill = one_string
    try:
        values = [each[wire_name] for each in raw]
        if not "".join(values).isascii():
            return None
    except (KeyError, TypeError):
        return None
    models = tuple(map(object.__new__, repeat(model, len(values))))
    deque(map(fill, models, values), maxlen=0)
    return models


@functools.cache
def _one_string(shape: ListOf) -> tuple[type[object], str, Callable[[object, str], None]] | None:
    """Return the elements' class, the wire name of its one string and the setter of its one slot; None for others."""
    element = shape.element
    if isinstance(element, Structure) and isinstance(element.model, type):
        required = [each for each in element.members if each.required and type(each.shape) is String]
        if len(required) == len(element.members) == 1:
            return element.model, required[0].wire_name, getattr(element.model, required[0].name).__set__
    return None


def _members(shape: Structure[object], raw: object, where: str, text: Callable[[str], str]) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise ValueError(f"{where} is not an object")
    members: dict[str, object] = {}
    for name, wire_name, kind, required, _ in shape.members:
        value = raw.get(wire_name)
        if value is not None:
            members[name] = _READERS[type(kind)](kind, value, wire_name, text)
        elif required:
            if type(kind) is not Document or wire_name not in raw:
                raise ValueError(f"{where} has no {wire_name}")
            members[name] = None
    return members


def _encodable(text: str) -> str:
    if not text.isascii():
        text.encode()  # a lone surrogate is a ValueError here; later it would be one wherever the text is used
    return text


def _unasked_encoding(headers: Mapping[str, str]) -> str | None:
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() == "identity":
        return None
    return f"Content-Encoding {encoding[:_EXCERPT]!r}, which was not asked for"


def _reason(error: Exception, headers: Mapping[str, str]) -> str:
    encoding = _unasked_encoding(headers)
    if encoding is not None:
        return f"it has {encoding}"
    return "its JSON is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _service_error(
    operation: str, response: Response, headers: Mapping[str, str], *, attempts: int, now: float, redact: Redact
) -> ServiceError:
    def text(raw: str) -> str:
        # A lone surrogate is an error in a success. Here it is replaced, so that the exception can be printed.
        # Cut first, as redaction takes time: a part of a secret that is left is blanked out like the whole.
        cut = raw[:_LONGEST_TEXT]
        clean = redact(cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8"))
        return clean if len(raw) <= _LONGEST_TEXT else f"{clean}... (cut off)"

    body = _error_body(response, headers)
    code = text(_error_code(headers, body, redact) or str(response.status))
    retry_after = _retry_after(body.get("Retry-After"), now)
    if retry_after is None:
        retry_after = _retry_after(headers.get("retry-after"), now)
    shape = ERRORS.get(code, _UNKNOWN)
    members = _error_members(shape, body, text)
    if shape.has_retry_after and retry_after is not None:
        members["retry_after_seconds"] = math.ceil(retry_after)
    return shape.exception(
        text(_error_message(body)),
        code=code,
        status_code=response.status,
        request_id=_request_id(headers),
        headers=headers,
        attempts=attempts,
        operation=operation,
        retry_after=retry_after,
        **members,
    )


def _error_body(response: Response, headers: Mapping[str, str]) -> dict[str, object]:
    """Return the body as an object. If it is not JSON, it becomes the message; if it is unreadable, the status does."""
    encoding = _unasked_encoding(headers)
    if encoding is not None:
        return {"message": f"{_phrase(response.status)} (the body has {encoding})"}
    text = response.body.decode("utf-8", "replace")
    if _is_html(text):
        return {"message": f"{_phrase(response.status)} (an HTML page: a gateway answered, not the service)"}
    if not text.strip():
        return {"message": _phrase(response.status)} if response.status >= 500 else {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {"message": text}


def _is_html(text: str) -> bool:
    before, start = re.compile(_BEFORE_HTML), 0
    # One by one: a repeated group would try all ways to divide a row of comments, which takes days.
    while skipped := before.match(text, start):
        start = skipped.end()
    return re.compile(_HTML).match(text, start) is not None


def _phrase(status: int) -> str:
    from http import HTTPStatus  # 2 ms to import, and only needed here

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"


def _error_code(headers: Mapping[str, str], body: Mapping[str, object], redact: Redact) -> str:
    """Return the first code that is not empty of the header, `code` or `Code`, and `__type`; `""` if there is none."""
    named = (headers.get("x-amzn-errortype"), body.get("code", body.get("Code")), body.get("__type"))
    return next(filter(None, [_clean_code(each, redact) for each in named]), "")


def _clean_code(raw: object, redact: Redact) -> str:
    """Shorten `com.amazon#ThrottlingException:http://…` to `ThrottlingException`, and a comma list to its first."""
    if not isinstance(raw, str):
        return ""
    # A line break could forge a line of the log.
    visible = "".join(each for each in redact(raw[:_LONGEST_CODE]) if each.isprintable())
    cleaned = (each.split(":", 1)[0].rsplit("#", 1)[-1].strip() for each in visible.split(","))
    return next(filter(None, cleaned), "")


def _error_message(body: Mapping[str, object]) -> str:
    message = body.get("message", body.get("Message"))
    if message is None:
        return ""
    return message if isinstance(message, str) else json.dumps(message)


def _error_members(shape: ErrorShape, body: Mapping[str, object], text: Callable[[str], str]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for member in shape.members:
        value = body.get(member.wire_name)
        if isinstance(value, list):
            value = value[:_LONGEST_LIST]
        try:
            members[member.name] = _READERS[type(member.shape)](member.shape, value, member.wire_name, text)
        except ValueError:  # absent, or not what the model says: the error matters more than its details
            if member.name == "reason" and shape.retryable and value is not None:
                members[member.name] = ""  # there is one, and that tells whether the request may be sent again
    return members


def _retry_after(raw: object, now: float) -> float | None:
    """Return `Retry-After` (RFC 9110, 10.2.3) in seconds from now; None if it is neither seconds nor an HTTP date."""
    if not isinstance(raw, (str, int, float)):
        return None
    text = str(raw).strip()
    if re.fullmatch(_SECONDS, text):
        return float(text)
    date = parse_date(text)
    return None if date is None else max(0.0, date - now)
