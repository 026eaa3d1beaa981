"""CSV, JSON and JSON Lines. UTF-8, LF line ends, times in UTC; CSV as RFC 4180 has it, null as an empty cell."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline.reports.values import disarmed, exported, visible

if TYPE_CHECKING:
    from pipeline.sql import Result

_INVISIBLE = re.compile(r"[^\n -~]")
_REPEATING = {str, bool, int}


def to_csv(result: Result, *, raw: bool = False) -> str:
    """The whole document. Texts cannot become formulas in a spreadsheet, unless `raw`."""
    cells = [_column([row[i] for row in result.rows], raw) for i in range(len(result.columns))]
    return "".join(
        ",".join(line) + "\n" for line in (map(_quoted, result.columns), *zip(*cells, strict=True))
    )


def to_json(result: Result) -> str:
    """A list of objects, one a row."""
    return dumped(records(result)) + "\n"


def to_jsonl(result: Result) -> str:
    """One object a line, one a row."""
    return "".join(dumped(record, indent=None) + "\n" for record in records(result))


def records(result: Result) -> list[dict[str, Any]]:
    """Rows as objects of plain JSON values."""
    return [dict(zip(result.columns, (exported(value) for value in row), strict=True)) for row in result.rows]


def dumped(value: Any, indent: int | None = 2) -> str:
    """JSON whose invisible characters (controls, also of C1, and direction marks) stand as `\\uXXXX`: the same
    document to a program, and inert on a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _INVISIBLE.sub(
        lambda found: found[0] if visible(found[0]) == found[0] else json.dumps(found[0])[1:-1], text
    )


def _quoted(text: str) -> str:
    """RFC 4180; Python's writer leaves a lone carriage return bare where lines end in LF."""
    if "," in text or '"' in text or "\r" in text or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def _column(values: list[Any], raw: bool) -> list[str]:
    """The cells of a column: what repeats in it is written once."""
    # Equal values are the same text only among those of one such type: True is 1, and 0.0 is -0.0.
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and kinds <= _REPEATING:
        texts = {value: _quoted(_cell(value, raw)) for value in set(values)}
        return [texts[value] for value in values]
    return [_quoted(_cell(value, raw)) for value in values]


def _cell(value: object, raw: bool) -> str:
    if isinstance(value, date):
        return str(exported(value))
    value = exported(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return disarmed(value) if isinstance(value, str) and not raw else str(value)
