"""What errors say of a proxy: its URL without the password, and the variable that it came from."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from novaact_http import Timeout
from novaact_http.errors import ConfigurationError, TransportError
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.servers import BlackHole, Server, answers, closed_port

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

ENDPOINT = {"endpoint_url": "https://nova-act.example"}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("user", ["", "user:s3cr3t@", "user:s3cr3t@s3cr3t@", "user@"])
def test_a_proxy_that_is_gone_is_named_without_its_password(
    face: Face, monkeypatch: pytest.MonkeyPatch, user: str, variable: str
) -> None:
    port = closed_port()
    monkeypatch.setenv(variable, f"http://{user}127.0.0.1:{port}")
    with pytest.raises(TransportError) as caught:
        face.page(OPTIONS | ENDPOINT, **CALL)
    proxy = f"the proxy http://127.0.0.1:{port} of {variable}"
    assert str(caught.value).startswith(f"no response from https://nova-act.example through {proxy}: ConnectError")
    assert not caught.value.request_sent
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b""],
)
def test_a_proxy_that_refuses_is_named_too(face: Face, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    with Server(answers(answer)) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{server.port}")
        with pytest.raises(TransportError, match=f"the proxy http://127.0.0.1:{server.port} of HTTPS_PROXY: "):
            face.page(OPTIONS | ENDPOINT, **CALL)


@pytest.mark.parametrize("user", ["", "user:s3cr3t@"])
def test_a_proxy_that_wants_a_password_has_advice(face: Face, monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    with Server(answers(b"HTTP/1.1 407 \r\nContent-Length: 0\r\n\r\n")) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}127.0.0.1:{server.port}")
        with pytest.raises(TransportError) as caught:
            face.page(OPTIONS | ENDPOINT, **CALL)
    assert (
        "; the proxy wants a user name and password: put the right ones into its URL, as in "
        "http://user:password@proxy:8080 (request not sent, "
    ) in str(caught.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_a_proxy_with_an_ipv6_address_is_named_too(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cr3t@[::1]:1/path?query")
    with pytest.raises(TransportError, match=r" through the proxy http://\[::1\]:1 of HTTPS_PROXY: "):
        face.page(OPTIONS | ENDPOINT, **CALL)


@pytest.mark.parametrize("url", ["http://user:{}@p:1", "http://p:1/{}", "http://p:1/?{}"])
def test_a_proxys_url_that_httpx_refuses_is_a_configuration_error(
    face: Face, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url.format("s3cr3t" * 11_000))
    with pytest.raises(ConfigurationError) as caught:
        face.page(OPTIONS | ENDPOINT, **CALL)
    assert str(caught.value) == (
        "HTTPS_PROXY is not the URL of a proxy that httpx can use: use one such as http://proxy:8080"
    )
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_without_a_proxy_none_is_named(face: Face) -> None:
    with BlackHole() as hole, pytest.raises(TransportError) as caught:
        options = {"endpoint_url": f"http://127.0.0.1:{hole.port}", "timeout": Timeout(connect=0.01)}
        face.page(OPTIONS | options, **CALL)
    assert "proxy" not in str(caught.value)
