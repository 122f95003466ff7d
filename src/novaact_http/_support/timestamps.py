"""Moments in JSON: ISO 8601 (RFC 3339), or seconds since the epoch."""

from __future__ import annotations

import datetime as dt
import re

_UTC = dt.timezone.utc
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=_UTC)
_DATE = r"(\d{4})-?(\d\d)-?(\d\d)"
_TIME = r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?"
_ISO_8601 = re.compile(rf"{_DATE}(?:[Tt ]{_TIME})?", re.ASCII)
# What the service sends, and every Python reads.
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{3}|\.\d{6})?Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_LONGEST = 1_000  # characters


def parse_timestamp(raw: object) -> dt.datetime | None:
    """Return a moment in UTC, to the microsecond; None if it is no timestamp. Without a time zone it is in UTC."""
    try:
        if isinstance(raw, str):
            if _USUAL.fullmatch(raw):
                return dt.datetime.fromisoformat(f"{raw[:-1]}+00:00")
            if len(raw) > _LONGEST:
                return None
            if _NUMBER.fullmatch(raw):
                return _EPOCH + dt.timedelta(seconds=float(raw))
            parts = _ISO_8601.fullmatch(raw)
            return None if parts is None else _moment(*parts.groups())
        if isinstance(raw, (int, float)) and not isinstance(raw, bool):
            return _EPOCH + dt.timedelta(seconds=raw)
    except (ValueError, OverflowError):
        pass  # the 30th of February, or beyond the year 9999
    return None


def _moment(  # noqa: PLR0917 - the parts of the expression
    year: str,
    month: str,
    day: str,
    hour: str | None,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    _: str | None,
    sign: str | None,
    offset_hours: str | None,
    offset_minutes: str | None,
) -> dt.datetime:
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    time = int(hour or 0), int(minute or 0), int(second or 0), microsecond
    moment = dt.datetime(int(year), int(month), int(day), *time, tzinfo=_UTC)
    if sign is None:
        return moment
    ahead = dt.timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    return moment - ahead if sign == "+" else moment + ahead
