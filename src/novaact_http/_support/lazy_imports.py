"""Packages that import their public names when these are first used (PEP 562)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping


def names(
    package: MutableMapping[str, object], modules: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`.

    Hide them from type checkers: with a `__getattr__`, these would accept any name.

    Args:
        package: the package's `globals()`.
        modules: the public names that each module of the package defines; a module's own name means the module itself.
    """
    module_of = {name: module for module, members in modules.items() for name in members}

    def get(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f"{package['__package__']}.{module_of[name]}")
        value = package[name] = getattr(module, name, module)
        return value

    return get, lambda: sorted({*package, *module_of})
