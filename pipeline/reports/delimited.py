"""CSV, as RFC 4180 has it: UTF-8, commas, LF line ends, null as an empty cell, times in UTC."""

from __future__ import annotations

import csv
import io
import json

from pipeline.reports.values import exported
from pipeline.sql import Result


def to_csv(result: Result) -> str:
    """The whole document."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(result.columns)
    for row in result.rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def to_json(result: Result) -> str:
    """A list of objects, one a row."""
    rows = [dict(zip(result.columns, (exported(value) for value in row), strict=True)) for row in result.rows]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def _cell(value: object) -> object:
    value = exported(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
