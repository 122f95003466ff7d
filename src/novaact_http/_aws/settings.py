"""Arguments, environment and profile become one frozen value. Pure: environment and profile are arguments.

Every wrong value is a `ConfigurationError` that names the setting, where it came from, and what is allowed.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import attrs

from novaact_http._aws.endpoints import host_name, parse_endpoint
from novaact_http._aws.profiles import Profile
from novaact_http._call.messages import Endpoint
from novaact_http.config import RetryPolicy
from novaact_http.errors import ConfigurationError

_REGION = r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)"
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
# As boto3 spells the modes, what each is here, and what is to be said of that.
_MODES: dict[str, tuple[Literal["standard", "adaptive"], tuple[str, ...]]] = {
    "standard": ("standard", ()),
    "legacy": (
        "standard",
        ("{} is legacy, which retries five times and without a quota; standard is used instead",),
    ),
    "adaptive": ("adaptive", ()),
}
_NOT_IN_USER_AGENTS = r"[^!$%&'*+\-.^_`|~,0-9A-Za-z#]"
_LONGEST_APP_ID = 50


@attrs.frozen(kw_only=True)
class Settings:
    """What a client needs to know besides credentials.

    Attributes:
        region: that signatures are for, without `fips-`.
        endpoint_url: the user's own, from wherever it came, or None.
        use_fips, use_dualstack: as resolved.
        ca_bundle: a path and where it came from, or None.
        proxy_url: of the proxy to use, or None; it may hold a password.
        app_id: for the User-Agent, `""` for none.
        retries: the policy.
        remarks: what the user should be told once.
        sources: the settings that the others were made of, and `max_attempts` and `retry_mode`, each with its source.
    """

    region: str
    endpoint: Endpoint
    endpoint_url: str | None
    use_fips: bool
    use_dualstack: bool
    ca_bundle: Setting | None
    proxy_url: str | None = attrs.field(repr=False)
    app_id: str
    retries: RetryPolicy
    remarks: tuple[str, ...]
    sources: Mapping[str, Setting] = attrs.field(repr=False, eq=False)


class Setting(NamedTuple):
    """A value and where it came from.

    Attributes:
        file: the path of the file that it is in, `""` for none.
    """

    value: Any
    source: str
    file: str = ""

    @property
    def place(self) -> str:
        """Where it came from, with the file."""
        return f"{self.source} in {self.file}" if self.file else self.source


_DEFAULT = "the default"
_BY_DEFAULT = Setting(None, _DEFAULT)
_OFF = Setting(False, _DEFAULT)
_OF_REGION = Setting(None, "the region")
_NO_APP_ID = Setting("", _DEFAULT)
_STANDARD_MODE = Setting("standard", _DEFAULT)
_THREE_ATTEMPTS = Setting("3", _DEFAULT)
_OF_ARGUMENT = Setting(None, "the argument retries")


class _Elsewhere(NamedTuple):
    """Where a setting is looked for that was not passed: the environment, then the profile."""

    environ: Mapping[str, str]
    profile: Profile

    def look_up(self, *variables: str, key: str) -> Setting | None:
        """The first of the variables that is set, if only to nothing, else what the profile has under the key."""
        for variable in variables:
            if variable in self.environ:
                return Setting(self.environ[variable], variable)
        return self.of_profile(self.profile.get(key), key)

    def of_profile(self, value: object, key: str) -> Setting | None:
        return (
            None
            if value is None
            else Setting(value, f"{key} of the profile {self.profile.name!r}", self.profile.file_of(key))
        )


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
    profile: Profile | None = None,
) -> Settings:
    """Resolve the settings: arguments first, then the environment, then the profile, and no further than needed.

    Args:
        connects: False if the user brings a transport, so that proxy and CA bundle do not matter.
        verifies: True if the user says whom to trust, so that the CA bundle does not matter.
        environ: the environment.
        profile: the profile; the environment's own by default.

    Raises:
        ConfigurationError: a value is missing or wrong.
    """
    elsewhere = _Elsewhere(environ, Profile(None, environ) if profile is None else profile)
    of_region, pseudo_fips = _region(region, elsewhere)
    name = of_region.value
    fips = Setting(True, of_region.source, of_region.file) if pseudo_fips else _boolean(use_fips, "use_fips", elsewhere)
    dualstack = _boolean(use_dualstack, "use_dualstack", elsewhere)
    custom = _endpoint_url(endpoint_url, elsewhere)
    if custom is None:
        host = host_name(name, fips=fips.value, dualstack=dualstack.value)
        endpoint = parse_endpoint(f"https://{host}", "the region")
    else:
        for wanted, what in ((fips, "FIPS"), (dualstack, "Dualstack")):
            if wanted.value:  # in the words of AWS's rule set
                raise ConfigurationError(
                    f"Invalid Configuration: {what} and custom endpoint are not supported ({custom.source} is set)"
                )
        endpoint = parse_endpoint(custom.value, custom.source)
    policy, (mode, attempts), remarks = _retries(retries, elsewhere)
    app, more_remarks = _app_id(app_id, elsewhere)
    bundle = _ca_bundle(elsewhere) if connects and not verifies else None
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


def _region(argument: str | None, elsewhere: _Elsewhere) -> tuple[Setting, bool]:
    """The region, and whether its name asks for FIPS."""
    setting: Setting | None
    if argument is not None:
        setting = Setting(argument, "the argument region")
    elif elsewhere.environ.get("AWS_REGION"):  # an empty one counts as unset, as boto3 never looks at it
        setting = Setting(elsewhere.environ["AWS_REGION"], "AWS_REGION")
    else:
        setting = elsewhere.look_up("AWS_DEFAULT_REGION", key="region")
    if setting is None:
        raise ConfigurationError("no region is set: pass region=... or set AWS_REGION, for example to us-east-1")
    name = setting.value
    if isinstance(name, str):
        real = name.removeprefix("fips-").removesuffix("-fips")
        if re.fullmatch(_REGION, real):
            return (setting if real == name else setting._replace(value=real)), real != name
    raise ConfigurationError(
        f"{setting.source} is {name!r}, which is not a region: "
        "up to 63 letters, digits and inner hyphens, such as us-east-1"
    )


def _boolean(argument: object, name: str, elsewhere: _Elsewhere) -> Setting:
    if argument is not None:
        if not isinstance(argument, bool):
            raise ConfigurationError(f"the argument {name} must be True or False, not {type(argument).__name__}")
        return Setting(argument, f"the argument {name}")
    setting = elsewhere.look_up(f"AWS_{name.upper()}_ENDPOINT", key=f"{name}_endpoint")
    return _OFF if setting is None else setting._replace(value=_flag(setting))


def _flag(setting: Setting | None) -> bool:
    if setting is None or setting.value == "":
        return False
    text = setting.value
    value = _BOOLEANS.get(text.lower()) if isinstance(text, str) else None
    if value is None:
        raise ConfigurationError(f"{setting.source} is {text!r}; it must be one of {', '.join(_BOOLEANS)}")
    return value


def _endpoint_url(argument: str | None, elsewhere: _Elsewhere) -> Setting | None:
    if argument is not None:
        return Setting(argument, "the argument endpoint_url")
    key, ignored = "endpoint_url", "ignore_configured_endpoint_urls"
    if _flag(elsewhere.look_up(f"AWS_{ignored.upper()}", key=ignored)):
        return None
    environ, profile = elsewhere.environ, elsewhere.profile
    for variable in ("AWS_ENDPOINT_URL_NOVA_ACT", "AWS_ENDPOINT_URL"):
        if environ.get(variable):
            return Setting(environ[variable], variable)
    of_service = elsewhere.of_profile(profile.service("nova_act", key) or None, f"{key} in the services section")
    return of_service or elsewhere.of_profile(profile.get(key) or None, key)


def _ca_bundle(elsewhere: _Elsewhere) -> Setting | None:
    setting = elsewhere.look_up("AWS_CA_BUNDLE", key="ca_bundle")
    if setting is not None:
        if not setting.value or not isinstance(setting.value, str):
            raise ConfigurationError(
                f"{setting.source} must be the path of a PEM file, not {setting.value!r}; or unset it"
            )
        return setting
    environ, names = elsewhere.environ, ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    return next((Setting(environ[name], name) for name in names if environ.get(name)), None)


def _proxy(endpoint: Endpoint, custom_url: str | None, environ: Mapping[str, str]) -> Setting | None:
    scheme = endpoint.scheme
    if not (environ.get(f"{scheme}_proxy") or environ.get(f"{scheme.upper()}_PROXY")):
        return None
    from novaact_http._aws.proxies import proxy_for

    proxy = proxy_for(endpoint, custom_url, environ)
    return None if proxy is None else Setting(*proxy)


def _app_id(argument: str | None, elsewhere: _Elsewhere) -> tuple[Setting, tuple[str, ...]]:
    if argument is not None:
        setting = Setting(argument, "the argument app_id")
    else:
        setting = elsewhere.look_up("AWS_SDK_UA_APP_ID", key="sdk_ua_app_id") or _NO_APP_ID
    value, source = setting.value, setting.source
    if not isinstance(value, str):
        raise ConfigurationError(f"{source} must be str, not {type(value).__name__}")
    too_long = f"{source} has over {_LONGEST_APP_ID} characters; services may cut it off"
    usable = re.sub(_NOT_IN_USER_AGENTS, "-", value)
    return (setting if usable == value else setting._replace(value=usable)), (
        (too_long,) if len(value) > _LONGEST_APP_ID else ()
    )


def _retries(
    argument: RetryPolicy | None, elsewhere: _Elsewhere
) -> tuple[RetryPolicy, tuple[Setting, Setting], tuple[str, ...]]:
    """The policy, what its mode and attempts were made of, and remarks."""
    if argument is not None:
        return argument, (_OF_ARGUMENT, _OF_ARGUMENT), ()
    mode = elsewhere.look_up("AWS_RETRY_MODE", key="retry_mode") or _STANDARD_MODE
    if not isinstance(mode.value, str) or mode.value not in _MODES:
        raise ConfigurationError(f"{mode.source} is {mode.value!r}; it must be one of {', '.join(_MODES)}")
    ours, remarks = _MODES[mode.value]
    attempts = elsewhere.look_up("AWS_MAX_ATTEMPTS", key="max_attempts") or _THREE_ATTEMPTS
    try:
        policy = RetryPolicy(max_attempts=int(attempts.value), mode=ours)
    except (TypeError, ValueError, ConfigurationError):
        shown = reprlib.repr(attempts.value)
        raise ConfigurationError(f"{attempts.source} is {shown}; it must be a number of attempts from 1") from None
    return policy, (mode, attempts), tuple([remark.format(mode.source) for remark in remarks])
