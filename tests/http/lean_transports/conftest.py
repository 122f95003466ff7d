"""httpx's clients with our transports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.httpx_clients import HttpxClient

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def client(asynchronous: bool) -> Iterator[HttpxClient]:
    with HttpxClient(asynchronous=asynchronous) as made:
        yield made
