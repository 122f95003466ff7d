"""Check that the installed library works in one process with boto3, aiobotocore and, if it is installed, httpx2."""

import importlib.util

import aiobotocore.session  # noqa: F401 # loaded together with the library, as in an application
import boto3
import httpx  # noqa: F401 # beside httpx2, which has parts of the same names

from novaact_http import Client
from novaact_http.testing import LocalService

if importlib.util.find_spec("httpx2"):
    importlib.import_module("httpx2")

with LocalService() as service:
    keys, run = service.credentials, service.runs[0]
    session = boto3.Session(keys.access_key_id, keys.secret_access_key, region_name=service.region)
    theirs = session.client("nova-act", endpoint_url=service.url).list_sessions(
        workflowDefinitionName=run.workflow_definition_name, workflowRunId=run.workflow_run_id, maxResults=1
    )
    with Client(region=service.region, endpoint_url=service.url, credentials=session) as client:
        ours = client.list_sessions(
            workflow_definition_name=run.workflow_definition_name, workflow_run_id=run.workflow_run_id, max_results=1
        )
ids = [each["sessionId"] for each in theirs["sessionSummaries"]]
assert ids == [each.session_id for each in ours.session_summaries]
assert len(ids) == 1
print("boto3", boto3.__version__, "and novaact_http list the same sessions with the same credentials")
