"""`Texts`: the words of one language, and the translation of the sentences that SQL makes.

A catalogue has the product's own texts by key (`[text]`, `[html]`, ...), names of columns and reports, and, except in
English, `[terms]` and `[sentences]`: English templates with numbered gaps, `Update {1} at once.`, and their translation.
"""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

LANGUAGES = ("de", "en")
_COMMAND = re.compile(r"(?:Get|Set|New|Enable)-[A-Z]")
LONGEST_SENTENCE = 400
MOST_PIECES = 40
"""What is longer is no sentence of the SQL files but a stranger's text or a long list: it stays as it is."""
_GAP = re.compile(r"\{(\d+)\}")
# where one sentence or phrase of a cell ends and the next begins
_JOINT = re.compile(r"(?<=[.:!?]) |; |, ")


def locale_language(environment: Mapping[str, str] = os.environ) -> str:
    """`de` where the locale is German, else `en`. Windows says it in the locale, others in LC_ALL, LC_MESSAGES or LANG."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(name):
            return _of_locale(environment[name])
    return _of_locale(locale.getlocale()[0] or "")


def _of_locale(name: str) -> str:
    return "de" if re.match(r"(de([_.@-]|$)|german)", name, re.I) else "en"


class Texts:
    """The texts of a language; raises UsageError for one that there is no catalogue of."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise UsageError(f"There are no texts in {language!r}. Languages are: {', '.join(LANGUAGES)}")
        self.language = language
        self._texts = _catalogue(language)
        self._english = _catalogue("en")

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key such as `text.act_by`, with its `{name}` gaps filled. KeyError for a key that is in no catalogue."""
        text = self._texts.get(key, self._english.get(key))
        if text is None:
            raise KeyError(f"no text has the key {key!r}")
        return text.format_map(values) if values else text

    def column(self, name: str) -> str:
        """The heading of a column for people."""
        return self._texts.get(f"columns.{name}", name.replace("_", " "))

    def title(self, report: str, otherwise: str) -> str:
        """The title of a report; `otherwise` (the one in its SQL file) in English."""
        return self._texts.get(f"reports.{report}", otherwise)

    def day(self, day: date) -> str:
        """A day with the name of its month: 24 November 2026."""
        month = self(f"months.{day.month}")
        return self("text.day", day=day.day, month=month, year=day.year)

    def moment(self, moment: datetime) -> str:
        """The same with the time to the minute."""
        return f"{self.day(moment.date())}, {moment:%H:%M}"

    def translate(self, text: str) -> str:
        """Sentences and terms that SQL made. What no template matches stays as it is."""
        if self.language == "en" or not text:
            return text
        if _COMMAND.match(text):
            # a command stays, whatever its names say; the sentence after it is the product's own
            command, joint, rest = text.rpartition("; ")
            return command + joint + _sentences(self.language).get(rest, rest)
        return _translated(self.language, text)

    def knows(self, template: str) -> bool:
        """Whether the catalogue has a translation of the template (or term) as it stands."""
        return self.language == "en" or template in _sentences(self.language)


@lru_cache(maxsize=20_000)
def _translated(language: str, text: str) -> str:
    if text in _sentences(language):
        return _sentences(language)[text]
    # piece by piece: the shortest run of pieces that is a sentence; a piece of none stays
    joints = [(match.start(), match.end()) for match in _JOINT.finditer(text)]
    begins, ends = [0, *(end for _, end in joints)], [*(start for start, _ in joints), len(text)]
    out, at = "", 0
    while at < len(begins):
        joint = text[ends[at - 1] : begins[at]] if at else ""
        to, found = _run(language, text, begins[at:], ends[at:], joint)
        out += found
        at += to + 1
    return out


def _run(language: str, text: str, begins: list[int], ends: list[int], joint: str) -> tuple[int, str]:
    """The number of the last piece that makes a sentence with the first, and their translation with the joint before."""
    for to, end in enumerate(ends[:MOST_PIECES]):
        if end - begins[0] > LONGEST_SENTENCE:
            break
        if (found := _whole(language, text[begins[0] : end])) is not None:
            return to, joint + found
        # a clause that begins with its own comma or semicolon
        if joint.strip() and (found := _whole(language, joint + text[begins[0] : end])) is not None:
            return to, found
    return 0, joint + text[begins[0] : ends[0]]


def _whole(language: str, text: str) -> str | None:
    """The translation of a text that is one sentence or term; None if it is none."""
    sentences = _sentences(language)
    if text in sentences:
        return sentences[text]
    for pattern, least, translation in _patterns(language):
        if (
            len(text) >= least
            and (match := pattern.fullmatch(text))
            and not any(gap.startswith(":") for gap in match.groups())
        ):
            return _filled(language, translation, match.groups())
    # a term as a sentence of its own
    if text.endswith(".") and (term := sentences.get(text[:1].lower() + text[1:-1])) is not None:
        return term[:1].upper() + term[1:] + "."
    return None


def _filled(language: str, translation: str, gaps: tuple[str, ...]) -> str:
    return _GAP.sub(lambda gap: _gap(language, gaps[int(gap[1]) - 1]), translation)


def _gap(language: str, text: str) -> str:
    """What fills a gap: a name or number, or itself a sentence with the space that joins it."""
    inner = text.strip()
    if not inner or (" " not in text and inner not in _sentences(language)):
        return text
    return text.replace(inner, _translated(language, inner), 1)


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], int, str], ...]:
    """Templates with gaps, those with most literal text first: pattern, literal length, translation."""
    found = []
    for template, translation in _sentences(language).items():
        pieces = _GAP.split(template)
        literal = "".join(pieces[::2])
        if len(pieces) > 1 and re.search(r"[A-Za-z]", literal):
            # a gap at the ends of a term-like template is one word, or everything would match it
            gap = "(.*?)" if len(literal.strip()) > 5 else r"(\S*?)"
            pattern = "".join(re.escape(piece) if i % 2 == 0 else gap for i, piece in enumerate(pieces))
            found.append((re.compile(pattern, re.S), len(literal), translation))
    return tuple(sorted(found, key=lambda item: -item[1]))


@cache
def _sentences(language: str) -> dict[str, str]:
    catalogue = _read(language)
    return {**catalogue.get("terms", {}), **catalogue.get("sentences", {})}


@cache
def _catalogue(language: str) -> dict[str, str]:
    catalogue = _read(language)
    return dict(
        _flat({key: value for key, value in catalogue.items() if key not in ("terms", "sentences")}, "")
    )


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


@cache
def _read(language: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
