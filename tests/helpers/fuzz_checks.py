"""What must hold for any bytes that a server may send, and for any arguments that a caller may give.

Hypothesis calls these checks in the test suite, and a coverage-guided fuzzer for as long as one likes (`make fuzz`).
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

from novaact_http import ListSessionsResponse, NovaActError, ParameterError
from novaact_http._call import flow as call_flow
from novaact_http._call.http_messages import Request, Response
from novaact_http._http.http1 import ProtocolError, ResponseReader
from novaact_http._http.pool_rules import encode
from novaact_http._operations.sessions import LIST_SESSIONS
from tests.helpers.calls import CALL, TEMPORARY_KEYS
from tests.helpers.flows import context
from tests.helpers.http1_readers import by_h11, outcome

CASES = Path(__file__).parents[1] / "fuzz_cases"
MAX_BODY = 1 << 20


def check_response(data: bytes) -> None:
    """Bytes that come instead of a response: a page, or one of our errors; and nothing that h11 would not read."""
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
    """A response of whatever kind is a page or one of our errors, each whole: it prints and pickles."""
    flow = call_flow.call(context(), LIST_SESSIONS, CALL)
    next(flow)
    assert isinstance(flow.send(TEMPORARY_KEYS), Request)
    result: object
    try:
        flow.send(response)
        raise AssertionError("a call that is tried once has nothing more to ask")
    except StopIteration as ended:
        result = ended.value
    except NovaActError as error:
        result = error
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
    """The first byte says in what pieces the others come."""
    size = data[0] if data else 0
    rest = data[1:]
    return [rest[start : start + size] for start in range(0, len(rest), size)] if size else [rest]


def check_arguments(arguments: dict[str, Any]) -> None:
    """Arguments are refused, or make one request, to that path and query and no other, with no header of their own."""
    flow = call_flow.call(context(), LIST_SESSIONS, arguments)
    try:
        next(flow)
    except ParameterError:
        return
    request = flow.send(TEMPORARY_KEYS)
    flow.close()
    assert isinstance(request, Request)
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=10_000_000)
    server.receive_data(encode(request))
    seen = server.next_event()
    assert isinstance(seen, h11.Request)
    body = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += event.data
    assert server.trailing_data[0] == b""
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
    """The same for five arguments as text, with zeros between them."""
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
