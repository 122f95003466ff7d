"""Lists the sessions of many workflow runs on asyncio: so many at a time, results in order, failures by themselves."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from novaact_http import AsyncClient
from novaact_http.errors import NovaActError

if TYPE_CHECKING:
    from collections.abc import Iterable


async def list_runs(
    client: AsyncClient, name: str, run_ids: Iterable[str], *, limit: int
) -> list[list[str] | NovaActError]:
    """The session ids of each run, in the order of the runs; of a run that failed, its error."""
    slots = asyncio.Semaphore(limit)

    async def list_run(run_id: str) -> list[str] | NovaActError:
        async with slots:
            try:
                pager = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id)
                return [session.session_id async for session in pager]
            except NovaActError as error:
                return error

    return await asyncio.gather(*map(list_run, run_ids))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("workflow_run_id", nargs="+")
    parser.add_argument("--limit", type=int, default=20, help="how many runs are listed at a time (%(default)s)")
    given = parser.parse_args()
    async with AsyncClient() as client:
        results = await list_runs(client, given.workflow_definition_name, given.workflow_run_id, limit=given.limit)
    for run_id, result in zip(given.workflow_run_id, results, strict=True):
        print(run_id, result if isinstance(result, NovaActError) else f"{len(result)} sessions", sep="\t")


if __name__ == "__main__":
    asyncio.run(main())
