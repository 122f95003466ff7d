"""Makes sure that a workflow definition exists, starts many runs of it, and waits for all of them on one event loop.

    python examples/start_runs.py checkout-flow --runs 200

Each run is printed when it is created, and again when it has ended: something else has to do its work. One that fails
stops no other. Nobody waits for an answer here, so the client slows down when it is throttled, and retries for long.
"""

from __future__ import annotations

import argparse
import asyncio

from novaact_http import AsyncClient, NovaActError, Poll, RetryPolicy, Timeout
from novaact_http.models import ClientInfo

POLL = Poll(initial=10, maximum=60)  # runs take minutes, and hundreds of them are asked for


def patient_client() -> AsyncClient:
    """Return a client for work without a waiting user."""
    return AsyncClient(retries=RetryPolicy(mode="adaptive", max_attempts=8), timeout=Timeout(total=120))


async def run_once(client: AsyncClient, name: str) -> tuple[str | None, str | NovaActError]:
    """Create a run, and wait for it. Return its id, if it was created, and its last status or what went wrong."""
    run_id = None
    try:
        created = await client.create_workflow_run(
            workflow_definition_name=name,
            model_id="nova-act-latest",
            client_info=ClientInfo(compatibility_version=1),
        )
        run_id = created.workflow_run_id
        print(run_id, created.status, sep="\t", flush=True)
        run = await client.wait_for_workflow_run(workflow_definition_name=name, workflow_run_id=run_id, poll=POLL)
    except NovaActError as error:
        return run_id, error
    return run_id, run.status


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("--runs", type=int, default=10, help="how many to start (default: %(default)s)")
    options = parser.parse_args()
    name = options.workflow_definition_name
    async with patient_client() as client:
        # Many programs may do this at the same time: one creates the definition, and all get it.
        await client.ensure_workflow_definition(name=name)
        for ended in asyncio.as_completed([run_once(client, name) for _ in range(options.runs)]):
            run_id, end = await ended
            print(run_id or "not created", end, sep="\t", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
