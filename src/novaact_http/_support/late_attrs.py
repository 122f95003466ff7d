"""Classes of attrs that do without attrs until somebody looks at them as such.

To import attrs takes a third of the time from starting Python to the first response, and nothing in a call needs it. So
`frozen` makes of a class what `attrs.frozen` makes of it, but makes only what calls need: the slots and the `__init__`.
All else is attrs' own, made when it is first used: what `attrs.fields` looks at, and so `attrs.asdict`, `attrs.evolve`
and all else, and the methods for pickling. Type checkers see attrs alone. The tests compare these classes with attrs'.

It can do what the library's classes use, and no more: no converters, factories, hooks or inherited fields.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ValueObject", "evolve", "field", "fields", "frozen"]

ValueT = TypeVar("ValueT")

_REQUIRED: Any = object()  # in place of a default


class ValueObject:
    """The base of the classes of attrs that users see: a value that is its attributes.

    Make subclasses with `frozen(eq=False, repr=False)`. The options `repr`, `eq` and `hash` of the fields count as if
    attrs had generated the methods here.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        shown = [f"{each.name}={each.repr(getattr(self, each.name))}" for each in fields(type(self)) if each.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(type(self)) if each.eq)

    def __hash__(self) -> int:
        used = [each.name for each in fields(type(self)) if (each.eq if each.hash is None else each.hash)]
        return hash((type(self), *[getattr(self, name) for name in used]))


class Field:
    """What `attrs.Attribute` is to attrs.

    Attributes:
        name: its name.
        default: its default; only if it is not `required`.
        required: whether it has no default.
        validator: a function that takes the value, this and what it is to be, and raises an error; None for none.
        repr: what writes it in the repr; False to leave it out there.
        eq: whether it is compared.
        hash: whether it is part of the hash; None if that is so if it is compared.
    """

    __slots__ = ("default", "eq", "hash", "name", "repr", "validator")

    def __init__(
        self,
        *,
        default: Any = _REQUIRED,
        validator: Callable[[Any, Any, Any], object] | None = None,
        repr: bool | Callable[[Any], str] = True,  # noqa: A002 - as in attrs
        eq: bool = True,
        hash: bool | None = None,  # noqa: A002 - as in attrs
    ) -> None:
        self.name = ""
        self.default = default
        self.validator = validator
        self.repr: Any = _repr if repr is True else repr
        self.eq = eq
        self.hash = hash

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED


_repr = repr


def fields(cls: Any) -> tuple[Field, ...]:
    """Return the fields of a class that `frozen` made, or of a subclass of one."""
    return cls.__late_fields__  # type: ignore[no-any-return]


def evolve(value: ValueT, **changes: Any) -> ValueT:
    """Return a copy with other values, as `attrs.evolve` does."""
    values = {each.name: getattr(value, each.name) for each in fields(type(value))}
    return type(value)(**{**values, **changes})


def _frozen(*, kw_only: bool = False, init: bool = True, **_: bool) -> Callable[[type], type]:
    """Return a decorator that does what `attrs.frozen` does with these options; `eq` and `repr` must be False."""
    return functools.partial(_made, kw_only=kw_only, init=init)


if TYPE_CHECKING:
    from attrs import field, frozen
else:
    field, frozen = Field, _frozen

# What attrs makes: `__replace__` only on Python 3.13 and newer. There is no `__attrs_props__`, as `attrs.inspect` looks
# for it where nothing can be made when it is first asked for; so `attrs.inspect` refuses these classes.
_OF_ATTRS = (
    "__attrs_attrs__",
    "__delattr__",
    "__getstate__",
    "__replace__",
    "__setattr__",
    "__setstate__",
)


class _OfAttrs:
    """An attribute of a class that attrs makes, when it is first asked for.

    Args:
        name: its name.
        twin: returns a class with the same fields, made by attrs.
    """

    def __init__(self, name: str, twin: Callable[[], type]) -> None:
        self._name = name
        self._twin = twin

    def __get__(self, instance: object, owner: type) -> Any:
        made = getattr(self._twin(), self._name)
        return made.__get__(instance, owner) if hasattr(made, "__get__") else made


def _made(cls: type, *, kw_only: bool, init: bool) -> type:
    all_fields = []
    for name in cls.__annotations__:
        each = vars(cls).get(name, _REQUIRED)
        if not isinstance(each, Field):
            each = Field(default=each)
        each.name = name
        all_fields.append(each)
    names = tuple([each.name for each in all_fields])

    @functools.cache
    def twin() -> type:
        return _twin(cls, all_fields, kw_only=kw_only, init=init)

    members = {name: each for name, each in vars(cls).items() if name not in {*names, "__dict__", "__weakref__"}}
    members.update(
        {name: _OfAttrs(name, twin) for name in _OF_ATTRS},
        __late_fields__=tuple(all_fields),
        __match_args__=() if kw_only else names,
        __slots__=(*names, "__weakref__"),
        __qualname__=cls.__qualname__,
    )
    made = type(cls)(cls.__name__, cls.__bases__, members)
    name = "__init__" if init else "__attrs_init__"
    setattr(made, name, _init(name, made, all_fields, kw_only=kw_only))
    return made


def _init(name: str, cls: type, all_fields: list[Field], *, kw_only: bool) -> object:
    """Return the method that takes a value for each field."""
    parameters, lines = ["self", "*"] if kw_only else ["self"], []
    known: dict[str, Any] = {"__name__": cls.__module__}
    for each in all_fields:
        parameters.append(each.name if each.required else f"{each.name}=_default_{each.name}")
        lines.append(f"_set_{each.name}(self, {each.name})")
        known[f"_default_{each.name}"] = each.default
        known[f"_set_{each.name}"] = getattr(cls, each.name).__set__
    for each in all_fields:
        if each.validator is not None:
            lines.append(f"_check_{each.name}(self, _field_{each.name}, {each.name})")
            known[f"_check_{each.name}"] = each.validator
            known[f"_field_{each.name}"] = each
    code = f"def {name}({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(code, known)  # noqa: S102 - of the names in the library's classes
    method = known[name]
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    method.__annotations__ = {**cls.__annotations__, "return": None}
    return method


def _twin(cls: type, all_fields: list[Field], *, kw_only: bool, init: bool) -> type:
    """Return a class with the same fields, made by attrs."""
    import attrs

    members = {
        each.name: attrs.field(
            default=attrs.NOTHING if each.required else each.default,
            validator=each.validator,
            repr=True if each.repr is _repr else each.repr,
            eq=each.eq,
            hash=each.hash,
        )
        for each in all_fields
    }
    plain = type(cls.__name__, (), {**members, "__annotations__": cls.__annotations__, "__module__": cls.__module__})
    return attrs.frozen(kw_only=kw_only, init=init, eq=False, repr=False)(plain)
