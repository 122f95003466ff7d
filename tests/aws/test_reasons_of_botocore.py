"""Why botocore's chain failed: the provider that was asked, and the file, the member or the place that is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from botocore.credentials import SSOCredentialFetcher
from botocore.utils import JSONFileCache

from novaact_http import CredentialsError
from tests.helpers.calls import CALL, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.helpers.both_clients import Face

SECRET = "s3cr3t-s3cr3t-s3cr3t"
SSO = """
sso_start_url = https://x.example
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = r
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # As botocore names them when it is imported.
    monkeypatch.setattr("botocore.utils.JSONFileCache.CACHE_DIR", str(tmp_path / "boto"))
    monkeypatch.setattr("botocore.credentials.JSONFileCache.CACHE_DIR", str(tmp_path / "boto"))
    (tmp_path / ".aws").mkdir()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / ".aws/config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / ".aws/credentials"))
    return tmp_path


def failure(face: Face, credentials: object = None) -> CredentialsError:
    with pytest.raises(CredentialsError) as caught:
        face.page({**OPTIONS, "credentials": credentials}, **CALL)
    assert SECRET not in repr(caught.value.__cause__)
    return caught.value


def config(home: Path, text: str) -> None:
    (home / ".aws/config").write_text(f"[default]\n{text}\n")


def test_a_program_that_is_not_there_is_named(face: Face, home: Path) -> None:
    config(home, f"credential_process = /no/such/program {SECRET}")
    assert str(failure(face)) == (
        "botocore's chain of providers: custom-process failed: "
        "FileNotFoundError: No such file or directory: '/no/such/program'"
    )


def test_a_program_that_must_not_run_is_named(face: Face, home: Path) -> None:
    (home / "program").write_text("")
    config(home, f"credential_process = {home / 'program'} {SECRET}")
    assert str(failure(face)) == (
        "botocore's chain of providers: custom-process failed: "
        f"PermissionError: Permission denied: '{home / 'program'}'"
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (f'{{"Version": 1, "SecretAccessKey": "{SECRET}', "JSONDecodeError: Unterminated string starting at (line 1, "),
        (f"{SECRET}\nnot JSON", "JSONDecodeError: Expecting value (line 1, column 1)"),
        ("", "JSONDecodeError: Expecting value (line 1, column 1)"),
        (f'{{"Version": 1,\n"AccessKeyId": "a", "{SECRET}"}}', "JSONDecodeError: Expecting ':' delimiter (line 2, col"),
    ],
)
def test_broken_json_of_a_program_is_placed_and_not_quoted(face: Face, home: Path, output: str, reason: str) -> None:
    (home / "program.py").write_text(f"print({output!r}, end='')")
    config(home, f"credential_process = {sys.executable} {home / 'program.py'}")
    error = failure(face)
    assert str(error).startswith(f"botocore's chain of providers: custom-process failed: {reason}")
    assert SECRET not in str(error)
    assert error.source == "botocore's chain of providers: custom-process"


def test_output_of_a_program_that_is_no_text_is_placed(face: Face, home: Path) -> None:
    (home / "program.py").write_text("import sys; sys.stdout.buffer.write(b'{\\xff')")
    config(home, f"credential_process = {sys.executable} {home / 'program.py'}")
    assert str(failure(face)) == (
        "botocore's chain of providers: custom-process failed: UnicodeDecodeError: invalid start byte (byte 1)"
    )


def test_a_web_identity_token_that_is_not_there_is_named(
    face: Face, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(home / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")
    assert str(failure(face)) == (
        "botocore's chain of providers: assume-role-with-web-identity failed: "
        f"FileNotFoundError: No such file or directory: '{home / 'token'}'"
    )


def sso_cache(home: Path) -> Path:
    folder = home / ".aws/sso/cache"
    folder.mkdir(parents=True)
    return folder / f"{hashlib.sha1(b'https://x.example', usedforsecurity=False).hexdigest()}.json"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "SSOTokenLoadError: Error loading SSO Token: Token for https://x.example does not exist"),
        ("{}", "SSOTokenLoadError: Error loading SSO Token: Token for https://x.example is invalid"),
        (f'{{"accessToken": "{SECRET}', "KeyError"),
    ],
)
def test_a_file_of_the_sso_cache_that_cannot_be_used_is_named(
    face: Face, home: Path, content: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sso_cache(home)
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(path.parent))
    if content is not None:
        path.write_text(content)
    config(home, SSO)
    assert str(failure(face)) == f"botocore's chain of providers: sso failed: {reason}: the file {str(path)!r}"


def test_a_missing_member_of_cached_credentials_is_named_with_the_file(
    face: Face, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sso_cache(home)
    path.write_text(json.dumps({"accessToken": SECRET, "expiresAt": "2099-01-01T00:00:00Z"}))
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(path.parent))
    config(home, SSO)
    cached = home / "boto"
    cached.mkdir()
    session = boto3.Session()._session
    resolver = session.get_component("credential_provider")
    resolver.get_provider("sso").cache = JSONFileCache(str(cached))
    made: list[str] = []
    original: Callable[[Any], str] = SSOCredentialFetcher._create_cache_key

    def recorded(self: Any) -> str:
        made.append(original(self))
        (cached / f"{made[-1]}.json").write_text(json.dumps({"Secret": SECRET, "at": time.time()}))
        return made[-1]

    monkeypatch.setattr(SSOCredentialFetcher, "_create_cache_key", recorded)
    error = failure(face, session)
    assert str(error) == (
        "the argument credentials (a Session): sso failed: KeyError: Credentials is missing: "
        f"the file {str(cached / (made[0] + '.json'))!r}"
    )


def test_a_configuration_file_that_botocore_cannot_read_is_named(face: Face, home: Path) -> None:
    path = home / "broken"
    path.write_text(f"[default\naws_secret_access_key = {SECRET}\n")
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(path))
    assert str(failure(face, session)) == (
        f"the argument credentials (a Session) failed: ConfigParseError: {str(path)!r}"
    )


def test_an_error_of_the_users_own_function_shows_nothing_more(face: Face) -> None:
    def fetch() -> Any:
        return json.loads(SECRET)

    assert str(failure(face, fetch)) == "the argument credentials (the function fetch) failed: JSONDecodeError"
