"""The public names of the testing kit."""

from __future__ import annotations

import inspect

import pytest

from novaact_http import testing


def test_every_public_name_of_the_kit_exists() -> None:
    assert set(testing.__all__) <= set(dir(testing))
    for name in testing.__all__:
        assert inspect.isclass(getattr(testing, name)) or inspect.isfunction(getattr(testing, name))
    with pytest.raises(AttributeError, match=r"module 'novaact_http.testing' has no attribute 'Lokal'"):
        _ = testing.Lokal  # type: ignore[attr-defined]
