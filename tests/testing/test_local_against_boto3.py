"""boto3 and this library get the same from the local service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client, ServiceError, SortOrder, errors
from novaact_http._operations.service_errors import ERRORS
from novaact_http.testing import LocalService
from tests.helpers.boto3_oracle import boto3_arguments, boto3_for
from tests.helpers.calls import call_for, options_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.both_clients import Face


sort_orders = st.none() | st.sampled_from([*SortOrder])


@pytest.fixture(scope="module")
def shared() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


@pytest.fixture(scope="module")
def theirs(shared: LocalService) -> Any:
    return boto3_for(shared)


def result_of_boto3(client: Any, arguments: dict[str, Any]) -> Any:
    try:
        page = client.list_sessions(**boto3_arguments(arguments))
    except ClientError as error:
        members = {name: value for name, value in error.response.items() if name not in ("Error", "ResponseMetadata")}
        return type(error).__name__, error.response["Error"], members
    return [each["sessionId"] for each in page["sessionSummaries"]], page.get("nextToken")


def result_of_this_library(client: Client, arguments: dict[str, Any]) -> Any:
    try:
        page = client.list_sessions(**arguments)
    except ServiceError as error:
        members: dict[str, Any] = {"message": error.message} if error.code in ERRORS else {}
        for member in ERRORS[error.code].members if error.code in ERRORS else ():
            value = getattr(error, member.name)
            if member.name == "field_list":
                value = [{"name": each.name, "message": each.message} for each in value]
            members[member.wire_name] = value
        return type(error).__name__, {"Code": error.code, "Message": error.message}, members
    return [each.session_id for each in page.session_summaries], page.next_token


@given(
    st.integers(0, 5),
    st.none() | st.sampled_from([1, 2, 10, 33, 34, 35, 100, 101]),
    sort_orders,
    st.none() | st.just("not a token") | st.just("bm90IG91cnM="),
    st.none() | st.sampled_from(["nobody", "a b", "é", "x" * 41, "{}"]),
    st.none() | st.sampled_from(["00000000-0000-4000-8000-000000000000", "x", "%2F", "a/b"]),
)
def test_both_get_the_same_from_the_same_call(
    shared: LocalService,
    theirs: Any,
    run_number: int,
    max_results: int | None,
    sort_order: SortOrder | None,
    next_token: str | None,
    name: str | None,
    run_id: str | None,
) -> None:
    run = shared.runs[run_number]
    arguments: dict[str, Any] = {
        "workflow_definition_name": name or run.workflow_definition_name,
        "workflow_run_id": run_id or run.workflow_run_id,
        "max_results": max_results,
        "next_token": next_token,
        "sort_order": sort_order,
    }
    with Client(**options_for(shared)) as client:
        assert result_of_this_library(client, arguments) == result_of_boto3(theirs, arguments)


@pytest.mark.parametrize("code", ERRORS)
def test_both_raise_the_same_modelled_errors(face: Face, service: LocalService, code: str) -> None:
    service.fail_next(code, "As asked.", times=2)
    with pytest.raises(getattr(errors, code)) as caught:
        face.page(options_for(service), **call_for(service.runs[0]))
    client = boto3_for(service)
    with pytest.raises(getattr(client.exceptions, code)) as their:
        client.list_sessions(**boto3_arguments(call_for(service.runs[0])))
    assert caught.value.status_code == their.value.response["ResponseMetadata"]["HTTPStatusCode"]
    assert caught.value.message == their.value.response["Error"]["Message"] == "As asked."
    assert caught.value.request_id
    for member in ERRORS[code].members:
        if member.name != "field_list":
            assert getattr(caught.value, member.name) == their.value.response.get(member.wire_name)
    assert len(service.requests) == 2
    face.page(options_for(service), **call_for(service.runs[0]))  # the next call succeeds
