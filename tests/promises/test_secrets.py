"""Nothing shows a secret: no error or cause of one, log line, repr, pickle, or traceback with its variables.

The servers here repeat what they were sent, in bodies and headers, and also know the secret key. Tracebacks are
shown as error trackers show them: with the repr of each variable of each function.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import pickle
import re
import sys
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from novaact_http import (
    AsyncClient,
    Attempt,
    BotocoreSigner,
    Client,
    Credentials,
    LeanAsyncTransport,
    LeanTransport,
    RetryPolicy,
    Timeout,
    errors,
)
from novaact_http._call import http_messages, sigv4
from novaact_http._call.flow import GetCredentials
from novaact_http._clients import base
from novaact_http._operations.service_errors import ERRORS
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.calls import CALL, NOW, ONCE, call_for, options_for
from tests.helpers.flows import context, new_flow
from tests.helpers.servers import Peer, Script, Server, closed_port, never
from tests.helpers.tracebacks import everything, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http.testing import LocalService

SECRET, TOKEN = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYSecretKey1", "IQoJb3JpZ2luX2VjEXAMPLE/Session+Token=="
TESTS = Path(__file__).parents[1]
KEYS = Credentials(access_key_id="ASIAIOSFODNN7EXAMPLE", secret_access_key=SECRET, session_token=TOKEN)
_SIGNATURE = re.compile(r"Signature=([0-9a-f]{64})")


def _derived() -> Iterator[bytes]:
    """Derive the keys from the secret key at `NOW`, without the library's code."""
    key = f"AWS4{SECRET}".encode()
    for part in (sigv4.amz_date(NOW)[:8], "us-east-1", "nova-act", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
        yield key


def check(shown: str, signatures: set[str]) -> None:
    """Assert that the text has no secret, in any spelling, and not half of one either."""
    plain = {SECRET, TOKEN, *signatures}
    written = {quote(each, safe="") for each in plain} | {each.replace("/", "\\/") for each in plain} | plain
    for key in _derived():
        written |= {key.hex(), repr(key)[2:-1]}
    for each in written:
        half = each[: len(each) // 2 + 1]
        assert half not in shown, shown[max(0, shown.index(half) - 300) :][:600]


def stack() -> str:
    """Return the variables of the library's functions on the stack."""
    shown: list[str] = []
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("novaact_http"):
            shown += variables(frame)
        frame = frame.f_back
    assert shown
    return "\n".join(shown)


def request_text(peer: Peer) -> str:
    """Return the whole next request; `""` if there is none."""
    data = b""
    while not data.endswith(b"\r\n\r\n{}"):
        piece = peer.socket.recv(65_536)
        if not piece:
            return ""
        data += piece
    return data.decode("latin-1")


def repeating(answer: Callable[[str], bytes]) -> Script:
    """Return the script of a server that builds its response from the request."""

    def script(peer: Peer) -> None:
        while received := request_text(peer):
            peer.send(answer(f"{received}\n{SECRET}"))

    return script


def response(status: int, body: str, *more: str) -> bytes:
    lines = (f"HTTP/1.1 {status} x", "Connection: close", f"Content-Length: {len(body)}", *more)
    return "\r\n".join((*lines, "", body)).encode("latin-1")


def in_headers(text: str) -> list[str]:
    """Return the request's headers as a response's."""
    fields = [line.partition(": ")[::2] for line in text.split("\r\n") if ": " in line]
    return [f"x-echo-{name}: {value} {SECRET}" for name, value in fields]


def refusal(code: str, status: int) -> Script:
    return repeating(
        lambda text: response(
            status, json.dumps({"message": text, "reason": text}), f"x-amzn-ErrorType: {code}", *in_headers(text)
        )
    )


def cut_off(text: str) -> bytes:
    return response(200, text)[:-10]


def hang(peer: Peer) -> None:
    peer.send(response(200, request_text(peer) + SECRET, *in_headers(SECRET))[:-1])
    peer.stall()


def reset(peer: Peer) -> None:
    request_text(peer)
    peer.reset()


def close(after: Callable[[str], bytes]) -> Script:
    def script(peer: Peer) -> None:
        peer.send(after(request_text(peer) + SECRET))

    return script


SERVICE_ERRORS = {code: (shape.exception, refusal(code, 403)) for code, shape in ERRORS.items()}
CASES: dict[str, tuple[type[errors.NovaActError], Script]] = {
    **SERVICE_ERRORS,
    "no JSON": (errors.ResponseError, repeating(lambda text: response(200, text, *in_headers(text)))),
    "no text": (errors.ResponseError, repeating(lambda text: response(200, f"{text}\xff"))),
    "no page": (errors.ResponseError, repeating(lambda text: response(200, json.dumps({"sessionSummaries": [text]})))),
    "unknown code": (errors.ServiceError, refusal("SomethingElse", 418)),
    "a code that echoes": (errors.ServiceError, refusal(SECRET, 400)),
    "HTML": (errors.ServiceError, repeating(lambda text: response(502, f"<html>{text}"))),
    "text": (errors.ServiceError, repeating(lambda text: response(502, text))),
    "no HTTP": (errors.TransportError, close(lambda text: text.encode("latin-1"))),
    "a bad status": (errors.TransportError, close(lambda _: f"HTTP/1.1 {SECRET}\r\n\r\n".encode())),
    "a bad field": (errors.TransportError, close(lambda _: f"HTTP/1.1 200 x\r\n{TOKEN}\0: x\r\n\r\n".encode())),
    "a bad line": (errors.TransportError, close(lambda _: f"HTTP/1.1 200 x\r\n{TOKEN} x\r\n\r\n".encode())),
    "a bad chunk": (
        errors.TransportError,
        close(lambda _: f"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n".encode()),
    ),
    "cut off": (errors.TransportError, close(cut_off)),
    "closed": (errors.TransportError, close(lambda _: b"")),
    "reset": (errors.TransportError, reset),
    "too slow": (errors.TransportTimeout, hang),
    "over": (errors.DeadlineExceeded, hang),
}


@pytest.fixture(autouse=True)
def _the_time_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "time", types.SimpleNamespace(**{**vars(time), "time": lambda: NOW}))


class Watched:
    """The options of a client, and everything that was reported about its calls."""

    def __init__(self, port: int, **options: Any) -> None:
        self.told: list[str] = []
        self.signatures: set[str] = set()
        self.options: dict[str, Any] = {
            "region": "us-east-1",
            "endpoint_url": f"http://127.0.0.1:{port}",
            "credentials": KEYS,
            "retries": RetryPolicy(max_attempts=2),
            "signer": self,
            "on_attempt": self.hear,
            **options,
        }
        self._signer = sigv4.SigV4Signer()

    def sign(self, *args: Any, **options: Any) -> Any:
        """Sign, and note the signature."""
        self.told.append(stack())
        signed = self._signer.sign(*args, **options)
        self.signatures |= {match[1] for _, value in signed if (match := _SIGNATURE.search(value))}
        return signed

    def hear(self, attempt: Attempt) -> None:
        """Note what the hook is told."""
        self.told += [stack(), repr(attempt), str(attempt)]
        if attempt.error is not None:
            self.told.append(everything(attempt.error))

    def check(self, *more: str) -> None:
        """Assert that no report has a secret."""
        assert self.signatures
        for each in (*self.told, *more):
            check(each, self.signatures)


def transports(face: Face, name: str) -> dict[str, Any]:
    """Return a client's options for one way of sending: our pool, our transport for httpx, or httpx's own."""
    if name == "own":
        return {}
    if isinstance(face, SyncFace):
        return {"transport": LeanTransport() if name == "lean" else httpx.HTTPTransport()}
    return {"transport": LeanAsyncTransport() if name == "lean" else httpx.AsyncHTTPTransport()}


@pytest.mark.parametrize("transport", ["own", "lean", "stock"])
@pytest.mark.parametrize("case", CASES)
def test_no_error_shows_a_secret(face: Face, case: str, transport: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "novaact_http")
    kind, script = CASES[case]
    limits = {"over": Timeout(total=0.1), "too slow": Timeout(read=0.05)}
    with Server(script) as server:
        watched = Watched(server.port, timeout=limits.get(case), **transports(face, transport))
        with pytest.raises(kind) as caught:
            face.page(watched.options, **CALL)
    assert type(caught.value) is kind
    assert "novaact_http" in caplog.text
    watched.check(everything(caught.value), caplog.text)


def elsewhere(face: Face) -> Iterator[tuple[Callable[[], object], type[errors.NovaActError]]]:
    """Yield calls that raise an error without a response, and the class of that error."""
    keys: dict[str, Any] = {"credentials": KEYS, "region": "us-east-1", "endpoint_url": "http://127.0.0.1:9"}
    yield lambda: face.page(keys, **CALL | {"max_results": "all"}), errors.ParameterError
    yield lambda: face.page(keys | {"region": "no region"}, **CALL), errors.ConfigurationError
    yield lambda: face.page(keys | {"transport": 1}, **CALL), errors.ConfigurationError
    yield lambda: face.page(keys | {"signer": Scribbler()}, **CALL), errors.ConfigurationError
    yield lambda: face.page(keys | {"credentials": lambda: {SECRET: TOKEN}}, **CALL), errors.CredentialsError
    yield lambda: face.page(keys | {"credentials": failing}, **CALL), errors.CredentialsError
    yield lambda: Credentials(access_key_id="A", secret_access_key=f"{SECRET}\n"), errors.CredentialsError
    yield (
        lambda: Credentials(access_key_id="A", secret_access_key=SECRET, session_token=f"{TOKEN} "),
        (errors.CredentialsError),
    )
    yield lambda: pickle.dumps(KEYS), errors.CredentialsError
    yield lambda: pickle.dumps(Client(**keys)), errors.CredentialsError
    yield lambda: face.page(keys | {"retries": ONCE}, **CALL), errors.TransportError
    yield closed, errors.NovaActError


class Scribbler(sigv4.SigV4Signer):
    """Makes a signature that cannot be sent."""

    def sign(self, *args: Any, **options: Any) -> Any:
        return (*super().sign(*args, **options), ("x-key", f"{SECRET}\n"))


def failing() -> Credentials:
    raise ValueError("no vault")


def closed() -> None:
    client = Client(region="us-east-1", credentials=KEYS, endpoint_url="http://127.0.0.1:9")
    client.close()
    client.list_sessions(**CALL)


@pytest.mark.parametrize("number", range(12))
def test_no_error_without_a_response_shows_a_secret(lean_face: Face, number: int) -> None:
    cases = list(elsewhere(lean_face))
    assert len(cases) == 12
    doing, kind = cases[number]
    with pytest.raises(kind) as caught:
        doing()
    assert type(caught.value) is kind
    check(everything(caught.value), set())


def test_a_listing_that_would_never_end_shows_no_secret(face: Face) -> None:
    page = json.dumps({"sessionSummaries": [], "nextToken": "again"})
    with Server(repeating(lambda text: response(200, page, *in_headers(text)))) as server:
        watched = Watched(server.port)
        with pytest.raises(errors.PaginationError) as caught:
            face.items(watched.options, **CALL)
    watched.check(everything(caught.value))


def test_every_class_of_errors_is_among_those_checked_here() -> None:
    shown = {kind for kind, _ in CASES.values()}
    shown |= {kind for _, kind in elsewhere(SyncFace())}
    every = {each for name in errors.__all__ if issubclass(each := getattr(errors, name), Exception)}
    assert every == shown | {errors.PaginationError}


@pytest.mark.parametrize(
    "files",
    [
        {"credentials": f"[default]\naws_access_key_id = A\naws_secret_access_key = {SECRET}\n"},
        {"credentials": f"[default]\naws_secret_access_key {SECRET}\n"},
        {"config": f"[default]\nregion = no region\naws_secret_access_key = {SECRET}\n"},
        {"config": f"[profile a]\nregion = us-east-1\nretry_mode = {SECRET[:3]}\naws_session_token = {TOKEN}\n"},
    ],
)
@pytest.mark.parametrize("profile", ["a", "default", None])
def test_no_problem_with_settings_shows_the_environment_or_a_file(
    files: dict[str, str], profile: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, variable in (("config", "AWS_CONFIG_FILE"), ("credentials", "AWS_SHARED_CREDENTIALS_FILE")):
        tmp_path.joinpath(name).write_text(files.get(name, ""))
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "A")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "none")
    for make in (Client, AsyncClient):
        with pytest.raises(errors.ConfigurationError) as caught:
            make(profile=profile)
        check(everything(caught.value), set())


def test_a_proxys_password_is_not_shown(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:{quote(SECRET, safe='')}@127.0.0.1:9")
    with pytest.raises(errors.TransportError) as caught:
        face.page({"region": "us-east-1", "credentials": KEYS, "endpoint_url": "http://127.0.0.1:8"}, **CALL)
    check(everything(caught.value), set())
    with pytest.raises(errors.ConfigurationError) as refused:
        monkeypatch.setenv("http_proxy", f"http://user:{quote(SECRET, safe='')}@:0")
        Client(region="us-east-1", endpoint_url="http://127.0.0.1:8")
    check(everything(refused.value), set())


class Quoting(httpx.MockTransport):
    """Quotes the headers that it should send."""

    def __init__(self) -> None:
        super().__init__(self._quote)

    @staticmethod
    def _quote(request: httpx.Request) -> httpx.Response:
        try:
            raise ValueError(request.headers["Authorization"])  # noqa: TRY301 - it is the cause
        except ValueError as error:
            raise httpx.LocalProtocolError(f"illegal header value {error}") from error


def test_secrets_that_a_transport_quotes_are_blanked_out(face: Face) -> None:
    watched = Watched(9, transport=Quoting())
    with pytest.raises(errors.TransportError, match=r"illegal header value .*Signature=\*\*\*") as caught:
        face.page(watched.options, **CALL)
    watched.check(everything(caught.value))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_our_transports_show_no_header_of_an_httpx_request(asynchronous: bool) -> None:
    async def send(request: httpx.Request) -> None:
        await LeanAsyncTransport().handle_async_request(request)

    for headers, url in (
        ({"Authorization": SECRET}, f"http://127.0.0.1:{closed_port()}"),
        ({"A": f"{SECRET}\n"}, "http://h"),
    ):
        request = httpx.Request("GET", url, headers=headers)
        with pytest.raises(httpx.TransportError) as caught:
            asyncio.run(send(request)) if asynchronous else LeanTransport().handle_request(request)
        check(everything(caught.value), set())


@pytest.mark.parametrize("transport", ["own", "lean", "stock"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_is_not_followed(face: Face, status: int, transport: str) -> None:
    with Server(never) as elsewhere:
        moved = repeating(lambda _: response(status, "", f"Location: http://127.0.0.1:{elsewhere.port}/"))
        with Server(moved) as server:
            watched = Watched(server.port, **transports(face, transport))
            with pytest.raises(errors.ServiceError) as caught:
                face.page(watched.options, **CALL)
        assert caught.value.code == str(status)
        assert caught.value.attempts == 1
        assert not elsewhere.accepted


def signatures_in(*headers: str | None) -> set[str]:
    return {match[1] for each in headers if each and (match := _SIGNATURE.search(each))}


def test_no_repr_shows_a_secret(service: LocalService) -> None:
    flow = new_flow(context())
    shown: list[object] = [flow, next(flow), request := flow.send(KEYS)]
    assert isinstance(request, http_messages.Request)
    signatures = signatures_in(*(value for _, value in request.headers))
    shown += [KEYS, sigv4.SigV4Signer(), BotocoreSigner(), context(), GetCredentials(refused=KEYS)]
    with Client(**{**options_for(service), "credentials": KEYS}) as client, pytest.raises(errors.ServiceError):
        client.list_sessions(**call_for(service.runs[0]))
    shown += [client, service, service.requests, *_reached(service), *_reached(client)]
    signatures |= signatures_in(*(each.header("authorization") for each in service.requests))
    assert len(signatures) == 2
    for each in shown:
        check(repr(each), signatures)
    flow.close()


def _reached(value: object) -> list[object]:
    """Return all objects of the library that an object holds, directly or not."""
    found: list[object] = []
    pending = [value]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if type(each).__module__.startswith("novaact_http"):
            found.append(each)
            pending += vars(each).values() if hasattr(each, "__dict__") else []
            slots = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
            pending += [getattr(each, name) for name in slots if name != "__weakref__" and hasattr(each, name)]
        elif isinstance(each, (list, set, frozenset)):
            pending += each
        elif isinstance(each, dict):
            pending += each.values()
    return found
