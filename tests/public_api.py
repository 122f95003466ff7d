"""The public interface as text: every public name with its kind, bases, signatures, attributes and their types.

`tests/api.txt` is that text, and a test compares it: what changes for users shows in the diff of a commit, or fails.
After a change that is wanted, `make api` writes it anew; tell of it in CHANGELOG.md.
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import novaact_http
from novaact_http import errors, opentelemetry, testing
from novaact_http._clients import pagers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FILE = Path(__file__).with_name("api.txt")
_MODULES = (novaact_http, errors, opentelemetry, testing)


def describe() -> str:
    """The text."""
    lines: list[str] = []
    for module in _MODULES:
        lines += ["", f"# {module.__name__}", ""]
        for name in _names(module):
            lines += _describe(module, name)
    return "\n".join(lines[1:]) + "\n"


def _names(module: ModuleType) -> list[str]:
    return sorted(module.__all__)


def _describe(module: ModuleType, name: str) -> Iterator[str]:
    value = getattr(module, name)
    home = getattr(value, "__module__", None)
    if inspect.ismodule(value) or isinstance(value, str):
        yield f"{name}: {type(value).__name__}"
    elif module is novaact_http and home == errors.__name__:
        yield f"{name} = errors.{name}"
    elif inspect.isclass(value):
        yield from _class(value)
    else:
        yield f"{_prefix(value)}{name}{_signature(value)}"


def _class(kind: type) -> Iterator[str]:
    yield f"class {kind.__name__}({', '.join(_name(base) for base in kind.__bases__ if base is not object)})"
    members = sorted(_members(kind))
    for name, text in members:
        yield f"    {text if text.startswith(('def ', 'async def ')) else f'{name}{text}'}"
    if not members:
        yield "    ..."


def _members(kind: type) -> Iterator[tuple[str, str]]:
    """Public members by name, those of private bases with them; and the constructor."""
    if issubclass(kind, enum.Enum):
        yield from ((each.name, f" = {each.value!r}") for each in kind)
        return
    seen: set[str] = set()
    for each in (kind, *(base for base in kind.__mro__[1:] if _is_part_of(kind, base))):
        for name, value in {**_assigned(each), **vars(each)}.items():
            wanted = name in ("__init__", "__iter__", "__aiter__", "__enter__", "__aenter__") or name[0] != "_"
            # Those who get a pager do not make it, and a protocol has no instances.
            is_internal = name == "__init__" and (
                each.__module__ == pagers.__name__ or getattr(each, "_is_protocol", False)
            )
            if wanted and name not in seen and not is_internal:
                seen.add(name)
                yield name, _member(each, name, value)


def _is_part_of(kind: type, base: type) -> bool:
    """Is the base the library's, and not described itself?"""
    return base.__module__.startswith("novaact_http") and not any(base.__name__ in _names(each) for each in _MODULES)


def _member(kind: type, name: str, value: object) -> str:
    if isinstance(value, property):
        return f": {_annotation(inspect.signature(value.fget).return_annotation)}  # read-only" if value.fget else ""
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    if inspect.isfunction(value):
        return f"{_prefix(value)}{name}{_signature(value)}"
    if isinstance(value, _Assigned):
        return f": {value.annotation}"
    return f": {_annotation(inspect.get_annotations(kind).get(name, type(value)))}"


class _Assigned:
    """An attribute that `__init__` makes."""

    def __init__(self, annotation: str) -> None:
        self.annotation = annotation


def _assigned(kind: type) -> dict[str, object]:
    found: dict[str, object] = {}
    init = vars(kind).get("__init__")
    if not inspect.isfunction(init) or not Path(init.__code__.co_filename).exists():
        return found  # attrs has made it up
    arguments = {name: _annotation(each.annotation) for name, each in inspect.signature(init).parameters.items()}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(init)))):
        for target, annotation, value in _assignments(node):
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                of_argument = arguments.get(value.id, "?") if isinstance(value, ast.Name) else "?"
                found[target.attr] = _Assigned(ast.unparse(annotation) if annotation else of_argument)
    return found


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None, ast.expr | None]]:
    if isinstance(node, ast.AnnAssign):
        yield node.target, node.annotation, node.value
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from ((each, None, value) for each, value in zip(target.elts, node.value.elts, strict=True))
            else:
                yield target, None, node.value


def _prefix(function: Any) -> str:
    return "async def " if inspect.iscoroutinefunction(function) else "def "


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    parts: list[str] = []
    before: object = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for each in signature.parameters.values():
        if each.kind is each.KEYWORD_ONLY and before is not each.KEYWORD_ONLY and before is not each.VAR_POSITIONAL:
            parts.append("*")
        before = each.kind
        stars = "*" if each.kind is each.VAR_POSITIONAL else "**" if each.kind is each.VAR_KEYWORD else ""
        annotation = "" if each.annotation is each.empty else f": {_annotation(each.annotation)}"
        default = "" if each.default is each.empty else f" = {re.sub(' at 0x[0-9a-f]+', '', repr(each.default))}"
        parts.append(f"{stars}{each.name}{_unpacked(function, annotation)}{default}")
    return f"({', '.join(parts)}) -> {_annotation(signature.return_annotation)}"


def _unpacked(function: Any, annotation: str) -> str:
    """The annotation, with the keyword arguments that a TypedDict in it stands for."""
    match = re.fullmatch(r": Unpack\[(\w+)\]", annotation)
    if match is None:
        return annotation
    keywords = inspect.get_annotations(function.__globals__[match[1]])
    return ": {" + ", ".join(f"{name}: {_annotation(each)}" for name, each in keywords.items()) + "}"


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Signature.empty:
        return "?"
    forward = getattr(annotation, "__forward_arg__", annotation)
    return forward if isinstance(forward, str) else _name(annotation)


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", value))


if __name__ == "__main__":
    FILE.write_text(describe())
    sys.stdout.write(f"{FILE.name} has {FILE.read_text().count(chr(10))} lines\n")
