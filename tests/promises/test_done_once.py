"""Nothing is done twice: creates have one token a call, and a step of an act is not sent again blindly."""

from __future__ import annotations

import asyncio
import json
import os
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from novaact_http import (
    AsyncClient,
    Client,
    Credentials,
    InternalServerException,
    NovaActError,
    ParameterError,
    ResponseError,
    RetryPolicy,
    ServiceError,
    ThrottlingException,
    Timeout,
    TransportError,
)
from novaact_http._http import pool_rules
from novaact_http.models import CallResult, CallResultContent, ClientInfo
from tests.helpers.answers import response
from tests.helpers.calls import CALL, KEYS, NAME
from tests.helpers.flows import context, drive, new_flow
from tests.helpers.operations import OPERATIONS, method_name
from tests.helpers.servers import Server, closed_port, http_response

if TYPE_CHECKING:
    from novaact_http._operations.shapes import Operation
    from tests.helpers.both_clients import Face
    from tests.helpers.servers import Peer, Script

CALLS = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 200
SESSION = {**CALL, "session_id": "s"}
STEP = {**SESSION, "act_id": "a", "call_results": [CallResult(content=[CallResultContent(text="screenshot")])]}
CREATES: dict[str, dict[str, Any]] = {
    "create_workflow_definition": {"name": NAME, "description": "d"},
    "create_workflow_run": {
        "workflow_definition_name": NAME,
        "model_id": "m",
        "client_info": ClientInfo(compatibility_version=1),
    },
    "create_session": CALL,
    "create_act": {**SESSION, "task": "t"},
}
CREATED = json.dumps({"status": "RUNNING", "workflowRunId": "r", "sessionId": "s", "actId": "a"}).encode()
DONE = http_response(json.dumps({"stepId": "s", "calls": []}).encode())


def lost() -> TransportError:
    return TransportError("reset", request_sent=True)


def settings(server: Server, **more: Any) -> dict[str, Any]:
    return {"region": "us-east-1", "credentials": KEYS, "endpoint_url": server.url, **more}


def forgetful(seen: list[str]) -> Script:
    """Return the script of a server that remembers all tokens, and loses one answer in five."""
    chance = random.Random(5)

    def script(peer: Peer) -> None:
        while request := peer.request():
            seen.append(json.loads(request.body)["clientToken"])
            if chance.random() < 0.2:
                return
            peer.send(http_response(CREATED, status=b"201 Created"))

    return script


def again(error: NovaActError) -> dict[str, str]:
    """Return the argument that makes a failed call again."""
    assert isinstance(error.client_token, str)
    return {"client_token": error.client_token}


@pytest.mark.parametrize("method", CREATES)
def test_a_create_is_done_once_whatever_was_lost(method: str) -> None:
    seen: list[str] = []
    failed = 0
    twice = RetryPolicy(max_attempts=2)
    with Server(forgetful(seen)) as server, Client(**settings(server, retries=twice)) as client:
        for _ in range(CALLS):
            more: dict[str, str] = {}
            for _ in range(50):
                try:
                    getattr(client, method)(**CREATES[method], **more)
                except TransportError as error:  # noqa: PERF203
                    failed += 1
                    more = again(error)
                else:
                    break
    assert failed
    assert len(set(seen)) == CALLS
    assert len(seen) > CALLS


def test_creates_at_the_same_time_are_done_once_each() -> None:
    seen: list[str] = []

    async def create(client: AsyncClient, limit: asyncio.Semaphore) -> None:
        more: dict[str, str] = {}
        async with limit:
            for _ in range(50):
                try:
                    await client.create_session(**CALL, **more)
                except TransportError as error:  # noqa: PERF203
                    more = again(error)
                else:
                    return

    async def main(server: Server) -> None:
        limit = asyncio.Semaphore(10)
        async with AsyncClient(**settings(server)) as client:
            await asyncio.gather(*(create(client, limit) for _ in range(CALLS)))

    with Server(forgetful(seen)) as server:
        asyncio.run(main(server))
    assert len(set(seen)) == CALLS
    assert len(seen) > CALLS


def test_every_error_of_a_create_has_its_token_and_no_other_error_has_one() -> None:
    create = OPERATIONS["CreateSession"]
    failures: list[Any] = [lost(), response(402, code="ServiceQuotaExceededException"), response(200, b"[]")]
    for failure in failures:
        of = context(retries=RetryPolicy(mode="off"))
        driven = drive(of, [failure], flow=new_flow(of, CALL, create))
        assert driven.error is not None
        assert driven.error.client_token == json.loads(driven.requests[0].body)["clientToken"]
        given = new_flow(of, {**CALL, "client_token": "b" * 40}, create)
        assert drive(of, [failure], flow=given).error.client_token == "b" * 40  # type: ignore[union-attr]
    assert drive(context(), [lost()] * 9).error.client_token is None  # type: ignore[union-attr]
    bad = drive(context(), [], flow=new_flow(context(), {**CALL, "client_token": "short"}, create)).error
    assert isinstance(bad, ParameterError)
    assert bad.client_token is None


def test_a_made_up_token_is_a_new_uuid() -> None:
    import uuid

    seen: list[str] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            seen.append(json.loads(request.body)["clientToken"])
            peer.send(http_response(CREATED, status=b"201 Created"))

    with Server(script) as server, Client(**settings(server)) as client:
        client.create_session(**CALL)
        client.create_session(**CALL, client_token=None)
    assert [uuid.UUID(each).version for each in seen] == [4, 4]
    assert len(set(seen)) == 2


class Row(NamedTuple):
    """What happens to the first step, and whether it is sent again."""

    first: bytes | None  # None for an answer that is lost
    again: bool
    kind: type[NovaActError] = NovaActError


def error(status: bytes, code: str = "", body: bytes = b"{}", headers: bytes = b"") -> bytes:
    named = b"x-amzn-errortype: %b\r\n" % code.encode() if code else b""
    return b"HTTP/1.1 %b\r\n%b%bContent-Length: %d\r\n\r\n%b" % (status, named, headers, len(body), body)


ROWS = {
    "throttled": Row(error(b"429 Too Many Requests", "ThrottlingException"), again=True),
    "throttled by another code": Row(error(b"400 Bad Request", "SlowDown"), again=True),
    "throttled without a code": Row(error(b"429 Too Many Requests"), again=True),
    "internal error": Row(error(b"500 Oops", "InternalServerException"), again=True),
    "internal error with a reason": Row(
        error(b"500 Oops", "InternalServerException", b'{"reason": "InvalidModelGeneration"}'),
        again=False,
        kind=InternalServerException,
    ),
    "internal error with an unreadable reason": Row(
        error(b"500 Oops", "InternalServerException", b'{"reason": 5}'), again=False, kind=InternalServerException
    ),
    "unknown internal error": Row(error(b"500 Oops", "OtherException"), again=False, kind=ServiceError),
    "bad gateway": Row(error(b"502 Bad Gateway", body=b"<html>"), again=False, kind=ServiceError),
    "unavailable": Row(error(b"503 Unavailable"), again=False, kind=ServiceError),
    "gateway timeout": Row(error(b"504 Timeout"), again=False, kind=ServiceError),
    "request timeout": Row(error(b"400 Bad Request", "RequestTimeout"), again=False, kind=ServiceError),
    "lost": Row(None, again=False, kind=TransportError),
    "cut off": Row(DONE[:-3], again=False, kind=TransportError),
    "no step": Row(http_response(b"{}"), again=False, kind=ResponseError),
    "no HTTP": Row(b"SSH-2.0-OpenSSH_9\r\n\r\n", again=False, kind=TransportError),
    "clock skew": Row(
        error(b"403 Forbidden", "RequestTimeTooSkewed", headers=b"Date: Wed, 21 Oct 2026 07:28:00 GMT\r\n"), again=True
    ),
    "expired token": Row(error(b"403 Forbidden", "ExpiredTokenException"), again=True),
}
WAYS = {"pool": False, "httpx": True}


def answers_first(first: bytes | None) -> Script:
    def script(peer: Peer) -> None:
        if peer.request():
            if first is not None:
                peer.send(first)
            if first is None or first in (ROWS["cut off"].first, ROWS["no HTTP"].first):
                return
        while peer.request():
            peer.send(DONE)

    return script


def rest(peer: Peer) -> None:
    while peer.request():
        peer.send(DONE)


@pytest.mark.parametrize("through_httpx", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_step_is_sent_again_only_where_it_was_surely_not_done(
    face: Face, row: Row, through_httpx: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(time, "time", lambda: 1_792_567_680.0 + 3600)  # an hour after the date of the skewed answer
    keys = iter([KEYS, Credentials(access_key_id="other", secret_access_key="other-key")])
    transport = face.stock_transport() if through_httpx else None
    with Server(answers_first(row.first), rest) as server:
        more = {"transport": transport, "credentials": lambda: next(keys), "retries": RetryPolicy(rng=lambda: 0.0)}
        if row.again:
            assert face.call("invoke_act_step", settings(server, **more), **STEP).step_id == "s"
        else:
            with pytest.raises(row.kind, match="it was not sent again, as the service may have carried it out") as got:
                face.call("invoke_act_step", settings(server, **more), **STEP)
            assert getattr(got.value, "attempts", None) == 1
            assert getattr(got.value, "request_sent", True)
    assert len(server.requests) == 1 + row.again


@pytest.mark.parametrize("through_httpx", WAYS.values(), ids=WAYS)
def test_a_late_step_is_not_sent_again(face: Face, through_httpx: bool) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.stall()

    transport = face.stock_transport() if through_httpx else None
    with Server(script) as server:
        more = {"transport": transport, "timeout": Timeout(read=0.1)}
        with pytest.raises(TransportError, match="it was not sent again"):
            face.call("invoke_act_step", settings(server, **more), **STEP)
    assert len(server.requests) == 1


@pytest.mark.parametrize("through_httpx", WAYS.values(), ids=WAYS)
def test_a_step_that_was_not_sent_is_tried_again(face: Face, through_httpx: bool) -> None:
    options = {
        "region": "us-east-1",
        "credentials": KEYS,
        "endpoint_url": f"http://127.0.0.1:{closed_port()}",
        "transport": face.stock_transport() if through_httpx else None,
    }
    with pytest.raises(TransportError) as caught:
        face.call("invoke_act_step", options, **STEP)
    assert (caught.value.attempts, caught.value.request_sent) == (3, False)
    assert "it was not sent again" not in str(caught.value)


def test_a_step_takes_no_connection_that_was_idle_for_long(lean_face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(http_response(json.dumps({"stepId": "s", "calls": [], "sessionSummaries": []}).encode()))

    def twice(method: str, arguments: dict[str, Any], server: Server) -> None:
        async def of_async() -> None:
            async with AsyncClient(**settings(server)) as client:
                for _ in range(2):
                    await getattr(client, method)(**arguments)

        if lean_face.lean_transport.__name__ == "LeanAsyncTransport":
            asyncio.run(of_async())
            return
        with Client(**settings(server)) as client:
            for _ in range(2):
                getattr(client, method)(**arguments)

    with Server(script) as server:
        twice("invoke_act_step", STEP, server)
        assert server.accepted == 1
    monkeypatch.setattr(pool_rules, "_LONGEST_IDLE_ONCE", 0.0)
    with Server(script) as server:
        twice("invoke_act_step", STEP, server)
        assert server.accepted == 2
    with Server(script) as server:
        twice("list_sessions", CALL, server)
        assert server.accepted == 1


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.repeatable])
@pytest.mark.parametrize(
    "failure", [lost(), response(500), response(502), response(200, b"[]")], ids=map(str, range(4))
)
def test_all_other_operations_are_sent_again(name: str, failure: Any) -> None:
    operation: Operation[Any] = OPERATIONS[name]
    arguments = {each.name: "a" * 33 for each in operation.inputs if each.required}
    if name == "ListModels":
        arguments = {"client_compatibility_version": 1}  # type: ignore[dict-item]
    if name == "CreateWorkflowRun":
        arguments = CREATES[method_name(name)]
    of = context(retries=RetryPolicy(rng=lambda: 0.0))
    driven = drive(of, [failure] * 3, flow=new_flow(of, arguments, operation))
    assert driven.error is not None
    assert len(driven.requests) == 3
    assert len({each.body for each in driven.requests}) == 1
    assert "it was not sent again" not in str(driven.error)


def test_a_throttled_step_gives_up_as_any_call_does() -> None:
    of = context(retries=RetryPolicy(rng=lambda: 0.0))
    throttled = response(429, code="ThrottlingException")
    driven = drive(of, [throttled] * 3, flow=new_flow(of, STEP, OPERATIONS["InvokeActStep"]))
    assert isinstance(driven.error, ThrottlingException)
    assert len(driven.requests) == 3
    assert "it was not sent again" not in str(driven.error)
