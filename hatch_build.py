"""Adds to the metadata what depends on where the project is public: its URLs, and where the README's links lead.

`repository` in pyproject.toml is that address. While it is empty, there are no URLs, and links stay relative.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class PublicAddress(MetadataHookInterface):  # type: ignore[misc] # hatchling is there in builds alone
    """Called by hatchling, with the metadata of pyproject.toml."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README and the URLs."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = self.config["repository"]
        if repository:
            text = with_absolute_links(text, repository, f"v{metadata['version']}")
            metadata["urls"] = {
                "Repository": repository,
                "Changelog": f"{repository}/blob/main/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def with_absolute_links(text: str, repository: str, tag: str) -> str:
    """Let links and pictures of a Markdown text lead to the files of a repository, as they are at a tag."""
    return re.sub(
        r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)",
        lambda found: f"{found[1]}[{found[2]}]({repository}/{'raw' if found[1] else 'blob'}/{tag}/{found[3]})",
        text,
    )
