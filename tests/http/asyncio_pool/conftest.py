"""The pool on asyncio and on uvloop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.pool_drivers import DRIVERS, AsyncDriver, made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=DRIVERS[1:], ids=["asyncio", "uvloop"])
def make_driver(request: pytest.FixtureRequest) -> Iterator[Callable[..., AsyncDriver]]:
    yield from made_by(request)  # type: ignore[misc] # all of these are


@pytest.fixture
def driver(make_driver: Callable[..., AsyncDriver]) -> AsyncDriver:
    return make_driver(max_connections=1)


@pytest.fixture
def asyncio_driver() -> Iterator[AsyncDriver]:
    """A pool on asyncio's own loop, for tests that replace its functions or depend on the order of its callbacks."""
    driver = AsyncDriver(max_connections=1)
    yield driver
    driver.end()
