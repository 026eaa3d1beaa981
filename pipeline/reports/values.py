"""Values of report cells as text. Stored and exported times are UTC; a display zone is for people only."""

from __future__ import annotations

import re
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any

# Unicode's Default_Ignorable_Code_Point that Python calls printable (fillers, joiners, variation selectors), and the
# blank Braille pattern: nothing is seen of them, so two names that differ would look the same.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# What a spreadsheet takes for the start of a formula, with the full-width forms that it folds. It stands at the start
# of a cell, or where a spreadsheet with another list separator (; in German, a tab) would begin one.
_FORMULA = r"(?='*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])"
_FORMULA_FIRST = re.compile(r" *" + _FORMULA)
# apart from the one at the start, as Python searches for a set of letters much faster than for one of two things
_FORMULA_LATER = re.compile(r"([;\t\r\n])( *)" + _FORMULA)
_PLAIN = (str, int, float)
_DISARMED = re.compile(r"(^|[;\t\r\n])( *)'(?='*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")


def exported(value: Any) -> Any:
    """For CSV and JSON: times as ISO 8601 with `Z`, days as ISO 8601, numbers and texts as they are."""
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, datetime):
        text = value.isoformat(timespec="milliseconds" if value.microsecond else "seconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [exported(item) for item in value]
    if isinstance(value, dict):
        return {str(key): exported(item) for key, item in value.items()}
    return str(value)


def shown(value: Any, zone: tzinfo, yes: str = "yes", no: str = "no") -> str:
    """For people: times in their zone to the second, empty for null, yes and no."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    if isinstance(value, list | tuple):
        return ", ".join(shown(item, zone, yes, no) for item in value)
    return str(value)


def visible(text: str) -> str:
    """Control, bidirectional and other invisible characters as `\\u{XXXX}`: logs hold strangers' text.

    These are C0 and C1 controls (escape sequences of a terminal begin with ESC or U+009B), line and paragraph
    separators, direction marks, overrides and isolates, zero-width and tag characters, lone surrogates.
    """
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(
        letter if letter.isprintable() and not _UNSEEN.match(letter) else f"\\u{{{ord(letter):04x}}}"
        for letter in text
    )


def visible_lines(text: str) -> str:
    """The same for a text of several lines, whose line feeds stay."""
    return "\n".join(visible(line) for line in text.split("\n"))


@lru_cache(maxsize=4096)
def disarmed(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before `=`, `+`, `-`, `@`, tab and carriage return.

    Not only at the start of the text: a CSV file that is opened where `;` parts cells has cells that begin after a `;`.
    `armed` takes the apostrophes away again, exactly. Numbers are never texts here and stay numbers.
    """
    if first := _FORMULA_FIRST.match(text):
        text = f"{first[0]}'{text[first.end() :]}"
    return _FORMULA_LATER.sub(r"\1\2'", text) if _FORMULA_LATER.search(text) else text


def armed(text: str) -> str:
    """The text that `disarmed` was given."""
    return _DISARMED.sub(r"\1\2", text)
