"""The public interface is what `tests/api.txt` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novaact_http import Client, errors, testing
from tests import public_api as api

if TYPE_CHECKING:
    import pytest


def test_the_public_interface_is_as_written_down() -> None:
    assert api.describe() == api.FILE.read_text(), "if that is wanted: make api, and a line in CHANGELOG.md"


def test_a_change_of_any_kind_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def list_sessions(self: Client, *, name: str) -> None: ...

    def constructor(self: object, message: str, **_: object) -> None: ...

    for where, name, value in (
        (Client, "list_sessions", list_sessions),
        (Client, "more", property(lambda _: None)),
        (errors.TransportError, "__init__", constructor),
        (testing, "__all__", ["LocalService"]),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, value, raising=False)
            assert api.describe() != api.FILE.read_text(), name
    assert api.describe() == api.FILE.read_text()
