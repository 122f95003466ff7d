"""What a broken source of credentials said is in no error, nor in its causes and contexts, their attributes, a pickle.

The sources are botocore's: programs, and the endpoint of containers. What they give holds a secret, and is broken.
"""

from __future__ import annotations

import contextlib
import gc
import json
import pickle
import sys
import threading
import traceback
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import botocore.credentials
import pytest

from novaact_http import CredentialsError
from tests.helpers.calls import CALL, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.both_clients import Face

SECRET = "wJalrXUtnFEMIxK7MDENGxbPxRfiCYSecretKey1"
WHOLE = json.dumps({"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": SECRET, "SessionToken": SECRET})
BROKEN = {
    "cut off": WHOLE[:-1].encode(),
    "followed by more": f"{WHOLE} {WHOLE}".encode(),
    "not UTF-8": WHOLE.encode("utf-16"),
    "Latin-1": WHOLE.replace("AKIA", "\xff").encode("latin-1"),
    "a list": f"[{WHOLE}]".encode(),
    "text": json.dumps(f"SecretAccessKey={SECRET}").encode(),
    "another version": json.dumps({"Version": json.loads(WHOLE)}).encode(),
    "no expiration": json.dumps({**json.loads(WHOLE), "Expiration": f"not {SECRET}"}).encode(),
    "a strange expiration": json.dumps({**json.loads(WHOLE), "Expiration": json.loads(WHOLE)}).encode(),
    "too deep": b"[" * 100_000 + WHOLE.encode(),
}


def check(error: BaseException) -> None:
    """Assert that nothing that an error leads to has the secret, except the variables of functions."""
    pending: list[Any] = [error]
    seen: set[int] = set()
    while pending:
        each = pending.pop()
        if id(each) in seen or isinstance(each, (type, types.ModuleType, types.TracebackType, types.FunctionType)):
            continue
        seen.add(id(each))
        pending += gc.get_referents(each)
        if isinstance(each, BaseException):
            pending += [getattr(each, name, None) for name in ("doc", "object", "obj", "output", "stderr")]
        if isinstance(each, bytes):
            assert SECRET.encode() not in each.replace(b"\0", b"")
        elif isinstance(each, (str, BaseException)):
            assert SECRET not in str(each) + repr(each)
    assert SECRET not in "".join(traceback.format_exception(error))
    with contextlib.suppress(TypeError, AttributeError):  # not all of botocore's errors can be pickled
        assert SECRET.encode() not in pickle.dumps(error.__cause__)
    assert SECRET.encode() not in pickle.dumps(error)


def fails(face: Face, **options: Any) -> CredentialsError:
    with pytest.raises(CredentialsError) as caught:
        face.page({**OPTIONS, "credentials": None, **options}, **CALL)
    return caught.value


@pytest.mark.parametrize("program", BROKEN)
def test_what_a_program_printed_is_not_kept(
    face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / "printed").write_bytes(BROKEN[program])
    (tmp_path / "program.py").write_text(
        f"import sys; sys.stdout.buffer.write(open({str(tmp_path / 'printed')!r}, 'rb').read())"
    )
    config(tmp_path, monkeypatch, f"credential_process = {sys.executable} {tmp_path / 'program.py'}")
    error = fails(face, profile="dev")
    assert "failed: " in str(error)
    check(error)


def config(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    (folder / "config").write_text(f"[profile dev]\n{lines}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)


def test_what_a_program_that_failed_said_first_is_kept_and_no_more(
    face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"the vault is sealed\\n+ AWS_SECRET_ACCESS_KEY={SECRET}"
    (tmp_path / "program.py").write_text(f"import sys; sys.exit({said!r}.replace(chr(92) + 'n', chr(10)))")
    config(tmp_path, monkeypatch, f"credential_process = {sys.executable} {tmp_path / 'program.py'}")
    error = fails(face, profile="dev")
    assert "the vault is sealed" in str(error)
    check(error)


def test_a_program_that_is_not_there_is_named(face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path, monkeypatch, f"credential_process = {tmp_path / 'gone'}")
    cause = fails(face, profile="dev").__cause__
    assert isinstance(cause, FileNotFoundError)
    assert cause.filename == str(tmp_path / "gone")


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the endpoint of containers answers: its status and its body."""
    answer: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.send_header("Content-Length", str(len(answer["body"])))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_address[1]}/")
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    yield answer
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [200, 203, 500])
@pytest.mark.parametrize("body", BROKEN)
def test_what_a_containers_endpoint_said_is_not_kept(
    face: Face, container: dict[str, Any], status: int, body: str
) -> None:
    container.update(status=status, body=BROKEN[body])
    check(fails(face))


def test_what_an_error_of_the_users_own_function_holds_is_the_users(face: Face) -> None:
    def refresh() -> Any:
        return json.loads("{")

    theirs = botocore.credentials.DeferredRefreshableCredentials(refresh, "test")
    cause = fails(face, credentials=theirs).__cause__
    assert isinstance(cause, json.JSONDecodeError)
    assert cause.doc == "{"
