"""The layers: imports point down, or sideways only where it is said here."""

from __future__ import annotations

import ast
from pathlib import Path

import novaact_http

PACKAGE = Path(novaact_http.__file__).parent

# From the bottom to the top. A module may import what is in a lower layer.
LAYERS = (
    (
        "_version",
        "_dates",
        "_lazy",
        "_locks",
        "_percent",
        "_asyncio",
        "_frames",
        "_mocks",
        "errors",
        "models",
        "config",
        "_wire",
        "operations",
        "attempts",
    ),  # values
    (
        "_parameters",
        "_http1",
        "_sigv4",
        "_restjson",
        "_limiter",
        "_retry",
        "_profiles",
        "_settings",
        "_credentials",
        "_tls",
        "_connections",
        "_lean",
        "_lean_async",
        "transports",
    ),  # protocol, ground
    ("_flow",),  # brain
    ("pagination", "_base", "client", "async_client"),  # shells
    ("__init__",),
    ("cli", "testing"),  # faces
)
SIDEWAYS = {
    "errors": {"models"},
    "config": {"_frames", "errors"},
    "_wire": {"config"},
    "operations": {"models", "errors"},
    "attempts": {"errors"},
    "_settings": {"_profiles"},
    "_connections": {"_http1"},
    "_lean": {"_connections", "_http1"},
    "_lean_async": {"_connections", "_http1"},
    "transports": {"_connections", "_http1", "_lean", "_lean_async", "_tls"},
    "client": {"pagination", "_base"},
    "async_client": {"pagination", "_base"},
    "cli": {"testing"},
}
# What the local service must not share with the client it tests, or a shared mistake would hide.
THE_SERVICE_MAY_IMPORT = {"config", "testing"}


def _modules() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in PACKAGE.rglob("*.py"):
        relative = path.relative_to(PACKAGE)
        found.setdefault(relative.parts[0].removesuffix(".py"), []).append(path)
    return found


def _imports(path: Path) -> set[str]:
    """The modules of this package that a file imports, anywhere in it; `__init__` for the package itself."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("novaact_http") for alias in node.names), "write `from ... import`"
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            parts = (node.module or "").split(".")
            if parts[0] != "novaact_http":
                continue
            if len(parts) > 1:
                names.add(parts[1])
            else:
                known = _modules()
                names.update(alias.name if alias.name in known else "__init__" for alias in node.names)
    return names


def test_every_module_has_its_place_in_the_layers() -> None:
    assert sorted(_modules()) == sorted(name for layer in LAYERS for name in layer)


def test_imports_point_down_or_sideways_where_named() -> None:
    level = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    wrong = [
        f"{name} imports {imported}"
        for name, paths in _modules().items()
        for path in paths
        for imported in _imports(path) - {name} - SIDEWAYS.get(name, set())
        if level[imported] >= level[name]
    ]
    assert not wrong


def test_the_local_service_shares_no_logic_with_the_client() -> None:
    modules = list((PACKAGE / "testing" / "_service").glob("*.py"))
    assert len(modules) > 5
    assert {name for path in modules for name in _imports(path)} <= THE_SERVICE_MAY_IMPORT
