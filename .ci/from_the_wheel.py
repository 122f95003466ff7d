"""Check that the library, installed from its wheel with nothing else, lists sessions from the local service."""

from pathlib import Path

import novaact_http
from novaact_http.testing import LocalService

where = Path(novaact_http.__file__)
assert "site-packages" in where.parts, where
assert where.with_name("py.typed").exists()
with LocalService() as service:
    run = service.runs[0]
    with novaact_http.Client(
        region=service.region, endpoint_url=service.url, credentials=service.credentials
    ) as client:
        pager = client.iter_sessions(
            workflow_definition_name=run.workflow_definition_name, workflow_run_id=run.workflow_run_id
        )
        listed = [session.session_id for session in pager]
assert listed == list(run.session_ids)
print("novaact_http", novaact_http.__version__, "was imported from the wheel, and listed", len(listed), "sessions")
