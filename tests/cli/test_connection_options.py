"""The options of a connection, and what an error says of them: certificates, timeouts, proxies."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

import novaact_http
from novaact_http import Client, Timeout
from tests.helpers.command import list_sessions
from tests.helpers.servers import Server, always, never

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from novaact_http.testing import LocalService


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_url(ca: trustme.CA) -> Iterator[str]:
    """The URL of a server that has a certificate of the CA, and answers every request with 418."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    answer = always(b"HTTP/1.1 418 Teapot\r\nContent-Length: 2\r\n\r\n{}")
    with Server(answer, answer, answer, answer, tls=context) as server:
        yield f"https://127.0.0.1:{server.port}"


def test_an_untrusted_certificate_comes_with_how_to_trust_it(
    tls_url: str, ca: trustme.CA, tmp_path: Path, world: LocalService
) -> None:
    ca_bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_bundle))
    once = ("--max-attempts", "1", "--endpoint-url", tls_url)
    refused = list_sessions(world.runs[0], *once)
    assert refused.exit_code == 255
    assert (
        f"the endpoint is {tls_url} (from --endpoint-url); to trust its certificate, pass that of its CA"
        in refused.stderr
    )
    assert "--ca-bundle" in refused.stderr
    for trusting in (["--ca-bundle", str(ca_bundle)], ["--no-verify-ssl"]):
        answered = list_sessions(world.runs[0], *once, *trusting)
        assert "CERTIFICATE_VERIFY_FAILED" not in answered.stderr
        assert answered.exit_code == 254
        assert "418" in answered.stderr
        warned = "warning: with --no-verify-ssl no certificate is checked" in answered.stderr
        assert warned is (trusting == ["--no-verify-ssl"])
    both = list_sessions(world.runs[0], *once, "--no-verify-ssl", "--ca-bundle", str(ca_bundle))
    assert "can read and replay requests; --ca-bundle is not used\n" in both.stderr
    missing = list_sessions(world.runs[0], *once, "--ca-bundle", "/no/such/file")
    assert missing.exit_code == 253
    assert "--ca-bundle is '/no/such/file', which cannot be used as a CA bundle ([" in missing.stderr


def test_a_timeout_names_the_options_for_longer_ones(world: LocalService) -> None:
    with Server(never) as silent:
        url = f"http://127.0.0.1:{silent.port}"
        options = ("--endpoint-url", url, "--max-attempts", "1", "--cli-read-timeout", "0.01")
        result = list_sessions(world.runs[0], *options)
    assert result.exit_code == 255
    assert "--cli-connect-timeout and --cli-read-timeout give it more time" in result.stderr


def test_zero_means_no_limit_as_in_the_aws_cli(world: LocalService) -> None:
    result = list_sessions(world.runs[0], "--output", "ids", "--cli-read-timeout", "0", "--cli-connect-timeout", "0")
    assert result.exit_code == 0
    assert list_sessions(world.runs[0], "--cli-read-timeout", "-1").exit_code == 252


def test_timeouts_are_passed_to_the_client(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Timeout] = []

    def client(**options: Any) -> Client:
        asked.append(options["timeout"])
        return Client(**options)

    monkeypatch.setattr(novaact_http, "Client", client)
    list_sessions(world.runs[0])
    list_sessions(world.runs[0], "--cli-read-timeout", "0", "--cli-connect-timeout", "0")
    list_sessions(world.runs[0], "--cli-read-timeout", "7", "--cli-connect-timeout", "1.5")
    year = 365 * 24 * 60 * 60
    assert asked == [Timeout(), Timeout(connect=year, read=year), Timeout(connect=1.5, read=7)]


def test_a_proxys_password_is_never_shown(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:password@127.0.0.1:1")
    result = list_sessions(world.runs[0], "--endpoint-url", "https://example.com", "--debug", "--max-attempts", "1")
    assert result.exit_code == 255
    assert "Traceback" in result.stderr
    assert "password" not in result.stderr
