"""What an error about credentials says: the setting, where the credentials came from, what to do."""

from __future__ import annotations

import asyncio
import datetime as dt
import pickle
from typing import TYPE_CHECKING

import boto3
import botocore.credentials
import botocore.session
import pytest

from novaact_http import Credentials, CredentialsError
from tests.helpers.credentials import cache, keys, no_thread_can_start, refreshable, result_of
from tests.helpers.setup_errors import Facts, Machine, check, making, pickled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


class Nonsense:
    """Not credentials."""

    def get_frozen_credentials(self) -> object:
        return "secret"


class Asynchronous:
    """Credentials of an asynchronous library."""

    async def get_frozen_credentials(self) -> object: ...


async def fetch() -> Credentials:
    return keys()


def fail() -> Credentials:
    raise ValueError("secret")


def expired() -> Credentials:
    return keys(left=0)


def bad_session() -> object:
    session = botocore.session.Session()
    session.set_credentials("a b", "c")
    return session


def no_thread(_: Machine) -> object:
    loop = asyncio.new_event_loop()
    try:
        with no_thread_can_start():
            return result_of(cache(fail).get(loop=loop))
    finally:
        loop.close()


def chain(_: Machine) -> object:
    with pytest.MonkeyPatch.context() as patched:
        for name in KEYS:
            patched.delenv(name, raising=False)
        return result_of(cache(None, environ={}).get())


def credentials_of(argument: object, **environ: str) -> Callable[[Machine], object]:
    return lambda _: result_of(cache(argument, environ=environ).get())


def environment(**environ: str) -> Callable[[Machine], object]:
    return credentials_of(None, **{**KEYS, **environ})


_PAIR = "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither"
_CREDENTIALS = (
    "pass a novaact_http.Credentials, a function that returns one, or a session or credentials of botocore or boto3"
)
_COPY = "copy it again, without that"
_HIDDEN = "has a space, line break or other character that no key has"

CREDENTIALS: dict[str, Facts] = {
    "a value's type": Facts(
        making(Credentials, access_key_id=7, secret_access_key="b"),
        "credentials",
        "Credentials.access_key_id",
        "is of type int",
        "pass a str",
    ),
    "an empty value": Facts(
        making(Credentials, access_key_id="a", secret_access_key=""),
        "credentials",
        "Credentials.secret_access_key",
        "is empty",
        "set a value",
    ),
    "a malformed value": Facts(
        making(Credentials, access_key_id="a", secret_access_key="b", session_token="secret "),
        "credentials",
        "Credentials.session_token",
        _HIDDEN,
        _COPY,
    ),
    "a time's type": Facts(
        making(Credentials, access_key_id="a", secret_access_key="b", expires_at=5),
        "credentials",
        "Credentials.expires_at",
        "is of type int",
        "pass a datetime.datetime",
    ),
    "a time without a zone": Facts(
        making(
            Credentials,
            access_key_id="a",
            secret_access_key="b",
            expires_at=dt.datetime(2026, 1, 1),  # noqa: DTZ001
        ),
        "credentials",
        "Credentials.expires_at",
        "has no time zone",
        "pass one that has, such as datetime.timezone.utc",
    ),
    "pickled credentials": Facts(
        lambda _: pickle.dumps(keys()),
        "credentials",
        None,
        "credentials are not pickled, so that no secret is stored by accident",
        "where they are needed, pass a function that returns them",
    ),
    "a pickled client": Facts(
        pickled(),
        "credentials",
        "the argument credentials",
        "cannot be pickled with the client, so that no secret is stored by accident",
        "pass no credentials, or a function of a module, of which only the name is pickled",
    ),
    "an argument's type": Facts(
        credentials_of(("a", "b")), "credentials", "the argument credentials", "is of type tuple", _CREDENTIALS
    ),
    "a class": Facts(
        credentials_of(boto3.Session), "credentials", "the argument credentials", "is the class Session", _CREDENTIALS
    ),
    "a session without credentials": Facts(
        credentials_of(botocore.session.Session()),
        "credentials",
        "the argument credentials (a Session)",
        "has no credentials",
        "configure it with some, or pass others",
    ),
    "a session with bad credentials": Facts(
        credentials_of(bad_session()),
        "credentials",
        "access_key_id of the argument credentials (a Session)",
        _HIDDEN,
        _COPY,
    ),
    "what is not frozen credentials": Facts(
        credentials_of(Nonsense()),
        "credentials",
        "the argument credentials (a Nonsense)",
        "gave an object of type str, which has no access_key, secret_key and token",
        "pass a session or credentials of botocore or boto3, or a function that returns a novaact_http.Credentials",
    ),
    "asynchronous credentials": Facts(
        credentials_of(Asynchronous()),
        "credentials",
        "the argument credentials (a Asynchronous)",
        "has an asynchronous get_frozen_credentials()",
        "pass AsyncClient an async function that awaits it and returns a novaact_http.Credentials",
    ),
    "an asynchronous function": Facts(
        credentials_of(fetch),
        "credentials",
        "the argument credentials (the function fetch)",
        "returned an object of type coroutine, which Client cannot await",
        "pass a plain function, or use AsyncClient",
    ),
    "a function of nothing": Facts(
        credentials_of(lambda: None),
        "credentials",
        "the argument credentials (the function <lambda>)",
        "returned an object of type NoneType",
        "return a novaact_http.Credentials",
    ),
    "a function that fails": Facts(
        credentials_of(fail),
        "credentials",
        "the argument credentials (the function fail)",
        "failed: ValueError",
        None,
    ),
    "botocore fails": Facts(
        credentials_of(refreshable(-1, dict)),
        "credentials",
        "the argument credentials (a RefreshableCredentials): test",
        "failed: CredentialRetrievalError: Error when retrieving credentials from test: ",
        None,
    ),
    "expired credentials": Facts(
        credentials_of(expired),
        "credentials",
        "the argument credentials (the function expired)",
        "has credentials that expired at 2025-11-23 20:34:56.500000+00:00",
        "get new ones",
    ),
    "no thread": Facts(
        no_thread,
        "credentials",
        "the argument credentials (the function fail)",
        "was not asked, as no thread could be started (can't start new thread)",
        "run fewer threads, or raise the limit of this process",
    ),
    "none": Facts(
        chain,
        "credentials",
        None,
        "no credentials were found (tried in this order: env, assume-role, ",
        "pass credentials=..., or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    "half of the environment's keys": Facts(
        credentials_of(None, AWS_ACCESS_KEY_ID="a"),
        "credentials",
        "AWS_SECRET_ACCESS_KEY",
        "is not set in the environment",
        _PAIR,
    ),
    "the environment's key": Facts(
        environment(AWS_ACCESS_KEY_ID="a b"), "credentials", "AWS_ACCESS_KEY_ID", _HIDDEN, _COPY
    ),
    "the environment's secret": Facts(
        environment(AWS_SECRET_ACCESS_KEY="secret "), "credentials", "AWS_SECRET_ACCESS_KEY", _HIDDEN, _COPY
    ),
    "the environment's token": Facts(
        environment(AWS_SESSION_TOKEN="secret "), "credentials", "AWS_SESSION_TOKEN", _HIDDEN, _COPY
    ),
    "the environment's older token": Facts(
        environment(AWS_SECURITY_TOKEN="secret "), "credentials", "AWS_SECURITY_TOKEN", _HIDDEN, _COPY
    ),
    "the environment's time": Facts(
        environment(AWS_CREDENTIAL_EXPIRATION="tomorrow"),
        "credentials",
        "AWS_CREDENTIAL_EXPIRATION",
        "is 'tomorrow', which is not a time with a time zone",
        "set a time such as 2026-01-31T12:00:00Z",
    ),
}


@pytest.mark.parametrize("facts", CREDENTIALS.values(), ids=CREDENTIALS)
def test_an_error_has_its_setting_its_source_and_advice(facts: Facts, tmp_path: Path) -> None:
    check(CredentialsError, facts, tmp_path)


def test_each_call_that_waited_for_a_refresh_gets_a_copy_of_the_error_with_all_facts() -> None:
    class SealedError(CredentialsError):
        """An application's own error."""

    cause = OSError()

    def sealed() -> Credentials:
        error = SealedError("is sealed", setting="credentials", source="the vault", advice="unseal it")
        error.request_id = "r-1"
        raise error from cause

    waited = cache(sealed).get()
    raised: list[CredentialsError] = []
    for _ in range(2):
        with pytest.raises(SealedError, match=r"^the vault is sealed: unseal it$") as caught:
            result_of(waited)
        raised.append(caught.value)
    first, second = raised
    assert first is not second
    assert vars(first) == vars(second)
    assert (first.setting, first.source, first.advice, first.request_id) == (
        "credentials",
        "the vault",
        "unseal it",
        "r-1",
    )
    assert first.__cause__ is second.__cause__ is cause
