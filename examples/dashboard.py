"""Shows what runs now: every workflow definition, its running runs, and how their acts are doing.

    python examples/dashboard.py --limit 20

All is asked for concurrently on asyncio, with a limited number of calls at a time, and shown in order. What cannot be
listed is shown as an error in its place, and stops nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from novaact_http import AsyncClient, NovaActError, Timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from novaact_http.models import ActSummary, WorkflowDefinitionSummary, WorkflowRunSummary

T = TypeVar("T")

LONGEST_RUN = dt.timedelta(days=7)  # then the service ends it
PATIENCE = 30.0  # seconds for each listing, with all its pages


class Dashboard:
    """What runs, as lines of text.

    Args:
        client: asks the service.
        limit: how many calls are made at a time.
    """

    def __init__(self, client: AsyncClient, limit: int) -> None:
        self._client = client
        self._slots = asyncio.Semaphore(limit)

    async def lines(self) -> list[str]:
        """Return all lines. Raises what the listing of the definitions raises, as there is nothing to show without."""
        definitions = [each async for each in self._client.iter_workflow_definitions(total=PATIENCE)]
        parts = await asyncio.gather(*map(self._of_definition, definitions))
        return [line for part in parts for line in part]

    async def _of_definition(self, definition: WorkflowDefinitionSummary) -> list[str]:
        name = definition.workflow_definition_name
        runs = await self._result(self._running(name))
        if isinstance(runs, NovaActError):
            return [f"{name}: {runs}"]
        lines = await asyncio.gather(*[self._of_run(name, run.workflow_run_id) for run in runs])
        return [f"{name}: {len(runs)} running", *lines]

    async def _of_run(self, name: str, run_id: str) -> str:
        acts = await self._result(self._acts(name, run_id))
        if isinstance(acts, NovaActError):
            return f"  {run_id}: {acts}"
        counts = Counter(str(act.status) for act in acts)
        return f"  {run_id}: {', '.join(f'{count} {status}' for status, count in counts.items()) or 'no acts'}"

    async def _running(self, name: str) -> list[WorkflowRunSummary]:
        """List the running runs, from the newest. The listing ends where no older run can be running."""
        oldest = dt.datetime.now(dt.timezone.utc) - LONGEST_RUN
        found: list[WorkflowRunSummary] = []
        pages = self._client.iter_workflow_runs(
            workflow_definition_name=name, sort_order="Descending", total=PATIENCE
        ).pages()
        async for page in pages:
            runs = page.workflow_run_summaries
            found += [run for run in runs if run.status == "RUNNING"]
            if runs and runs[-1].started_at < oldest:
                break
        return found

    async def _acts(self, name: str, run_id: str) -> list[ActSummary]:
        pager = self._client.iter_acts(workflow_definition_name=name, workflow_run_id=run_id, total=PATIENCE)
        return [act async for act in pager]

    async def _result(self, listing: Awaitable[T]) -> T | NovaActError:
        """Await a listing when it is its turn, and return what it returns or raises."""
        async with self._slots:
            try:
                return await listing
            except NovaActError as error:
                return error


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=10, help="calls at a time (default: %(default)s)")
    options = parser.parse_args()
    # A user waits, so that a call fails early instead of queueing.
    async with AsyncClient(timeout=Timeout(read=5, total=PATIENCE)) as client:
        print(*await Dashboard(client, options.limit).lines(), sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
