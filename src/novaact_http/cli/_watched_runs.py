"""What `novaact-http watch` knows of runs, and how it asks for what can have changed since it asked last.

Runs are listed from the newest on. So new runs come first, and behind the oldest run that still ran nothing can have
changed: no further than that is asked. A definition where nothing runs costs one small call.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from novaact_http import _operations as operations
from novaact_http._call.retries import is_retryable, is_throttling
from novaact_http.cli._statuses import status_of
from novaact_http.cli._world_listing import Failure, pages_of
from novaact_http.errors import ResourceNotFoundException, ResponseError, ServiceError, TransportError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Sequence

    from novaact_http import AsyncClient, models
    from novaact_http.attempts import Attempt

_SMALLEST_PAGE, _LARGEST_PAGE = 10, 100
_MOST_ENDED = 200  # more than a terminal has lines
_NOT_RUNNING = "DELETING"  # has not ended, but nobody waits for it


class Run(NamedTuple):
    """A run.

    Attributes:
        definition: the name of its workflow definition.
        run_id: its id.
        status: its status.
        started_at: when it started.
        ended_at: when it ended, or None.
    """

    definition: str
    run_id: str
    status: str
    started_at: dt.datetime
    ended_at: dt.datetime | None

    @property
    def can_change(self) -> bool:
        """Whether its status is not its last one."""
        return status_of(self.status).exit_code is None


class Change(NamedTuple):
    """A change of a run.

    Attributes:
        run: the run as it is now; or as it was, if it is there no more.
        before: its status before; None if it was not there or not known.
        after: its status now; None if it is there no more.
    """

    run: Run
    before: str | None
    after: str | None


class Refresh(NamedTuple):
    """What is known after asking.

    Attributes:
        is_first: whether it is the first, whose changes are only what is there.
        open: the runs that have not ended, from the newest to the oldest.
        ended: the runs that ended last, from the last one on.
        counts: the number of runs for each status.
        changes: what has changed since the refresh before.
        failures: what could not be asked for.
        is_hopeless: whether nothing could be asked for, and asking again would fail in the same way.
        is_done: whether nothing runs any more.
        has_failed: whether a run that ended has not succeeded: of those that ran since the first refresh, or of all.
        calls: the number of calls that it took.
        throttled: how many attempts of them were throttled.
        seconds: how long it took.
    """

    is_first: bool
    open: list[Run]
    ended: list[Run]
    counts: Counter[str]
    changes: list[Change]
    failures: list[Failure]
    is_hopeless: bool
    is_done: bool
    has_failed: bool
    calls: int
    throttled: int
    seconds: float


class CallCount:
    """Counts calls, and attempts of them that were throttled."""

    def __init__(self) -> None:
        self.calls = 0
        self.throttled = 0

    def add(self, attempt: Attempt) -> None:
        """Count an attempt."""
        if attempt.wait is None:
            self.calls += 1
        if isinstance(attempt.error, ServiceError) and is_throttling(operations.LIST_WORKFLOW_RUNS, attempt.error):
            self.throttled += 1


class WatchedRuns:
    """The runs of some definitions, or of all.

    Args:
        client: makes the calls.
        count: what the client counts its attempts with.
        names: the names of the definitions; all definitions if there are none.
        since: runs that started before are not looked at.
        judges_all: whether `Refresh.has_failed` is also about runs that had ended before the first refresh.
        concurrency: how many calls are made at once.
    """

    def __init__(
        self,
        client: AsyncClient,
        count: CallCount,
        *,
        names: Sequence[str],
        since: dt.datetime,
        judges_all: bool,
        concurrency: int,
    ) -> None:
        self._client = client
        self._count = count
        self._finds_definitions = not names
        self._since = since
        self._judges_all = judges_all
        self._slots = asyncio.Semaphore(concurrency)
        self._runs: dict[str, dict[str, Run]] = {name: {} for name in names}
        self._unlisted = set(names)  # definitions whose runs are not known yet, and so are no news
        self._is_first = True
        self._has_failed = False

    async def refresh(self) -> Refresh:
        """Ask for what can have changed."""
        began, calls, throttled = time.monotonic(), self._count.calls, self._count.throttled
        changes: list[Change] = []
        failures = await self._find_definitions() if self._finds_definitions else []
        results = await asyncio.gather(*[self._refresh_definition(name) for name in list(self._runs)])
        for result in results:
            if isinstance(result, Failure):
                failures.append(result)
            else:
                changes += result
        runs = [run for of_definition in self._runs.values() for run in of_definition.values()]
        open_runs = sorted([run for run in runs if run.can_change], key=_started, reverse=True)
        is_first, self._is_first = self._is_first, False
        return Refresh(
            is_first=is_first,
            open=open_runs,
            ended=heapq.nlargest(_MOST_ENDED, [run for run in runs if not run.can_change], key=_ended),
            counts=Counter([run.status for run in runs]),
            changes=changes,
            failures=failures,
            is_hopeless=bool(failures) and len(failures) >= len(results) and not any(map(_may_pass, failures)),
            is_done=all(run.status == _NOT_RUNNING for run in open_runs) and not any(map(_may_pass, failures)),
            has_failed=self._has_failed,
            calls=self._count.calls - calls,
            throttled=self._count.throttled - throttled,
            seconds=time.monotonic() - began,
        )

    async def _find_definitions(self) -> list[Failure]:
        """Add the definitions that are new: listed from the newest, those before a known one."""
        found: list[str] = []
        pager = self._client.iter_workflow_definitions(sort_order="Descending", page_size=_LARGEST_PAGE)
        try:
            async for page in pages_of(pager, "workflow_definition_summaries", self._slots):
                new = [
                    each.workflow_definition_name for each in page if each.workflow_definition_name not in self._runs
                ]
                found += new
                if len(new) < len(page):
                    break
        except Exception as error:  # noqa: BLE001 - shown, and asked for again
            return [Failure("", error)]
        self._runs.update({name: {} for name in found})
        if self._is_first:
            self._unlisted.update(found)
        return []

    async def _refresh_definition(self, name: str) -> list[Change] | Failure:
        known = self._runs[name]
        try:
            listed = await self._list(name, known)
        except ResourceNotFoundException as error:
            if not self._finds_definitions:
                return Failure(name, error)
            del self._runs[name]
            return [Change(run, run.status, None) for run in known.values() if run.can_change]
        except Exception as error:  # noqa: BLE001 - shown, and asked for again
            return Failure(name, error)
        changes = []
        for run_id, run in listed.items():
            before = known[run_id].status if run_id in known else None
            is_news = name not in self._unlisted
            if run.status != before:
                if is_news or run.can_change:
                    changes.append(Change(run, before, run.status))
                if is_news or self._judges_all:
                    self._has_failed |= bool(status_of(run.status).exit_code)
        self._unlisted.discard(name)
        for run in [run for run in known.values() if run.can_change and run.run_id not in listed]:
            changes.append(Change(run, run.status, None))
            del known[run.run_id]
        known.update(listed)
        return changes

    async def _list(self, name: str, known: dict[str, Run]) -> dict[str, Run]:
        """List the runs of a definition that are new or can have changed, and what is listed with them."""
        missing = {run.run_id for run in known.values() if run.can_change}
        oldest = min([known[run_id].started_at for run_id in missing], default=None)
        size = sum([oldest is not None and run.started_at >= oldest for run in known.values()]) + _SMALLEST_PAGE
        listed: dict[str, Run] = {}
        async for page in self._pages(name, min(size, _LARGEST_PAGE)):
            for each in page:
                if each.started_at >= self._since:
                    run = Run(name, each.workflow_run_id, str(each.status), each.started_at, each.ended_at)
                    listed[run.run_id] = run
                    missing.discard(run.run_id)
            if not page:
                continue
            last = page[-1]
            is_behind_running = not missing or (oldest is not None and last.started_at < oldest)
            if last.started_at < self._since or (
                is_behind_running and any(each.workflow_run_id in known for each in page)
            ):
                break
        return listed

    async def _pages(self, name: str, size: int) -> AsyncIterator[Sequence[models.WorkflowRunSummary]]:
        """Yield pages from the newest run on: the first, often the only one, of this size, and then large ones."""
        call: dict[str, Any] = {"workflow_definition_name": name, "sort_order": "Descending"}
        items = "workflow_run_summaries"
        first = self._client.iter_workflow_runs(**call, page_size=size, max_items=size)
        async for page in pages_of(first, items, self._slots):
            yield page
        if first.resume_token is not None:
            call["starting_token"] = first.resume_token
            rest = self._client.iter_workflow_runs(**call, page_size=_LARGEST_PAGE)
            async for page in pages_of(rest, items, self._slots):
                yield page


def _started(run: Run) -> dt.datetime:
    return run.started_at


def _ended(run: Run) -> dt.datetime:
    return run.ended_at or run.started_at


def _may_pass(failure: Failure) -> bool:
    """Tell whether asking again may not fail."""
    error = failure.error
    return isinstance(error, (TransportError, ServiceError, ResponseError)) and is_retryable(
        operations.LIST_WORKFLOW_RUNS, error
    )
