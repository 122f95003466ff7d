"""The project's documents: their examples, links and headings."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
DOCUMENTS = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")), *PAGES]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:")


def name_of(document: Path) -> str:
    """Return a document's path from the project's folder."""
    return document.relative_to(ROOT).as_posix()


def examples(text: str, language: str = "python") -> list[str]:
    """Return the blocks of code in a language; `""` for those that name none."""
    return [code for found, code in _FENCE.findall(text) if found == language]


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub and the website make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text: str, document: Path) -> list[str]:
    """Return the links of a document to files or headings of the project that do not exist."""
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text)):
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if _ELSEWHERE.match(link):
            continue
        found = target.is_relative_to(ROOT) and target.is_file()
        if found and anchor:
            found = anchor in anchors(text if target == document else target.read_text(encoding="utf-8"))
        if not found:
            broken.append(link)
    return broken
