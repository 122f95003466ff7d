"""Durations: `--since 2h`, and how they are shown."""

from __future__ import annotations

import datetime as dt

import click
import pytest

from novaact_http.cli._durations import Duration, Seconds, in_words


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800), ("1d1h1m1s", 90_061)]
)
def test_a_duration_is_a_number_of_seconds(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0s", "2", "h", "2x", "1.5h", "-2h", "2h 1m", "1m2h", "²h", "99999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        Duration().convert(text, None, None)
    assert caught.value.message == f"must be a duration such as 90s, 15m, 2h, 7d or 1h30m, not {text!r}"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (754, "12m 34s"),
        (7_200, "2h"),
        (7_259, "2h"),
        (90_061, "1d 1h"),
        (604_800, "7d"),
    ],
)
def test_a_duration_is_shown_by_its_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(dt.timedelta(seconds=seconds)) == words


def test_seconds_may_have_a_fraction() -> None:
    assert Seconds().convert("1.5", None, None) == 1.5
    assert Seconds().convert(10, None, None) == 10  # a default


@pytest.mark.parametrize("text", ["0", "0.9", "-1", "nan", "inf", "1e99", "soon"])
def test_what_is_no_usable_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        Seconds().convert(text, None, None)
    assert caught.value.message == f"must be a number of seconds from 1 to 31536000, a year, not {text!r}"
