"""Short reprs for error messages."""

from __future__ import annotations

import reprlib
import sys

import pytest

from novaact_http._support.short_repr import short_repr


@pytest.mark.parametrize("value", [0, -1, True, 2**64, 10**500, "a" * 100, [1, [2, [3]]], {"a": 10**100}, None, 1.5])
def test_a_repr_is_as_short_as_the_standard_librarys(value: object) -> None:
    assert short_repr(value) == reprlib.repr(value)


def test_a_huge_integer_is_shown_as_three_dots_wherever_it_is() -> None:
    assert short_repr(10**5000) == short_repr(-(10**5000)) == "..."
    assert short_repr([10**5000, {"a": (10**5000,)}]) == "[..., {'a': (...,)}]"


def test_no_limit_of_the_interpreter_changes_what_is_shown() -> None:
    if not hasattr(sys, "set_int_max_str_digits"):  # Python 3.10 before 3.10.7
        return
    before = sys.get_int_max_str_digits()
    try:
        for limit in (640, 0):
            sys.set_int_max_str_digits(limit)
            for digits in (600, 602, 640, 641, 5_000):
                assert short_repr(10**digits) in ("...", f"1{'0' * 17}...{'0' * 19}")
                assert (short_repr(10**digits) == "...") is (digits > 602)
    finally:
        sys.set_int_max_str_digits(before)
