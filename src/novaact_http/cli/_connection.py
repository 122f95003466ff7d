"""What the options for endpoint and credentials make: an asynchronous client."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from novaact_http.cli import _errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http import AsyncClient
    from novaact_http.attempts import Attempt

_MAX_ATTEMPTS = 5


class Connection(NamedTuple):
    """The options of `connection_options` as given."""

    profile: str | None
    region: str | None
    endpoint_url: str | None
    ca_bundle: str | None

    @classmethod
    def take_from(cls, options: dict[str, Any]) -> Connection:
        """Take them out of a command's options."""
        return cls(*[options.pop(name) for name in cls._fields])

    def client(self, on_attempt: Callable[[Attempt], object] | None = None) -> AsyncClient:
        """Make a client that slows down, rather than fails, when the account is throttled.

        Args:
            on_attempt: called after each attempt of a call.

        Raises:
            NovaActError: a setting or the credentials are missing or wrong.
        """
        from novaact_http import AsyncClient, RetryPolicy

        return AsyncClient(
            region=self.region,
            profile=self.profile,
            endpoint_url=self.endpoint_url,
            verify=self.ca_bundle,
            retries=RetryPolicy(mode="adaptive", max_attempts=_MAX_ATTEMPTS),
            on_attempt=on_attempt,
        )

    def target(self) -> _errors.Target:
        """Return where requests go."""
        from novaact_http._aws.profiles import Profile
        from novaact_http._aws.settings import resolve

        profile = Profile(self.profile, os.environ)
        settings = resolve(region=self.region, endpoint_url=self.endpoint_url, environ=os.environ, profile=profile)
        endpoint = settings.sources["endpoint_url"]
        source = _errors.shown_source(endpoint.source, endpoint.file)
        return _errors.Target(settings.region, settings.endpoint.url, source)
