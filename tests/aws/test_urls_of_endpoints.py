"""URLs of endpoints and proxies that look usable and are not."""

from __future__ import annotations

import pytest

from novaact_http import Client
from novaact_http.errors import ConfigurationError
from tests.helpers.calls import OPTIONS

BRACKETS = ["[v1.x]", "[vF.example]", "[v1.x:y]", "[127.0.0.1]", "[localhost]", "[]", "[fe80::1%eth0]", "[::1"]


@pytest.mark.parametrize("host", BRACKETS)
def test_brackets_hold_an_ipv6_address_and_nothing_else(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"^the argument endpoint_url is 'http://\["):
        Client(**OPTIONS | {"endpoint_url": f"http://{host}/"})
    monkeypatch.setenv("HTTP_PROXY", f"http://{host}:80")
    with pytest.raises(ConfigurationError, match=r"^HTTP_PROXY is not the URL of an http:// or https:// proxy"):
        Client(**OPTIONS | {"endpoint_url": "http://127.0.0.1"})


@pytest.mark.parametrize("dots", ["%2e%2e", "%2E", ".%2e", "%2e.", "%2E%2e", ".", ".."])
@pytest.mark.parametrize("path", ["/{}", "/{}/", "/a/{}/b", "/a/{}"])
def test_dots_are_no_part_of_a_path_however_they_are_spelt(path: str, dots: str) -> None:
    with pytest.raises(ConfigurationError, match=r"has \. or \.\. in its path: write the path without them$"):
        Client(**OPTIONS | {"endpoint_url": f"http://127.0.0.1{path.format(dots)}"})


@pytest.mark.parametrize("url", ["http://[::1]", "http://[::1]:80/a.b/%2e%2e%2e/..c", "http://127.0.0.1/%2e%2ea"])
def test_other_dots_and_brackets_are_fine(url: str) -> None:
    Client(**OPTIONS | {"endpoint_url": url}).close()
