"""Endpoints: the host names of the regions, and the URLs that users write. Pure.

Hosts, paths and queries are checked here: what would be encoded on its way would not match the signature.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from novaact_http._call.messages import Endpoint
from novaact_http.errors import ConfigurationError


class _Partition(NamedTuple):
    regions: str
    dns_suffix: str
    dualstack_dns_suffix: str


# Kept as botocore has them in `data/partitions.json`. Regions nobody has heard of are of the first.
_PARTITIONS = tuple(
    _Partition(*each)
    for each in (
        (r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+|aws-global", "amazonaws.com", "api.aws"),
        (r"cn-\w+-\d+|aws-cn-global", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        (r"eusc-(de)-\w+-\d+", "amazonaws.eu", "api.amazonwebservices.eu"),
        (r"us-iso-\w+-\d+|aws-iso-global", "c2s.ic.gov", "api.aws.ic.gov"),
        (r"us-isob-\w+-\d+|aws-iso-b-global", "sc2s.sgov.gov", "api.aws.scloud"),
        (r"eu-isoe-\w+-\d+|aws-iso-e-global", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        (r"us-isof-\w+-\d+|aws-iso-f-global", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
        (r"us-gov-\w+-\d+|aws-us-gov-global", "amazonaws.com", "api.aws"),
    )
)
_HOST_NAME = r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)\.?"
# What RFC 3986 allows in a path and in a query. Anything else would be encoded on its way, and the signature not match.
_PATH = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_QUERY = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
# Most endpoints' URLs: they need no closer look.
_LABEL = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_URL = rf"(https?)://((?:{_LABEL}\.)*{_LABEL}|127\.0\.0\.1)(?::([1-9][0-9]{{0,4}}))?/?"
UNSAFE = r"[\s\x00-\x1f\x7f]"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_IPV4 = r"[0-9]+(?:\.[0-9]+){3}"
_LOOPBACK = r"127(?:\.[0-9]{1,3}){3}"
_LONGEST_HOST = 255
_LARGEST_PORT = 65_535


def host_name(region: str, *, fips: bool, dualstack: bool) -> str:
    partition = next((each for each in _PARTITIONS if re.fullmatch(each.regions, region)), _PARTITIONS[0])
    suffix = partition.dualstack_dns_suffix if dualstack else partition.dns_suffix
    return f"nova-act{'-fips' if fips else ''}.{region}.{suffix}"


def parse_endpoint(url: object, source: str) -> Endpoint:
    """Take an endpoint URL apart.

    Args:
        url: `scheme://host[:port][/path][?query]`, its path and query percent-encoded already.
        source: where it came from, for the message.

    Raises:
        ConfigurationError: it is not such a URL. Its text is not shown if it may hold a password.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"{source} must be a str such as 'https://host', not {type(url).__name__}")
    plain = re.fullmatch(_PLAIN_URL, url)
    if plain is not None and len(plain[2]) <= _LONGEST_HOST and int(plain[3] or 0) <= _LARGEST_PORT:
        return _endpoint(plain[1], plain[2], int(plain[3] or 0) or None)
    from urllib.parse import urlsplit  # 4 ms to import

    shown = "" if "@" in url else f": {url!r}"
    try:
        parts = urlsplit(url)
        host, port = usable_host(parts.hostname), parts.port
    except ValueError as error:
        reason = f" ({error})" if shown else ""
        raise ConfigurationError(f"{source} is not a URL{reason}{shown}") from None
    path = parts.path.removesuffix("/")
    problems = (
        (re.search(UNSAFE, url), "must not have white space or control characters"),
        (parts.scheme not in _DEFAULT_PORTS, "must begin with https:// or http://"),
        ("@" in parts.netloc, "must not hold a user name or password; pass credentials=... instead"),
        (not host, "needs a host name of letters, digits, hyphens and dots, or an IP address"),
        (port == 0, "must not have port 0"),
        (not re.fullmatch(_PATH, path), "must have a percent-encoded path"),
        (not {".", ".."}.isdisjoint(path.split("/")), "must not have . or .. in its path"),
        (not re.fullmatch(_QUERY, parts.query), "must have a percent-encoded query"),
        ("#" in url, "must not have a fragment (#...)"),
    )
    problem = next((problem for wrong, problem in problems if wrong), None)
    if problem is not None:
        raise ConfigurationError(f"{source} {problem}{shown}")
    return _endpoint(parts.scheme, host, port, path, parts.query)


def _endpoint(scheme: str, host: str, port: int | None, path: str = "", query: str = "") -> Endpoint:
    default = _DEFAULT_PORTS[scheme]
    # A dot at its end has DNS look nowhere else. To the service, and in its certificate, the name has none.
    authority = f"[{host}]" if ":" in host else host.rstrip(".")
    return Endpoint(
        scheme=scheme,
        host=host,
        port=port or default,
        authority=authority if port in (None, default) else f"{authority}:{port}",
        path=path,
        query=query,
    )


def is_loopback(host: str) -> bool:
    """Does the host name this machine, so that nobody else sees what is sent?"""
    return host in ("localhost", "::1") or host.endswith(".localhost") or re.fullmatch(_LOOPBACK, host) is not None


def usable_host(name: str | None) -> str:
    """The host if it is a name or an address that can be connected to, else `""`."""
    if name is None or len(name) > _LONGEST_HOST:
        return ""
    if ":" in name:
        from ipaddress import IPv6Address  # 4 ms to import, and rare

        return "" if "%" in name else str(IPv6Address(name))
    if re.fullmatch(_IPV4, name):
        from ipaddress import IPv4Address

        return str(IPv4Address(name))
    return name if re.fullmatch(_HOST_NAME, name) else ""
