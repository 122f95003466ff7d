"""Tools to test code that uses this library.

`LocalService` is a Nova Act on this machine:

    with LocalService() as service:
        client = Client(region=service.region, endpoint_url=service.url, credentials=service.credentials)

It checks every signature with botocore, and shares no code with the client that it tests. To test without a server,
`replay` makes a transport that answers from a recording made by `Recorder`, or with what `make_page`, `make_output` and
`make_error` return. pytest finds the fixtures `novaact_service`, `novaact_environ`, `novaact_client` and
`novaact_async_client` without configuration, and fails a test that did not use all answers and faults.
"""

from typing import TYPE_CHECKING

from novaact_http._support import lazy_imports

if TYPE_CHECKING:
    from novaact_http.testing._local_service.http_messages import ReceivedRequest
    from novaact_http.testing._local_service.nova_act import WorkflowRun
    from novaact_http.testing._local_service.service import LocalService
    from novaact_http.testing._local_service.service_model import ServiceCall
    from novaact_http.testing._outputs_and_errors import make_error, make_output, make_page
    from novaact_http.testing._recorder import Recorder
    from novaact_http.testing._replay import Replay, replay
else:
    # Some need botocore and some need httpx. The pytest plugin needs neither until a test uses a fixture.
    __getattr__, __dir__ = lazy_imports.names(
        globals(),
        {
            "_outputs_and_errors": ("make_error", "make_output", "make_page"),
            "_local_service.nova_act": ("WorkflowRun",),
            "_local_service.service": ("LocalService",),
            "_local_service.http_messages": ("ReceivedRequest",),
            "_local_service.service_model": ("ServiceCall",),
            "_recorder": ("Recorder",),
            "_replay": ("Replay", "replay"),
        },
    )

__all__ = [
    "LocalService",
    "ReceivedRequest",
    "Recorder",
    "Replay",
    "ServiceCall",
    "WorkflowRun",
    "make_error",
    "make_output",
    "make_page",
    "replay",
]
