"""`novaact-http doctor`: shows which settings and credentials would be used, and where each came from.

Nothing is decided here: settings and credentials are resolved as a client resolves them. botocore's providers of
credentials tell only their names; the variable or the profile's key that made them answer is added here.
"""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors
from novaact_http.cli._options import Command, connection_options, option
from novaact_http.cli._terminal import notices, printable, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._aws.profiles import Profile
    from novaact_http._aws.settings import Setting, Settings
    from novaact_http.errors import NovaActError

_CALL = "A test call"
_PACKAGES = ("botocore", "httpx", "attrs", "certifi", "click", "rich")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_TOKENS = ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")  # the first that is set is used, as in botocore
# The variables and the profile's keys that make botocore's providers answer. Other providers need none.
_TRIGGERS = {
    "assume-role": ("role_arn",),
    "assume-role-with-web-identity": ("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"),
    "config-file": ("aws_access_key_id",),
    "container-role": ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    "custom-process": ("credential_process",),
    "login": ("login_session",),
    "shared-credentials-file": ("aws_access_key_id",),
    "sso": ("sso_session", "sso_start_url"),
}
_CLOCK_TOLERANCE = 2.0  # seconds, as a Date header has whole ones
_WIDTH = 13
_STAND_IN_REGION = "us-east-1"


@click.command(cls=Command, short_help="Show the settings and credentials that would be used.")
@connection_options
@option(_CALL, "--call", is_flag=True, help="Make one signed call, for one session of the run below.")
@option(_CALL, "--workflow-definition-name", metavar="NAME", help="The workflow definition.")
@option(_CALL, "--workflow-run-id", metavar="UUID", help="The workflow run.")
@option("Other", "--debug", is_flag=True, help="Show the traceback of an error. Never shows secrets.")
@click.pass_context
def doctor(ctx: click.Context, /, **options: Any) -> None:
    """Show which region, endpoint, credentials and other settings would be used, and where each came from.

    If any of them is missing or wrong, all problems are shown, and the exit code is 253.

    \b
    Examples:
      novaact-http doctor --profile dev
      novaact-http doctor --call --workflow-definition-name checkout-flow \\
        --workflow-run-id 01234567-89ab-4cde-8f01-23456789abcd
    """  # noqa: D301 - click marks verbatim text with a \b
    given = Given(**options)
    if given.call and not (given.workflow_definition_name and given.workflow_run_id):
        raise click.UsageError("--call needs --workflow-definition-name and --workflow-run-id")
    if not given.call and (given.workflow_definition_name, given.workflow_run_id) != (None, None):
        raise click.UsageError("--workflow-definition-name and --workflow-run-id are for the test call: add --call")
    with notices(debug=given.debug):
        ctx.exit(_examine(given))


class Given(NamedTuple):
    """The options as given."""

    profile: str | None
    region: str | None
    endpoint_url: str | None
    ca_bundle: str | None
    call: bool
    workflow_definition_name: str | None
    workflow_run_id: str | None
    debug: bool


def _examine(given: Given) -> int:
    from novaact_http._aws.profiles import Profile
    from novaact_http.errors import ConfigurationError

    problems: list[NovaActError] = []
    try:
        profile = Profile(given.profile, os.environ)
        _show("profile", profile.name, _errors.shown_source(profile.source))
        settings = _settings(given, profile, problems)
    except ConfigurationError as error:  # the profile is wrong, and all else depends on it
        problems.append(error)
    else:
        if settings is not None:
            _show_settings(settings)
            _show_trust(given, settings, problems)
        _show_credentials(given, profile, _STAND_IN_REGION if settings is None else settings.region, problems)
    _show_versions()
    for problem in problems:
        _errors.report(problem, debug=given.debug)
    if problems:
        return _errors.CONFIGURATION
    return _call(given) if given.call else 0


def _show(name: str, value: str, source: str = "") -> None:
    came_from = f"  ({source})" if source else ""
    click.echo(f"{name:<{_WIDTH}}{printable(value)}{printable(came_from)}")


def _place(setting: Setting) -> str:
    return _errors.shown_source(setting.source, setting.file)


def _settings(given: Given, profile: Profile, problems: list[NovaActError]) -> Settings | None:
    """Return the settings: with a stand-in region if only the region is wrong, or None if other settings are."""
    from novaact_http._aws.settings import resolve
    from novaact_http.errors import ConfigurationError

    options: Mapping[str, Any] = {
        "endpoint_url": given.endpoint_url,
        "verifies": given.ca_bundle is not None,
        "environ": os.environ,
        "profile": profile,
    }
    try:
        settings = resolve(region=given.region, **options)
    except ConfigurationError as error:
        problems.append(error)
    else:
        _show("region", settings.region, _place(settings.sources["region"]))
        _show("endpoint", settings.endpoint.url, _place(settings.sources["endpoint_url"]))
        return settings
    try:  # with a good region, to find what else is wrong
        settings = resolve(region=_STAND_IN_REGION, **options)
    except ConfigurationError as error:
        if str(error) != str(problems[0]):
            problems.append(error)
        return None
    _show("region", "missing or wrong")
    return settings


def _show_settings(settings: Settings) -> None:
    from novaact_http import Timeout

    sources = settings.sources
    for name, title in (("use_fips", "FIPS"), ("use_dualstack", "dualstack")):
        _show(title, "yes" if getattr(settings, name) else "no", _place(sources[name]))
    proxy = re.sub(r"//[^/]*@", "//***@", settings.proxy_url or "none")
    _show("proxy", proxy, _place(sources["proxy_url"]))
    limits = Timeout()
    _show("timeouts", f"{limits.connect:g} s to connect, {limits.read:g} s to read", "the default")
    _show("retries", f"mode {settings.retries.mode}", _place(sources["retry_mode"]))
    _show("", f"{settings.retries.max_attempts} attempts", _place(sources["max_attempts"]))
    _show("app id", settings.app_id or "none", _place(sources["app_id"]))
    for remark in settings.remarks:
        say(f"warning: {remark}")


def _show_trust(given: Given, settings: Settings, problems: list[NovaActError]) -> None:
    from novaact_http._aws.settings import Setting
    from novaact_http._http import tls
    from novaact_http.errors import ConfigurationError

    if given.ca_bundle is not None:
        bundle = Setting(given.ca_bundle, "the argument verify")
    elif settings.ca_bundle is not None:
        bundle = settings.ca_bundle
    else:
        import certifi

        bundle = Setting(certifi.where(), "the default, from certifi")
    _show("CA bundle", bundle.value, _place(bundle))
    try:
        tls.provider(bundle.value, scheme="https", source=bundle.source)()
    except ConfigurationError as error:
        problems.append(error)


def _show_credentials(given: Given, profile: Profile, region: str, problems: list[NovaActError]) -> None:
    from novaact_http._aws import credential_sources
    from novaact_http.errors import CredentialsError

    now = time.time()
    try:
        source = credential_sources.choose_source(
            None, profile=given.profile, region=region, environ=os.environ, now=now
        )
        fetched = credential_sources.fetch_with_origin(source, now)
    except CredentialsError as error:
        problems.append(error)
        _show("credentials", "missing or wrong")
        return
    _show("credentials", masked(fetched.credentials.access_key_id), _origin(fetched.origin, profile))
    kind = "temporary" if fetched.credentials.session_token else "permanent"
    _show("", f"{kind}, until {fetched.expires_at}" if fetched.expires_at else f"{kind}, no expiry time is known")


def _origin(origin: str, profile: Profile) -> str:
    """Return where credentials came from, with the variable or key that made that source answer."""
    environ = os.environ
    if origin == "the environment":
        return f"{origin}: {', '.join((*_KEYS, *[each for each in _TOKENS if environ.get(each)][:1]))}"
    for name in _TRIGGERS.get(origin.rpartition(": ")[2], ()):
        if environ.get(name):
            return f"{origin}, because of {name}"
        if profile.get(name) is not None:
            return f"{origin}, because of {name} of the profile {profile.name!r} in {profile.file_of(name)}"
    return origin


def masked(key_id: str) -> str:
    """Return a key's id with its middle hidden; enough is left to tell it from others."""
    return f"{key_id[:4]}{'*' * 12}{key_id[-4:]}" if len(key_id) >= 16 else "*" * 12


def _show_versions() -> None:
    import ssl
    from importlib.metadata import PackageNotFoundError, version

    from novaact_http import __version__

    def version_of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "unknown"

    python = ".".join(map(str, sys.version_info[:3]))
    _show("versions", f"novaact-http {__version__}, Python {python}, {ssl.OPENSSL_VERSION}")
    _show("", ", ".join(f"{each} {version_of(each)}" for each in _PACKAGES))


def _call(given: Given) -> int:
    from novaact_http import Client, RetryPolicy
    from novaact_http.errors import NovaActError, ResponseError, ServiceError

    began, started = time.time(), time.monotonic()
    code, headers = 0, None
    with Client(
        region=given.region,
        profile=given.profile,
        endpoint_url=given.endpoint_url,
        verify=given.ca_bundle,
        retries=RetryPolicy(mode="off"),
    ) as client:
        try:
            page = client.list_sessions(
                workflow_definition_name=given.workflow_definition_name or "",
                workflow_run_id=given.workflow_run_id or "",
                max_results=1,
            )
            result = f"answered with {page.metadata.status_code}, request id {page.metadata.request_id}"
            headers = page.metadata.headers
        except NovaActError as error:
            result = "failed"
            code = _errors.report(error, debug=given.debug)
            if isinstance(error, (ServiceError, ResponseError)):
                headers = error.headers
    _show("call", f"{result}, after {(time.monotonic() - started) * 1000:.0f} ms")
    if headers is not None:
        _show("clock", _compare_clocks((began + time.time()) / 2, headers.get("date", "")))
    return code


def _compare_clocks(now: float, date: str) -> str:
    """Return how this machine's clock differs from the service's Date header."""
    from novaact_http._support.http_dates import parse_date

    service_time = parse_date(date)
    if service_time is None:
        return "not compared, as the response has no date"
    ahead = now - service_time
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return "agrees with the service's"
    return f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"
