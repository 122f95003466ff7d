"""Creates a workflow run, waits until it has ended, and exits with 0 only if it succeeded.

    python examples/wait_for_run.py checkout-flow --total 3600

What drives the run (such as drive_act.py, on another machine) gets its id, which is printed at once. If the time is
over, wait on with `--run-id`. Throttling and outages are survived meanwhile.
"""

from __future__ import annotations

import argparse
import sys

from novaact_http import Client, DeadlineExceeded
from novaact_http.models import ClientInfo


def create_run(client: Client, name: str, *, model_id: str = "nova-act-latest") -> str:
    """Return the id of a new run. Also if an answer is lost and the call made again, there is one run."""
    created = client.create_workflow_run(
        workflow_definition_name=name, model_id=model_id, client_info=ClientInfo(compatibility_version=1)
    )
    return created.workflow_run_id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workflow_definition_name")
    parser.add_argument("--run-id", help="wait for this run, and create none")
    parser.add_argument("--total", type=float, help="seconds to wait at most (default: as long as it runs)")
    options = parser.parse_args()
    name = options.workflow_definition_name
    with Client() as client:
        run_id = options.run_id or create_run(client, name)
        print(run_id, flush=True)
        try:
            run = client.wait_for_workflow_run(
                workflow_definition_name=name, workflow_run_id=run_id, total=options.total
            )
        except DeadlineExceeded as error:
            sys.exit(f"{error}\nThe run goes on. Wait on with: python {sys.argv[0]} {name} --run-id {run_id}")
    print(run.status)
    sys.exit(run.status != "SUCCEEDED")


if __name__ == "__main__":
    main()
