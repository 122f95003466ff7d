"""For tests of code that uses this library.

`LocalService` is Nova Act's ListSessions on this machine:

    with LocalService() as service:
        client = Client(region=service.region, endpoint_url=service.url, credentials=service.credentials)

It checks every signature with botocore, and shares no code with the client it is there to test. Without a server,
`replay` gives a transport that answers from a recording of `Recorder`'s, or with what `make_page` and `make_error`
make. With pytest, the fixtures `novaact_service`, `novaact_client` and `novaact_async_client` are there by themselves.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novaact_http.testing._factories import make_error, make_page
    from novaact_http.testing._service.behaviour import WorkflowRun
    from novaact_http.testing._service.local import LocalService
    from novaact_http.testing._service.messages import ReceivedRequest
    from novaact_http.testing._transports import Recorder, Replay, replay

__all__ = ["LocalService", "ReceivedRequest", "Recorder", "Replay", "WorkflowRun", "make_error", "make_page", "replay"]

# Imported when asked for: some need botocore, some httpx, and the plugin for pytest neither until a fixture is used.
_MODULE_OF = {
    "LocalService": "_service.local",
    "ReceivedRequest": "_service.messages",
    "Recorder": "_transports",
    "Replay": "_transports",
    "WorkflowRun": "_service.behaviour",
    "make_error": "_factories",
    "make_page": "_factories",
    "replay": "_transports",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
