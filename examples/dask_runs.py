"""Lists the sessions of thousands of workflow runs on Dask, with one client in each worker process.

    python examples/dask_runs.py checkout-flow run-ids.txt --limit 32

The file has one run id per line. Without --scheduler, the workers are processes on this machine. Workers on a cluster
need novaact_http and their own credentials, because only the settings of a client are sent to them.
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

BATCH = 20  # runs in a task: Dask needs more time for a task than a call takes


def patient_client() -> novaact_http.Client:
    """Return a client that slows down when it is throttled and retries for long, because no user waits for it."""
    return novaact_http.Client(retries=RetryPolicy(mode="adaptive", max_attempts=8), timeout=Timeout(total=120))


def list_batch(
    run_ids: Sequence[str], *, name: str, client: novaact_http.Client, slots: distributed.Semaphore
) -> list[Result]:
    """Return the session ids of each run, or its error. An error is returned, so that Dask continues with others."""
    results: list[Result] = []
    with slots:  # held also while a throttled call waits, so that the whole cluster slows down
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
    """Return the results of all runs, in their order. The whole cluster lists at most `limit` runs at a time."""
    futures = dask.map(
        list_batch,
        [run_ids[start : start + BATCH] for start in range(0, len(run_ids), BATCH)],
        name=name,
        # Sent once to each worker, not with each task: the tasks of a worker share connections, retry quota and rate.
        client=dask.scatter(client, broadcast=True, hash=False),
        slots=distributed.Semaphore(max_leases=limit),
        pure=False,  # a run may have more sessions the next time
    )
    show_progress(futures)
    return [result for batch in dask.gather(futures) for result in batch]


def show_progress(futures: Sequence[distributed.Future]) -> None:
    """Show a progress bar on a terminal. Otherwise print a line after each tenth of the batches."""
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
    parser.add_argument("file", type=Path, help="file with the ids of the runs")
    parser.add_argument("--limit", type=int, default=16, help="runs that are listed at a time (default: %(default)s)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a Dask scheduler, such as tcp://10.0.0.1:8786"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes of eight threads, without --scheduler (default: %(default)s)"
    )
    options = parser.parse_args()
    run_ids = options.file.read_text().split()
    # Without an address for its dashboard, Dask takes port 8787, and warns if that is in use.
    local = {"n_workers": options.workers, "threads_per_worker": 8, "dashboard_address": "127.0.0.1:0"}
    with distributed.Client(options.scheduler) if options.scheduler else distributed.Client(**local) as dask:
        results = list_runs(dask, patient_client(), options.workflow_definition_name, run_ids, limit=options.limit)
    for run_id, result in zip(run_ids, results, strict=True):
        print(run_id, result if isinstance(result, NovaActError) else f"{len(result)} sessions", sep="\t")


if __name__ == "__main__":
    main()
