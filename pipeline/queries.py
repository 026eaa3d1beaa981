"""The SQL files of `queries/`: their text and what their opening comment says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.resources import resource

_HEADER = re.compile(r"^-- (title|answers|columns|terminal): ?(.*)$")
_COLUMN = re.compile(r"^--   ([a-z0-9_]+): ?(.*)$")


@dataclass(frozen=True, slots=True)
class Query:
    """A view or report. `columns` are name -> meaning in the order of the output.

    `terminal` names the columns that a terminal shows first; empty means all in their order.
    """

    name: str
    title: str
    answers: str
    columns: dict[str, str]
    terminal: tuple[str, ...]
    sql: str


@cache
def views() -> tuple[Query, ...]:
    """All views, in the order in which they are created."""
    return tuple(_read(path, path.stem.partition("_")[2]) for path in _files("views"))


@cache
def reports() -> tuple[Query, ...]:
    """All reports, by name."""
    return tuple(_read(path, path.stem) for path in _files("reports"))


def _files(folder: str) -> list[Path]:
    return sorted((resource("queries") / folder).glob("*.sql"))


def _read(path: Path, name: str) -> Query:
    text = path.read_text(encoding="utf-8")
    header: dict[str, str] = {}
    columns: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if found := _HEADER.match(line):
            key = found[1]
            header[key] = found[2].strip()
        elif key == "columns" and (column := _COLUMN.match(line)):
            columns[column[1]] = column[2].strip()
        elif key and key != "columns":
            header[key] += " " + line.removeprefix("--").strip()
    terminal = tuple(name.strip() for name in header.get("terminal", "").split(",") if name.strip())
    return Query(name, header.get("title", name), header.get("answers", ""), columns, terminal, text)
