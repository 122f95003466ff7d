"""Classes that `late_attrs` makes behave as those that attrs makes."""

from __future__ import annotations

import copy
import inspect
import pickle
import weakref
from typing import Any

import attrs
import pytest

from novaact_http import Attempt, CallReport, Credentials, Poll, RetryPolicy, Timeout, models
from novaact_http._support import late_attrs
from novaact_http._support.late_attrs import ValueObject
from tests.helpers.programs import run_python

CLASSES = [each for each in (getattr(models, name) for name in models.__all__) if attrs.has(each)]
CLASSES = [each for each in CLASSES if issubclass(each, ValueObject)]
CLASSES += [Attempt, CallReport, Credentials, Poll, RetryPolicy, Timeout]


def twin(cls: Any) -> Any:
    """Return a class with the same attributes, whose methods are attrs'."""
    fields = {each.name: attrs.field(repr=each.repr, eq=each.eq, hash=each.hash) for each in attrs.fields(cls)}
    return attrs.make_class(cls.__name__, fields, frozen=True, kw_only=True, repr=True, eq=True)


def made(cls: Any, **values: Any) -> Any:
    """Return a value with these attributes, whatever they are."""
    self = cls.__new__(cls)
    for name, value in values.items():
        object.__setattr__(self, name, value)
    return self


@pytest.mark.parametrize("cls", CLASSES)
def test_repr_equality_and_hash_are_attrs(cls: Any) -> None:
    theirs = twin(cls)
    names = [each.name for each in attrs.fields(cls)]
    first = {name: f"a {name} of sixteen characters" for name in names}
    ours, other = made(cls, **first), theirs(**first)
    assert repr(ours) == repr(other)
    assert ours == made(cls, **first)
    assert hash(ours) == hash(made(cls, **first))
    assert ours != other
    for name in names:
        second = {**first, name: "another one"}
        assert (ours == made(cls, **second)) is (other == theirs(**second))
        assert (hash(ours) == hash(made(cls, **second))) is (hash(other) == hash(theirs(**second)))
        assert repr(made(cls, **second)) == repr(theirs(**second))


def test_a_value_of_a_subclass_is_another_value() -> None:
    class Longer(Poll):
        pass

    assert Poll() != Longer()
    assert repr(Longer()).startswith("test_a_value_of_a_subclass_is_another_value.<locals>.Longer(initial=2.0")


@pytest.mark.parametrize(
    "value", [Poll(initial=3), Timeout(total=5), models.SessionSummary("a"), models.ToolInputSchema(json={"a": 1})]
)
def test_values_can_be_copied_pickled_and_evolved(value: Any) -> None:
    assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == attrs.evolve(value) == value
    assert attrs.asdict(value)


def positive(_: object, attribute: Any, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{attribute.name} is {value}")


def declared(by: Any, **options: Any) -> Any:
    """Return the same class, made by attrs or in its place."""

    class Example:
        """What it is."""

        __slots__ = ()

        first: str
        second: int = by.field(default=2, validator=positive, repr=False)
        third: tuple[str, ...] = ()
        fourth: float | None = by.field(default=None, eq=False, repr=str)

        def method(self) -> str:
            return self.first

    return by.frozen(eq=False, repr=False, **options)(Example)


BOTH = pytest.mark.parametrize("options", [{}, {"kw_only": True}, {"kw_only": True, "init": False}])


@BOTH
def test_classes_have_what_those_of_attrs_have(options: dict[str, Any]) -> None:
    ours, theirs = declared(late_attrs, **options), declared(attrs, **options)
    assert attrs.has(ours)
    assert [each.name for each in attrs.fields(ours)] == ["first", "second", "third", "fourth"]
    assert attrs.fields(ours) == attrs.fields(theirs)
    init = "__init__" if options.get("init", True) else "__attrs_init__"
    assert inspect.signature(getattr(ours, init)) == inspect.signature(getattr(theirs, init))
    assert getattr(ours, init).__qualname__ == getattr(theirs, init).__qualname__
    for name in ("__slots__", "__match_args__", "__qualname__", "__module__", "__doc__", "__annotations__", "__name__"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert set(vars(theirs)) - set(vars(ours)) == {"__attrs_props__"} & set(vars(theirs))


@pytest.mark.parametrize("options", [{}, {"kw_only": True}])
@pytest.mark.parametrize(
    "arguments",
    [
        {"first": "a"},
        {"first": "a", "second": 5, "third": ("b",), "fourth": 1.5},
        {"first": "a", "second": 0},
        {"first": "a", "fifth": 5},
        {},
    ],
)
def test_values_are_made_and_refused_as_by_attrs(options: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert result(late_attrs, options, arguments) == result(attrs, options, arguments)


def result(by: Any, options: dict[str, Any], arguments: dict[str, Any]) -> object:
    """Return what comes of making a value: its attributes and what its method returns, or the error."""
    try:
        value: Any = declared(by, **options)(**arguments)
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    assert not hasattr(value, "__dict__")
    assert weakref.ref(value)() is not None
    return [value.first, value.second, value.third, value.fourth], value.method(), attrs.astuple(value)


def test_positions_are_taken_as_by_attrs() -> None:
    assert attrs.astuple(declared(late_attrs)("a", 5)) == attrs.astuple(declared(attrs)("a", 5))
    with pytest.raises(TypeError):
        declared(late_attrs, kw_only=True)("a")


def test_values_are_frozen() -> None:
    for value in (declared(late_attrs)("a"), declared(attrs)("a")):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.first = "b"
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            del value.first
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            value.fifth = 5


def test_values_have_attrs_state() -> None:
    ours, theirs = declared(late_attrs)("a", 5), declared(attrs)("a", 5)
    assert ours.__getstate__() == theirs.__getstate__()
    empty = object.__new__(type(ours))
    empty.__setstate__(theirs.__getstate__())
    assert attrs.astuple(empty) == ("a", 5, (), None)


def test_values_can_be_replaced() -> None:
    replace = getattr(copy, "replace", attrs.evolve)  # new in Python 3.13
    assert replace(Poll(initial=3), maximum=5) == Poll(initial=3, maximum=5)


def test_a_class_of_attrs_may_inherit() -> None:
    @attrs.define(kw_only=True)
    class Named(Timeout):
        name: str = "a"

    value: Any = Named(total=5, name="b")
    assert attrs.asdict(value) == {"connect": 5.0, "read": 60.0, "total": 5, "name": "b"}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.name = "c"


def test_evolving_is_attrs_evolve() -> None:
    value = Poll(initial=3)
    assert late_attrs.evolve(value, maximum=5) == attrs.evolve(value, maximum=5) == Poll(initial=3, maximum=5)


def test_types_can_be_resolved() -> None:
    assert attrs.fields(attrs.resolve_types(Timeout)).total.type == float | None


def test_attrs_is_imported_when_it_is_looked_for() -> None:
    code = """
        import sys
        from novaact_http import Timeout

        value = Timeout(total=5)
        print(value == Timeout(total=5), repr(value), hash(value) == hash(Timeout(total=5)), "attr" in sys.modules)
        print([each.name for each in Timeout.__attrs_attrs__], "attr" in sys.modules)
    """
    assert run_python("-c", code).stdout.splitlines() == [
        "True Timeout(connect=5.0, read=60.0, total=5) True False",
        "['connect', 'read', 'total'] True",
    ]
