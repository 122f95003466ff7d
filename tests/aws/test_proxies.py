"""Proxies that the environment names, compared with boto3's."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import Client, ConfigurationError, ServiceError, TransportError
from novaact_http._aws import settings as settings_module
from novaact_http._http.httpx_sender import _proxy
from tests.helpers.calls import OPTIONS, call_for, options_for

if TYPE_CHECKING:
    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face


def resolve(environ: dict[str, str] | None = None, **arguments: Any) -> settings_module.Settings:
    return settings_module.resolve(**arguments, environ=environ or {})


proxy_environments = st.dictionaries(
    st.sampled_from(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"]),
    st.sampled_from(
        ["", "http://p:1", "p:2", "//p:3", "http://u:p@p:4", "*", "h.example", ".example", "example,h2", "H.EXAMPLE:80"]
    ),
)


@given(
    proxy_environments,
    st.sampled_from(["http://h.example", "https://h.example", "http://h2:8080", "http://h.example:80"]),
)
@example({"HTTP_PROXY": "http://p:1", "NO_PROXY": "H.EXAMPLE:80"}, "http://h.example:80")
@example({"HTTP_PROXY": "http://p:1", "http_proxy": ""}, "http://h.example")
@example({"HTTP_PROXY": "http://p:1", "NO_PROXY": "h.example", "no_proxy": ""}, "http://h.example")
def test_the_proxy_is_the_same_as_boto3s(environ: dict[str, str], endpoint_url: str) -> None:
    proxies = {name: value for name, value in environ.items() if "no" in name.lower() or ":" in value or value == ""}
    with mock.patch.dict(os.environ, proxies, clear=True):
        theirs = ProxyConfiguration(get_environ_proxies(endpoint_url)).proxy_url_for(endpoint_url)
    ours = resolve(proxies, region="us-east-1", endpoint_url=endpoint_url)
    assert ours.proxy_url == theirs
    assert "u:p" not in repr(ours)


def test_the_proxy_header_of_a_cgi_request_is_not_trusted() -> None:
    environ = {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}
    assert resolve(environ, region="us-east-1", endpoint_url="http://h.example").proxy_url is None
    environ = {"HTTPS_PROXY": "http://proxy:1", "REQUEST_METHOD": "GET"}
    assert resolve(environ, region="us-east-1", endpoint_url="https://h.example").proxy_url == "http://proxy:1"


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://u:secret@:1",
        "http://p:x",
        "http://p:0",
        "http://[p",
        "http://p:99999",
        "http://u:secret@p:1\n",
        "http://1.2.3.400",
        "socks5://u:secret@p:1",
        "http://p_",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_malformed_proxy_url_is_refused_and_not_shown(name: str, url: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=f"^{name} is not the URL of an http:// or https:// proxy: "
        "use one such as http://proxy:8080; SOCKS proxies are not supported$",
    ):
        resolve({name: url}, region="us-east-1")


def test_requests_go_through_the_proxy(face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    # The local service serves as a proxy: it answers requests to any host.
    monkeypatch.setenv("HTTP_PROXY", service.url.removeprefix("http://"))
    with pytest.warns(UserWarning, match="not encrypted"), pytest.raises(ServiceError):
        face.page({**options_for(service), "endpoint_url": "http://nova-act.example"}, **call_for(service.runs[0]))
    assert service.requests[0].target.startswith("http://nova-act.example/workflow-definitions/")


def test_a_proxy_that_speaks_tls_is_trusted_as_the_endpoint_is(monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.create_default_context()
    made = _proxy(("https://p:1", "HTTPS_PROXY"), tls)
    assert made is not None
    assert made.ssl_context is tls
    plain = _proxy(("http://p:1", "HTTPS_PROXY"), tls)
    assert plain is not None
    assert plain.ssl_context is None
    # With an endpoint of http:// too, whose own context would trust no certificate.
    monkeypatch.setenv("HTTP_PROXY", "https://p:1")
    with Client(**OPTIONS) as client:
        assert client._tls().cert_store_stats()["x509_ca"] > 0


def test_tls_goes_through_a_tunnel(face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", service.url)
    with pytest.raises(TransportError) as caught:
        face.page({**options_for(service), "endpoint_url": "https://nova-act.example"}, **call_for(service.runs[0]))
    assert not caught.value.request_sent
    assert (service.requests[0].method, service.requests[0].target) == ("CONNECT", "nova-act.example:443")
