"""What the reference shows of classes although it is not in their source, which griffe only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from griffe import (
    Attribute,
    Class,
    Expr,
    ExprCall,
    Extension,
    Function,
    Parameter,
    ParameterKind,
    Parameters,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class ReadableClasses(Extension):  # type: ignore[misc] # griffe is in .venv-docs alone
    """Gives classes of attrs and named tuples the `__init__` that is made for them, and enumerations a list of members.

    A private base gives way to its own bases and leaves its `__init__`, as the reference does not show it. One of
    `_support`, which only saves time, is left out.
    """

    def on_class_members(self, *, cls: Class, **_: object) -> None:
        """Add to a class whose members have been read."""
        bases = list(map(str, cls.bases))
        decorators = {decorator.callable_path for decorator in cls.decorators}
        if "novaact_http._support.late_attrs.frozen" in decorators:
            _add_init(cls, _fields(cls, ParameterKind.keyword_only))
            cls.bases = [base for base in cls.bases if "._support." not in getattr(base, "canonical_path", "")]
        if "NamedTuple" in bases:
            _add_init(cls, _fields(cls, ParameterKind.positional_or_keyword))
        if "StringEnum" in bases and cls.docstring is not None:
            members = [
                f"    {name} (str): `{each.value}`" for name, each in cls.members.items() if isinstance(each, Attribute)
            ]
            cls.docstring.value += "\n\nAttributes:\n" + "\n".join(members)
        for name in bases:
            base = cls.parent.members.get(name) if cls.parent is not None and name.startswith("_") else None
            if isinstance(base, Class):
                cls.bases = [each for each in cls.bases if str(each) != name] + base.bases
                init = base.members.get("__init__")
                if isinstance(init, Function):
                    _add_init(cls, list(init.parameters)[1:])


def _add_init(cls: Class, parameters: Iterable[Parameter]) -> None:
    if "__init__" not in cls.members:
        itself = Parameter("self", kind=ParameterKind.positional_or_keyword)
        cls.set_member("__init__", Function("__init__", parameters=Parameters(itself, *parameters), returns="None"))


def _fields(cls: Class, kind: ParameterKind) -> Iterator[Parameter]:
    for member in cls.members.values():
        if isinstance(member, Attribute) and member.annotation is not None:
            options = _options(member.value)
            default = member.value if options is None else options.get("default")
            if options is not None and "factory" in options:
                default = f"{options['factory']}()"
            if options is None or options.get("init") != "False":
                yield Parameter(member.name, annotation=member.annotation, kind=kind, default=default)


def _options(value: Expr | str | None) -> dict[str, Expr | str] | None:
    """Return what `field` is called with; None if a field's value is its default."""
    if not isinstance(value, ExprCall) or value.canonical_path != "novaact_http._support.late_attrs.field":
        return None
    return {each.name: each.value for each in value.arguments if hasattr(each, "name")}
