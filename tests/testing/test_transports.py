"""The rest of the testing kit: replayed and recorded exchanges, pages and errors made for tests."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import (
    AsyncClient,
    Client,
    ListSessionsResponse,
    RetryPolicy,
    ServiceError,
    SessionSummary,
    errors,
    testing,
)
from novaact_http._operations.service_errors import ERRORS
from novaact_http.testing import LocalService, Recorder, make_error, make_page, replay
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, OPTIONS, TEMPORARY_KEYS, call_for, options_for

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

CASES = Path(__file__).parents[2] / "fixtures" / "list_sessions"


def test_every_public_name_of_the_kit_exists() -> None:
    assert set(testing.__all__) <= set(dir(testing))
    for name in testing.__all__:
        assert inspect.isclass(getattr(testing, name)) or inspect.isfunction(getattr(testing, name))
    with pytest.raises(AttributeError, match=r"module 'novaact_http.testing' has no attribute 'Lokal'"):
        _ = testing.Lokal  # type: ignore[attr-defined]


# Pages and errors.


def test_a_made_page_equals_that_of_a_client(face: Face, service: LocalService) -> None:
    run = service.add_run("a", sessions=3)
    made = make_page(run.session_ids)
    got = face.page(options_for(service), **call_for(run))
    assert made == got
    assert type(made.metadata) is type(got.metadata)
    assert make_page() == ListSessionsResponse(session_summaries=(), metadata=made.metadata)
    assert make_page(2, next_token="t").next_token == "t"
    assert make_page(2).session_summaries[1] == SessionSummary("00000000-0000-0000-0000-000000000002")


def test_a_retry_after_is_replayed(face: Face) -> None:
    made = make_error("TeapotException", status_code=418, retry_after=2.5)
    with pytest.raises(ServiceError) as caught:
        face.page({**OPTIONS, "transport": replay([made])}, **CALL)
    assert caught.value.retry_after == 3.0  # whole seconds, as on the wire


@pytest.mark.parametrize("code", ERRORS)
def test_a_made_error_equals_that_of_a_client(face: Face, code: str) -> None:
    texts = {each.name: f"some {each.name}" for each in ERRORS[code].members if each.name != "field_list"}
    members: dict[str, Any] = {**texts, **({"retry_after_seconds": 2} if ERRORS[code].has_retry_after else {})}
    made = make_error(code, "Oh no.", **members)
    with pytest.raises(ServiceError) as caught:
        face.page({**OPTIONS, "transport": replay([made])}, **CALL)
    facts = vars(caught.value)
    facts.pop("headers")
    assert type(caught.value) is type(made)
    assert facts == {name: value for name, value in vars(made).items() if name != "headers"}


def test_an_error_that_is_not_modelled_is_a_service_error(face: Face) -> None:
    made = make_error("TeapotException", "Short and stout.", status_code=418)
    assert type(made) is ServiceError
    with pytest.raises(ServiceError) as caught:
        face.page({**OPTIONS, "transport": replay([made])}, **CALL)
    assert (caught.value.code, caught.value.status_code, caught.value.message) == (made.code, 418, made.message)
    with pytest.raises(TypeError):
        make_error("ConflictException", reason="x")


def test_an_errors_fields_are_replayed(face: Face) -> None:
    fields = [errors.ValidationExceptionField(name="maxResults", message="too many")]
    made = make_error("ValidationException", reason="FieldValidationFailed", field_list=fields)
    with pytest.raises(errors.ValidationException) as caught:
        face.page({**OPTIONS, "transport": replay([made])}, **CALL)
    assert caught.value.field_list == tuple(fields)


# Replaying.


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


# Recording.


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_recording_can_be_replayed_and_holds_nothing_from_the_account(tmp_path: Path, asynchronous: bool) -> None:
    ids = ["arn:aws:x:123451234512:y", "62e6e282-e5c1-457c-b8c3-a967b36711eb", "c"]
    folder = tmp_path / "new" / "case"
    with LocalService(credentials=TEMPORARY_KEYS) as service:
        run = service.add_run("my-project", sessions=ids)
        options = options_for(service)
        if asynchronous:

            async def list_them() -> None:
                async with Recorder(folder) as recorder, AsyncClient(**options, transport=recorder) as client:
                    assert [each.session_id async for each in client.iter_sessions(**call_for(run), page_size=2)] == ids

            asyncio.run(list_them())
        else:
            with Recorder(folder) as recorder, Client(**options, transport=recorder) as client:
                assert [each.session_id for each in client.iter_sessions(**call_for(run), page_size=2)] == ids
        token = service.requests[1].target.rpartition("=")[2]
        signatures = [(request.header("Authorization") or "").rpartition("=")[2] for request in service.requests]
    assert sorted(path.name for path in folder.iterdir()) == [
        "1.request.http",
        "1.response.http",
        "2.request.http",
        "2.response.http",
        "provenance",
    ]
    text = "".join(path.read_bytes().decode() for path in folder.iterdir())
    secret = {TEMPORARY_KEYS.access_key_id, TEMPORARY_KEYS.session_token, token, *signatures}
    for each in {"my-project", run.workflow_run_id, "123451234512", *ids[:2], *secret}:
        assert each
        assert each not in text
    transport = replay(folder)
    with Client(**OPTIONS, transport=transport) as client:
        replayed = [each.session_id for each in client.iter_sessions(**CALL)]
    assert not set(replayed) & set(ids)
    assert re.fullmatch("00000000-0000-4000-8000-[0-9]{12}", replayed[1])
    assert transport.requests[1].url.params["nextToken"] in text


def test_recording_again_replaces_the_files(face: Face, tmp_path: Path) -> None:
    for count in (3, 1):
        recorder = Recorder(
            tmp_path, replay([make_page(1, next_token=str(left) if left else None) for left in reversed(range(count))])
        )
        items, _ = face.items({**OPTIONS, "transport": recorder}, **CALL)
        assert len(items) == count
        recorder.close()
        asyncio.run(recorder.aclose())
        assert len(list(tmp_path.glob("*.request.http"))) == len(list(tmp_path.glob("*.response.http"))) == count
