"""What may come next in a half-typed SELECT: views, columns, keywords. Pure, on the texts of `schema_text`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.schema_text import RelationText

KEYWORDS = (
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "cross join",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "false",
    "from",
    "full join",
    "group by",
    "having",
    "ilike",
    "in",
    "inner join",
    "intersect",
    "interval",
    "is not null",
    "is null",
    "join",
    "left join",
    "like",
    "limit",
    "not",
    "null",
    "nulls last",
    "offset",
    "on",
    "or",
    "order by",
    "over",
    "partition by",
    "qualify",
    "select",
    "summarize",
    "then",
    "timestamptz",
    "true",
    "union all",
    "using",
    "values",
    "when",
    "where",
    "with",
)
FUNCTIONS = (
    "any_value",
    "arg_max",
    "arg_min",
    "avg",
    "coalesce",
    "concat",
    "count",
    "date_diff",
    "date_trunc",
    "epoch",
    "length",
    "lower",
    "max",
    "median",
    "min",
    "now",
    "nullif",
    "quantile_cont",
    "regexp_extract",
    "regexp_matches",
    "replace",
    "round",
    "row_number",
    "string_agg",
    "strftime",
    "substr",
    "sum",
    "trim",
    "upper",
)
_WORD = re.compile(r"(?:(?P<owner>[a-z_][a-z0-9_]*)\.)?(?P<word>[a-z_][a-z0-9_]*)?$", re.I)
_SOURCE = re.compile(
    r"\b(?:from|join)\s+(?P<list>[a-z_][a-z0-9_]*(?:\s+(?:as\s+)?[a-z_][a-z0-9_]*)?"
    r"(?:\s*,\s*[a-z_][a-z0-9_]*(?:\s+(?:as\s+)?[a-z_][a-z0-9_]*)?)*)",
    re.I,
)
_AFTER_FROM = re.compile(
    r"\b(?:from|join|describe|summarize)\s+(?:[a-z0-9_]+(?:\s+(?:as\s+)?[a-z0-9_]+)?\s*,\s*)*[a-z0-9_]*$",
    re.I,
)
_TEXT_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*\n|/\*.*?\*/", re.S)
_NO_ALIAS = frozenset(
    (
        "as",
        "cross",
        "except",
        "full",
        "group",
        "having",
        "inner",
        "intersect",
        "join",
        "left",
        "limit",
        "natural",
        "offset",
        "on",
        "order",
        "right",
        "semi",
        "union",
        "using",
        "where",
        "window",
    )
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What can be put in place of the last `replaces` letters before the cursor, and what it is."""

    text: str
    replaces: int
    note: str


def candidates(relations: Iterable[RelationText], before: str, after: str = "") -> list[Candidate]:
    """Completions at the cursor between `before` and `after`; none inside a text or a comment.

    Behind `from` and `join` relations, behind `name.` its columns, elsewhere the columns of the relations that the
    statement names (of all, if it names none), then keywords, functions and relations.
    """
    known = {relation.name: relation for relation in relations}
    before = _TEXT_OR_COMMENT.sub(" ", before)
    if "'" in before or re.search(r"--[^\n]*$|/\*", before):
        return []
    found = _WORD.search(before)
    owner, word = (found["owner"], found["word"] or "") if found else (None, "")
    named = _sources(before + " " + _TEXT_OR_COMMENT.sub(" ", after), known)
    if owner is not None:
        chosen = known.get(named.get(owner.lower(), owner.lower()))
        return list(_columns([chosen], word)) if chosen else []
    if _AFTER_FROM.search(before):
        return list(_relations(known.values(), word))
    if not word:
        return []
    columns = _columns([known[name] for name in dict.fromkeys(named.values())] or known.values(), word)
    return [
        *columns,
        *_words(KEYWORDS, word, ""),
        *_words(FUNCTIONS, word, "function"),
        *_relations(known.values(), word),
    ]


def _sources(statement: str, known: dict[str, RelationText]) -> dict[str, str]:
    """Alias or name -> relation, of the relations that the statement reads."""
    found: dict[str, str] = {}
    for source in _SOURCE.finditer(statement):
        for item in source["list"].split(","):
            words = [word for word in item.lower().split() if word != "as"]
            if words and words[0] in known:
                found[words[0]] = words[0]
                if len(words) > 1 and words[1] not in _NO_ALIAS:
                    found[words[1]] = words[0]
    return found


def _columns(relations: Iterable[RelationText], word: str) -> Iterator[Candidate]:
    seen: set[str] = set()
    for relation in relations:
        for column in relation.columns:
            if column.name.startswith(word.lower()) and column.name not in seen:
                seen.add(column.name)
                yield Candidate(column.name, len(word), f"{relation.name}: {column.meaning}")


def _relations(relations: Iterable[RelationText], word: str) -> Iterator[Candidate]:
    for relation in sorted(relations, key=lambda relation: relation.name):
        if relation.name.startswith(word.lower()):
            yield Candidate(relation.name, len(word), relation.meaning)


def _words(words: Iterable[str], word: str, note: str) -> Iterator[Candidate]:
    for candidate in words:
        if candidate.startswith(word.lower()) and candidate != word.lower():
            yield Candidate(candidate.upper() if word.isupper() else candidate, len(word), note)
