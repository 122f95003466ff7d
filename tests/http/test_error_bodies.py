"""The bodies of errors are bounded: what is read of them, what is kept, and what it costs to look at them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import Client, LeanAsyncTransport, LeanTransport, ResponseError, RetryPolicy, ServiceError
from novaact_http._call.http_messages import Response
from novaact_http.errors import ThrottlingException, ValidationException
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.calls import CALL, NOW, OPTIONS, mocked
from tests.helpers.flows import context, drive
from tests.helpers.programs import run_python
from tests.helpers.servers import Peer, Server

if TYPE_CHECKING:
    from collections.abc import Callable

MEBIBYTE = 1_048_576
HUGE = 60_000_000
HEAD = b"HTTP/1.1 400 Bad Request\r\nx-amzn-RequestId: r-1\r\n"

# Bodies that cost much to whoever keeps them, parses them, or looks for a code, a message or a wait in them.
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "text": lambda size: b"x" * size,
    "a long message": lambda size: b'{"message": "' + b"x" * size + b'"}',
    "a long code": lambda size: b'{"__type": "' + b"x" * size + b'"}',
    "a code of commas": lambda size: b'{"__type": "' + b"," * size + b'"}',
    "a code of control characters": lambda size: b'{"code": "' + b"\\u0001" * (size // 6) + b'"}',
    "a list for Retry-After": lambda size: b'{"Retry-After": [' + b"1," * (size // 2) + b"1]}",
    "a long text for Retry-After": lambda size: b'{"Retry-After": "' + b"1 " * (size // 2) + b'"}',
    "a long number": lambda size: b'{"message": ' + b"1" * size + b"}",
    "a long fraction for Retry-After": lambda size: b'{"Retry-After": 0.' + b"1" * size + b"}",
    "deep lists": lambda size: b"[" * size,
    "deep objects": lambda size: b'{"a":' * (size // 5),
    "a message of empty lists": lambda size: b'{"message": [' + b"[]," * (size // 3) + b"1]}",
    "empty fields": lambda size: b'{"__type": "ValidationException", "fieldList": [' + b"{}," * (size // 3) + b"{}]}",
    "comments": lambda size: b"<!---->" * (size // 7),
    "spaces": lambda size: b" " * size,
    "not UTF-8": lambda size: b"\xff" * size,
}


def with_length(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def in_one_chunk(body: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def in_chunks(body: bytes) -> bytes:
    chunks = [body[at : at + 60_000] for at in range(0, len(body), 60_000)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def until_close(body: bytes) -> bytes:
    return HEAD + b"\r\n" + body


FRAMINGS = (with_length, in_one_chunk, in_chunks, until_close)


def transport(face: Face, kind: str) -> dict[str, Any]:
    """Return the options for a way to connect."""
    if kind == "own":
        return {}
    if kind == "httpx's":
        return {"transport": httpx.HTTPTransport() if isinstance(face, SyncFace) else httpx.AsyncHTTPTransport()}
    return {"transport": LeanTransport() if isinstance(face, SyncFace) else LeanAsyncTransport()}


def answering(response: httpx.Response) -> dict[str, Any]:
    """Return the options of a client that gets this response to everything."""
    return mocked(lambda _: response)


def error_of(face: Face, options: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        face.page(options, **CALL)
    return caught.value


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts memory in KiB")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_sixty_megabytes_of_an_error_cost_little_memory(asynchronous: bool) -> None:
    bodies = [(name, MEBIBYTE - 100) for name in HOSTILE]
    bodies += [(name, HUGE) for name in ("text", "a code of commas", "a list for Retry-After", "deep lists")]
    targets = iter(bodies)

    def script(peer: Peer) -> None:
        peer.request()
        name, size = next(targets)
        peer.send(FRAMINGS[len(name) % len(FRAMINGS)](HOSTILE[name](size)))

    code = f"""
        import asyncio, json, resource, sys
        from novaact_http import AsyncClient, Client, Credentials, RetryPolicy, ServiceError

        keys = Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="x" * 40)
        options = dict(region="us-east-1", credentials=keys, endpoint_url=sys.argv[1], retries=RetryPolicy(mode="off"))
        names = dict(workflow_definition_name="a", workflow_run_id="b")

        async def call():
            async with AsyncClient(**options) as client:
                await client.list_sessions(**names)

        for _ in range({len(bodies)}):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            try:
                asyncio.run(call()) if {asynchronous} else Client(**options).list_sessions(**names)
            except ServiceError as error:
                kept = len(str(error)) + len(error.code) + len(error.message) + len(getattr(error, "field_list", ()))
            print(json.dumps([(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024, kept]))
    """
    with Server(script) as server:
        done = run_python("-c", code, f"http://127.0.0.1:{server.port}")
        server.errors.clear()  # it could not send all
    costs = dict(zip(bodies, map(json.loads, done.stdout.splitlines()), strict=True))
    assert {each: cost for each, cost in costs.items() if cost[0] > 48} == {}, "MiB"
    assert {each: cost for each, cost in costs.items() if cost[1] > 40_000} == {}, "characters"


@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_more_than_a_mebibyte_is_read_of_an_error(face: Face, framing: Callable[[bytes], bytes]) -> None:
    sent: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(sent[-1])

    with Server(script) as server:
        for kind in ("own", "httpx's", "lean"):
            for size in (MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE):
                sent.append(framing(b"x" * size).replace(HEAD, HEAD + b"Connection: close\r\n"))
                error = error_of(
                    face, OPTIONS | {"endpoint_url": f"http://127.0.0.1:{server.port}"} | transport(face, kind)
                )
                assert (error.status_code, error.request_id, error.code) == (400, "r-1", "400")
                assert error.message.startswith("xxx")
        server.errors.clear()


def test_a_connection_is_not_used_again_after_an_error_that_was_not_read_whole() -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n" + b'{"sessionSummaries": []}'
    for size, connections in ((MEBIBYTE, 1), (MEBIBYTE + 1, 2), (MEBIBYTE + 10_000, 2)):
        responses = iter([with_length(b"x" * size), page])

        def script(peer: Peer, responses: Any = responses) -> None:
            while peer.request():
                peer.send(next(responses))

        with (
            Server(script) as server,
            Client(**OPTIONS | {"endpoint_url": f"http://127.0.0.1:{server.port}"}) as client,
        ):
            with pytest.raises(ServiceError):
                client.list_sessions(**CALL)
            assert client.list_sessions(**CALL).session_summaries == ()
            assert server.accepted == connections
            server.errors.clear()


def test_an_error_that_a_transport_has_read_whole_is_cut_too(face: Face) -> None:
    error = error_of(face, mocked(lambda _: httpx.Response(400, json={"message": "x" * HUGE})))
    assert len(error.message) < 20_000


def test_a_long_message_is_cut_and_says_so(face: Face) -> None:
    for message, kept in (("é" * 16_384, "é" * 16_384), ("é" * 16_385, "é" * 16_384 + "... (cut off)")):
        answer = httpx.Response(400, json={"__type": "ValidationException", "message": message, "reason": message})
        error = error_of(face, answering(answer))
        assert isinstance(error, ValidationException)
        assert error.message == error.reason == kept


def test_a_long_code_is_cut(face: Face) -> None:
    for code, kept in (("a" * 1_000, "a" * 256), ("," * 1_000 + "a", "400"), ("x#" * 10 + "a:b", "a")):
        answer = httpx.Response(400, headers={"x-amzn-ErrorType": code})
        assert error_of(face, answering(answer)).code == kept


def test_a_secret_is_not_shown_in_part_because_a_code_or_a_message_was_cut(face: Face) -> None:
    secret = OPTIONS["credentials"].secret_access_key
    for ahead in range(150, 256, 15):
        answer = httpx.Response(400, json={"code": "c" * ahead + secret, "message": "m" * (16_130 + ahead) + secret})
        text = str(error_of(face, answering(answer)))
        assert secret[:9] not in text


@pytest.mark.parametrize("raw", [[1], [], {"1": 1}, None, True, [[1] * 9]])
def test_retry_after_counts_only_as_text_or_number_else_the_header_counts(raw: object) -> None:
    body = json.dumps({"__type": "ThrottlingException", "Retry-After": raw}).encode()
    for headers, seconds in (((("retry-after", "7"),), 7.0), ((), None)):
        error = drive(context(), [Response(429, headers, body)]).error
        assert isinstance(error, ThrottlingException)
        assert error.retry_after == seconds


@pytest.mark.parametrize("value", ["9" * 50_000, "-" + "9" * 4_000, "9" * 4_000, "1e5", "-5", "5.5", "", "x" * 50_000])
@pytest.mark.parametrize("header", ["x-amz-retry-after", "retry-after", "date"])
def test_no_header_of_a_retryable_error_breaks_the_call(header: str, value: str) -> None:
    policy = RetryPolicy(max_attempts=2, rng=lambda: 0.0)
    driven = drive(context(retries=policy, clock=lambda: NOW), [Response(503, ((header, value),), b"")])
    assert driven.error is None
    assert driven.waits == [
        {"x-amz-retry-after": 5.0 * value.isdecimal(), "retry-after": 5.5 * (value == "5.5")}.get(header, 0.0)
    ]


def test_a_broken_success_of_sixty_megabytes_keeps_a_short_excerpt(face: Face) -> None:
    for headers in ({}, {"Content-Encoding": "x" * 60_000}):
        answer = httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"\xff" * HUGE))
        with pytest.raises(ResponseError) as caught:
            face.page(answering(answer), **CALL)
        assert len(str(caught.value)) < 700
