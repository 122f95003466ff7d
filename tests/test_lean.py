"""The two pools, side by side, against servers that do what they are told."""

from __future__ import annotations

import itertools
import select
import socket
import ssl
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import Client, ConfigurationError, DeadlineExceeded, NovaActError, _lean, _lean_async
from novaact_http._connections import Connections, ExchangeError
from novaact_http._http1 import ResponseReader
from novaact_http._wire import Origin, Response
from novaact_http.errors import TransportError, TransportTimeout
from servers import (
    BIG,
    DRIVERS,
    OK,
    PATIENCE,
    AsyncDriver,
    BlackHole,
    Driver,
    MakeDriver,
    Peer,
    Server,
    SyncDriver,
    always,
    answers,
    bodies,
    closed_port,
    echo,
    endpoint,
    eventually,
    idle,
    made_by,
    never,
    no_tls,
    patiently,
    request_to,
    serve,
    wait_for_news,
)
from support import CALL, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


HERE = Origin("http", "127.0.0.1", 80)


@pytest.fixture(params=DRIVERS, ids=["sync", "async", "uvloop"])
def make_driver(request: pytest.FixtureRequest) -> Iterator[MakeDriver]:
    yield from made_by(request)


@pytest.fixture
def driver(make_driver: MakeDriver) -> Driver:
    return make_driver()


@pytest.fixture(params=DRIVERS[:2], ids=["sync", "async"])
def make_patchable(request: pytest.FixtureRequest) -> Iterator[MakeDriver]:
    """Those whose addresses a test can make up: uvloop asks the system itself."""
    yield from made_by(request)


# Keeping connections open.


def test_requests_follow_one_another_over_one_connection(driver: Driver) -> None:
    with Server(echo) as server:
        for target in ("/a", "/b", "/c"):
            response = driver.send(request_to(server, target, body=b"!"))
            assert (response.status, response.body) == (200, target.encode() + b"!")
            assert response.headers == (("content-length", "3"),)
            driver.turn()
        assert server.accepted == 1


KEPT = {
    "with a length": OK,
    "chunked, with trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n",
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n" + OK,
}
NOT_KEPT = {
    "Connection: close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "with bytes after it": OK + b"H",
}


@pytest.mark.parametrize("response", KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("dripped", [False, True], ids=["whole", "a byte at a time"])
def test_a_connection_is_used_again_after_a_response(driver: Driver, response: bytes, dripped: bool) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            (peer.drip if dripped else peer.send)(response)

    with Server(script) as server:
        assert [driver.send(request_to(server)).body for _ in range(3)] == [b"ok"] * 3
        assert server.accepted == 1


@pytest.mark.parametrize("response", NOT_KEPT.values(), ids=NOT_KEPT)
def test_a_connection_is_closed_after_a_response(driver: Driver, response: bytes) -> None:
    with Server(always(response)) as server:
        assert [driver.send(request_to(server)).body for _ in range(2)] == [b"ok"] * 2
        assert driver.connections.count == 0
        server.wait_for_end(0)
        server.wait_for_end(1)


def test_a_response_without_a_length_ends_with_the_connection(driver: Driver) -> None:
    with Server(answers(b"HTTP/1.1 200 OK\r\n\r\nso much")) as server:
        assert [driver.send(request_to(server)).body for _ in range(2)] == [b"so much"] * 2
        assert server.accepted == 2
        assert driver.connections.count == 0


def test_a_server_may_close_connections_after_so_many_responses(driver: Driver) -> None:
    last = NOT_KEPT["Connection: close"]
    with Server(answers(OK, OK, last)) as server:
        for _ in range(7):
            assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == 3


def test_a_head_request_is_answered_without_a_body(driver: Driver) -> None:
    with Server(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        assert [driver.send(request_to(server, method="HEAD")).body for _ in range(2)] == [b""] * 2
        assert server.accepted == 1


@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_that_was_closed_while_idle_is_not_used(driver: Driver, turns: int) -> None:
    with Server(answers(OK), serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        for _ in range(turns):
            driver.turn()
        assert driver.send(request_to(server, "/next")).body == b"ok"
        assert server.accepted == 2
        assert [each.target for each in server.requests] == ["/", "/next"]


def test_where_there_is_no_poll_it_is_noticed_too(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "poll")  # as on Windows
    with Server(answers(OK, OK), serve) as server:
        for accepted in (1, 1, 2):
            driver.send(request_to(server))
            assert server.accepted == accepted
            if len(server.requests) == 2:
                server.wait_for_end()


def test_the_event_loop_closes_a_connection_that_was_closed_while_idle() -> None:
    driver = AsyncDriver()
    with Server(answers(OK)) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        driver.turn()
        assert driver.connections.count == 0
    driver.end()


@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_over_which_something_came_unasked_is_not_used(driver: Driver, turns: int) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        peer.stall()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        for _ in range(turns):
            driver.turn()
        assert driver.send(request_to(server)).status == 200
        assert server.accepted == 2


@pytest.mark.parametrize("turns", [0, 1])
def test_a_connection_that_was_reset_while_idle_is_not_used(driver: Driver, turns: int) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.reset()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        wait_for_news(driver)
        for _ in range(turns):
            driver.turn()
        assert driver.send(request_to(server)).body == b"ok"
        assert server.accepted == 2


def test_a_connection_is_not_used_after_its_expiry(make_driver: MakeDriver) -> None:
    driver = make_driver(keepalive_expiry=0.001)
    with Server(serve) as server:
        driver.send(request_to(server))
        time.sleep(0.002)
        driver.send(request_to(server))
        server.wait_for_end(0)
        assert server.accepted == 2


# Responses that fail.

BROKEN = {
    "before it": b"",
    "in its head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "in its body": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok",
}


@pytest.mark.parametrize("response", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("repeatable", [False, True])
def test_a_new_connection_that_ends_too_early_is_an_error(driver: Driver, response: bytes, repeatable: bool) -> None:
    with Server(answers(response)) as server:
        with pytest.raises(TransportError, match=r"ProtocolError: the connection ended (before|in)") as caught:
            driver.send(request_to(server, repeatable=repeatable))
        assert type(caught.value) is TransportError
        assert caught.value.request_sent
        assert type(caught.value.__cause__).__name__ == "ProtocolError"
        assert f"no response from http://127.0.0.1:{server.port}: " in str(caught.value)
        assert server.accepted == 1
        assert driver.connections.count == 0


def test_what_is_no_response_is_an_error(driver: Driver) -> None:
    with Server(always(b"SSH-2.0-OpenSSH_9.9\r\n")) as server:
        with pytest.raises(TransportError, match="ProtocolError: not HTTP") as caught:
            driver.send(request_to(server, repeatable=True))
        assert caught.value.request_sent
        assert server.accepted == 1


@pytest.mark.parametrize("response", [b"", b"HTTP/1.1 200"], ids=["before it", "in its head"])
def test_a_connection_that_is_reset_is_an_error(driver: Driver, response: bytes) -> None:
    def script(peer: Peer) -> None:
        answers(response)(peer)
        peer.reset()

    with Server(script) as server:
        with pytest.raises(TransportError, match="ConnectionResetError") as caught:
            driver.send(request_to(server))
        assert caught.value.request_sent
        assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_a_server_that_never_answers_is_waited_for_as_long_as_was_said(driver: Driver) -> None:
    with Server(never) as server:
        with pytest.raises(TransportTimeout, match="waiting for the response took too long") as caught:
            driver.send(request_to(server, read=0.02))
        assert caught.value.request_sent
        server.wait_for_end()


def test_the_read_timeout_begins_anew_with_each_byte(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.drip(OK, 0.015)  # 0.6 s in all
        peer.request()
        peer.drip(OK[:3], 0.01)
        peer.stall()

    with Server(script) as server:
        assert driver.send(request_to(server, read=0.4)).body == b"ok"
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server, read=0.05))


def test_a_deadline_holds_though_bytes_keep_coming(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.drip(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100, 0.01)  # 6 s

    with Server(script) as server:
        with pytest.raises(TransportTimeout, match="waiting for the response took too long") as caught:
            driver.send(request_to(server, within=0.3))
        assert caught.value.request_sent
        assert not server.peers[0].ended.is_set()


def test_a_deadline_holds_though_there_is_always_something_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = SyncDriver()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + BIG)

    with Server(script) as server:
        ticks = itertools.count()
        monkeypatch.setattr(_lean, "time", types.SimpleNamespace(monotonic=lambda: float(next(ticks))))
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server)._replace(deadline=20.0))
        assert next(ticks) < 30
    driver.end()


# Requests with a big body.


class Sluggish:
    """A socket that takes a thousand bytes at a time."""

    def __init__(self) -> None:
        self.taken = b""
        self.timeouts: list[float | None] = []

    def gettimeout(self) -> float | None:
        return None

    def settimeout(self, timeout: float | None) -> None:
        self.timeouts.append(timeout)

    def send(self, data: bytes) -> int:
        self.taken += data[:1000]
        return len(data[:1000])

    def close(self) -> None:
        pass


def test_the_time_to_send_begins_anew_with_each_part_that_is_taken() -> None:
    slow: Any = Sluggish()
    data = bytes(range(256)) * 20
    _lean.Connection(HERE, object(), slow).send(data, 0.5)
    assert slow.taken == data
    assert slow.timeouts == [0.5]


def test_a_deadline_holds_though_there_is_always_room_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    slow: Any = Sluggish()
    ticks = itertools.count(1.0)
    monkeypatch.setattr(_lean, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.raises(ExchangeError, match="sending took too long") as caught:
        _lean.Connection(HERE, object(), slow).send(BIG, 2.5, 5.0)
    assert (caught.value.phase, caught.value.timed_out) == ("write", True)
    assert len(slow.taken) == 4000
    assert slow.timeouts == [2.5, 2.0, 1.0]


def test_a_big_request_is_read_slowly(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        time.sleep(0.05)
        serve(peer)

    with Server(script) as server:
        assert driver.send(request_to(server, body=BIG)).body == b"ok"
        assert driver.send(request_to(server, "/next")).body == b"ok"
        assert server.requests[0].body == BIG
        assert server.accepted == 1


def test_a_request_that_nobody_reads_takes_too_long(driver: Driver) -> None:
    gone = threading.Event()

    def script(_: Peer) -> None:
        gone.wait(PATIENCE)

    with Server(script) as server:
        with pytest.raises(TransportTimeout, match="sending took too long") as caught:
            driver.send(request_to(server, body=BIG, read=0.05))
        assert caught.value.request_sent
        gone.set()


def test_an_answer_that_comes_before_the_whole_request_was_taken_counts(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    with Server(script) as server:
        response = driver.send(request_to(server, body=BIG))
        assert (response.status, response.body) == (413, b"no")
        assert driver.connections.count == 0


def test_a_connection_that_ends_before_the_whole_request_was_taken_is_an_error(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(1_000)
        peer.reset()

    with Server(script) as server:
        with pytest.raises(TransportError, match=r"BrokenPipeError|ConnectionResetError") as caught:
            driver.send(request_to(server, body=BIG, repeatable=True))
        assert type(caught.value) is TransportError
        assert caught.value.request_sent
        assert isinstance(caught.value.__cause__, OSError)
        assert server.accepted == 1


def test_that_a_request_was_refused_is_told_and_not_that_no_answer_came() -> None:
    near, far = socket.socketpair()
    far.close()
    connection = _lean.Connection(HERE, object(), near)
    with pytest.raises(ExchangeError, match="BrokenPipeError") as caught:
        _lean._exchange(connection, ResponseReader("GET"), b"request", None, None)
    assert caught.value.phase == "write"
    assert isinstance(caught.value.__cause__, BrokenPipeError)
    connection.close()


# Connections that were closed without our noticing it in time.


def test_a_request_that_meets_the_end_of_a_used_connection_is_sent_again_at_once(driver: Driver) -> None:
    with Server(answers(OK, b""), serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, "/again", repeatable=True)).body == b"ok"
        assert [each.target for each in server.requests] == ["/", "/again", "/again"]
        assert server.accepted == 2
        assert driver.connections.count == 1


def test_a_request_that_meets_a_reset_on_a_used_connection_is_sent_again_too(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        answers(OK, b"")(peer)
        peer.reset()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, repeatable=True)).body == b"ok"


def test_a_big_request_that_meets_the_end_of_a_used_connection_is_sent_again(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        peer.socket.recv(1_000)
        peer.reset()

    with Server(script, serve) as server:
        driver.send(request_to(server))
        assert driver.send(request_to(server, body=BIG, repeatable=True)).body == b"ok"
        assert server.requests[-1].body == BIG
        assert server.accepted == 2


def test_a_request_that_must_not_be_repeated_is_not_sent_again(driver: Driver) -> None:
    with Server(answers(OK, b""), serve) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="before any of the response came") as caught:
            driver.send(request_to(server))
        assert caught.value.request_sent
        assert server.accepted == 1


def test_a_request_is_not_sent_again_once_a_byte_of_an_answer_has_come(driver: Driver) -> None:
    with Server(answers(OK, b"H"), serve) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="in the middle of the response"):
            driver.send(request_to(server, repeatable=True))
        assert server.accepted == 1


def test_a_request_that_took_too_long_is_not_sent_again(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        answers(OK)(peer)
        never(peer)

    with Server(script, serve) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportTimeout):
            driver.send(request_to(server, read=0.02, repeatable=True))
        assert server.accepted == 1


def test_a_request_is_sent_again_no_more_than_once(driver: Driver) -> None:
    with Server(answers(OK, b""), answers(b"")) as server:
        driver.send(request_to(server))
        with pytest.raises(TransportError, match="before any of the response came"):
            driver.send(request_to(server, repeatable=True))
        assert server.accepted == 2


def test_a_request_is_sent_again_over_a_new_connection_though_others_are_idle(driver: Driver) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        eventually(lambda: server.accepted == 2)
        peer.send(OK)
        peer.request()

    with Server(script, script, serve) as server:
        driver.together([request_to(server)] * 2)
        assert driver.send(request_to(server, repeatable=True)).body == b"ok"
        assert server.accepted == 3
        assert driver.connections.count == 2


def test_a_request_that_is_sent_again_keeps_its_place(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)

    def script(peer: Peer) -> None:
        answers(OK, b"")(peer)
        eventually(lambda: driver.connections.waiting == 1)

    with Server(script, serve) as server:
        driver.send(request_to(server))
        first, second = (request_to(server, target, repeatable=True) for target in ("/first", "/second"))
        assert bodies(driver.together([first, second])) == [b"ok"] * 2
        assert [each.target for each in server.requests] == ["/", "/first", "/first", "/second"]
        assert driver.connections.count == 1


# Connecting.


def addresses(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Have every host lead to these ports, in turn."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_a_connection_that_is_refused_is_an_error(driver: Driver) -> None:
    with pytest.raises(TransportError, match="ConnectionRefusedError") as caught:
        driver.send(request_to(endpoint("127.0.0.1", closed_port()), repeatable=True))
    assert type(caught.value) is TransportError
    assert not caught.value.request_sent
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert driver.connections.count == 0


def test_an_address_that_does_not_answer_is_waited_for_as_long_as_was_said(driver: Driver) -> None:
    with BlackHole() as hole:
        with pytest.raises(TransportTimeout, match="connecting took too long") as caught:
            driver.send(request_to(endpoint("127.0.0.1", hole.port), connect=0.02))
        assert not caught.value.request_sent
        assert driver.connections.count == 0


def test_an_address_that_does_not_answer_is_waited_for_until_the_deadline(driver: Driver) -> None:
    with BlackHole() as hole:
        with pytest.raises(TransportTimeout) as caught:
            driver.send(request_to(endpoint("127.0.0.1", hole.port), within=0.02))
        assert not caught.value.request_sent


def test_a_host_is_looked_up(driver: Driver) -> None:
    with Server(serve) as server:
        assert driver.send(request_to(server.endpoint("localhost"))).body == b"ok"


def test_a_host_without_an_address_is_an_error(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    driver = make_patchable()
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransportError, match="Name or service not known") as caught:
        driver.send(request_to(endpoint("nowhere.example", 80)))
    assert type(caught.value) is TransportError
    assert not caught.value.request_sent
    assert isinstance(caught.value.__cause__, socket.gaierror)
    assert driver.connections.count == 0


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "a..1", "a" * 63 + "1" * 9, "a" * 64 + ".example"])
def test_a_host_whose_name_cannot_be_one_is_an_error(make_patchable: MakeDriver, host: str) -> None:
    driver = make_patchable()
    with pytest.raises(TransportError, match="gaierror") as caught:
        driver.send(request_to(endpoint(host, 80)))
    assert not caught.value.request_sent
    assert driver.connections.count == 0


def test_addresses_are_tried_in_turn(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = make_patchable()
    with Server(serve) as server:
        addresses(monkeypatch, closed_port(), closed_port(), server.port)
        assert driver.send(request_to(endpoint("host.example", 80))).body == b"ok"


def test_an_address_of_a_kind_that_this_machine_has_not_is_passed_over(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_patchable()
    with Server(serve) as server:
        found = [
            (63, socket.SOCK_STREAM, 0, "", ("::1", server.port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert driver.send(request_to(endpoint("host.example", 80))).body == b"ok"
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1])
        with pytest.raises(TransportError, match="not supported") as caught:
            driver.send(request_to(endpoint("other.example", 80)))
        assert not caught.value.request_sent


def test_the_last_of_the_addresses_that_refuse_tells_why(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_patchable()
    addresses(monkeypatch, closed_port(), closed_port())
    with pytest.raises(TransportError, match="ConnectionRefusedError") as caught:
        driver.send(request_to(endpoint("host.example", 80)))
    assert not caught.value.request_sent


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_patchable()
    monkeypatch.setattr(_lean_async, "_NEXT_ADDRESS_AFTER", 0.01)
    with BlackHole() as hole, Server(serve) as server:
        addresses(monkeypatch, hole.port, server.port)
        assert driver.send(request_to(endpoint("host.example", 80), connect=0.4)).body == b"ok"


def test_an_address_that_may_yet_answer_is_waited_for_though_the_last_one_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = AsyncDriver()
    monkeypatch.setattr(_lean_async, "_NEXT_ADDRESS_AFTER", 0.001)
    with BlackHole() as hole:
        addresses(monkeypatch, closed_port(), hole.port, closed_port())
        with pytest.raises(TransportTimeout):
            driver.send(request_to(endpoint("host.example", 80), connect=0.05))
    driver.end()


def test_all_addresses_share_the_time_to_connect(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = make_patchable()
    with BlackHole() as hole:
        addresses(monkeypatch, *[hole.port] * 100)
        began = time.monotonic()
        with pytest.raises(TransportTimeout) as caught:
            driver.send(request_to(endpoint("host.example", 80), connect=0.05))
        assert time.monotonic() - began < 0.05 * 50
        assert not caught.value.request_sent


def test_looking_up_a_host_may_take_all_the_time(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*_: object, **__: object) -> list[Any]:
        time.sleep(0.03)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 9))]

    driver = make_patchable()
    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with pytest.raises(TransportTimeout, match="connecting took too long") as caught:
        driver.send(request_to(endpoint("host.example", 80), connect=0.01))
    assert not caught.value.request_sent


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
def test_an_ipv6_address_is_connected_to(driver: Driver) -> None:
    with Server(serve, host="::1") as server:
        assert driver.send(request_to(server)).body == b"ok"


def test_families_of_addresses_take_turns() -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    found = [(six, "a"), (six, "b"), (six, "c"), (four, "d"), (four, "e")]
    assert [each[1] for each in _lean_async._in_turn(found)] == ["a", "d", "b", "e", "c"]


def test_a_ca_bundle_that_cannot_be_read_takes_no_place(make_driver: MakeDriver) -> None:
    def unreadable() -> ssl.SSLContext:
        raise ConfigurationError("the CA bundle cannot be used")

    driver = make_driver(unreadable, max_connections=1)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="the CA bundle cannot be used"):
            driver.send(request_to(endpoint("127.0.0.1", closed_port(), "https")))
        assert driver.connections.count == 0


# Limits.


def test_there_are_never_more_connections_than_the_limit(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=2)
    all_are_there = threading.Event()

    def script(peer: Peer) -> None:
        while received := peer.request():
            eventually(lambda: all_are_there.is_set() or driver.connections.waiting == 18)
            all_are_there.set()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + received.target.encode())

    with Server(script) as server:
        targets = [f"/{number}" for number in range(10, 30)]
        assert bodies(driver.together([request_to(server, target) for target in targets])) == [
            target.encode() for target in targets
        ]
        assert server.accepted == 2
        assert driver.connections.count == 2


def test_those_who_wait_are_served_in_the_order_in_which_they_came(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(patiently(lambda: driver.connections.waiting == 9)) as server:
        targets = [f"/{number}" for number in range(10)]
        assert bodies(driver.together([request_to(server, target) for target in targets])) == [b"ok"] * 10
        assert [each.target for each in server.requests] == targets
        assert server.accepted == 1


def test_those_who_wait_open_connections_of_their_own_if_those_before_them_end(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    last = NOT_KEPT["Connection: close"]
    with Server(patiently(lambda: driver.connections.waiting == 2, last), always(last)) as server:
        assert bodies(driver.together([request_to(server)] * 3)) == [b"ok"] * 3
        assert server.accepted == 3


def test_waiting_for_a_connection_ends_at_the_deadline(
    make_driver: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_driver(max_connections=1)
    gave_up: list[object] = []

    def give_up(waiter: object) -> None:
        Connections.give_up(connections, waiter)
        gave_up.append(waiter)

    def script(peer: Peer) -> None:
        answers(OK)(peer)
        patiently(lambda: gave_up)(peer)

    with Server(script) as server:
        driver.send(request_to(server))
        connections = driver.connections
        monkeypatch.setattr(connections, "give_up", give_up)
        served, late = driver.together([request_to(server), request_to(server, within=0.02)])
        assert isinstance(served, Response)
        assert isinstance(late, DeadlineExceeded)
        assert "waiting for a connection took too long" in str(late)
        assert not late.request_sent
        assert len(server.requests) == 2


def test_the_place_of_a_connection_goes_to_one_who_waits_for_another_server(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(patiently(lambda: driver.connections.waiting == 1)) as one, Server(serve) as other:
        assert bodies(driver.together([request_to(one), request_to(other)])) == [b"ok"] * 2
        one.wait_for_end()
        assert driver.connections.count == 1
        assert driver.send(request_to(other)).body == b"ok"
        assert (one.accepted, other.accepted) == (1, 1)


def test_a_connection_that_is_idle_makes_room_for_one_to_another_server(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)
    with Server(serve) as one, Server(serve) as other:
        driver.send(request_to(one))
        driver.send(request_to(other))
        one.wait_for_end()
        assert driver.connections.count == 1


def test_a_connection_that_was_closed_on_its_way_to_a_waiter_is_not_used(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)

    def script(peer: Peer) -> None:
        peer.request()
        eventually(lambda: driver.connections.waiting == 1)
        peer.send(OK)

    with Server(script, serve) as server:
        first, second = driver.together([request_to(server), request_to(server, repeatable=True)])
        assert bodies([first, second]) == [b"ok"] * 2
        assert server.accepted == 2


# Closing.


def test_a_closed_pool_sends_nothing(driver: Driver) -> None:
    with Server(serve) as server:
        driver.send(request_to(server))
        driver.close()
        server.wait_for_end()
        with pytest.raises(NovaActError, match="this client is closed"):
            driver.send(request_to(server))
        driver.close()


def test_closing_lets_those_finish_that_have_begun_and_nobody_else(make_driver: MakeDriver) -> None:
    driver = make_driver(max_connections=1)

    def script(peer: Peer) -> None:
        peer.request()
        connections.append(driver.connections)
        eventually(lambda: driver.connections.waiting == 2)
        driver.pool.close()  # type: ignore[attr-defined] # on a thread of the server's
        peer.send(OK)
        peer.stall()

    connections: list[Any] = []
    with Server(script) as server:
        served, *refused = driver.together([request_to(server)] * 3)
        assert isinstance(served, Response)
        assert [type(each) for each in refused] == [NovaActError, NovaActError]
        server.wait_for_end()
        assert server.accepted == 1
        assert (connections[0].count, connections[0].waiting) == (0, 0)


# Threads.


class Impatient(_lean._Waiter):
    """One whose turn comes in the moment in which it waits no longer."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = self  # type: ignore[assignment]

    def acquire(self, timeout: float) -> bool:
        self.when_waiting()
        return False

    def release(self) -> None:
        pass

    def when_waiting(self) -> None:
        raise NotImplementedError


def full(monkeypatch: pytest.MonkeyPatch, when_waiting: Callable[[_lean.Pool], None]) -> SyncDriver:
    """A pool whose only place is taken, and what happens as one waits for it."""
    driver = SyncDriver(max_connections=1)
    assert driver.pool.acquire(HERE, None) is None
    monkeypatch.setattr(_lean, "_Waiter", Impatient)
    monkeypatch.setattr(Impatient, "when_waiting", lambda _: when_waiting(driver.pool))
    return driver


def test_a_turn_that_comes_at_the_deadline_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = full(monkeypatch, lambda pool: pool.discard(HERE, None))
    assert driver.pool.acquire(HERE, time.monotonic()) is None
    assert (driver.connections.count, driver.connections.waiting) == (1, 0)
    driver.pool.discard(HERE, None)
    driver.end()


def test_a_signal_ends_the_wait_for_ones_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: _lean.Pool) -> None:
        raise KeyboardInterrupt

    driver = full(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        driver.pool.acquire(HERE, None)
    assert (driver.connections.count, driver.connections.waiting) == (1, 0)
    driver.pool.discard(HERE, None)
    driver.end()


def test_a_turn_that_comes_with_a_signal_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(pool: _lean.Pool) -> None:
        pool.discard(HERE, None)
        raise KeyboardInterrupt

    driver = full(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt):
        driver.pool.acquire(HERE, None)
    driver.end()


@pytest.mark.parametrize("stage", ["_connect", "_exchange"])
def test_a_signal_in_the_middle_of_a_call_takes_no_place(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    driver = SyncDriver()
    monkeypatch.setattr(_lean, stage, interrupt)
    with Server(serve) as server, pytest.raises(KeyboardInterrupt):
        driver.send(request_to(server))
    assert driver.connections.count == 0
    driver.end()


def test_a_signal_while_connecting_closes_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ssl.SSLContext):
        def wrap_socket(self, *_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

    driver = SyncDriver(lambda: Interrupted(ssl.PROTOCOL_TLS_CLIENT))
    with Server(never) as server:
        with pytest.raises(KeyboardInterrupt):
            driver.send(request_to(endpoint("127.0.0.1", server.port, "https")))
        server.wait_for_end()
    driver.end()


def test_a_forked_child_counts_no_connection_of_its_parents() -> None:
    driver = SyncDriver(max_connections=2)
    with Server(serve) as server:
        driver.send(request_to(server))
        origin = server.endpoint().origin
        used, other = driver.pool.acquire(origin, None), driver.pool.acquire(origin, None)
        assert used is not None
        assert other is None
        other = driver.pool.open(origin, None, None)
        driver.pool.discard(origin, other)
        driver.pool.after_fork()  # as in a child, though there is none
        assert driver.connections.count == 0
        driver.send(request_to(server))
        reader = ResponseReader("GET")
        reader.feed(OK)
        driver.pool.finish(used, reader)
        assert driver.connections.count == 1
        idle_now = idle(driver.connections)
        driver.pool.after_fork()
        assert idle_now[0]._socket.fileno() == -1
    driver.end()


def test_many_threads_each_have_their_own_answers() -> None:
    def script(peer: Peer) -> None:
        while received := peer.request():
            token = received.target.partition("nextToken=")[2].partition("&")[0]
            body = b'{"sessionSummaries": [], "nextToken": "%b"}' % token.encode()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def call(number: int) -> bool:
        return client.list_sessions(**CALL, next_token=f"token-{number}").next_token == f"token-{number}"

    with Server(script) as server:
        where = server.endpoint()
        with Client(**{**OPTIONS, "endpoint_url": f"http://{where.authority}"}) as client:
            client._shared._pool = _lean.Pool(no_tls, max_connections=20)
            with ThreadPoolExecutor(64) as executor:
                assert all(executor.map(call, range(2_000)))
        assert server.accepted <= 20
        assert len(server.requests) == 2_000
