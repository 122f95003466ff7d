"""boto3 and novaact_http side by side: runs each step with both, and compares the results.

Both read the same environment: AWS_DEFAULT_REGION, credentials, AWS_PROFILE, AWS_ENDPOINT_URL_NOVA_ACT.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from novaact_http import Client, RetryPolicy, Timeout, errors

if TYPE_CHECKING:
    from collections.abc import Callable


def boto3_client() -> Any:
    config = Config(
        retries={"total_max_attempts": 4, "mode": "standard"},
        connect_timeout=2,
        read_timeout=30,
        user_agent_appid="checkout",
    )
    return boto3.Session().client("nova-act", config=config)


def our_client() -> Client:
    return Client(retries=RetryPolicy(max_attempts=4), timeout=Timeout(connect=2, read=30), app_id="checkout")


def one_page_boto3(client: Any, name: str, run_id: str) -> object:
    response = client.list_sessions(
        workflowDefinitionName=name, workflowRunId=run_id, maxResults=2, sortOrder="Descending"
    )
    return [each["sessionId"] for each in response["sessionSummaries"]], response.get("nextToken")


def one_page(client: Client, name: str, run_id: str) -> object:
    page = client.list_sessions(
        workflow_definition_name=name, workflow_run_id=run_id, max_results=2, sort_order="Descending"
    )
    return [each.session_id for each in page.session_summaries], page.next_token


def every_session_boto3(client: Any, name: str, run_id: str) -> object:
    pages = client.get_paginator("list_sessions").paginate(
        workflowDefinitionName=name, workflowRunId=run_id, PaginationConfig={"PageSize": 10}
    )
    return [each["sessionId"] for page in pages for each in page["sessionSummaries"]]


def every_session(client: Client, name: str, run_id: str) -> object:
    sessions = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id, page_size=10)
    return [each.session_id for each in sessions]


def resume_boto3(client: Any, name: str, run_id: str) -> object:
    names = {"workflowDefinitionName": name, "workflowRunId": run_id}
    paginator = client.get_paginator("list_sessions")
    pages = paginator.paginate(**names, PaginationConfig={"PageSize": 2, "MaxItems": 3})
    first = [each["sessionId"] for page in pages for each in page["sessionSummaries"]]
    token = pages.resume_token
    pages = paginator.paginate(**names, PaginationConfig={"StartingToken": token})
    return first, token, [each["sessionId"] for page in pages for each in page["sessionSummaries"]]


def resume(client: Client, name: str, run_id: str) -> object:
    names: Any = {"workflow_definition_name": name, "workflow_run_id": run_id}
    sessions = client.iter_sessions(**names, page_size=2, max_items=3)
    first = [each.session_id for each in sessions]
    token = sessions.resume_token
    sessions = client.iter_sessions(**names, starting_token=token)
    return first, token, [each.session_id for each in sessions]


def error_boto3(client: Any, name: str, _: str) -> object:
    try:
        client.list_sessions(workflowDefinitionName=name, workflowRunId="00000000-0000-4000-8000-000000000000")
    except client.exceptions.ResourceNotFoundException as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"], error.response["resourceId"]
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


def error(client: Client, name: str, _: str) -> object:
    try:
        client.list_sessions(workflow_definition_name=name, workflow_run_id="00000000-0000-4000-8000-000000000000")
    except client.exceptions.ResourceNotFoundException as error:
        return error.code, error.message, error.resource_id
    except errors.ServiceError as error:
        return error.code, error.status_code
    return None


STEPS: tuple[tuple[Callable[[Any, str, str], object], Callable[[Client, str, str], object]], ...] = (
    (one_page_boto3, one_page),
    (every_session_boto3, every_session),
    (resume_boto3, resume),
    (error_boto3, error),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("workflow_run_id")
    options = parser.parse_args()
    theirs = boto3_client()
    with our_client() as ours:
        for step_boto3, step in STEPS:
            expected = step_boto3(theirs, options.workflow_definition_name, options.workflow_run_id)
            result = step(ours, options.workflow_definition_name, options.workflow_run_id)
            print(
                step.__name__,
                "the same" if result == expected else f"boto3: {expected}, novaact_http: {result}",
                sep="\t",
            )


if __name__ == "__main__":
    main()
