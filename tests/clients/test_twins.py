"""The methods of `AsyncClient` are those of `Client`."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from novaact_http._clients.async_methods import AsyncMethods
from novaact_http._clients.methods import Methods
from tests.clients.twins import TWIN, twin

NAMES = [name for name in vars(Methods) if not name.startswith("_")]


def test_the_file_is_what_make_twins_writes() -> None:
    assert TWIN.read_text(encoding="utf-8") == twin(), "run `make twins`"


@pytest.mark.parametrize("name", NAMES)
def test_a_twin_takes_the_same_and_is_awaited(name: str) -> None:
    method: Any = getattr(Methods, name)
    of_async: Any = getattr(AsyncMethods, name)
    ours, theirs = (dict(inspect.signature(each).parameters) for each in (method, of_async))
    if name.startswith("iter_"):
        del theirs["prefetch"]
    else:
        assert inspect.iscoroutinefunction(of_async)
    assert list(ours.values()) == list(theirs.values())
    assert method.__doc__.split("Args:")[1] != ""
    documented = inspect.getdoc(of_async) or ""
    assert all(f"\n    {each}: " in documented for each in inspect.signature(of_async).parameters if each != "self")
