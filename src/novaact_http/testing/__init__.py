"""For tests of code that uses this library: Nova Act's ListSessions as a service on this machine.

    with LocalService() as service:
        client = Client(region=service.region, endpoint_url=service.url, credentials=service.credentials)

It checks every signature with botocore, and shares no code with the client it is there to test.
"""

from novaact_http.testing._behaviour import WorkflowRun
from novaact_http.testing._messages import ReceivedRequest
from novaact_http.testing._service import LocalService

__all__ = ["LocalService", "ReceivedRequest", "WorkflowRun"]
