"""The two clients: how they are made, shared and closed."""

from __future__ import annotations

import asyncio
import threading
import time
import types
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import (
    AsyncClient,
    BotocoreSigner,
    CallReport,
    Client,
    ConfigurationError,
    Credentials,
    CredentialsError,
    NovaActError,
    RetryPolicy,
    ServiceError,
    SortOrder,
    errors,
)
from novaact_http._clients import base
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, OPTIONS, call_for, mocked, options_for
from tests.helpers.flows import request_of
from tests.helpers.paging import THREE, Script, ids
from tests.helpers.servers import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from novaact_http import Attempt
    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

MAKERS = (Client, AsyncClient)


def test_a_call_lists_a_page(face: Face, service: LocalService) -> None:
    run = service.runs[0]
    got = face.page(options_for(service), **call_for(run), max_results=7, sort_order=SortOrder.DESCENDING)
    assert [each.session_id for each in got.session_summaries] == list(run.session_ids[:-8:-1])
    assert got.next_token
    got = face.page(
        options_for(service), **call_for(run), max_results=7, next_token=got.next_token, sort_order="Descending"
    )
    assert [each.session_id for each in got.session_summaries] == list(run.session_ids[-8:-15:-1])


def test_the_environment_is_enough(face: Face, world: LocalService) -> None:
    assert face.page({}, **call_for(world.runs[0])).session_summaries


def test_botocores_signer_is_accepted_too(face: Face, service: LocalService) -> None:
    options = {**options_for(service), "signer": BotocoreSigner()}
    assert face.page(options, **call_for(service.runs[0])).session_summaries


def test_without_credentials_a_client_is_made_and_its_calls_fail_with_nothing_sent(face: Face) -> None:
    options = {**mocked(lambda _: pytest.fail("sent")), "credentials": None}
    with pytest.raises(CredentialsError, match="no credentials were found"):
        face.page(options, **CALL)


def test_credentials_are_used_while_new_ones_are_fetched(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(THREE)
    fetched: list[Credentials] = []
    all_was_listed = threading.Event()

    def now() -> float:
        return time.time() + (55 * 60 if script.asked else 0)  # from the second call on, new credentials are due

    def fetch() -> Credentials:
        if fetched:
            assert all_was_listed.wait(PATIENCE)
        expires_at = datetime.now(timezone.utc) + timedelta(hours=1)
        fetched.append(Credentials(access_key_id="a", secret_access_key="b", expires_at=expires_at))
        return fetched[-1]

    def on_attempt(_: Attempt) -> None:
        if len(script.asked) == len(THREE):
            assert len(fetched) == 1
            all_was_listed.set()

    monkeypatch.setattr(base, "time", types.SimpleNamespace(time=now, monotonic=time.monotonic))
    items, _ = face.items({**mocked(script), "credentials": fetch, "on_attempt": on_attempt}, **CALL)
    assert ids(items) == list("abcdef")
    eventually(lambda: len(fetched) > 1)


@pytest.mark.parametrize("make", MAKERS)
def test_half_credentials_fail_when_the_client_is_made(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    with pytest.raises(CredentialsError, match="AWS_SECRET_ACCESS_KEY"):
        make(region="us-east-1")


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("region", "", "the argument region is ''"),
        ("endpoint_url", "h", "the argument endpoint_url is 'h', which does not begin"),
        ("retries", 3, "the argument retries is of type int: pass a novaact_http.RetryPolicy"),
        ("timeout", 0, "the argument timeout is not a usable number of seconds: pass a positive number"),
        ("timeout", "5", "the argument timeout is not a usable number of seconds: pass a positive number"),
        ("timeout", True, "the argument timeout is not a usable number of seconds: pass a positive number"),
        ("on_attempt", 5, "the argument on_attempt is of type int: pass a function"),
        ("signer", object(), "the argument signer is of type object: pass an object with a method sign()"),
        ("correct_clock_skew", "false", "the argument correct_clock_skew is of type str: pass True or False"),
    ],
)
def test_a_bad_option_is_named_when_the_client_is_made(
    make: Callable[..., Any], option: str, value: Any, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**{**OPTIONS, option: value})
    assert problem in str(caught.value)


@pytest.mark.parametrize("make", MAKERS)
def test_options_are_keyword_only(make: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        make("us-east-1")


@pytest.mark.parametrize("make", MAKERS)
def test_a_client_shows_where_it_goes_and_no_secret(make: Callable[..., Any]) -> None:
    assert repr(make(**OPTIONS)) == f"{make.__name__}(region='us-east-1', endpoint='127.0.0.1:9')"


@pytest.mark.parametrize("make", MAKERS)
def test_plain_http_beyond_this_machine_warns_once_where_the_client_is_made(make: Callable[..., Any]) -> None:
    with pytest.warns(UserWarning, match=r"http://h\.example are not encrypted") as caught:
        make(**{**OPTIONS, "endpoint_url": "http://h.example"})
    assert [each.filename for each in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(**{**OPTIONS, "endpoint_url": "https://h.example"})


def test_a_client_has_the_exceptions_as_in_boto3(service: LocalService) -> None:
    with Client(**options_for(service)) as client:
        assert client.exceptions is errors
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.list_sessions(
                workflow_definition_name="checkout-flow", workflow_run_id=service.runs[-1].workflow_run_id
            )


def test_a_client_works_without_with_and_closes_more_than_once(service: LocalService) -> None:
    client = Client(**options_for(service))
    client.list_sessions(**call_for(service.runs[0]))
    client.close()
    client.close()
    with pytest.raises(NovaActError, match="closed; make a new one"):
        client.list_sessions(**call_for(service.runs[0]))
    Client(**options_for(service)).close()


def test_an_async_client_works_without_with_and_closes_more_than_once(service: LocalService) -> None:
    async def run() -> None:
        client = AsyncClient(**options_for(service))
        await client.list_sessions(**call_for(service.runs[0]))
        await client.aclose()
        await client.aclose()
        with pytest.raises(NovaActError, match="closed; make a new one"):
            await client.list_sessions(**call_for(service.runs[0]))
        await AsyncClient(**options_for(service)).aclose()

    asyncio.run(run())


def test_a_client_with_the_users_transport_can_be_closed_too() -> None:
    client = Client(**mocked(lambda _: httpx_page()))
    client.close()
    with pytest.raises(NovaActError, match="closed"):
        client.list_sessions(**CALL)


def test_a_call_under_way_while_the_client_closes_opens_no_connection(service: LocalService) -> None:
    client = Client(**options_for(service))
    pool = client._senders.pool()
    assert pool is not None
    client.close()
    with pytest.raises(NovaActError, match="closed"):
        pool.send(request_of(call_for(service.runs[0]), service.credentials, endpoint_url=service.url))

    async def main() -> None:
        client = AsyncClient(**options_for(service))
        call = asyncio.create_task(client.list_sessions(**call_for(service.runs[0])))
        await client.aclose()
        with pytest.raises(NovaActError, match="closed"):
            await call

    asyncio.run(main())
    assert service.requests == []


class _Empty(httpx.MockTransport):
    """A transport that is false, as its length is zero."""

    def __len__(self) -> int:
        return 0


def test_a_transport_and_a_signer_that_are_false_are_still_used(face: Face) -> None:
    class Signer(BotocoreSigner):
        signed = 0

        def __len__(self) -> int:
            return 0

        def sign(self, *arguments: Any, **options: Any) -> Any:
            Signer.signed += 1
            return super().sign(*arguments, **options)

    options = {**OPTIONS, "transport": _Empty(lambda _: httpx_page("a")), "signer": Signer()}
    assert face.page(options, **CALL).session_summaries
    assert Signer.signed == 1


def test_a_signer_may_leave_out_the_signature(face: Face) -> None:
    class Signer:
        def sign(self, method: str, target: str, headers: Any, body: bytes, **_: Any) -> Any:
            return headers

    assert face.page({**mocked(lambda _: httpx_page("a")), "signer": Signer()}, **CALL).session_summaries


def test_each_call_sends_its_own_invocation_id(service: LocalService) -> None:
    with Client(**options_for(service)) as client:
        for _ in range(2):
            client.list_sessions(**call_for(service.runs[0]))
    sent = {uuid.UUID(each.header("amz-sdk-invocation-id") or "") for each in service.requests}
    assert [each.version for each in sent] == [4, 4]


def test_threads_share_a_client(service: LocalService) -> None:
    run = service.runs[0]
    barrier = threading.Barrier(16)
    with Client(**options_for(service)) as client:

        def work(_: int) -> list[str]:
            barrier.wait()
            return [each.session_id for each in client.iter_sessions(**call_for(run), page_size=10)]

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(work, range(16))) == [list(run.session_ids)] * 16


def test_tasks_share_a_client(service: LocalService) -> None:
    run = service.runs[0]

    async def work(client: AsyncClient) -> list[str]:
        return [each.session_id async for each in client.iter_sessions(**call_for(run), page_size=10)]

    async def main() -> None:
        async with AsyncClient(**options_for(service)) as client:
            assert await asyncio.gather(*(work(client) for _ in range(20))) == [list(run.session_ids)] * 20

    asyncio.run(main())


def test_an_async_client_serves_one_event_loop_after_another(service: LocalService) -> None:
    client = AsyncClient(**options_for(service), transport=None)

    async def once() -> int:
        return len((await client.list_sessions(**call_for(service.runs[0]))).session_summaries)

    assert asyncio.run(once()) == asyncio.run(once()) == 34


def test_a_cancelled_call_ends_its_flow_and_leaves_the_client_usable() -> None:
    reports: list[CallReport] = []

    async def main() -> None:
        started, release = asyncio.Event(), asyncio.Event()

        async def handler(request: httpx.Request) -> httpx.Response:
            started.set()
            await release.wait()
            return httpx_page("a")

        options: dict[str, Any] = {**OPTIONS, "transport": httpx.MockTransport(handler), "on_call": reports.append}
        async with AsyncClient(**options) as client:
            task = asyncio.create_task(client.list_sessions(**CALL))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [type(each.error) for each in reports] == [asyncio.CancelledError]
            release.set()
            assert (await client.list_sessions(**CALL)).session_summaries

    asyncio.run(main())


def test_both_clients_wait_between_attempts(face: Face, waits: list[float]) -> None:
    answers = iter([httpx.Response(503), httpx.Response(429, headers={"Retry-After": "7"}), httpx_page("a")])
    options = {**mocked(lambda _: next(answers)), "retries": RetryPolicy(rng=lambda: 0.5)}
    assert face.page(options, **CALL).metadata.attempts == 3
    assert waits == [0.025, 7.0]


def test_by_default_a_client_retries_as_aws_does(face: Face, waits: list[float]) -> None:
    options = {**mocked(lambda _: httpx.Response(503)), "retries": None}
    with pytest.raises(ServiceError) as caught:
        face.page(options, **CALL)
    assert caught.value.attempts == 3
    assert len(waits) == 2


def test_the_calls_of_a_client_share_its_quota(waits: list[float]) -> None:
    attempts = []
    options = {**mocked(lambda _: httpx.Response(503)), "retries": None}
    with Client(**options) as client:
        for _ in range(20):
            with pytest.raises(ServiceError) as caught:
                client.list_sessions(**CALL)
            attempts.append(caught.value.attempts)
    # 500 tokens, 14 for each retry: 35 retries.
    assert attempts == [3] * 17 + [2] + [1] * 2
    assert len(waits) == 35


def test_closing_outside_asyncio_says_so() -> None:
    with pytest.raises(ConfigurationError, match="asyncio"):
        AsyncClient(**mocked(lambda _: httpx_page())).aclose().send(None)


@pytest.mark.parametrize(
    "options",
    [OPTIONS, mocked(lambda _: httpx_page()), {**OPTIONS, "credentials": lambda: OPTIONS["credentials"]}],
    ids=["own connections", "httpx", "a function for credentials"],
)
def test_an_async_client_outside_asyncio_says_so(options: dict[str, Any]) -> None:
    call: Coroutine[Any, Any, Any] = AsyncClient(**options).list_sessions(**CALL)
    with pytest.raises(ConfigurationError, match="only in a running event loop of asyncio") as caught:
        call.send(None)
    assert caught.value.advice == "use Client and LeanTransport elsewhere"
