"""XLSX: a sheet a report, typed dates and numbers, frozen and filtered headings, widths that show the text.

No text becomes a formula or a link: it is written as text, with the apostrophes of `disarmed` unless raw.
https://xlsxwriter.readthedocs.io/worksheet.html
"""

from __future__ import annotations

import io
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.reports.document import Document, Sheet, Style
from pipeline.reports.values import disarmed, shown, visible

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

# Limits of the file format; a longer text or sheet would be left out in silence.
LONGEST_TEXT = 32_767
MOST_ROWS = 1_048_576
NARROWEST, WIDEST = 8, 60
_ROWS_MEASURED = 500
_FIRST_DAY = date(1900, 3, 1)
_LARGEST_EXACT = 2**53
_COLOURS = {"critical": "#F8D0D0", "warning": "#FBE8B8"}


def to_xlsx(document: Document, style: Style) -> bytes:
    """The workbook. Raises UsageError if the extra `xlsx` is not installed."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise UsageError('XLSX needs one more package: pip install "tbes[xlsx]"') from error
    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": "tbes", "created": document.as_of.astimezone(UTC).replace(tzinfo=None)})
        formats = _formats(book, style.raw)
        if document.whole:
            _contents(book.add_worksheet("about"), document, style, formats)
        for sheet in document.sheets:
            _sheet(book.add_worksheet(sheet.name[:31]), sheet, style, formats)
    return out.getvalue()


def _formats(book: Workbook, raw: bool) -> dict[str, Format]:
    top = {"valign": "top"}
    # the quote prefix keeps a text a text when its cell is edited
    text = {**top, "text_wrap": True, "num_format": "@", **({"quote_prefix": True} if raw else {})}
    made = {
        "heading": {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EDF3"},
        "text": text,
        "whole": {**top, "num_format": "0"},
        "real": {**top, "num_format": "0.0##"},
        "day": {**top, "num_format": "yyyy-mm-dd"},
        "moment": {**top, "num_format": "yyyy-mm-dd hh:mm:ss"},
        "other": top,
        "title": {"bold": True, "font_size": 14},
        **{f"severity {word}": {**text, "bg_color": colour} for word, colour in _COLOURS.items()},
    }
    return {name: book.add_format(properties) for name, properties in made.items()}


def _contents(sheet: Worksheet, document: Document, style: Style, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 70)
    sheet.write_string(0, 0, "tbes", formats["title"])
    for row, line in enumerate(document.standing(style), 1):
        sheet.write_string(row, 0, line)
    start = len(document.standing(style)) + 2
    sheet.write_string(start, 0, style.texts("text.reports_overview"), formats["heading"])
    sheet.write_string(start, 1, "", formats["heading"])
    sheet.write_string(start, 2, style.texts("text.rows"), formats["heading"])
    for row, report in enumerate(document.sheets, start + 1):
        sheet.write_url(row, 0, f"internal:'{report.name[:31]}'!A1", string=report.name)
        sheet.write_string(row, 1, style.title(report))
        sheet.write_number(row, 2, len(report.result.rows))


def _sheet(to: Worksheet, sheet: Sheet, style: Style, formats: dict[str, Format]) -> None:
    result = sheet.result
    kept = result.rows[: MOST_ROWS - 2]
    for column, name in enumerate(result.columns):
        to.write_string(0, column, style.texts.column(name), formats["heading"])
        to.set_column(column, column, _width(style, sheet, column, kept[:_ROWS_MEASURED]))
    for line, row in enumerate(kept, 1):
        for column, value in enumerate(row):
            _cell(to, line, column, value, sheet, style, formats)
    if len(kept) < len(result.rows):
        words = style.texts("text.cut_rows", shown=len(kept), count=len(result.rows))
        to.write_string(len(kept) + 1, 0, words)
    keys = [i for i, name in enumerate(result.columns[:4]) if name in ("organisation", "server")]
    to.freeze_panes(1, keys[-1] + 1 if keys else 0)
    to.autofilter(0, 0, max(len(kept), 1), max(len(result.columns) - 1, 0))
    to.set_landscape()
    to.fit_to_pages(1, 0)
    to.repeat_rows(0)


def _cell(
    to: Worksheet, row: int, column: int, value: Any, sheet: Sheet, style: Style, formats: dict[str, Format]
) -> None:
    name = sheet.result.columns[column]
    if value is None:
        return
    if isinstance(value, bool):
        to.write_boolean(row, column, value, formats["other"])
    elif isinstance(value, int) and abs(value) <= _LARGEST_EXACT:
        to.write_number(row, column, value, formats["whole"])
    elif isinstance(value, float | Decimal) and math.isfinite(value):
        to.write_number(row, column, float(value), formats["real"])
    elif isinstance(value, datetime) and value.date() >= _FIRST_DAY:
        # a spreadsheet knows no zones
        to.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), formats["moment"])
    elif isinstance(value, date) and not isinstance(value, datetime) and value >= _FIRST_DAY:
        to.write_datetime(row, column, value, formats["day"])
    else:
        text = style.cell(sheet.name, name, value) if isinstance(value, str) else visible(shown(value, UTC))
        kind = f"severity {value}" if name == "severity" and value in _COLOURS else "text"
        to.write_string(row, column, _bounded(text if style.raw else disarmed(text), style), formats[kind])


def _bounded(text: str, style: Style) -> str:
    if len(text.encode("utf-16-le")) // 2 <= LONGEST_TEXT:
        return text
    end = " " + style.texts("text.cut_cell", count=len(text))
    room = LONGEST_TEXT - len(end)
    return text.encode("utf-16-le")[: room * 2].decode("utf-16-le", "ignore") + end


def _width(style: Style, sheet: Sheet, column: int, rows: list[tuple[Any, ...]]) -> int:
    """Characters: as wide as its cells, or as the longest word of its heading."""
    name = sheet.result.columns[column]
    heading = style.texts.column(name)
    widest = max((len(style.cell(sheet.name, name, row[column])) for row in rows), default=0)
    # the button of the filter covers two characters
    return min(WIDEST, max(NARROWEST, widest + 1, max(map(len, heading.split())) + 3))
