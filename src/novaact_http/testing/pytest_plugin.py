"""Fixtures for pytest: the local service, and a client of each kind that talks to it.

pytest finds them through an entry point of this package. Nothing more is imported until a test uses a fixture.

    @pytest.mark.novaact_service("ThrottlingException next 2", latency=0.1)
    def test_retries(novaact_service, novaact_client): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novaact_http import AsyncClient, Client
    from novaact_http.testing import LocalService

_MARK = "novaact_service"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(*faults, **options): faults and arguments for the LocalService of the fixture {_MARK}, "
        'such as "reset every 3rd", latency=0.1',
    )


@pytest.fixture
def novaact_service(request: pytest.FixtureRequest) -> Iterator[LocalService]:
    """A `LocalService` that runs during the test, configured by the test's markers `novaact_service`."""
    from novaact_http.testing import LocalService

    faults: list[str] = []
    options: dict[str, object] = {}
    for mark in reversed(list(request.node.iter_markers(_MARK))):  # the nearest comes last, so its options win
        faults = [*mark.args, *faults]
        options |= mark.kwargs
    with LocalService(**options) as service:  # type: ignore[arg-type]
        for fault in faults:
            service.inject(fault)
        yield service


@pytest.fixture
def novaact_client(novaact_service: LocalService) -> Iterator[Client]:
    """A `Client` that talks to `novaact_service`."""
    from novaact_http import Client

    with Client(**_client_options(novaact_service)) as client:
        yield client


@pytest.fixture
def novaact_async_client(novaact_service: LocalService) -> Iterator[AsyncClient]:
    """An `AsyncClient` that talks to `novaact_service`, for tests with pytest-asyncio or anyio (on asyncio)."""
    import asyncio

    from novaact_http import AsyncClient

    client = AsyncClient(**_client_options(novaact_service))
    yield client
    # On a new event loop, because the test's loop may be closed by now. aclose() closes connections of any loop.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(client.aclose())
    finally:
        loop.close()


def _client_options(service: LocalService) -> dict[str, Any]:
    return {
        "region": service.region,
        "endpoint_url": service.url,
        "credentials": service.get_credentials,
        "verify": service.ca_file,
    }
