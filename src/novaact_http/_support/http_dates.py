"""Dates in HTTP (RFC 9110, 5.6.7)."""

from __future__ import annotations

_YEAR_9000 = 221_845_392_000
_LONGEST = 64  # characters; the longest of the three forms has 33


def parse_date(text: str) -> float | None:
    """Return an HTTP date as seconds since the epoch, or None if the text is not a date."""
    if len(text) > _LONGEST:
        return None
    from email.utils import mktime_tz, parsedate_tz  # takes 10 ms to import, and only failures need it

    try:
        date = parsedate_tz(text)
        seconds = None if date is None else float(mktime_tz(date))
    except (ValueError, OverflowError):
        return None
    # Wrong hours and zones make times that no clock shows, and that other functions cannot format.
    return seconds if seconds is not None and 0 <= seconds < _YEAR_9000 else None
