"""Outputs and errors made for tests equal those of clients."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client, ListSessionsResponse, ServiceError, SessionSummary, errors, models
from novaact_http._operations.service_errors import ERRORS
from novaact_http._operations.shapes import Document, Enumeration, Integer, ListOf, Structure, Timestamp
from novaact_http.testing import LocalService, make_error, make_output, make_page, replay
from tests.helpers.calls import CALL, OPTIONS, call_for, options_for
from tests.helpers.operations import OPERATIONS, method_name

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face


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


# Outputs of every operation.


def minimal(shape: Any) -> Any:
    """Return a value for an input."""
    if isinstance(shape, Structure):
        required = [each for each in shape.members if each.required] or shape.members[:1]
        return shape.model(**{each.name: minimal(each.shape) for each in required})
    if isinstance(shape, ListOf):
        return [minimal(shape.element)]
    return {Integer: 1, Document: {}}.get(type(shape), "an-input")


def arguments_of(operation: Any) -> dict[str, Any]:
    return {each.name: minimal(each.shape) for each in operation.inputs if each.required}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_made_output_equals_that_of_a_client(face: Face, operation: Any) -> None:
    for count in (0, 2):
        lists = {each.name: count for each in operation.output.members if isinstance(each.shape, ListOf)}
        made = make_output(operation.output.model, **lists)
        options = {**OPTIONS, "transport": replay([made])}
        got = face.call(method_name(operation.name), options, **arguments_of(operation))
        assert got == made
        assert attrs.evolve(got.metadata, headers={}) == made.metadata
        for name in lists:
            assert len(getattr(made, name)) == count


@given(st.data())
def test_an_output_with_members_of_ones_choice_is_replayed(data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(list(OPERATIONS.values())))
    chosen = {
        each.name: data.draw(of_shape(each.shape), each.name)
        for each in operation.output.members
        if data.draw(st.booleans())
    }
    made = make_output(operation.output.model, **chosen)
    with Client(**OPTIONS, transport=replay([made])) as client:
        got = getattr(client, method_name(operation.name))(**arguments_of(operation))
    assert got == made
    assert models.as_dict(got)["ResponseMetadata"]["HTTPStatusCode"] == 200


def of_shape(shape: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for values of an output's shape."""
    if isinstance(shape, Structure):
        model: Any = shape.model
        members = {
            each.name: of_shape(each.shape) if each.required else st.none() | of_shape(each.shape)
            for each in shape.members
        }
        return st.fixed_dictionaries(members).map(lambda given: make_output(model, **given))
    if isinstance(shape, ListOf):
        return st.lists(of_shape(shape.element), max_size=3) | st.lists(of_shape(shape.element), max_size=3).map(tuple)
    texts = st.text(st.characters(exclude_categories=["Cs"]))
    return {
        Integer: st.integers(),
        Timestamp: st.datetimes(
            min_value=dt.datetime(1970, 1, 3),  # noqa: DTZ001 - hypothesis adds the zone
            timezones=st.just(dt.timezone.utc),
        ),
        Document: st.none() | st.booleans() | texts | st.lists(texts) | st.dictionaries(texts, texts),
        Enumeration: texts.filter(bool) | st.sampled_from([*getattr(shape, "members", ())]),
    }.get(type(shape), texts)


def test_a_made_output_is_the_same_each_time_and_has_plausible_values() -> None:
    run = make_output(models.GetWorkflowRunResponse, status="SUCCEEDED")
    assert run == make_output(models.GetWorkflowRunResponse, status=models.WorkflowRunStatus.SUCCEEDED)
    assert isinstance(run.status, models.WorkflowRunStatus)
    assert uuid.UUID(run.workflow_run_id).int == 2
    assert run.workflow_run_arn.startswith("arn:aws:nova-act:")
    assert run.started_at == dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    assert run.ended_at is None
    page = make_output(models.ListWorkflowRunsResponse, workflow_run_summaries=3)
    assert len({each.workflow_run_id for each in page.workflow_run_summaries}) == 3
    zoned = dt.datetime(2026, 1, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    ended = make_output(models.WorkflowRunSummary, ended_at=zoned).ended_at
    assert (ended, ended and ended.tzinfo) == (zoned, dt.timezone.utc)


NAIVE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - on purpose


@pytest.mark.parametrize(
    ("model", "members", "message"),
    [
        (models.ClientInfo, {}, "the class must be one of novaact_http.models that clients return, .*, not <class"),
        ("GetWorkflowRunResponse", {}, "the class must be one of novaact_http.models that clients return"),
        (["a"], {}, "the class must be one of novaact_http.models that clients return"),
        (models.GetWorkflowRunResponse, {"status": 1}, "status must be a str, not 1"),
        (models.GetWorkflowRunResponse, {"model_id": b"x"}, "model_id must be a str, not b'x'"),
        (models.GetWorkflowRunResponse, {"metadata": {}}, "metadata must be a ResponseMetadata, not {}"),
        (models.GetWorkflowRunResponse, {"started_at": 1.5}, "started_at must be a datetime with a zone, not 1.5"),
        (models.GetWorkflowRunResponse, {"ended_at": NAIVE}, "ended_at must be a datetime with a zone"),
        (models.ListSessionsResponse, {"session_summaries": ["a"]}, "must be a list of SessionSummary, or their"),
        (models.ListSessionsResponse, {"session_summaries": -1}, "must be a list of SessionSummary, or their number"),
        (models.ListSessionsResponse, {"session_summaries": True}, "session_summaries must be a list of"),
        (models.CompatibilityInformation, {"supported_model_ids": 3}, "must be a list of str, not 3"),
        (models.CompatibilityInformation, {"client_compatibility_version": True}, "must be a whole number, not True"),
        (models.WorkflowRunSummary, {"trace_location": {}}, "trace_location must be a TraceLocation, not {}"),
    ],
)  # fmt: skip
def test_an_output_that_the_service_cannot_send_is_refused(model: Any, members: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_output(model, **members)


def test_an_output_has_no_other_members() -> None:
    with pytest.raises(TypeError, match=r"GetWorkflowRunResponse has no state: it has workflow_run_arn, .*, metadata$"):
        make_output(models.GetWorkflowRunResponse, state="SUCCEEDED")


def test_an_error_that_is_not_modelled_needs_a_status() -> None:
    with pytest.raises(ValueError, match=r"ThrottlingExeption is not an error of the service model, which has Acc.*, "):
        make_error("ThrottlingExeption")
