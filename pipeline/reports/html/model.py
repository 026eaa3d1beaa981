"""What the template draws: finished words in tables, pictures, steps and texts to copy. Nothing in it is markup but `Picture.svg`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

STEPS = (30, 38, 46, 56, 66, 73, 104)
"""Widths in em below which a table's rows become cards; a desk's page has 73.9, a sheet of paper 104."""
ALWAYS = 999
# in em of the table's font, as wide as the widest of common fonts; style.css has the paddings and least widths
_LETTER, _BOLD, _GAP, _BADGE, _HEADING = 0.64, 0.66, 1.0, 1.3, 3.5
_LEAST = {"short": 0.0, "": 9.4, "wide": 15.0}


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

    @property
    def room(self) -> float:
        """The least width in em that shows it uncut: what stands in one line needs all of it."""
        if not self.numeric and self.width != "short":
            return _LEAST[self.width]
        return letters(self.text) * _LETTER + (_BADGE if self.level else 0) + (_LETTER if self.mark else 0)


@dataclass(frozen=True, slots=True)
class Table:
    """`note` stands below: what was left out, and where it is."""

    caption: str
    headings: list[str]
    rows: list[list[Cell]]
    note: str = ""

    @property
    def step(self) -> int:
        """Below this width its rows are cards: the first of STEPS at which all columns have room."""
        columns = zip(*self.rows, strict=True)
        needed = sum(
            _GAP + max([_HEADING, longest(heading) * _BOLD, *(cell.room for cell in column)])
            for heading, column in zip(self.headings, columns, strict=False)
        )
        return next((step for step in STEPS if step >= needed), ALWAYS)


def letters(text: str) -> int:
    """How many letters wide a text is; East Asian ones are two wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def longest(text: str) -> int:
    """How wide its longest word is."""
    return max(map(letters, text.split()), default=0)


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
class Coming:
    """What happens next: `when` is a day or an interval in words, or that no day is public; `note` says how sure it is."""

    when: str
    what: str
    mark: bool = False
    note: str = ""


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
    """One organisation: the card at its top, and its sections. `there` and `missing` say which logs were there and which not.

    `coming` is what happens next, `also` what can wait where nothing is to be done at once. `folded` is the word on which
    sections unfold that are folded away, `alone` the command that writes all of this organisation.
    """

    id: str
    name: str
    level: str
    badges: list[Badge]
    stale: str
    verdict: str
    next_action: str
    todo: list[Todo]
    also: list[str]
    coming: list[Coming]
    facts: list[Fact]
    there: list[str]
    missing: list[str]
    sections: list[Section]
    folded: str = ""
    alone: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """How many organisations are in a state, and the chapter of the first."""

    badges: list[Badge]
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. `loose` are the tables of a report that is not the whole set.

    `states` and `by_name` help to find one of many organisations; both empty where there are few.
    """

    language: str
    title: str
    standing: list[str]
    chapters: list[Chapter]
    states: list[State]
    by_name: list[Chapter]
    stopped: Table | None
    changes: Table | None
    loose: list[Table]
    empty: str
    notes: list[str]
    generator: str
