"""What `watch` asks for, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import AsyncClient, Client, RetryPolicy
from novaact_http.cli._watched_runs import CallCount, Refresh, WatchedRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http.testing import LocalService

Change = tuple[str, "str | None", "str | None"]


class Watcher:
    """Refreshes in an event loop of its own.

    Attributes:
        pages: how many pages of runs the last refresh asked for.
    """

    def __init__(self, world: LocalService, options: dict[str, Any]) -> None:
        self._world = world
        self._loop = asyncio.new_event_loop()
        count = CallCount()
        self._client = AsyncClient(on_attempt=count.add, retries=RetryPolicy(max_attempts=2))
        since = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=7)
        self._watched = WatchedRuns(
            self._client, count, **{"names": (), "since": since, "judges_all": False, "concurrency": 3, **options}
        )
        self.pages = 0

    def refresh(self) -> Refresh:
        before = len(self._world.calls)
        refresh = self._loop.run_until_complete(self._watched.refresh())
        made = [each.operation for each in self._world.calls[before:]]
        self.pages = made.count("ListWorkflowRuns")
        return refresh

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


@pytest.fixture
def watching(bare_world: LocalService) -> Iterator[Callable[..., Watcher]]:
    """Makes a watcher, with other options than usual."""
    watchers: list[Watcher] = []

    def watch(**options: Any) -> Watcher:
        watchers.append(Watcher(bare_world, options))
        return watchers[-1]

    yield watch
    for each in watchers:
        each.close()


def changes(refresh: Refresh) -> list[Change]:
    return [(each.run.run_id, each.before, each.after) for each in refresh.changes]


def test_the_first_refresh_tells_what_is_there(
    bare_world: LocalService, watching: Callable[..., Watcher], now: float
) -> None:
    old = bare_world.add_run("flow", status="FAILED", started_at=now - 500, ended_at=now - 400)
    ended = bare_world.add_run("other", status="SUCCEEDED", started_at=now - 450, ended_at=now - 50)
    running = [bare_world.add_run(name, started_at=now - age) for name, age in (("flow", 300), ("other", 200))]
    refresh = watching().refresh()
    assert refresh.is_first
    assert [run.run_id for run in refresh.open] == [each.workflow_run_id for each in reversed(running)]
    assert [run.run_id for run in refresh.ended] == [ended.workflow_run_id, old.workflow_run_id]
    assert refresh.counts == {"RUNNING": 2, "FAILED": 1, "SUCCEEDED": 1}
    assert sorted(changes(refresh)) == sorted([(each.workflow_run_id, None, "RUNNING") for each in running])
    assert (refresh.failures, refresh.has_failed, refresh.is_done) == ([], False, False)
    assert (refresh.calls, refresh.throttled) == (3, 0)


def test_new_runs_ends_and_deletions_are_changes(bare_world: LocalService, watching: Callable[..., Watcher]) -> None:
    ends, vanishes, stays = [bare_world.add_run("flow") for _ in range(3)]
    watcher = watching()
    watcher.refresh()
    assert changes(watcher.refresh()) == []
    new = bare_world.add_run("flow")
    bare_world.end_run(ends, "TIMED_OUT")
    with Client() as client:
        client.delete_workflow_run(workflow_definition_name="flow", workflow_run_id=vanishes.workflow_run_id)
    bare_world.advance(2)
    refresh = watcher.refresh()
    assert not refresh.is_first
    assert sorted(changes(refresh), key=str) == sorted(
        [
            (ends.workflow_run_id, "RUNNING", "TIMED_OUT"),
            (new.workflow_run_id, None, "RUNNING"),
            (vanishes.workflow_run_id, "RUNNING", None),
        ],
        key=str,
    )
    assert {run.run_id for run in refresh.open} == {new.workflow_run_id, stays.workflow_run_id}
    assert refresh.has_failed


def test_a_definition_where_nothing_runs_costs_one_small_call(
    bare_world: LocalService, watching: Callable[..., Watcher], now: float
) -> None:
    for number in range(500):
        bare_world.add_run("flow", status="SUCCEEDED", started_at=now - 5_000 + number)
    watcher = watching()
    assert (watcher.refresh().calls, watcher.pages) == (1 + 6, 6)  # the first page is small
    assert (watcher.refresh().calls, watcher.pages) == (2, 1)
    assert bare_world.calls[-1].arguments["max_results"] == "10"


def test_pages_are_listed_no_further_than_the_oldest_run_that_still_ran(
    bare_world: LocalService, watching: Callable[..., Watcher], now: float
) -> None:
    runs = [
        bare_world.add_run("flow", started_at=now - 5_000 + number, status="RUNNING" if number == 250 else "FAILED")
        for number in range(500)
    ]
    watcher = watching()
    watcher.refresh()
    watcher.refresh()
    assert watcher.pages == 3  # 250 runs are as new as the one that runs
    bare_world.end_run(runs[250])
    assert changes(watcher.refresh()) == [(runs[250].workflow_run_id, "RUNNING", "SUCCEEDED")]
    watcher.refresh()
    assert watcher.pages == 1


def test_many_new_runs_are_all_found(bare_world: LocalService, watching: Callable[..., Watcher], now: float) -> None:
    bare_world.add_run("flow", started_at=now - 3_000)
    watcher = watching()
    watcher.refresh()
    for number in range(240):
        bare_world.add_run("flow", started_at=now - 2_000 + number)
    assert len(changes(watcher.refresh())) == 240
    assert watcher.pages == 4


def test_runs_that_are_too_old_are_not_looked_at(
    bare_world: LocalService, watching: Callable[..., Watcher], now: float
) -> None:
    for number in range(300):
        bare_world.add_run("flow", status="FAILED", started_at=now - 3_600 * (300 - number))
    watcher = watching(since=dt.datetime.fromtimestamp(now - 36_100, dt.timezone.utc))
    assert watcher.refresh().counts == {"FAILED": 10}
    assert watcher.pages == 2
    assert watcher.refresh().counts == {"FAILED": 10}
    assert watcher.pages == 1


def test_definitions_come_and_go(bare_world: LocalService, watching: Callable[..., Watcher]) -> None:
    for number in range(150):
        bare_world.add_definition(f"empty-{number}")
    gone = bare_world.add_run("gone")
    watcher = watching()
    assert watcher.refresh().calls == 2 + 151
    assert watcher.refresh().calls == 1 + 151
    new = bare_world.add_run("new", status="SUCCEEDED")
    assert changes(watcher.refresh()) == [(new.workflow_run_id, None, "SUCCEEDED")]
    with Client() as client:
        client.delete_workflow_definition(workflow_definition_name="gone")
    bare_world.advance(2)
    refresh = watcher.refresh()
    assert changes(refresh) == [(gone.workflow_run_id, "RUNNING", None)]
    assert refresh.failures == []
    assert watcher.refresh().calls == 1 + 151


def test_named_definitions_are_not_searched_for(bare_world: LocalService, watching: Callable[..., Watcher]) -> None:
    bare_world.add_run("flow")
    bare_world.add_run("other")
    refresh = watching(names=("flow", "nope")).refresh()
    assert (refresh.counts, refresh.calls) == ({"RUNNING": 1}, 2)
    assert [each.about for each in refresh.failures] == ["nope"]
    assert not refresh.is_hopeless


def test_a_failure_leaves_what_is_known_and_is_asked_for_again(
    bare_world: LocalService, watching: Callable[..., Watcher]
) -> None:
    run = bare_world.add_run("flow")
    other = bare_world.add_run("other")
    watcher = watching()
    watcher.refresh()
    bare_world.end_run(run)
    bare_world.end_run(other)
    bare_world.inject("InternalServerException next 4", operation="ListWorkflowRuns")
    refresh = watcher.refresh()
    assert {each.about for each in refresh.failures} == {"flow", "other"}
    assert (changes(refresh), len(refresh.open), refresh.is_done) == ([], 2, False)
    assert len(changes(watcher.refresh())) == 2


def test_a_listing_of_definitions_that_fails_is_begun_again(
    bare_world: LocalService, watching: Callable[..., Watcher]
) -> None:
    for number in range(150):
        bare_world.add_run(f"flow-{number}")
    watcher = watching()
    bare_world.inject("AccessDeniedException", operation="ListWorkflowDefinitions", every=2, times=1)
    refresh = watcher.refresh()
    assert ([each.about for each in refresh.failures], refresh.counts, refresh.is_hopeless) == ([""], {}, True)
    assert watcher.refresh().counts == {"RUNNING": 150}


def test_what_could_not_be_asked_for_first_is_no_news_later(
    bare_world: LocalService, watching: Callable[..., Watcher]
) -> None:
    run = bare_world.add_run("flow")
    bare_world.add_run("flow", status="FAILED")
    bare_world.inject("AccessDeniedException next 1", operation="ListWorkflowRuns")
    watcher = watching()
    assert watcher.refresh().counts == {}
    refresh = watcher.refresh()
    assert changes(refresh) == [(run.workflow_run_id, None, "RUNNING")]
    assert not refresh.has_failed


@pytest.mark.parametrize("judges_all", [False, True])
def test_runs_that_had_ended_before_are_judged_only_if_asked_for(
    judges_all: bool, bare_world: LocalService, watching: Callable[..., Watcher]
) -> None:
    bare_world.add_run("flow", status="FAILED")
    refresh = watching(judges_all=judges_all).refresh()
    assert (refresh.has_failed, refresh.is_done) == (judges_all, True)


def test_a_run_that_is_being_deleted_is_not_waited_for(
    bare_world: LocalService, watching: Callable[..., Watcher]
) -> None:
    bare_world.add_run("flow", status="DELETING")
    refresh = watching().refresh()
    assert (len(refresh.open), refresh.is_done, refresh.has_failed) == (1, True, False)


def test_throttled_attempts_are_counted_besides_the_calls(
    bare_world: LocalService, watching: Callable[..., Watcher]
) -> None:
    bare_world.add_run("flow")
    watcher = watching()
    bare_world.inject("ThrottlingException next 1", operation="ListWorkflowRuns")
    refresh = watcher.refresh()
    assert (refresh.calls, refresh.throttled, refresh.failures) == (2, 1, [])


def test_an_empty_page_is_not_the_end(bare_world: LocalService, watching: Callable[..., Watcher]) -> None:
    bare_world.add_run("flow")
    watcher = watching(names=("flow",))
    bare_world.answer_next(200, b'{"workflowRunSummaries": [], "nextToken": "a"}')
    bare_world.answer_next(200, b'{"workflowRunSummaries": []}')
    assert watcher.refresh().counts == {}
