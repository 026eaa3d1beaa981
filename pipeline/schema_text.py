"""What every table, view and column of a SQL session means: the one text behind `tbes schema`, docs/tables.md,
the comments of `tbes connect` and the completion of the prompt.

Meanings come from where each relation is declared: columns of the logs, headers of `queries/views`, the
catalogue. Types come from an empty session, so that they are what a query answers.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline import queries
from pipeline.errors import UsageError
from pipeline.reference.meanings import CATALOGUE
from pipeline.session_relations import ORGANISATIONS, SOURCES

GROUPS = {
    "logs": "Logs",
    "views": "Views",
    "organisations": "Organisations, imports and parameters",
    "catalogue": "Catalogue",
}
_UNIT = re.compile(
    r"\b(seconds since 1970|nanoseconds since 1970|minutes (?:per|an) hour)\b"
    r"|(?:^|[,;]\s)(?:whole )?(seconds|bytes|minutes|hours|days)\b(?=$|[;,.]| of | that | in | from )",
    re.I,
)
_UNIT_OF_NAME = re.compile(r"(?:^|_)(minutes_per_hour|seconds|minutes|hours|days|bytes|percent)(?:$|_)")


@dataclass(frozen=True, slots=True)
class ColumnText:
    """A column. `type` is DuckDB's name, empty until `typed`; `unit` None where there is none to say."""

    name: str
    meaning: str
    type: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class RelationText:
    """A table or view, with its columns in order. `group` is a key of GROUPS."""

    name: str
    group: str
    meaning: str
    columns: tuple[ColumnText, ...]


@cache
def relations() -> tuple[RelationText, ...]:
    """All relations of a session with the meaning of each column, without types."""
    from pipeline.logs import message_tracking, smtp_protocol

    found: list[RelationText] = []
    logs = (
        (message_tracking, "Rows of the message tracking logs, under Exchange's own field names."),
        (
            smtp_protocol,
            "Rows of the SMTP protocol logs, Receive and Send, under Exchange's own field names.",
        ),
    )
    for module, meaning in logs:
        columns = tuple(ColumnText(column.name, column.meaning) for column in module.COLUMNS)
        found.append(RelationText(module.NAME, "logs", meaning, columns))
    for module, _ in logs:
        columns = tuple(ColumnText(column.name, column.meaning) for column in module.COLUMNS)
        meaning = f"{module.NAME} with the quarantined lines too."
        found.append(RelationText(f"{module.NAME}_lines", "logs", meaning, columns))
    found += _plain(SOURCES, "logs")
    found += [
        RelationText(
            view.name, "views", view.answers, tuple(ColumnText(*item) for item in view.columns.items())
        )
        for view in queries.views()
    ]
    found += _plain(ORGANISATIONS, "organisations")
    found += _plain(CATALOGUE, "catalogue")
    return tuple(found)


@cache
def typed() -> tuple[RelationText, ...]:
    """The same with types and units; takes half a second, as all views are made in an empty session."""
    from pipeline.reference.catalogue import Catalogue
    from pipeline.sql import Session
    from pipeline.store.store import TABLES, Snapshot

    with Session([Snapshot(name, Path(), ()) for name in TABLES], Catalogue()) as session:
        return tuple(_typed(relation, session) for relation in relations())


def find(name: str | None) -> tuple[RelationText, ...]:
    """The relation of that name, or all. Raises UsageError, with what is alike, for an unknown name."""
    if name is None:
        return typed()
    for relation in typed():
        if relation.name == name.lower():
            return (relation,)
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), [relation.name for relation in relations()], 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`tbes schema` lists all."
    raise UsageError(f"There is no table or view {name!r}. {hint}")


def as_text(chosen: Iterable[RelationText], width: int = 100) -> str:
    """For a terminal."""
    lines: list[str] = []
    for relation in chosen:
        lines += [
            relation.name,
            *textwrap.wrap(relation.meaning, width, initial_indent="  ", subsequent_indent="  "),
        ]
        name_width = max(len(column.name) for column in relation.columns)
        type_width = max(len(column.type) for column in relation.columns)
        for column in relation.columns:
            label = f"    {column.name:<{name_width}}  {column.type:<{type_width}}  "
            room = max(width, len(label) + 30)
            lines += textwrap.wrap(
                _with_unit(column),
                room,
                initial_indent=label,
                subsequent_indent=" " * len(label),
                break_long_words=False,
            ) or [label.rstrip()]
        lines.append("")
    return "\n".join(lines)


def as_json(chosen: Iterable[RelationText]) -> str:
    """A list of relations: name, group, meaning, columns (name, type, meaning, unit or null)."""
    document: list[dict[str, Any]] = [
        {
            "name": relation.name,
            "group": relation.group,
            "meaning": relation.meaning,
            "columns": [
                {"name": column.name, "type": column.type, "meaning": column.meaning, "unit": column.unit}
                for column in relation.columns
            ],
        }
        for relation in chosen
    ]
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def as_markdown(chosen: Iterable[RelationText]) -> str:
    """A heading and a table a relation."""
    lines: list[str] = []
    for relation in chosen:
        lines += [
            f"### {relation.name}",
            "",
            _cell(relation.meaning),
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| `{c.name}` | {c.type} | {_cell(_with_unit(c))} |" for c in relation.columns]
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """docs/tables.md."""
    lines = [
        "# Tables and views",
        "",
        "What `tbes sql`, `tbes connect` and `tbes schema` see ([sql.md](sql.md)). The two tables of logs hold the rows",
        "under Exchange's own field names, hyphens turned to underscores. Times are UTC. `organisation` is part of",
        "every join: names of servers and connectors mean something inside one organisation only.",
        "",
    ]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", as_markdown(r for r in typed() if r.group == group)]
    return "\n".join(lines).rstrip() + "\n"


def _plain(declared: dict[str, tuple[str, dict[str, str]]], group: str) -> Iterable[RelationText]:
    for name, (meaning, columns) in declared.items():
        yield RelationText(name, group, meaning, tuple(ColumnText(*item) for item in columns.items()))


def _typed(relation: RelationText, session: Any) -> RelationText:
    result = session.query(f"select * from {relation.name} limit 0")
    types = dict(zip(result.columns, result.types, strict=True))
    return replace(
        relation,
        columns=tuple(
            replace(column, type=short_type(types[column.name]), unit=unit(column, types[column.name]))
            for column in relation.columns
        ),
    )


def short_type(name: str) -> str:
    """DuckDB's short name of a type."""
    return name.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")


def unit(column: ColumnText, kind: str) -> str | None:
    """Unit of a column: from its meaning, else from its name; UTC for a time."""
    if kind.startswith("TIMESTAMP"):
        return "UTC"
    if kind.startswith(("VARCHAR", "BOOLEAN", "DATE", "MAP")):
        return None
    if found := _UNIT.search(column.meaning):
        return (found[1] or found[2]).lower().replace(" an ", " per ")
    named = _UNIT_OF_NAME.search(column.name)
    return named[1].replace("_", " ") if named else None


def _with_unit(column: ColumnText) -> str:
    if column.unit is None or column.unit.lower() in column.meaning.lower().replace(" an ", " per "):
        return column.meaning
    return f"{column.meaning}, {column.unit}"


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("<", "&lt;")
