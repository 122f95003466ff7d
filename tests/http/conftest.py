"""Pools of each kind, and certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from tests.helpers.pool_drivers import DRIVERS, MakeDriver, made_by

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=DRIVERS, ids=["sync", "async", "uvloop"])
def make_driver(request: pytest.FixtureRequest) -> Iterator[MakeDriver]:
    """A function that makes pools of each kind."""
    yield from made_by(request)


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def bundle(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a file with the certificate of that CA."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)
