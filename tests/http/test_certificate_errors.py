"""Errors about certificates are not tried again, as the same certificate comes back: for all ways to connect."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme

from novaact_http import LeanAsyncTransport, LeanTransport, RetryPolicy
from novaact_http.errors import TransportError
from tests.helpers.both_clients import Face, SyncFace
from tests.helpers.calls import CALL, OPTIONS, mocked
from tests.helpers.servers import Peer, Server, serve

if TYPE_CHECKING:
    from pathlib import Path

PATIENT = RetryPolicy(max_attempts=3, rng=lambda: 0.0)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def served_with(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def way(face: Face, kind: str, bundle: str) -> dict[str, Any]:
    """Return the options for one way to connect."""
    if kind == "own":
        return {"verify": bundle}
    context = ssl.create_default_context(cafile=bundle)
    if kind == "lean":
        return {"transport": (LeanTransport if isinstance(face, SyncFace) else LeanAsyncTransport)(verify=context)}
    stock = httpx.HTTPTransport if isinstance(face, SyncFace) else httpx.AsyncHTTPTransport
    return {"transport": stock(verify=context)}


def failure(face: Face, server: Server, **options: Any) -> TransportError:
    options = {**OPTIONS, "endpoint_url": f"https://localhost:{server.port}", "retries": PATIENT, **options}
    with pytest.raises(TransportError) as caught:
        face.page(options, **CALL)
    server.errors.clear()  # handshakes that failed
    return caught.value


@pytest.mark.parametrize("kind", ["own", "lean", "httpx's"])
@pytest.mark.parametrize("fault", ["untrusted", "of another host", "expired"])
def test_a_bad_certificate_of_the_server_is_looked_at_once(
    face: Face, ca: trustme.CA, bundle: str, fault: str, kind: str
) -> None:
    certificate = {
        "untrusted": lambda: trustme.CA().issue_cert("localhost"),
        "of another host": lambda: ca.issue_cert("elsewhere.example"),
        "expired": lambda: ca.issue_cert("localhost", not_after=dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc)),
    }[fault]()
    with Server(serve, tls=served_with(certificate)) as server:
        error = failure(face, server, **way(face, kind, bundle))
        assert server.accepted == error.attempts == 1
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert not error.request_sent


@pytest.mark.parametrize("reason", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA"])
def test_a_server_that_refuses_the_certificate_of_this_machine_is_asked_once(face: Face, reason: str) -> None:
    asked = []

    def handler(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        alert = ssl.SSLError(1, f"[SSL: {reason}]")
        alert.reason = reason
        raise httpx.ReadError("") from alert

    with pytest.raises(TransportError) as caught:
        face.page({**mocked(handler), "retries": PATIENT}, **CALL)
    assert len(asked) == caught.value.attempts == 1


def test_a_bad_certificate_of_a_proxy_is_looked_at_once(
    face: Face, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(serve, tls=served_with(trustme.CA().issue_cert("localhost"))) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{server.port}")
        error = failure(face, server, endpoint_url="https://nova-act.example", verify=bundle)
        assert server.accepted == error.attempts == 1
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)


@pytest.mark.parametrize("kind", ["own", "lean", "httpx's"])
def test_another_failure_of_tls_is_tried_again(face: Face, bundle: str, kind: str) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1)  # older Pythons leave a socket open that is reset before TLS begins
        peer.reset()

    with Server(script) as server:
        error = failure(face, server, **way(face, kind, bundle))
        assert server.accepted == error.attempts == 3
