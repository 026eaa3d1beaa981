"""The output of `Get-OnPremServerReportInfo` as records of named cells, whatever form it was saved in.

Forms: `Format-List` text (what the prompt shows), `Export-Csv` and `ConvertTo-Json`. The cmdlet has no
reference page; its fields are known from the one public output (https://www.a6n.co.uk/2024/05/older-exchange-and-throttling-with-exo.html).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.errors import UsageError

FIELDS = (
    "ServerFQDN",
    "Build",
    "ExchangeServer",
    "FirstDetectedDate",
    "RecommendedBuildVersions",
    "ThrottleEnabledDate",
    "BlockingEnabledDate",
    "NextStageThrottleRate",
    "NextStageBlockRate",
    "NextStageStartDate",
)
DATES = ("FirstDetectedDate", "ThrottleEnabledDate", "BlockingEnabledDate", "NextStageStartDate")
_BY_LOWER = {field.lower(): field for field in FIELDS}
_PROPERTY = re.compile(r"^\s{0,8}([A-Za-z][A-Za-z0-9_]*)\s*:(?:\s(.*))?$")
_PROMPT = re.compile(r"^\s*(\[[^\]]*\]: )?PS(\s[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Records:
    """`form` is `list`, `CSV` or `JSON`; a cell is text, or of JSON also a number, list or object."""

    form: str
    rows: tuple[dict[str, Any], ...]
    unknown: tuple[str, ...]


def read_records(text: str) -> Records:
    """Find the form and take it apart. Raises UsageError where no server is in the text."""
    stripped = text.strip()
    if stripped.startswith(('{"', "{ ", "{\n", "{\r", "[", "{\t")):
        form, raw = "JSON", list(_json(stripped))
    elif (separator := _csv_separator(stripped)) is not None:
        form, raw = "CSV", list(_csv(stripped, separator))
    else:
        form, raw = "list", list(_list(text))
    rows = tuple({_BY_LOWER[k.lower()]: v for k, v in row.items() if k.lower() in _BY_LOWER} for row in raw)
    unknown = tuple(dict.fromkeys(k for row in raw for k in row if k.lower() not in _BY_LOWER))
    if not any(rows):
        raise UsageError(
            "No server of Get-OnPremServerReportInfo is in the file (with nothing to report it prints a "
            "message instead). Save it with: Get-OnPremServerReportInfo | Format-List | Out-File report.txt"
        )
    for number, row in enumerate(rows, 1):
        if not str(row.get("ServerFQDN") or "").strip():
            raise UsageError(
                f"Record {number} of {len(rows)} has no ServerFQDN: is it of Get-OnPremServerReportInfo?"
            )
    return Records(form, rows, unknown)


def _list(text: str) -> Iterator[dict[str, Any]]:
    """`Name : value` lines. A repeated name begins the next server; other lines go on with the value above.

    The console's width breaks long values: at a space if there is one, else in the middle of a word.
    """
    record: dict[str, list[str]] = {}
    current: str | None = None
    for line in text.splitlines():
        found = _PROPERTY.match(line)
        if not line.strip() or _PROMPT.match(line):
            current = None
        elif found and (found[1].lower() in _BY_LOWER or _same_column(line, record)):
            if any(name.lower() == found[1].lower() for name in record):
                yield {name: _joined(name, parts) for name, parts in record.items()}
                record = {}
            current = found[1]
            record[current] = [(found[2] or "").strip()]
        elif current is not None:
            record[current].append(line.strip())
    if record:
        yield {name: _joined(name, parts) for name, parts in record.items()}


def _same_column(line: str, record: dict[str, list[str]]) -> bool:
    """An unknown property counts in Format-List's column of colons, so that prose is no property."""
    return bool(record) and line.index(":") >= len(max(FIELDS, key=len))


def _joined(name: str, parts: list[str]) -> str:
    known = _BY_LOWER.get(name.lower(), "")
    return (" " if known in DATES else "").join(parts)


def _csv_separator(text: str) -> str | None:
    head = next((line for line in text.splitlines() if line.strip() and not line.startswith("#TYPE")), "")
    if "serverfqdn" not in head.lower():
        return None
    return (
        max((head.count(letter), letter) for letter in ",;\t")[1] if any(s in head for s in ",;\t") else None
    )


def _csv(text: str, separator: str) -> Iterator[dict[str, Any]]:
    lines = text.splitlines(keepends=True)
    skipped = 0
    while lines[skipped].startswith("#TYPE") or not lines[skipped].strip():
        skipped += 1
    reader = csv.reader(io.StringIO("".join(lines[skipped:]), newline=""), delimiter=separator)
    header = [name.strip() for name in next(reader)]
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise UsageError(
                f"Line {skipped + reader.line_num} has {len(cells)} cells, the header has {len(header)}"
            )
        yield dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _json(text: str) -> Iterator[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The file begins like JSON but is not: {error}") from error
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        document = document["value"]
    for item in document if isinstance(document, list) else [document]:
        if not isinstance(item, dict):
            raise UsageError(
                "The JSON is not of Get-OnPremServerReportInfo | ConvertTo-Json: a server is an object"
            )
        yield {str(name): value for name, value in item.items()}
