"""A table that fits the terminal: what has no room in a row stands below it with its heading, never squeezed away.

Columns keep their order. A column is in the table where its cells fit there in few lines, times and names in one; the
others follow each row as `heading: value`. Columns that a report does not mean for a terminal are counted below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from pipeline.i18n import Texts
from pipeline.reports.document import Style as Words
from pipeline.reports.third_party import COLUMN, MARK
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


_Piece = tuple[str, str] | Text
"""Text with the name of its style, or text that holds its styles."""


class _Lines:
    """Lines of pieces, all printed at once: a print for each line is ten times as slow."""

    def __init__(self, lines: Sequence[Sequence[_Piece]]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        plain: list[str] = []
        styles: dict[str, Style] = {}
        for line in self.lines:
            for piece in line:
                if not isinstance(piece, Text) and not piece[1]:
                    plain.append(piece[0])
                    continue
                # what has no style is one piece up to the next that has one, over the ends of lines
                if plain:
                    yield Segment("".join(plain))
                    plain.clear()
                if isinstance(piece, Text):
                    yield from piece.render(console)
                else:
                    text, style = piece
                    if style not in styles:
                        styles[style] = console.get_style(style)
                    yield Segment(text, styles[style])
            plain.append("\n")
        yield Segment("".join(plain))


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
        return max(map(_width, set(self.cells)), default=0)

    @cached_property
    def widest(self) -> int:
        return max(min(WIDEST, self.longest), _longest_word(self.heading))

    @cached_property
    def least(self) -> int:
        words = max(map(_longest_word, set(self.cells)), default=0)
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
    style = Words(texts, zone, zone_name)
    if not result.rows:
        console.print(Text(texts("text.no_rows", title=visible(title))), highlight=False)
        return
    known = [name for name in first if name in result.columns]
    others = [name for name in result.columns if name not in known and name not in below]
    shown = _columns(result, [name for name in known or others if name not in below], style, report)
    others = [name for name in others if known and _holds_anything(result, name, style, report)]
    if not shown:
        shown, others = _columns(result, others, style, report), []
    table = _fitting(shown, console.width)
    leftover = [column for column in shown if column not in table]
    console.print(Text(visible(title), style="bold"), highlight=False)
    _print_rows(console, table, leftover)
    _print_below(console, result, below, shown, style, report)
    notes = []
    if any(kind.startswith("TIMESTAMP") for kind in result.types):
        notes.append(
            texts("text.times_are_utc") if zone_name == "UTC" else texts("text.times_are", zone=zone_name)
        )
    if any(cell.endswith(f" {MARK}") for column in shown for cell in column.cells):
        notes.append(texts("text.third_party"))
    if others:
        notes.append(texts("text.more_columns", count=len(others)))
    if notes:
        console.print(Text(" ".join(notes), style="dim"), highlight=False)


def _columns(result: Result, names: Sequence[str], style: Words, report: str) -> list[_Column]:
    """Those of the columns that hold anything."""
    columns = []
    records = (
        [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        if COLUMN in result.columns
        else []
    )
    for name in names:
        at = result.columns.index(name)
        kind = result.types[at]
        values = [row[at] for row in result.rows]
        cells = [style.marked_cell(report, name, record) for record in records] or _cells(
            style, report, name, values
        )
        if any(cells):
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


def _cells(style: Words, report: str, name: str, values: Sequence[Any]) -> list[str]:
    """A column's cells; a text that repeats in it is worded once."""
    texts = {value: style.cell(report, name, value) for value in set(filter(_is_text, values))}
    return [texts[value] if _is_text(value) else style.cell(report, name, value) for value in values]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _holds_anything(result: Result, name: str, style: Words, report: str) -> bool:
    at = result.columns.index(name)
    return any(row[at] is not None and style.cell(report, name, row[at]) for row in result.rows)


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
    rule = "-" if console.options.ascii_only else "\u2500"
    heading = _laid_out(console, table, [(column.heading, "bold") for column in table], bottom=True)
    lines: list[list[_Piece]] = [
        *heading,
        [((" " * GAP).join(rule * column.width for column in table), "dim")],
    ]
    width = max(console.width - INDENT, 1)
    for row in range(len(table[0].cells)):
        cells = [(column.cells[row], _style(column.values[row])) for column in table]
        lines += _laid_out(console, table, cells)
        items = [
            _Item(f"{column.heading}: ", column.cells[row], _style(column.values[row]))
            for column in leftover
            if column.cells[row]
        ]
        for filled in _filled(items, width):
            lines += _item_lines(console, filled, width)
    console.print(_Lines(lines), highlight=False, soft_wrap=True)


def _laid_out(
    console: Console, table: Sequence[_Column], cells: Sequence[tuple[str, str]], *, bottom: bool = False
) -> list[list[_Piece]]:
    """One row, its cells as text and style, in as many lines as its tallest cell has."""
    wrapped = [_wrapped(console, text, column.width) for column, (text, _) in zip(table, cells, strict=True)]
    height = max(map(len, wrapped))
    laid_out = []
    for number in range(height):
        line: list[_Piece] = []
        gap = 0
        for column, lines, (_, style) in zip(table, wrapped, cells, strict=True):
            at = number - (height - len(lines)) if bottom else number
            piece = lines[at] if 0 <= at < len(lines) else ""
            room = column.width - _width(piece)
            before, after = (room, 0) if column.numeric else (0, room)
            if piece:
                line += [(" " * (gap + before), ""), (piece, style)]
                gap = after + GAP
            else:
                gap += column.width + GAP
        laid_out.append(line)
    return laid_out


def _wrapped(console: Console, text: str, width: int) -> list[str]:
    if _width(text) <= width and "\n" not in text:
        return [text.rstrip()]
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold")] or [""]


@dataclass(slots=True)
class _Item:
    """What stands below a row: a heading and its cell."""

    heading: str
    cell: str
    style: str

    @property
    def pieces(self) -> list[tuple[str, str]]:
        return [(self.heading, "dim"), (self.cell, self.style)]


def _filled(items: Sequence[_Item], width: int) -> list[list[tuple[str, str]]]:
    """Items joined with a bar, as many a line as fit whole."""
    lines: list[list[tuple[str, str]]] = []
    used = 0
    for item in items:
        wide = _width(item.heading) + _width(item.cell)
        if lines and used + 3 + wide <= width:
            lines[-1] += [(" | ", "dim"), *item.pieces]
            used += 3 + wide
        else:
            lines.append(item.pieces)
            used = wide
    return lines


def _item_lines(console: Console, pieces: list[tuple[str, str]], width: int) -> list[list[_Piece]]:
    """The lines of a line of items: most are one as they stand."""
    text = "".join(piece for piece, _ in pieces)
    if _width(text) <= width and "\n" not in text and text == text.rstrip():
        return [[(" " * INDENT, ""), *pieces]]
    return [[piece] for piece in _indented(console, Text.assemble(*pieces), width)]


def _print_below(
    console: Console,
    result: Result,
    below: Sequence[str],
    columns: Sequence[_Column],
    style: Words,
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
            for piece in _indented(console, Text(sentence), max(console.width - INDENT, 1)):
                console.print(piece, highlight=False, soft_wrap=True)


def _indented(console: Console, text: Text, width: int) -> list[Text]:
    """Wrapped; but a path or line that is wider than the page is left to the terminal to break, so that it can be copied."""
    fits = text.cell_len <= width and "\n" not in text.plain
    pieces = [text] if fits or _longest_word(text.plain) > width else text.wrap(console, width)
    for piece in pieces:
        piece.rstrip()
    return [Text(" " * INDENT) + piece for piece in pieces]


def _longest_word(text: str) -> int:
    return max(map(_width, text.split()), default=0)


def _width(text: str) -> int:
    """The columns that a text takes; most texts are of letters that take one each."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def _style(value: Any) -> str:
    """The colour of a severity; the word itself says the same."""
    return _SEVERITY.get(value, "") if isinstance(value, str) else ""
