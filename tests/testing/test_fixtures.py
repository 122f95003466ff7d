"""The recorded exchanges, replayed through respx into both clients, and read by boto3 for comparison."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx
from botocore.exceptions import ClientError

from novaact_http import Client, ServiceError, models
from novaact_http._call.http_messages import Response
from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http._operations.shapes import Integer, ListOf, Operation, Structure
from novaact_http.testing import LocalService, _recordings, replay
from novaact_http.testing._recordings import Message
from novaact_http.testing._routes import find_route
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.boto3_oracle import Boto3Wire
from tests.helpers.calls import OPTIONS, call_for
from tests.helpers.operations import OPERATIONS, method_name
from tests.helpers.programs import run_python

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/provenance"))
RECORDER = FIXTURES / "record.py"
# In the files, values that are random or differ between two clients are normalised.
OPTIONS_OF_RECORDING = {**OPTIONS, "endpoint_url": "http://127.0.0.1"}

boto3_wire = functools.cache(Boto3Wire)


def name_of(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


def wire_arguments_of(request: Message) -> dict[str, Any]:
    """Return the arguments of boto3's call that made a request."""
    method, target, _ = request.start.split(" ")
    path, _, query = target.partition("?")
    route = find_route(method, path)
    assert route is not None
    arguments: dict[str, Any] = {**route.labels, **dict(parse_qsl(query)), **json.loads(request.body or b"{}")}
    for each in route.operation.inputs:
        if each.location == "query" and isinstance(each.shape, Integer) and each.wire_name in arguments:
            arguments[each.wire_name] = int(arguments[each.wire_name])
    return arguments


def arguments_of(operation: Operation[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of boto3's call as those of ours."""
    return {
        each.name: as_ours(each.shape, arguments[each.wire_name])
        for each in operation.inputs
        if each.wire_name in arguments
    }


def as_ours(shape: Any, value: Any) -> Any:
    if isinstance(shape, Structure):
        members = [each for each in shape.members if each.wire_name in value]
        return shape.model(**{each.name: as_ours(each.shape, value[each.wire_name]) for each in members})
    return [as_ours(shape.element, each) for each in value] if isinstance(shape, ListOf) else value


METADATA = ("HTTPStatusCode", "RequestId", "RetryAttempts")


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


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_recorded_exchange_is_sent_and_read_as_by_boto3(face: Face, case: Path) -> None:
    method = case.parent.name
    operation = next(each for each in OPERATIONS.values() if method_name(each.name) == method)
    exchanges = _recordings.read(case)
    assert exchanges
    for recorded, response in exchanges:
        arguments = wire_arguments_of(recorded)
        options, route = replaying(face, [response])
        theirs = boto3_wire().result(method, arguments, as_wire(response))
        if isinstance(theirs, ClientError):
            with pytest.raises(ServiceError) as caught:
                face.call(method, options, **arguments_of(operation, arguments))
            _compare_errors(caught.value, theirs)
        else:
            assert not isinstance(theirs, Exception)
            ours = models.as_dict(face.call(method, options, **arguments_of(operation, arguments)))
            metadata = [each.pop("ResponseMetadata") for each in (ours, theirs)]
            assert ours == theirs
            assert {name: metadata[0][name] for name in METADATA} == {name: metadata[1][name] for name in METADATA}
        _compare_requests(as_message(route.calls.last.request), recorded)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_recorded_case_is_replayed(case: Path) -> None:
    method = case.parent.name
    operation = next(each for each in OPERATIONS.values() if method_name(each.name) == method)
    with Client(**OPTIONS, transport=replay(case)) as client:
        for recorded, response in _recordings.read(case):
            arguments = arguments_of(operation, wire_arguments_of(recorded))
            with contextlib.nullcontext() if response.status < 300 else pytest.raises(ServiceError):
                getattr(client, method)(**arguments)


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
    call = arguments_of(LIST_SESSIONS, wire_arguments_of(exchanges[0][0]))
    page_size = call.pop("max_results")
    items, resume = face.items(options, **call, page_size=page_size)
    assert [each.session_id for each in items] == [
        each["sessionId"] for _, response in exchanges for each in json.loads(response.body)["sessionSummaries"]
    ]
    assert (len(items), resume) == (5, None)
    for called, (recorded, _) in zip(route.calls, exchanges, strict=True):
        _compare_requests(as_message(called.request), recorded)


def test_there_is_a_case_for_every_operation_and_every_kind_of_error() -> None:
    assert {case.parent.name for case in CASES} == {*map(method_name, OPERATIONS)}
    codes = {
        name_of_error.partition(":")[0]
        for case in CASES
        for _, response in _recordings.read(case)
        for name, name_of_error in response.headers
        if name.lower() == "x-amzn-errortype"
    }
    assert codes > {*ERRORS}


def members_of(shape: Any) -> set[str]:
    """Return the members of a shape and of what is in it, and the values of enumerations, by their shapes' names."""
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        inner = [members_of(each) for each in shape.members.values()]
        return {f"{shape.name}.{name}" for name in shape.members}.union(*inner)
    if shape.type_name == "list":
        return members_of(shape.member)
    return {f"{shape.name}.{value}" for value in getattr(shape, "enum", ())}


def seen_in(shape: Any, value: Any) -> set[str]:
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        inner = [seen_in(shape.members[name], each) for name, each in value.items()]
        return {f"{shape.name}.{name}" for name in value}.union(*inner)
    if shape.type_name == "list":
        return set().union(*(seen_in(shape.member, each) for each in value))
    return {f"{shape.name}.{value}"} if getattr(shape, "enum", ()) else set()


NOT_SEEN = {"ModelStatus.DEPRECATED"}  # the local service has no such model


def test_every_member_and_every_value_of_the_service_model_is_recorded() -> None:
    seen: set[str] = set()
    expected: set[str] = set()
    model = boto3_wire().client.meta.service_model
    for name in OPERATIONS:
        operation = model.operation_model(name)
        expected |= members_of(operation.input_shape) | members_of(operation.output_shape)
        for case in sorted((FIXTURES / method_name(name)).iterdir()):
            for request, response in _recordings.read(case):
                seen |= seen_in(operation.input_shape, wire_arguments_of(request))
                if response.status < 300:
                    seen |= seen_in(operation.output_shape, json.loads(response.body or b"{}"))
    assert expected - seen == NOT_SEEN


@pytest.mark.parametrize("case", CASES, ids=name_of)
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
    assert sorted(path.parent for path in tmp_path.glob("*/*/provenance")) == [
        tmp_path / name_of(each) for each in recorded
    ]
    for case in recorded:
        for path in sorted(case.iterdir()):
            assert (tmp_path / name_of(case) / path.name).read_bytes() == path.read_bytes(), path


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
    assert sorted(path.name for path in (tmp_path / "list_sessions").iterdir()) == [
        "live_one_page",
        "live_resource_not_found",
        "live_several_pages",
    ]
    for path in tmp_path.rglob("*.http"):
        text = path.read_text()
        assert not [each for each in real if each in text]
        message = Message.from_bytes(path.read_bytes())
        assert {name.lower(): value for name, value in message.headers}["content-length"] == str(len(message.body))
    pages = _recordings.read(tmp_path / "list_sessions" / "live_several_pages")
    assert [wire_arguments_of(request).get("nextToken") for request, _ in pages[1:]] == [
        json.loads(response.body)["nextToken"] for _, response in pages[:-1]
    ]


def _tokens(service: LocalService) -> set[bytes]:
    return {
        value.encode()
        for request in service.requests
        for name, value in parse_qsl(request.target.partition("?")[2])
        if name == "nextToken"
    }
