"""Fixtures for pytest: the local service, and a client of each kind that talks to it.

pytest finds them through an entry point of this package. Nothing more is imported until a test uses a fixture.

    @pytest.mark.novaact_service("ThrottlingException next 2", latency=0.1)
    def test_retries(novaact_service, novaact_client): ...

A test fails if faults have not come, or answers of `replay` were not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from novaact_http.testing import _expectations

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from novaact_http import AsyncClient, Client
    from novaact_http.testing import LocalService

_MARK = "novaact_service"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(*faults, **options): faults and arguments for the LocalService of the fixture {_MARK}, "
        'such as "reset every 3rd", latency=0.1; allow_unused=True if the faults need not come',
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that has the marker but not the fixture, as its faults would never come."""
    if item.get_closest_marker(_MARK) is not None and _MARK not in getattr(item, "fixturenames", ()):
        pytest.fail(f"the marker {_MARK} does nothing in a test without the fixture {_MARK}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Collect what a test and its fixtures prepare, each test its own."""
    with _expectations.collected():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that has not used what was prepared for it."""
    result = yield
    unused = _expectations.unused()
    if unused:
        pytest.fail(unused, pytrace=False)
    return result


@pytest.fixture
def novaact_service(request: pytest.FixtureRequest) -> Iterator[LocalService]:
    """A `LocalService` that runs during the test, configured by the test's markers `novaact_service`."""
    from novaact_http.testing import LocalService

    faults: list[str] = []
    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(_MARK))):  # the nearest comes last, so its options win
        faults = [*mark.args, *faults]
        options |= mark.kwargs
    allow_unused = options.pop("allow_unused", False)
    with LocalService(**options) as service:
        for fault in faults:
            service.inject(fault, allow_unused=allow_unused)
        yield service


@pytest.fixture
def novaact_environ(novaact_service: LocalService, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment, which has the settings of `novaact_service`, for applications that make their own client."""
    from novaact_http.testing._local_service.service import VARIABLES_IN_THE_WAY

    for name, value in novaact_service.environ.items():
        monkeypatch.setenv(name, value)
    for name in VARIABLES_IN_THE_WAY:
        if name not in novaact_service.environ:
            monkeypatch.delenv(name, raising=False)
    return novaact_service.environ


@pytest.fixture
def novaact_client(novaact_service: LocalService) -> Iterator[Client]:
    """A `Client` that talks to `novaact_service`. It retries as by default, but without waiting."""
    from novaact_http import Client

    with Client(**_client_options(novaact_service)) as client:
        yield client


@pytest.fixture
def novaact_async_client(novaact_service: LocalService) -> Iterator[AsyncClient]:
    """An `AsyncClient` that talks to `novaact_service`, for tests with pytest-asyncio or anyio (on asyncio).

    It retries as by default, but without waiting.
    """
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
    from novaact_http import RetryPolicy

    return {
        "retries": RetryPolicy(rng=lambda: 0.0),
        "region": service.region,
        "endpoint_url": service.url,
        "credentials": service.get_credentials,
        "verify": service.ca_file,
    }
