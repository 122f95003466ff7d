"""Mocking tools for httpx work, although calls do not go through httpx by default."""

from __future__ import annotations

import functools
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpcore
import httpx
import pytest
import respx

from novaact_http import Client, TransportError
from novaact_http._http import httpx_patches
from tests.helpers.calls import CALL, OPTIONS, call_for, options_for
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from pathlib import Path

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

PAGE = {"sessionSummaries": [{"sessionId": "of the mock"}]}


def listed(face: Face) -> str:
    (session,) = face.page(OPTIONS, **CALL).session_summaries
    return session.session_id


def test_respx_answers_while_it_mocks_and_no_longer(face: Face) -> None:
    with respx.mock() as router:
        route = router.post(path__startswith="/workflow-definitions/").respond(json=PAGE)
        assert listed(face) == "of the mock"
        assert route.call_count == 1
    with pytest.raises(TransportError, match=r"Connect(ionRefused)?Error"):
        listed(face)


@respx.mock
def test_respx_answers_as_a_decorator(face: Face) -> None:
    respx.post(path__startswith="/workflow-definitions/").respond(json=PAGE)
    assert listed(face) == "of the mock"


@respx.mock
def test_a_request_that_respx_does_not_know_fails_as_in_httpx(face: Face) -> None:
    with pytest.raises(respx.models.AllMockedAssertionError):
        listed(face)


@pytest.mark.newest("each release of pytest-httpx goes with one of httpx")
def test_pytest_httpx_answers(tmp_path: Path) -> None:
    code = """
        import asyncio
        import httpx
        from novaact_http import AsyncClient, Client, Credentials

        OPTIONS = {
            "region": "us-east-1",
            "credentials": Credentials(access_key_id="testing", secret_access_key="testing"),
            "endpoint_url": "http://127.0.0.1:9",
        }
        CALL = {"workflow_definition_name": "a", "workflow_run_id": "b"}
        PAGE = {"sessionSummaries": [{"sessionId": "of the mock"}]}

        def test_sync(httpx_mock):
            httpx_mock.add_response(json=PAGE)
            assert Client(**OPTIONS).list_sessions(**CALL).session_summaries[0].session_id == "of the mock"

        def test_async(httpx_mock):
            httpx_mock.add_response(json=PAGE)
            page = asyncio.run(AsyncClient(**OPTIONS).list_sessions(**CALL))
            assert page.session_summaries[0].session_id == "of the mock"
            assert len(httpx_mock.get_requests()) == 1
    """
    (tmp_path / "test_it.py").write_text(dedent(code))
    pytest_command = ("-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    done = run_python(*pytest_command, cwd=tmp_path, environ={"PYTEST_ADDOPTS": ""})
    assert "2 passed" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("module", "name", "method"),
    [
        (httpx, "HTTPTransport", "handle_request"),
        (httpx, "AsyncHTTPTransport", "handle_async_request"),
        (httpcore, "ConnectionPool", "handle_request"),
        (httpcore, "HTTPConnection", "handle_request"),
        (httpcore, "HTTPProxy", "handle_request"),
        (httpcore, "AsyncConnectionPool", "handle_async_request"),
        (httpcore, "AsyncHTTPConnection", "handle_async_request"),
        (httpcore, "AsyncHTTPProxy", "handle_async_request"),
    ],
)
def test_a_replaced_method_that_sends_is_noticed(module: Any, name: str, method: str) -> None:
    def replacement(*_: Any) -> None: ...

    class Callable:
        __module__ = None  # type: ignore[assignment]

        def __call__(self) -> None: ...

    other = {"handle_request": "handle_async_request", "handle_async_request": "handle_request"}[method]
    kind = getattr(module, name)
    wrapper = functools.wraps(getattr(kind, method))(replacement)  # as of vcrpy
    for each in (replacement, wrapper, mock.MagicMock(), Callable()):
        with mock.patch.object(kind, method, each):
            assert httpx_patches.are_installed(method)
            assert not httpx_patches.are_installed(other)
    assert not httpx_patches.are_installed(method)


def test_a_mock_that_begins_later_is_noticed_by_a_client_that_was_used(service: LocalService) -> None:
    with Client(**options_for(service)) as client:
        call = call_for(service.runs[0])
        before = client.list_sessions(**call)
        with respx.mock() as router:
            router.post().respond(json=PAGE)
            assert client.list_sessions(**call).session_summaries[0].session_id == "of the mock"
        assert client.list_sessions(**call) == before
    assert len(service.requests) == 2


@pytest.mark.parametrize("missing", [("httpx", "httpcore"), ("httpx",)], ids=", ".join)
def test_what_is_not_loaded_does_not_count_as_patched(
    missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not httpx_patches.are_installed("handle_request")  # now it has seen httpx's own functions
    for name in missing:
        monkeypatch.delitem(sys.modules, name)
    assert not httpx_patches.are_installed("handle_request")
