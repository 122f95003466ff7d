"""Dates as HTTP writes them (RFC 9110, 5.6.7)."""

from __future__ import annotations

_YEAR_9000 = 221_845_392_000


def parse_date(text: str) -> float | None:
    """An HTTP date in seconds since the epoch, or None if it is not one."""
    from email.utils import mktime_tz, parsedate_tz  # 10 ms to import, and only failures need it

    try:
        date = parsedate_tz(text)
        seconds = None if date is None else float(mktime_tz(date))
    except (ValueError, OverflowError):
        return None
    # Garbled hours and zones make times that no clock shows, and no function can write.
    return seconds if seconds is not None and 0 <= seconds < _YEAR_9000 else None
