"""Whatever stands in the place of httpx's own functions sees the calls: recorders, mocks, instrumentation."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
import respx

from novaact_http import Client
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.calls import CALL, OPTIONS, call_for, options_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import LocalService

PAGE = {"sessionSummaries": [{"sessionId": "of the stand-in"}]}
Patch = pytest.MonkeyPatch


def answer(_: object = None) -> httpx.Response:
    return httpx.Response(200, json=PAGE)


def core_answer() -> httpcore.Response:
    return httpcore.Response(200, content=httpx.Response(200, json=PAGE).content)


def listed(face: Face, options: dict[str, Any], call: dict[str, Any]) -> str:
    return face.page(options, **call).session_summaries[0].session_id


def stand_in(original: Callable[..., Any], answered: Callable[[], object], *, asynchronous: bool) -> Callable[..., Any]:
    """Return a function that answers as a cassette of vcrpy does: it looks like the original."""

    @functools.wraps(original)
    def blocking(*_: Any, **__: Any) -> object:
        return answered()

    @functools.wraps(original)
    async def awaited(*_: Any, **__: Any) -> object:
        return answered()

    return awaited if asynchronous else blocking


@pytest.mark.parametrize(
    ("module", "owner", "method"),
    [
        (httpx, "Client", "send"),  # vcrpy 4
        (httpx, "Client", "_send_handling_auth"),
        (httpx, "Client", "_send_handling_redirects"),
        (httpx, "Client", "_send_single_request"),  # vcrpy 5 to 7
        (httpx, "HTTPTransport", "handle"),  # vcrpy 9
        (httpcore, "ConnectionPool", "handle"),  # vcrpy 8
        (httpcore, "HTTPConnection", "handle"),
        (httpcore, "HTTP11Connection", "handle"),
    ],
)
def test_no_request_goes_past_a_recorder(
    face: Face, service: LocalService, monkeypatch: Patch, module: Any, owner: str, method: str
) -> None:
    asynchronous = not isinstance(face, SyncFace)
    kind = getattr(module, f"Async{owner}" if asynchronous else owner)
    name = {"handle": "handle_async_request" if asynchronous else "handle_request"}.get(method, method)
    answered = core_answer if module is httpcore else answer
    original = getattr(kind, name)
    options, call = options_for(service), call_for(service.runs[0])
    before = listed(face, options, call)
    monkeypatch.setattr(kind, name, stand_in(original, answered, asynchronous=asynchronous))
    assert listed(face, options, call) == "of the stand-in"
    monkeypatch.undo()
    assert listed(face, options, call) == before
    assert len(service.requests) == 2


@pytest.mark.parametrize("using", ["httpx", "httpcore"])
def test_respx_answers_wherever_it_is_told_to_patch(face: Face, using: str) -> None:
    with respx.mock(using=using) as router:
        route = router.post(path__startswith="/workflow-definitions/").respond(json=PAGE)
        assert listed(face, OPTIONS, CALL) == "of the stand-in"
        assert route.call_count == 1


def test_functions_of_httpx_itself_in_the_place_of_others_are_noticed(monkeypatch: Patch) -> None:
    with Client(**OPTIONS) as client:
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", httpx.MockTransport(answer).handle_request)
        assert client.list_sessions(**CALL).session_summaries[0].session_id == "of the stand-in"


def test_another_class_in_the_place_of_the_transport_is_noticed(monkeypatch: Patch) -> None:
    class Transport(httpx.MockTransport):
        def __init__(self, **_: Any) -> None:
            super().__init__(answer)

    monkeypatch.setattr(httpx, "HTTPTransport", Transport)
    with Client(**OPTIONS) as client:
        assert client.list_sessions(**CALL).session_summaries[0].session_id == "of the stand-in"


class Instrumented:
    """A function with instrumentation around it, which has all its attributes, as the proxies of wrapt."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            return self._function(instance, *arguments, **options)

        return call


@pytest.mark.parametrize("owner", ["Client", "HTTPTransport"])
def test_instrumentation_sees_each_call_and_changes_nothing(
    face: Face, service: LocalService, monkeypatch: Patch, owner: str
) -> None:
    options, call = options_for(service), call_for(service.runs[0])
    page = face.page(options, **call)
    prefix, method = ("", "handle_request") if isinstance(face, SyncFace) else ("Async", "handle_async_request")
    kind, name = getattr(httpx, f"{prefix}{owner}"), "send" if owner == "Client" else method
    instrumented = Instrumented(getattr(kind, name))
    monkeypatch.setattr(kind, name, instrumented)
    assert face.page(options, **call).session_summaries == page.session_summaries
    assert instrumented.calls == 1
    first, second = service.requests
    assert {name.lower() for name, _ in second.headers} == {name.lower() for name, _ in first.headers}


def test_the_users_own_transport_is_no_way_past_a_recorder_of_httpxs_client(face: Face, monkeypatch: Patch) -> None:
    asynchronous = not isinstance(face, SyncFace)
    kind = httpx.AsyncClient if asynchronous else httpx.Client
    monkeypatch.setattr(
        kind,
        "_send_single_request",
        stand_in(kind._send_single_request, answer, asynchronous=asynchronous),
    )
    transport = httpx.AsyncHTTPTransport() if asynchronous else httpx.HTTPTransport()
    assert listed(face, {**OPTIONS, "transport": transport}, CALL) == "of the stand-in"
