"""Values behave as if attrs had generated their methods."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import pytest

from novaact_http import Attempt, CallReport, Credentials, Poll, RetryPolicy, Timeout, models
from novaact_http._support.value_objects import ValueObject

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
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(value, attrs.fields(type(value))[0].name, 5)
