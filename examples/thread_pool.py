"""Lists the sessions of many workflow runs on threads that share one client, and prints each run when it is done."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor, as_completed

from novaact_http import Client
from novaact_http.errors import NovaActError


def list_run(client: Client, name: str, run_id: str) -> list[str]:
    pager = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id)
    return [session.session_id for session in pager]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("workflow_run_id", nargs="+")
    parser.add_argument("--threads", type=int, default=8, help="(default: %(default)s)")
    options = parser.parse_args()
    # The pool closes first, so that no thread uses a closed client.
    with Client() as client, ThreadPoolExecutor(options.threads) as pool:
        futures = {
            pool.submit(list_run, client, options.workflow_definition_name, run_id): run_id
            for run_id in options.workflow_run_id
        }
        for future in as_completed(futures):
            try:
                print(futures[future], f"{len(future.result())} sessions", sep="\t")
            except NovaActError as error:
                print(futures[future], error, sep="\t")


if __name__ == "__main__":
    main()
