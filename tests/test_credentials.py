"""Where credentials come from, and how they are kept fresh, on clocks of the tests' own."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import itertools
import logging
import os
import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import botocore.credentials
import botocore.session
import httpx
import pytest
from botocore.exceptions import ClientError, CredentialRetrievalError
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import (
    AsyncClient,
    Client,
    Credentials,
    CredentialsError,
    DeadlineExceeded,
    ServiceError,
    _credentials,
    _flow,
)
from novaact_http._credentials import Provider
from novaact_http._wire import Request, Response
from novaact_http.errors import TransportError
from novaact_http.operations import LIST_SESSIONS
from support import CALL, KEYS, NOW, OPTIONS, TEMPORARY_KEYS, Face, call_for, context, mocked, options_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import LocalService

UTC = dt.timezone.utc
PAGE = httpx.Response(200, json={"sessionSummaries": []})
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


def source(argument: object, environ: dict[str, str] | None = None, profile: str | None = None) -> _credentials.Source:
    return _credentials.find(argument, profile=profile, region="us-east-1", environ=environ or {}, now=NOW)


def provider(argument: object, clock: Clock | None = None, environ: dict[str, str] | None = None) -> Provider:
    return Provider(source(argument, environ), clock or Clock())


def got(found: Any) -> Credentials:
    return _credentials.outcome(found.result(5)) if isinstance(found, Future) else found


def settled(of: Provider) -> None:
    """Wait until no refresh is running."""
    running = of._running
    if running is not None:
        running.future.result(5)


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
def test_the_environments_credentials_are_boto3s(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    theirs = botocore.session.Session().get_credentials()
    ours = provider(None, environ=environ)
    if theirs is None:
        with pytest.raises(CredentialsError, match="no credentials were found"):
            got(ours.get())
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
def test_what_cannot_be_a_key_is_named_with_where_it_came_from(environ: dict[str, str], attribute: str) -> None:
    with pytest.raises(CredentialsError, match=f"^the environment gave bad credentials: {attribute} has a") as caught:
        source(None, {**FULL, **environ})
    assert "hunter2" not in str(caught.value)
    session = botocore.session.Session()
    values = {**FULL, **environ}
    session.set_credentials(*(values.get(name) for name in (*FULL, "AWS_SESSION_TOKEN")))
    with pytest.raises(CredentialsError, match=f"a Session, gave bad credentials: {attribute} has a") as caught:
        got(provider(session).get())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("gone", [["AWS_ACCESS_KEY_ID"], ["AWS_SECRET_ACCESS_KEY"], list(FULL)])
def test_keys_that_the_environment_has_no_more_are_named(gone: list[str]) -> None:
    environ = {**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T20:00:00Z"}
    ours = provider(None, environ=environ)
    for name in gone:
        del environ[name]
    with pytest.raises(CredentialsError, match=f"^{gone[0]} is not set in the environment: set both"):
        got(ours.get())


moments = st.builds(
    "{}{}{}".format,
    st.datetimes(min_value=dt.datetime(2026, 1, 1), max_value=dt.datetime(2099, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(microsecond=0).isoformat()
    ),
    st.sampled_from(["", ".5", ".500000"]),
    st.sampled_from(["Z", "+00:00", "-05:30", "z"]),
).filter(lambda text: ".5Z" not in text and ".5z" not in text and ".5+" not in text and ".5-" not in text)


@given(moments)
def test_when_the_environments_credentials_expire_is_read_as_botocore_reads_it(text: str) -> None:
    environ = {**FULL, "AWS_CREDENTIAL_EXPIRATION": text}
    theirs = botocore.credentials.EnvProvider(environ).load()
    ours = provider(None, environ=environ).get()
    assert isinstance(ours, Credentials)
    assert ours.expires_at == theirs._expiry_time


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-24T03:00:00", "1763930096", "x" * 99])
def test_a_time_that_is_none_or_has_no_zone_is_refused_at_once(text: str) -> None:
    with pytest.raises(
        CredentialsError, match=r"AWS_CREDENTIAL_EXPIRATION is '.*it must be a time such as 2026-"
    ) as caught:
        source(None, {**FULL, "AWS_CREDENTIAL_EXPIRATION": text})
    assert "x" * 41 not in str(caught.value)


def test_the_environment_is_read_again_when_its_credentials_expire() -> None:
    clock, environ = Clock(), {**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T21:34:56Z"}
    ours = provider(None, clock, environ)
    assert got(ours.get()).access_key_id == "a"
    environ.update(AWS_ACCESS_KEY_ID="a2", AWS_CREDENTIAL_EXPIRATION="2025-11-24T21:34:56Z")
    assert got(ours.get()).access_key_id == "a"
    clock.now += HOUR
    assert got(ours.get()).access_key_id == "a2"
    assert ours.renews


def test_an_environment_whose_credentials_have_expired_is_an_error_when_they_are_needed() -> None:
    ours = provider(None, environ={**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T20:00:00Z"})
    with pytest.raises(CredentialsError, match=r"the environment has credentials that expired at 2025-11-23 20:00:00"):
        got(ours.get())


def test_the_environments_keys_do_not_count_beside_a_profile_that_was_passed() -> None:
    assert isinstance(source(None, FULL, profile="default"), _credentials.Botocore)
    assert isinstance(source(None, {**FULL, "AWS_PROFILE": "default"}), _credentials.Fixed)


# Arguments.


@pytest.mark.parametrize("argument", ["AKIA", ("a", "b"), object(), Credentials, boto3.Session, Vault])
def test_credentials_of_another_kind_are_refused(argument: Any) -> None:
    with pytest.raises(CredentialsError, match=r"must be a novaact_http\.Credentials"):
        source(argument)


@pytest.mark.parametrize(
    ("value", "problem"),
    [(5, "must be a datetime.datetime, not int"), (dt.datetime(2026, 1, 1), "must have a time zone")],  # noqa: DTZ001
)
def test_a_time_of_expiry_that_is_none_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(CredentialsError, match=f"expires_at {problem}"):
        Credentials(access_key_id="a", secret_access_key="b", expires_at=value)


def test_credentials_that_were_passed_are_good_until_they_expire() -> None:
    clock = Clock()
    ours = provider(keys(left=10), clock)
    assert ours.get() is got(ours.get())
    clock.now += 10
    with pytest.raises(CredentialsError, match="the argument credentials has credentials that expired at 2025-11-23"):
        got(ours.get())


def test_nothing_is_sent_with_credentials_that_have_expired(face: Face) -> None:
    options = {**mocked(lambda _: pytest.fail("sent")), "credentials": keys(left=10)}
    with pytest.raises(CredentialsError, match="expired at 2025-11-23"):
        face.page(options, **CALL)


def test_a_functions_credentials_are_kept() -> None:
    vault = Vault(keys(1), keys(2))
    ours = provider(vault)
    assert got(ours.get()) is ours.get() is ours.get()
    assert vault.calls == 1


def test_good_credentials_are_served_at_once_and_refreshed_behind() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), keys(2, left=2 * HOUR))
    ours = provider(vault, clock)
    got(ours.get())
    clock.now += HOUR - 15 * MINUTE - 1
    assert got(ours.get()).access_key_id == "AKIA1"
    assert vault.calls == 1
    clock.now += 1
    assert got(ours.get()).access_key_id == "AKIA1"
    settled(ours)
    assert got(ours.get()).access_key_id == "AKIA2"
    assert vault.calls == 2


def test_short_lived_credentials_are_not_refreshed_all_the_time() -> None:
    clock, vault = Clock(), Vault(keys(1, left=10 * MINUTE))
    ours = provider(vault, clock)
    for _ in range(3):
        got(ours.get())
        settled(ours)
    clock.now += 5 * MINUTE - 1
    ours.get()
    settled(ours)
    assert vault.calls == 1
    clock.now += 1
    ours.get()
    settled(ours)
    assert vault.calls == 2


def test_while_a_refresh_runs_behind_nobody_waits_and_nobody_begins_another() -> None:
    clock, release, begun = Clock(), threading.Event(), threading.Event()
    calls: list[None] = []

    def slowly() -> Credentials:
        calls.append(None)
        if len(calls) > 1:
            begun.set()
            assert release.wait(5)
        return keys(len(calls), left=HOUR, now=clock.now)

    ours = provider(slowly, clock)
    got(ours.get())
    clock.now += 50 * MINUTE
    assert got(ours.get()).access_key_id == "AKIA1"
    assert begun.wait(5)
    for _ in range(10):
        found = ours.get()
        assert isinstance(found, Credentials)
        assert found.access_key_id == "AKIA1"
    ours._refresh_behind(None)  # by another caller, who saw none under way just before
    clock.now += 10 * MINUTE  # now they have expired: this caller waits for the refresh that runs already
    waited = ours.get()
    assert isinstance(waited, Future)
    release.set()
    assert got(waited).access_key_id == "AKIA2"
    assert len(calls) == 2


def test_a_refresh_behind_that_fails_is_logged_and_not_repeated_at_every_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), ValueError("secretsecretsecret"))
    ours = provider(vault, clock)
    got(ours.get())
    clock.now += 50 * MINUTE
    for _ in range(5):
        assert got(ours.get()).access_key_id == "AKIA1"
        settled(ours)
    assert vault.calls == 2
    (record,) = caplog.records
    assert "credentials were not refreshed, those at hand go on being used" in record.getMessage()
    assert "secretsecretsecret" not in caplog.text
    clock.now += MINUTE
    ours.get()
    settled(ours)
    assert vault.calls == 3


def test_a_refresh_that_somebody_waits_for_is_told_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError):
        got(provider(Vault(ValueError())).get())
    assert caplog.records == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (ValueError("secretsecretsecret"), r", failed: ValueError$"),
        (KeyboardInterrupt("secretsecretsecret"), r", failed: KeyboardInterrupt$"),
        (None, r" must return a novaact_http\.Credentials, not a NoneType$"),
        ({"AccessKeyId": "secretsecretsecret"}, r" must return a novaact_http\.Credentials, not a dict$"),
        (keys(left=0), r" has credentials that expired at 2025-11-23 20:34:56"),
        (CredentialsError("the vault is locked"), r"^the vault is locked$"),
    ],
)
def test_a_function_that_fails_or_returns_nonsense_is_one_clear_error(answer: Any, problem: str) -> None:
    with pytest.raises(CredentialsError, match=problem) as caught:
        got(provider(Vault(answer)).get())
    assert "secretsecretsecret" not in str(caught.value)
    if isinstance(answer, BaseException) and not isinstance(answer, CredentialsError):
        assert caught.value.__cause__ is answer
    assert "the argument credentials, the function Vault," in str(caught.value) or "vault" in str(caught.value)


def test_an_answer_that_raises_when_it_is_looked_at_holds_nobody_up(face: Face) -> None:
    class Rude:
        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    with pytest.raises(CredentialsError, match=r"must return a novaact_http\.Credentials, not a Rude$"):
        face.page({**mocked(lambda _: PAGE), "credentials": _wrapped(Rude), "timeout": 5}, **CALL)


def test_an_asynchronous_function_is_not_for_client(face: Face) -> None:
    async def fetch() -> Credentials:
        return KEYS

    options = {**mocked(lambda _: PAGE), "credentials": fetch}
    if type(face).__name__ == "SyncFace":
        with pytest.raises(CredentialsError, match="which Client cannot await: pass a plain function, or use Async"):
            face.page(options, **CALL)
    else:
        assert face.page(options, **CALL).session_summaries == ()


def test_a_function_is_not_called_on_the_callers_thread(face: Face) -> None:
    vault = Vault(KEYS)
    face.page({**mocked(lambda _: PAGE), "credentials": vault}, **CALL)
    assert vault.threads[0].name == "novaact-credentials"
    assert vault.threads[0].daemon  # one that never returns does not keep the program from ending
    assert vault.threads[0] is not threading.current_thread()


def _wrapped(function: Callable[[], Any]) -> Callable[[], Any]:
    def plain() -> Any:
        return function()

    return plain


def test_asynchronous_functions_are_awaited_on_the_callers_loop_however_they_are_written() -> None:
    async def main(fetch: Any) -> None:
        async with AsyncClient(**{**mocked(lambda _: PAGE), "credentials": fetch}) as client:
            await client.list_sessions(**CALL)

    vault = AsyncVault(KEYS)
    for fetch in (vault, vault.__call__, functools.partial(vault), _wrapped(vault)):
        asyncio.run(main(fetch))
    # Those that are seen to be asynchronous need no thread.
    assert source(vault).is_asynchronous()
    assert source(vault.__call__).is_asynchronous()
    assert not source(_wrapped(vault)).is_asynchronous()
    assert vault.threads == [threading.current_thread()] * 4


def test_an_asynchronous_function_that_fails_is_one_clear_error() -> None:
    async def main() -> None:
        async with AsyncClient(**{**mocked(lambda _: PAGE), "credentials": AsyncVault(ValueError("no"))}) as client:
            with pytest.raises(CredentialsError, match="failed: ValueError") as caught:
                await client.list_sessions(**CALL)
            assert isinstance(caught.value.__cause__, ValueError)

    asyncio.run(main())


def test_a_call_with_good_credentials_starts_no_thread(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    good = refreshable(HOUR)
    for argument in (KEYS, session, session.get_credentials(), good):
        clock = Clock()
        ours = provider(argument, clock)
        got(ours.get())  # what is asked for the first time may have to be fetched
        clock.now += HOUR
        with monkeypatch.context() as patched:
            patched.setattr(threading, "Thread", lambda **_: pytest.fail("a thread was started"))
            assert isinstance(ours.get(), Credentials)


# botocore's.


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


def test_what_botocore_and_boto3_have_is_taken(face: Face, service: LocalService) -> None:
    access, secret = service.credentials.access_key_id, service.credentials.secret_access_key
    boto = boto3.Session(aws_access_key_id=access, aws_secret_access_key=secret)
    core = botocore.session.Session()
    core.set_credentials(access, secret)
    for argument in (boto, core, boto.get_credentials()):
        options = {**options_for(service), "credentials": argument}
        assert face.page(options, **call_for(service.runs[0])).session_summaries


def test_botocores_credentials_are_asked_whether_they_need_a_refresh() -> None:
    theirs = refreshable(HOUR)
    ours = provider(theirs)
    first = got(ours.get())
    assert first.session_token == "token"
    assert ours.get() is first
    theirs._frozen_credentials = botocore.credentials.ReadOnlyCredentials("AKIA9", "s", None)  # by somebody else
    assert got(ours.get()).access_key_id == "AKIA9"


def test_botocores_credentials_are_refreshed_behind_while_they_are_good() -> None:
    release = threading.Event()

    def refresh() -> dict[str, str]:
        assert release.wait(5)
        return metadata(1)

    theirs, clock = refreshable(HOUR, refresh), Clock()
    ours = provider(theirs, clock)
    got(ours.get())
    clock.now += HOUR
    theirs._expiry_time = dt.datetime.now(UTC) + dt.timedelta(minutes=5)  # botocore itself would wait now
    for _ in range(3):
        found = ours.get()
        assert isinstance(found, Credentials)
        assert found.access_key_id == "AKIA0"
    release.set()
    settled(ours)
    assert got(ours.get()).access_key_id == "AKIA1"


def test_botocores_short_lived_credentials_that_somebody_else_has_refreshed_are_taken() -> None:
    theirs, clock = refreshable(10 * MINUTE), Clock()
    with mock.patch.object(theirs, "_refresh_using", return_value=metadata(0, left=10 * MINUTE)):
        ours = provider(theirs, clock)
        got(ours.get())
    # Those from before may have expired meanwhile.
    theirs._frozen_credentials = botocore.credentials.ReadOnlyCredentials("AKIA9", "s", None)
    assert got(ours.get()).access_key_id == "AKIA9"


def test_botocores_credentials_that_begin_to_need_a_refresh_just_then_are_not_refreshed_on_the_callers_thread() -> None:
    threads: list[str] = []

    def refresh() -> dict[str, str]:
        threads.append(threading.current_thread().name)
        return metadata(1)

    theirs = refreshable(HOUR, refresh)
    ours = provider(theirs)
    got(ours.get())
    with mock.patch.object(theirs, "refresh_needed", side_effect=itertools.chain([False], itertools.repeat(True))):
        assert got(ours.get()).access_key_id == "AKIA0"
    assert threads == []


def test_botocores_credentials_that_cannot_be_refreshed_are_not_asked_at_every_call() -> None:
    calls: list[None] = []

    def refresh() -> dict[str, str]:
        calls.append(None)
        raise ValueError

    theirs, clock = refreshable(HOUR, refresh), Clock()
    ours = provider(theirs, clock)
    got(ours.get())
    clock.now += HOUR
    theirs._expiry_time = dt.datetime.now(UTC) + dt.timedelta(minutes=12)  # botocore keeps the old ones
    for _ in range(5):
        assert got(ours.get()).access_key_id == "AKIA0"
        settled(ours)
    assert len(calls) == 1


def test_botocores_expired_credentials_are_waited_for() -> None:
    ours = provider(refreshable(-1, lambda: metadata(1)))
    assert got(ours.get()).access_key_id == "AKIA1"
    with pytest.raises(CredentialsError, match=r"RefreshableCredentials, failed: ZeroDivisionError$"):
        got(provider(refreshable(-1, lambda: 1 // 0)).get())
    with pytest.raises(CredentialsError, match="failed: CredentialRetrievalError: Error when retrieving credentials"):
        got(provider(refreshable(-1, dict)).get())


def test_what_a_chain_has_found_is_refreshed_and_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = mock.Mock(providers=[])
    resolver.load_credentials.return_value = refreshable(-1, lambda: metadata(1))
    monkeypatch.setattr(botocore.credentials, "create_credential_resolver", lambda *_, **__: resolver)
    ours = provider(None)
    got(ours.get())
    resolver.load_credentials.return_value._expiry_time = dt.datetime.now(UTC)
    assert isinstance(ours.get(), Future)
    got(ours.get())
    resolver.load_credentials.assert_called_once()


def test_of_what_botocore_says_only_the_beginning_is_repeated() -> None:
    def refresh() -> Any:
        raise CredentialRetrievalError(provider="x", error_msg=f"{'because ' * 99}\nwJalrXUtnFEMI")

    with pytest.raises(CredentialsError, match=r"CredentialRetrievalError: Error .*because") as caught:
        got(provider(refreshable(-1, refresh)).get())
    assert len(str(caught.value)) < 500

    def refresh_in_two_lines() -> Any:
        raise CredentialRetrievalError(provider="x", error_msg="denied\nwJalrXUtnFEMI")

    with pytest.raises(CredentialsError, match=r"denied$"):
        got(provider(refreshable(-1, refresh_in_two_lines)).get())


def test_what_nobody_knows_is_asked_every_time_and_off_the_callers_thread() -> None:
    class Frozen:
        access_key, secret_key, token = "a", "b", None

    class Theirs:
        def __init__(self) -> None:
            self.threads: list[str] = []

        def get_frozen_credentials(self) -> Any:
            self.threads.append(threading.current_thread().name)
            return Frozen

    theirs = Theirs()
    ours = provider(theirs)
    for _ in range(3):
        assert got(ours.get()).access_key_id == "a"
    assert theirs.threads == ["novaact-credentials"] * 3


def test_what_is_not_frozen_credentials_is_named() -> None:
    class Theirs:
        def get_frozen_credentials(self) -> Any:
            return "secretsecretsecret"

        def refresh_needed(self, _: int = 900) -> bool:
            return False

    theirs = Theirs()
    ours = provider(theirs)
    for at_hand in (None, None, "secretsecretsecret"):
        vars(theirs)["_frozen_credentials"] = at_hand
        with pytest.raises(CredentialsError, match=r"Theirs, gave a str, which has no access_key") as caught:
            got(ours.get())
        assert "secretsecretsecret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_credentials_that_fail_to_say_whether_they_are_good_are_an_error() -> None:
    theirs = refreshable(HOUR)
    ours = provider(theirs)
    got(ours.get())
    theirs._expiry_time = dt.datetime.now()  # noqa: DTZ005 - without a zone, which botocore cannot compare
    with pytest.raises(CredentialsError, match="failed: TypeError") as caught:
        ours.get()
    assert isinstance(caught.value.__cause__, TypeError)


def test_asynchronous_credentials_of_others_are_refused_with_what_to_do() -> None:
    class Theirs:
        async def get_frozen_credentials(self) -> Any: ...

    with pytest.raises(CredentialsError, match=r"asynchronous: pass AsyncClient an async function that awaits it"):
        source(Theirs())


def test_a_session_without_credentials_says_what_was_looked_at() -> None:
    with pytest.raises(CredentialsError, match=r"looked at, in this order: the argument credentials, a Session,"):
        got(provider(botocore.session.Session()).get())


def test_without_any_credentials_the_error_names_all_that_was_looked_at_in_order() -> None:
    with pytest.raises(CredentialsError) as caught:
        got(provider(None).get())
    text = str(caught.value)
    order = ["the argument credentials", "env", "assume-role", "sso", "shared-credentials-file", "iam-role"]
    places = [text.index(f" {each}") for each in order]
    assert places == sorted(places)


# Many at once.


@pytest.mark.parametrize("fails", [False, True])
def test_threads_that_start_at_once_wait_for_one_refresh_and_each_hears_of_its_failure_once(fails: bool) -> None:
    barrier, everybody = threading.Barrier(64), threading.Semaphore(0)
    calls: list[None] = []

    def slowly() -> Credentials:
        calls.append(None)
        for _ in range(64):
            assert everybody.acquire(timeout=10)
        if fails:
            raise ValueError
        return keys(1, left=HOUR)

    ours = provider(slowly)

    def work(_: int) -> Any:
        barrier.wait()
        found = ours.get()
        everybody.release()
        try:
            return got(found)
        except CredentialsError as error:
            return error

    with ThreadPoolExecutor(64) as threads:
        outcomes = list(threads.map(work, range(64)))
    assert len(calls) == 1
    if fails:
        assert all(isinstance(each, CredentialsError) for each in outcomes)
        assert len({id(each) for each in outcomes}) == 64
        assert all(isinstance(each.__cause__, ValueError) for each in outcomes)
    else:
        assert {each.access_key_id for each in outcomes} == {"AKIA1"}


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_a_thousand_tasks_that_start_at_once_wait_for_one_refresh(fails: bool, asynchronous: bool) -> None:
    async def main() -> None:
        waiting = threading.Event()
        calls: list[None] = []

        def answer() -> Credentials:
            calls.append(None)
            if fails:
                raise ValueError
            return keys(1, left=HOUR, now=dt.datetime.now(UTC).timestamp())

        def slowly() -> Credentials:
            assert waiting.wait(10)
            return answer()

        async def slowly_too() -> Credentials:
            while not waiting.is_set():  # noqa: ASYNC110 - tick by tick
                await asyncio.sleep(0)
            return answer()

        options = {**mocked(lambda _: PAGE), "credentials": slowly_too if asynchronous else slowly}
        async with AsyncClient(**options) as client:
            tasks = [asyncio.create_task(client.list_sessions(**CALL)) for _ in range(1_000)]
            await asyncio.sleep(0)
            waiting.set()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert len(calls) == 1
            errors = {id(each) for each in outcomes if isinstance(each, CredentialsError)}
            assert len(errors) == (1_000 if fails else 0)

    asyncio.run(main())


def test_a_caller_that_comes_after_a_failure_begins_anew() -> None:
    vault = Vault(ValueError(), keys(1))
    ours = provider(vault)
    with pytest.raises(CredentialsError):
        got(ours.get())
    assert got(ours.get()).access_key_id == "AKIA1"


def test_a_caller_that_finds_the_refresh_ended_begins_no_other() -> None:
    vault = Vault(keys(1))
    ours = provider(vault)
    original = ours._source.at_hand

    def at_hand(now: float) -> Any:
        found = original(now)
        if found.credentials is None and vault.calls == 0:
            ours._source.accept(vault(), now)  # by another caller, just now
        return found

    with mock.patch.object(ours._source, "at_hand", at_hand):
        assert got(ours.get()).access_key_id == "AKIA1"
    assert vault.calls == 1


def test_a_caller_that_finds_a_refresh_behind_done_begins_no_other() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR))
    ours = provider(vault, clock)
    got(ours.get())
    clock.now += 50 * MINUTE
    ours._source.postpone(clock.now + MINUTE)  # by another caller, just now
    ours._refresh_behind(None)
    assert vault.calls == 1


def test_callers_who_give_up_do_not_end_the_refresh_for_the_others() -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def slowly() -> Credentials:
            await release.wait()
            return KEYS

        async with AsyncClient(**{**mocked(lambda _: PAGE), "credentials": slowly}) as client:
            tasks = [asyncio.create_task(client.list_sessions(**CALL)) for _ in range(10)]
            await asyncio.sleep(0)
            for task in tasks[:9]:
                task.cancel()
            await asyncio.sleep(0)
            release.set()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in outcomes[:9])
            assert not isinstance(outcomes[9], BaseException)

    asyncio.run(main())


def test_when_there_is_no_thread_to_be_had_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR))
    ours = provider(vault, clock)

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(CredentialsError, match="no thread to get credentials on: can't start new thread"):
            got(ours.get())
    got(ours.get())
    clock.now += 50 * MINUTE
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert got(ours.get()).access_key_id == "AKIA1"  # still good: the call goes on
    assert ours._under_way() is None


@pytest.mark.parametrize("behind", [False, True])
def test_an_asynchronous_function_that_cannot_even_be_called_holds_nobody_up(behind: bool) -> None:
    clock, loop = Clock(), asyncio.new_event_loop()

    async def fetch(argument: object) -> Credentials:
        raise AssertionError

    ours = provider(fetch, clock)
    if behind:
        ours._source.accept(keys(1, left=HOUR), clock.now)
        clock.now += 50 * MINUTE
        assert got(ours.get(loop=loop)).access_key_id == "AKIA1"
    else:
        for _ in range(2):
            with pytest.raises(CredentialsError, match=r"the function fetch, failed: TypeError$"):
                got(ours.get(loop=loop))
    assert ours._under_way() is None
    loop.close()


def test_tasks_that_run_at_once_may_bring_credentials_at_once() -> None:
    def eagerly(loop: asyncio.AbstractEventLoop, coroutine: Any, **_: Any) -> Any:
        # As `asyncio.eager_task_factory`, which Python has from 3.12 on.
        with pytest.raises(StopIteration):
            coroutine.send(None)
        return mock.Mock(asyncio.Task)

    async def fetch() -> Credentials:
        assert not ours._lock.locked()
        return KEYS

    ours = provider(fetch)
    loop = asyncio.new_event_loop()
    loop.set_task_factory(eagerly)
    assert got(ours.get(loop=loop)) is KEYS
    loop.close()


# Event loops that end.


def test_a_refresh_that_ends_with_its_event_loop_holds_nobody_up() -> None:
    async def never() -> Credentials:
        await asyncio.Event().wait()
        raise AssertionError

    client = AsyncClient(**{**mocked(lambda _: PAGE), "credentials": never})

    async def begin() -> None:
        task = asyncio.create_task(client.list_sessions(**CALL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())  # cancels the refresh too
    assert client._credentials._under_way() is None
    ended: Any = client._credentials._running
    assert ended.task.cancelled()

    # A loop that is closed without more ado leaves the refresh for ever half done.
    loop = asyncio.new_event_loop()
    task = loop.create_task(client.list_sessions(**CALL))
    for _ in range(3):
        loop.call_soon(loop.stop)
        loop.run_forever()
    lost = client._credentials._under_way()
    assert lost is not None
    loop.close()
    assert not lost.is_under_way()
    with mock.patch.object(client._credentials._source, "_function", Vault(KEYS)):
        assert asyncio.run(_page(client))
    half_done: list[Any] = [task, lost.task]
    for each in half_done:
        each._log_destroy_pending = False
        each.get_coro().close()


@pytest.mark.parametrize("closes", ["before the answer", "before it is awaited"])
def test_an_event_loop_that_ends_before_an_answer_is_awaited_on_it_holds_nobody_up(closes: str) -> None:
    class Awaitable:
        def __await__(self) -> Any: ...

    begun, release = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def slowly() -> Any:
        threads.append(threading.current_thread())
        begun.set()
        assert release.wait(5)
        return KEYS if len(threads) > 1 else Awaitable()

    ours, loop = provider(slowly), asyncio.new_event_loop()
    ours.get(loop=loop)
    assert begun.wait(5)
    if closes == "before the answer":
        loop.close()
    release.set()
    threads[0].join(5)
    loop.close()
    assert got(ours.get(loop=loop)) is KEYS


def test_a_lost_refresh_that_is_collected_in_the_middle_of_another_holds_nobody_up() -> None:
    async def never() -> Credentials:
        await asyncio.Event().wait()
        raise AssertionError

    ours, loop = provider(never), asyncio.new_event_loop()
    waited_for = ours.get(loop=loop)
    assert isinstance(waited_for, Future)
    loop.call_soon(loop.stop)
    loop.run_forever()
    lost = ours._under_way()
    assert lost is not None
    half_done: Any = lost.task
    with ours._lock:
        half_done._log_destroy_pending = False
        half_done.get_coro().close()  # as the garbage collection does, on whichever thread it happens to run
    with pytest.raises(CredentialsError, match="failed: GeneratorExit"):
        got(waited_for)
    loop.close()


async def _page(client: AsyncClient) -> Any:
    return await client.list_sessions(**CALL)


def test_after_a_fork_a_refresh_of_the_parent_is_not_waited_for() -> None:
    release = threading.Event()

    def slowly() -> Credentials:
        assert release.wait(5)
        return keys(1)

    ours = provider(slowly)
    lost = ours.get()
    ours._lock.acquire()
    from novaact_http import _locks

    _locks._after_fork()
    found = ours.get()
    assert found is not lost
    release.set()
    assert got(found).access_key_id == "AKIA1"
    assert got(lost).access_key_id == "AKIA1"


def test_after_a_fork_what_botocore_was_refreshing_in_the_parent_is_looked_for_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, release = threading.Event(), threading.Event()

    def refresh() -> dict[str, str]:
        begun.set()
        assert release.wait(5)
        return metadata(1)

    found = [refreshable(-1, refresh), refreshable(HOUR, number=2)]
    resolver = mock.Mock(providers=[])
    resolver.load_credentials.side_effect = found
    monkeypatch.setattr(botocore.credentials, "create_credential_resolver", lambda *_, **__: resolver)
    ours = provider(None)
    lost = ours.get()
    assert begun.wait(5)
    ours.after_fork()
    assert got(ours.get()).access_key_id == "AKIA2"
    ours.after_fork()  # with nothing under way what was found is kept
    assert isinstance(ours.get(), Credentials)
    release.set()
    got(lost)


# In the flow.

EXPIRED = Response(
    status=403, headers=(("x-amzn-errortype", "ExpiredTokenException"),), body=b'{"message": "The token has expired"}'
)


def test_an_expired_token_is_renewed_once_and_the_attempt_counts_for_nothing() -> None:
    flow = _flow.call(context(renews_credentials=True), LIST_SESSIONS, CALL)
    assert next(flow) == _flow.GetCredentials()
    first = flow.send(KEYS)
    assert flow.send(EXPIRED) == _flow.Sleep(0.0)
    assert next(flow) == _flow.GetCredentials(refused=KEYS)
    second = flow.send(TEMPORARY_KEYS)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert dict(second.headers)["amz-sdk-request"].endswith("attempt=1; max=1")
    assert dict(second.headers)["X-Amz-Security-Token"] == TEMPORARY_KEYS.session_token
    with pytest.raises(ServiceError) as caught:
        flow.send(EXPIRED)
    assert caught.value.attempts == 2


def test_renewed_credentials_are_not_asked_for_again_before_a_later_attempt() -> None:
    from novaact_http import RetryPolicy

    flow = _flow.call(context(renews_credentials=True, retries=RetryPolicy(rng=lambda: 0.0)), LIST_SESSIONS, CALL)
    next(flow)
    flow.send(KEYS)
    flow.send(EXPIRED)
    next(flow)
    flow.send(KEYS)
    flow.throw(TransportError("lost", request_sent=True))
    assert next(flow) == _flow.GetCredentials()


@pytest.mark.parametrize(
    ("renews", "code"), [(False, "ExpiredTokenException"), (True, "AccessDeniedException"), (True, "RequestExpired")]
)
def test_what_cannot_be_renewed_or_is_not_expired_is_an_error_at_once(renews: bool, code: str) -> None:
    flow = _flow.call(context(renews_credentials=renews), LIST_SESSIONS, CALL)
    next(flow)
    flow.send(KEYS)
    with pytest.raises(ServiceError):
        flow.send(Response(status=403, headers=(("x-amzn-errortype", code),), body=b"{}"))


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
def test_after_an_expired_token_a_client_asks_for_others_and_goes_on(face: Face, code: str) -> None:
    vault = Vault(keys(1), keys(2))
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"].split("Credential=")[1].split("/")[0])
        return PAGE if "AKIA2" in seen else httpx.Response(403, headers={"x-amzn-ErrorType": code})

    assert face.page({**mocked(answer), "credentials": vault}, **CALL).metadata.attempts == 2
    assert seen == ["AKIA1", "AKIA2"]


def test_credentials_that_another_caller_has_renewed_meanwhile_are_taken() -> None:
    vault = Vault(keys(1), keys(2), keys(3))
    ours = provider(vault)
    old = got(ours.get())
    assert got(ours.get(refused=old)).access_key_id == "AKIA2"
    assert got(ours.get(refused=old)).access_key_id == "AKIA2"
    assert vault.calls == 2


def test_a_chain_is_gone_through_again_when_its_credentials_have_expired(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    path.write_text("[default]\naws_access_key_id = one\naws_secret_access_key = b\n")
    ours = provider(None)
    old = got(ours.get())
    path.write_text("[default]\naws_access_key_id = two\naws_secret_access_key = b\n")
    assert got(ours.get()) is old
    assert got(ours.get(refused=old)).access_key_id == "two"


def test_the_time_of_a_call_covers_the_wait_for_its_credentials(face: Face) -> None:
    release = threading.Event()
    try:
        with pytest.raises(DeadlineExceeded, match=r"0\.05 s in all") as caught:
            face.page({**mocked(lambda _: PAGE), "credentials": lambda: release.wait(5), "timeout": 0.05}, **CALL)
    finally:
        release.set()
    assert (caught.value.attempts, caught.value.request_sent) == (0, False)
    assert isinstance(caught.value.__cause__, DeadlineExceeded)
    assert "its credentials came" in str(caught.value.__cause__)


def test_a_call_with_time_enough_waits_for_its_credentials(face: Face) -> None:
    page = face.page({**mocked(lambda _: PAGE), "credentials": lambda: KEYS, "timeout": 30}, **CALL)
    assert page.session_summaries == ()


def test_what_was_learnt_of_the_clock_counts_for_credentials_too() -> None:
    with Client(**{**OPTIONS, "credentials": lambda: KEYS}) as client:
        client._context.skew.seconds = 1_000.0
        assert client._credentials._clock() > dt.datetime.now(UTC).timestamp() + 900


def test_no_error_of_botocores_shows_a_line_of_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    ours = provider(None)
    path.write_text("[default]\naws_secret_access_key secretsecretsecret\n")
    with pytest.raises(CredentialsError, match=r"chain of providers failed: ConfigParseError$") as caught:
        got(ours.get())
    assert caught.value.__cause__ is None


def test_no_error_shows_a_request_that_sts_quotes() -> None:
    text = "The signature does not match\n\nThe Canonical String should have been\nx-amz-security-token:secretsecret"

    def refresh() -> Any:
        raise ClientError({"Error": {"Code": "SignatureDoesNotMatch", "Message": text}}, "AssumeRole")

    with pytest.raises(CredentialsError, match=r"ClientError: .*AssumeRole operation: The signature does") as caught:
        got(provider(refreshable(-1, refresh)).get())
    assert "secretsecret" not in "".join(traceback.format_exception(caught.value))


def test_the_settings_of_this_machine_are_not_in_the_way() -> None:
    assert not os.path.exists(os.environ["AWS_CONFIG_FILE"])  # noqa: PTH110


def test_an_object_that_fails_whatever_it_is_asked_for_is_refused() -> None:
    class Raising(dict):  # type: ignore[type-arg]
        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    with pytest.raises(CredentialsError, match=r"credentials must be a novaact_http\.Credentials, .*not Raising"):
        Client(**{**OPTIONS, "credentials": Raising()})
