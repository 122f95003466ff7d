"""The files of the project agree with each other on make targets, paths and versions of Python."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.helpers.documents import DOCUMENTS, README, name_of

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()
TARGETS = set(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
CI_RUN = (ROOT / ".ci" / "run").read_text()
CI_TARGETS = set(re.findall(r"^ *(?:[A-Z_]+=\S+ )*make ([a-z-]+)", CI_RUN, flags=re.MULTILINE))
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
HOOKS: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_make_help_describes_every_target() -> None:
    assert {name for name in TARGETS if re.search(rf"^{name}:.* ## \S", MAKEFILE, flags=re.MULTILINE)} == TARGETS


def make_targets(document: Path) -> set[str]:
    text = document.read_text(encoding="utf-8")
    code = re.findall(r"```\w*\n(.*?)^```|`([^`]+)`", text, flags=re.MULTILINE | re.DOTALL)
    return {target for each in code for target in re.findall(r"^make ([a-z-]+)", "".join(each), flags=re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_the_make_targets_that_a_document_names_exist(document: Path) -> None:
    assert make_targets(document) <= TARGETS


def test_the_documents_name_make_targets() -> None:
    assert {"demo", "test"} <= make_targets(README)
    assert {"check", "docs", "floors"} <= make_targets(ROOT / "CONTRIBUTING.md")


def test_the_demo_has_what_the_library_depends_on() -> None:
    (packages,) = re.findall(r"^DEMO_PACKAGES := (.+)$", MAKEFILE, flags=re.MULTILINE)
    (dependencies,) = re.findall(r"^dependencies = \[(.+)\]$", PYPROJECT, flags=re.MULTILINE)
    assert {*re.findall(r'"(\w+)', dependencies), "rich"} == set(packages.split())


def test_the_make_targets_that_ci_runs_exist() -> None:
    assert len(CI_TARGETS) > 4
    assert CI_TARGETS <= TARGETS


def test_the_hooks_only_call_make_targets() -> None:
    hooks = [hook for repository in HOOKS["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in HOOKS["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    assert {hook["entry"] for hook in hooks} <= {f"make {target}" for target in TARGETS}


def test_the_workflow_runs_the_make_targets_of_ci_run() -> None:
    run = {step["run"] for step in STEPS if step.get("run", "").startswith("make ")}
    assert run == {f"make {target}" for target in CI_TARGETS}


def test_the_workflow_may_only_read_and_uses_actions_of_a_fixed_major_version() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True
    used = {step["uses"] for step in STEPS if "uses" in step}
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", each) for each in used)


def test_every_supported_python_is_tested() -> None:
    supported = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PYPROJECT)
    assert supported
    assert WORKFLOW["jobs"]["coverage"]["strategy"]["matrix"]["python"] == supported
    assert f"for version in {' '.join(supported)}; do" in CI_RUN


def test_the_files_that_contributing_names_exist() -> None:
    folders = ("src", "tests", "bench", "docs", "fixtures", "fuzz")
    paths = itertools.chain(ROOT.iterdir(), *((ROOT / folder).rglob("*") for folder in folders))
    known = [f"/{path.relative_to(ROOT).as_posix()}{'/' if path.is_dir() else ''}" for path in paths]
    spans = re.findall(r"`([^`]+)`", CONTRIBUTING)
    words = {word for span in spans for word in span.split() if re.fullmatch(r"[\w./]+(\.py|\.md|/)", word)}
    generated = {"dist/", "fuzz/found/", "site/"}
    named = {word for word in words if not word.startswith(".venv/") and word not in generated}
    assert len(named) > 20
    assert {name for name in named if not any(path.endswith(f"/{name}") for path in known)} == set()


@pytest.mark.parametrize("picture", [*ROOT.glob("docs/*.svg"), *ROOT.glob("bench/*.svg")], ids=lambda path: path.name)
def test_a_picture_loads_nothing(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"@import|@font-face|\bsrc\b|\bhref\b|url\((?!#)[^)]*\)", text) == []
