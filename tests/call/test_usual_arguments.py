"""The quick way to check and encode arguments sends, byte for byte, what the careful way sends, or nothing."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import SortOrder
from novaact_http._call import parameters, rest_json, sigv4
from novaact_http._operations.shapes import Enumeration, Integer, String, Token
from novaact_http.models import WorkflowRunStatus
from tests.helpers.operations import OPERATIONS


class Number(enum.IntEnum):
    ONE = 1


class Text(str):  # noqa: SLOT000
    pass


ODD: list[object] = [
    None,
    "",
    ".",
    "..",
    ".a",
    "a.",
    "a/b",
    "a b",
    "a\n",
    "é",
    "\ud800",
    "x" * 32,
    "x" * 33,
    "x" * 5_000,
    "+/=",
    Text("a"),
    SortOrder.ASCENDING,
    WorkflowRunStatus.RUNNING,
    True,
    False,
    -1,
    0,
    1,
    1_000_000,
    1_000_001,
    2**63,
    10**5_000,
    1.0,
    Number.ONE,
    b"a",
    [],
    {},
    (),
]
VALUES = st.one_of(st.sampled_from(ODD), st.text(max_size=40), st.integers())
# Shapes whose values go the quick way.
PLAIN = (String, Integer)


def usual(operation: Any) -> dict[str, object]:
    """Return usual values for the arguments of an operation that can have them."""
    values: dict[str, object] = {}
    for each in operation.inputs:
        if isinstance(each.shape, Integer):
            values[each.name] = 7
        elif isinstance(each.shape, Enumeration):
            values[each.name] = str(next(iter(each.shape.members)))
        elif isinstance(each.shape, String):
            values[each.name] = "t" * 36 if isinstance(each.shape, Token) else "a-b_c.d~e"
    return values


@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
def test_the_quick_way_sends_what_the_careful_way_sends(name: str, data: st.DataObject) -> None:
    operation = OPERATIONS[name]
    arguments = {each.name: data.draw(VALUES) for each in operation.inputs}
    # Nearly all of them would have something odd, so that the quick way would hardly ever be gone.
    arguments |= {each: value for each, value in usual(operation).items() if data.draw(st.integers(0, 3))}
    check(operation, arguments)


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_odd_value_at_a_time(name: str) -> None:
    operation = OPERATIONS[name]
    for each in operation.inputs:
        for value in ODD:
            check(operation, {**usual(operation), each.name: value})


def check(operation: Any, arguments: dict[str, object]) -> bool:
    """Compare both ways. Return whether the quick one was gone."""
    quick = rest_json.encode_usual(operation, arguments)
    if quick is not None:
        parameters.check(operation.name, operation.inputs, arguments)  # raises if the quick way overlooked something
        assert quick == rest_json.encode(operation, arguments)
        path, query, _ = quick
        if operation.query_is_sorted:  # and so as the canonical request of the signature has them
            assert (path, query) == (sigv4._canonical_uri(path), sigv4._canonical_query(query))
    return quick is not None


def test_the_query_of_nearly_all_operations_is_sorted() -> None:
    assert [name for name, each in OPERATIONS.items() if not each.query_is_sorted] == ["ListActs"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_usual_arguments_go_the_quick_way(name: str) -> None:
    operation = OPERATIONS[name]
    needs_more = any(each.required and not isinstance(each.shape, PLAIN) for each in operation.inputs)
    assert check(operation, usual(operation)) is not needs_more
    if not needs_more:
        required = {each.name for each in operation.inputs if each.required}
        assert check(operation, {key: value for key, value in usual(operation).items() if key in required})
