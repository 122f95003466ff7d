"""`examples/fastapi_app.py`, served by uvicorn, with the local service behind it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn

import fastapi_app
from novaact_http import AsyncClient, Client, NovaActError
from tests.helpers.answers import page_body
from tests.helpers.calls import OPTIONS, call_for, options_for
from tests.helpers.servers import Server, eventually, never

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novaact_http.testing import LocalService, WorkflowRun


@pytest.fixture
def api(world: LocalService) -> Iterator[httpx.Client]:
    """A client of the application, which runs on a thread."""
    server = uvicorn.Server(uvicorn.Config(fastapi_app.app, port=0, log_config=None, lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def path_of(run: WorkflowRun, name: str = "sessions") -> str:
    return f"/workflow-definitions/{run.workflow_definition_name}/workflow-runs/{run.workflow_run_id}/{name}"


def lines_of(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in response.text.splitlines()]


def test_pages_are_listed_one_after_the_other(api: httpx.Client, service: LocalService) -> None:
    run = service.add_run("api", sessions=5)
    first = api.get(path_of(run), params={"max_results": 3}).json()
    assert first["session_ids"] == list(run.session_ids[:3])
    second = api.get(path_of(run), params={"next_token": first["next_token"]}).json()
    assert second == {"session_ids": list(run.session_ids[3:]), "next_token": None}


def test_a_long_listing_is_streamed_as_json_lines(api: httpx.Client, service: LocalService) -> None:
    run = service.add_run("api", sessions=250)
    assert lines_of(api.get(path_of(run, "sessions.jsonl"))) == [{"session_id": each} for each in run.session_ids]
    assert len(service.requests) == 3


def test_an_empty_listing_is_an_empty_stream(api: httpx.Client, service: LocalService) -> None:
    assert lines_of(api.get(path_of(service.add_run("api", sessions=0), "sessions.jsonl"))) == []


def test_a_stream_that_breaks_ends_with_an_error_and_can_be_continued(api: httpx.Client, service: LocalService) -> None:
    run = service.add_run("api", sessions=150)
    with Client(**options_for(service)) as client:
        page = client.list_sessions(**call_for(run))
    ids = [each.session_id for each in page.session_summaries]
    service.answer_next(200, page_body(*ids, next_token=page.next_token))
    service.fail_next("ThrottlingException", times=3)
    *listed, last = lines_of(api.get(path_of(run, "sessions.jsonl")))
    assert [each["session_id"] for each in listed] == ids
    assert last["error"] == "ThrottlingException"
    rest = lines_of(api.get(path_of(run, "sessions.jsonl"), params={"starting_token": last["resume_token"]}))
    assert [each["session_id"] for each in (*listed, *rest)] == list(run.session_ids)


@pytest.mark.parametrize("name", ["sessions", "sessions.jsonl"])
@pytest.mark.parametrize(
    ("code", "status", "retry_after"),
    [
        ("ResourceNotFoundException", 404, None),
        ("ValidationException", 400, None),
        ("ThrottlingException", 503, 7),
        ("InternalServerException", 502, 7),
        ("AccessDeniedException", 502, None),
    ],
)
def test_errors_of_the_service_are_http_errors(
    code: str, status: int, retry_after: int | None, name: str, api: httpx.Client, service: LocalService
) -> None:
    members: dict[str, Any] = {} if retry_after is None else {"retry_after_seconds": retry_after}
    service.fail_next(code, "In its own words.", times=3 if retry_after else 1, **members)
    response = api.get(path_of(service.runs[0], name))
    assert response.status_code == status
    assert response.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    told = response.json()
    assert told["error"] == code
    assert told["request_id"]
    assert ("In its own words." in told["message"]) is (status < 500)


def test_bad_arguments_are_the_callers_fault(api: httpx.Client, service: LocalService) -> None:
    response = api.get("/workflow-definitions/a/workflow-runs/%0A/sessions")
    assert (response.status_code, response.json()["error"]) == (400, "ParameterError")
    assert api.get(path_of(service.runs[0]), params={"max_results": 0}).status_code == 422
    assert not service.requests


def test_a_service_that_is_down_is_a_bad_gateway(api: httpx.Client, service: LocalService) -> None:
    service.close()
    response = api.get(path_of(service.runs[0]))
    assert (response.status_code, response.json()["error"]) == (502, "TransportError")


def test_a_service_that_does_not_answer_is_a_gateway_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(port: int) -> httpx.Response:
        async with (
            AsyncClient(**{**OPTIONS, "endpoint_url": f"http://127.0.0.1:{port}", "timeout": 0.01}) as client,
            httpx.AsyncClient(transport=httpx.ASGITransport(fastapi_app.app), base_url="http://api") as api,
        ):
            monkeypatch.setitem(fastapi_app.app.dependency_overrides, fastapi_app.get_client, lambda: client)
            return await api.get("/workflow-definitions/a/workflow-runs/b/sessions")

    with Server(never) as silent:
        response = asyncio.run(ask(silent.port))
    assert (response.status_code, response.json()["error"]) == (504, "DeadlineExceeded")


def test_the_client_is_closed_with_the_application(world: LocalService) -> None:
    async def live() -> None:
        async with fastapi_app.lifespan(fastapi_app.app) as state:
            client = state["client"]
            assert (await client.list_sessions(**call_for(world.runs[0]))).session_summaries
        with pytest.raises(NovaActError, match="closed"):
            await client.list_sessions(**call_for(world.runs[0]))

    asyncio.run(live())


def test_it_is_a_program(service: LocalService) -> None:
    run = service.runs[0]
    with subprocess.Popen(
        [sys.executable, Path(fastapi_app.__file__), "--port", "0"],
        env={**os.environ, **service.environ},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stderr is not None
        try:
            said = next(line for line in program.stderr if "running on" in line)
            url = next(word for word in said.split() if word.startswith("http://"))
            assert len(httpx.get(url + path_of(run), trust_env=False).json()["session_ids"]) == len(run.session_ids)
        finally:
            program.terminate()
            program.communicate()
