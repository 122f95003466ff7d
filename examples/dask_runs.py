"""Lists the sessions of thousands of workflow runs on Dask, with one client in each worker process.

    python examples/dask_runs.py checkout-flow run-ids.txt --limit 32

The file has a run id a line. Without --scheduler, the workers are processes of this machine. Elsewhere, they need
novaact_http installed, and credentials of their own: a client travels as its settings alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dask import distributed

import novaact_http
from novaact_http import RetryPolicy, Timeout
from novaact_http.errors import NovaActError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Result: TypeAlias = list[str] | NovaActError

BATCH = 20  # runs a task, as a task costs Dask more than a call costs here


def patient_client() -> novaact_http.Client:
    """A client that slows down when it is throttled, and tries for longer than others do, as nobody waits for this."""
    return novaact_http.Client(retries=RetryPolicy(mode="adaptive", max_attempts=8), timeout=Timeout(total=120))


def list_batch(
    run_ids: Sequence[str], *, name: str, client: novaact_http.Client, slots: distributed.Semaphore
) -> list[Result]:
    """For each run its session ids; or its error, as a value, so that Dask goes on with the others."""
    results: list[Result] = []
    with slots:  # also while a throttled call waits, so that the whole cluster slows down
        for run_id in run_ids:
            try:
                pager = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id)
                results.append([session.session_id for session in pager])
            except NovaActError as error:
                results.append(error)
    return results


def list_runs(
    dask: distributed.Client, client: novaact_http.Client, name: str, run_ids: Sequence[str], *, limit: int
) -> list[Result]:
    """The same for all runs, in their order, with so many under way at a time on the whole cluster."""
    futures = dask.map(
        list_batch,
        [run_ids[start : start + BATCH] for start in range(0, len(run_ids), BATCH)],
        name=name,
        # Sent to each worker once, not with each task: a worker's tasks share its connections, its quota and its rate.
        client=dask.scatter(client, broadcast=True, hash=False),
        slots=distributed.Semaphore(max_leases=limit),
        pure=False,  # the next time, there may be more sessions
    )
    show_progress(futures)
    return [result for batch in dask.gather(futures) for result in batch]


def show_progress(futures: Sequence[distributed.Future]) -> None:
    """A bar on a terminal, else a line every tenth of the way."""
    if sys.stdout.isatty():
        distributed.progress(futures)
        print()
        return
    for done, _ in enumerate(distributed.as_completed(futures), start=1):
        if done * 10 // len(futures) != (done - 1) * 10 // len(futures):
            print(f"{done} of {len(futures)} batches", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("file", type=Path, help="with the ids of the runs")
    parser.add_argument("--limit", type=int, default=16, help="how many runs are listed at a time (%(default)s)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://10.0.0.1:8786")
    parser.add_argument(
        "--workers", type=int, default=2, help="processes of eight threads, where there is no cluster (%(default)s)"
    )
    given = parser.parse_args()
    run_ids = given.file.read_text().split()
    # With no address for its dashboard, Dask would take port 8787, and complain where that is taken.
    here = {"n_workers": given.workers, "threads_per_worker": 8, "dashboard_address": "127.0.0.1:0"}
    with distributed.Client(given.scheduler) if given.scheduler else distributed.Client(**here) as dask:
        results = list_runs(dask, patient_client(), given.workflow_definition_name, run_ids, limit=given.limit)
    for run_id, result in zip(run_ids, results, strict=True):
        print(run_id, result if isinstance(result, NovaActError) else f"{len(result)} sessions", sep="\t")


if __name__ == "__main__":
    main()
