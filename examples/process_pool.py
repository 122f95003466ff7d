"""Lists the sessions of many workflow runs in worker processes, for when something heavy is then done with them.

The client travels to each process once, as its settings: region, endpoint, retries, timeouts. Credentials do not
travel: each process looks for them itself, here in the environment that it inherits.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from novaact_http import Client, RetryPolicy
from novaact_http.errors import NovaActError

client: Client  # of this worker process


def start_worker(made_by_the_parent: Client) -> None:
    global client  # noqa: PLW0603 - the one way from a pool's initializer to its tasks
    client = made_by_the_parent


def list_run(name: str, run_id: str) -> list[str]:
    pager = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id)
    return [session.session_id for session in pager]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("workflow_run_id", nargs="+")
    parser.add_argument("--processes", type=int, default=2, help="(%(default)s)")
    given = parser.parse_args()
    with (
        Client(retries=RetryPolicy(max_attempts=5)) as made_here,
        ProcessPoolExecutor(
            given.processes,
            # Spawned processes start afresh on every platform, whatever threads the parent runs.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(made_here,),
        ) as pool,
    ):
        futures = [pool.submit(list_run, given.workflow_definition_name, run_id) for run_id in given.workflow_run_id]
        for run_id, future in zip(given.workflow_run_id, futures, strict=True):
            try:
                print(run_id, f"{len(future.result())} sessions", sep="\t")
            except NovaActError as error:  # errors pickle, too
                print(run_id, error, sep="\t")


if __name__ == "__main__":
    main()
