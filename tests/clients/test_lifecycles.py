"""Copies, pickles and forks of clients, and clients with other options."""

from __future__ import annotations

import copy
import functools
import gc
import os
import pickle
import random
import ssl
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

from novaact_http import (
    AsyncClient,
    Attempt,
    BotocoreSigner,
    Client,
    ConfigurationError,
    Credentials,
    CredentialsError,
    NovaActError,
    RetryPolicy,
    ServiceError,
    Timeout,
)
from novaact_http._call.retries import Quota
from novaact_http._http import tls
from novaact_http._support import fork_safety
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, KEYS, OPTIONS, call_for, mocked, options_for
from tests.helpers.programs import run_python
from tests.helpers.servers import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import LocalService

MAKERS = (Client, AsyncClient)
BOTH = pytest.mark.parametrize("make", MAKERS)


def fetch() -> Credentials:
    return KEYS


def told(attempt: Attempt) -> None:
    """A hook that can be pickled by its name."""


def handler(request: httpx.Request) -> httpx.Response:
    return httpx_page()


# Other options.


@BOTH
def test_a_client_with_other_options_shares_everything_else(make: Callable[..., Any]) -> None:
    client = make(**OPTIONS)
    other = client.with_options(timeout=Timeout(total=2), retries=RetryPolicy(max_attempts=5))
    assert type(other) is make
    assert (other._context.timeout.total, other._context.retries.max_attempts) == (2, 5)
    assert client._context.timeout == Timeout()
    assert client._context.retries.mode == "off"
    for name in ("quota", "limiter", "skew", "endpoint", "region", "heads", "redaction"):
        assert getattr(other._context, name) is getattr(client._context, name)
    assert other._credentials is client._credentials
    assert other._senders is client._senders
    again = other.with_options(timeout=3)
    assert (again._context.timeout.total, again._context.retries.max_attempts) == (3, 5)


@BOTH
@pytest.mark.parametrize(("option", "value"), [("timeout", 0), ("timeout", "1"), ("retries", 3)])
def test_other_options_are_checked(make: Callable[..., Any], option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=option):
        make(**OPTIONS).with_options(**{option: value})


def test_connections_are_shared_and_closed_together(service: LocalService) -> None:
    client = Client(**options_for(service))
    with client.with_options(timeout=30) as other:
        other.list_sessions(**call_for(service.runs[0]))
        assert client._senders.pool() is other._senders.pool() is not None
    with pytest.raises(NovaActError, match="closed"):
        client.list_sessions(**call_for(service.runs[0]))


def test_the_clock_skew_and_the_retry_quota_are_shared(waits: list[float]) -> None:
    client = Client(**{**mocked(lambda _: httpx.Response(503)), "retries": None})
    for each in (client, client.with_options(timeout=30)):
        for _ in range(10):
            with pytest.raises(ServiceError):
                each.list_sessions(**CALL)
    assert len(waits) == 35  # as for one client


# Pickles.


@BOTH
def test_a_client_pickles_as_its_settings(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "shop")
    client = make(credentials=fetch, timeout=9, signer=BotocoreSigner(), on_attempt=told, correct_clock_skew=False)
    for name in ("AWS_REGION", "AWS_USE_FIPS_ENDPOINT", "AWS_MAX_ATTEMPTS", "AWS_SDK_UA_APP_ID"):
        monkeypatch.delenv(name)
    made = pickle.loads(pickle.dumps(client))
    assert type(made) is make
    assert (made._context.endpoint, made._context.region) == (client._context.endpoint, client._context.region)
    assert made._proxy == client._proxy
    assert repr(made) == f"{make.__name__}(region='eu-west-1', endpoint='nova-act-fips.eu-west-1.amazonaws.com')"
    for name in ("timeout", "retries", "on_attempt", "correct_clock_skew", "renews_credentials"):
        assert getattr(made._context, name) == getattr(client._context, name)
    assert type(made._context.heads.signer) is BotocoreSigner
    assert made._context.heads.user_agent == client._context.heads.user_agent
    assert made._context.quota is not client._context.quota


def test_an_endpoint_from_the_environment_is_pickled(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    text = pickle.dumps(Client())
    monkeypatch.delenv("AWS_ENDPOINT_URL_NOVA_ACT")
    monkeypatch.delenv("AWS_REGION")
    with pickle.loads(text) as client:  # credentials come from the machine
        assert client.list_sessions(**call_for(world.runs[0])).session_summaries
    assert world.credentials.secret_access_key.encode() not in text


def test_other_options_are_pickled_too() -> None:
    client = Client(**{**OPTIONS, "credentials": None}).with_options(timeout=Timeout(read=3))
    assert pickle.loads(pickle.dumps(client))._context.timeout == Timeout(read=3)


def test_a_transport_is_pickled_if_that_is_possible() -> None:
    client = Client(**{**OPTIONS, "credentials": fetch, "transport": httpx.MockTransport(handler)})
    assert pickle.loads(pickle.dumps(client)).list_sessions(**CALL).session_summaries == ()


@BOTH
@pytest.mark.parametrize(
    "secret",
    [
        KEYS,
        boto3.Session(aws_access_key_id="a", aws_secret_access_key="b").get_credentials(),
        boto3.Session(),
        functools.partial(Credentials, access_key_id="a", secret_access_key="b"),
        "secret".upper,
    ],
    ids=["Credentials", "botocore's credentials", "boto3's session", "a partial", "a method"],
)
def test_a_client_with_passed_credentials_is_not_pickled(make: Callable[..., Any], secret: Any) -> None:
    with pytest.raises(CredentialsError, match="argument credentials cannot be pickled with the client") as caught:
        pickle.dumps(make(**{**OPTIONS, "credentials": secret}))
    assert (caught.value.setting, caught.value.source) == ("credentials", "the argument credentials")
    assert caught.value.advice == ("pass no credentials, or a function of a module, of which only the name is pickled")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("verify", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)),
        ("transport", httpx.HTTPTransport()),
        ("on_attempt", lambda _: None),
        ("credentials", lambda: KEYS),
    ],
)
def test_an_option_that_cannot_be_pickled_is_named(option: str, value: Any) -> None:
    client = Client(**{**OPTIONS, "credentials": None, option: value})
    with pytest.raises(
        ConfigurationError, match=rf"the argument {option} cannot be pickled with the client \("
    ) as caught:
        pickle.dumps(client)
    assert caught.value.__cause__ is not None


def test_a_copy_is_another_client() -> None:
    client = Client(**{**OPTIONS, "credentials": None})
    for made in (copy.copy(client), copy.deepcopy(client)):
        assert made._senders is not client._senders


def test_a_pickled_policy_has_new_random_numbers() -> None:
    policy = RetryPolicy(max_attempts=7, mode="off", rng=random.Random(1).random)
    made = pickle.loads(pickle.dumps(policy))
    assert made == policy
    assert made.rng is RetryPolicy().rng
    assert len(pickle.dumps(RetryPolicy())) < 300  # without the state of a random generator


# Forks.


def test_a_forked_child_finds_all_locks_open(service: LocalService) -> None:
    client = Client(**options_for(service))
    client.list_sessions(**call_for(service.runs[0]))
    context = client._context
    owners: list[Any] = [client._credentials, context.quota, context.limiter, tls._contexts]
    locks = [each._lock for each in owners]
    for lock in locks:
        lock.acquire()
    fork_safety._after_fork()
    with ThreadPoolExecutor(1) as other:
        assert all(other.submit(each._lock.acquire, blocking=False).result() for each in owners)
    fork_safety._after_fork()
    assert client.list_sessions(**call_for(service.runs[0])).session_summaries
    client.close()


def test_a_client_that_is_no_longer_used_is_closed_silently(service: LocalService) -> None:
    client: Any = Client(**options_for(service))
    client.list_sessions(**call_for(service.runs[0]))
    client.friends = {"me": client}  # a cycle, whose parts are finalized in any order
    del client
    gc.collect()
    eventually(lambda: not service._running()._connections)


def test_deleted_objects_are_not_called_after_a_fork() -> None:
    count = len(fork_safety._owners)
    quota = Quota()
    assert len(fork_safety._owners) == count + 1
    del quota
    assert len(fork_safety._owners) == count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_client_works_in_a_forked_child_and_still_works_in_its_parent(service: LocalService) -> None:
    code = """
        import asyncio, os
        from novaact_http import AsyncClient, Client

        call = {"workflow_definition_name": NAME, "workflow_run_id": RUN}
        client, other = Client(), AsyncClient()

        def listed():
            page = client.list_sessions(**call)
            assert page == asyncio.run(other.list_sessions(**call))
            return len(page.session_summaries)

        before = listed()
        child = os.fork()
        if child == 0:
            os._exit(0 if [listed(), listed()] == [before] * 2 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [listed(), listed()] == [before] * 2
        print("forked")
    """
    run = service.runs[0]
    names = f"NAME, RUN = {run.workflow_definition_name!r}, {run.workflow_run_id!r}\n"
    assert run_python("-c", names + dedent(code), environ=service.environ).stdout == "forked\n"
