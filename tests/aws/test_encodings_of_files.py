"""Configuration files that an editor or a shell has saved in another encoding: the error says so."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from novaact_http import Client
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "[default]\nregion = us-east-1\n# café\naws_secret_access_key = s3cr3ts3cr3t\n"


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (TEXT.encode("utf-8-sig"), "begins with a byte order mark"),
        (TEXT.encode("utf-16"), "is in UTF-16, not in UTF-8"),
        (TEXT.encode("utf-16-le"), "is in UTF-16, not in UTF-8"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "is in UTF-16, not in UTF-8"),
        (TEXT.replace("é", "e").encode("utf-16-be"), "is in UTF-16, not in UTF-8"),
        (TEXT.encode("latin-1"), "is not in UTF-8 (line 3)"),
        (TEXT.encode("cp1252").replace(b"\n", b"\r\n"), "is not in UTF-8 (line 3)"),
    ],
    ids=["UTF-8 with a mark", "UTF-16", "no mark", "big-endian", "big-endian without a mark", "Latin-1", "Windows"],
)
def test_a_file_in_another_encoding_is_named_with_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, data: bytes, problem: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    monkeypatch.setenv(variable, str(path))
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ConfigurationError) as caught:
        Client()
    assert str(caught.value) == (
        f"the file {str(path)!r} {problem}: save it as UTF-8 without a byte order mark, or set {variable} to the path "
        "of another"
    )
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_utf_8_with_any_ends_of_lines_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    path = tmp_path / "config"
    path.write_bytes(TEXT.replace("\n", end).encode())
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with Client() as client:
        assert "us-east-1" in repr(client)
