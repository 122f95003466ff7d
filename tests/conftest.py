"""What every test gets: no AWS settings of this machine, and no network except this machine's own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
import types
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from novaact_http._clients import asynchronous, blocking
from novaact_http.testing import LocalService
from tests.helpers.both_clients import FACES, AsyncFace, Face, SyncFace
from tests.helpers.platforms import needs_own_async_connections

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not by its entry point, as users have it, which imports it before coverage has begun.
pytest_plugins = ["novaact_http.testing.pytest_plugin", "pytester"]

hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in a shell's background jobs; programs that tests run would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

if sys.platform == "win32":  # the library's own connections need an event loop that can watch sockets
    asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY") or name.startswith(("SSL_", "REQUESTS_")):
            monkeypatch.delenv(name)
    nowhere = tmp_path_factory.getbasetemp() / "no-such-folder"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _no_network_but_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(name: str) -> Any:
        original = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK:
                pytest.fail(f"a test tried to reach {address}")
            return original(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(name))


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that our clients waited between attempts. No client really sleeps."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    # Only in the clients: everything else in a test really waits.
    monkeypatch.setattr(blocking, "time", types.SimpleNamespace(**{**vars(time), "sleep": waited.append}))
    monkeypatch.setattr(asynchronous, "asyncio", types.SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    return waited


@pytest.fixture
def service() -> Iterator[LocalService]:
    with LocalService() as running:
        yield running


@pytest.fixture
def world(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> LocalService:
    """The local service, and an environment that points to it."""
    for name, value in service.environ.items():
        monkeypatch.setenv(name, value)
    return service


@pytest.fixture(params=FACES, ids=lambda face: face.__name__)
def face(request: pytest.FixtureRequest) -> Face:
    """Each of the two clients, behind one way of calling it."""
    made: Face = request.param()
    return made


@pytest.fixture(
    params=[SyncFace, pytest.param(AsyncFace, marks=needs_own_async_connections)], ids=lambda face: face.__name__
)
def lean_face(request: pytest.FixtureRequest) -> Face:
    """Each of the two clients, where it has the library's own connections."""
    made: Face = request.param()
    return made
