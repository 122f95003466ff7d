"""Fixtures of the tests of the local service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from novaact_http.testing import LocalService
from tests.helpers.calls import NOW, TEMPORARY_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def at_now() -> Iterator[LocalService]:
    """A service whose clock stands still at `NOW`, so that signatures of that time stay valid."""
    with LocalService(clock=lambda: NOW, credentials=TEMPORARY_KEYS) as running:
        yield running
