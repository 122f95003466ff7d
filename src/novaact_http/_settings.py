"""Arguments and environment become one frozen value. Pure: the environment is an argument.

Every wrong value is a `ConfigurationError` that names the setting, where it came from, and what is allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import attrs

from novaact_http._wire import Endpoint
from novaact_http.config import RetryPolicy
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Partition(NamedTuple):
    regions: re.Pattern[str]
    dns_suffix: str
    dualstack_dns_suffix: str


# Kept as botocore has them in `data/partitions.json`. Regions nobody has heard of are of the first.
_PARTITIONS = tuple(
    _Partition(re.compile(regions), *suffixes)
    for regions, *suffixes in (
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


_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MODES = {
    "standard": (),
    "legacy": ("AWS_RETRY_MODE is legacy, which retries five times and without a quota; standard is used instead",),
    "adaptive": ("AWS_RETRY_MODE is adaptive, which this version does not have; standard is used instead",),
}
_NOT_IN_USER_AGENTS = re.compile(r"[^!$%&'*+\-.^_`|~,0-9A-Za-z#]")
_LONGEST_APP_ID = 50


@attrs.frozen(kw_only=True)
class Settings:
    """What a client needs to know besides credentials.

    Attributes:
        region: that signatures are for, without `fips-`.
        ca_bundle: a path and where it came from, or None.
        proxy_url: of the proxy to use, or None; it may hold a password.
        app_id: for the User-Agent, `""` for none.
        retries: the policy.
        remarks: what the user should be told once.
    """

    region: str
    endpoint: Endpoint
    ca_bundle: Setting | None
    proxy_url: str | None = attrs.field(repr=False)
    app_id: str
    retries: RetryPolicy
    remarks: tuple[str, ...]


class Setting(NamedTuple):
    """A value and where it came from."""

    value: Any
    source: str


def resolve(  # noqa: D417 - the client tells of its arguments
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    use_fips: bool | None = None,
    use_dualstack: bool | None = None,
    app_id: str | None = None,
    retries: RetryPolicy | None = None,
    connects: bool = True,
    verifies: bool = False,
    environ: Mapping[str, str],
) -> Settings:
    """Resolve the settings: arguments first, then the environment, which is not looked at where there is an argument.

    Args:
        connects: False if the user brings a transport, so that proxy and CA bundle do not matter.
        verifies: True if the user says whom to trust, so that the CA bundle does not matter.
        environ: the environment.

    Raises:
        ConfigurationError: a value is missing or wrong.
    """
    name, pseudo_fips = _region(region, environ)
    fips = pseudo_fips or _boolean(use_fips, "use_fips", "AWS_USE_FIPS_ENDPOINT", environ)
    dualstack = _boolean(use_dualstack, "use_dualstack", "AWS_USE_DUALSTACK_ENDPOINT", environ)
    custom = _endpoint_url(endpoint_url, environ)
    if custom is None:
        endpoint = parse_endpoint(f"https://{_host_name(name, fips=fips, dualstack=dualstack)}", "the region")
    else:
        for wanted, what in ((fips, "FIPS"), (dualstack, "Dualstack")):
            if wanted:  # in the words of AWS's rule set
                raise ConfigurationError(
                    f"Invalid Configuration: {what} and custom endpoint are not supported ({custom.source} is set)"
                )
        endpoint = parse_endpoint(custom.value, custom.source)
    # As it was written: NO_PROXY may name the port, the scheme's own too.
    authority = endpoint.authority if custom is None else urlsplit(custom.value).netloc
    policy, of_retries = _retries(retries, environ)
    name_of_app, of_app_id = _app_id(app_id, environ)
    return Settings(
        region=name,
        endpoint=endpoint,
        ca_bundle=_ca_bundle(environ) if connects and not verifies else None,
        proxy_url=_proxy_url(endpoint, authority, environ) if connects else None,
        app_id=name_of_app,
        retries=policy,
        remarks=of_retries + of_app_id,
    )


def _region(argument: str | None, environ: Mapping[str, str]) -> tuple[str, bool]:
    """The region, and whether its name asks for FIPS."""
    # An empty AWS_REGION counts as unset, as boto3 never looks at it; the others are a mistake that boto3 reports too.
    candidates = (
        Setting(argument, "the argument region"),
        Setting(environ.get("AWS_REGION") or None, "AWS_REGION"),
        Setting(environ.get("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION"),
    )
    setting = next((each for each in candidates if each.value is not None), None)
    if setting is None:
        raise ConfigurationError("no region is set: pass region=... or set AWS_REGION, for example to us-east-1")
    name = setting.value
    if isinstance(name, str):
        real = name.removeprefix("fips-").removesuffix("-fips")
        if _REGION.fullmatch(real):
            return real, real != name
    raise ConfigurationError(
        f"{setting.source} is {name!r}, which is not a region: "
        "up to 63 letters, digits and inner hyphens, such as us-east-1"
    )


def _boolean(argument: object, name: str, variable: str, environ: Mapping[str, str]) -> bool:
    if argument is not None:
        if not isinstance(argument, bool):
            raise ConfigurationError(f"the argument {name} must be True or False, not {type(argument).__name__}")
        return argument
    text = environ.get(variable, "")
    value = _BOOLEANS.get(text.lower()) if text else False
    if value is None:
        raise ConfigurationError(f"{variable} is {text!r}; it must be one of {', '.join(_BOOLEANS)}")
    return value


def _host_name(region: str, *, fips: bool, dualstack: bool) -> str:
    partition = next((each for each in _PARTITIONS if each.regions.fullmatch(region)), _PARTITIONS[0])
    suffix = partition.dualstack_dns_suffix if dualstack else partition.dns_suffix
    return f"nova-act{'-fips' if fips else ''}.{region}.{suffix}"


def _endpoint_url(argument: str | None, environ: Mapping[str, str]) -> Setting | None:
    if argument is not None:
        return Setting(argument, "the argument endpoint_url")
    ignored = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
    if _boolean(None, "", ignored, environ):
        return None
    names = ("AWS_ENDPOINT_URL_NOVA_ACT", "AWS_ENDPOINT_URL")
    return next((Setting(environ[name], name) for name in names if environ.get(name)), None)


def _ca_bundle(environ: Mapping[str, str]) -> Setting | None:
    if environ.get("AWS_CA_BUNDLE") == "":
        raise ConfigurationError("AWS_CA_BUNDLE is empty; unset it, or set it to the path of a PEM file")
    names = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    return next((Setting(environ[name], name) for name in names if environ.get(name)), None)


def _proxy_url(endpoint: Endpoint, authority: str, environ: Mapping[str, str]) -> str | None:
    """The proxy of the endpoint's scheme, unless NO_PROXY names its host. As in botocore, lower-case names win."""
    lower, upper = f"{endpoint.scheme}_proxy", f"{endpoint.scheme.upper()}_PROXY"
    # In a CGI program HTTP_PROXY is what a request's Proxy header says, and so whoever sent it.
    fallback = None if upper == "HTTP_PROXY" and "REQUEST_METHOD" in environ else environ.get(upper)
    url = environ.get(lower, fallback)
    if not url:
        return None
    from urllib import request  # 15 ms to import, and proxies are rare

    exempt = {"no": environ.get("no_proxy", environ.get("NO_PROXY", ""))}
    if request.proxy_bypass_environment(authority, exempt):  # type: ignore[attr-defined]
        return None
    if not url.startswith(("http:", "https:")):
        url = f"http:{url}" if url.startswith("//") else f"http://{url}"
    try:
        parts = urlsplit(url)
        usable = bool(_host(parts.hostname)) and parts.port != 0 and "://" not in parts.netloc + parts.path
    except ValueError:
        usable = False
    if not usable or _UNSAFE.search(url):  # not shown, as it may hold a password
        raise ConfigurationError(f"{lower if lower in environ else upper} must be a URL such as http://proxy:8080")
    return url


def _app_id(argument: str | None, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    value: object = environ.get("AWS_SDK_UA_APP_ID", "") if argument is None else argument
    source = "AWS_SDK_UA_APP_ID" if argument is None else "the argument app_id"
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} must be str, not {type(value).__name__}")
    too_long = f"{source} has over {_LONGEST_APP_ID} characters; services may cut it off"
    return _NOT_IN_USER_AGENTS.sub("-", value), ((too_long,) if len(value) > _LONGEST_APP_ID else ())


def _retries(argument: RetryPolicy | None, environ: Mapping[str, str]) -> tuple[RetryPolicy, tuple[str, ...]]:
    if argument is not None:
        return argument, ()
    mode = environ.get("AWS_RETRY_MODE", "standard")
    if mode not in _MODES:
        raise ConfigurationError(f"AWS_RETRY_MODE is {mode!r}; it must be one of {', '.join(_MODES)}")
    text = environ.get("AWS_MAX_ATTEMPTS", "3")
    try:
        return RetryPolicy(max_attempts=int(text)), _MODES[mode]
    except (ValueError, ConfigurationError):
        raise ConfigurationError(f"AWS_MAX_ATTEMPTS is {text[:20]!r}; it must be a number of attempts from 1") from None


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
