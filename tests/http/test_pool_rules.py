"""What the pools decide without I/O: which connection is used, and whose turn it is."""

from __future__ import annotations

import gc
import math
from collections import deque
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
from novaact_http._support.interruptions import Place
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
    place: Place
    idle_since: float = 0.0
    is_reusable: bool = True
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@attrs.define(eq=False)
class Request:
    """A fake request that waits."""

    origin: Origin = HERE
    gone: bool = False
    woken: int = 0

    def wake(self) -> None:
        self.woken += 1


Made = Connections[Fake, Request]


def opened(connections: Made, origin: Origin, now: float = 0.0) -> Fake:
    """Return a connection that is in use."""
    place = connections.take(origin, now)
    assert isinstance(place, Place)
    return Fake(origin, place)


def test_the_connection_that_was_used_last_is_used_first() -> None:
    connections = Made(9, EXPIRY)
    first, second = opened(connections, HERE), opened(connections, HERE)
    connections.keep(first, 1.0)
    connections.keep(second, 2.0)
    assert connections.take(HERE, 3.0) is second
    assert connections.take(HERE, 3.0) is first
    assert connections.count == 2


def test_a_connection_is_used_again_for_its_origin_only() -> None:
    connections = Made(9, EXPIRY)
    connections.keep(opened(connections, HERE), 1.0)
    for origin in (THERE, Origin("https", "here.example", 80), Origin("http", "here.example", 81)):
        assert isinstance(connections.take(origin, 1.0), Place)


def test_expired_connections_are_closed_when_one_is_needed() -> None:
    connections = Made(9, EXPIRY)
    old, older = opened(connections, HERE), opened(connections, HERE)
    connections.keep(older, 1.0)
    connections.keep(old, 2.0)
    place = connections.take(HERE, 12.5)
    assert isinstance(place, Place)
    assert (older.closed, old.closed) == (True, True)
    assert connections.count == 1


def test_a_connection_is_used_until_the_moment_of_its_expiry() -> None:
    connections = Made(9, EXPIRY)
    idle = opened(connections, HERE)
    connections.keep(idle, 1.0)
    assert connections.take(HERE, 11.0) is idle


def test_expired_connections_make_room_for_others() -> None:
    connections = Made(1, EXPIRY)
    old = opened(connections, HERE)
    connections.keep(old, 1.0)
    place = connections.take(THERE, 12.0)
    assert isinstance(place, Place)
    assert old.closed
    assert connections.count == 1


def test_there_are_no_more_than_the_limit() -> None:
    connections = Made(2, EXPIRY)
    taken = [connections.take(HERE, 0.0) for _ in range(3)]
    assert [isinstance(each, Place) for each in taken] == [True, True, False]
    assert connections.count == 2


def test_there_are_no_more_than_the_limit_if_two_take_the_last_place_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connections, faster = Made(1, EXPIRY), []

    def take_too(taken: Any) -> Place:
        faster.append(Place(taken))
        return Place(taken)

    monkeypatch.setattr(pool_rules, "Place", take_too)
    assert connections.take(HERE, 0.0) is None
    assert connections.count == 1


def test_the_connection_that_was_idle_longest_makes_room_for_another_origin() -> None:
    connections = Made(3, EXPIRY)
    there, elsewhere, later = opened(connections, THERE), opened(connections, ELSEWHERE), opened(connections, THERE)
    connections.keep(elsewhere, 1.0)
    connections.keep(there, 2.0)
    connections.keep(later, 3.0)
    one = connections.take(HERE, 4.0)
    assert (elsewhere.closed, there.closed) == (True, False)
    other = connections.take(HERE, 4.0)
    assert (there.closed, later.closed) == (True, False)
    assert connections.count == 3
    assert {type(one), type(other)} == {Place}


def test_waiting_calls_are_served_in_order() -> None:
    connections = Made(1, EXPIRY)
    only = opened(connections, HERE)
    queue = [Request() for _ in range(3)]
    for each in queue:
        assert connections.take(HERE, 0.0) is None
        connections.wait(each)
    assert connections.waiting == 3
    for number, each in enumerate(queue):
        assert each.woken == 0
        connections.keep(only, 1.0)
        assert each.woken == 1
        assert connections.take(HERE, 1.0) is None  # nobody gets ahead of those who wait
        assert all(connections.take(HERE, 1.0, later) is None for later in queue[number + 1 :])
        assert connections.take(HERE, 1.0, each) is only
        connections.leave(each)
    assert connections.waiting == 0
    assert connections.count == 1


def test_a_call_that_gives_up_hands_on_its_turn() -> None:
    connections = Made(1, EXPIRY)
    only = opened(connections, HERE)
    first, second = Request(), Request()
    connections.wait(first)
    connections.wait(second)
    connections.keep(only, 1.0)
    assert (first.woken, second.woken) == (1, 0)
    connections.leave(first)
    assert second.woken == 1
    assert connections.take(HERE, 1.0, second) is only


def test_a_waiting_call_that_is_lost_blocks_no_other() -> None:
    connections = Made(1, EXPIRY)
    only = opened(connections, HERE)
    lost, second = Request(), Request()
    connections.wait(lost)
    connections.wait(second)
    del lost  # an interrupted call did not get as far as `leave`
    assert connections.waiting == 1
    connections.keep(only, 1.0)
    assert second.woken == 1
    assert connections.take(HERE, 1.0, second) is only


def test_a_waiting_call_may_be_put_first() -> None:
    connections = Made(1, EXPIRY)
    only = opened(connections, HERE)
    held_up, nested = Request(), Request()
    connections.wait(held_up)
    connections.wait(nested, first=True)
    assert connections.waiters() == [nested, held_up]
    connections.keep(only, 1.0)
    assert (held_up.woken, nested.woken) == (0, 1)


def test_a_call_to_another_origin_gets_the_place_but_not_the_connection() -> None:
    connections = Made(1, EXPIRY)
    here, other = opened(connections, HERE), Request()
    connections.wait(other)
    connections.keep(here, 1.0)
    assert isinstance(connections.take(THERE, 1.0, other), Place)
    assert here.closed


def test_a_place_is_free_when_its_connection_is_discarded_or_nothing_refers_to_it() -> None:
    connections = Made(4, EXPIRY)
    used, lost = opened(connections, HERE), opened(connections, HERE)
    place, lost_place = connections.take(HERE, 0.0), connections.take(HERE, 0.0)
    assert connections.count == 4
    connections.discard(used)
    assert used.closed
    del lost
    assert connections.count == 2
    assert isinstance(place, Place)
    connections.give_back(place)
    place.close()
    del lost_place
    assert connections.count == 0


def test_a_connection_that_ends_in_a_reference_cycle_is_counted_until_it_is_collected() -> None:
    connections = Made(1, EXPIRY)
    cycle: list[Any] = [opened(connections, HERE)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert connections.count == 0


def test_an_idle_connection_that_was_closed_is_forgotten() -> None:
    connections = Made(3, EXPIRY)
    idle, used = opened(connections, HERE), opened(connections, HERE)
    connections.keep(idle, 1.0)
    connections.remove(idle)
    connections.remove(idle)
    connections.remove(used)
    connections.remove(Fake(THERE, Place(set())))
    assert (idle.closed, used.closed) == (True, False)
    assert connections.count == 1


def test_connections_idle_as_long_as_one_that_did_not_answer_are_closed() -> None:
    connections = Made(10, EXPIRY)
    older, silent, newer = (opened(connections, HERE) for _ in range(3))
    elsewhere = opened(connections, ELSEWHERE)
    for each, now in ((elsewhere, 1.0), (older, 1.0), (silent, 2.0)):
        connections.keep(each, now)
    assert connections.take(HERE, 3.0) is silent
    connections.keep(newer, 3.0)
    connections.distrust(silent)
    assert older.closed
    connections.discard(silent)
    assert connections.count == 2
    assert connections.take(HERE, 4.0) is newer
    assert connections.take(ELSEWHERE, 4.0) is elsewhere


def test_a_new_connection_that_did_not_answer_says_nothing_about_others() -> None:
    connections = Made(10, EXPIRY)
    used, new = opened(connections, HERE), opened(connections, HERE)
    connections.distrust(new)
    connections.keep(used, 1.0)
    connections.distrust(new)
    assert connections.take(HERE, 2.0) is used


def test_closing_closes_all_idle_connections() -> None:
    connections = Made(4, EXPIRY)
    here, there, used = (opened(connections, each) for each in (HERE, THERE, THERE))
    connections.keep(here, 5.0)
    connections.keep(there, 6.0)
    assert connections.idle() == [here, there]
    connections.close()
    assert (here.closed, there.closed, used.closed) == (True, True, False)
    connections.close()
    assert connections.count == 1
    connections.keep(used, 7.0)
    assert used.closed
    assert connections.count == 0


class Taken(deque[Any]):
    """Connections of which another thread takes the last at the very moment when this one looks."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        self.clear()
        return found


def test_a_connection_that_another_thread_takes_at_this_moment_is_not_used_twice() -> None:
    connections = Made(4, EXPIRY)
    here = opened(connections, HERE)
    connections._idle[HERE] = Taken([here])
    assert isinstance(connections.take(HERE, 2.0), Place)
    connections._idle[HERE] = Taken([here])
    connections.clear()
    assert not here.closed


class AgainstAList(RuleBasedStateMachine):
    """The same decisions, made by searching plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.tested = Made(3, EXPIRY)
        self.idle: list[Fake] = []
        self.in_use: list[Fake] = []
        self.queue: list[Request] = []

    def expire(self, *origins: Origin) -> list[Fake]:
        gone = [each for each in self.idle if each.idle_since < self.now - EXPIRY and each.origin in origins]
        self.idle = [each for each in self.idle if each not in gone]
        return gone

    def ask_for(self, request: Request, *, queued: bool) -> bool:
        """Ask, check the answer, and return whether there was one."""
        origin, first = request.origin, not self.queue or (queued and self.queue[0] is request)
        got = self.tested.take(origin, self.now, request if queued else None)
        if not first:
            assert got is None
            return False
        gone = self.expire(origin)
        fit = [each for each in self.idle if each.origin == origin]
        if fit:
            assert got is fit[-1]
            self.idle.remove(fit[-1])
            self.in_use.append(fit[-1])
        else:
            gone += self.expire(HERE, THERE, ELSEWHERE)
            full = len(self.idle) + len(self.in_use) == 3
            assert isinstance(got, Place) == (not full or bool(self.idle))
            if isinstance(got, Place):
                if full:
                    gone.append(self.idle.pop(0))
                self.in_use.append(Fake(origin, got))
        assert all(each.closed for each in gone)
        return got is not None

    @rule(seconds=st.sampled_from([0.5, 4.0, EXPIRY + 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule(origin=st.sampled_from([HERE, THERE, ELSEWHERE]))
    def ask(self, origin: Origin) -> None:
        request = Request(origin)
        if not self.ask_for(request, queued=False):
            self.queue.append(request)
            self.tested.wait(request)

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def ask_again(self, data: Any) -> None:
        request = data.draw(st.sampled_from(self.queue))
        if self.ask_for(request, queued=True):
            self.queue.remove(request)
            self.tested.leave(request)

    @precondition(lambda self: self.in_use)
    @rule(data=st.data(), how=st.sampled_from(["keep", "discard", "lose"]))
    def give_back(self, data: Any, how: str) -> None:
        self.now += 0.001  # if two were idle equally long, either may be closed
        used = self.in_use.pop(data.draw(st.integers(0, len(self.in_use) - 1)))
        before = self.queue[0].woken if self.queue else 0
        if how == "keep":
            self.tested.keep(used, self.now)
            assert used.idle_since == self.now
            self.idle.append(used)
        elif how == "discard":
            self.tested.discard(used)
            assert used.closed
        if self.queue and how != "lose":
            assert self.queue[0].woken == before + 1

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def give_up(self, data: Any) -> None:
        self.tested.leave(self.queue.pop(data.draw(st.integers(0, len(self.queue) - 1))))

    @precondition(lambda self: self.idle)
    @rule(data=st.data())
    def lose(self, data: Any) -> None:
        self.tested.remove(self.idle.pop(data.draw(st.integers(0, len(self.idle) - 1))))

    @rule()
    def clear(self) -> None:
        self.tested.clear()
        assert all(each.closed for each in self.idle)
        self.idle.clear()

    @invariant()
    def counts_are_right(self) -> None:
        assert self.tested.count == len(self.idle) + len(self.in_use) <= 3
        assert self.tested.waiting == len(self.queue)
        assert self.tested.idle() == sorted(
            self.idle, key=lambda each: (list(self.tested._idle).index(each.origin), each.idle_since)
        )


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
