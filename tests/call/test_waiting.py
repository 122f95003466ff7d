"""Waiting for a workflow run, and ensuring a workflow definition: each is several calls, and one generator."""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import (
    AsyncClient,
    ConfigurationError,
    ConflictException,
    DeadlineExceeded,
    NovaActError,
    ParameterError,
    Poll,
    ResourceNotFoundException,
    RetryPolicy,
    ServiceError,
    Timeout,
    TransportError,
    TransportTimeout,
)
from novaact_http._call.waiting import ensure_workflow_definition, wait_for_workflow_run
from novaact_http._operations.workflow_definitions import GET_WORKFLOW_DEFINITION
from novaact_http._operations.workflow_runs import GET_WORKFLOW_RUN
from novaact_http.models import WorkflowRunStatus
from tests.helpers.answers import response
from tests.helpers.calls import CALL, NAME, ONCE, Clock, mocked
from tests.helpers.flows import context, drive

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Response
    from tests.helpers.both_clients import Face
    from tests.helpers.flows import Driven

RUN = {"workflowRunArn": "arn", "workflowRunId": "r", "startedAt": 1, "modelId": "m"}
LOST = TransportError("reset", request_sent=True)
HALF = RetryPolicy(mode="off", rng=lambda: 0.5)


def run(status: str) -> Response:
    return response(200, {**RUN, "status": status})


def error(status: int, code: str, **headers: str) -> Response:
    return response(status, {"message": "text"}, code=code, **headers)


def waited(answers: list[Any], *, taking: float = 0.0, retries: RetryPolicy = HALF, **arguments: Any) -> Driven:
    """Wait for a run with these answers, each of which takes some seconds."""
    clock = Clock(0.0)
    of = context(retries=retries, monotonic=clock, timeout=arguments.pop("timeout", None))
    given = {**CALL, "until": None, "total": None, "poll": Poll(), **arguments}
    return drive(
        of,
        answers,
        flow=wait_for_workflow_run(of, GET_WORKFLOW_RUN, given),
        on_request=lambda _: clock.sleep(taking),
        on_wait=clock.sleep,
    )


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "DELETING", "SOMETHING_NEW"])
def test_a_run_that_does_not_run_any_more_is_returned(status: str) -> None:
    driven = waited([run("RUNNING"), run("RUNNING"), run(status)])
    assert driven.output.status == status
    assert [each.method for each in driven.requests] == ["GET"] * 3


def test_the_waits_grow_up_to_a_maximum_and_are_jittered() -> None:
    poll = Poll(initial=2, multiplier=3, maximum=10)
    driven = waited([run("RUNNING")] * 4 + [run("FAILED")], poll=poll)
    assert driven.waits == [1.5, 4.5, 7.5, 7.5]  # three quarters, as the random number is a half
    highest = waited([run("RUNNING"), run("FAILED")], poll=poll, retries=RetryPolicy(rng=lambda: 1.0))
    lowest = waited([run("RUNNING"), run("FAILED")], poll=poll, retries=RetryPolicy(rng=lambda: 0.0))
    assert (lowest.waits, highest.waits) == ([1.0], [2.0])


@pytest.mark.parametrize(
    "until", [{"RUNNING"}, ["FAILED", WorkflowRunStatus.RUNNING], (each for each in ("RUNNING", "RUNNING"))]
)
def test_the_statuses_to_wait_for_can_be_chosen(until: Any) -> None:
    driven = waited([run("SUCCEEDED"), run("DELETING"), run("RUNNING")], until=until)
    assert driven.output.status is WorkflowRunStatus.RUNNING


FAILURES = [
    error(429, "ThrottlingException"),
    error(500, "InternalServerException"),
    error(503, ""),
    response(200, b"<html>"),
    LOST,
    TransportTimeout("late", request_sent=True),
]


@pytest.mark.parametrize("retries", [HALF, RetryPolicy(max_attempts=2, rng=lambda: 0.5)], ids=["off", "standard"])
@pytest.mark.parametrize("failure", FAILURES, ids=map(str, range(len(FAILURES))))
def test_what_may_be_tried_again_is_survived(failure: Any, retries: RetryPolicy) -> None:
    driven = waited([run("RUNNING"), *[failure] * 7, run("SUCCEEDED")], retries=retries)
    assert driven.output.status == "SUCCEEDED"


def test_the_service_may_ask_for_a_longer_wait_up_to_the_longest() -> None:
    throttled = error(429, "ThrottlingException", retry_after="7")
    driven = waited([throttled, error(429, "ThrottlingException", retry_after="700"), run("FAILED")])
    assert driven.waits == [7.0, 30.0]
    # A call that has its own limit may end by it, and the wait goes on.
    driven = waited([error(503, "")] * 9 + [run("FAILED")], retries=RetryPolicy(), timeout=Timeout(total=0.001))
    assert driven.output.status == "FAILED"


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (error(404, "ResourceNotFoundException"), ResourceNotFoundException),
        (error(403, "AccessDeniedException"), ServiceError),
        (error(400, "ValidationException"), ServiceError),
    ],
)
def test_what_would_come_again_ends_the_wait(failure: Any, kind: type[NovaActError]) -> None:
    driven = waited([run("RUNNING"), failure, run("SUCCEEDED")])
    assert isinstance(driven.error, kind)
    assert len(driven.requests) == 2


@given(
    total=st.floats(0.1, 100),
    taking=st.floats(0, 5),
    poll=st.builds(Poll, initial=st.floats(1, 50), multiplier=st.floats(1, 9), maximum=st.floats(1, 90)),
    failing=st.booleans(),
)
def test_the_time_is_kept_and_used(total: float, taking: float, poll: Poll, failing: bool) -> None:
    failure = error(503, "")
    clock = Clock(0.0)
    of = context(retries=HALF, monotonic=clock)
    given = {**CALL, "until": None, "total": total, "poll": poll}
    sent: list[float] = []

    def on_request(request: Any) -> None:
        sent.append(clock.now)
        assert request.deadline == total
        clock.sleep(taking)

    flow = wait_for_workflow_run(of, GET_WORKFLOW_RUN, given)
    answers = itertools.repeat(failure if failing else run("RUNNING"))
    driven = drive(of, answers, flow=flow, on_request=on_request, on_wait=clock.sleep)
    assert isinstance(driven.error, DeadlineExceeded)
    known = "its status is not known, as every question failed" if failing else "its last status was RUNNING"
    assert str(driven.error) == (
        f"the workflow run was not done within {total} s; {known}: wait again, as nothing is lost"
    )
    assert all(each < total for each in sent)
    # The last question is asked shortly before the end.
    assert sent[-1] + taking >= total - min(1.0, total / 10) - 1e-6


def test_the_error_counts_attempts_and_says_whether_anything_was_asked() -> None:
    throttled = error(429, "ThrottlingException")
    standard = RetryPolicy(max_attempts=3, rng=lambda: 0.5)
    driven = waited([run("RUNNING"), *[throttled] * 100], total=20, retries=standard)
    assert isinstance(driven.error, DeadlineExceeded)
    assert (driven.error.attempts, driven.error.request_sent) == (len(driven.requests), True)
    refused = waited([TransportError("refused", request_sent=False)] * 100, total=5)
    assert isinstance(refused.error, DeadlineExceeded)
    assert not refused.error.request_sent


def test_the_error_says_if_the_run_ended_otherwise() -> None:
    driven = waited([run("FAILED")] * 100, total=5, until=["SUCCEEDED"])
    text = "the workflow run was not done within 5 s; its last status was FAILED, which is not one of `until`"
    assert str(driven.error) == str(pickle.loads(pickle.dumps(driven.error))) == text


def test_the_error_of_a_wait_without_an_answer_has_the_last_failure_as_its_cause() -> None:
    driven = waited([LOST] * 100, total=5)
    assert isinstance(driven.error, DeadlineExceeded)
    assert isinstance(driven.error.__cause__, TransportError)
    assert (driven.error.attempts, driven.error.request_sent) == (len(driven.requests), True)
    late = waited([DeadlineExceeded("late", request_sent=True)] * 100, total=5, taking=5)
    assert isinstance(late.error, DeadlineExceeded)
    assert "its status is not known, as every question failed" in str(late.error)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("until", "SUCCEEDED", 'must be several statuses, such as ["SUCCEEDED"], not str'),
        ("until", b"x", 'must be several statuses, such as ["SUCCEEDED"], not bytes'),
        ("until", 5, 'must be several statuses, such as ["SUCCEEDED"], not int'),
        ("until", [], "must have at least 1 element"),
        ("total", 0, "must be a positive number of seconds"),
        ("total", True, "must be a positive number of seconds"),
        ("total", float("nan"), "must be a positive number of seconds"),
        ("total", "5", "must be a positive number of seconds"),
        ("poll", 5, "must be a Poll, not int"),
        ("poll", None, "must be a Poll, not NoneType"),
        ("workflow_run_id", "..", "must not be '..'"),
    ],
)
def test_a_bad_argument_is_named_and_nothing_is_sent(face: Face, name: str, value: object, problem: str) -> None:
    with pytest.raises(ParameterError) as caught:
        face.call("wait_for_workflow_run", mocked(lambda _: pytest.fail("sent")), **{**CALL, name: value})
    (found,) = caught.value.problems
    assert found.argument == name
    assert found.message.startswith(problem)


def test_a_bad_status_is_named_by_its_place(face: Face) -> None:
    with pytest.raises(ParameterError, match=r"until\[1\] must be str, not int"):
        face.call("wait_for_workflow_run", mocked(lambda _: pytest.fail("sent")), **CALL, until=["FAILED", 5])


@pytest.mark.parametrize(
    ("field", "value"),
    [("initial", 0), ("initial", "2"), ("maximum", float("inf")), ("multiplier", 0.5), ("multiplier", float("inf"))],
)
def test_a_bad_poll_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"Poll.{field} is ") as caught:
        Poll(**{field: value})
    assert caught.value.setting == "poll"


def test_both_clients_wait(face: Face, waits: list[float]) -> None:
    statuses = iter(["RUNNING", "RUNNING", "TIMED_OUT"])

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        return httpx.Response(200, json={**RUN, "status": next(statuses)})

    got = face.call("wait_for_workflow_run", mocked(answer), **CALL)
    assert got.status is WorkflowRunStatus.TIMED_OUT
    assert [2.0 * 0.5 <= waits[0] <= 2.0, 3.0 * 0.5 <= waits[1] <= 3.0] == [True, True]


def test_a_wait_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    from novaact_http._clients import asynchronous

    monkeypatch.setattr(asynchronous, "asyncio", asyncio)

    async def main() -> None:
        asked = asyncio.Event()

        def answer(_: httpx.Request) -> httpx.Response:
            asked.set()
            return httpx.Response(200, json={**RUN, "status": "RUNNING"})

        async with AsyncClient(**mocked(answer)) as client:
            task = asyncio.create_task(client.wait_for_workflow_run(**CALL))
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


DEFINITION = response(200, {"name": NAME, "arn": "arn", "createdAt": 1, "status": "ACTIVE"})
CREATED = response(201, {"status": "ACTIVE"})
MISSING = error(404, "ResourceNotFoundException")
CONFLICT = error(409, "ConflictException")


def ensured(answers: list[Any], *, taking: float = 0.0, total: float | None = None, **arguments: Any) -> Driven:
    clock = Clock(0.0)
    of = context(retries=ONCE, monotonic=clock, timeout=Timeout(total=total))
    given = {"name": NAME, "description": None, "export_config": None, **arguments}
    flow = ensure_workflow_definition(of, GET_WORKFLOW_DEFINITION, given)
    return drive(of, answers, flow=flow, on_request=lambda _: clock.sleep(taking), on_wait=clock.sleep)


def methods(driven: Driven) -> list[str]:
    return [each.method for each in driven.requests]


def test_a_definition_that_is_there_is_only_got() -> None:
    driven = ensured([DEFINITION])
    assert driven.output.name == NAME
    assert methods(driven) == ["GET"]


def test_a_definition_that_is_not_there_is_created_with_all_that_was_given() -> None:
    driven = ensured([MISSING, CREATED, DEFINITION], description="what it does")
    assert driven.output.arn == "arn"
    assert methods(driven) == ["GET", "PUT", "GET"]
    body = json.loads(driven.requests[1].body)
    assert (body["name"], body["description"]) == (NAME, "what it does")


def test_a_lost_race_is_won() -> None:
    driven = ensured([MISSING, CONFLICT, DEFINITION])
    assert driven.output.name == NAME
    assert methods(driven) == ["GET", "PUT", "GET"]


def test_a_definition_that_is_not_to_be_seen_at_once_is_waited_for_but_not_for_ever() -> None:
    driven = ensured([MISSING, CREATED, MISSING, MISSING, DEFINITION])
    assert driven.output.name == NAME
    assert driven.waits == [0.1, 0.2]
    driven = ensured([MISSING, CREATED, *[MISSING] * 20])
    assert isinstance(driven.error, ResourceNotFoundException)
    assert sum(driven.waits) == pytest.approx(3.1)


@pytest.mark.parametrize("answers", [[error(403, "AccessDeniedException")], [MISSING, error(402, "OtherException")]])
def test_any_other_error_is_raised(answers: list[Any]) -> None:
    driven = ensured(answers)
    assert isinstance(driven.error, ServiceError)
    assert not isinstance(driven.error, (ResourceNotFoundException, ConflictException))
    assert len(driven.requests) == len(answers)


def test_a_conflict_is_raised_if_there_is_nothing_to_be_seen_after_it() -> None:
    driven = ensured([MISSING, CONFLICT, *[MISSING] * 20])
    assert isinstance(driven.error, ConflictException)


def test_the_total_limits_all_of_it_together() -> None:
    driven = ensured([MISSING, CREATED, DEFINITION], total=5, taking=2)
    assert driven.output is not None
    assert {each.deadline for each in driven.requests} == {5}
    driven = ensured([MISSING, CREATED, *[MISSING] * 20], total=5, taking=1.6)
    assert isinstance(driven.error, DeadlineExceeded)
    assert "Timeout.total allows it 5 s in all" in str(driven.error)
    assert sum(driven.waits) == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["", "..", None])
def test_a_bad_name_is_refused_before_anything_is_sent(face: Face, name: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        face.call("ensure_workflow_definition", mocked(lambda _: pytest.fail("sent")), name=name, description=5)
    assert [each.argument for each in caught.value.problems] == ["name", "description"]


def test_both_clients_ensure_a_definition(face: Face) -> None:
    answers = iter([404, 201, 200])

    def answer(request: httpx.Request) -> httpx.Response:
        status = next(answers)
        body = {"name": NAME, "arn": "arn", "createdAt": 1, "status": "ACTIVE"}
        code = {"x-amzn-errortype": "ResourceNotFoundException"} if status == 404 else {}
        return httpx.Response(status, headers=code, json=body)

    got = face.call("ensure_workflow_definition", mocked(answer), name=NAME)
    assert got.arn == "arn"
