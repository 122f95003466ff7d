"""A retry policy's `rng` that does not do what it should: the call says so."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import ConfigurationError, RetryPolicy
from tests.helpers.answers import httpx_page
from tests.helpers.both_clients import SyncFace
from tests.helpers.calls import CALL, mocked

if TYPE_CHECKING:
    from tests.helpers.both_clients import Face


def options(rng: Any) -> dict[str, Any]:
    answers = iter([httpx.Response(503), httpx_page("a")])
    return {**mocked(lambda _: next(answers)), "retries": RetryPolicy(rng=rng)}


@pytest.mark.parametrize("value", [None, "x", b"", 1.1, -0.1, float("nan"), float("inf"), 10**40, [0.5], 1j], ids=repr)
def test_what_is_no_number_from_0_to_1_is_a_configuration_error(face: Face, value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^RetryPolicy\.rng returned no number from 0 to 1") as caught:
        face.page(options(lambda: value), **CALL)
    error = caught.value
    assert (error.setting, error.source) == ("retries", "RetryPolicy.rng")
    assert error.advice == "use one such as random.random"


@pytest.mark.parametrize("error", [StopIteration(), ValueError("odd"), ZeroDivisionError()])
def test_an_rng_that_fails_is_a_configuration_error_too(face: Face, error: Exception) -> None:
    def rng() -> float:
        raise error

    with pytest.raises(ConfigurationError, match=rf"from 0 to 1 \({type(error).__name__}: {error}\): use") as caught:
        face.page(options(rng), **CALL)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
def test_what_interrupts_the_program_in_an_rng_is_left_alone(error: BaseException) -> None:
    def rng() -> float:
        raise error

    with pytest.raises(type(error)):
        SyncFace().page(options(rng), **CALL)


@pytest.mark.parametrize("value", [0, 0.0, 1, Fraction(0), Decimal(0)], ids=repr)
def test_numbers_of_any_kind_are_fine(face: Face, value: Any) -> None:
    policy = options(lambda: value * 0)
    assert face.page(policy, **CALL).session_summaries[0].session_id == "a"
