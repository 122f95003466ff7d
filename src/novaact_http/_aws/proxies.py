"""Finds the proxy that the environment names, as botocore does. Imported only if the environment names one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib import request  # 15 ms to import
from urllib.parse import urlsplit

from novaact_http._aws.endpoints import UNSAFE, usable_host
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._call.http_messages import Endpoint


def proxy_for(endpoint: Endpoint, custom_url: str | None, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the URL of the proxy and the variable that it came from, or None if the endpoint needs no proxy.

    As in botocore, the variables' lower-case names come first, and NO_PROXY exempts hosts.

    Args:
        endpoint: where requests go.
        custom_url: the endpoint's URL as the user set it, or None.
        environ: the environment.

    Raises:
        ConfigurationError: the variable does not hold the URL of a proxy. The error does not show it, as it may hold a
            password.
    """
    lower, upper = f"{endpoint.scheme}_proxy", f"{endpoint.scheme.upper()}_PROXY"
    # In a CGI program, HTTP_PROXY is the Proxy header of the request, which its sender chose.
    fallback = None if upper == "HTTP_PROXY" and "REQUEST_METHOD" in environ else environ.get(upper)
    url, source = environ.get(lower, fallback), lower if lower in environ else upper
    if not url:
        return None
    # As the user wrote it, as NO_PROXY may name a port, even the default one.
    authority = endpoint.authority if custom_url is None else urlsplit(custom_url).netloc
    exempt = {"no": environ.get("no_proxy", environ.get("NO_PROXY", ""))}
    if request.proxy_bypass_environment(authority, exempt):  # type: ignore[attr-defined]
        return None
    if not url.startswith(("http:", "https:")):
        url = f"http:{url}" if url.startswith("//") else f"http://{url}"
    netloc = _usable_netloc(url)
    if netloc is None:
        raise ConfigurationError(
            "is not the URL of an http:// or https:// proxy",
            source=source,
            advice="use one such as http://proxy:8080; SOCKS proxies are not supported",
        )
    user, _, host = netloc.rpartition("@")
    if "@" in user:  # of which older releases of httpx take the first for the end of the password
        url = url.replace(netloc, f"{user.replace('@', '%40')}@{host}", 1)
    return url, source


def _usable_netloc(url: str) -> str | None:
    """Return a proxy's host with its user and port, or None if the URL is not one of a proxy."""
    try:
        parts = urlsplit(url)
        usable = bool(usable_host(parts)) and parts.port != 0 and "://" not in parts.netloc + parts.path
    except ValueError:
        return None
    return parts.netloc if usable and not re.search(UNSAFE, url) else None
