"""What the template draws: tables of finished cells, charts, texts to copy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a cell. `level` is a severity for the colour beside the word, `mark` that one third-party source is behind it."""

    text: str
    numeric: bool = False
    level: str = ""
    mark: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`note` stands below: what was left out, and where it is."""

    caption: str
    headings: list[str]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture as SVG, what it says in words, and its numbers as a table."""

    title: str
    words: str
    svg: str
    table: Table


@dataclass(frozen=True, slots=True)
class Step:
    """A command to paste; `where` is the shell it belongs into."""

    title: str
    why: str
    where: str
    command: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the verdict."""

    label: str
    value: str
    mark: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an organisation's chapter."""

    id: str
    title: str
    intro: str = ""
    charts: list[Chart] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Todo:
    """What to do, by when."""

    when: str
    server: str
    action: str
    level: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """One organisation."""

    id: str
    name: str
    state: str
    level: str
    verdict: str
    next_action: str
    stale: str
    facts: list[Fact]
    todo: list[Todo]
    sections: list[Section]
    steps: list[Step]
    texts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report."""

    language: str
    title: str
    standing: list[str]
    overview: Table | None
    changes: Table | None
    chapters: list[Chapter]
    loose: list[Table]
    notes: list[str]
    generator: str
