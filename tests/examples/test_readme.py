"""What the README promises beside its examples, and the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.helpers.documents import DOCS, README, ROOT, examples
from tests.helpers.platforms import needs_bash
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    import pytest

    from novaact_http.testing import LocalService

TEXT = README.read_text(encoding="utf-8")
EXAMPLES = examples(TEXT)


def test_the_readme_is_short() -> None:
    assert len(TEXT.splitlines()) <= 200


@needs_bash
def test_the_sixty_seconds_show_what_is_in_the_local_service(service: LocalService) -> None:
    (lines,) = [each for each in examples(TEXT, "") if "novaact-http local" in each]
    installation, start, *others = lines.splitlines()
    assert installation == "pip install '.[cli]'"  # as it is here
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", "\n".join(("set -e", start, "trap novaact_local_stop EXIT", *others))],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
        timeout=60,
    )
    assert {run.workflow_run_id for run in service.runs} <= set(done.stdout.split())


def test_the_first_example_finds_all_runs_and_lists_their_sessions(world: LocalService) -> None:
    runs = [each for each in world.runs if each.workflow_definition_name == "checkout-flow"]
    printed = run_python("-c", EXAMPLES[0], cwd=ROOT).stdout.split()
    assert {id_ for run in runs for id_ in (run.workflow_run_id, *run.session_ids)} <= set(printed)


def test_the_example_for_pytest_runs(pytester: pytest.Pytester) -> None:
    (example,) = [each for each in examples((DOCS / "testing.md").read_text(encoding="utf-8"), "") if "@pytest" in each]
    mine = """
import pytest

def my_listing(client, run):
    names = {"workflow_definition_name": run.workflow_definition_name, "workflow_run_id": run.workflow_run_id}
    return list(client.iter_sessions(**names))

"""
    pytester.makepyfile(mine + example)
    pytester.runpytest_inprocess("-p", "no:asyncio").assert_outcomes(passed=1)


def test_the_demo_shows_what_it_promises() -> None:
    shown = run_python("-W", "error", "examples/demo.py", cwd=ROOT).stdout
    for expected in (
        "The local service is running at http://127.0.0.1:",
        "Signature=…",
        "Session ID",
        "definition shop: ACTIVE",
        "sent 2 times, and there is 1 run",
        "goToUrl(['https://example.com/'])",
        "waited for the run: ThrottlingException, RUNNING, RUNNING, SUCCEEDED",
        "page 4: 4 sessions",
        "the first 15, stopped by max_items",
        "ResourceNotFoundException: An error occurred (ResourceNotFoundException)",
        "for session in client.iter_sessions(",
    ):
        assert expected in shown
    assert not re.search(r"Signature=[0-9a-f]", shown)
