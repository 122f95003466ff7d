"""Our transports in httpx's clients: bodies that are read as they come."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from tests.helpers.httpx_clients import SOON, HttpxClient, url_of
from tests.helpers.servers import (
    BIG,
    OK,
    Peer,
    Server,
    always,
    answers,
    http_response,
    serve,
    soon,
)


def sends_half(peer: Peer) -> None:
    """Send half of a body, and then nothing."""
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
    peer.stall()


def test_a_body_is_read_as_it_comes_and_its_connection_is_used_again(client: HttpxClient) -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        go_on.wait()
        peer.send(b"def")
        serve(peer)

    with Server(script) as server:
        response = client.open("GET", url_of(server))
        assert not response.is_closed
        if client.is_sync:
            parts = response.iter_raw()
            assert next(parts) == b"abc"
            go_on.set()
            assert b"".join(parts) == b"def"
        else:
            found = client.run(_two_halves(response, go_on))
            assert found == [b"abc", b"def"]
        client.close(response)
        assert client.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 1


async def _two_halves(response: httpx.Response, go_on: threading.Event) -> list[bytes]:
    found = []
    async for part in response.aiter_raw():
        found.append(part)
        go_on.set()
    return found


def test_a_part_that_comes_while_the_last_one_is_processed_is_not_missed() -> None:
    taken, sent = threading.Semaphore(0), threading.Semaphore(0)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        for part in (b"def", b"ghi"):
            taken.acquire()
            peer.send(part)
            sent.release()
        serve(peer)

    async def work(response: httpx.Response) -> list[bytes]:
        found = []
        async for part in response.aiter_raw():
            found.append(part)
            if len(found) < 3:
                taken.release()
                await asyncio.to_thread(sent.acquire)
                for _ in range(3):
                    await asyncio.sleep(0)
        return found

    with Server(script) as server, HttpxClient(asynchronous=True) as client:
        try:
            assert client.run(work(client.open("GET", url_of(server), timeout=2))) == [b"abc", b"def", b"ghi"]
        finally:
            taken.release(2)  # or a failing test would wait for the server
        assert client.request("GET", url_of(server)).content == b"ok"
        assert server.accepted == 1


def test_closing_a_response_early_frees_its_place_and_closes_its_connection(client: HttpxClient) -> None:
    with Server(always(http_response(BIG))) as server:
        for number in range(3):
            response = client.open("GET", url_of(server))
            assert client.read(response, 1)[0]
            client.close(response)
            client.close(response)
            assert client.connections == 0
            assert server.accepted == number + 1


@pytest.mark.parametrize(("asynchronous", "fails"), [(False, False), (False, True), (True, True)])
def test_a_response_that_is_not_read_to_its_end_frees_its_place(asynchronous: bool, fails: bool) -> None:
    with Server(sends_half, serve) as server, HttpxClient(asynchronous=asynchronous, max_connections=1) as client:
        response = client.open("GET", url_of(server), timeout=SOON)
        if fails:
            with pytest.raises(httpx.ReadTimeout):
                client.read(response)
        else:
            assert client.read(response, 1) == [b"abc"]
        assert client.connections == 0
        assert client.request("GET", url_of(server)).content == b"ok"


def test_reading_a_response_that_another_task_closes_is_an_error() -> None:
    async def work(client: HttpxClient, response: httpx.Response) -> None:
        reading = asyncio.ensure_future(response.aread())
        (used,) = client.transport._pool.here()._in_use
        await soon(lambda: used._waiter is not None)
        await response.aclose()
        with pytest.raises(httpx.ReadError, match="closed while it was read"):
            await asyncio.wait_for(reading, 5)

    with Server(sends_half) as server, HttpxClient(asynchronous=True) as client:
        client.run(work(client, client.open("GET", url_of(server))))
        assert client.connections == 0


def test_requests_go_on_after_an_unread_response_was_closed(client: HttpxClient) -> None:
    with Server(always(OK)) as server:
        response = client.open("GET", url_of(server))
        client.close(response)
        assert client.request("GET", url_of(server)).content == b"ok"


def test_a_large_body_is_read_whole_even_if_slowly(client: HttpxClient) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%b\r\n" % (len(BIG), BIG) + b"0\r\n\r\n"
    with Server(always(chunked)) as server:
        response = client.open("GET", url_of(server))
        if client.is_sync:
            assert sum(map(len, response.iter_raw())) == len(BIG)
        else:
            assert client.run(_slowly(response)) == len(BIG)
        client.close(response)
        assert client.connections == 1


async def _slowly(response: httpx.Response) -> int:
    count = 0
    async for part in response.aiter_raw():
        assert len(part) < 1_000_000  # the server keeps what the client did not ask for yet
        count += len(part)
        for _ in range(3):
            await asyncio.sleep(0)
    return count


def test_reading_a_body_that_breaks_off_is_an_error(client: HttpxClient) -> None:
    with Server(answers(OK[:-1])) as server:
        response = client.open("GET", url_of(server))
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            client.read(response)
        assert caught.value.request is response.request
        client.close(response)
        assert client.connections == 0


def test_bytes_after_a_response_end_its_connection(client: HttpxClient) -> None:
    with Server(answers(OK + b"HTTP/1.1 200 OK\r\n\r\n"), serve) as server:
        assert [client.request("GET", url_of(server)).content for _ in range(2)] == [b"ok", b"ok"]
        assert server.accepted == 2
