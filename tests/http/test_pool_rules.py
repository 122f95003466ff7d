"""What the pools decide without I/O: which connection is used, and whose turn it is."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from novaact_http import ConfigurationError, DeadlineExceeded, NovaActError
from novaact_http._call.http_messages import Origin
from novaact_http._http import pool_rules
from novaact_http._http.asyncio_pool import Pool as AsyncPool
from novaact_http._http.blocking_pool import Pool
from novaact_http._http.exchange_errors import ExchangeError, failure, to_transport_error
from novaact_http._http.pool_rules import Connections, seconds_left
from novaact_http.errors import TransportError, TransportTimeout
from tests.helpers.servers import endpoint, no_tls, request_to

HERE = Origin("http", "here.example", 80)
THERE = Origin("http", "there.example", 80)
ELSEWHERE = Origin("https", "there.example", 443)
EXPIRY = 10.0


@attrs.define(eq=False)
class Fake:
    """A fake connection."""

    origin: Origin
    idle_since: float = 0.0
    is_reusable: bool = True


Made = Connections[Fake, str]


def opened(connections: Made, origin: Origin, now: float = 0.0) -> Fake:
    """Return a connection that is in use."""
    assert connections.reuse(origin, now) is None
    assert connections.may_open(now)
    return Fake(origin)


def test_the_connection_that_was_used_last_is_used_first() -> None:
    connections = Made(9, EXPIRY)
    first, second = opened(connections, HERE), opened(connections, HERE)
    connections.release(HERE, first, 1.0)
    connections.release(HERE, second, 2.0)
    assert connections.reuse(HERE, 3.0) is second
    assert connections.reuse(HERE, 3.0) is first
    assert connections.reuse(HERE, 3.0) is None
    assert connections.count == 2


def test_a_connection_is_used_again_for_its_origin_only() -> None:
    connections = Made(9, EXPIRY)
    connections.release(HERE, opened(connections, HERE), 1.0)
    assert connections.reuse(THERE, 1.0) is None
    assert connections.reuse(Origin("https", "here.example", 80), 1.0) is None
    assert connections.reuse(Origin("http", "here.example", 81), 1.0) is None


def test_expired_connections_are_discarded_when_one_is_needed() -> None:
    connections = Made(9, EXPIRY)
    old, older = opened(connections, HERE), opened(connections, HERE)
    connections.release(HERE, older, 1.0)
    connections.release(HERE, old, 2.0)
    assert connections.reuse(HERE, 12.5) is None
    assert connections.take_discarded() == [older, old]
    assert connections.take_discarded() == []
    assert connections.count == 0


def test_a_connection_is_used_until_the_moment_of_its_expiry() -> None:
    connections = Made(9, EXPIRY)
    idle = opened(connections, HERE)
    connections.release(HERE, idle, 1.0)
    assert connections.reuse(HERE, 11.0) is idle


def test_expired_connections_make_room_for_others() -> None:
    connections = Made(1, EXPIRY)
    old = opened(connections, HERE)
    connections.release(HERE, old, 1.0)
    assert connections.may_open(12.0)
    assert connections.take_discarded() == [old]
    assert connections.count == 1


def test_there_are_no_more_than_the_limit() -> None:
    connections = Made(2, EXPIRY)
    assert [connections.may_open(0.0) for _ in range(3)] == [True, True, False]
    assert connections.count == 2


def test_the_connection_that_was_idle_longest_makes_room_for_another_origin() -> None:
    connections = Made(3, EXPIRY)
    there, elsewhere, later = opened(connections, THERE), opened(connections, ELSEWHERE), opened(connections, THERE)
    connections.release(ELSEWHERE, elsewhere, 1.0)
    connections.release(THERE, there, 2.0)
    connections.release(THERE, later, 3.0)
    assert connections.may_open(4.0)
    assert connections.take_discarded() == [elsewhere]
    assert connections.may_open(4.0)
    assert connections.take_discarded() == [there]
    assert connections.count == 3


def test_waiting_calls_are_served_in_order() -> None:
    connections = Made(1, EXPIRY)
    only = opened(connections, HERE)
    for name in ("first", "second", "third"):
        assert not connections.may_open(0.0)
        connections.wait(name, HERE)
    assert connections.waiting == 3
    assert connections.release(HERE, only, 1.0) == ("first", only)
    assert connections.release(HERE, None, 2.0) == ("second", None)
    assert connections.release(HERE, only, 3.0) == ("third", only)
    assert connections.release(HERE, only, 4.0) is None
    assert connections.waiting == 0
    assert connections.count == 1


def test_a_call_that_gives_up_gets_no_turn() -> None:
    connections = Made(1, EXPIRY)
    only = opened(connections, HERE)
    connections.wait("first", HERE)
    connections.wait("second", HERE)
    connections.give_up("first")
    connections.give_up("first")
    assert connections.release(HERE, only, 1.0) == ("second", only)
    connections.give_up("second")  # too late
    assert connections.count == 1


def test_a_call_to_another_origin_gets_the_place_but_not_the_connection() -> None:
    connections = Made(1, EXPIRY)
    here = opened(connections, HERE)
    connections.wait("other", THERE)
    assert connections.release(HERE, here, 1.0) == ("other", None)
    assert connections.take_discarded() == [here]
    assert connections.count == 1


def test_a_place_that_nobody_waits_for_is_free() -> None:
    connections = Made(1, EXPIRY)
    opened(connections, HERE)
    assert connections.release(HERE, None, 1.0) is None
    assert connections.count == 0
    assert connections.may_open(2.0)


def test_an_idle_connection_that_was_closed_is_forgotten() -> None:
    connections = Made(2, EXPIRY)
    idle, used = opened(connections, HERE), opened(connections, HERE)
    connections.release(HERE, idle, 1.0)
    connections.remove(idle)
    connections.remove(idle)
    connections.remove(used)
    connections.remove(Fake(THERE))
    assert connections.reuse(HERE, 2.0) is None
    assert connections.count == 1


def test_connections_idle_as_long_as_one_that_did_not_answer_are_discarded() -> None:
    connections = Made(10, EXPIRY)
    older, silent, newer = (opened(connections, HERE) for _ in range(3))
    elsewhere = opened(connections, ELSEWHERE)
    for each, now in ((elsewhere, 1.0), (older, 1.0), (silent, 2.0)):
        connections.release(each.origin, each, now)
    assert connections.reuse(HERE, 3.0) is silent
    connections.release(HERE, newer, 3.0)
    connections.distrust(silent)
    assert connections.take_discarded() == [older]
    connections.release(HERE, None, 4.0)
    assert connections.count == 2
    assert connections.reuse(HERE, 4.0) is newer
    assert connections.reuse(ELSEWHERE, 4.0) is elsewhere


def test_a_new_connection_that_did_not_answer_says_nothing_about_others() -> None:
    connections = Made(10, EXPIRY)
    used, new = opened(connections, HERE), opened(connections, HERE)
    connections.release(HERE, used, 1.0)
    connections.distrust(new)
    assert connections.take_discarded() == []
    assert connections.reuse(HERE, 2.0) is used


def test_clearing_returns_all_idle_and_discarded_connections() -> None:
    connections = Made(4, EXPIRY)
    gone, here, there, _ = (opened(connections, each) for each in (HERE, HERE, THERE, THERE))
    connections.release(HERE, gone, 1.0)
    connections.release(HERE, here, 5.0)
    connections.release(THERE, there, 6.0)
    assert connections.reuse(ELSEWHERE, 12.0) is None
    assert connections.may_open(12.0)
    assert connections.clear() == [here, there, gone]
    assert connections.clear() == []
    assert connections.count == 2


class AgainstAList(RuleBasedStateMachine):
    """The same decisions, made by searching plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.tested = Made(3, EXPIRY)
        self.idle: list[Fake] = []
        self.in_use: list[Fake] = []
        self.queue: list[tuple[str, Origin]] = []
        self.names = 0

    def expire(self, *origins: Origin) -> list[Fake]:
        gone = [each for each in self.idle if each.idle_since < self.now - EXPIRY and each.origin in origins]
        self.idle = [each for each in self.idle if each not in gone]
        return gone

    @rule(seconds=st.sampled_from([0.5, 4.0, EXPIRY + 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(origin=st.sampled_from([HERE, THERE, ELSEWHERE]))
    def ask(self, origin: Origin) -> None:
        gone = self.expire(origin)
        fit = [each for each in self.idle if each.origin == origin]
        got = self.tested.reuse(origin, self.now)
        if fit:
            assert got is fit[-1]
            self.idle.remove(got)
            self.in_use.append(got)
        else:
            assert got is None
            gone += self.expire(HERE, THERE, ELSEWHERE)
            full = len(self.idle) + len(self.in_use) == 3
            assert self.tested.may_open(self.now) == (not full or bool(self.idle))
            if full and not self.idle:
                self.names += 1
                self.queue.append((str(self.names), origin))
                self.tested.wait(str(self.names), origin)
            else:
                if full:
                    gone.append(self.idle.pop(0))
                self.in_use.append(Fake(origin))
        assert sorted(map(id, self.tested.take_discarded())) == sorted(map(id, gone))

    @precondition(lambda self: self.in_use)
    @rule(data=st.data(), reusable=st.booleans())
    def give_back(self, data: Any, reusable: bool) -> None:
        self.now += 0.001  # if two were idle equally long, either may be discarded
        used = self.in_use.pop(data.draw(st.integers(0, len(self.in_use) - 1)))
        turn = self.tested.release(used.origin, used if reusable else None, self.now)
        if self.queue:
            name, wanted = self.queue.pop(0)
            passed_on = reusable and wanted == used.origin
            assert turn == (name, used if passed_on else None)
            self.in_use.append(used if passed_on else Fake(wanted))
            assert self.tested.take_discarded() == ([used] if reusable and not passed_on else [])
        else:
            assert turn is None
            if reusable:
                assert used.idle_since == self.now
                self.idle.append(used)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def give_up(self, data: Any) -> None:
        name, _ = self.queue.pop(data.draw(st.integers(0, len(self.queue) - 1)))
        self.tested.give_up(name)

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def lose(self, data: Any) -> None:
        self.tested.remove(self.idle.pop(data.draw(st.integers(0, len(self.idle) - 1))))

    @rule()
    def clear(self) -> None:
        assert sorted(map(id, self.tested.clear())) == sorted(map(id, self.idle))
        self.idle.clear()

    @invariant()
    def counts_are_right(self) -> None:
        assert self.tested.count == len(self.idle) + len(self.in_use) <= 3
        assert self.tested.waiting == len(self.queue)
        assert not (self.queue and self.idle)


TestAgainstAList = AgainstAList.TestCase


# Limits, times, errors.


@pytest.mark.parametrize("pool", [Pool, AsyncPool])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_connections", value) for value in (0, -1, 1.5, "1", True, None)),
        *(("keepalive_expiry", value) for value in (-0.1, math.nan, "1", True, None)),
    ],
)
def test_limits_out_of_range_or_of_another_type_are_refused(pool: Any, name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^the argument {name} must be a ") as caught:
        pool(no_tls, **{name: value})
    assert caught.value.setting == name


@pytest.mark.parametrize("pool", [Pool, AsyncPool])
@pytest.mark.parametrize(
    ("name", "value"), [("max_connections", 1), ("keepalive_expiry", 0), ("keepalive_expiry", 1e9)]
)
def test_limits_at_the_ends_of_their_range_are_accepted(pool: Any, name: str, value: object) -> None:
    pool(no_tls, **{name: value})


@pytest.mark.parametrize(
    ("limit", "deadline", "left"),
    [
        (None, None, None),
        (3.0, None, 3.0),
        (None, 102.0, 2.0),
        (1.0, 102.0, 1.0),
        (3.0, 102.0, 2.0),
        (3.0, 99.0, 0.0),
        (None, 100.0, 0.0),
    ],
)
def test_an_operation_ends_by_its_own_limit_or_by_the_deadline(
    limit: float | None, deadline: float | None, left: float | None
) -> None:
    assert seconds_left(limit, deadline, 100.0) == left


@pytest.mark.parametrize(
    ("error", "kind", "sent"),
    [
        (failure("queue", None), DeadlineExceeded, False),
        (failure("connect", None), TransportTimeout, False),
        (failure("connect", TimeoutError(110, "timed out")), TransportTimeout, False),
        (failure("connect", ConnectionRefusedError(111, "refused")), TransportError, False),
        (failure("write", None), TransportTimeout, True),
        (failure("write", BrokenPipeError(32, "broken")), TransportError, True),
        (failure("read", None), TransportTimeout, True),
        (failure("read", ConnectionResetError(104, "reset")), TransportError, True),
        (ExchangeError("response", "ProtocolError: broken"), TransportError, True),
    ],
)
def test_an_error_tells_whether_the_request_may_have_been_sent(
    error: ExchangeError, kind: type[TransportError], sent: bool
) -> None:
    made = to_transport_error(endpoint("::1", 80), error)
    assert type(made) is kind
    assert made.request_sent is sent
    assert made.args[0] == f"no response from http://[::1]:80: {error}"


def test_an_error_keeps_its_cause() -> None:
    cause = ConnectionResetError(104, "reset")
    assert failure("read", cause).__cause__ is cause


def test_a_request_that_http_cannot_express_is_an_error_of_the_signer() -> None:
    with pytest.raises(ConfigurationError, match="the signer made a request that HTTP cannot express: ") as caught:
        pool_rules.encode(request_to(endpoint("here.example", 80), "/ "))
    assert caught.value.__cause__ is not None
    assert caught.value.setting == "signer"


def test_a_closed_client_is_not_used() -> None:
    with pytest.raises(NovaActError, match="this client is closed; make a new one"):
        pool_rules.check_open(closed=True)
    pool_rules.check_open(closed=False)
