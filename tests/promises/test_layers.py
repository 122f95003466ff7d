"""The rooms of the package: imports point down between them, and never around in a circle."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import novaact_http

PACKAGE = Path(novaact_http.__file__).parent

# From the bottom to the top. A file may import what is in its own room and in the rooms below; not in a room beside it.
ROOMS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            {"_version", "_support"},
            {"errors", "config", "attempts"},
            {"_operations"},
            {"_call"},
            {"_aws", "_http"},
            {"transports"},
            {"_clients"},
            {"models"},
            {"__init__"},
            {"cli", "testing"},
        ),
    )
)
# The arrows between rooms that are beside each other, each for a reason.
BESIDE = {
    ("config", "errors"),  # a value that checks itself raises
    ("attempts", "errors"),  # an attempt tells how it failed
    ("cli", "testing"),  # the command `local` runs the local service
}
# What the local service must not share with the client that it tests: a mistake in it would hide itself.
THE_SERVICE_MAY_IMPORT = {"config", "testing"}


def _files() -> dict[str, Path]:
    """The files of the package, by the dotted names of their modules in it; `__init__` for the package itself."""
    files = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        files[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return files


def _imports(path: Path, modules: set[str]) -> set[str]:
    """The modules of this package that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("novaact_http") for alias in node.names), "write `from ... import`"
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            package, _, module = (node.module or "").partition(".")
            if package != "novaact_http":
                continue
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                found.add(inner if inner in modules else module or "__init__")
    return found


def _arrows() -> dict[str, set[str]]:
    files = _files()
    return {name: _imports(path, set(files)) - {name} for name, path in files.items()}


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_every_file_is_in_a_room() -> None:
    assert {_room(name) for name in _files()} == frozenset().union(*ROOMS)


def test_imports_point_down_between_rooms() -> None:
    level = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}
    arrows = {(_room(name), _room(each)) for name, imported in _arrows().items() for each in imported}
    wrong = {(here, there) for here, there in arrows if here != there and level[there] >= level[here]}
    assert wrong == BESIDE


def test_no_imports_go_around_in_a_circle() -> None:
    order = list(graphlib.TopologicalSorter(_arrows()).static_order())  # raises a CycleError with the circle
    assert order.index("_support.fork_safety") < order.index("_call.flow") < order.index("_clients.blocking")


def test_the_local_service_shares_no_logic_with_the_client() -> None:
    arrows = {name: each for name, each in _arrows().items() if name.startswith("testing._local_service.")}
    assert len(arrows) > 5
    assert {_room(each) for imported in arrows.values() for each in imported} <= THE_SERVICE_MAY_IMPORT
