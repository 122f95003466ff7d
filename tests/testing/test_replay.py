"""Recorded and prepared answers are given to the requests that they are for, and to no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import Client, RetryPolicy, errors, models
from novaact_http.testing import Recorder, Replay, make_error, make_output, make_page, replay
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, OPTIONS

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

CASES = Path(__file__).parents[2] / "fixtures" / "list_sessions"


def test_answers_are_replayed_in_order(face: Face) -> None:
    transport = replay(
        [
            make_page(["a", "b"], next_token="t"),
            make_error("ThrottlingException", retry_after_seconds=0),
            httpx.ReadError("reset"),
            httpx_page("c"),
        ]
    )
    items, resume = face.items({**OPTIONS, "retries": RetryPolicy(), "transport": transport}, **CALL)
    assert [each.session_id for each in items] == ["a", "b", "c"]
    assert resume is None
    assert (len(transport.requests), transport.remaining) == (4, 0)
    assert transport.requests[-1].url.params["nextToken"] == "t"


def test_one_request_too_many_is_an_assertion_error(face: Face) -> None:
    transport = replay(iter([make_page(1)]))
    options = {**OPTIONS, "transport": transport}
    face.page(options, **CALL)
    with pytest.raises(AssertionError, match=r"no answer is left for <Request.*: replay.* was given 1, so"):
        face.page(options, **CALL)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_recorded_case_is_replayed(face: Face, kind: type) -> None:
    transport = replay(kind(CASES / "several_pages"))
    items, _ = face.items({**OPTIONS, "transport": transport}, **CALL)
    assert (len(items), transport.remaining) == (5, 0)
    with pytest.raises(errors.ConflictException):
        face.page({**OPTIONS, "transport": replay(kind(CASES / "conflict"))}, **CALL)


def test_a_folder_without_a_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no recording"):
        replay(tmp_path)


# Each answer is for one request.


def test_an_output_of_another_operation_is_refused(face: Face) -> None:
    transport = replay([make_output(models.GetWorkflowRunResponse)], allow_unused=True)
    expected = (
        r"^the next answer is a GetWorkflowRunResponse, but the request is "
        r"POST /workflow-definitions/checkout-flow/workflow-runs/\S+\?maxResults=3: replay"
    )
    with pytest.raises(AssertionError, match=expected):
        face.page({**OPTIONS, "transport": transport}, **CALL, max_results=3)
    assert transport.remaining == 1


def test_a_recording_of_another_operation_is_refused(face: Face) -> None:
    transport = replay(CASES / "required_arguments", allow_unused=True)
    expected = "the next answer is recorded for POST /workflow-definitions/example-.*, but the request is POST /models"
    with pytest.raises(AssertionError, match=expected):
        face.call("list_models", {**OPTIONS, "transport": transport}, client_compatibility_version=1)


def recorded(folder: Path) -> Replay:
    """Return what replays two pages of one run and a page of another."""
    answers = [make_page(2, next_token="abc"), make_page(1), make_page(3)]
    with Recorder(folder, replay(answers)) as recorder, Client(**OPTIONS, transport=recorder) as client:
        list(client.iter_sessions(workflow_definition_name="a", workflow_run_id="first"))
        client.list_sessions(workflow_definition_name="a", workflow_run_id="second", max_results=7)
    return replay(folder, allow_unused=True)


def test_the_names_of_a_recording_may_be_others_but_each_always_the_same(tmp_path: Path) -> None:
    transport = recorded(tmp_path)
    options = {**OPTIONS, "endpoint_url": "http://127.0.0.1:9/a/workflow-definitions", "transport": transport}
    with Client(**options) as client:
        first = client.list_sessions(workflow_definition_name="other", workflow_run_id="x")
        arguments: dict[str, Any] = {"workflow_definition_name": "other", "next_token": first.next_token}
        with pytest.raises(
            AssertionError, match=r"runs/example-run-1.nextToken=example-token-1, but the request is .*/y"
        ):
            client.list_sessions(**arguments, workflow_run_id="y")
        with pytest.raises(AssertionError, match=r"but the request is POST \S+/x: "):
            client.list_sessions(workflow_definition_name="other", workflow_run_id="x")
        client.list_sessions(**arguments, workflow_run_id="x")
        with pytest.raises(AssertionError, match="runs/example-run-2"):
            client.list_sessions(workflow_definition_name="other", workflow_run_id="x")
        assert len(client.list_sessions(workflow_definition_name="other", workflow_run_id="y").session_summaries) == 3
    transport.assert_all_used()


def test_a_recording_of_requests_that_are_no_calls_is_replayed_by_their_methods(tmp_path: Path) -> None:
    with Recorder(tmp_path, replay([httpx.Response(204), httpx.Response(205)])) as recorder:
        recorder.handle_request(httpx.Request("GET", "http://h/health"))
        recorder.handle_request(httpx.Request("GET", "http://h/health"))
    transport = replay(tmp_path, allow_unused=True)
    assert transport.handle_request(httpx.Request("GET", "http://i/other")).status_code == 204
    with pytest.raises(AssertionError, match="recorded for GET /, but the request is PUT /"):
        transport.handle_request(httpx.Request("PUT", "http://i/"))


# All answers are used.


def test_answers_that_are_left_are_an_assertion_error() -> None:
    transport = Replay([make_page(1), make_page(2)])
    expected = r"^2 of 2 answers of replay\(\) were not used; if that is meant, pass allow_unused=True$"
    with pytest.raises(AssertionError, match=expected):
        transport.assert_all_used()
    with Client(**OPTIONS, transport=transport) as client:
        client.list_sessions(**CALL)
        with pytest.raises(AssertionError, match=r"^1 of 2 answers"):
            transport.assert_all_used()
        client.list_sessions(**CALL)
    transport.assert_all_used()
    replay([make_page()], allow_unused=True).assert_all_used()
    with pytest.raises(ValueError, match="allow_unused must be True or False, not 1"):
        replay([], allow_unused=1)  # type: ignore[arg-type]
