"""Where credentials come from: the environment, and what is passed as `credentials`."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import botocore.credentials
import botocore.session
import httpx
import pytest
from botocore.exceptions import CredentialRetrievalError
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import AsyncClient, Credentials, CredentialsError
from novaact_http._aws.botocore_credentials import BotocoreSource
from novaact_http._aws.credential_cache import Promise
from novaact_http._aws.credential_sources import FixedCredentials
from tests.helpers.calls import CALL, KEYS, call_for, mocked, options_for
from tests.helpers.vault import (
    HOUR,
    MINUTE,
    UTC,
    AsyncVault,
    Clock,
    Vault,
    cache,
    got,
    keys,
    metadata,
    refreshable,
    settled,
    source,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

PAGE = httpx.Response(200, json={"sessionSummaries": []})


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
    ours = cache(None, environ=environ)
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
    with pytest.raises(CredentialsError, match=f"^{next(iter(environ))} has a") as caught:
        source(None, {**FULL, **environ})
    assert "hunter2" not in str(caught.value)
    session = botocore.session.Session()
    values = {**FULL, **environ}
    session.set_credentials(*(values.get(name) for name in (*FULL, "AWS_SESSION_TOKEN")))
    with pytest.raises(
        CredentialsError, match=rf"^{attribute} of the argument credentials \(a Session\) has a"
    ) as caught:
        got(cache(session).get())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("gone", [["AWS_ACCESS_KEY_ID"], ["AWS_SECRET_ACCESS_KEY"], list(FULL)])
def test_keys_that_the_environment_has_no_more_are_named(gone: list[str]) -> None:
    environ = {**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T20:00:00Z"}
    ours = cache(None, environ=environ)
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
    ours = cache(None, environ=environ).get()
    assert isinstance(ours, Credentials)
    assert ours.expires_at == theirs._expiry_time


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-24T03:00:00", "1763930096", "x" * 99])
def test_a_time_that_is_none_or_has_no_zone_is_refused_at_once(text: str) -> None:
    with pytest.raises(
        CredentialsError,
        match=r"AWS_CREDENTIAL_EXPIRATION is '.*which is not a time with a time zone: set a time such as 2026-",
    ) as caught:
        source(None, {**FULL, "AWS_CREDENTIAL_EXPIRATION": text})
    assert "x" * 41 not in str(caught.value)


def test_the_environment_is_read_again_when_its_credentials_expire() -> None:
    clock, environ = Clock(), {**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T21:34:56Z"}
    ours = cache(None, clock, environ)
    assert got(ours.get()).access_key_id == "a"
    environ.update(AWS_ACCESS_KEY_ID="a2", AWS_CREDENTIAL_EXPIRATION="2025-11-24T21:34:56Z")
    assert got(ours.get()).access_key_id == "a"
    clock.now += HOUR
    assert got(ours.get()).access_key_id == "a2"
    assert ours.renews


def test_an_environment_whose_credentials_have_expired_is_an_error_when_they_are_needed() -> None:
    ours = cache(None, environ={**FULL, "AWS_CREDENTIAL_EXPIRATION": "2025-11-23T20:00:00Z"})
    with pytest.raises(CredentialsError, match=r"the environment has credentials that expired at 2025-11-23 20:00:00"):
        got(ours.get())


def test_the_environments_keys_do_not_count_beside_a_profile_that_was_passed() -> None:
    assert isinstance(source(None, FULL, profile="default"), BotocoreSource)
    assert isinstance(source(None, {**FULL, "AWS_PROFILE": "default"}), FixedCredentials)


# Arguments.


@pytest.mark.parametrize("argument", ["AKIA", ("a", "b"), object(), Credentials, boto3.Session, Vault])
def test_credentials_of_another_kind_are_refused(argument: Any) -> None:
    with pytest.raises(CredentialsError, match=r"is (the class|of type) .*: pass a novaact_http\.Credentials"):
        source(argument)


@pytest.mark.parametrize(
    ("value", "problem"),
    [(5, "is of type int: pass a datetime.datetime"), (dt.datetime(2026, 1, 1), "has no time zone")],  # noqa: DTZ001
)
def test_a_time_of_expiry_that_is_none_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(CredentialsError, match=f"expires_at {problem}"):
        Credentials(access_key_id="a", secret_access_key="b", expires_at=value)


def test_credentials_that_were_passed_are_good_until_they_expire() -> None:
    clock = Clock()
    ours = cache(keys(left=10), clock)
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
    ours = cache(vault)
    assert got(ours.get()) is ours.get() is ours.get()
    assert vault.calls == 1


def test_good_credentials_are_served_at_once_and_refreshed_behind() -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), keys(2, left=2 * HOUR))
    ours = cache(vault, clock)
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
    ours = cache(vault, clock)
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

    ours = cache(slowly, clock)
    got(ours.get())
    clock.now += 50 * MINUTE
    assert got(ours.get()).access_key_id == "AKIA1"
    assert begun.wait(5)
    for _ in range(10):
        found = ours.get()
        assert isinstance(found, Credentials)
        assert found.access_key_id == "AKIA1"
    ours._refresh_in_background(None)  # by another caller, who saw none under way just before
    clock.now += 10 * MINUTE  # now they have expired: this caller waits for the refresh that runs already
    waited = ours.get()
    assert isinstance(waited, Promise)
    release.set()
    assert got(waited).access_key_id == "AKIA2"
    assert len(calls) == 2


def test_a_refresh_in_background_that_fails_is_logged_and_not_repeated_at_every_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, vault = Clock(), Vault(keys(1, left=HOUR), ValueError("secretsecretsecret"))
    ours = cache(vault, clock)
    got(ours.get())
    clock.now += 50 * MINUTE
    for _ in range(5):
        assert got(ours.get()).access_key_id == "AKIA1"
        settled(ours)
    assert vault.calls == 2
    (record,) = caplog.records
    assert "credentials were not refreshed, the current ones are still used" in record.getMessage()
    assert "secretsecretsecret" not in caplog.text
    clock.now += MINUTE
    ours.get()
    settled(ours)
    assert vault.calls == 3


def test_a_refresh_that_somebody_waits_for_is_told_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError):
        got(cache(Vault(ValueError())).get())
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
        got(cache(Vault(answer)).get())
    assert "secretsecretsecret" not in str(caught.value)
    if isinstance(answer, BaseException) and not isinstance(answer, CredentialsError):
        assert caught.value.__cause__ is answer
    assert "the argument credentials (the function Vault)" in str(caught.value) or "vault" in str(caught.value)


def test_an_answer_that_raises_when_it_is_looked_at_holds_nobody_up(face: Face) -> None:
    class Rude:
        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    with pytest.raises(CredentialsError, match=r"returned an object of type Rude: return a novaact_http\.Credentials$"):
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
        ours = cache(argument, clock)
        got(ours.get())  # what is asked for the first time may have to be fetched
        clock.now += HOUR
        with monkeypatch.context() as patched:
            patched.setattr(threading, "Thread", lambda **_: pytest.fail("a thread was started"))
            assert isinstance(ours.get(), Credentials)


# botocore's.


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
    ours = cache(theirs)
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
    ours = cache(theirs, clock)
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
        ours = cache(theirs, clock)
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
    ours = cache(theirs)
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
    ours = cache(theirs, clock)
    got(ours.get())
    clock.now += HOUR
    theirs._expiry_time = dt.datetime.now(UTC) + dt.timedelta(minutes=12)  # botocore keeps the old ones
    for _ in range(5):
        assert got(ours.get()).access_key_id == "AKIA0"
        settled(ours)
    assert len(calls) == 1


def test_botocores_expired_credentials_are_waited_for() -> None:
    ours = cache(refreshable(-1, lambda: metadata(1)))
    assert got(ours.get()).access_key_id == "AKIA1"
    with pytest.raises(CredentialsError, match=r"RefreshableCredentials\) failed: ZeroDivisionError$"):
        got(cache(refreshable(-1, lambda: 1 // 0)).get())
    with pytest.raises(CredentialsError, match="failed: CredentialRetrievalError: Error when retrieving credentials"):
        got(cache(refreshable(-1, dict)).get())


def test_what_a_chain_has_found_is_refreshed_and_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = mock.Mock(providers=[])
    resolver.load_credentials.return_value = refreshable(-1, lambda: metadata(1))
    monkeypatch.setattr(botocore.credentials, "create_credential_resolver", lambda *_, **__: resolver)
    ours = cache(None)
    got(ours.get())
    resolver.load_credentials.return_value._expiry_time = dt.datetime.now(UTC)
    assert isinstance(ours.get(), Promise)
    got(ours.get())
    resolver.load_credentials.assert_called_once()


def test_of_what_botocore_says_only_the_beginning_is_repeated() -> None:
    def refresh() -> Any:
        raise CredentialRetrievalError(provider="x", error_msg=f"{'because ' * 99}\nwJalrXUtnFEMI")

    with pytest.raises(CredentialsError, match=r"CredentialRetrievalError: Error .*because") as caught:
        got(cache(refreshable(-1, refresh)).get())
    assert len(str(caught.value)) < 500

    def refresh_in_two_lines() -> Any:
        raise CredentialRetrievalError(provider="x", error_msg="denied\nwJalrXUtnFEMI")

    with pytest.raises(CredentialsError, match=r"denied$"):
        got(cache(refreshable(-1, refresh_in_two_lines)).get())


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
    ours = cache(theirs)
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
    ours = cache(theirs)
    for at_hand in (None, None, "secretsecretsecret"):
        vars(theirs)["_frozen_credentials"] = at_hand
        with pytest.raises(
            CredentialsError, match=r"Theirs\) gave an object of type str, which has no access_key"
        ) as caught:
            got(ours.get())
        assert "secretsecretsecret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_credentials_that_fail_to_say_whether_they_are_good_are_an_error() -> None:
    theirs = refreshable(HOUR)
    ours = cache(theirs)
    got(ours.get())
    theirs._expiry_time = dt.datetime.now()  # noqa: DTZ005 - without a zone, which botocore cannot compare
    with pytest.raises(CredentialsError, match="failed: TypeError") as caught:
        ours.get()
    assert isinstance(caught.value.__cause__, TypeError)


def test_asynchronous_credentials_of_others_are_refused_with_what_to_do() -> None:
    class Theirs:
        async def get_frozen_credentials(self) -> Any: ...

    with pytest.raises(
        CredentialsError, match=r"has an asynchronous get_frozen_credentials\(\): pass AsyncClient an async function"
    ):
        source(Theirs())


def test_a_session_without_credentials_says_what_was_looked_at() -> None:
    with pytest.raises(
        CredentialsError, match=r"^the argument credentials \(a Session\) has no credentials: configure it"
    ):
        got(cache(botocore.session.Session()).get())


def test_without_any_credentials_the_error_names_all_that_was_looked_at_in_order() -> None:
    with pytest.raises(CredentialsError) as caught:
        got(cache(None).get())
    text = str(caught.value)
    order = ["env", "assume-role", "sso", "shared-credentials-file", "iam-role"]
    places = [text.index(f" {each}") for each in order]
    assert places == sorted(places)
