"""What the template draws: finished words in tables, pictures, steps and texts to copy. Nothing in it is markup but `Picture.svg`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a cell, `below` a smaller one under it.

    `level` is a severity beside the word, `mark` that one third-party source is behind it, `code` that it is an id.
    """

    text: str
    numeric: bool = False
    level: str = ""
    mark: bool = False
    code: bool = False
    below: str = ""

    @property
    def width(self) -> str:
        """How it may be wrapped: a short one stands in one line."""
        return "short" if len(self.text) <= 22 else "wide" if len(self.text) > 44 else ""


@dataclass(frozen=True, slots=True)
class Table:
    """`note` stands below: what was left out, and where it is."""

    caption: str
    headings: list[str]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG, what it says in words, and its numbers as a table."""

    title: str
    words: str
    svg: str
    table: Table


@dataclass(frozen=True, slots=True)
class Step:
    """A command to paste: why, and `where`, the shell it belongs into."""

    title: str
    why: str
    where: str
    command: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to copy and complete. `summary` says what it is good for."""

    title: str
    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the verdict."""

    label: str
    value: str
    mark: bool = False


@dataclass(frozen=True, slots=True)
class Todo:
    """What to do, by when. `when` is a day, `distance` how far it is (today, in 9 days); both empty where no day is known."""

    when: str
    distance: str
    server: str
    action: str
    level: str
    mark: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an organisation's chapter."""

    id: str
    title: str
    intro: str = ""
    notes: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word, with its severity."""

    label: str
    text: str
    level: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """One organisation: the card at its top, and its sections. `there` and `missing` say which logs were there and which not."""

    id: str
    name: str
    level: str
    badges: list[Badge]
    stale: str
    verdict: str
    next_action: str
    todo: list[Todo]
    facts: list[Fact]
    there: list[str]
    missing: list[str]
    sections: list[Section]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. `loose` are the tables of a report that is not the whole set."""

    language: str
    title: str
    standing: list[str]
    chapters: list[Chapter]
    stopped: Table | None
    changes: Table | None
    loose: list[Table]
    empty: str
    notes: list[str]
    generator: str
