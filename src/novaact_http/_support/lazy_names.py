"""Packages whose names are imported when they are asked for (PEP 562)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping


def names(
    of: MutableMapping[str, object], modules: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return a package's `__getattr__` and `__dir__`. Hide them from type checkers, to whom any name would be right.

    Args:
        of: the package's `globals()`.
        modules: the names that each of its modules has for it; a module's own name is for the module itself.
    """
    module_of = {name: module for module, members in modules.items() for name in members}

    def get(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {of['__name__']!r} has no attribute {name!r}")
        from importlib import import_module

        module = import_module(f"{of['__package__']}.{module_of[name]}")
        value = of[name] = getattr(module, name, module)
        return value

    return get, lambda: sorted({*of, *module_of})
