"""A table that fits the terminal: what has no room in a row stands below it with its heading, never squeezed away.

Columns keep their order. A column is in the table where its cells fit there in few lines, times and names in one; the
others follow each row as `heading: value`. Columns that a report does not mean for a terminal are counted below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pipeline.i18n import Texts
from pipeline.reports.document import Style
from pipeline.reports.third_party import MARK
from pipeline.reports.values import visible
from pipeline.sql import Result

GAP = 2
INDENT = 4
WIDEST = 100
SHORT = 24
"""A cell of up to so many characters may take two lines, a longer one three."""
_SEVERITY = {
    "fully blocked": "bold red",
    "partly blocked": "red",
    "delayed": "yellow",
    "bounced": "red",
    "pending": "yellow",
    "no build is accepted": "bold red",
    "below the floor": "red",
    "block": "red",
    "throttle": "yellow",
    "accepted today, refused after the next raise": "yellow",
    "critical": "bold red",
    "warning": "yellow",
    "accepted": "green",
    "accepted today": "green",
}
_NUMBERS = ("INT", "INTEGER", "DOUBLE", "BIGINT", "DECIMAL")


@dataclass
class _Column:
    """One column as it is shown: `least` is the narrowest width at which nothing in it is torn, `widest` that of one line."""

    name: str
    heading: str
    cells: list[str]
    values: list[Any]
    numeric: bool
    whole: bool
    width: int = 0

    @cached_property
    def longest(self) -> int:
        return max((cell_len(cell) for cell in self.cells), default=0)

    @cached_property
    def widest(self) -> int:
        return max(min(WIDEST, self.longest), _longest_word(self.heading))

    @cached_property
    def least(self) -> int:
        words = max((_longest_word(cell) for cell in self.cells), default=0)
        lines = 1 if self.whole or self.numeric else 2 if self.longest <= SHORT else 3
        return max(_longest_word(self.heading), words, -(-self.longest // lines))


def print_table(
    console: Console,
    result: Result,
    title: str,
    zone: tzinfo,
    zone_name: str,
    first: Sequence[str] = (),
    below: Sequence[str] = (),
    texts: Texts | None = None,
    report: str = "",
) -> None:
    """Print rows; `first` names the columns to show (all, if none), in the table or below their row.

    `texts` are the words (default: English); the columns of `report` that hold words of the product are translated.

    `below` names columns of whole sentences: they are printed below the table, a paragraph a row, under the
    text of its first column; what to do is a line of its own.
    """
    texts = texts or Texts("en")
    style = Style(texts, zone, zone_name)
    if not result.rows:
        console.print(Text(texts("text.no_rows", title=visible(title))), highlight=False)
        return
    columns = _columns(result, first, below, style, report)
    shown = [column for column in columns if not first or column.name in first] or columns
    table = _fitting(shown, console.width)
    leftover = [column for column in shown if column not in table]
    console.print(Text(visible(title), style="bold"), highlight=False)
    _print_rows(console, table, leftover)
    _print_below(console, result, below, columns, style, report)
    notes = []
    if any(kind.startswith("TIMESTAMP") for kind in result.types):
        notes.append(
            texts("text.times_are_utc") if zone_name == "UTC" else texts("text.times_are", zone=zone_name)
        )
    if any(cell.endswith(f" {MARK}") for column in shown for cell in column.cells):
        notes.append(texts("text.third_party"))
    if hidden := len(columns) - len(shown):
        notes.append(texts("text.more_columns", count=hidden))
    if notes:
        console.print(Text(" ".join(notes), style="dim"), highlight=False)


def _columns(
    result: Result, first: Sequence[str], below: Sequence[str], style: Style, report: str
) -> list[_Column]:
    """The columns that hold anything, those of `first` first."""
    names = [name for name in first if name in result.columns]
    names += [name for name in result.columns if name not in names]
    columns = []
    records = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
    for name in names:
        at = result.columns.index(name)
        kind = result.types[at]
        values = [row[at] for row in result.rows]
        cells = [style.marked_cell(report, name, record) for record in records]
        if any(cells) and name not in below:
            columns.append(
                _Column(
                    name,
                    style.texts.column(name),
                    cells,
                    values,
                    numeric=kind.startswith(_NUMBERS) or kind.endswith(_NUMBERS),
                    whole=kind.startswith(("TIMESTAMP", "DATE", "BOOLEAN")),
                )
            )
    return columns


def _fitting(columns: Sequence[_Column], width: int) -> list[_Column]:
    """The columns that fit the width, with their widths; always one."""
    chosen: list[_Column] = []
    room = width + GAP
    for number, column in enumerate(columns):
        # behind a column without room only short ones come forward: sentences keep their order
        in_order = len(chosen) == number or column.longest <= SHORT
        if (in_order and column.least + GAP <= room) or not chosen:
            column.width = min(column.least, width)
            chosen.append(column)
            room -= column.width + GAP
    # what is left goes to the narrowest of those that still break lines
    while room > 0 and (growing := [column for column in chosen if column.width < column.widest]):
        column = min(growing, key=lambda column: column.width / column.widest)
        column.width += 1
        room -= 1
    return chosen


def _print_rows(console: Console, table: Sequence[_Column], leftover: Sequence[_Column]) -> None:
    headings = [Text(column.heading, style="bold") for column in table]
    _print_line(console, table, headings, bottom=True)
    rule = "-" if console.options.ascii_only else "\u2500"
    console.print(
        Text((" " * GAP).join(rule * column.width for column in table), style="dim"), highlight=False
    )
    for row in range(len(table[0].cells)):
        _print_line(
            console, table, [Text(column.cells[row], style=_style(column.values[row])) for column in table]
        )
        items = [
            Text.assemble((f"{column.heading}: ", "dim"), (column.cells[row], _style(column.values[row])))
            for column in leftover
            if column.cells[row]
        ]
        for line in _filled(items, console.width - INDENT):
            _print_indented(console, line)


def _print_line(
    console: Console, table: Sequence[_Column], cells: Sequence[Text], *, bottom: bool = False
) -> None:
    """One row in as many lines as its tallest cell has."""
    wrapped = [
        list(cell.wrap(console, column.width, overflow="fold")) or [Text()]
        for column, cell in zip(table, cells, strict=True)
    ]
    height = max(map(len, wrapped))
    for number in range(height):
        line = Text()
        for column, lines in zip(table, wrapped, strict=True):
            at = number - (height - len(lines)) if bottom else number
            piece = lines[at].copy() if 0 <= at < len(lines) else Text()
            piece.rstrip()
            padding = " " * (column.width - piece.cell_len)
            line.append_text(Text(padding) + piece if column.numeric else piece + Text(padding))
            line.append(" " * GAP)
        line.rstrip()
        console.print(line, highlight=False, soft_wrap=True)


def _filled(items: Sequence[Text], width: int) -> list[Text]:
    """Items joined with a bar, as many a line as fit whole."""
    lines: list[Text] = []
    for item in items:
        if lines and lines[-1].cell_len + 3 + item.cell_len <= width:
            lines[-1] = lines[-1] + Text(" | ", style="dim") + item
        else:
            lines.append(item)
    return lines


def _print_below(
    console: Console,
    result: Result,
    below: Sequence[str],
    columns: Sequence[_Column],
    style: Style,
    report: str,
) -> None:
    at = [result.columns.index(name) for name in below if name in result.columns]
    if not at:
        return
    console.print()
    for number, row in enumerate(result.rows):
        record = dict(zip(result.columns, row, strict=True))
        sentences = [style.marked_cell(report, result.columns[i], record) for i in at if row[i] is not None]
        if sentences:
            heading = Text(f"{columns[0].cells[number]}: " if columns else "", style="bold")
            console.print(heading.append(Text(sentences[0], style="not bold")), highlight=False)
        for sentence in sentences[1:]:
            _print_indented(console, Text(sentence))


def _print_indented(console: Console, text: Text) -> None:
    """Wrapped; but a path or line that is wider than the page is left to the terminal to break, so that it can be copied."""
    width = max(console.width - INDENT, 1)
    pieces = [text] if _longest_word(text.plain) > width else text.wrap(console, width)
    for piece in pieces:
        piece.rstrip()
        console.print(Text(" " * INDENT) + piece, highlight=False, soft_wrap=True)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _style(value: Any) -> str:
    """The colour of a severity; the word itself says the same."""
    return _SEVERITY.get(value, "") if isinstance(value, str) else ""
