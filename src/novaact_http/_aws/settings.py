"""Resolves arguments, environment and profile into one frozen value.

The environment and the profile are arguments. Every bad value raises a `ConfigurationError` with the setting's name,
where the value came from, and what is allowed.
"""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from novaact_http._aws.endpoints import host_name, parse_endpoint
from novaact_http._aws.profiles import Profile
from novaact_http._support.records import Record
from novaact_http.config import RetryPolicy
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._call.http_messages import Endpoint

_REGION = r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)"
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
# boto3's modes, the mode that each becomes here, and the remarks that go with it.
_MODES: dict[str, tuple[Literal["standard", "adaptive"], tuple[str, ...]]] = {
    "standard": ("standard", ()),
    "legacy": (
        "standard",
        ("{} is legacy, which makes five attempts and has no quota; standard is used instead",),
    ),
    "adaptive": ("adaptive", ()),
}
_NOT_IN_USER_AGENTS = r"[^!$%&'*+\-.^_`|~,0-9A-Za-z#]"
_LONGEST_APP_ID = 50


class Settings(Record):
    """All that a client needs to know except credentials.

    Attributes:
        region: that requests are signed for, without `fips-`.
        endpoint: where requests go.
        endpoint_url: the URL that the user set, wherever that was, or None.
        use_fips, use_dualstack: whether the region's endpoint of that kind is used.
        ca_bundle: the path of the CA bundle and where it came from, or None.
        proxy_url: the URL of the proxy, or None. It may hold a password.
        app_id: for the User-Agent, `""` for none.
        retries: the retry policy.
        remarks: what to tell the user once.
        sources: where each setting came from. Retries have two: `max_attempts` and `retry_mode`.
    """

    region: str
    endpoint: Endpoint
    endpoint_url: str | None
    use_fips: bool
    use_dualstack: bool
    ca_bundle: Setting | None
    proxy_url: str | None
    app_id: str
    retries: RetryPolicy
    remarks: tuple[str, ...]
    sources: Mapping[str, Setting]


class Setting(NamedTuple):
    """A value and where it came from.

    Attributes:
        value: the value.
        source: where it came from, such as `"AWS_REGION"` or `"the argument region"`.
        file: the path of the file that has it, or `""`.
    """

    value: Any
    source: str
    file: str = ""


_DEFAULT = "the default"
_BY_DEFAULT = Setting(None, _DEFAULT)
_OFF = Setting(False, _DEFAULT)
_OF_REGION = Setting(None, "the region")
_NO_APP_ID = Setting("", _DEFAULT)
_STANDARD_MODE = Setting("standard", _DEFAULT)
_THREE_ATTEMPTS = Setting("3", _DEFAULT)
_OF_ARGUMENT = Setting(None, "the argument retries")


class _Fallbacks(Record):
    """Where a setting comes from that was not passed as an argument: the environment, then the profile."""

    environ: Mapping[str, str]
    profile: Profile

    def get(self, variable: str, *, key: str) -> Setting | None:
        """Return the variable if it is set, even if it is empty, else what the profile has under the key."""
        if variable in self.environ:
            return Setting(self.environ[variable], variable)
        return self.from_profile(self.profile.get(key), key)

    def from_profile(self, value: object, key: str) -> Setting | None:
        """Return a value of the profile with its source."""
        if value is None:
            return None
        return Setting(value, f"{key} of the profile {self.profile.name!r}", self.profile.file_of(key))


def resolve(  # noqa: D417 - the client's docstring describes its arguments
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
    profile: Profile | None = None,
) -> Settings:
    """Resolve the settings: arguments first, then the environment, then the profile, which is read only if needed.

    Args:
        connects: whether connections are opened here. If not, proxy and CA bundle are not read.
        verifies: whether the argument `verify` was passed. If so, the CA bundle is not read.
        environ: the environment.
        profile: the profile; by default that of the environment.

    Raises:
        ConfigurationError: a value is missing or bad.
    """
    fallbacks = _Fallbacks(environ=environ, profile=Profile(None, environ) if profile is None else profile)
    of_region, is_pseudo_fips = _region(region, fallbacks)
    name = of_region.value
    fips = of_region._replace(value=True) if is_pseudo_fips else _boolean(use_fips, "use_fips", fallbacks)
    dualstack = _boolean(use_dualstack, "use_dualstack", fallbacks)
    custom = _endpoint_url(endpoint_url, fallbacks)
    if custom is None:
        host = host_name(name, fips=fips.value, dualstack=dualstack.value)
        endpoint = parse_endpoint(f"https://{host}", "the region")
    else:
        _check_custom_endpoint(custom, "FIPS", fips, "the region's name" if is_pseudo_fips else fips.source)
        _check_custom_endpoint(custom, "Dualstack", dualstack, dualstack.source)
        endpoint = parse_endpoint(custom.value, custom.source)
    policy, (mode, attempts), remarks = _retries(retries, fallbacks)
    app, more_remarks = _app_id(app_id, fallbacks)
    bundle = _ca_bundle(fallbacks) if connects and not verifies else None
    proxy = _proxy(endpoint, None if custom is None else custom.value, environ) if connects else None
    sources = {
        "region": of_region,
        "endpoint_url": custom or _OF_REGION,
        "use_fips": fips,
        "use_dualstack": dualstack,
        "app_id": app,
        "retry_mode": mode,
        "max_attempts": attempts,
        "ca_bundle": bundle or _BY_DEFAULT,
        "proxy_url": proxy or _BY_DEFAULT,
    }
    return Settings(
        region=name,
        endpoint=endpoint,
        endpoint_url=None if custom is None else custom.value,
        use_fips=fips.value,
        use_dualstack=dualstack.value,
        ca_bundle=bundle,
        proxy_url=None if proxy is None else proxy.value,
        app_id=app.value,
        retries=policy,
        remarks=remarks + more_remarks,
        sources=sources,
    )


def _region(argument: str | None, fallbacks: _Fallbacks) -> tuple[Setting, bool]:
    """Return the region, and whether its name asks for FIPS."""
    setting: Setting | None
    if argument is not None:
        setting = Setting(argument, "the argument region")
    elif fallbacks.environ.get("AWS_REGION"):  # an empty one counts as unset, as boto3 does not read it
        setting = Setting(fallbacks.environ["AWS_REGION"], "AWS_REGION")
    else:
        setting = fallbacks.get("AWS_DEFAULT_REGION", key="region")
    if setting is None:
        raise ConfigurationError(
            "no region is set", setting="region", advice="pass region=... or set AWS_REGION, for example to us-east-1"
        )
    name = setting.value
    if isinstance(name, str):
        real = name.removeprefix("fips-").removesuffix("-fips")
        if re.fullmatch(_REGION, real):
            return (setting if real == name else setting._replace(value=real)), real != name
    raise ConfigurationError(
        f"is {name!r}, which is not a region",
        setting="region",
        source=setting.source,
        advice="use up to 63 letters, digits and inner hyphens, such as us-east-1",
    )


def _boolean(argument: object, name: str, fallbacks: _Fallbacks) -> Setting:
    if argument is not None:
        source = f"the argument {name}"
        if not isinstance(argument, bool):
            raise ConfigurationError(
                f"is of type {type(argument).__name__}", setting=name, source=source, advice="pass True or False"
            )
        return Setting(argument, source)
    setting = fallbacks.get(f"AWS_{name.upper()}_ENDPOINT", key=f"{name}_endpoint")
    return _OFF if setting is None else setting._replace(value=_parse_boolean(setting, name))


def _parse_boolean(setting: Setting, name: str) -> bool:
    text = setting.value
    if text == "":
        return False
    value = _BOOLEANS.get(text.lower()) if isinstance(text, str) else None
    if value is None:
        raise ConfigurationError(
            f"is {text!r}, which is neither true nor false",
            setting=name,
            source=setting.source,
            advice=f"use one of {', '.join(_BOOLEANS)}",
        )
    return value


def _check_custom_endpoint(custom: Setting, variant: str, wanted: Setting, wanted_by: str) -> None:
    if wanted.value:  # in the words of AWS's rule set
        raise ConfigurationError(
            f"cannot be used with {variant}, which {wanted_by} turns on "
            f"(Invalid Configuration: {variant} and custom endpoint are not supported)",
            setting="endpoint_url",
            source=custom.source,
            advice="remove one of the two settings",
        )


def _endpoint_url(argument: str | None, fallbacks: _Fallbacks) -> Setting | None:
    if argument is not None:
        return Setting(argument, "the argument endpoint_url")
    key, ignored = "endpoint_url", "ignore_configured_endpoint_urls"
    ignores = fallbacks.get(f"AWS_{ignored.upper()}", key=ignored)
    if ignores is not None and _parse_boolean(ignores, key):
        return None
    environ, profile = fallbacks.environ, fallbacks.profile
    for variable in ("AWS_ENDPOINT_URL_NOVA_ACT", "AWS_ENDPOINT_URL"):
        if environ.get(variable):
            return Setting(environ[variable], variable)
    of_service = fallbacks.from_profile(profile.service("nova_act", key) or None, f"{key} in the services section")
    return of_service or fallbacks.from_profile(profile.get(key) or None, key)


def _ca_bundle(fallbacks: _Fallbacks) -> Setting | None:
    setting = fallbacks.get("AWS_CA_BUNDLE", key="ca_bundle")
    if setting is not None:
        if not setting.value or not isinstance(setting.value, str):
            raise ConfigurationError(
                f"is {setting.value!r}, which is not the path of a CA bundle",
                setting="verify",
                source=setting.source,
                advice="set the path of a PEM file, or remove the setting",
            )
        return setting
    environ, names = fallbacks.environ, ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    return next((Setting(environ[name], name) for name in names if environ.get(name)), None)


def _proxy(endpoint: Endpoint, custom_url: str | None, environ: Mapping[str, str]) -> Setting | None:
    """Return the proxy for the endpoint's scheme. Where the environment names none, `proxies` is not imported."""
    scheme = endpoint.scheme
    if not (environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")):
        return None
    from novaact_http._aws.proxies import proxy_for

    proxy = proxy_for(endpoint, custom_url, environ)
    return None if proxy is None else Setting(*proxy)


def _app_id(argument: str | None, fallbacks: _Fallbacks) -> tuple[Setting, tuple[str, ...]]:
    if argument is not None:
        setting = Setting(argument, "the argument app_id")
    else:
        setting = fallbacks.get("AWS_SDK_UA_APP_ID", key="sdk_ua_app_id") or _NO_APP_ID
    value, source = setting.value, setting.source
    if not isinstance(value, str):
        raise ConfigurationError(
            f"is of type {type(value).__name__}",
            setting="app_id",
            source=source,
            advice=f"use text, of up to {_LONGEST_APP_ID} characters",
        )
    too_long = f"{source} has over {_LONGEST_APP_ID} characters; services may shorten it"
    usable = re.sub(_NOT_IN_USER_AGENTS, "-", value) if value else ""
    return (setting if usable == value else setting._replace(value=usable)), (
        (too_long,) if len(value) > _LONGEST_APP_ID else ()
    )


def _retries(
    argument: RetryPolicy | None, fallbacks: _Fallbacks
) -> tuple[RetryPolicy, tuple[Setting, Setting], tuple[str, ...]]:
    """Return the policy, the settings that its mode and attempts came from, and remarks."""
    if argument is not None:
        return argument, (_OF_ARGUMENT, _OF_ARGUMENT), ()
    mode = fallbacks.get("AWS_RETRY_MODE", key="retry_mode") or _STANDARD_MODE
    if not isinstance(mode.value, str) or mode.value not in _MODES:
        raise ConfigurationError(
            f"is {mode.value!r}, which is not a retry mode",
            setting="retries",
            source=mode.source,
            advice=f"use one of {', '.join(_MODES)}",
        )
    own_mode, remarks = _MODES[mode.value]
    attempts = fallbacks.get("AWS_MAX_ATTEMPTS", key="max_attempts") or _THREE_ATTEMPTS
    try:
        policy = RetryPolicy(max_attempts=int(attempts.value), mode=own_mode)
    except (TypeError, ValueError, ConfigurationError):
        raise ConfigurationError(
            f"is {reprlib.repr(attempts.value)}, which is not a number of attempts",
            setting="retries",
            source=attempts.source,
            advice="use a whole number from 1, the first attempt included",
        ) from None
    return policy, (mode, attempts), tuple([remark.format(mode.source) for remark in remarks])
