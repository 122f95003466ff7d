"""The recorded exchanges, replayed through respx into both clients, and read by boto3 for comparison."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
import respx
from botocore.exceptions import ClientError

from novaact_http import ServiceError
from novaact_http._call.http_messages import Response
from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.testing import LocalService, _recordings
from novaact_http.testing._recordings import Message
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.boto3_oracle import Boto3Wire
from tests.helpers.calls import OPTIONS, call_for
from tests.helpers.programs import run_python

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = sorted(path for path in (FIXTURES / "list_sessions").iterdir() if path.is_dir())
RECORDER = FIXTURES / "record.py"
# In the files, values that are random or differ between two clients are normalised.
OPTIONS_OF_RECORDING = {**OPTIONS, "endpoint_url": "http://127.0.0.1"}

boto3_wire = functools.cache(Boto3Wire)


def arguments_of(request: Message) -> dict[str, Any]:
    """Return the arguments of the call that made a request."""
    target = request.start.split(" ")[1]
    path, _, query = target.partition("?")
    _, _, name, _, run_id = path.split("/")
    arguments: dict[str, Any] = {"workflow_definition_name": unquote(name), "workflow_run_id": unquote(run_id)}
    python_names = {each.wire_name: each.name for each in LIST_SESSIONS.inputs}
    for wire_name, value in parse_qsl(query):
        arguments[python_names[wire_name]] = int(value) if wire_name == "maxResults" else value
    arguments.update({python_names[wire_name]: value for wire_name, value in json.loads(request.body).items()})
    return arguments


def as_message(request: httpx.Request) -> Message:
    """Return a request as a recording would have it."""
    start = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"
    headers = tuple((name.decode(), value.decode()) for name, value in request.headers.raw)
    return Message(start, headers, request.content).normalised()


def as_httpx(response: Message) -> httpx.Response:
    return httpx.Response(response.status, headers=response.headers, stream=httpx.ByteStream(response.body))


def as_wire(response: Message) -> Response:
    return Response(status=response.status, headers=response.headers, body=response.body)


def replaying(face: Face, responses: list[Message]) -> tuple[dict[str, Any], respx.Route]:
    """Return options of a client that gets these responses, and the route that sees its requests."""
    router = respx.Router()
    route = router.route().mock(side_effect=[as_httpx(each) for each in responses])
    handler: Any = router.handler if isinstance(face, SyncFace) else router.async_handler
    return {**OPTIONS_OF_RECORDING, "transport": httpx.MockTransport(handler)}, route


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_exchange_is_sent_and_read_as_by_boto3(face: Face, case: Path) -> None:
    exchanges = _recordings.read(case)
    assert exchanges
    for recorded, response in exchanges:
        options, route = replaying(face, [response])
        theirs = boto3_wire().result_of(as_wire(response))
        if isinstance(theirs, ClientError):
            with pytest.raises(ServiceError) as caught:
                face.page(options, **arguments_of(recorded))
            _compare_errors(caught.value, theirs)
        else:
            page = face.page(options, **arguments_of(recorded))
            assert [each.session_id for each in page.session_summaries] == [
                each["sessionId"] for each in theirs["sessionSummaries"]
            ]
            assert page.next_token == theirs.get("nextToken")
            assert page.metadata.request_id == theirs["ResponseMetadata"]["RequestId"]
        _compare_requests(as_message(route.calls.last.request), recorded)


def _compare_requests(ours: Message, recorded: Message) -> None:
    assert (ours.start, ours.body) == (recorded.start, recorded.body)
    assert sorted((name.lower(), value) for name, value in ours.headers) == sorted(
        (name.lower(), value) for name, value in recorded.headers
    )


def _compare_errors(ours: ServiceError, theirs: ClientError) -> None:
    assert ours.code == theirs.response["Error"]["Code"]
    assert ours.message.startswith(theirs.response["Error"]["Message"])  # for HTML, ours is longer
    assert ours.status_code == theirs.response["ResponseMetadata"]["HTTPStatusCode"]
    assert ours.request_id is not None
    assert theirs.response["ResponseMetadata"].get("RequestId") in (ours.request_id, None)
    if ours.code in ERRORS:
        assert type(ours).__name__ == type(theirs).__name__ == ours.code


def test_several_pages_are_listed_as_one(face: Face) -> None:
    exchanges = _recordings.read(FIXTURES / "list_sessions" / "several_pages")
    options, route = replaying(face, [response for _, response in exchanges])
    call = arguments_of(exchanges[0][0])
    page_size = call.pop("max_results")
    items, resume = face.items(options, **call, page_size=page_size)
    assert [each.session_id for each in items] == [
        each["sessionId"] for _, response in exchanges for each in json.loads(response.body)["sessionSummaries"]
    ]
    assert (len(items), resume) == (5, None)
    for called, (recorded, _) in zip(route.calls, exchanges, strict=True):
        _compare_requests(as_message(called.request), recorded)


def test_there_is_a_case_for_every_kind_of_response() -> None:
    names = {case.name for case in CASES}
    assert names >= {"one_page", "several_pages", "empty", "unknown_error", "gateway_html", "throttling"}
    seen = {
        type(boto3_wire().result_of(as_wire(response))).__name__
        for case in CASES
        for _, response in _recordings.read(case)
    }
    assert seen >= set(ERRORS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_names_its_origin_and_holds_no_secret(case: Path) -> None:
    provenance = (case / "provenance").read_text()
    assert provenance.startswith(("Recorded by ", "Written by hand from the API reference"))
    for path in case.glob("*.http"):
        text = path.read_text()
        assert not re.search(r"AKIA[A-Z0-9]{16}", text)
        assert set(re.findall(r"Signature=([0-9a-f]+)", text)) <= {"0" * 64}


def record(*arguments: str) -> None:
    """Run the program that records."""
    run_python(str(RECORDER), *arguments)


@pytest.mark.newest("the fixtures were recorded with boto3 1.44")
def test_recording_again_changes_nothing(tmp_path: Path) -> None:
    record("--into", str(tmp_path))
    recorded = [case for case in CASES if (case / "provenance").read_text().startswith("Recorded by `make fixtures`")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [case.name for case in recorded]
    for case in recorded:
        for path in sorted(case.iterdir()):
            assert (tmp_path / case.name / path.name).read_bytes() == path.read_bytes(), path


def test_a_live_recording_holds_nothing_from_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalService(seed=7) as service:
        run = service.add_run("my-secret-project", sessions=5)
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        named = call_for(run)
        record(
            "--live",
            *("--into", str(tmp_path)),
            *("--workflow-definition-name", named["workflow_definition_name"]),
            *("--workflow-run-id", named["workflow_run_id"]),
        )
        real = {"my-secret-project", run.workflow_run_id, *run.session_ids, service.credentials.access_key_id}
        real |= {value.decode() for value in _tokens(service)}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "live_one_page",
        "live_resource_not_found",
        "live_several_pages",
    ]
    for path in tmp_path.rglob("*.http"):
        text = path.read_text()
        assert not [each for each in real if each in text]
        message = Message.from_bytes(path.read_bytes())
        assert {name.lower(): value for name, value in message.headers}["content-length"] == str(len(message.body))
    pages = _recordings.read(tmp_path / "live_several_pages")
    assert [arguments_of(request).get("next_token") for request, _ in pages[1:]] == [
        json.loads(response.body)["nextToken"] for _, response in pages[:-1]
    ]


def _tokens(service: LocalService) -> set[bytes]:
    return {
        value.encode()
        for request in service.requests
        for name, value in parse_qsl(request.target.partition("?")[2])
        if name == "nextToken"
    }
