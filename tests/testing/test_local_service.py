"""The data of the local service, its pages, and the requests that it refuses or keeps."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import pytest

from novaact_http import Client, errors
from novaact_http.testing import LocalService, ReceivedRequest
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.calls import call_for, options_for
from tests.helpers.raw_requests import send, signed_as_given

UUID = "00000000-0000-4000-8000-000000000000"


def _target(name: str, run_id: str, query: str = "") -> str:
    return f"/workflow-definitions/{name}/workflow-runs/{run_id}{query}"


def test_the_same_seed_makes_the_same_data() -> None:
    one, same, other = LocalService(seed=1), LocalService(seed=1), LocalService(seed=2)
    assert one.runs == same.runs != other.runs
    assert one.credentials == same.credentials != other.credentials


def test_the_example_run_has_more_than_ten_sessions_and_ids_are_uuids(service: LocalService) -> None:
    assert len(service.runs[0].session_ids) > 10
    assert {len(run.session_ids) for run in service.runs} >= {0, 1}
    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    for run in service.runs:
        assert all(map(uuid.fullmatch, (run.workflow_run_id, *run.session_ids)))
    assert repr(service.runs[0]).endswith("session_ids=<34 sessions>)")


def test_data_does_not_depend_on_earlier_requests() -> None:
    with LocalService(seed=4) as service:
        SyncFace().page(options_for(service), **call_for(service.runs[0]))
        run = service.add_run("a", sessions=2)
    assert run == LocalService(seed=4).add_run("a", sessions=2)


@pytest.mark.parametrize("name", ["", "a/b", "bad name", "x" * 41])
def test_a_run_that_could_not_be_listed_is_refused(service: LocalService, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a workflowDefinitionName"):
        service.add_run(name, sessions=1)


def test_a_run_can_be_added(face: Face, service: LocalService) -> None:
    run = service.add_run("added", sessions=205)
    items, _ = face.items(options_for(service), **call_for(run))
    assert [each.session_id for each in items] == list(run.session_ids)
    assert len(service.requests) == 3


def test_a_page_has_a_hundred_sessions_by_default(face: Face, service: LocalService) -> None:
    got = face.page(options_for(service), **call_for(service.add_run("a", sessions=101)))
    assert len(got.session_summaries) == 100
    assert got.next_token


def test_an_error_names_the_kind_of_what_is_not_found(face: Face, service: LocalService) -> None:
    run = call_for(service.runs[0])
    for changes, kind in (
        ({"workflow_definition_name": "nobody"}, "WorkflowDefinition"),
        ({"workflow_run_id": UUID}, "WorkflowRun"),
    ):
        with pytest.raises(errors.ResourceNotFoundException) as caught:
            face.page(options_for(service), **{**run, **changes})
        assert caught.value.resource_type == kind


@pytest.mark.parametrize(("max_results", "pages"), [(4, 3), (5, 2), (9, 2), (10, 1), (11, 1)])
def test_the_last_page_has_no_token(face: Face, service: LocalService, max_results: int, pages: int) -> None:
    run = service.add_run("ten", sessions=10)
    got, _ = face.pages(options_for(service), **call_for(run), page_size=max_results)
    assert [bool(page.next_token) for page in got] == [True] * (pages - 1) + [False]


def test_a_token_is_valid_for_one_listing_only(service: LocalService) -> None:
    first, other = service.runs[0], service.add_run("other", sessions=20)
    with Client(**options_for(service)) as client:
        token = client.list_sessions(**call_for(first), max_results=2).next_token
        for arguments in (
            {**call_for(other), "next_token": token},
            {**call_for(first), "next_token": token, "sort_order": "Descending"},
            {**call_for(first), "next_token": "AAAA"},
            {**call_for(first), "next_token": "A"},
            {**call_for(first), "next_token": "é"},
        ):
            with pytest.raises(errors.ValidationException) as caught:
                client.list_sessions(**arguments)
            assert caught.value.field_list[0].name == "nextToken"


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("PATCH", _target("a", UUID), b"{}", 404, "UnknownOperationException"),
        ("GET", "/workflow-definitions", b"", 404, "UnknownOperationException"),
        ("POST", "/", b"{}", 404, "UnknownOperationException"),
        ("POST", "/workflow-definitions/a/workflow-runs/", b"{}", 404, "UnknownOperationException"),
        ("POST", _target("a", UUID), b"", 400, "SerializationException"),
        ("POST", _target("a", UUID), b"[]", 400, "SerializationException"),
        ("POST", _target("a", UUID), b"\xff", 400, "SerializationException"),
        ("POST", _target("%ff", UUID), b"{}", 400, "SerializationException"),
        ("POST", _target("a", UUID, "?nextToken=%ff"), b"{}", 400, "SerializationException"),
        ("POST", _target("a", "x"), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID, "?maxResults=x"), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID, "?maxResults=0"), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID, "?nextToken="), b"{}", 400, "ValidationException"),
        ("POST", _target("a", UUID), b'{"sortOrder": "Up"}', 400, "ValidationException"),
        ("POST", _target("a", UUID), b'{"sortOrder": 1}', 400, "ValidationException"),
        ("POST", _target("a", UUID), b'{"sortOrder": null}', 404, "ResourceNotFoundException"),
        ("POST", _target("a", UUID), b"[" * 100_000, 400, "SerializationException"),
        ("POST", _target("a", UUID, "?sortOrder=Up&workflowRunId=x"), b"{}", 404, "ResourceNotFoundException"),
        ("POST", _target("a", UUID), b'{"maxResults": 0, "nextToken": 1}', 404, "ResourceNotFoundException"),
        ("POST", _target("a", UUID, "?other=1"), b'{"new": 1}', 404, "ResourceNotFoundException"),
    ],
)
def test_bad_requests_are_refused(
    at_now: LocalService, method: str, target: str, body: bytes, status: int, code: str
) -> None:
    answered = send(at_now, signed_as_given(at_now, method, target, body))
    assert (answered.status, answered.code) == (status, code)


def test_members_in_the_wrong_place_are_ignored(at_now: LocalService) -> None:
    run, other = at_now.runs[0], at_now.runs[1]
    target = _target(run.workflow_definition_name, run.workflow_run_id)
    body = json.dumps({"maxResults": "3", "workflowRunId": other.workflow_run_id, "sortOrder": None}).encode()
    for where, what in (
        (target, body),
        (f"{target}?sortOrder=Descending&workflowRunId={other.workflow_run_id}", b"{}"),
    ):
        listed = send(at_now, signed_as_given(at_now, "POST", where, what)).body["sessionSummaries"]
        assert [each["sessionId"] for each in listed] == list(run.session_ids)


def test_requests_are_kept_as_they_came(service: LocalService) -> None:
    run = service.runs[0]
    with Client(**options_for(service)) as client:
        client.list_sessions(**call_for(run), max_results=3, sort_order="Ascending")
    (request,) = service.requests
    assert isinstance(request, ReceivedRequest)
    assert request.target == _target(run.workflow_definition_name, run.workflow_run_id, "?maxResults=3")
    assert (request.method, request.body) == ("POST", b'{"sortOrder": "Ascending"}')
    assert request.header("AMZ-SDK-Request") == "attempt=1; max=1"
    assert request.header("nothing") is None
    assert "Signature" not in repr(request)


@pytest.mark.parametrize(
    ("host", "url"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")]
)
@pytest.mark.parametrize("tls", [False, True])
def test_the_service_listens_where_it_is_told_to(host: str, url: str, tls: bool) -> None:
    with LocalService(host=host, tls=tls) as service:
        assert urlsplit(service.url).netloc.rpartition(":")[0] == url
        with Client(**options_for(service), verify=service.ca_file) as client:
            assert client.list_sessions(**call_for(service.runs[0])).session_summaries
        with service.refusing():
            pass
        with Client(**options_for(service), verify=service.ca_file) as client:
            assert client.list_sessions(**call_for(service.runs[0])).session_summaries
