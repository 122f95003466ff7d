"""Lists the sessions of many workflow runs on asyncio: a limited number at a time, with the results in order."""

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
    """Return the session ids of each run, or the error of a run that failed, in the order of the runs."""
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
    parser.add_argument("--limit", type=int, default=20, help="runs that are listed at a time (default: %(default)s)")
    options = parser.parse_args()
    async with AsyncClient() as client:
        results = await list_runs(
            client, options.workflow_definition_name, options.workflow_run_id, limit=options.limit
        )
    for run_id, result in zip(options.workflow_run_id, results, strict=True):
        print(run_id, result if isinstance(result, NovaActError) else f"{len(result)} sessions", sep="\t")


if __name__ == "__main__":
    asyncio.run(main())
