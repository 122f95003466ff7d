"""Credentials in calls: renewing them, waiting for them, and what errors show."""

from __future__ import annotations

import datetime as dt
import os
import threading
import traceback
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError

from novaact_http import Client, CredentialsError, DeadlineExceeded, RetryPolicy, ServiceError
from novaact_http._call.flow import GetCredentials, Sleep, call
from novaact_http._call.http_messages import Request, Response
from novaact_http._operations.sessions import LIST_SESSIONS
from novaact_http.errors import TransportError
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, KEYS, OPTIONS, TEMPORARY_KEYS, mocked
from tests.helpers.credentials import HOUR, UTC, Vault, cache, keys, refreshable, result_of
from tests.helpers.flows import attempt, context

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face

# In the flow.

EXPIRED = Response(
    status=403, headers=(("x-amzn-errortype", "ExpiredTokenException"),), body=b'{"message": "The token has expired"}'
)


def test_an_expired_token_is_renewed_once_without_using_up_an_attempt() -> None:
    flow = call(context(renews_credentials=True), LIST_SESSIONS, CALL)
    assert next(flow) == GetCredentials()
    first = flow.send(KEYS)
    assert flow.send(EXPIRED) == Sleep(0.0)
    assert next(flow) == GetCredentials(refused=KEYS)
    second = flow.send(TEMPORARY_KEYS)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert dict(second.headers)["amz-sdk-request"].endswith("attempt=1; max=1")
    assert dict(second.headers)["X-Amz-Security-Token"] == TEMPORARY_KEYS.session_token
    with pytest.raises(ServiceError) as caught:
        flow.send(EXPIRED)
    assert caught.value.attempts == 2


def test_a_later_attempt_does_not_renew_credentials_again() -> None:
    flow = call(context(renews_credentials=True, retries=RetryPolicy(rng=lambda: 0.0)), LIST_SESSIONS, CALL)
    attempt(flow)
    flow.send(EXPIRED)
    attempt(flow)
    flow.throw(TransportError("lost", request_sent=True))
    assert next(flow) == GetCredentials()


@pytest.mark.parametrize(
    ("renews", "code"), [(False, "ExpiredTokenException"), (True, "AccessDeniedException"), (True, "RequestExpired")]
)
def test_credentials_that_cannot_be_renewed_or_have_not_expired_are_an_error_at_once(renews: bool, code: str) -> None:
    flow = call(context(renews_credentials=renews), LIST_SESSIONS, CALL)
    attempt(flow)
    with pytest.raises(ServiceError):
        flow.send(Response(status=403, headers=(("x-amzn-errortype", code),), body=b"{}"))


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
def test_after_an_expired_token_a_client_fetches_new_credentials_and_goes_on(face: Face, code: str) -> None:
    vault = Vault(keys(1), keys(2))
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"].split("Credential=")[1].split("/")[0])
        return httpx_page() if "AKIA2" in seen else httpx.Response(403, headers={"x-amzn-ErrorType": code})

    assert face.page({**mocked(answer), "credentials": vault}, **CALL).metadata.attempts == 2
    assert seen == ["AKIA1", "AKIA2"]


def test_credentials_that_another_call_has_renewed_are_used() -> None:
    vault = Vault(keys(1), keys(2), keys(3))
    ours = cache(vault)
    old = result_of(ours.get())
    assert result_of(ours.get(refused=old)).access_key_id == "AKIA2"
    assert result_of(ours.get(refused=old)).access_key_id == "AKIA2"
    assert vault.calls == 2


def test_the_chain_is_searched_again_when_its_credentials_were_refused(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    path.write_text("[default]\naws_access_key_id = one\naws_secret_access_key = b\n")
    ours = cache(None)
    old = result_of(ours.get())
    path.write_text("[default]\naws_access_key_id = two\naws_secret_access_key = b\n")
    assert result_of(ours.get()) is old
    assert result_of(ours.get(refused=old)).access_key_id == "two"


def test_the_timeout_of_a_call_covers_the_wait_for_its_credentials(face: Face) -> None:
    release = threading.Event()
    try:
        with pytest.raises(DeadlineExceeded, match=r"0\.05 s in all") as caught:
            face.page(
                {**mocked(lambda _: httpx_page()), "credentials": lambda: release.wait(5), "timeout": 0.05}, **CALL
            )
    finally:
        release.set()
    assert (caught.value.attempts, caught.value.request_sent) == (0, False)
    assert isinstance(caught.value.__cause__, DeadlineExceeded)
    assert "there were credentials" in str(caught.value.__cause__)


def test_a_call_with_enough_time_waits_for_its_credentials(face: Face) -> None:
    page = face.page({**mocked(lambda _: httpx_page()), "credentials": lambda: KEYS, "timeout": 30}, **CALL)
    assert page.session_summaries == ()


def test_a_fast_clock_does_not_make_credentials_expire() -> None:
    with Client(**{**OPTIONS, "credentials": lambda: KEYS}) as client:
        client._context.skew.seconds = -1_000.0
        assert client._credentials._clock() < dt.datetime.now(UTC).timestamp() - 900


def test_a_slow_clock_that_was_corrected_does_not_make_credentials_expire() -> None:
    now = dt.datetime.now(UTC).timestamp()
    skewed = {"x-amzn-errortype": "RequestTimeTooSkewed", "Date": formatdate(now + 2 * HOUR, usegmt=True)}
    answers = [httpx.Response(403, headers=skewed, json={}), httpx_page(), httpx_page()]
    options = mocked(lambda _: answers.pop(0))
    with Client(**{**options, "credentials": lambda: keys(left=HOUR, now=now)}) as client:
        assert client.list_sessions(**CALL).metadata.attempts == 2
        assert client._context.skew.seconds == pytest.approx(2 * HOUR, abs=10)
        assert client.list_sessions(**CALL).metadata.attempts == 1


def test_no_error_of_botocores_shows_a_line_of_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    ours = cache(None)
    path.write_text("[default]\naws_secret_access_key secretsecretsecret\n")
    with pytest.raises(CredentialsError, match=r"chain of providers failed: ConfigParseError: ") as caught:
        result_of(ours.get())
    assert caught.value.__cause__ is None


def test_no_error_shows_a_request_that_sts_quotes() -> None:
    text = "The signature does not match\n\nThe Canonical String should have been\nx-amz-security-token:secretsecret"

    def refresh() -> Any:
        raise ClientError({"Error": {"Code": "SignatureDoesNotMatch", "Message": text}}, "AssumeRole")

    with pytest.raises(CredentialsError, match=r"ClientError: .*AssumeRole operation: The signature does") as caught:
        result_of(cache(refreshable(-1, refresh)).get())
    assert "secretsecret" not in "".join(traceback.format_exception(caught.value))


def test_tests_do_not_see_the_settings_of_this_machine() -> None:
    assert not os.path.exists(os.environ["AWS_CONFIG_FILE"])  # noqa: PTH110


def test_an_object_that_raises_for_every_attribute_is_refused() -> None:
    class Raising(dict):  # type: ignore[type-arg]
        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    with pytest.raises(
        CredentialsError, match=r"^the argument credentials is of type Raising: pass a novaact_http\.Credentials"
    ):
        Client(**{**OPTIONS, "credentials": Raising()})
