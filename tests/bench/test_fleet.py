"""The simulation in `bench/fleet.py`: its service, its random numbers, its clock, and its counts."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path
from statistics import fmean
from xml.dom import minidom

import pytest
from bench.fleet import (
    BURST,
    LAST_PAGE,
    MAX_CONCURRENT_LISTINGS,
    MAX_PAGES,
    PAGE,
    POLICIES,
    RATE,
    THROTTLED,
    THROTTLED_WITH_RETRY_AFTER,
    Bucket,
    Client,
    Listing,
    Policy,
    Scenario,
    Service,
    Simulation,
    listings,
    recovery,
    value_at,
)
from hypothesis import given
from hypothesis import strategies as st

from bench import fleet
from novaact_http.errors import TransportError, TransportTimeout
from tests.helpers.calls import CALL
from tests.helpers.flows import request_of

CALM = Scenario("calm", "", loads=((10, 0.3),))
BRIEF = Scenario("brief", "", loads=((1, 4.0), (2, 0.3)))
RUSH = Scenario("rush", "", loads=((6, 4.0), (10, 0.3)))
BROWN_OUT = Scenario("brown-out", "", loads=((10, 0.6),), errors=((2, 0.0), (8, 0.6)))
BLACK_OUT = Scenario("black-out", "", loads=((20, 0.6),), black_out=(2.0, 6.0))
HOPELESS = Scenario("hopeless", "", loads=((3, 0.6),), errors=((1_000, 1.0),))
BY_NAME = {policy.name: policy for policy in POLICIES}
EVERY_POLICY = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)


# The service.


@given(st.floats(0.5, 100.0), st.floats(1.0, 200.0), st.lists(st.floats(0.0, 1.0), max_size=200))
def test_the_bucket_gives_no_more_than_its_rate_and_burst(rate: float, burst: float, gaps: list[float]) -> None:
    bucket, now, given_at = Bucket(rate, burst), 0.0, []
    for gap in gaps:
        now += gap
        if bucket.take(now):
            given_at.append(now)
    for first, start in enumerate(given_at):
        for last in range(first, len(given_at)):
            assert last - first + 1 <= burst + rate * (given_at[last] - start) + 1e-6


def test_the_bucket_gives_all_its_tokens() -> None:
    bucket = Bucket(10.0, 5.0)
    assert [bucket.take(0.0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(0.25) for _ in range(3)] == [True, True, False]
    assert [bucket.take(100.0) for _ in range(6)] == [True] * 5 + [False]


def test_a_value_holds_until_its_step_ends() -> None:
    steps = ((10.0, 0.5), (20.0, 0.7))
    assert [value_at(steps, now) for now in (0.0, 9.9, 10.0, 19.9, 20.0)] == [0.5, 0.5, 0.7, 0.7, 0.0]


def answers(scenario: Scenario, now: float, count: int = 2_000, bucket: float = 1e9) -> list[tuple[float, object]]:
    service = Service(scenario, Bucket(RATE, bucket), random.Random(1))
    request = request_of(CALL)
    return [service.answer(request, now, PAGE, with_retry_after=False) for _ in range(count)]


def test_a_response_takes_a_tenth_of_a_second_on_average_and_at_least_half_of_that() -> None:
    seconds = [each for each, _ in answers(CALM, 0.0)]
    assert min(seconds) >= 0.05
    assert fmean(seconds) == pytest.approx(0.1, rel=0.05)


def test_in_a_brown_out_the_stated_share_fails() -> None:
    for now, share in ((1.0, 0.0), (5.0, 0.6), (9.0, 0.0)):
        got = [answer for _, answer in answers(BROWN_OUT, now)]
        assert fmean(answer is not PAGE for answer in got) == pytest.approx(share, abs=0.03)


def test_in_a_black_out_nothing_gets_through_and_one_of_ten_hangs() -> None:
    got = answers(BLACK_OUT, 3.0)
    assert all(isinstance(answer, TransportError) for _, answer in got)
    hanging = [seconds for seconds, answer in got if isinstance(answer, TransportTimeout)]
    assert set(hanging) == {60.0}  # as long as the client reads
    assert len(hanging) / len(got) == pytest.approx(0.1, abs=0.02)
    for now in (1.9, 6.0):
        assert {answer for _, answer in answers(BLACK_OUT, now)} == {PAGE}


def test_requests_above_the_rate_are_throttled_with_a_retry_after_if_the_policy_reads_it() -> None:
    service = Service(CALM, Bucket(1.0, 1.0), random.Random(1))
    request = request_of(CALL)
    got = [service.answer(request, 0.0, LAST_PAGE, with_retry_after=is_read)[1] for is_read in (True, True, False)]
    assert got == [LAST_PAGE, THROTTLED_WITH_RETRY_AFTER, THROTTLED]


# The listings.


def test_the_runs_and_their_times_are_the_same_for_every_size_of_the_fleet() -> None:
    few, many = (listings(RUSH, size, 7) for size in (10, 10_000))
    assert [(each.pages, each.wanted_at) for each in few] == [(each.pages, each.wanted_at) for each in many]
    assert {each.client for each in few} == set(range(10))
    assert len({each.client for each in many}) > 0.9 * len(many)


def test_the_load_is_that_of_the_scenario() -> None:
    made = listings(Scenario("", "", loads=((200, 0.5), (400, 2.0))), 10, 1)
    times = [each.wanted_at for each in made]
    assert times == sorted(times)
    assert {each.pages for each in made} == set(range(1, MAX_PAGES + 1))
    for begins, ends, load in ((0, 200, 0.5), (200, 400, 2.0)):
        wanted = sum(each.pages for each in made if begins <= each.wanted_at < ends)
        assert wanted / 200 == pytest.approx(load * RATE, rel=0.05)


# A fleet.


@pytest.mark.parametrize("size", [1, 30])
def test_without_failures_and_throttling_all_policies_are_equal(size: int) -> None:
    figures = {Simulation(policy, CALM, size, burst=1e9).run() for policy in POLICIES}
    (only,) = figures
    assert (only.completed, only.wasted) == (only.listings, 0)
    assert only.slowest < math.inf


@EVERY_POLICY
def test_the_same_seed_gives_the_same_figures_and_another_gives_others(policy: Policy) -> None:
    once, again, other = (Simulation(policy, BRIEF, 20, seed=seed).run() for seed in (3, 3, 4))
    assert once == again
    assert once != other


@EVERY_POLICY
@pytest.mark.parametrize("scenario", [CALM, RUSH, BROWN_OUT, BLACK_OUT, HOPELESS], ids=lambda each: each.name)
@pytest.mark.parametrize("size", [2, 200])
def test_time_never_goes_back_and_every_listing_ends(policy: Policy, scenario: Scenario, size: int) -> None:
    simulation = Simulation(policy, scenario, size, trace=[])
    figures = simulation.run()
    assert simulation.trace == sorted(simulation.trace or [])
    assert simulation.now == max(simulation.trace or [])
    assert all(each.wanted_at < each.ended_at <= simulation.now for each in simulation.listings)
    assert figures.listings == len(simulation.listings)
    assert figures.completed == sum(each.completed for each in simulation.listings)
    # Each page took a token of the bucket, and belongs to a listing.
    pages = figures.sent - figures.wasted
    assert pages <= BURST + RATE * simulation.now
    assert sum(each.pages for each in simulation.listings if each.completed) <= pages
    assert pages <= sum(each.pages for each in simulation.listings)


@EVERY_POLICY
def test_no_client_has_more_listings_in_progress_than_its_limit(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    most: list[int] = []
    original = Simulation._list

    def counted(self: Simulation, client: Client, listing: Listing) -> object:
        most.append(client.active)
        return original(self, client, listing)

    monkeypatch.setattr(Simulation, "_list", counted)
    Simulation(policy, RUSH, 2).run()
    assert max(most) == MAX_CONCURRENT_LISTINGS


def test_the_slowest_is_the_ninety_ninth_percentile_of_completed_listings() -> None:
    simulation = Simulation(BY_NAME["standard"], RUSH, 20)
    slowest = simulation.run().slowest
    times = [each.ended_at - each.wanted_at for each in simulation.listings if each.completed]
    assert len(times) < len(simulation.listings)
    assert slowest in times
    assert sum(each < slowest for each in times) < 0.99 * len(times) <= sum(each <= slowest for each in times)


# The differences between policies.


@pytest.mark.parametrize(("name", "attempts"), [("off", 1), ("AWS legacy", 5), ("AWS standard", 3), ("standard", 3)])
def test_if_everything_fails_each_listing_takes_the_policys_attempts(name: str, attempts: int) -> None:
    figures = Simulation(BY_NAME[name], HOPELESS, 100_000).run()
    assert (figures.completed, figures.sent, figures.wasted) == (0, *[figures.listings * attempts] * 2)
    assert math.isnan(figures.slowest)


def test_one_client_uses_up_its_retry_quota_except_with_aws_legacy() -> None:
    for name, attempts in (("standard", 3), ("AWS legacy", 5)):
        figures = Simulation(BY_NAME[name], HOPELESS, 1).run()
        assert (figures.sent == figures.listings * attempts) is (name == "AWS legacy")


def test_aws_legacy_backs_off_for_up_to_eight_seconds_and_standard_for_a_fraction_of_one() -> None:
    one = Scenario("", "", loads=((1.0, 0.3),), errors=((1_000, 1.0),))
    times = {}
    for name in ("AWS legacy", "AWS standard"):
        simulation = Simulation(BY_NAME[name], one, 100_000)
        simulation.run()
        times[name] = [each.ended_at - each.wanted_at for each in simulation.listings]
    assert fmean(times["AWS legacy"]) == pytest.approx(0.5 * 15 + 5 * 0.1, rel=0.3)
    assert fmean(times["AWS standard"]) == pytest.approx(0.5 * 0.15 + 3 * 0.1, rel=0.3)


def test_only_this_librarys_policy_reads_retry_after() -> None:
    # Nothing is admitted: there is one backoff of up to 1 s and one of up to 2 s, or each takes at least 1 s.
    for name, least in (("AWS standard", 0.0), ("standard", 2.0)):
        simulation = Simulation(BY_NAME[name], CALM, 100_000, burst=0.0)
        simulation.run()
        times = [each.ended_at - each.wanted_at for each in simulation.listings]
        assert (min(times) >= 2.0) is (least == 2.0)


def test_a_deadline_ends_calls_that_hang() -> None:
    black = Scenario("", "", loads=((3, 0.6),), black_out=(0.0, 1_000.0))
    ended = {}
    for policy in POLICIES:
        simulation = Simulation(policy, black, 100_000)
        simulation.run()
        ended[policy.name] = max(each.ended_at - each.wanted_at for each in simulation.listings)
    assert ended["AWS standard"] > 60.0
    assert ended["standard"] <= 15.0 + 1.0  # three attempts of five seconds


def test_adaptive_clients_waste_fewer_requests_under_overload() -> None:
    standard, adaptive = (Simulation(BY_NAME[name], RUSH, 4).run() for name in ("standard", "adaptive"))
    assert adaptive.wasted < 0.5 * standard.wasted
    assert adaptive.completed > standard.completed


# Recovery.


def test_a_fleet_has_recovered_when_its_listings_are_fast_again() -> None:
    made = [Listing(0, 1, float(second), second + (0.5 if second >= 17 else 9.0), True) for second in range(40)]
    assert recovery(made, 10.0) == 7.0
    made[30].completed = False  # all five in the window must be completed
    assert recovery(made, 26.0) == 5.0


def test_without_recovery_there_is_no_time_of_recovery() -> None:
    made = [Listing(0, 1, float(second), second + 9.0, True) for second in range(40)]
    assert recovery(made, 0.0) is None
    assert recovery(made, 10.0) is None


# Output.


def test_the_tables_and_the_chart_are_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fleet, "__file__", str(tmp_path / "fleet.py"))
    monkeypatch.setattr(fleet, "SIZES", (2, 20))
    monkeypatch.setattr(fleet, "SCENARIOS", (BRIEF, BLACK_OUT))
    fleet.main()
    written = (tmp_path / "FLEET.md").read_text()
    shown = capsys.readouterr().out
    assert "## Brief" in shown
    assert all(line in written for line in shown.splitlines())
    assert written.count("| standard, patient ") == 3 + 4 + 1
    drawn = minidom.parse(str(tmp_path / "fleet.svg"))
    assert sum("stroke" in dict(path.attributes.items()) for path in drawn.getElementsByTagName("path")) == 7 * 4 + 7


def test_the_figures_in_the_guide_are_in_the_tables() -> None:
    root = Path(fleet.__file__).parents[1]
    _, crowds = (root / "docs" / "retries.md").read_text().split("\n## Crowds\n")
    figures = re.findall(r"\d+\.\d (?:%|s\b)", crowds)
    assert len(figures) == 14
    assert set(figures) <= set(re.findall(r"\d+\.\d (?:%|s\b)", (root / "bench" / "FLEET.md").read_text()))
