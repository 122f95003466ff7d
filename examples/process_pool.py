"""Lists the sessions of many workflow runs in worker processes, useful if heavy work follows for each run.

Each process receives the client once, as its settings: region, endpoint, retries, timeouts. Credentials are not sent:
each process looks for them itself, here in the environment that it inherits.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from novaact_http import Client, RetryPolicy
from novaact_http.errors import NovaActError

client: Client  # of this worker process


def start_worker(parent_client: Client) -> None:
    global client  # noqa: PLW0603 - the only way from a pool's initializer to its tasks
    client = parent_client


def list_run(name: str, run_id: str) -> list[str]:
    pager = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id)
    return [session.session_id for session in pager]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("workflow_run_id", nargs="+")
    parser.add_argument("--processes", type=int, default=2, help="worker processes (default: %(default)s)")
    options = parser.parse_args()
    with (
        Client(retries=RetryPolicy(max_attempts=5)) as parent_client,
        ProcessPoolExecutor(
            options.processes,
            # Spawned processes start fresh on every platform, even if the parent runs threads.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(parent_client,),
        ) as pool,
    ):
        futures = [
            pool.submit(list_run, options.workflow_definition_name, run_id) for run_id in options.workflow_run_id
        ]
        for run_id, future in zip(options.workflow_run_id, futures, strict=True):
            try:
                print(run_id, f"{len(future.result())} sessions", sep="\t")
            except NovaActError as error:  # errors can be pickled
                print(run_id, error, sep="\t")


if __name__ == "__main__":
    main()
