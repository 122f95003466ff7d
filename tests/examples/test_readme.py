"""The README's examples and the demo run as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs(number: int, world: LocalService) -> None:
    world.script_runs("SUCCEEDED", polls=1)
    printed = run_python("-W", "error", "-c", EXAMPLES[number], cwd=ROOT).stdout
    if "print(" in EXAMPLES[number]:
        assert printed.strip()


def test_the_first_example_finds_all_runs_and_lists_their_sessions(world: LocalService) -> None:
    runs = [each for each in world.runs if each.workflow_definition_name == "checkout-flow"]
    printed = run_python("-c", EXAMPLES[0], cwd=ROOT).stdout.split()
    assert {id_ for run in runs for id_ in (run.workflow_run_id, *run.session_ids)} <= set(printed)


def test_the_readmes_run_is_the_local_services(service: LocalService) -> None:
    ids = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", README))
    assert ids == {service.runs[0].workflow_run_id}


def test_there_are_examples_for_both_clients() -> None:
    assert len(EXAMPLES) >= 4
    assert any("AsyncClient" in each for each in EXAMPLES)


def test_the_example_for_pytest_runs(pytester: pytest.Pytester) -> None:
    (example,) = re.findall(r"^```\n(@pytest\.mark\.novaact_service.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
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
