"""What a function of Lambda sends along with its calls, compared with what boto3 sends there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from novaact_http import Client, RetryPolicy
from tests.helpers.calls import call_for, options_for

if TYPE_CHECKING:
    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1|68fd508a:5"


def sent(service: LocalService, number: int = -1) -> dict[str, str]:
    return {name.lower(): value for name, value in service.requests[number].headers}


def boto3s(service: LocalService) -> dict[str, str]:
    """Return what boto3 sends for the same call in the same environment."""
    keys = service.credentials
    client = boto3.Session().client(  # of its own, as the default one keeps the environment that it began in
        "nova-act",
        region_name=service.region,
        endpoint_url=service.url,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    run = service.runs[0]
    client.list_sessions(workflowDefinitionName=run.workflow_definition_name, workflowRunId=run.workflow_run_id)
    client.close()
    return sent(service)


@pytest.mark.parametrize(
    "trace",
    [TRACE, "-=;:+&[]{}\"',", "a b%20/?#@!$()*|\\^`<>~_.", "é\u20ac\U0001f600", "a\r\nX-Other: b\t\x7f", " padded "],
)
def test_the_trace_goes_along_as_from_boto3(
    face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch, trace: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "lister")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    face.page(options_for(service), **call_for(service.runs[0]))
    ours = sent(service)
    assert ours["x-amzn-trace-id"] == boto3s(service)["x-amzn-trace-id"]
    assert "x-amzn-trace-id" not in ours["authorization"]


@pytest.mark.parametrize(("name", "trace"), [(None, TRACE), ("lister", None), ("lister", ""), ("", TRACE)], ids=repr)
def test_there_is_a_trace_where_boto3_sends_one(
    face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch, name: str | None, trace: str | None
) -> None:
    for variable, value in (("AWS_LAMBDA_FUNCTION_NAME", name), ("_X_AMZN_TRACE_ID", trace)):
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
    face.page(options_for(service), **call_for(service.runs[0]))
    assert sent(service).get("x-amzn-trace-id") == boto3s(service).get("x-amzn-trace-id")


def test_each_call_has_the_trace_of_its_invocation_on_every_attempt(
    service: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "lister")
    with Client(**{**options_for(service), "retries": RetryPolicy()}) as client:
        for trace in ("Root=1", "Root=2"):
            monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
            service.fail_next("InternalServerException")
            client.with_options(timeout=60).list_sessions(**call_for(service.runs[0]))
    assert [sent(service, number)["x-amzn-trace-id"] for number in range(4)] == ["Root=1"] * 2 + ["Root=2"] * 2


@pytest.mark.parametrize("environment", ["AWS_Lambda_python3.13", "AWS ECS/Fargate#(é)", ""])
def test_the_user_agent_names_the_environment_where_boto3s_does(
    face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", environment)
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "lister")
    face.page(options_for(service), **call_for(service.runs[0]))
    ours, theirs = sent(service)["user-agent"], boto3s(service)["user-agent"]
    shared = r"(?:ua|md/pyimpl|exec-env|app)[/#]\S*"
    assert re.findall(shared, ours) == re.findall(shared, theirs)
    assert ("exec-env/" in ours) == bool(environment)
