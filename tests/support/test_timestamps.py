"""Timestamps in JSON are read as botocore reads them, or refused."""

from __future__ import annotations

import datetime as dt

import pytest
from botocore.utils import parse_timestamp as botocores
from hypothesis import given
from hypothesis import strategies as st

from novaact_http._support.timestamps import parse_timestamp

UTC = dt.timezone.utc


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2026-11-25T10:00:00.123Z", dt.datetime(2026, 11, 25, 10, 0, 0, 123_000, UTC)),
        ("2026-11-25T10:00:00Z", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25t10:00:00z", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25 10:00Z", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T10:00:00.123456789Z", dt.datetime(2026, 11, 25, 10, 0, 0, 123_456, UTC)),
        ("2026-11-25T10:00:00." + "1" * 60 + "Z", dt.datetime(2026, 11, 25, 10, 0, 0, 111_111, UTC)),
        ("1763930096." + "2" * 90, dt.datetime(2025, 11, 23, 20, 34, 56, 222_222, UTC)),
        ("2026-11-25", dt.datetime(2026, 11, 25, tzinfo=UTC)),
        ("20261125T100000Z", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T10Z", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T10:00:00,5Z", dt.datetime(2026, 11, 25, 10, 0, 0, 500_000, UTC)),
        ("2026-11-25T12:30:00+02:30", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T08:00:00-0200", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T09:00:00-01", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        ("2026-11-25T10:00:00", dt.datetime(2026, 11, 25, 10, tzinfo=UTC)),
        (0, dt.datetime(1970, 1, 1, tzinfo=UTC)),
        (-1.5, dt.datetime(1969, 12, 31, 23, 59, 58, 500_000, UTC)),
        (1_763_930_096.25, dt.datetime(2025, 11, 23, 20, 34, 56, 250_000, UTC)),
        ("1763930096.25", dt.datetime(2025, 11, 23, 20, 34, 56, 250_000, UTC)),
        ("1.763930096E9", dt.datetime(2025, 11, 23, 20, 34, 56, tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_a_moment_in_utc(raw: object, moment: dt.datetime) -> None:
    assert parse_timestamp(raw) == moment
    assert parse_timestamp(raw).tzinfo is UTC  # type: ignore[union-attr]
    if raw not in ("2026-11-25T10:00:00", "2026-11-25"):  # which botocore takes for the machine's own time
        theirs = botocores(raw)
        assert abs(theirs - moment) < dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        True,
        [],
        {},
        "",
        "yesterday",
        "2026-02-30T10:00:00Z",
        "2026-11-25T24:00:01Z",
        "2026-11-25T24:00:00Z",
        "2026-11-25T23:60:00Z",
        "2026-11-25T10:00:00+2",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "nan",
        "inf",
        "1e99",
        float("inf"),
        float("nan"),
        1e18,
        10**400,
        "1" * 16,
        "\u0661763930096",
        "2026-11-25T10:00:00." + "1" * 1000 + "Z",
    ],
    ids=lambda raw: repr(raw)[:40],
)
def test_what_is_no_timestamp_is_none(raw: object) -> None:
    assert parse_timestamp(raw) is None


@given(st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29), timezones=st.timezones()))  # noqa: DTZ001
def test_any_moment_in_iso_8601_is_read_back(moment: dt.datetime) -> None:
    offset = moment.utcoffset()
    if offset is not None and offset.seconds % 60:
        return  # a zone before there were standard times; ISO 8601 has no seconds in an offset
    # In UTC, as moments of an hour that a clock shows twice equal no others.
    assert parse_timestamp(moment.isoformat()) == moment.astimezone(UTC)
    assert parse_timestamp(moment.astimezone(UTC).isoformat().replace("+00:00", "Z")) == moment.astimezone(UTC)


@given(st.integers(-(2**31), 2**33) | st.floats(-(2**31), 2**33))
def test_any_number_of_seconds_is_read_as_botocore_reads_it(seconds: float) -> None:
    theirs = botocores(seconds)
    ours = parse_timestamp(seconds)
    assert ours is not None
    assert abs(ours - theirs) <= dt.timedelta(microseconds=1)


@given(st.text(max_size=40) | st.from_regex(r"[0-9T:.+Z-]{1,30}", fullmatch=True))
def test_any_text_is_a_moment_or_none(raw: str) -> None:
    assert isinstance(parse_timestamp(raw), (dt.datetime, type(None)))
