"""Values of report cells as text. Stored and exported times are UTC; a display zone is for people only."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Any


def exported(value: Any) -> Any:
    """For CSV and JSON: times as ISO 8601 with `Z`, days as ISO 8601, numbers and texts as they are."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [exported(item) for item in value]
    if isinstance(value, dict):
        return {str(key): exported(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def shown(value: Any, zone: tzinfo) -> str:
    """For people: times in their zone to the second, empty for null, yes and no."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    if isinstance(value, list | tuple):
        return ", ".join(shown(item, zone) for item in value)
    return str(value)


def visible(text: str) -> str:
    """Control, bidirectional and other invisible characters as `\\u{XXXX}`: logs hold strangers' text."""
    return "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):04x}}}" for letter in text)
