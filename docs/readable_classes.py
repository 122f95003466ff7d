"""What the reference shows of classes although it is not in their source, which griffe only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from griffe import (
    Attribute,
    Class,
    Docstring,
    Expr,
    ExprCall,
    Extension,
    Function,
    Parameter,
    ParameterKind,
    Parameters,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class ReadableClasses(Extension):  # type: ignore[misc] # griffe is in .venv-docs alone
    """Gives classes of attrs the `__init__` that attrs makes for them, and members of enumerations their values."""

    def on_class_members(self, *, cls: Class, **_: object) -> None:
        """Add to a class whose members have been read."""
        decorators = {decorator.callable_path for decorator in cls.decorators}
        if "novaact_http._support.late_attrs.frozen" in decorators and "__init__" not in cls.members:
            itself = Parameter("self", kind=ParameterKind.positional_or_keyword)
            cls.set_member(
                "__init__", Function("__init__", parameters=Parameters(itself, *_fields(cls)), returns="None")
            )
        if "StringEnum" in map(str, cls.bases):
            for member in cls.members.values():
                if isinstance(member, Attribute):
                    member.docstring = Docstring(f"`{member.value}`")


def _fields(cls: Class) -> Iterator[Parameter]:
    for member in cls.members.values():
        if isinstance(member, Attribute) and member.annotation is not None:
            options = _options(member.value)
            default = member.value if options is None else options.get("default")
            if options is not None and "factory" in options:
                default = f"{options['factory']}()"
            if options is None or options.get("init") != "False":
                yield Parameter(
                    member.name, annotation=member.annotation, kind=ParameterKind.keyword_only, default=default
                )


def _options(value: Expr | str | None) -> dict[str, Expr | str] | None:
    """Return what `field` is called with; None if a field's value is its default."""
    if not isinstance(value, ExprCall) or value.canonical_path != "novaact_http._support.late_attrs.field":
        return None
    return {each.name: each.value for each in value.arguments if hasattr(each, "name")}
