"""What several tests of the command line share: a service without definitions, and a locale that can draw lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from novaact_http.cli import _lines
from novaact_http.testing import LocalService

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bare_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalService]:
    """A local service without definitions, an environment that points to it, and a locale that has all characters."""
    monkeypatch.setattr(_lines, "_encoding_of", lambda _: "utf-8")
    with LocalService(definitions={}) as service:
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def now() -> float:
    """The time in whole seconds, so that it is the same to the service and the command."""
    return float(int(time.time()))
