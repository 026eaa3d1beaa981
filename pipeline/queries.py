"""The SQL files of `queries/`: their text and what their opening comment says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.resources import resource

_HEADER = re.compile(r"^-- (title|answers|columns|terminal|below|kept|inline): ?(.*)$")
_READ = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*)")
_COLUMN = re.compile(r"^--   ([a-z0-9_]+): ?(.*)$")


@dataclass(frozen=True, slots=True)
class Query:
    """A view or report. `columns` are name -> meaning in the order of the output.

    `terminal` names the columns that a terminal shows first (empty: all in their order), `below` those whose
    sentences it prints below the table, a paragraph a row. `kept` tells that the rows of an organisation depend on its
    log lines, its entry in organisations.toml and the catalogue alone, so that a large store may keep them; `inline` that it is
    computed where it is read, with the columns that are read, rather than once.
    """

    name: str
    title: str
    answers: str
    columns: dict[str, str]
    terminal: tuple[str, ...]
    below: tuple[str, ...]
    sql: str
    kept: bool = False
    inline: bool = False

    @property
    def body(self) -> str:
        """The statement without its opening comment."""
        return "\n".join(line for line in self.sql.splitlines() if not line.lstrip().startswith("--"))


@cache
def views() -> tuple[Query, ...]:
    """All views, in the order in which they are created."""
    return tuple(_read(path, path.stem.partition("_")[2]) for path in _files("views"))


@cache
def kept_views() -> frozenset[str]:
    """The names of the views whose rows may be kept."""
    return frozenset(view.name for view in views() if view.kept)


@cache
def view_names() -> re.Pattern[str]:
    """Matches the name of any view."""
    return re.compile(r"\b(" + "|".join(view.name for view in views()) + r")\b")


def relations_read(query: Query) -> frozenset[str]:
    """The names behind `from` and `join`: views, tables, and the query's own common table expressions."""
    return frozenset(_READ.findall(query.body.lower()))


@cache
def _views_read(name: str) -> frozenset[str]:
    """The names of the views that a view reads itself."""
    return relations_read(_by_name()[name]) & _by_name().keys()


@cache
def _by_name() -> dict[str, Query]:
    return {view.name: view for view in views()}


def needed_views(sql: str, at_hand: frozenset[str] = frozenset()) -> list[Query]:
    """The views that a statement reads, directly or through others, in the order of creation.

    `at_hand` are views whose rows need not be computed, so that what they read is not needed for them. A name in a
    text or comment of the statement counts too: a view too many costs a little time, one too few an error.
    """
    found: set[str] = set()
    new = set(view_names().findall(sql.lower()))
    while new:
        found |= new
        new = {name for view in new - at_hand for name in _views_read(view)} - found
    return [view for view in views() if view.name in found]


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
    terminal, below = (
        tuple(name.strip() for name in header.get(key, "").split(",") if name.strip())
        for key in ("terminal", "below")
    )
    return Query(
        name,
        header.get("title", name),
        header.get("answers", ""),
        columns,
        terminal,
        below,
        text,
        "kept" in header,
        "inline" in header,
    )
