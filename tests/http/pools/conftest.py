"""Pools of each kind, without TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.pool_drivers import DRIVERS, Driver, MakeDriver, made_by

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    return make_driver()


@pytest.fixture(params=DRIVERS[:2], ids=["sync", "async"])
def make_patchable(request: pytest.FixtureRequest) -> Iterator[MakeDriver]:
    """Pools for which a test can replace `getaddrinfo`: uvloop asks the system itself."""
    yield from made_by(request)
