"""Checks of what must hold for any bytes that a server may send, and for any arguments that a caller may give.

Hypothesis runs these checks in the test suite, and a coverage-guided fuzzer runs them for as long as you like
(`make fuzz`).
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from novaact_http import ListSessionsResponse, NovaActError, ParameterError
from novaact_http._call.http_messages import Response
from novaact_http._http.http1 import ProtocolError, ResponseReader
from novaact_http._http.pool_rules import encode
from tests.helpers.calls import TEMPORARY_KEYS
from tests.helpers.flows import context, drive, request_of
from tests.helpers.http1_readers import by_h11, outcome, request_by_h11

CASES = Path(__file__).parents[1] / "fuzz_cases"
MAX_BODY = 1 << 20


def check_response(data: bytes) -> None:
    """Check that bytes in place of a response are a page or one of our errors, and are read only as h11 reads them."""
    pieces = _pieces(data)
    reader = ResponseReader("POST", max_body=MAX_BODY)
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.feed_eof()
    except ProtocolError as error:
        assert str(error)  # noqa: PT017 - it is raised for most inputs, and must say something
        return
    assert reader.complete
    assert reader.status is not None
    ours = outcome(b"".join(pieces), method="POST", eof=True)
    assert ours is not None
    assert ours == by_h11(b"".join(pieces), "POST", eof=True)
    check_answer(Response(status=reader.status, headers=reader.headers, body=reader.take()))


def check_answer(response: Response) -> None:
    """Check that a response is a page or one of our errors, and that either can be printed and pickled."""
    driven = drive(context(), [response], credentials=TEMPORARY_KEYS)
    assert len(driven.requests) == 1
    result = driven.error or driven.output
    if isinstance(result, NovaActError):
        assert str(result) == str(pickle.loads(pickle.dumps(result)))
        assert str(result).encode()
    else:
        assert isinstance(result, ListSessionsResponse)
        assert all(type(each.session_id) is str for each in result.session_summaries)
        assert result.next_token is None or type(result.next_token) is str
        assert result == pickle.loads(pickle.dumps(result))
    assert TEMPORARY_KEYS.secret_access_key not in repr(result)


def _pieces(data: bytes) -> list[bytes]:
    """Cut the bytes after the first into pieces, whose size the first byte gives."""
    size = data[0] if data else 0
    rest = data[1:]
    return [rest[start : start + size] for start in range(0, len(rest), size)] if size else [rest]


def check_arguments(arguments: dict[str, Any]) -> None:
    """Check that arguments are refused, or make one request, whose path and query are theirs and whose headers are not.

    A server must read the request as it was meant.
    """
    try:
        request = request_of(arguments, TEMPORARY_KEYS)
    except ParameterError:
        return
    seen, _ = request_by_h11(b"".join(encode(request)))
    assert [name.decode() for name, _ in seen.headers] == [name.lower() for name, _ in request.headers]
    assert dict(seen.headers)[b"host"] == b"nova-act.us-east-1.amazonaws.com"
    split = urlsplit(seen.target.decode())
    _, definitions, name, runs, run_id = split.path.split("/")
    assert (definitions, runs) == ("workflow-definitions", "workflow-runs")
    assert unquote(name, errors="strict") == arguments["workflow_definition_name"]
    assert unquote(run_id, errors="strict") == arguments["workflow_run_id"]
    query = parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query), errors="strict")
    given = {"maxResults": arguments.get("max_results"), "nextToken": arguments.get("next_token")}
    assert query == [(key, str(value)) for key, value in given.items() if value is not None]


def check_encoded_arguments(data: bytes) -> None:
    """Check five arguments, given as text with zeros between them."""
    parts = data.decode("utf-8", "surrogateescape").split("\0", 4)
    name, run_id, token, order, size = [*parts, "", "", "", "", ""][:5]
    check_arguments(
        {
            "workflow_definition_name": name,
            "workflow_run_id": run_id,
            "next_token": token or None,
            "sort_order": order or None,
            "max_results": int(size) if size.isdecimal() and size.isascii() else None,
        }
    )


CHECKS = {"responses": check_response, "arguments": check_encoded_arguments}
