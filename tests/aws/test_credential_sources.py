"""Where credentials come from: the environment, and the argument `credentials`."""

from __future__ import annotations

import datetime as dt
import functools
import logging
import threading
from typing import TYPE_CHECKING, Any

import boto3
import botocore.credentials
import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Credentials, CredentialsError
from novaact_http._aws.botocore_credentials import BotocoreSource
from novaact_http._aws.credential_cache import Promise
from novaact_http._aws.credential_sources import FixedCredentials
from tests.helpers.answers import httpx_page
from tests.helpers.both_clients import AsyncFace, SyncFace
from tests.helpers.calls import CALL, KEYS, Clock, mocked
from tests.helpers.credentials import (
    HOUR,
    MINUTE,
    AsyncVault,
    Vault,
    cache,
    keys,
    refreshable,
    result_of,
    source,
    wait_for_refresh,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.both_clients import Face

# The environment.

FULL = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
ENVIRONMENTS: list[dict[str, str]] = [
    FULL,
    {**FULL, "AWS_SESSION_TOKEN": "c"},
    {**FULL, "AWS_SESSION_TOKEN": "c", "AWS_SECURITY_TOKEN": "d"},
    {**FULL, "AWS_SESSION_TOKEN": "c", "AWS_SECURITY_TOKEN": ""},
    {**FULL, "AWS_SESSION_TOKEN": ""},
    {**FULL, "AWS_CREDENTIAL_EXPIRATION": ""},
    {"AWS_SECRET_ACCESS_KEY": "b"},
    {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "b"},
    {},
]


@pytest.mark.parametrize("environ", ENVIRONMENTS, ids=map(str, range(len(ENVIRONMENTS))))
def test_credentials_of_the_environment_are_the_same_as_boto3s(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    theirs = botocore.session.Session().get_credentials()
    ours = cache(None, environ=environ)
    if theirs is None:
        with pytest.raises(CredentialsError, match="no credentials were found"):
            result_of(ours.get())
        return
    frozen, found = theirs.get_frozen_credentials(), ours.get()
    assert isinstance(found, Credentials)
    assert (found.access_key_id, found.secret_access_key) == (frozen.access_key, frozen.secret_key)
    assert found.session_token == frozen.token
    assert not ours.renews


@pytest.mark.parametrize(
    "environ", [{"AWS_ACCESS_KEY_ID": "a"}, {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": ""}]
)
def test_a_key_without_its_secret_is_refused_at_once(environ: dict[str, str]) -> None:
    with pytest.raises(CredentialsError, match="AWS_SECRET_ACCESS_KEY is not"):
        source(None, environ)


@pytest.mark.parametrize(
    ("environ", "attribute"),
    [
        ({"AWS_ACCESS_KEY_ID": "a b"}, "access_key_id"),
        ({"AWS_SECRET_ACCESS_KEY": "hunter2\n"}, "secret_access_key"),
        ({"AWS_SESSION_TOKEN": "hunter2 "}, "session_token"),
    ],
)
def test_a_malformed_key_is_named_with_its_source(environ: dict[str, str], attribute: str) -> None:
    with pytest.raises(CredentialsError, match=f"^{next(iter(environ))} has a") as caught:
        source(None, {**FULL, **environ})
    assert "hunter2" not in str(caught.value)
    session = botocore.session.Session()
    values = {**FULL, **environ}
    session.set_credentials(*(values.get(name) for name in (*FULL, "AWS_SESSION_TOKEN")))
    with pytest.raises(
        CredentialsError, match=rf"^{attribute} of the argument credentials \(a Session\) has a"
    ) as caught:
        result_of(cache(session).get())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("gone", [["AWS_ACCESS_KEY_ID"], ["AWS_SECRET_ACCESS_KEY"], list(FULL)])
def test_keys_that_are_gone_from_the_environment_are_named(gone: list[str]) -> None:
    environ = {**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T20:00:00Z"}
    ours = cache(None, environ=environ)
    for name in gone:
        del environ[name]
    with pytest.raises(CredentialsError, match=f"^{gone[0]} is not set in the environment: set both"):
        result_of(ours.get())


moments = st.builds(
    "{}{}{}".format,
    st.datetimes(min_value=dt.datetime(2026, 1, 1), max_value=dt.datetime(2099, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(microsecond=0).isoformat()
    ),
    st.sampled_from(["", ".5", ".500000"]),
    st.sampled_from(["Z", "+00:00", "-05:30", "z"]),
).filter(lambda text: ".5Z" not in text and ".5z" not in text and ".5+" not in text and ".5-" not in text)


@given(moments)
def test_the_expiry_in_the_environment_is_read_as_botocore_reads_it(text: str) -> None:
    environ = {**FULL, "AWS_CREDENTIAL_EXPIRATION": text}
    theirs = botocore.credentials.EnvProvider(environ).load()
    ours = cache(None, environ=environ).get()
    assert isinstance(ours, Credentials)
    assert ours.expires_at == theirs._expiry_time


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-24T03:00:00", "1763930096", "x" * 99])
def test_an_expiry_that_is_not_a_time_with_a_zone_is_refused_at_once(text: str) -> None:
    with pytest.raises(
        CredentialsError,
        match=r"AWS_CREDENTIAL_EXPIRATION is '.*which is not a time with a time zone: set a time such as 2026-",
    ) as caught:
        source(None, {**FULL, "AWS_CREDENTIAL_EXPIRATION": text})
    assert "x" * 41 not in str(caught.value)


def test_the_environment_is_read_again_when_its_credentials_expire() -> None:
    clock, environ = Clock(), {**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T21:34:56Z"}
    ours = cache(None, clock, environ)
    assert result_of(ours.get()).access_key_id == "a"
    environ.update(AWS_ACCESS_KEY_ID="a2", AWS_CREDENTIAL_EXPIRATION="2025-11-24T21:34:56Z")
    assert result_of(ours.get()).access_key_id == "a"
    clock.now += HOUR
    assert result_of(ours.get()).access_key_id == "a2"
    assert ours.renews


def test_expired_credentials_of_the_environment_are_an_error_when_they_are_needed() -> None:
    ours = cache(None, environ={**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T20:00:00Z"})
    with pytest.raises(CredentialsError, match=r"the environment has credentials that expired at 2025-11-23 20:00:00"):
        result_of(ours.get())


def test_keys_of_the_environment_are_ignored_if_a_profile_is_passed() -> None:
    assert isinstance(source(None, FULL, profile="default"), BotocoreSource)
    assert isinstance(source(None, {**FULL, "AWS_PROFILE": "default"}), FixedCredentials)


# Arguments.


@pytest.mark.parametrize("argument", ["AKIA", ("a", "b"), object(), Credentials, boto3.Session, Vault])
def test_credentials_of_another_type_are_refused(argument: Any) -> None:
    with pytest.raises(CredentialsError, match=r"is (the class|of type) .*: pass a novaact_http\.Credentials"):
        source(argument)


@pytest.mark.parametrize(
    ("value", "problem"),
    [(5, "is of type int: pass a datetime.datetime"), (dt.datetime(2026, 1, 1), "has no time zone")],  # noqa: DTZ001
)
def test_an_expiry_that_is_not_a_datetime_with_a_zone_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(CredentialsError, match=f"expires_at {problem}"):
        Credentials(access_key_id="a", secret_access_key="b", expires_at=value)


def test_passed_credentials_are_used_until_they_expire() -> None:
    clock = Clock()
    ours = cache(keys(left=10), clock)
    assert ours.get() is result_of(ours.get())
    clock.now += 10
    with pytest.raises(CredentialsError, match="the argument credentials has credentials that expired at 2025-11-23"):
        result_of(ours.get())


def test_nothing_is_sent_with_credentials_that_have_expired(face: Face) -> None:
    options = {**mocked(lambda _: pytest.fail("sent")), "credentials": keys(left=10)}
    with pytest.raises(CredentialsError, match="expired at 2025-11-23"):
        face.page(options, **CALL)


def test_a_functions_credentials_are_kept() -> None:
    vault = Vault(keys(1), keys(2))
    ours = cache(vault)
    assert result_of(ours.get()) is ours.get() is ours.get()
    assert vault.calls == 1


def test_good_credentials_are_returned_at_once_and_refreshed_in_the_background() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), keys(2, left=2 * HOUR))
    ours = cache(vault, clock)
    result_of(ours.get())
    clock.now += HOUR - 15 * MINUTE - 1
    assert result_of(ours.get()).access_key_id == "AKIA1"
    assert vault.calls == 1
    clock.now += 1
    assert result_of(ours.get()).access_key_id == "AKIA1"
    wait_for_refresh(ours)
    assert result_of(ours.get()).access_key_id == "AKIA2"
    assert vault.calls == 2


def test_short_lived_credentials_are_not_refreshed_all_the_time() -> None:
    clock, vault = Clock(), Vault(keys(1, left=10 * MINUTE))
    ours = cache(vault, clock)
    for _ in range(3):
        result_of(ours.get())
        wait_for_refresh(ours)
    clock.now += 5 * MINUTE - 1
    ours.get()
    wait_for_refresh(ours)
    assert vault.calls == 1
    clock.now += 1
    ours.get()
    wait_for_refresh(ours)
    assert vault.calls == 2


def test_during_a_background_refresh_no_call_waits_or_starts_another() -> None:
    clock, release, begun = Clock(), threading.Event(), threading.Event()
    calls: list[None] = []

    def slowly() -> Credentials:
        calls.append(None)
        if len(calls) > 1:
            begun.set()
            assert release.wait(5)
        return keys(len(calls), left=HOUR, now=clock.now)

    ours = cache(slowly, clock)
    result_of(ours.get())
    clock.now += 50 * MINUTE
    assert result_of(ours.get()).access_key_id == "AKIA1"
    assert begun.wait(5)
    for _ in range(10):
        found = ours.get()
        assert isinstance(found, Credentials)
        assert found.access_key_id == "AKIA1"
    ours._refresh_in_background(None)  # as another call does that saw no refresh running
    clock.now += 10 * MINUTE  # they have expired: this call waits for the refresh that runs already
    waited = ours.get()
    assert isinstance(waited, Promise)
    release.set()
    assert result_of(waited).access_key_id == "AKIA2"
    assert len(calls) == 2


def test_a_background_refresh_that_fails_is_logged_and_not_repeated_at_every_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), ValueError("secretsecretsecret"))
    ours = cache(vault, clock)
    result_of(ours.get())
    clock.now += 50 * MINUTE
    for _ in range(5):
        assert result_of(ours.get()).access_key_id == "AKIA1"
        wait_for_refresh(ours)
    assert vault.calls == 2
    (record,) = caplog.records
    assert "credentials were not refreshed, the current ones are still used" in record.getMessage()
    assert "secretsecretsecret" not in caplog.text
    clock.now += MINUTE
    ours.get()
    wait_for_refresh(ours)
    assert vault.calls == 3


def test_a_failed_refresh_that_a_call_waits_for_is_raised_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError):
        result_of(cache(Vault(ValueError())).get())
    assert caplog.records == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (ValueError("secretsecretsecret"), r"\(the function Vault\) failed: ValueError$"),
        (KeyboardInterrupt("secretsecretsecret"), r" failed: KeyboardInterrupt$"),
        (None, r" returned an object of type NoneType: return a novaact_http\.Credentials$"),
        (
            {"AccessKeyId": "secretsecretsecret"},
            r" returned an object of type dict: return a novaact_http\.Credentials$",
        ),
        (keys(left=0), r" has credentials that expired at 2025-11-23 20:34:56"),
        (CredentialsError("the vault is locked"), r"^the vault is locked$"),
    ],
)
def test_a_function_that_fails_or_returns_nonsense_is_one_clear_error(answer: Any, problem: str) -> None:
    with pytest.raises(CredentialsError, match=problem) as caught:
        result_of(cache(Vault(answer)).get())
    assert "secretsecretsecret" not in str(caught.value)
    if isinstance(answer, BaseException) and not isinstance(answer, CredentialsError):
        assert caught.value.__cause__ is answer
    assert "the argument credentials (the function Vault)" in str(caught.value) or "vault" in str(caught.value)


def test_a_result_that_raises_when_it_is_inspected_blocks_no_call(face: Face) -> None:
    class Rude:
        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    with pytest.raises(CredentialsError, match=r"returned an object of type Rude: return a novaact_http\.Credentials$"):
        face.page({**mocked(lambda _: httpx_page()), "credentials": _wrapped(Rude), "timeout": 5}, **CALL)


def test_client_refuses_an_async_function(face: Face) -> None:
    async def fetch() -> Credentials:
        return KEYS

    options = {**mocked(lambda _: httpx_page()), "credentials": fetch}
    if isinstance(face, SyncFace):
        with pytest.raises(CredentialsError, match="which Client cannot await: pass a plain function, or use Async"):
            face.page(options, **CALL)
    else:
        assert face.page(options, **CALL).session_summaries == ()


def test_a_function_is_not_called_on_the_callers_thread(face: Face) -> None:
    vault = Vault(KEYS)
    face.page({**mocked(lambda _: httpx_page()), "credentials": vault}, **CALL)
    assert vault.threads[0].name == "novaact-credentials"
    assert vault.threads[0].daemon  # a function that never returns does not keep the program from ending
    assert vault.threads[0] is not threading.current_thread()


def _wrapped(function: Callable[[], Any]) -> Callable[[], Any]:
    """Return a plain function that calls this one."""

    def plain() -> Any:
        return function()

    return plain


def test_async_functions_of_any_kind_are_awaited_on_the_callers_event_loop() -> None:
    vault = AsyncVault(KEYS)
    for fetch in (vault, vault.__call__, functools.partial(vault), _wrapped(vault)):
        AsyncFace().page({**mocked(lambda _: httpx_page()), "credentials": fetch}, **CALL)
    # A function that can be seen to be async needs no thread.
    assert source(vault).is_asynchronous()
    assert source(vault.__call__).is_asynchronous()
    assert not source(_wrapped(vault)).is_asynchronous()
    assert vault.threads == [threading.current_thread()] * 4


def test_an_async_function_that_fails_is_one_clear_error() -> None:
    options = {**mocked(lambda _: httpx_page()), "credentials": AsyncVault(ValueError("no"))}
    with pytest.raises(CredentialsError, match="failed: ValueError") as caught:
        AsyncFace().page(options, **CALL)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_call_with_good_credentials_starts_no_thread(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    good = refreshable(HOUR)
    for argument in (KEYS, session, session.get_credentials(), good):
        clock = Clock()
        ours = cache(argument, clock)
        result_of(ours.get())  # the first credentials may have to be fetched
        clock.now += HOUR
        with monkeypatch.context() as patched:
            patched.setattr(threading, "Thread", lambda **_: pytest.fail("a thread was started"))
            assert isinstance(ours.get(), Credentials)
