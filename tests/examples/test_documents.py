"""The examples of the README and of the pages in docs/ run as they are written, and their links lead somewhere."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import novaact_http
from tests.helpers.documents import DOCUMENTS, PAGES, README, ROOT, anchors, broken_links, examples, name_of
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from novaact_http.testing import LocalService

PACKAGE = Path(novaact_http.__file__).parent
# What it shows is where only attrs is installed; test_slim_page.py runs it there.
SLIM = ROOT / "docs" / "slim.md"
EXAMPLES = [
    pytest.param(code, id=f"{name_of(document)}-{number}")
    for document in (README, *PAGES)
    if document != SLIM
    for number, code in enumerate(examples(document.read_text(encoding="utf-8")), 1)
]


@pytest.mark.parametrize("code", EXAMPLES)
@pytest.mark.usefixtures("world")  # as it is when it starts, in which no run ends by itself
def test_an_example_runs(code: str) -> None:
    printed = run_python("-W", "error", "-c", code, cwd=ROOT).stdout
    if "print(" in code:
        assert printed.strip()


def test_the_pages_have_examples_for_both_clients() -> None:
    of_pages = [code for page in PAGES for code in examples(page.read_text(encoding="utf-8"))]
    assert len(of_pages) > 10
    assert any("AsyncClient(" in each for each in of_pages)
    assert any(re.search(r"\bClient\(", each) for each in of_pages)


@pytest.mark.parametrize("document", [README, *PAGES], ids=name_of)
def test_the_run_of_a_document_is_the_local_services(document: Path, service: LocalService) -> None:
    ids = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", document.read_text(encoding="utf-8")))
    assert ids <= {service.runs[0].workflow_run_id}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_links_of_a_document_lead_to_files_and_headings(document: Path) -> None:
    assert broken_links(document.read_text(encoding="utf-8"), document) == []


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("docs/errors.md", False),
        ("docs/errors.md#errors", False),
        ("#moving-over", False),
        ("https://example.com/no-such-page#here", False),
        ("docs/no-such-page.md", True),
        ("docs", True),
        ("docs/errors.md#no-such-heading", True),
        ("#no-such-heading", True),
        ("../outside.md", True),
        ("/README.md", True),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, broken: bool) -> None:
    text = f"## Moving `over`!\n\nSee [there]({link}).\n\n```\n[not](a-link.md)\n## no heading\n```\n"
    assert broken_links(text, README) == ([link] if broken else [])
    assert anchors(text) == {"moving-over"}


def test_the_readme_leads_to_every_guide() -> None:
    links = set(re.findall(r"\]\((docs/[\w-]+\.md)", README.read_text(encoding="utf-8")))
    guides = {name_of(page) for page in PAGES if page.parent.name == "docs"} - {"docs/index.md"}
    assert guides <= links


def test_the_reference_has_every_public_name() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.parent.name == "reference")
    documented = set(re.findall(r"^::: novaact_http\.(\w+)$", pages, flags=re.MULTILINE))
    modules = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("_") and path.name != "py.typed"}
    assert modules - {"cli"} <= documented
    of_modules = {name for module in documented & modules for name in import_module(f"novaact_http.{module}").__all__}
    assert set(novaact_http.__all__) - {"__version__"} <= documented | of_modules
