"""The examples of docs/opentelemetry.md run as they are written, and its lists are complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "opentelemetry.md").read_text(encoding="utf-8")
SOURCE = (ROOT / "src" / "novaact_http" / "opentelemetry.py").read_text(encoding="utf-8")
PLAIN, PRINTED = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_the_first_example_lists_without_a_provider(service: LocalService) -> None:
    printed = run_python("-W", "error", "-c", PLAIN, environ=service.environ).stdout
    assert set(printed.split()) == {each.workflow_definition_name for each in service.runs}


def test_the_second_example_prints_a_span_below_that_of_the_application(service: LocalService) -> None:
    printed = run_python("-W", "error", "-c", PRINTED, environ=service.environ).stdout
    call, checkout = (json.loads(each) for each in re.split(r"^(?=\{)", printed, flags=re.MULTILINE)[1:])
    assert call["name"] == "Nova Act.ListWorkflowRuns"
    assert call["parent_id"] == checkout["context"]["span_id"]


def test_the_page_names_the_attributes_and_metrics() -> None:
    names = set(re.findall(r'"((?:rpc|aws|cloud|server|error|http|novaact_http\.client)\.[a-z_.]+)"', SOURCE))
    assert len(names) > 12
    assert {each for each in names if f"`{each}`" not in PAGE} == set()
