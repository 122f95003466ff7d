"""Endpoints: the host names of regions, and the URLs that users set. Nothing here is read from outside.

A URL's host, path and query are checked strictly: what was encoded again on its way would not match the signature.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from novaact_http._call.http_messages import Endpoint, Origin
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult


class _Partition(NamedTuple):
    regions: str
    dns_suffix: str
    dualstack_dns_suffix: str


# botocore's `data/partitions.json`. A region that matches none belongs to the first.
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
# What RFC 3986 allows in a path and in a query.
_PATH = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_QUERY = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
# Most URLs match this, and need no further checks.
_LABEL = "[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_URL = rf"(https?)://((?:{_LABEL}\.)*{_LABEL}|127\.0\.0\.1)(?::([1-9][0-9]{{0,4}}))?/?"
UNSAFE = r"[\s\x00-\x1f\x7f]"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_IPV4 = r"[0-9]+(?:\.[0-9]+){3}"
_LOOPBACK = r"127(?:\.[0-9]{1,3}){3}"
_LONGEST_HOST = 255
_LARGEST_PORT = 65_535


def host_name(region: str, *, fips: bool, dualstack: bool) -> str:
    """Return the host name of a region's endpoint."""
    partition = next((each for each in _PARTITIONS if re.fullmatch(each.regions, region)), _PARTITIONS[0])
    suffix = partition.dualstack_dns_suffix if dualstack else partition.dns_suffix
    return f"nova-act{'-fips' if fips else ''}.{region}.{suffix}"


def parse_endpoint(url: object, source: str) -> Endpoint:
    """Parse an endpoint URL.

    Args:
        url: `scheme://host[:port][/path][?query]`, with path and query already percent-encoded.
        source: where it came from, for the error.

    Raises:
        ConfigurationError: it is not such a URL. If it may hold a password, the error does not show it.
    """
    if not isinstance(url, str):
        raise ConfigurationError(
            f"is of type {type(url).__name__}",
            setting="endpoint_url",
            source=source,
            advice="use a URL such as https://host",
        )
    plain = re.fullmatch(_PLAIN_URL, url)
    if plain is not None and len(plain[2]) <= _LONGEST_HOST and int(plain[3] or 0) <= _LARGEST_PORT:
        return _endpoint(plain[1], plain[2], int(plain[3] or 0) or None)
    from urllib.parse import urlsplit  # 4 ms to import

    try:
        parts = urlsplit(url)
        host, port = usable_host(parts), parts.port
    except ValueError as error:
        reason = "" if "@" in url else f" ({error})"
        raise _bad_url(url, source, f"is not a URL{reason}", "use one such as https://host") from None
    path = parts.path.removesuffix("/")
    problems = (
        (re.search(UNSAFE, url), "has white space or control characters", "remove them"),
        (parts.scheme not in _DEFAULT_PORTS, "does not begin with https:// or http://", "use one such as https://host"),
        ("@" in parts.netloc, "holds a user name or password", "remove it; AWS credentials sign requests instead"),
        (not host, "has no usable host", "use a name of letters, digits, hyphens and dots, or an IP address"),
        (port == 0, "has port 0", "use a port from 1 to 65535"),
        (not re.fullmatch(_PATH, path), "has a path that is not percent-encoded", "write a space as %20, for example"),
        (
            not {".", ".."}.isdisjoint(re.sub("%2[Ee]", ".", path).split("/")),
            "has . or .. in its path",
            "write the path without them",
        ),
        (
            not re.fullmatch(_QUERY, parts.query),
            "has a query that is not percent-encoded",
            "write a space as %20, for example",
        ),
        ("#" in url, "has a fragment (#...)", "remove it"),
    )
    for is_wrong, problem, advice in problems:
        if is_wrong:
            raise _bad_url(url, source, problem, advice)
    return _endpoint(parts.scheme, host, port, path, parts.query)


def _bad_url(url: str, source: str, problem: str, advice: str) -> ConfigurationError:
    if "@" not in url:  # otherwise it may hold a password
        problem = f"is {url!r}, which {problem}"
    return ConfigurationError(problem, setting="endpoint_url", source=source, advice=advice)


def _endpoint(scheme: str, host: str, port: int | None, path: str = "", query: str = "") -> Endpoint:
    default = _DEFAULT_PORTS[scheme]
    # A final dot keeps DNS from trying search domains. For the service and its certificate, the name has none.
    authority = f"[{host}]" if ":" in host else host.rstrip(".")
    return Endpoint(
        origin=Origin(scheme, host, port or default),
        authority=authority if port in (None, default) else f"{authority}:{port}",
        path=path,
        query=query,
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, so that nobody else sees what is sent."""
    return host in ("localhost", "::1") or host.endswith(".localhost") or re.fullmatch(_LOOPBACK, host) is not None


def usable_host(url: SplitResult) -> str:
    """Return a URL's host if it is a name or an address that one can connect to, else `""`. May raise a ValueError."""
    name = url.hostname
    if name is None or len(name) > _LONGEST_HOST:
        return ""
    if ":" in name or "[" in url.netloc:  # brackets may also hold an address of a kind that is yet to be invented
        from ipaddress import IPv6Address  # 4 ms to import, and rare

        return "" if "%" in name else str(IPv6Address(name))
    if re.fullmatch(_IPV4, name):
        from ipaddress import IPv4Address

        return str(IPv4Address(name))
    return name if re.fullmatch(_HOST_NAME, name) else ""
