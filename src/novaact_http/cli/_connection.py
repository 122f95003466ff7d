"""What the options for endpoint, credentials and connections make: a client."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from novaact_http.cli import _errors
from novaact_http.cli._terminal import say

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from novaact_http import AsyncClient, Client, RetryPolicy
    from novaact_http._aws.profiles import Profile
    from novaact_http.attempts import Attempt

_PATIENT_ATTEMPTS = 5
_NO_LIMIT = 365 * 24 * 60 * 60.0  # seconds, the longest that the library allows


class Connection(NamedTuple):
    """The options of `connection_options` as given."""

    profile: str | None
    region: str | None
    endpoint_url: str | None
    ca_bundle: str | None
    no_verify_ssl: bool
    cli_connect_timeout: float | None
    cli_read_timeout: float | None
    max_attempts: int | None

    @classmethod
    def take_from(cls, options: dict[str, Any]) -> Connection:
        """Take them out of a command's options.

        Raises:
            click.UsageError: a timeout is too long.
        """
        connection = cls(*[options.pop(name) for name in cls._fields])
        for name in ("cli_connect_timeout", "cli_read_timeout"):
            seconds = getattr(connection, name)
            if seconds is not None and not seconds <= _NO_LIMIT:  # true for nan too
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} must be a number of seconds, a year at most; 0 for no limit")
        return connection

    def client(self, retries: RetryPolicy | None = None) -> Client:
        """Make a client.

        Args:
            retries: how it retries; None for what `--max-attempts`, the environment and the profile say.

        Raises:
            NovaActError: a setting or the credentials are missing or wrong.
        """
        from novaact_http import Client, RetryPolicy

        if retries is None and self.max_attempts is not None:
            retries = RetryPolicy(max_attempts=self.max_attempts)
        return Client(**self._options(), retries=retries)

    def patient_client(self, on_attempt: Callable[[Attempt], object] | None = None) -> AsyncClient:
        """Make an asynchronous client that slows down, rather than fails, when the account is throttled.

        Args:
            on_attempt: called after each attempt of a call.

        Raises:
            NovaActError: a setting or the credentials are missing or wrong.
        """
        from novaact_http import AsyncClient, RetryPolicy

        retries = RetryPolicy(mode="adaptive", max_attempts=self.max_attempts or _PATIENT_ATTEMPTS)
        return AsyncClient(**self._options(), retries=retries, on_attempt=on_attempt)

    def _options(self) -> dict[str, Any]:
        from novaact_http import Timeout

        limits = {"connect": self.cli_connect_timeout, "read": self.cli_read_timeout}
        return {
            "region": self.region,
            "profile": self.profile,
            "endpoint_url": self.endpoint_url,
            "verify": self._unverified_tls() if self.no_verify_ssl else self.ca_bundle,
            "timeout": Timeout(**{name: value or _NO_LIMIT for name, value in limits.items() if value is not None}),
        }

    def _unverified_tls(self) -> ssl.SSLContext:
        import ssl

        unused = "; --ca-bundle is not used" if self.ca_bundle is not None else ""  # as in the AWS CLI
        say(
            "warning: with --no-verify-ssl no certificate is checked: any server that answers can read and replay "
            f"requests{unused}"
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        return context

    def profile_of(self) -> Profile:
        """Return the profile.

        Raises:
            ConfigurationError: there is no such profile, or a file cannot be read.
        """
        from novaact_http._aws.profiles import Profile

        return Profile(self.profile, os.environ)

    def target(self) -> _errors.Target:
        """Return where requests go."""
        from novaact_http._aws.settings import resolve

        settings = resolve(
            region=self.region, endpoint_url=self.endpoint_url, environ=os.environ, profile=self.profile_of()
        )
        endpoint = settings.sources["endpoint_url"]
        source = _errors.shown_source(endpoint.source, endpoint.file)
        return _errors.Target(settings.region, settings.endpoint.url, source)
