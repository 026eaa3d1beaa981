"""Moments as users write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.errors import UsageError


def parse_moment(text: str, now: datetime) -> datetime:
    """`2026-11-24`, an ISO time (UTC unless it says otherwise), or an age: `7d`, `12h`.

    Raises UsageError for anything else.
    """
    try:
        if text[-1:] in "dh" and text[:-1].isdecimal():
            return now - timedelta(**{"days" if text[-1] == "d" else "hours": int(text[:-1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no time: give a day (2026-11-24), a time (2026-11-24T10:00Z) or an age (7d, 12h)"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
