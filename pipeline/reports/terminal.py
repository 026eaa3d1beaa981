"""A table that fits the terminal: columns that have no room are named below it, never squeezed away in silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.i18n import Texts
from pipeline.reports.document import Style
from pipeline.reports.values import visible
from pipeline.sql import Result

NARROWEST = 8
WIDEST = 60
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
    """Print rows; `first` names the columns to show (all, if none), as many as have room.

    `texts` are the words (default: English); the columns of `report` that hold words of the product are translated.

    `below` names columns of whole sentences: they are printed below the table, a paragraph a row, under the
    text of its first column.
    """
    texts = texts or Texts("en")
    style = Style(texts, zone, zone_name)
    if not result.rows:
        console.print(Text(texts("text.no_rows", title=title)), highlight=False)
        return
    order = [name for name in first if name in result.columns]
    order += [name for name in result.columns if name not in order]
    cells = {
        name: [style.cell(report, name, row[i]) for row in result.rows]
        for i, name in enumerate(result.columns)
    }
    plain = {name: [row[i] for row in result.rows] for i, name in enumerate(result.columns)}
    headings = {name: texts.column(name) for name in result.columns}
    used = [name for name in order if any(cells[name]) and name not in below]
    chosen = _fitting([name for name in used if name in first] or used, cells, headings, console.width)
    table = Table(
        title=Text(visible(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False
    )
    kinds = zip(result.columns, result.types, strict=True)
    numeric = {name for name, kind in kinds if kind.endswith(("INT", "INTEGER", "DOUBLE", "BIGINT"))}
    for name in chosen:
        table.add_column(
            headings[name],
            justify="right" if name in numeric else "left",
            overflow="fold",
            min_width=min(NARROWEST, max(map(len, cells[name]))),
        )
    for i in range(len(result.rows)):
        table.add_row(*(Text(cells[name][i], style=_style(plain[name][i])) for name in chosen))
    console.print(table)
    for i in range(len(result.rows)):
        sentences = [cells[name][i] for name in below if name in cells and cells[name][i]]
        if sentences:
            heading = Text(cells[used[0]][i] + ": ", style="bold")
            console.print(heading.append(Text(" ".join(sentences), style="not bold")))
    notes = []
    if any(kind.startswith("TIMESTAMP") for kind in result.types):
        notes.append(
            texts("text.times_are_utc") if zone_name == "UTC" else texts("text.times_are", zone=zone_name)
        )
    if hidden := [name for name in used if name not in chosen]:
        notes.append(texts("text.more_columns", columns=", ".join(hidden)))
    for note in notes:
        console.print(Text(note, style="dim"))


def _fitting(
    names: Sequence[str], cells: dict[str, list[str]], headings: dict[str, str], width: int
) -> list[str]:
    """The first columns that fit the width, each at a width that shows its text in few lines."""
    chosen: list[str] = []
    room = width
    for name in names:
        widest = max(map(len, cells[name]), default=0)
        header = max(map(len, headings[name].split()))
        need = 2 + max(header, widest if widest <= 24 else min(WIDEST, 24 + widest // 6))
        if chosen and need > room:
            break
        chosen.append(name)
        room -= need
    return chosen


def _style(value: Any) -> str:
    """The colour of a severity; the word itself says the same."""
    return _SEVERITY.get(value, "") if isinstance(value, str) else ""
