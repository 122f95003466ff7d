"""Bad arguments of the testing kit are refused where they are given, with a message that says what is allowed."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import ServiceError, errors
from novaact_http.testing import LocalService, Recorder, Replay, make_error, make_page, replay
from tests.helpers.both_clients import AsyncFace, Face, SyncFace
from tests.helpers.calls import CALL, OPTIONS, call_for, options_for

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latency": -1}, "latency must be a number from 0, not -1"),
        ({"latency": -(10**5000)}, "latency must be a number from 0, not ..."),
        ({"latency": "1"}, "latency must be a number from 0, not '1'"),
        ({"jitter": True}, "jitter must be a number from 0, not True"),
        ({"clock_offset": math.inf}, "clock_offset must be a number, not inf"),
        ({"clock": 5.0}, "clock must be a function such as time.time, not 5.0"),
        ({"region": "bad region"}, "region must be up to 63 letters, digits and inner hyphens, such as us-east-1, not"),
        ({"region": None}, "such as us-east-1, not None"),
        ({"seed": None}, "seed must be a whole number, not None"),
        ({"port": 99_999}, "port must be a whole number from 0 to 65535, not 99999"),
        ({"port": 80.0}, "port must be a whole number from 0 to 65535, not 80.0"),
        ({"credentials": ("key", "secret")}, "credentials must be novaact_http.Credentials, not <class 'tuple'>"),
        ({"credentials_lifetime": 0}, "credentials_lifetime must be a number over 0, not 0"),
        ({"rate": "5"}, "rate must be a number over 0, not '5'"),
        ({"rate": math.nan, "burst": 1}, "rate must be a number over 0, not nan"),
        ({"rate": 1, "burst": 0.5}, "burst must be a number from 1, not 0.5"),
        ({"burst": 3}, "burst=3 needs a rate"),
        ({"definitions": ["a"]}, "definitions must be a mapping such as {'a': [34, ['id-1', 'id-2']]}, not ['a']"),
        ({"definitions": {"a": 3}}, "definitions['a'] must be a list of runs such as [34, ['id-1', 'id-2']], not 3"),
        (
            {"definitions": {"a": [-1]}},
            "a run of definitions['a'] must be the number of sessions (from 0), or a list of their ids, not -1",
        ),
        (
            {"definitions": {"a": ["id-1", "id-2"]}},
            "a run of definitions['a'] must be the number of sessions (from 0), or",
        ),
    ],
)
def test_bad_arguments_of_a_service_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        LocalService(**options)


@pytest.mark.parametrize(("name", "value"), [("latency", -1), ("jitter", math.nan), ("clock_offset", "1")])
def test_a_services_attribute_keeps_its_value_if_a_new_one_is_refused(name: str, value: Any) -> None:
    service = LocalService()
    before = getattr(service, name)
    with pytest.raises(ValueError, match=f"{name} must be a number"):
        setattr(service, name, value)
    assert getattr(service, name) == before


def test_a_services_region_cannot_be_changed() -> None:
    service: Any = LocalService()
    with pytest.raises(AttributeError):
        service.region = "eu-west-1"


@pytest.mark.parametrize("sessions", ["abc", -1, True, 2.0, None, ["a", 1], make_page(1).session_summaries])
def test_sessions_are_a_number_or_a_list_of_ids(sessions: Any) -> None:
    service = LocalService()
    for make in (
        make_page,
        lambda sessions: service.add_run("a", sessions=sessions),
        lambda sessions: service.add_sessions(service.runs[0], sessions),
    ):
        with pytest.raises(
            ValueError, match=r"sessions must be the number of sessions \(from 0\), or a list of their ids, not "
        ):
            make(sessions)
    assert service.runs == LocalService().runs


def test_a_run_is_replaced_only_on_request() -> None:
    service = LocalService()
    run = service.runs[0]
    name, run_id = run.workflow_definition_name, run.workflow_run_id
    with pytest.raises(
        ValueError, match=f"{name} already has a run {run_id}: add_sessions.* adds to it, replace=True replaces"
    ):
        service.add_run(name, sessions=["x"], workflow_run_id=run_id)
    assert service.runs == LocalService().runs
    new = service.add_run(name, sessions=["x"], workflow_run_id=run_id, replace=True)
    assert service.runs == (new, *LocalService().runs[1:])
    assert service.add_run("other", workflow_run_id=run_id).workflow_run_id == run_id


def test_sessions_are_added_only_to_runs_that_exist() -> None:
    run = LocalService(seed=1).runs[0]
    with pytest.raises(KeyError, match=f"{run.workflow_definition_name} has no run {run.workflow_run_id}: add_run"):
        LocalService().add_sessions(run, 1)


@pytest.mark.parametrize("token", [True, 5])
def test_a_token_is_text(token: Any) -> None:
    with pytest.raises(ValueError, match=f"next_token must be a str, not {token}"):
        make_page(1, next_token=token)


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        (503, {}, "the fault must be a str such as 'reset next 2', not 503"),
        ("reset on ListActs", {"operation": "CreateAct"}, "already says operation=ListActs, so leave out operation=Cr"),
        ("reset on ListAct", {}, "operation must be one of CreateAct, "),
        ("reset next 2", {"times": 5}, "'reset next 2' already says times=2, so leave out times=5"),
        ("reset every 2nd", {"every": 2}, "'reset every 2nd' already says every=2, so leave out every=2"),
        ("reset 5 %", {"chance": 0.3}, "'reset 5 %' already says chance=0.05, so leave out chance=0.3"),
        ("drip for 1s", {"seconds": 0}, "'drip for 1s' already says seconds=1.0, so leave out seconds=0"),
        (
            "stall for 5s",
            {},
            "stall takes no seconds, only refuse, reset-mid, reset-after, drip do; use latency to delay",
        ),
        ("rest for 5s", {}, "'rest' is not a fault: use refuse"),
        ("ThrottlingException", {"seconds": 3}, "ThrottlingException takes no seconds"),
        ("drip", {"seconds": -1}, "seconds must be a number from 0, not -1"),
        ("reset", {"times": True}, "times must be a whole number from 0, not True"),
        ("reset", {"every": 2.5}, "every must be a whole number from 1, not 2.5"),
        ("reset", {"chance": "x"}, "chance must be a number from 0 to 1, not 'x'"),
        (
            "ThrottlingException",
            {"retry_after_seconds": 0.5},
            "retry_after_seconds must be a whole number from 0, not 0",
        ),
        ("Throttling", {}, "Throttling is not an error of the service model, which has AccessDeniedException, "),
    ],
)
def test_a_fault_with_bad_arguments_is_refused(fault: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        LocalService().inject(fault, **options)


def test_a_schedule_may_be_given_partly_as_text_and_partly_as_arguments(face: Face, service: LocalService) -> None:
    service.inject("ConflictException every 2nd", times=1)
    for code in (None, "ConflictException", None, None):
        with contextlib.nullcontext() if code is None else pytest.raises(ServiceError, match=code):
            face.page(options_for(service), **call_for(service.runs[0]))


@pytest.mark.parametrize("times", [-1, 1.5])
def test_an_error_for_a_bad_number_of_requests_is_refused(times: Any) -> None:
    with pytest.raises(ValueError, match=f"times must be a whole number from 0, not {times}"):
        LocalService().fail_next("ConflictException", times=times)


@pytest.mark.parametrize("status", ["503", 100, 5_000])
def test_an_answer_needs_a_final_status(status: Any) -> None:
    with pytest.raises(ValueError, match=f"status must be a whole number from 200 to 999, not {status!r}"):
        LocalService().answer_next(status)


@pytest.mark.parametrize(
    ("code", "members", "message"),
    [
        (429, {}, "code must be a name such as 'ThrottlingException', not 429"),
        (errors.ThrottlingException, {}, "code must be a name such as 'ThrottlingException', not <class"),
        ("", {}, "code must be a name such as 'ThrottlingException', not ''"),
        (
            "ThrottlingException",
            {"retry_after_seconds": "2"},
            "retry_after_seconds must be a whole number from 0, not '2'",
        ),
        ("ThrottlingException", {"retry_after": -1}, "retry_after must be a number from 0, not -1"),
        ("ThrottlingException", {"status_code": 200}, "status_code must be a whole number from 300 to 999, not 200"),
        (
            "ValidationException",
            {"field_list": [{"name": "a"}]},
            "field_list must be a list of ValidationExceptionField",
        ),
        ("ValidationException", {"field_list": "a"}, "field_list must be a list of ValidationExceptionField"),
    ],
)
def test_an_error_that_a_client_could_not_raise_is_refused(code: Any, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make_error(code, **members)


def test_an_optional_member_of_an_error_may_be_none() -> None:
    assert vars(make_error("ThrottlingException", retry_after_seconds=None)) == vars(make_error("ThrottlingException"))


def test_the_service_and_make_error_take_the_same_fields(face: Face, service: LocalService) -> None:
    fields = [errors.ValidationExceptionField(name="maxResults", message="too many")]
    service.fail_next("ValidationException", field_list=fields)
    for transport in ({}, {"transport": replay([make_error("ValidationException", field_list=iter(fields))])}):
        with pytest.raises(errors.ValidationException) as caught:
            face.page({**options_for(service), **transport}, **call_for(service.runs[0]))
        assert caught.value.field_list == tuple(fields)


@pytest.mark.parametrize("make", [replay, Replay])
@pytest.mark.parametrize(
    "answers",
    [
        [make_page(1), 1],
        ["x"],
        [httpx.ConnectError],
        {"sessionSummaries": []},
        make_page(1),
        make_error("ConflictException"),
        None,
    ],
)
def test_only_pages_errors_and_responses_are_replayed(make: Any, answers: Any) -> None:
    accepted = (
        r"the argument of replay\(\) must be the folder of a recording, "
        r"or a list of outputs, errors and httpx\.Response, such as \[make_error.*\], not "
    )
    with pytest.raises(ValueError, match=accepted):
        make(answers)


def test_the_class_replay_takes_the_same_as_the_function(face: Face) -> None:
    transport = Replay([make_page(["a"])])
    assert face.page({**OPTIONS, "transport": transport}, **CALL) == make_page(["a"])


@pytest.mark.parametrize("transport", [httpx.HTTPTransport, object()])
def test_a_recorder_takes_transports_only(tmp_path: Path, transport: Any) -> None:
    with pytest.raises(
        ValueError, match=r"transport must be an httpx\.BaseTransport or an httpx\.AsyncBaseTransport, not <"
    ):
        Recorder(tmp_path / "case", transport)
    assert not (tmp_path / "case").exists()


@pytest.mark.parametrize(
    ("other", "face", "kind"),
    [(AsyncFace(), SyncFace(), "BaseTransport"), (SyncFace(), AsyncFace(), "AsyncBaseTransport")],
)
def test_a_recorder_says_if_its_transport_is_of_the_other_kind(
    tmp_path: Path, service: LocalService, other: Face, face: Face, kind: str
) -> None:
    recorder = Recorder(tmp_path)
    options, call = {**options_for(service), "transport": recorder}, call_for(service.runs[0])
    other.page(options, **call)
    with pytest.raises(ValueError, match=f"a Recorder's transport must be an httpx.{kind} for this client, not <"):
        face.page(options, **call)
    recorder.close()
    asyncio.run(recorder.aclose())
