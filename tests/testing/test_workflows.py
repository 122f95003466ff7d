"""Workflows in the local service, from definition to deletion, driven by boto3 and by both clients."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from novaact_http import AsyncClient, Client, NovaActError, RetryPolicy, ServiceError, errors, models
from novaact_http.testing import LocalService, make_output
from tests.helpers.boto3_oracle import boto3_for
from tests.helpers.calls import MANY, options_for
from tests.helpers.operations import OPERATIONS, method_name
from tests.helpers.raw_requests import send, signed, signed_as_given

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.both_clients import Face

TOKEN = "a" * 33
TOOLS = [{"name": "click", "description": "Clicks.", "inputSchema": {"json": {"type": "object"}}}]
RESULTS = [{"callId": "call-1-1", "content": [{"text": "done"}]}]


def checked(service: LocalService, method: str, **arguments: Any) -> Any:
    """Call a method of boto3's, and check that the answer has what the model says, and no more."""
    client = boto3_for(service)
    answer = getattr(client, method)(**arguments)
    name = next(each for each in OPERATIONS if method_name(each) == method)
    check_shape(client.meta.service_model.operation_model(name).output_shape, json.loads(raw(service)), method)
    del answer["ResponseMetadata"]
    return answer


def raw(service: LocalService) -> bytes:
    """Return the body of the service's last answer."""
    return bytes(service._nova_act.last_answer.body)  # type: ignore[attr-defined]


def check_shape(shape: Any, value: Any, where: str) -> None:
    if getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "structure":
        assert set(shape.required_members) <= set(value) <= set(shape.members), where
        for name, each in value.items():
            check_shape(shape.members[name], each, f"{where}.{name}")
    elif shape.type_name == "list":
        for each in value:
            check_shape(shape.member, each, f"{where}[]")
    elif shape.type_name == "timestamp":
        assert value.endswith("Z"), where
        assert dt.datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo, where
    elif shape.type_name == "integer":
        assert type(value) is int, where
    else:
        assert isinstance(value, str), where
        assert not getattr(shape, "enum", None) or value in shape.enum, where


@pytest.fixture(autouse=True)
def _keeps_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from novaact_http.testing._local_service.nova_act import NovaAct

    original = NovaAct.answer

    def answer(self: Any, *arguments: Any) -> Any:
        self.last_answer = original(self, *arguments)
        return self.last_answer

    monkeypatch.setattr(NovaAct, "answer", answer)


def refused(code: str, call: Callable[[], Any], reason: str | None = None) -> None:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response.get("reason") == reason


def test_boto3_drives_a_workflow_from_definition_to_deletion(service: LocalService) -> None:  # noqa: PLR0915 - one story
    def call(method: str, **arguments: Any) -> Any:
        return checked(service, method, **arguments)

    d = {"workflowDefinitionName": "shop"}
    refused("ResourceNotFoundException", lambda: call("get_workflow_definition", **d))
    export = {"s3BucketName": "traces", "s3KeyPrefix": "a/b"}
    assert call("create_workflow_definition", name="shop", description="Shops.", exportConfig=export) == {
        "status": "ACTIVE"
    }
    refused("ConflictException", lambda: call("create_workflow_definition", name="shop"))
    definition = call("get_workflow_definition", **d)
    assert (definition["description"], definition["exportConfig"]) == ("Shops.", export)
    assert definition["arn"] == "arn:aws:nova-act:us-east-1:111122223333:workflow-definition/shop"

    created = call("create_workflow_run", **d, modelId="m", clientInfo={"compatibilityVersion": 1}, logGroupName="/l")
    assert created["status"] == "RUNNING"
    r = {**d, "workflowRunId": created["workflowRunId"]}
    run = call("get_workflow_run", **r)
    assert (run["status"], run["modelId"], run["logGroupName"], "endedAt" in run) == ("RUNNING", "m", "/l", False)
    n = {**r, "sessionId": call("create_session", **r)["sessionId"]}
    assert call("list_sessions", **r)["sessionSummaries"] == [{"sessionId": n["sessionId"]}]
    act = call("create_act", **n, task="Buy it.", toolSpecs=TOOLS)
    a = {**n, "actId": act["actId"]}

    first = call("invoke_act_step", **a, callResults=RESULTS)
    assert [(each["name"], each["input"]) for each in first["calls"]] == [("click", {})]
    refused("ValidationException", lambda: call("invoke_act_step", **a, callResults=RESULTS), "FieldValidationFailed")
    assert call("list_acts", **d)["actSummaries"][0]["status"] == "PENDING_CLIENT_ACTION"
    second = call("invoke_act_step", **a, callResults=RESULTS, previousStepId=first["stepId"])
    last = call("invoke_act_step", **a, callResults=RESULTS, previousStepId=second["stepId"])
    assert last["calls"] == []
    (summary,) = call("list_acts", **r)["actSummaries"]
    assert (summary["status"], summary["actId"]) == ("SUCCEEDED", a["actId"])
    assert summary["traceLocation"]["location"] == f"s3://traces/a/b/{r['workflowRunId']}/{a['actId']}"
    again = {**a, "callResults": RESULTS, "previousStepId": last["stepId"]}
    refused("ValidationException", lambda: call("invoke_act_step", **again), "InvalidStatus")
    refused("ValidationException", lambda: call("update_act", **a, status="RUNNING"), "InvalidStatus")
    assert call("update_act", **a, status="SUCCEEDED") == {}

    assert call("update_workflow_run", **r, status="FAILED") == {}
    assert call("update_workflow_run", **r, status="FAILED") == {}
    refused("ValidationException", lambda: call("update_workflow_run", **r, status="SUCCEEDED"), "InvalidStatus")
    for ended in (
        lambda: call("create_session", **r),
        lambda: call("create_act", **n, task="t"),
        lambda: call("invoke_act_step", **again),
    ):
        refused("ValidationException", ended, "InvalidStatus")
    run = call("get_workflow_run", **r)
    assert run["status"] == "FAILED"
    assert run["endedAt"] >= run["startedAt"]
    assert call("list_workflow_runs", **d)["workflowRunSummaries"][0]["traceLocation"]["locationType"] == "S3"

    assert call("delete_workflow_run", **r) == {"status": "DELETING"}
    assert call("delete_workflow_run", **r) == {"status": "DELETING"}
    assert call("get_workflow_run", **r)["status"] == "DELETING"
    service.advance(2)
    refused("ResourceNotFoundException", lambda: call("get_workflow_run", **r))
    assert call("list_acts", **d)["actSummaries"] == []
    assert call("delete_workflow_definition", **d) == {"status": "DELETING"}
    start = {"modelId": "m", "clientInfo": {"compatibilityVersion": 1}}
    refused("ValidationException", lambda: call("create_workflow_run", **d, **start), "InvalidStatus")
    refused("ConflictException", lambda: call("create_workflow_definition", name="shop"))
    assert call("delete_workflow_definition", **d) == {"status": "DELETING"}
    service.advance(2)
    refused("ResourceNotFoundException", lambda: call("delete_workflow_definition", **d))
    assert call("create_workflow_definition", name="shop") == {"status": "ACTIVE"}
    found = call("list_models", clientCompatibilityVersion=1)
    assert found["compatibilityInformation"]["message"]
    assert "message" not in call("list_models", clientCompatibilityVersion=2)["compatibilityInformation"]


def test_both_clients_drive_one_too(face: Face, service: LocalService) -> None:
    def call(method: str, **arguments: Any) -> Any:
        return face.call(method, options_for(service), **arguments)

    assert call("ensure_workflow_definition", name="shop").status == "ACTIVE"
    d = {"workflow_definition_name": "shop"}
    run = call("create_workflow_run", **d, model_id="m", client_info=models.ClientInfo(compatibility_version=1))
    r = {**d, "workflow_run_id": run.workflow_run_id}
    n = {**r, "session_id": call("create_session", **r).session_id}
    spec = models.ToolSpec(name="click", description="d", input_schema=models.ToolInputSchema(json={}))
    a = {**n, "act_id": call("create_act", **n, task="t", tool_specs=[spec]).act_id}
    results, step = [models.CallResult(content=[models.CallResultContent(text="x" * 700_000)])], None
    count = 0
    for count in range(10):  # noqa: B007
        step = call("invoke_act_step", **a, call_results=results, previous_step_id=step and step.step_id)
        if not step.calls:
            break
        results = [
            models.CallResult(call_id=each.call_id, content=[models.CallResultContent(text="ok")])
            for each in step.calls
        ]
    assert count == 2
    assert [each.status for each in face.listing("iter_acts", options_for(service), **d)] == ["SUCCEEDED"]
    call("update_workflow_run", **r, status="SUCCEEDED")
    assert call("wait_for_workflow_run", **r).ended_at is not None
    assert call("delete_workflow_definition", **d).status == "DELETING"


@pytest.mark.parametrize(
    ("method", "arguments", "other"),
    [
        ("create_workflow_definition", {"name": "shop"}, {"description": "another"}),
        ("create_workflow_run", {"modelId": "m", "clientInfo": {"compatibilityVersion": 1}}, {"modelId": "n"}),
        ("create_session", {}, None),
        ("create_act", {"task": "t"}, {"task": "another"}),
    ],
)
def test_a_token_makes_a_repeated_create_the_same(
    service: LocalService, method: str, arguments: dict[str, Any], other: dict[str, Any] | None
) -> None:
    run = service.add_run("checkout-flow", sessions=1)
    where: dict[str, Any] = {}
    if method != "create_workflow_definition":
        where["workflowDefinitionName"] = "checkout-flow"
    if method in ("create_session", "create_act"):
        where["workflowRunId"] = run.workflow_run_id
    if method == "create_act":
        where["sessionId"] = run.session_ids[0]
    given = {**where, **arguments, "clientToken": TOKEN}
    first = checked(service, method, **given)
    assert checked(service, method, **given) == first
    changed = {**given, **other} if other is not None else {**given, "workflowRunId": service.runs[0].workflow_run_id}
    refused("ConflictException", lambda: checked(service, method, **changed))
    if method != "create_workflow_definition":
        assert checked(service, method, **{**given, "clientToken": "b" * 40}) != first


def test_what_takes_too_long_is_timed_out(service: LocalService) -> None:
    run = service.add_run("checkout-flow", sessions=1)
    client = boto3_for(service)
    r = {"workflowDefinitionName": "checkout-flow", "workflowRunId": run.workflow_run_id}
    client.create_act(**r, sessionId=run.session_ids[0], task="t")
    service.advance(24 * 3600 + 1)
    (act,) = client.list_acts(**r)["actSummaries"]
    assert act["status"] == "TIMED_OUT"
    assert act["endedAt"] - act["startedAt"] == dt.timedelta(days=1)
    assert client.get_workflow_run(**r)["status"] == "RUNNING"
    service.advance(6 * 24 * 3600)
    ended = client.get_workflow_run(**r)
    assert ended["status"] == "TIMED_OUT"
    assert ended["endedAt"] - ended["startedAt"] == dt.timedelta(days=7)


def test_runs_end_as_scripted(face: Face, service: LocalService) -> None:
    def created() -> dict[str, str]:
        info = models.ClientInfo(compatibility_version=1)
        run = face.call(
            "create_workflow_run",
            options_for(service),
            workflow_definition_name="checkout-flow",
            model_id="m",
            client_info=info,
        )
        return {"workflow_definition_name": "checkout-flow", "workflow_run_id": run.workflow_run_id}

    def status(of: dict[str, str]) -> str:
        return str(face.call("get_workflow_run", options_for(service), **of).status)

    service.script_runs("FAILED", polls=3)
    run = created()
    assert [status(run) for _ in range(4)] == ["RUNNING", "RUNNING", "FAILED", "FAILED"]
    service.script_runs(seconds=60)
    run = created()
    assert status(run) == "RUNNING"
    service.advance(61)
    assert status(run) == "SUCCEEDED"
    service.script_runs(polls=1, seconds=60)
    assert status(created()) == "SUCCEEDED"
    service.script_runs()
    run = created()
    assert [status(run) for _ in range(5)] == ["RUNNING"] * 5
    view = next(each for each in service.runs if each.workflow_run_id == run["workflow_run_id"])
    service.end_run(view, "TIMED_OUT")
    assert face.call("wait_for_workflow_run", options_for(service), **run).status == "TIMED_OUT"


def test_acts_answer_as_scripted(service: LocalService) -> None:
    run = service.add_run("checkout-flow", sessions=1)
    n: dict[str, Any] = {
        "workflow_definition_name": "checkout-flow",
        "workflow_run_id": run.workflow_run_id,
        "session_id": run.session_ids[0],
    }

    def result(text: str) -> list[models.CallResult]:
        return [models.CallResult(content=[models.CallResultContent(text=text)])]

    with Client(**options_for(service)) as client:
        service.script_acts([[{"name": "click", "input": {"x": 1}, "callId": "c"}], "PENDING_HUMAN_ACTION", "FAILED"])
        a = {**n, "act_id": client.create_act(**n, task="t").act_id}
        step = client.invoke_act_step(**a, call_results=result("a"))
        assert step.calls == (models.Call(call_id="c", name="click", input={"x": 1}),)
        step = client.invoke_act_step(**a, call_results=result("a"), previous_step_id=step.step_id)
        assert step.calls == ()
        with pytest.raises(errors.ValidationException, match="PENDING_HUMAN_ACTION"):
            client.invoke_act_step(**a, call_results=result("a"), previous_step_id=step.step_id)
        client.update_act(**a, status="RUNNING")
        client.invoke_act_step(**a, call_results=result("a"), previous_step_id=step.step_id)
        assert client.list_acts(workflow_definition_name="checkout-flow").act_summaries[-1].status == "FAILED"

        seen: list[Any] = []

        def script(results: list[Any]) -> Any:
            seen.append(results)
            return None if results[0]["content"][0]["text"] == "stop" else []

        service.script_acts(script)
        a = {**n, "act_id": client.create_act(**n, task="t").act_id}
        step = client.invoke_act_step(**a, call_results=result("go"))
        client.invoke_act_step(**a, call_results=result("stop"), previous_step_id=step.step_id)
        assert [each[0]["content"] for each in seen] == [[{"text": "go"}], [{"text": "stop"}]]
        assert client.list_acts(workflow_definition_name="checkout-flow").act_summaries[-1].status == "SUCCEEDED"

        service.script_acts(None)
        a = {**n, "act_id": client.create_act(**n, task="t").act_id}
        assert [each.name for each in client.invoke_act_step(**a, call_results=result("go")).calls] == ["wait"]
        client.update_act(**a, status="FAILED", error=models.ActError(message="no bicycle"))
        assert client.list_acts(workflow_definition_name="checkout-flow").act_summaries[-1].ended_at is not None


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda _: LocalService(host="localhost"), "host must be an address of this machine"),
        (lambda _: LocalService(host=5), "host must be an address of this machine"),  # type: ignore[arg-type]
        (lambda service: service.script_acts(5), "script must be a list of steps"),
        (lambda service: service.script_acts("FAILED"), "script must be a list of steps"),
        (lambda service: service.script_acts(["DONE"]), "the step 'DONE' must be one of RUNNING"),
        (lambda service: service.script_acts([[{"input": {}}]]), "must be a list of calls such as"),
        (lambda service: service.script_acts([5]), "must be a list of calls such as"),
        (lambda service: service.script_runs("DONE"), "status must be one of RUNNING"),
        (lambda service: service.script_runs(polls=0), "polls must be a whole number from 1"),
        (lambda service: service.script_runs(seconds=-1), "seconds must be a number from 0"),
        (lambda service: service.end_run(service.runs[0], "DONE"), "status must be one of RUNNING"),
        (lambda service: service.advance("5"), "seconds must be a number"),
        (lambda service: service.add_run("a", status="DONE"), "status must be one of RUNNING"),
        (lambda service: service.add_run("a", started_at="now"), "started_at must be a number"),
        (lambda service: service.add_run("a", ended_at=-1), "ended_at must be a number"),
        (lambda service: service.add_definition("a b"), "cannot be a name"),
        (lambda service: service.add_definition("a", created_at=True), "created_at must be a number"),
        (lambda service: service.inject("reset", operation="ListThings"), "operation must be one of CreateAct"),
        (lambda service: service.inject("reset", after_work=1), "after_work must be True or False"),
    ],
)
def test_what_the_service_cannot_do_is_refused_where_it_is_asked_for(
    service: LocalService, call: Callable[[LocalService], object], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        call(service)


def test_tests_put_things_of_any_status_and_time_into_the_service(service: LocalService) -> None:
    service.add_definition("shop", description="Shops.", export_config={"s3BucketName": "traces"}, created_at=5)
    service.add_definition("shop", description="is there already")
    service.add_run("shop", status="FAILED", started_at=10, ended_at=20)
    service.add_run("shop", status="SUCCEEDED")
    service.add_run("shop", started_at=10)
    client = boto3_for(service)
    found = client.get_workflow_definition(workflowDefinitionName="shop")
    assert (found["description"], found["createdAt"].timestamp()) == ("Shops.", 5)
    failed, succeeded, old = client.list_workflow_runs(workflowDefinitionName="shop")["workflowRunSummaries"]
    assert (failed["status"], failed["startedAt"].timestamp(), failed["endedAt"].timestamp()) == ("FAILED", 10, 20)
    assert failed["traceLocation"]["location"] == f"s3://traces/{failed['workflowRunId']}"
    assert (succeeded["status"], "endedAt" in succeeded, old["status"]) == ("SUCCEEDED", True, "TIMED_OUT")


def test_a_run_that_is_replaced_while_it_is_deleted_stays(service: LocalService) -> None:
    run = service.runs[0]
    r = {"workflowDefinitionName": "checkout-flow", "workflowRunId": run.workflow_run_id}
    client = boto3_for(service)
    client.create_act(**r, sessionId=run.session_ids[0], task="t")
    client.delete_workflow_run(**r)
    service.add_run("checkout-flow", workflow_run_id=run.workflow_run_id, replace=True)
    service.advance(2)
    assert client.get_workflow_run(**r)["status"] == "RUNNING"
    assert client.list_acts(workflowDefinitionName="checkout-flow")["actSummaries"] == []


def test_tests_put_sessions_and_acts_into_the_service(service: LocalService) -> None:
    run = service.add_run("shop")
    session = service.add_session(run)
    waiting = service.add_act(run, session, status="PENDING_HUMAN_ACTION")
    failed = service.add_act(run, session, status="FAILED", started_at=10, ended_at=20)
    succeeded = service.add_act(run, session, task="Buy it.", status="SUCCEEDED")
    found = boto3_for(service).list_acts(workflowDefinitionName="shop")["actSummaries"]
    assert [(each["actId"], each["status"]) for each in found] == [
        (waiting, "PENDING_HUMAN_ACTION"),
        (failed, "FAILED"),
        (succeeded, "SUCCEEDED"),
    ]
    assert [each["endedAt"].timestamp() for each in found[1:2]] == [20]
    assert found[2]["endedAt"] >= found[2]["startedAt"]
    with pytest.raises(KeyError, match="has no session"):
        service.add_act(run, "no-such-session")
    with pytest.raises(ValueError, match="status must be one of RUNNING"):
        service.add_act(run, session, status="DELETING")


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_pages_stay_right_while_things_come_and_go(service: LocalService, order: str) -> None:
    for number in range(10):
        service.add_definition(f"d{number}")
    client = boto3_for(service)
    names = []
    token: dict[str, str] = {}
    while True:
        page = client.list_workflow_definitions(maxResults=4, sortOrder=order, **token)
        names += [each["workflowDefinitionName"] for each in page["workflowDefinitionSummaries"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
        if len(names) == 4:
            client.delete_workflow_definition(workflowDefinitionName=names[1])
            client.delete_workflow_definition(workflowDefinitionName="d5")
            service.advance(2)
            service.add_definition("later")
    all_names = ["checkout-flow", "invoice-export", "signup-smoke-test", *(f"d{number}" for number in range(10))]
    expected = [each for each in all_names if each != "d5"]
    assert names == ([*expected, "later"] if order == "Ascending" else expected[::-1])


def test_a_session_is_of_a_run(service: LocalService) -> None:
    run = service.runs[0]
    client = boto3_for(service)
    refused(
        "ValidationException",
        lambda: client.list_acts(workflowDefinitionName="checkout-flow", sessionId=run.session_ids[0]),
        "FieldValidationFailed",
    )
    r = {"workflowDefinitionName": "checkout-flow", "workflowRunId": run.workflow_run_id}
    assert client.list_acts(**r, sessionId=run.session_ids[-1])["actSummaries"] == []
    nobody = "00000000-0000-4000-8000-000000000000"
    refused("ResourceNotFoundException", lambda: client.list_acts(**r, sessionId=nobody))
    n = {**r, "sessionId": run.session_ids[0]}
    refused("ResourceNotFoundException", lambda: client.update_act(**n, actId=nobody, status="FAILED"))


BAD: list[tuple[str, str, Any, str]] = [
    ("PUT", "/workflow-definitions", {}, "name"),
    ("PUT", "/workflow-definitions", {"name": 5}, "name"),
    ("PUT", "/workflow-definitions", {"name": "a b"}, "name"),
    ("PUT", "/workflow-definitions", {"name": "a" * 41}, "name"),
    ("PUT", "/workflow-definitions", {"name": "a", "exportConfig": []}, "exportConfig"),
    ("PUT", "/workflow-definitions", {"name": "a", "exportConfig": {}}, "exportConfig.s3BucketName"),
    ("PUT", "/workflow-definitions", {"name": "a", "clientToken": "short"}, "clientToken"),
    (
        "PUT",
        "/workflow-definitions/a/workflow-runs",
        {"modelId": "m", "clientInfo": {}},
        "clientInfo.compatibilityVersion",
    ),
    (
        "PUT",
        "/workflow-definitions/a/workflow-runs",
        {"modelId": "m", "clientInfo": {"compatibilityVersion": True}},
        "clientInfo.compatibilityVersion",
    ),
    ("GET", "/workflow-definitions/a%20b", None, "workflowDefinitionName"),
    ("POST", "/models?clientCompatibilityVersion=one", None, "clientCompatibilityVersion"),
    ("POST", "/models", None, "clientCompatibilityVersion"),
    ("POST", "/workflow-definitions?maxResults=101", {}, "maxResults"),
    ("POST", "/workflow-definitions", {"sortOrder": "Up"}, "sortOrder"),
    ("POST", "/workflow-definitions?nextToken=AAAA", {}, "nextToken"),
]
ACT = "/workflow-definitions/a/workflow-runs/{0}/sessions/{0}/acts".format("00000000-0000-4000-8000-000000000000")
STEP = f"{ACT}/00000000-0000-4000-8000-000000000000/invoke-step/"
BAD += [
    ("PUT", ACT, {"task": "t", "toolSpecs": {}}, "toolSpecs"),
    ("PUT", ACT, {"task": "t", "toolSpecs": [TOOLS[0], {**TOOLS[0], "name": "a b"}]}, "toolSpecs[1].name"),
    ("PUT", ACT, {"task": "t", "toolSpecs": [{**TOOLS[0], "inputSchema": {}}]}, "toolSpecs[0].inputSchema"),
    ("PUT", STEP, {"callResults": []}, "callResults"),
    ("PUT", STEP, {"callResults": [{"content": [{}]}]}, "callResults[0].content[0]"),
    ("PUT", STEP, {"callResults": [{"content": [{"text": 5}]}]}, "callResults[0].content[0].text"),
    ("PUT", STEP, {"callResults": [{"content": ["text"]}]}, "callResults[0].content[0]"),
]


@pytest.mark.parametrize(("method", "target", "body", "where"), BAD, ids=map(str, range(len(BAD))))
def test_bad_input_is_refused_by_its_path(
    at_now: LocalService, method: str, target: str, body: Any, where: str
) -> None:
    data = b"" if body is None else json.dumps(body).encode()
    answered = send(at_now, signed_as_given(at_now, method, target, data))
    assert (answered.status, answered.code) == (400, "ValidationException")
    assert [each["name"] for each in answered.body["fieldList"]] == [where]


def test_what_was_called_can_be_read(service: LocalService) -> None:
    with Client(**options_for(service)) as client:
        client.create_workflow_definition(name="shop", client_token=TOKEN)
        with pytest.raises(ServiceError):
            client.get_workflow_definition(workflow_definition_name="nobody")
    # On a new connection, as a request that is lost on a kept one is sent again.
    service.inject("reset next 1")
    with Client(**options_for(service)) as client, pytest.raises(NovaActError):
        client.list_models(client_compatibility_version=1)
    created, missing, lost = service.calls
    assert (created.operation, created.status_code, created.error_code) == ("CreateWorkflowDefinition", 201, None)
    assert created.arguments == {"name": "shop", "client_token": TOKEN}
    assert created.access_key_id == service.credentials.access_key_id
    assert (missing.status_code, missing.error_code) == (404, "ResourceNotFoundException")
    assert repr(missing) == (
        "ServiceCall(GetWorkflowDefinition, {'workflow_definition_name': 'nobody'}, ResourceNotFoundException)"
    )
    assert (lost.operation, lost.status_code, lost.error_code) == ("ListModels", None, None)


def test_what_cannot_be_read_is_a_call_without_arguments(at_now: LocalService) -> None:
    send(at_now, signed_as_given(at_now, "PUT", "/workflow-definitions", b"{"))
    assert (at_now.calls[-1].arguments, at_now.calls[-1].error_code) == ({}, "SerializationException")
    send(at_now, signed(at_now)._replace(target="/nothing", headers=(("Host", "h"), ("Content-Length", "2"))))
    last = at_now.calls[-1]
    assert (last.operation, last.arguments, last.access_key_id) == (None, {}, None)


def test_a_fault_may_be_of_one_operation_or_run_and_after_the_work(service: LocalService) -> None:
    run, other = service.runs[0], service.add_run("checkout-flow")

    def create(of: Any) -> None:
        with Client(**options_for(service)) as client:
            client.create_session(workflow_definition_name="checkout-flow", workflow_run_id=of.workflow_run_id)

    def count() -> int:
        return len(service.runs[0].session_ids)

    service.inject("InternalServerException", operation="CreateSession", workflow_run_id=run.workflow_run_id)
    with Client(**options_for(service)) as client:
        client.list_sessions(workflow_definition_name="checkout-flow", workflow_run_id=run.workflow_run_id)
    create(other)
    with pytest.raises(errors.InternalServerException):
        create(run)
    assert count() == len(run.session_ids)
    service.clear_faults()
    service.inject("InternalServerException", operation="ListActs", workflow_run_id=run.workflow_run_id)
    with Client(**options_for(service)) as client:  # which has the run in its query
        client.list_acts(workflow_definition_name="checkout-flow", workflow_run_id=other.workflow_run_id)
        with pytest.raises(errors.InternalServerException):
            client.list_acts(workflow_definition_name="checkout-flow", workflow_run_id=run.workflow_run_id)
    service.clear_faults()
    for fault, error in (("ThrottlingException", ServiceError), ("reset", errors.TransportError)):
        before = count()
        service.inject(fault, times=1, after_work=True)
        with pytest.raises(error):
            create(run)
        assert count() == before + 1
        service.inject(fault, times=1)
        with pytest.raises(error):
            create(run)
        assert count() == before + 1


def test_a_world_is_the_same_for_the_same_seed() -> None:
    def ids(seed: int) -> list[str]:
        with LocalService(seed=seed) as service, Client(**options_for(service)) as client:
            run = client.create_workflow_run(
                workflow_definition_name="checkout-flow",
                model_id="m",
                client_info=models.ClientInfo(compatibility_version=1),
            )
            return [each.workflow_run_id for each in service.runs] + [run.workflow_run_id]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)


def test_a_call_may_have_the_input_null(face: Face, service: LocalService) -> None:
    service.script_acts([[{"name": "look", "input": None}]])
    run = service.runs[0]
    session = run.session_ids[-1]
    act = service.add_act(run, session)
    step = face.call(
        "invoke_act_step",
        options_for(service),
        workflow_definition_name=run.workflow_definition_name,
        workflow_run_id=run.workflow_run_id,
        session_id=session,
        act_id=act,
        call_results=[models.CallResult(content=[models.CallResultContent(text="begin")])],
    )
    assert [(call.name, call.input) for call in step.calls] == [("look", None)]


def test_a_definition_may_have_no_runs(face: Face) -> None:
    with LocalService(definitions={"empty": []}) as service:
        assert face.call("list_workflow_runs", options_for(service), workflow_definition_name="empty") == make_output(
            models.ListWorkflowRunsResponse
        )


def test_an_async_client_races_to_ensure_one_definition(service: LocalService) -> None:
    import asyncio

    async def main() -> None:
        async with AsyncClient(**options_for(service)) as client:
            found = await asyncio.gather(*(client.ensure_workflow_definition(name="shop") for _ in range(20)))
            assert {each.name for each in found} == {"shop"}

    asyncio.run(main())
    created = [each for each in service.calls if each.operation == "CreateWorkflowDefinition"]
    assert [each.error_code for each in created].count(None) == 1


@pytest.mark.parametrize("fault", ["reset", "InternalServerException", "truncate"])
@pytest.mark.parametrize(
    "method", ["create_workflow_definition", "create_workflow_run", "create_session", "create_act"]
)
def test_as_many_things_are_created_as_calls_were_made_although_answers_are_lost(method: str, fault: str) -> None:
    count = MANY // 5
    with LocalService(definitions={}, record_requests=False) as service:
        run = service.add_run("shop", sessions=["00000000-0000-4000-8000-000000000000"])
        r: dict[str, Any] = {"workflow_definition_name": "shop", "workflow_run_id": run.workflow_run_id}
        n = {**r, "session_id": run.session_ids[0]}
        info = models.ClientInfo(compatibility_version=1)
        arguments: dict[str, Any] = {
            "create_workflow_definition": {},
            "create_workflow_run": {"workflow_definition_name": "shop", "model_id": "m", "client_info": info},
            "create_session": r,
            "create_act": {**n, "task": "t"},
        }[method]
        service.inject(fault, chance=0.2, after_work=True, operation="".join(map(str.capitalize, method.split("_"))))
        with Client(**{**options_for(service), "retries": RetryPolicy(max_attempts=2, rng=lambda: 0.0)}) as client:
            for number in range(count):
                named = {"name": f"d{number}"} if method == "create_workflow_definition" else {}
                token: str | None = None
                for _ in range(50):
                    try:
                        getattr(client, method)(**arguments, **named, client_token=token)
                    except (errors.TransportError, errors.InternalServerException) as error:  # noqa: PERF203
                        token = error.client_token
                    else:
                        break
            service.clear_faults()
            created = {
                "create_workflow_definition": lambda: [*client.iter_workflow_definitions()][1:],
                "create_workflow_run": lambda: [*client.iter_workflow_runs(workflow_definition_name="shop")][1:],
                "create_session": lambda: [*client.iter_sessions(**r)][1:],
                "create_act": lambda: [*client.iter_acts(**r)],
            }[method]()
        assert len(created) == count
