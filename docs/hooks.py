"""What the website needs besides docs/: the files of the project that the pages link to.

They are at `project/` in the website, laid out as in the project, so that their links to each other hold. Programs are
pages too, to be read in a browser.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
FILES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *(f"bench/{name}.md" for name in ("FLEET", "RESULTS", "RESULTS-python3.13", "SOAK")),  # RESULTS takes in the rest
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "bench").glob("*.svg"))),
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "examples").rglob("*.py"))),
)
# What a page loads by itself, unlike a link that is followed.
LOADED_FROM_ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=.?(?:https?:)?//|<link\b[^>]*\bhref=.?(?:https?:)?//"
)
OPTION = re.compile(r"<code>(--?[a-z-]*)</code>")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the project."""
    for name in FILES:
        if name.endswith(".py"):
            code = (ROOT / name).read_text(encoding="utf-8")
            page = f"# {Path(name).name}\n\n````python\n{code}````\n"
            files.append(File.generated(config, f"project/{name}.md", content=page))
        else:
            files.append(File.generated(config, f"project/{name}", abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links lead to where the files are in the website."""
    if page.file.src_uri.startswith("project/"):
        return markdown.replace("](docs/", "](../")
    return re.sub(
        r"\]\(\.\./([^)\s]+?)(\.py)?\)", lambda found: f"](project/{found[1]}{'.py.md' if found[2] else ''})", markdown
    )


def on_page_content(html: str, **_: object) -> str:
    """Mark the options of commands, for `style.css`."""
    return OPTION.sub(r'<code class="option">\1</code>', html)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Fail if a page would load something from elsewhere.

    Raises:
        PluginError: it would.
    """
    found = LOADED_FROM_ELSEWHERE.search(output)
    if found is not None:
        raise PluginError(f"{page.file.src_uri} loads something from elsewhere: {found[0]}")
    return output
