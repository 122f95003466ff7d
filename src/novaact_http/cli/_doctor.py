"""`novaact-http doctor`: shows which settings and credentials would be used, and where each came from.

Nothing is decided here: settings and credentials are resolved as a client resolves them. botocore's providers of
credentials tell only their names; the variable or the profile's key that made them answer is added here.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors
from novaact_http.cli._connection import Connection
from novaact_http.cli._options import Command, connection_options, option
from novaact_http.cli._output import OF_LISTINGS
from novaact_http.cli._output_settings import configured_format
from novaact_http.cli._terminal import notices, printable, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novaact_http._aws.profiles import Profile
    from novaact_http._aws.settings import Setting, Settings
    from novaact_http.errors import NovaActError

_CALL = "Calls"
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
_WIDTH = 16  # of the names
_STAND_IN_REGION = "us-east-1"
# What is asked for if there is no definition and no run, as permissions can be told all the same.
_NOBODY, _NO_RUN = "novaact-http-doctor", "00000000-0000-4000-8000-000000000000"
_OF_DEFINITION = ("workflow_definition_name",)
_OF_RUN = (*_OF_DEFINITION, "workflow_run_id")
# The operations that read, each with its arguments.
_READS = {
    "list_workflow_definitions": ("max_results",),
    "get_workflow_definition": _OF_DEFINITION,
    "list_workflow_runs": (*_OF_DEFINITION, "max_results"),
    "get_workflow_run": _OF_RUN,
    "list_sessions": (*_OF_RUN, "max_results"),
    "list_acts": (*_OF_RUN, "max_results"),
    "list_models": ("client_compatibility_version",),
}


@click.command(cls=Command, short_help="Show the settings and credentials that would be used.")
@option(_CALL, "--call", is_flag=True, help="Try each operation that reads once, to see what the credentials allow.")
@option(_CALL, "--workflow-definition-name", metavar="NAME", help="The workflow definition to ask for. Default: any.")
@option(_CALL, "--workflow-run-id", metavar="UUID", help="The workflow run to ask for. Default: any.")
@option("Output", "--output", type=click.Choice(["text", "json"]), default="text", help="The format.")
@connection_options
@click.pass_context
def doctor(ctx: click.Context, /, **options: Any) -> None:
    """Show which region, endpoint, credentials and other settings would be used, and where each came from.

    If any of them is missing or wrong, all problems are shown, and the exit code is 253. With --call, it is that of the
    first call that failed.

    \b
    Examples:
      novaact-http doctor --profile dev
      novaact-http doctor --call
      novaact-http doctor --output json
    """  # noqa: D301 - click marks verbatim text with a \b
    connection = Connection.take_from(options)
    given = Given(connection=connection, **options)
    if given.workflow_run_id is not None and given.workflow_definition_name is None:
        raise click.UsageError("--workflow-run-id needs --workflow-definition-name, as a run is of a definition")
    if not given.call and given.workflow_definition_name is not None:
        raise click.UsageError("--workflow-definition-name and --workflow-run-id are for the calls: add --call")
    with notices(debug=given.debug):
        ctx.exit(_Examination(given).make())


class Given(NamedTuple):
    """The options as given."""

    connection: Connection
    call: bool
    workflow_definition_name: str | None
    workflow_run_id: str | None
    output: str
    debug: bool


class _Findings:
    """What was found: printed line by line, or at the end as JSON. Each name is there once."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._found: list[dict[str, str]] = []
        self._calls: list[dict[str, Any]] = []
        self._problems: list[str] = []

    def add(self, name: str, value: str, source: str = "") -> None:
        """Add a finding."""
        self._found.append({"name": name, "value": value, **({"source": source} if source else {})})
        self._print(name, f"{value}  ({source})" if source else value)

    def add_call(self, operation: str, error: NovaActError | None, seconds: float, *, is_allowed: bool) -> None:
        """Add what came of a call."""
        code = None if error is None else getattr(error, "code", type(error).__name__)
        milliseconds = round(seconds * 1000)
        call = {"operation": operation, "allowed": is_allowed, "error": code, "milliseconds": milliseconds}
        outcome = "allowed" if is_allowed else code
        self._print("" if self._calls else "calls", f"{operation}: {outcome}, after {milliseconds} ms")
        self._calls.append(call)

    def _print(self, name: str, text: str) -> None:
        if not self._as_json:
            click.echo(f"{name:<{_WIDTH}}{printable(text)}")

    def add_problem(self, error: NovaActError, target: _errors.Target | None, *, debug: bool) -> int:
        """Report a problem, and return its exit code."""
        self._problems.append(_errors.describe(error, target, ""))
        return _errors.report(error, debug=debug, target=target)

    def end(self) -> None:
        """Print what is not printed yet."""
        if self._as_json:
            document = {"findings": self._found, "calls": self._calls, "problems": self._problems}
            click.echo(json.dumps(document, indent=4, ensure_ascii=False))


def _place(setting: Setting) -> str:
    return _errors.shown_source(setting.source, setting.file)


def _default_bundle() -> Setting:
    from novaact_http._aws.settings import Setting

    try:
        import certifi
    except ModuleNotFoundError:
        return Setting(None, "the system's trust store, as certifi is not installed")
    return Setting(certifi.where(), "the default, from certifi")


class _Examination:
    def __init__(self, given: Given) -> None:
        self._given = given
        self._connection = given.connection
        self._findings = _Findings(as_json=given.output == "json")
        self._show = self._findings.add

    def make(self) -> int:
        """Show all findings, report the problems, and return the exit code."""
        code = self._examine()
        self._findings.end()
        return code

    def _examine(self) -> int:
        from novaact_http.errors import ConfigurationError

        problems: list[NovaActError] = []
        try:
            profile = self._connection.profile_of()
            self._show("profile", profile.name, _errors.shown_source(profile.source))
            settings = self._settings(profile, problems)
        except ConfigurationError as error:  # the profile is wrong, and all else depends on it
            problems.append(error)
        else:
            if settings is not None:
                self._show_settings(settings)
                self._show_trust(settings, problems)
            self._show_credentials(profile, _STAND_IN_REGION if settings is None else settings.region, problems)
            self._show_output(problems)
        self._show_versions()
        for problem in problems:
            self._findings.add_problem(problem, None, debug=self._given.debug)
        if problems:
            return _errors.CONFIGURATION
        return self._call() if self._given.call else 0

    def _settings(self, profile: Profile, problems: list[NovaActError]) -> Settings | None:
        """Return the settings: with a stand-in region if only the region is wrong, or None if other settings are."""
        from novaact_http._aws.settings import resolve
        from novaact_http.errors import ConfigurationError

        connection = self._connection
        options: Mapping[str, Any] = {
            "endpoint_url": connection.endpoint_url,
            "verifies": connection.no_verify_ssl or connection.ca_bundle is not None,
            "environ": os.environ,
            "profile": profile,
        }
        try:
            settings = resolve(region=connection.region, **options)
        except ConfigurationError as error:
            problems.append(error)
        else:
            self._show("region", settings.region, _place(settings.sources["region"]))
            self._show("endpoint", settings.endpoint.url, _place(settings.sources["endpoint_url"]))
            return settings
        try:  # with a good region, to find what else is wrong
            settings = resolve(region=_STAND_IN_REGION, **options)
        except ConfigurationError as error:
            _add(problems, error)
            return None
        self._show("region", "missing or wrong")
        return settings

    def _show_settings(self, settings: Settings) -> None:
        from novaact_http import Timeout

        sources, connection, default = settings.sources, self._connection, Timeout()
        for name, title in (("use_fips", "FIPS"), ("use_dualstack", "dualstack")):
            self._show(title, "yes" if getattr(settings, name) else "no", _place(sources[name]))
        proxy = re.sub(r"//[^/]*@", "//***@", settings.proxy_url or "none")
        self._show("proxy", proxy, _place(sources["proxy_url"]))
        for what, usual in (("connect", default.connect), ("read", default.read)):
            given = getattr(connection, f"cli_{what}_timeout")
            limit = usual if given is None else given
            source = "the default" if given is None else f"--cli-{what}-timeout"
            self._show(f"{what} timeout", f"{limit:g} s" if limit else "none", source)
        self._show("retry mode", settings.retries.mode, _place(sources["retry_mode"]))
        if connection.max_attempts is None:
            self._show("max attempts", str(settings.retries.max_attempts), _place(sources["max_attempts"]))
        else:
            self._show("max attempts", str(connection.max_attempts), "--max-attempts")
        self._show("app id", settings.app_id or "none", _place(sources["app_id"]))
        for remark in settings.remarks:
            say(f"warning: {remark}")

    def _show_trust(self, settings: Settings, problems: list[NovaActError]) -> None:
        from novaact_http._aws.settings import Setting
        from novaact_http._http import tls
        from novaact_http.errors import ConfigurationError

        if self._connection.no_verify_ssl:
            self._show("CA bundle", "none, no certificate is checked", "--no-verify-ssl")
            return
        if self._connection.ca_bundle is not None:
            bundle = Setting(self._connection.ca_bundle, "the argument verify")
        elif settings.ca_bundle is not None:
            bundle = settings.ca_bundle
        else:
            bundle = _default_bundle()
        self._show("CA bundle", bundle.value or "none", _place(bundle))
        try:
            tls.provider(bundle.value, scheme="https", source=bundle.source)()
        except ConfigurationError as error:
            problems.append(error)

    def _show_credentials(self, profile: Profile, region: str, problems: list[NovaActError]) -> None:
        from novaact_http._aws import credential_sources
        from novaact_http.errors import CredentialsError

        now = time.time()
        try:
            source = credential_sources.choose_source(
                None, profile=self._connection.profile, region=region, environ=os.environ, now=now
            )
            fetched = credential_sources.fetch_with_origin(source, now)
        except CredentialsError as error:
            problems.append(error)
            self._show("credentials", "missing or wrong")
            return
        self._show("credentials", masked(fetched.credentials.access_key_id), _origin(fetched.origin, profile))
        kind = "temporary" if fetched.credentials.session_token else "permanent"
        until = f"until {fetched.expires_at}" if fetched.expires_at else "no expiry time is known"
        self._show("validity", f"{kind}, {until}")

    def _show_output(self, problems: list[NovaActError]) -> None:
        from novaact_http.errors import ConfigurationError

        try:
            form, source = configured_format(self._connection, OF_LISTINGS)
        except ConfigurationError as error:
            _add(problems, error)
        else:
            self._show("output", form or "table on a terminal, else json", source)

    def _show_versions(self) -> None:
        import ssl

        from novaact_http import __version__

        python = ".".join(map(str, sys.version_info[:3]))
        self._show("versions", f"novaact-http {__version__}, Python {python}, {ssl.OPENSSL_VERSION}")
        self._show("packages", ", ".join(f"{each} {_version_of(each)}" for each in _PACKAGES))

    def _call(self) -> int:
        """Try each operation that reads, and return the exit code of the first that failed."""
        from novaact_http import RetryPolicy
        from novaact_http.errors import NovaActError, ResponseError, ServiceError

        name, run_id = self._given.workflow_definition_name, self._given.workflow_run_id
        code, target, clock = 0, self._connection.target(), ""
        with self._connection.client(RetryPolicy(mode="off")) as client:
            for operation, arguments in _READS.items():
                known = {"workflow_definition_name": name or _NOBODY, "workflow_run_id": run_id or _NO_RUN}
                usual = {"max_results": 1, "client_compatibility_version": 1}
                began, started = time.time(), time.monotonic()
                headers, error = None, None
                try:
                    output = getattr(client, operation)(**{each: {**known, **usual}[each] for each in arguments})
                except NovaActError as raised:
                    error = raised
                    headers = raised.headers if isinstance(raised, (ServiceError, ResponseError)) else None
                else:
                    headers = output.metadata.headers
                    if name is None and operation == "list_workflow_definitions":
                        name = next(
                            (each.workflow_definition_name for each in output.workflow_definition_summaries), None
                        )
                    if run_id is None and operation == "list_workflow_runs":
                        run_id = next((each.workflow_run_id for each in output.workflow_run_summaries), None)
                wire = "".join(map(str.capitalize, operation.split("_")))
                took = time.monotonic() - started
                # The service looks at permissions first, so that what is not found is allowed.
                is_allowed = error is None or getattr(error, "code", None) == "ResourceNotFoundException"
                self._findings.add_call(wire, error, took, is_allowed=is_allowed)
                is_of_given = operation.startswith("get_") and getattr(self._given, arguments[-1]) is not None
                if error is not None and (is_of_given or not is_allowed):
                    failed = self._findings.add_problem(error, target, debug=self._given.debug)
                    code = code or failed
                if headers is not None and not clock:
                    clock = _compare_clocks((began + time.time()) / 2, headers.get("date", ""))
                if error is not None and (headers is None or _errors.is_refusal_of_credentials(error)):
                    break  # all others would fail likewise
        if clock:
            self._show("clock", clock)
        return code


def _add(problems: list[NovaActError], error: NovaActError) -> None:
    """Add a problem, unless it was found before."""
    if str(error) not in map(str, problems):
        problems.append(error)


def _version_of(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


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
