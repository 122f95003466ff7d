"""What a test has prepared and so expects to be used: answers and faults. pytest's plugin asks at the end of a test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Expectation(Protocol):
    """Something that a test has prepared."""

    def assert_all_used(self) -> None:
        """Raise an AssertionError if something was not used."""
        ...


_expected: list[Expectation] | None = None  # None outside of tests, so that nothing is kept


def expect(expectation: Expectation) -> None:
    """Let this be asked at the end of the test that runs, once."""
    if _expected is not None and not any(each is expectation for each in _expected):
        _expected.append(expectation)


def unused() -> str:
    """Return in words what was not used of all that is expected; `""` for nothing."""
    return "\n".join(filter(None, map(_unused_of, _expected or ())))


def _unused_of(expectation: Expectation) -> str:
    try:
        expectation.assert_all_used()
    except AssertionError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def collected() -> Iterator[None]:
    """Collect what is expected within a `with` block."""
    global _expected  # noqa: PLW0603 - what is expected is made anywhere in a test
    before, _expected = _expected, []
    try:
        yield
    finally:
        _expected = before
