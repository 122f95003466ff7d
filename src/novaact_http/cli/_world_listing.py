"""Lists definitions with their runs, sessions and acts, many at once, in the order of a tree and in little memory.

Each level is listed from the newest to the oldest. What cannot be listed is a failure in its place, and stops no more.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from novaact_http import models
from novaact_http.cli._background import in_order

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from novaact_http import AsyncClient

DEFINITIONS, RUNS, SESSIONS, ACTS = range(4)
_NEWEST_FIRST: dict[str, Any] = {"sort_order": "Descending", "page_size": 100}


class Failure(NamedTuple):
    """Stands in the place of what could not be listed.

    Attributes:
        about: the name of what could not be listed, or `""` for all that would have followed here.
        error: why.
    """

    about: str
    error: Exception


class Node(NamedTuple):
    """A place in the tree.

    Attributes:
        level: `DEFINITIONS`, `RUNS`, `SESSIONS` or `ACTS`.
        value: the service's summary of it, or a `Failure`.
        is_last: whether it is the last one of its parent.
    """

    level: int
    value: Any
    is_last: bool


class Wanted(NamedTuple):
    """What to list.

    Attributes:
        depth: the last level to list.
        names: the names of definitions; all definitions if there are none.
        statuses: the statuses that a run may have; any if there are none.
        since: when a run must have started at the earliest, or None.
    """

    depth: int
    names: tuple[str, ...] = ()
    statuses: Collection[str] = ()
    since: dt.datetime | None = None

    @property
    def selects_runs(self) -> bool:
        """Whether only some runs are wanted, so that definitions without any of them are not."""
        return bool(self.statuses) or self.since is not None

    def has(self, run: models.WorkflowRunSummary) -> bool:
        """Tell whether a run is wanted."""
        is_recent = self.since is None or run.started_at >= self.since
        return is_recent and (not self.statuses or str(run.status) in self.statuses)


class WorldListing:
    """A listing.

    Args:
        client: makes the calls.
        wanted: what to list.
        concurrency: how many calls are made at once.
        told: called after each page, with its level and the number of its items.
    """

    def __init__(
        self, client: AsyncClient, wanted: Wanted, concurrency: int, told: Callable[[int, int], object]
    ) -> None:
        self._client = client
        self._wanted = wanted
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._told = told

    def nodes(self) -> AsyncIterator[list[Node]]:
        """Yield the nodes, a page or so at once."""
        pages = self._definitions()
        return self._level(DEFINITIONS, pages, self._definition)

    def _level(
        self,
        level: int,
        pages: AsyncIterator[Sequence[Any]],
        with_children: Callable[[Node], AsyncIterator[list[Node]]],
    ) -> AsyncIterator[list[Node]]:
        nodes = _nodes(level, pages)
        if level == self._wanted.depth:
            return nodes
        return in_order(self._subtrees(nodes, with_children), self._concurrency)

    async def _subtrees(
        self, nodes: AsyncIterator[list[Node]], with_children: Callable[[Node], AsyncIterator[list[Node]]]
    ) -> AsyncIterator[AsyncIterator[list[Node]]]:
        async for page in nodes:
            for node in page:
                yield _alone(node) if isinstance(node.value, Failure) else with_children(node)

    async def _definition(self, node: Node) -> AsyncIterator[list[Node]]:
        own = [node]
        if not self._wanted.selects_runs:
            yield own
            own = []
        name = node.value.workflow_definition_name
        async for nodes in self._level(RUNS, self._runs(name), partial(self._run, name)):
            yield own + nodes
            own = []

    async def _run(self, name: str, node: Node) -> AsyncIterator[list[Node]]:
        yield [node]
        of_run: dict[str, Any] = {"workflow_definition_name": name, "workflow_run_id": node.value.workflow_run_id}
        acts: dict[str, list[Any]] = {}
        failure = await self._collect_acts(of_run, acts) if self._wanted.depth == ACTS else None
        async for sessions in _nodes(SESSIONS, self._sessions(of_run, failure)):
            page = []
            for session in sessions:
                page.append(session)
                of_session = [] if isinstance(session.value, Failure) else acts.get(session.value.session_id, [])
                page += [Node(ACTS, act, act is of_session[-1]) for act in of_session]
            yield page

    async def _collect_acts(self, of_run: dict[str, Any], acts: dict[str, list[Any]]) -> Exception | None:
        """Collect the acts of a run by their sessions, with calls for the run, not for each session.

        Returns:
            what failed, or None.
        """
        try:
            async for page in self._pages(ACTS, self._client.iter_acts(**of_run, **_NEWEST_FIRST), "act_summaries"):
                for act in page:
                    acts.setdefault(act.session_id, []).append(act)
        except Exception as error:  # noqa: BLE001 - shown in its place
            return error
        return None

    async def _definitions(self) -> AsyncIterator[Sequence[Any]]:
        if self._wanted.names:
            yield await asyncio.gather(*[self._named(name) for name in self._wanted.names])
            return
        pager = self._client.iter_workflow_definitions(**_NEWEST_FIRST)
        async for page in self._pages(DEFINITIONS, pager, "workflow_definition_summaries"):
            yield page

    async def _named(self, name: str) -> models.WorkflowDefinitionSummary | Failure:
        try:
            async with self._slots:
                found = await self._client.get_workflow_definition(workflow_definition_name=name)
        except Exception as error:  # noqa: BLE001 - shown in its place
            return Failure(name, error)
        self._told(DEFINITIONS, 1)
        return models.WorkflowDefinitionSummary(
            workflow_definition_arn=found.arn,
            workflow_definition_name=found.name,
            created_at=found.created_at,
            status=found.status,
        )

    async def _runs(self, name: str) -> AsyncIterator[Sequence[Any]]:
        since = self._wanted.since
        pager = self._client.iter_workflow_runs(workflow_definition_name=name, **_NEWEST_FIRST)
        async for page in self._pages(RUNS, pager, "workflow_run_summaries"):
            yield [run for run in page if self._wanted.has(run)]
            if since is not None and page and page[-1].started_at < since:
                return

    async def _sessions(self, of_run: dict[str, Any], failure: Exception | None) -> AsyncIterator[Sequence[Any]]:
        pager = self._client.iter_sessions(**of_run, **_NEWEST_FIRST)
        async for page in self._pages(SESSIONS, pager, "session_summaries"):
            yield page
        if failure is not None:
            raise failure

    async def _pages(self, level: int, pager: Any, items: str) -> AsyncIterator[Sequence[Any]]:
        async for page in pages_of(pager, items, self._slots):
            self._told(level, len(page))
            yield page


async def pages_of(pager: Any, items: str, slots: asyncio.Semaphore) -> AsyncIterator[Sequence[Any]]:
    """Yield the items of a pager, page by page.

    Args:
        pager: the pager.
        items: the attribute of a page that has its items.
        slots: how many calls may be made at once.
    """
    pages = pager.pages()
    while True:
        async with slots:
            page = await anext(pages, None)
        if page is None:
            return
        yield getattr(page, items)


async def _alone(node: Node) -> AsyncIterator[list[Node]]:
    yield [node]


async def _nodes(level: int, pages: AsyncIterator[Sequence[Any]]) -> AsyncIterator[list[Node]]:
    """Yield pages as nodes. A page is held back until it is known whether another one follows."""
    held: Sequence[Any] = ()
    try:
        async for page in pages:
            if page and held:
                yield [Node(level, each, is_last=False) for each in held]
            held = page or held
    except Exception as error:  # noqa: BLE001 - shown in its place
        if held:
            yield [Node(level, each, is_last=False) for each in held]
        held = [Failure("", error)]
    if held:
        yield [Node(level, each, is_last=each is held[-1]) for each in held]
