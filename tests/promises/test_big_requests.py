"""A request of a megabyte, as one with a screenshot is, is encoded once, hashed once, and not copied to be sent."""

from __future__ import annotations

import gc
import hashlib
import json
import tracemalloc
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http._call import rest_json, sigv4
from novaact_http._call.sigv4 import SigV4Signer
from novaact_http._http import pool_rules
from novaact_http.models import CallResult, CallResultContent
from tests.helpers.calls import CALL, KEYS, ONCE
from tests.helpers.servers import Server, endpoint, http_response, request_to

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Headers
    from tests.helpers.both_clients import Face
    from tests.helpers.servers import Peer

SIZE = 1_000_000
STEP = {**CALL, "session_id": "s", "act_id": "a"}
DONE = http_response(b'{"stepId": "s", "calls": []}')
TRANSPORTS = {"pool": "", "lean transport": "lean_transport", "httpx": "stock_transport"}


def arguments() -> dict[str, Any]:
    return {**STEP, "call_results": [CallResult(content=[CallResultContent(text="x" * SIZE)])]}


def answer(peer: Peer) -> None:
    while peer.request():
        peer.send(DONE)


def options(face: Face, server: Server, transport: str) -> dict[str, Any]:
    return {
        "region": "us-east-1",
        "credentials": KEYS,
        "endpoint_url": server.url,
        "retries": ONCE,
        "transport": getattr(face, transport)() if transport else None,
    }


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_it_arrives_whole_and_is_encoded_and_hashed_once(
    face: Face, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []
    hashed: list[int] = []
    dumps, sha256 = json.dumps, hashlib.sha256

    def counted_dumps(value: object) -> str:
        encoded.append(dumps(value))
        return encoded[-1]

    def counted_sha256(data: bytes) -> Any:
        hashed.append(len(data))
        return sha256(data)

    monkeypatch.setattr(rest_json, "json", SimpleNamespace(loads=json.loads, dumps=counted_dumps))
    monkeypatch.setattr(sigv4, "hashlib", SimpleNamespace(sha256=counted_sha256))
    with Server(answer) as server:
        face.call("invoke_act_step", options(face, server, transport), **arguments())
    (request,) = server.requests
    assert json.loads(request.body) == {"callResults": [{"content": [{"text": "x" * SIZE}]}]}
    assert len(encoded) == 1
    assert [each for each in hashed if each > SIZE] == [len(request.body)]


def test_its_body_is_sent_as_it_is() -> None:
    big = request_to(endpoint("127.0.0.1", 80))._replace(body=b"x" * SIZE)
    head, rest = pool_rules.encode(big)
    assert rest is big.body
    assert head.endswith(b"\r\n\r\n")
    small = big._replace(body=b"{}")
    assert pool_rules.encode(small) == (head + b"{}", b"")


@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
def test_a_call_takes_little_memory_besides_the_body(face: Face, transport: str) -> None:
    received: list[int] = []

    def forget(peer: Peer) -> None:
        # The server runs in this process too, so it must not keep what it reads.
        data = b""
        while b"\r\n\r\n" not in data:
            data += peer.socket.recv(4_096)
        head, _, data = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        left = length - len(data)
        while left:
            left -= len(peer.socket.recv(min(left, 16_384)))
        received.append(length)
        peer.send(DONE)

    peaks: list[int] = []

    class MeasuringSigner(SigV4Signer):
        def sign(self, *arguments: Any, **named: Any) -> Headers:
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
            return super().sign(*arguments, **named)

    given = arguments()
    with Server(forget) as server:
        face.call("invoke_act_step", options(face, server, transport), **given)  # which also loads what is needed
        made = {**options(face, server, transport), "signer": MeasuringSigner()}
        gc.collect()
        tracemalloc.start()
        try:
            face.call("invoke_act_step", made, **given)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert received[0] == received[1] > SIZE
    encoding, sending = peaks
    # The JSON as text, once in parts and once joined, or once joined and once as bytes. Python 3.12 and newer join the
    # parts in a buffer that is up to a quarter too large. One copy more would be 3.
    assert encoding < received[0] * 2.5
    assert sending < received[0] * 1.5  # which a copy would double
