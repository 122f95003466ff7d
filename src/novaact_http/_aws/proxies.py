"""The proxy that the environment names, as in botocore. Imported only if it names one, as most need none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib import request  # 15 ms to import
from urllib.parse import urlsplit

from novaact_http._aws.endpoints import UNSAFE, usable_host
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._call.messages import Endpoint


def proxy_for(endpoint: Endpoint, custom_url: str | None, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The proxy of the endpoint's scheme, unless NO_PROXY names its host. As in botocore, lower-case names win."""
    lower, upper = f"{endpoint.scheme}_proxy", f"{endpoint.scheme.upper()}_PROXY"
    # In a CGI program HTTP_PROXY is what a request's Proxy header says, and so whoever sent it.
    fallback = None if upper == "HTTP_PROXY" and "REQUEST_METHOD" in environ else environ.get(upper)
    url, source = environ.get(lower, fallback), lower if lower in environ else upper
    if not url:
        return None
    # As it was written: NO_PROXY may name the port, the scheme's own too.
    authority = endpoint.authority if custom_url is None else urlsplit(custom_url).netloc
    exempt = {"no": environ.get("no_proxy", environ.get("NO_PROXY", ""))}
    if request.proxy_bypass_environment(authority, exempt):  # type: ignore[attr-defined]
        return None
    if not url.startswith(("http:", "https:")):
        url = f"http:{url}" if url.startswith("//") else f"http://{url}"
    try:
        parts = urlsplit(url)
        usable = bool(usable_host(parts.hostname)) and parts.port != 0 and "://" not in parts.netloc + parts.path
    except ValueError:
        usable = False
    if not usable or re.search(UNSAFE, url):  # not shown, as it may hold a password
        raise ConfigurationError(f"{source} must be a URL such as http://proxy:8080")
    return url, source
