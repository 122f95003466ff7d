"""The rooms of the package. Imports between them point down and never form a circle, and the tests mirror them."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import novaact_http

PACKAGE = Path(novaact_http.__file__).parent

# From the bottom to the top. A file may import from its own room and from the rooms below, not from a room beside it.
ROOMS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            {"_version", "_support"},
            {"errors", "config", "attempts"},
            {"_needed_packages"},
            {"_operations"},
            {"_call"},
            {"_aws", "_http"},
            {"transports"},
            {"_clients"},
            {"models"},
            {"__init__"},
            {"cli", "opentelemetry", "testing"},
            {"__main__"},
        ),
    )
)
# The imports between rooms beside each other, each for a reason.
BESIDE = {
    ("config", "errors"),  # a value that checks itself raises
    ("attempts", "errors"),  # an attempt tells how it failed
    ("cli", "testing"),  # the command `local` runs the local service
}
# The local service must share no logic with the client that it tests, as it would not notice a mistake in it.
THE_SERVICE_MAY_IMPORT = {"_needed_packages", "config", "testing"}

TESTS = Path(__file__).parents[1]
ROOMS_WITHOUT_LOGIC = {"__init__", "__main__", "_operations", "_version", "models"}  # names and tables
# The tests of a room are in the folder with its name, without the underscore. The tests of these modules are in a file.
TESTS_OF_MODULES = {
    "_needed_packages": "test_needed_packages.py",
    "attempts": "test_attempts.py",
    "config": "test_config_and_errors.py",
    "errors": "test_config_and_errors.py",
    "opentelemetry": "test_opentelemetry.py",
    "transports": "http/lean_transports",
}
# Tests that belong to no single room.
OTHER_FOLDERS = {"beside", "bench", "examples", "promises"}
OTHER_FILES = {"test_credentials_errors.py", "test_setting_errors.py"}  # of a client, wherever they are raised


def _files() -> dict[str, Path]:
    """Return the package's files by the dotted names of their modules in it; the package itself is `__init__`."""
    files = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        files[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return files


def _imports(path: Path, modules: set[str]) -> set[str]:
    """Return the modules of this package that a file imports, anywhere in it."""
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


def _imports_by_module() -> dict[str, set[str]]:
    files = _files()
    return {name: _imports(path, set(files)) - {name} for name, path in files.items()}


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_every_file_is_in_a_room() -> None:
    assert {_room(name) for name in _files()} == frozenset().union(*ROOMS)


def test_imports_point_down_between_rooms() -> None:
    level = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}
    imports = {(_room(name), _room(each)) for name, imported in _imports_by_module().items() for each in imported}
    wrong = {(here, there) for here, there in imports if here != there and level[there] >= level[here]}
    assert wrong == BESIDE


def test_no_imports_form_a_circle() -> None:
    order = list(graphlib.TopologicalSorter(_imports_by_module()).static_order())  # raises a CycleError with the circle
    assert order.index("_support.fork_safety") < order.index("_call.flow") < order.index("_clients.blocking")


def test_the_local_service_shares_no_logic_with_the_client() -> None:
    imports = {name: each for name, each in _imports_by_module().items() if name.startswith("testing._local_service.")}
    assert len(imports) > 5
    assert {_room(each) for imported in imports.values() for each in imported} <= THE_SERVICE_MAY_IMPORT


def test_the_tests_mirror_the_rooms() -> None:
    folders = {path.name for path in TESTS.iterdir() if any(path.rglob("test_*.py"))}
    files = {path.name for path in TESTS.glob("test_*.py")}
    rooms = {_room(name) for name in _files()} - ROOMS_WITHOUT_LOGIC
    assert {room.lstrip("_") for room in rooms - set(TESTS_OF_MODULES)} == folders - OTHER_FOLDERS
    assert rooms >= set(TESTS_OF_MODULES)
    assert {name for name in TESTS_OF_MODULES.values() if "/" not in name} == files - OTHER_FILES
    assert all((TESTS / name).exists() for name in TESTS_OF_MODULES.values())
