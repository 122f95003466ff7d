"""Both pools: how they connect."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import ConfigurationError
from novaact_http._http import blocking_connection, happy_eyeballs
from novaact_http.errors import TransportError, TransportTimeout
from tests.helpers.servers import (
    BlackHole,
    Server,
    answer_lookups_with,
    closed_port,
    endpoint,
    fail_lookups,
    request_to,
    serve,
)

if TYPE_CHECKING:
    import ssl

    from tests.helpers.pool_drivers import Driver, MakeDriver


def test_a_connection_that_is_refused_is_an_error(driver: Driver) -> None:
    with pytest.raises(TransportError, match="ConnectionRefusedError") as caught:
        driver.send(request_to(endpoint("127.0.0.1", closed_port()), repeatable=True))
    assert type(caught.value) is TransportError
    assert not caught.value.request_sent
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert driver.connections.count == 0


def test_the_connect_timeout_ends_the_wait_for_an_address(driver: Driver) -> None:
    with BlackHole() as hole:
        with pytest.raises(TransportTimeout, match="connecting took too long") as caught:
            driver.send(request_to(endpoint("127.0.0.1", hole.port), connect=0.02))
        assert not caught.value.request_sent
        assert driver.connections.count == 0


def test_the_connect_timeout_may_be_a_year(driver: Driver) -> None:
    with Server(serve) as server:
        assert driver.send(request_to(server, connect=365 * 24 * 60 * 60.0)).body == b"ok"


def test_the_deadline_ends_the_wait_for_an_address(driver: Driver) -> None:
    with BlackHole() as hole:
        with pytest.raises(TransportTimeout) as caught:
            driver.send(request_to(endpoint("127.0.0.1", hole.port), within=0.02))
        assert not caught.value.request_sent


def test_a_host_is_looked_up(driver: Driver) -> None:
    with Server(serve) as server:
        assert driver.send(request_to(server.endpoint("localhost"))).body == b"ok"


def test_a_host_without_an_address_is_an_error(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = make_patchable()
    fail_lookups(monkeypatch)
    with pytest.raises(TransportError, match="Name or service not known") as caught:
        driver.send(request_to(endpoint("nowhere.example", 80)))
    assert type(caught.value) is TransportError
    assert not caught.value.request_sent
    assert isinstance(caught.value.__cause__, socket.gaierror)
    assert driver.connections.count == 0


@pytest.mark.parametrize("host", ["a..b", "a" * 64, "a..1", "a" * 63 + "1" * 9, "a" * 64 + ".example"])
def test_a_malformed_host_name_is_an_error(make_patchable: MakeDriver, host: str) -> None:
    driver = make_patchable()
    with pytest.raises(TransportError, match="gaierror") as caught:
        driver.send(request_to(endpoint(host, 80)))
    assert not caught.value.request_sent
    assert driver.connections.count == 0


def test_addresses_are_tried_in_turn(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = make_patchable()
    with Server(serve) as server:
        answer_lookups_with(monkeypatch, closed_port(), closed_port(), server.port)
        assert driver.send(request_to(endpoint("host.example", 80))).body == b"ok"


def test_an_address_of_an_unsupported_family_is_skipped(
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


def test_the_error_is_that_of_the_last_address(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = make_patchable()
    answer_lookups_with(monkeypatch, closed_port(), closed_port())
    with pytest.raises(TransportError, match="ConnectionRefusedError") as caught:
        driver.send(request_to(endpoint("host.example", 80)))
    assert not caught.value.request_sent


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_patchable()
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.01)
    with BlackHole() as hole, Server(serve) as server:
        answer_lookups_with(monkeypatch, hole.port, server.port)
        assert driver.send(request_to(endpoint("host.example", 80), connect=0.4)).body == b"ok"


def test_an_address_that_may_still_answer_is_waited_for_after_the_last_one_refused(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_patchable()
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.001)
    with BlackHole() as hole:
        answer_lookups_with(monkeypatch, closed_port(), hole.port, closed_port())
        with pytest.raises(TransportTimeout):
            driver.send(request_to(endpoint("host.example", 80), connect=0.05))
        assert driver.connections.count == 0


def test_the_last_address_is_tried_even_if_many_do_not_answer(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_patchable()
    with BlackHole() as hole, Server(serve) as server:
        answer_lookups_with(monkeypatch, *[hole.port] * 5, server.port)
        assert driver.send(request_to(endpoint("host.example", 80), connect=1.2)).body == b"ok"


@pytest.mark.parametrize(
    ("count", "timeout", "seconds"), [(1, None, 0.25), (20, None, 0.25), (2, 5.0, 0.25), (4, 1.0, 0.2), (9, 1.0, 0.1)]
)
def test_the_next_address_is_tried_after_a_while_and_in_time(count: int, timeout: float | None, seconds: float) -> None:
    assert happy_eyeballs.next_address_after(count, timeout) == pytest.approx(seconds)


class Slow:
    """A socket that is connected only when `connect` is called."""

    def __init__(self) -> None:
        self.near, self._far = socket.socketpair()
        self.near.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.near.send(b"x" * 65_536)

    def connect(self) -> None:
        self._far.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._far.recv(65_536)

    def close(self) -> None:
        self.near.close()
        self._far.close()


def test_an_address_that_answers_late_is_used_even_if_others_were_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = [Slow() for _ in range(3)]
    begun: list[int] = []

    def begin(number: int) -> socket.socket:
        begun.append(number)
        if number == 2:
            slow[0].connect()
        return slow[number].near

    monkeypatch.setattr(blocking_connection, "_begin_to_connect", begin)
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.001)
    assert blocking_connection._first_to_answer([(number,) for number in range(3)], None) is slow[0].near
    assert begun == [0, 1, 2]
    assert [each.near.fileno() >= 0 for each in slow] == [True, False, False]
    for each in slow:
        each.close()


def test_an_address_that_cannot_be_tried_leaves_no_socket() -> None:
    with pytest.raises(OSError, match="not supported"):
        blocking_connection._begin_to_connect(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("::1", 9))


def test_an_interruption_while_addresses_are_tried_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()

    def begin(number: int) -> socket.socket:
        if number:
            raise KeyboardInterrupt
        return slow.near

    monkeypatch.setattr(blocking_connection, "_begin_to_connect", begin)
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_AFTER", 0.001)
    with pytest.raises(KeyboardInterrupt):
        blocking_connection._first_to_answer([(0,), (1,)], None)
    assert slow.near.fileno() == -1
    slow.close()


def test_all_addresses_share_the_time_to_connect(make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = make_patchable()
    with BlackHole() as hole:
        answer_lookups_with(monkeypatch, *[hole.port] * 100)
        began = time.monotonic()
        with pytest.raises(TransportTimeout) as caught:
            driver.send(request_to(endpoint("host.example", 80), connect=0.05))
        assert time.monotonic() - began < 0.05 * 50
        assert not caught.value.request_sent


def test_a_slow_host_lookup_counts_towards_the_connect_timeout(
    make_patchable: MakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
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


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_connected_to(driver: Driver) -> None:
    with Server(serve, host="::1") as server:
        assert driver.send(request_to(server)).body == b"ok"


def test_address_families_take_turns() -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    found = [(six, "a"), (six, "b"), (six, "c"), (four, "d"), (four, "e")]
    assert [each[1] for each in happy_eyeballs.in_turn(found)] == ["a", "d", "b", "e", "c"]


def test_an_unreadable_ca_bundle_takes_no_place_in_the_pool(make_driver: MakeDriver) -> None:
    def unreadable() -> ssl.SSLContext:
        raise ConfigurationError("the CA bundle cannot be used")

    driver = make_driver(unreadable, max_connections=1)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="the CA bundle cannot be used"):
            driver.send(request_to(endpoint("127.0.0.1", closed_port(), "https")))
        assert driver.connections.count == 0
