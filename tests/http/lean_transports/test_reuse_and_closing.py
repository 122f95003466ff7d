"""Our transports in httpx's clients: many requests, and what happens when requests, event loops and transports end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import ConfigurationError, LeanAsyncTransport, LeanTransport, NovaActError
from tests.helpers.calls import MANY
from tests.helpers.httpx_clients import HttpxClient, url_of
from tests.helpers.servers import (
    OK,
    Server,
    answers,
    echo,
    eventually,
    never,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Callable


# Many requests.


def test_many_requests_in_turn_share_one_connection(client: HttpxClient) -> None:
    async def many() -> set[bytes]:
        return {(await client.wrapped.get(url)).content for _ in range(MANY)}

    with Server(serve) as server:
        url = url_of(server)
        found = {client.wrapped.get(url).content for _ in range(MANY)} if client.is_sync else client.run(many())
        assert found == {b"ok"}
        assert len(server.requests) == MANY
        assert server.accepted == 1


def test_a_thousand_requests_at_once_share_few_connections(asynchronous: bool) -> None:
    with Server(echo) as server, HttpxClient(asynchronous=asynchronous, max_connections=10) as client:
        urls = [url_of(server, f"/{number}") for number in range(1_000)]

        async def all_at_once() -> list[httpx.Response]:
            return list(await asyncio.gather(*[client.wrapped.get(url) for url in urls]))

        if asynchronous:
            responses = client.run(all_at_once())
        else:
            with ThreadPoolExecutor(32) as threads:
                responses = list(threads.map(client.wrapped.get, urls))
        assert [each.text for each in responses] == [f"/{number}" for number in range(1_000)]
        assert server.accepted <= 10
        assert client.connections == server.accepted


def test_connections_that_the_server_closes_after_some_responses_are_replaced(client: HttpxClient) -> None:
    with Server(answers(OK, OK, OK)) as server:
        for number in range(10):
            assert client.request("GET", url_of(server)).content == b"ok"
            if number % 3 == 2:
                server.wait_for_end(number // 3)
        assert server.accepted == 4


# Lifecycles.


def test_a_request_that_is_cancelled_leaves_nothing_behind() -> None:
    with Server(never) as server, HttpxClient(asynchronous=True, max_connections=2) as client:

        async def cancel_many() -> None:
            tasks = [asyncio.ensure_future(client.wrapped.get(url_of(server))) for _ in range(6)]
            await asyncio.to_thread(eventually, lambda: len(server.requests) == 2)
            for task in tasks:
                task.cancel()
            assert all(
                isinstance(each, asyncio.CancelledError)
                for each in await asyncio.gather(*tasks, return_exceptions=True)
            )

        client.run(cancel_many())
        assert client.connections == 0


def test_a_transport_serves_one_event_loop_after_another() -> None:
    transport = LeanAsyncTransport()

    async def get() -> bytes:
        response = await transport.handle_async_request(httpx.Request("GET", url))
        return await response.aread()

    with Server(serve) as server:
        url = url_of(server)
        assert asyncio.run(get()) == asyncio.run(get()) == b"ok"
        assert server.accepted == 2
        eventually(server.peers[0].ended.is_set)

    async def close() -> None:
        await transport.aclose()
        with pytest.raises(NovaActError, match="closed"):
            await get()

    asyncio.run(close())


def test_a_closed_transport_says_so() -> None:
    transport = LeanTransport()
    transport.close()
    with pytest.raises(NovaActError, match="closed"):
        transport.handle_request(httpx.Request("GET", "http://127.0.0.1:9/"))


def test_outside_of_asyncio_the_error_says_what_is_needed() -> None:
    sending = LeanAsyncTransport().handle_async_request(httpx.Request("GET", "http://127.0.0.1:9/"))
    with pytest.raises(ConfigurationError, match="only in a running event loop of asyncio"):
        sending.send(None)


@pytest.mark.parametrize("make", [LeanTransport, LeanAsyncTransport])
@pytest.mark.parametrize(
    ("option", "value"), [("max_connections", 0), ("keepalive_expiry", -1), ("verify", False), ("verify", "")]
)
def test_bad_arguments_are_refused(make: Callable[..., object], option: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=option):
        make(**{option: value})


def test_timeout_none_means_no_time_limit(asynchronous: bool) -> None:
    with Server(serve) as server, HttpxClient(asynchronous=asynchronous) as client:
        assert client.request("GET", url_of(server), timeout=None).content == b"ok"
        request = httpx.Request("GET", url_of(server))  # without extensions
        if asynchronous:
            response = client.run(client.transport.handle_async_request(request))
        else:
            response = client.transport.handle_request(request)
        assert b"".join(client.read(response)) == b"ok"
