"""TLS contexts: when they are made, what they trust, and what `verify` may be."""

from __future__ import annotations

import ssl
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import (
    AsyncClient,
    Client,
    ConfigurationError,
)
from novaact_http._http import tls
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.both_clients import Face


def test_there_is_one_context_for_a_ca_bundle_in_the_process() -> None:
    import certifi

    path = certifi.where()
    assert tls.provider(None, scheme="https")() is tls.provider(None, scheme="https")()
    assert tls.provider(path, scheme="https")() is tls.provider(Path(path), scheme="https")()
    assert tls.provider(path, scheme="https")() is not tls.provider(None, scheme="https")()


def test_threads_that_ask_at_once_build_one_context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    built: list[str | None] = []

    def slowly(ca_bundle: str | None, source: str) -> ssl.SSLContext:
        built.append(ca_bundle)
        threading.Event().wait(0.01)  # long enough for the others to come in, if there were no lock
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(tls, "_build", slowly)
    make = tls.provider(tmp_path, scheme="https")

    def ask() -> None:
        barrier.wait()
        make()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == [str(tmp_path)]


def test_contexts_are_made_when_needed_and_verify() -> None:
    code = """
        import ssl, novaact_http
        made = []
        original = ssl.create_default_context
        ssl.create_default_context = lambda **options: made.append(options) or original(**options)
        client = novaact_http.Client(region='us-east-1')
        assert made == [], made
        context = client._tls()
        assert len(made) == 1
        assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
        assert context.cert_store_stats()['x509_ca'] > 50
    """
    run_python("-c", code)


def test_a_plain_http_endpoint_reads_no_certificates() -> None:
    context = tls.provider("/no/such/file", scheme="http")()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.cert_store_stats()["x509_ca"] == 0


def test_a_context_of_the_users_is_used_as_it_is() -> None:
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert tls.provider(mine, scheme="https")() is mine
    assert tls.provider(mine, scheme="http")() is mine


def test_a_directory_of_certificates_is_all_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    original = ssl.create_default_context

    def watched(**options: Any) -> ssl.SSLContext:
        asked.append(options)
        return original(**options)

    monkeypatch.setattr(ssl, "create_default_context", watched)
    assert tls.provider(tmp_path, scheme="https")().verify_mode is ssl.CERT_REQUIRED
    assert asked == [{"capath": str(tmp_path)}]


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_ca_bundle_that_cannot_be_used_is_named(face: Face, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    problem = r"^the argument verify is '.*ca\.pem', which cannot be used as a CA bundle \("
    with pytest.raises(ConfigurationError, match=problem) as caught:
        face.page({**OPTIONS, "endpoint_url": "https://127.0.0.1:9", "verify": str(path)}, **CALL)
    error = caught.value
    assert (error.setting, error.source) == ("verify", "the argument verify")
    assert error.advice == "use the path of a PEM file, or of a directory of hashed ones"


@pytest.mark.parametrize("make", [Client, AsyncClient])
@pytest.mark.parametrize("verify", [False, True, 7, "", b"ca.pem", pytest.param(10**5000, id="huge")])
def test_verification_cannot_be_turned_off_by_accident(make: Callable[..., Any], verify: Any) -> None:
    problem = r"^the argument verify is .*, which is not the path of a CA bundle"
    with pytest.raises(ConfigurationError, match=problem) as caught:
        make(**OPTIONS, verify=verify)
    assert caught.value.setting == "verify"


def test_a_path_that_no_file_can_have_is_refused(face: Face) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        face.page({**OPTIONS, "endpoint_url": "https://127.0.0.1:9", "verify": "a\0b"}, **CALL)


@pytest.fixture
def system_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of certificates that the system trusts, which is empty. certifi is not installed."""
    monkeypatch.setitem(sys.modules, "certifi", None)
    monkeypatch.setattr(tls, "_contexts", tls._Contexts())
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    return tmp_path


def test_without_certifi_the_folder_of_the_system_is_trusted(system_store: Path) -> None:
    (system_store / "0123abcd.0").touch()
    context = tls.provider(None, scheme="https")()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context is tls.provider(None, scheme="https")()


@pytest.mark.usefixtures("system_store")
def test_without_certifi_the_file_of_the_system_is_trusted(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", bundle)
    assert tls.provider(None, scheme="https")().cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_system_that_trusts_nobody_is_an_error(
    system_store: Path, monkeypatch: pytest.MonkeyPatch, *, has_folder: bool
) -> None:
    if not has_folder:
        monkeypatch.setenv("SSL_CERT_DIR", str(system_store / "none"))
    with pytest.raises(ConfigurationError) as caught:
        tls.provider(None, scheme="https")()
    assert str(caught.value) == (
        "the system's trust store has no CA certificates: install the system's package ca-certificates, "
        "pip install certifi, or pass the path of a CA bundle"
    )
    assert (caught.value.setting, caught.value.source) == ("verify", "the system's trust store")
