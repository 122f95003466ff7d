"""Credentials and sessions of botocore and boto3, passed as `credentials` or found by botocore's chain."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import botocore.credentials
import botocore.session
import pytest
from botocore.exceptions import CredentialRetrievalError

from novaact_http import Credentials, CredentialsError
from novaact_http._aws.credential_cache import Promise
from tests.helpers.calls import Clock, call_for, options_for
from tests.helpers.credentials import (
    HOUR,
    MINUTE,
    UTC,
    cache,
    chain_of,
    metadata,
    refreshable,
    result_of,
    source,
    wait_for_refresh,
)

if TYPE_CHECKING:
    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face


def test_sessions_and_credentials_of_botocore_and_boto3_are_accepted(face: Face, service: LocalService) -> None:
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
    first = result_of(ours.get())
    assert first.session_token == "token"
    assert ours.get() is first
    theirs._frozen_credentials = botocore.credentials.ReadOnlyCredentials("AKIA9", "s", None)  # by other code
    assert result_of(ours.get()).access_key_id == "AKIA9"


def test_botocores_credentials_are_refreshed_in_the_background_while_they_are_good() -> None:
    release = threading.Event()

    def refresh() -> dict[str, str]:
        assert release.wait(5)
        return metadata(1)

    theirs, clock = refreshable(HOUR, refresh), Clock()
    ours = cache(theirs, clock)
    result_of(ours.get())
    clock.now += HOUR
    theirs._expiry_time = dt.datetime.now(UTC) + dt.timedelta(minutes=5)  # botocore itself would wait for a refresh now
    for _ in range(3):
        found = ours.get()
        assert isinstance(found, Credentials)
        assert found.access_key_id == "AKIA0"
    release.set()
    wait_for_refresh(ours)
    assert result_of(ours.get()).access_key_id == "AKIA1"


def test_botocores_short_lived_credentials_that_other_code_has_refreshed_are_used() -> None:
    theirs, clock = refreshable(10 * MINUTE), Clock()
    with mock.patch.object(theirs, "_refresh_using", return_value=metadata(0, left=10 * MINUTE)):
        ours = cache(theirs, clock)
        result_of(ours.get())
    # The older ones may have expired meanwhile.
    theirs._frozen_credentials = botocore.credentials.ReadOnlyCredentials("AKIA9", "s", None)
    assert result_of(ours.get()).access_key_id == "AKIA9"


def test_botocores_credentials_that_just_became_due_are_not_refreshed_on_the_callers_thread() -> None:
    threads: list[str] = []

    def refresh() -> dict[str, str]:
        threads.append(threading.current_thread().name)
        return metadata(1)

    theirs = refreshable(HOUR, refresh)
    ours = cache(theirs)
    result_of(ours.get())
    with mock.patch.object(theirs, "refresh_needed", side_effect=itertools.chain([False], itertools.repeat(True))):
        assert result_of(ours.get()).access_key_id == "AKIA0"
    assert threads == []


def test_botocores_credentials_that_cannot_be_refreshed_are_not_retried_at_every_call() -> None:
    calls: list[None] = []

    def refresh() -> dict[str, str]:
        calls.append(None)
        raise ValueError

    theirs, clock = refreshable(HOUR, refresh), Clock()
    ours = cache(theirs, clock)
    result_of(ours.get())
    clock.now += HOUR
    theirs._expiry_time = dt.datetime.now(UTC) + dt.timedelta(minutes=12)  # botocore keeps the old ones
    for _ in range(5):
        assert result_of(ours.get()).access_key_id == "AKIA0"
        wait_for_refresh(ours)
    assert len(calls) == 1


def test_botocores_expired_credentials_are_waited_for() -> None:
    ours = cache(refreshable(-1, lambda: metadata(1)))
    assert result_of(ours.get()).access_key_id == "AKIA1"
    with pytest.raises(CredentialsError, match=r"RefreshableCredentials\) failed: ZeroDivisionError$"):
        result_of(cache(refreshable(-1, lambda: 1 // 0)).get())
    with pytest.raises(CredentialsError, match="failed: CredentialRetrievalError: Error when retrieving credentials"):
        result_of(cache(refreshable(-1, dict)).get())


def test_credentials_that_the_chain_has_found_are_refreshed_and_not_searched_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = refreshable(-1, lambda: metadata(1))
    chain = chain_of(monkeypatch, theirs)
    ours = cache(None)
    result_of(ours.get())
    theirs._expiry_time = dt.datetime.now(UTC)
    assert isinstance(ours.get(), Promise)
    result_of(ours.get())
    chain.load_credentials.assert_called_once()


def test_only_the_beginning_of_a_message_of_botocores_is_repeated() -> None:
    def refresh() -> Any:
        raise CredentialRetrievalError(provider="x", error_msg=f"{'because ' * 99}\nwJalrXUtnFEMI")

    with pytest.raises(CredentialsError, match=r"CredentialRetrievalError: Error .*because") as caught:
        result_of(cache(refreshable(-1, refresh)).get())
    assert len(str(caught.value)) < 500

    def refresh_in_two_lines() -> Any:
        raise CredentialRetrievalError(provider="x", error_msg="denied\nwJalrXUtnFEMI")

    with pytest.raises(CredentialsError, match=r"denied$"):
        result_of(cache(refreshable(-1, refresh_in_two_lines)).get())


def test_credentials_of_an_unknown_type_are_asked_every_time_and_on_another_thread() -> None:
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
        assert result_of(ours.get()).access_key_id == "a"
    assert theirs.threads == ["novaact-credentials"] * 3


def test_an_object_that_is_not_frozen_credentials_is_named() -> None:
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
            result_of(ours.get())
        assert "secretsecretsecret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_credentials_that_fail_to_tell_whether_they_expired_are_an_error() -> None:
    theirs = refreshable(HOUR)
    ours = cache(theirs)
    result_of(ours.get())
    theirs._expiry_time = dt.datetime.now()  # noqa: DTZ005 - without a zone, which botocore cannot compare
    with pytest.raises(CredentialsError, match="failed: TypeError") as caught:
        ours.get()
    assert isinstance(caught.value.__cause__, TypeError)


def test_async_credentials_of_other_libraries_are_refused_with_advice() -> None:
    class Theirs:
        async def get_frozen_credentials(self) -> Any: ...

    with pytest.raises(
        CredentialsError, match=r"has an asynchronous get_frozen_credentials\(\): pass AsyncClient an async function"
    ):
        source(Theirs())


def test_the_error_of_a_session_without_credentials_names_the_session() -> None:
    with pytest.raises(
        CredentialsError, match=r"^the argument credentials \(a Session\) has no credentials: configure it"
    ):
        result_of(cache(botocore.session.Session()).get())


def test_without_credentials_the_error_names_all_providers_in_order() -> None:
    with pytest.raises(CredentialsError) as caught:
        result_of(cache(None).get())
    text = str(caught.value)
    order = ["env", "assume-role", "sso", "shared-credentials-file", "iam-role"]
    places = [text.index(f" {each}") for each in order]
    assert places == sorted(places)
