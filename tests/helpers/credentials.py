"""Credentials made up for tests, and functions that give them."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import datetime as dt
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

import botocore.credentials
import pytest

from novaact_http import Credentials
from novaact_http._aws.credential_cache import CredentialCache, Promise, credentials_or_raise
from novaact_http._aws.credential_sources import Source, choose_source
from tests.helpers.calls import NOW, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UTC = dt.timezone.utc
MINUTE, HOUR = 60.0, 3600.0


def keys(number: int = 0, *, left: float | None = None, now: float = NOW) -> Credentials:
    """Return credentials that expire when this number of seconds is left; None means that they do not expire."""
    expires_at = None if left is None else dt.datetime.fromtimestamp(now + left, UTC)
    return Credentials(access_key_id=f"AKIA{number}", secret_access_key="secretsecretsecret", expires_at=expires_at)


class Vault:
    """A function of credentials, which returns its answers in order, the last one again and again.

    Attributes:
        answers: what it returns. An exception is raised.
        calls: how often it was called.
        threads: the threads that called it.
    """

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
    """The same, as an async function."""

    async def __call__(self) -> Any:
        await asyncio.sleep(0)
        return Vault.__call__(self)


def source(argument: object, environ: dict[str, str] | None = None, profile: str | None = None) -> Source:
    """Return the source that a client with this argument `credentials` uses."""
    return choose_source(argument, profile=profile, region="us-east-1", environ=environ or {}, now=NOW)


def cache(argument: object, clock: Clock | None = None, environ: dict[str, str] | None = None) -> CredentialCache:
    """Return the cache of such a client."""
    return CredentialCache(source(argument, environ), clock or Clock())


def result_of(found: Credentials | Promise) -> Credentials:
    """Return what a cache returned, after waiting for it where it is a promise."""
    if isinstance(found, Credentials):
        return found
    result = found.wait(5)
    assert result is not None
    credentials = credentials_or_raise(result)
    assert credentials is not None
    return credentials


def wait_for_refresh(of: CredentialCache) -> None:
    """Wait until no refresh is running."""
    running = of._running()
    if running is not None:
        running.promise.wait(5)


def refreshable(
    left: float, refresh: Callable[[], Any] | None = None, number: int = 0
) -> botocore.credentials.RefreshableCredentials:
    """Return credentials of botocore's with this number of seconds left, whose refresh is this function or fails."""
    return botocore.credentials.RefreshableCredentials(
        f"AKIA{number}",
        "secretsecretsecret",
        "token",
        dt.datetime.now(UTC) + dt.timedelta(seconds=left),
        refresh or (lambda: pytest.fail("refreshed")),
        "test",
    )


def metadata(number: int, left: float = 2 * HOUR) -> dict[str, str]:
    """Return what a refresh of botocore's credentials returns."""
    expiry = dt.datetime.now(UTC) + dt.timedelta(seconds=left)
    return {
        "access_key": f"AKIA{number}",
        "secret_key": "secretsecretsecret",
        "token": "token",
        "expiry_time": expiry.isoformat(),
    }


def chain_of(monkeypatch: pytest.MonkeyPatch, *found: botocore.credentials.Credentials) -> mock.Mock:
    """Have botocore's chain find these credentials, one after another. Return the chain."""
    chain = mock.Mock(providers=[])
    chain.load_credentials.side_effect = found
    monkeypatch.setattr(botocore.credentials, "create_credential_resolver", lambda *_, **__: chain)
    return chain


@contextlib.contextmanager
def no_thread_can_start() -> Iterator[None]:
    """Have no thread start, as where a process has reached its limit."""
    refusal = RuntimeError("can't start new thread")
    with (
        mock.patch.object(threading.Thread, "start", side_effect=refusal),
        mock.patch.object(_thread, "start_new_thread", side_effect=refusal),
    ):
        yield
