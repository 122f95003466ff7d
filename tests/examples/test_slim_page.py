"""The examples of docs/slim.md run as they are written, where only attrs is installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.programs import run_slim

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

PAGE = (Path(__file__).parents[2] / "docs" / "slim.md").read_text(encoding="utf-8")
CLIENTS, MISSING = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_both_clients_do_what_the_example_says(service: LocalService) -> None:
    printed = run_slim(CLIENTS, environ=service.environ).splitlines()
    runs = [each for each in service.runs if each.workflow_definition_name == "checkout-flow"]
    assert {line.split()[0] for line in printed[:-1]} == {each.workflow_run_id for each in runs}
    assert printed[-1].startswith("An error occurred (ResourceNotFoundException)")


def test_the_error_is_the_one_that_the_page_shows() -> None:
    assert f"`{run_slim(MISSING)}`" in PAGE


@pytest.mark.parametrize("package", ["botocore", "httpx"])
def test_the_page_says_how_to_install_what_is_missing(package: str) -> None:
    assert f"`pip install {package}`" in PAGE
