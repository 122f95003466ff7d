"""Clocks that differ by more than a day: nothing is learnt from that, and the error says whose clock is wrong."""

from __future__ import annotations

import pickle
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from novaact_http import Client, ServiceError
from novaact_http._call.http_messages import Response
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, NOW, mocked
from tests.helpers.flows import context, drive

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR, DAY = 3600, 86_400


def refused(date: str, code: str = "RequestTimeTooSkewed") -> Response:
    return Response(403, (("x-amzn-errortype", code), ("date", date)), b'{"message": "no"}')


def client_that_gets(*dates: str) -> tuple[dict[str, Any], list[str]]:
    """Return the options of a client that is refused with each Date, then answered; and the years that it signs for."""
    answers, years = iter(dates), []

    def answer(request: httpx.Request) -> httpx.Response:
        years.append(request.headers["x-amz-date"][:4])
        for date in answers:
            return httpx.Response(403, headers={"x-amzn-ErrorType": "RequestTimeTooSkewed", "Date": date})
        return httpx_page("a")

    return mocked(answer), years


def test_one_wrong_date_does_not_spoil_the_later_requests() -> None:
    options, years = client_that_gets("Sun, 01 Jan 8999 00:00:00 GMT")
    with Client(**options) as client:
        with pytest.raises(ServiceError, match="the clock of the server or proxy that answered is wrong") as caught:
            client.list_sessions(**CALL)
        assert client.list_sessions(**CALL).session_summaries[0].session_id == "a"
    assert len(set(years)) == 1
    assert len(years) == 2
    assert caught.value.clock_skew is not None
    assert caught.value.clock_skew > 6_000 * 365 * DAY


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (DAY + 1, "this machine's clock is 1.0 days behind the service's: set it right"),
        (-DAY - 1, "this machine's clock is 1.0 days ahead of the service's: set it right"),
        (400 * DAY, "this machine's clock is 400.0 days behind the service's: set it right"),
        (-1_000 * DAY, "the Date of the response is 1,000.0 days behind this machine's clock: the clock of the server"),
        (100 * 366 * DAY, "the Date of the response is 36,600.0 days ahead of this machine's clock: the clock of the"),
    ],
)
def test_a_difference_of_over_a_day_is_told_and_not_learnt(skew: int, words: str) -> None:
    shared = context()
    driven = drive(shared, [refused(formatdate(NOW + skew, usegmt=True))])
    assert isinstance(driven.error, ServiceError)
    assert f"(status 403, request id None, attempts 1); {words}" in str(driven.error)
    assert driven.error.clock_skew == pytest.approx(skew, abs=1)
    assert driven.error.code == "RequestTimeTooSkewed"
    assert len(driven.requests) == 1
    assert shared.skew.seconds == 0.0
    assert str(pickle.loads(pickle.dumps(driven.error))) == str(driven.error)


def test_a_machine_that_began_in_1970_is_told_that_its_clock_is_behind() -> None:
    driven = drive(context(clock=lambda: 60.0), [refused(formatdate(NOW, usegmt=True))])
    assert "; this machine's clock is 20,4" in str(driven.error)
    assert "days behind the service's: set it right" in str(driven.error)


@pytest.mark.parametrize("skew", [DAY - 1, -DAY + 1, HOUR])
def test_up_to_a_day_is_learnt(skew: int) -> None:
    shared = context()
    driven = drive(shared, [refused(formatdate(NOW + skew, usegmt=True))])
    assert driven.error is None
    assert shared.skew.seconds == pytest.approx(skew, abs=1)


@pytest.mark.parametrize(
    ("make", "dates"),
    [
        (lambda: context(correct_clock_skew=False), (NOW + HOUR,)),
        (context, (NOW + HOUR / 2, NOW + HOUR)),
    ],
    ids=["correction is turned off", "corrected once already"],
)
def test_a_smaller_difference_that_is_not_corrected_is_told_too(
    make: Callable[[], Any], dates: tuple[float, ...]
) -> None:
    driven = drive(make(), [refused(formatdate(each, usegmt=True)) for each in dates])
    assert isinstance(driven.error, ServiceError)
    assert str(driven.error).endswith("; this machine's clock is 60 minutes behind the service's: set it right")


def test_another_error_says_nothing_of_clocks() -> None:
    error = drive(context(), [refused("Sun, 01 Jan 8999 00:00:00 GMT", "AccessDeniedException")]).error
    assert isinstance(error, ServiceError)
    assert error.clock_skew is None
    assert "clock" not in str(error)
