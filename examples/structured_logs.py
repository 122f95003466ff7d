"""Structured logs: a line of JSON on standard error for each call, with its id, status, attempts and error.

    python examples/structured_logs.py

lists the workflow definitions and logs the calls that this takes. In a program of yours, give `log_call` to the client.
It logs with `logging`, so where the lines go, and which, is the business of its handlers. All lines have the same keys.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

from novaact_http import CallReport, Client, NovaActError, ServiceError

logger = logging.getLogger("shop.nova_act")


def log_call(report: CallReport) -> None:
    """Log a call: at level WARNING if it failed, else at INFO. Its call id is that of its attempts, too."""
    error = report.error
    line = {
        "time": datetime.fromtimestamp(report.started, timezone.utc).isoformat(timespec="milliseconds"),
        "operation": report.operation,
        "region": report.region,
        "call_id": report.call_id,
        "request_id": report.request_id,
        "status": report.status_code,
        "attempts": report.attempts,
        "milliseconds": round(report.milliseconds, 1),
        "error": error.code if isinstance(error, ServiceError) else error and type(error).__name__,
        # The library puts nothing sensitive into a message. The service may quote what it was sent: leave it out then.
        "message": error and str(error),
    }
    logger.log(logging.WARNING if error else logging.INFO, "%s", json.dumps(line))


def main() -> None:
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    with Client(on_call=log_call) as client:
        try:
            for definition in client.iter_workflow_definitions():
                print(definition.workflow_definition_name)
        except NovaActError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
