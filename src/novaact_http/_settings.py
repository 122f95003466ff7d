"""Arguments and environment become one frozen value. Pure: the environment is an argument.

Every wrong value is a `ConfigurationError` that names the setting, where it came from, and what is allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import attrs

from novaact_http._wire import Endpoint
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The DNS suffix of each partition's endpoints, by what its regions look like. Regions nobody has heard of are of `aws`.
# Kept as botocore has it in `data/partitions.json`.
_DNS_SUFFIXES = (
    (re.compile(r"cn-\w+-\d+|aws-cn-global"), "amazonaws.com.cn"),
    (re.compile(r"eusc-(de)-\w+-\d+"), "amazonaws.eu"),
    (re.compile(r"us-iso-\w+-\d+|aws-iso-global"), "c2s.ic.gov"),
    (re.compile(r"us-isob-\w+-\d+|aws-iso-b-global"), "sc2s.sgov.gov"),
    (re.compile(r"eu-isoe-\w+-\d+|aws-iso-e-global"), "cloud.adc-e.uk"),
    (re.compile(r"us-isof-\w+-\d+|aws-iso-f-global"), "csp.hci.ic.gov"),
    (re.compile(r"us-gov-\w+-\d+"), "amazonaws.com"),
)
_REGION = re.compile(r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
_HOST_NAME = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)\.?")
# What RFC 3986 allows in a path and in a query. Anything else would be encoded on its way, and the signature not match.
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_UNSAFE = re.compile(r"[\s\x00-\x1f\x7f]")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_IPV4 = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_LOOPBACK = re.compile(r"127(?:\.[0-9]{1,3}){3}")
_LONGEST_HOST = 255


@attrs.frozen(kw_only=True)
class Settings:
    """What a client needs to know besides credentials."""

    region: str
    endpoint: Endpoint


class _Setting(NamedTuple):
    value: object
    source: str


def resolve(*, region: str | None, endpoint_url: str | None, environ: Mapping[str, str]) -> Settings:
    """Resolve the settings: arguments first, then the environment.

    Raises:
        ConfigurationError: a value is missing or wrong.
    """
    name = _region(region, environ)
    setting = _endpoint_url(endpoint_url, environ)
    return Settings(
        region=name,
        endpoint=parse_endpoint(f"https://nova-act.{name}.{_dns_suffix(name)}", "the region")
        if setting is None
        else parse_endpoint(setting.value, setting.source),
    )


def _region(argument: str | None, environ: Mapping[str, str]) -> str:
    # An empty AWS_REGION counts as unset, as boto3 never looks at it; the others are a mistake that boto3 reports too.
    candidates = (
        _Setting(argument, "the argument region"),
        _Setting(environ.get("AWS_REGION") or None, "AWS_REGION"),
        _Setting(environ.get("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"),
    )
    setting = next((each for each in candidates if each.value is not None), None)
    if setting is None:
        raise ConfigurationError("no region is set: pass region=... or set AWS_REGION, for example to us-east-1")
    if not isinstance(setting.value, str) or not _REGION.fullmatch(setting.value):
        raise ConfigurationError(
            f"{setting.source} is {setting.value!r}, which is not a region: "
            "up to 63 letters, digits and inner hyphens, such as us-east-1"
        )
    return setting.value


def _dns_suffix(region: str) -> str:
    return next((suffix for pattern, suffix in _DNS_SUFFIXES if pattern.fullmatch(region)), "amazonaws.com")


def _endpoint_url(argument: str | None, environ: Mapping[str, str]) -> _Setting | None:
    if argument is not None:
        return _Setting(argument, "the argument endpoint_url")
    names = ("AWS_ENDPOINT_URL_NOVA_ACT", "AWS_ENDPOINT_URL")
    return next((_Setting(environ[name], name) for name in names if environ.get(name)), None)


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
    shown = "" if "@" in url else f": {url!r}"
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname), parts.port
    except ValueError as error:
        reason = f" ({error})" if shown else ""
        raise ConfigurationError(f"{source} is not a URL{reason}{shown}") from None
    path = parts.path.removesuffix("/")
    problems = (
        (_UNSAFE.search(url), "must not have white space or control characters"),
        (parts.scheme not in _DEFAULT_PORTS, "must begin with https:// or http://"),
        ("@" in parts.netloc, "must not hold a user name or password; pass credentials=... instead"),
        (not host, "needs a host name of letters, digits, hyphens and dots, or an IP address"),
        (port == 0, "must not have port 0"),
        (not _PATH.fullmatch(path), "must have a percent-encoded path"),
        (not {".", ".."}.isdisjoint(path.split("/")), "must not have . or .. in its path"),
        (not _QUERY.fullmatch(parts.query), "must have a percent-encoded query"),
        ("#" in url, "must not have a fragment (#...)"),
    )
    problem = next((problem for wrong, problem in problems if wrong), None)
    if problem is not None:
        raise ConfigurationError(f"{source} {problem}{shown}")
    default = _DEFAULT_PORTS[parts.scheme]
    authority = f"[{host}]" if ":" in host else host
    return Endpoint(
        scheme=parts.scheme,
        host=host,
        port=port or default,
        authority=authority if port in (None, default) else f"{authority}:{port}",
        path=path,
        query=parts.query,
    )


def is_loopback(host: str) -> bool:
    """Does the host name this machine, so that nobody else sees what is sent?"""
    return host in ("localhost", "::1") or host.endswith(".localhost") or _LOOPBACK.fullmatch(host) is not None


def _host(name: str | None) -> str:
    """The host if it is a name or an address that can be connected to, else `""`."""
    if name is None or len(name) > _LONGEST_HOST:
        return ""
    if ":" in name:
        from ipaddress import IPv6Address  # 4 ms to import, and rare

        return "" if "%" in name else str(IPv6Address(name))
    if _IPV4.fullmatch(name):
        from ipaddress import IPv4Address

        return str(IPv4Address(name))
    return name if _HOST_NAME.fullmatch(name) else ""
