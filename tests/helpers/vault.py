"""Credentials made up for tests, and functions that give them."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import botocore.credentials
import pytest

from novaact_http import Credentials
from novaact_http._aws.credential_cache import CredentialCache, Promise, credentials_or_raise
from novaact_http._aws.credential_sources import Source, choose_source
from tests.helpers.calls import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

UTC = dt.timezone.utc
MINUTE, HOUR = 60.0, 3600.0


class Clock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def keys(number: int = 0, *, left: float | None = None, now: float = NOW) -> Credentials:
    """Credentials with this many seconds left."""
    expires_at = None if left is None else dt.datetime.fromtimestamp(now + left, UTC)
    return Credentials(access_key_id=f"AKIA{number}", secret_access_key="secretsecretsecret", expires_at=expires_at)


class Vault:
    """A function that returns one after another what it was given; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.threads: list[threading.Thread] = []

    def __call__(self) -> Any:
        self.calls += 1
        self.threads.append(threading.current_thread())
        answer = self.answers[min(self.calls, len(self.answers)) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer


class AsyncVault(Vault):
    async def __call__(self) -> Any:
        await asyncio.sleep(0)
        return Vault.__call__(self)


def source(argument: object, environ: dict[str, str] | None = None, profile: str | None = None) -> Source:
    return choose_source(argument, profile=profile, region="us-east-1", environ=environ or {}, now=NOW)


def cache(argument: object, clock: Clock | None = None, environ: dict[str, str] | None = None) -> CredentialCache:
    return CredentialCache(source(argument, environ), clock or Clock())


def got(found: Credentials | Promise) -> Credentials:
    if isinstance(found, Credentials):
        return found
    result = found.wait(5)
    assert result is not None
    credentials = credentials_or_raise(result)
    assert credentials is not None
    return credentials


def settled(of: CredentialCache) -> None:
    """Wait until no refresh is running."""
    running = of._running()
    if running is not None:
        running.promise.wait(5)


def refreshable(
    left: float, refresh: Callable[[], Any] | None = None, number: int = 0
) -> botocore.credentials.RefreshableCredentials:
    return botocore.credentials.RefreshableCredentials(
        f"AKIA{number}",
        "secretsecretsecret",
        "token",
        dt.datetime.now(UTC) + dt.timedelta(seconds=left),
        refresh or (lambda: pytest.fail("refreshed")),
        "test",
    )


def metadata(number: int, left: float = 2 * HOUR) -> dict[str, str]:
    expiry = dt.datetime.now(UTC) + dt.timedelta(seconds=left)
    return {
        "access_key": f"AKIA{number}",
        "secret_key": "secretsecretsecret",
        "token": "token",
        "expiry_time": expiry.isoformat(),
    }
