"""What a session shows beside the views of `queries/`, as SQL that makes it: the store's tables over their live files, what was
read, organisations, imported reports and parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pipeline.logs.columns import Column
from pipeline.organisations import KnownOrganisation
from pipeline.store.delta import Part
from pipeline.store.ranges import METADATA_KEY, NAMES
from pipeline.store.store import TABLES, Snapshot

if TYPE_CHECKING:
    from pipeline.imports.kept import KeptImport

RANGES = "source_ranges"
IMPORTED = "imported_reports"
SQL_TYPES = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "timestamp": "TIMESTAMPTZ",
    "map": "MAP(VARCHAR, VARCHAR)",
}
_RANGE_TYPES = {
    **dict.fromkeys(
        (
            "position_from",
            "position_to",
            "header_position",
            "first_line",
            "next_line",
            "lines",
            "header",
            "rows",
            "quarantined",
            "joined",
            "purged",
            "size",
            "mtime_ns",
        ),
        "BIGINT",
    ),
    **dict.fromkeys(("first_time", "last_time", "read_at"), "TIMESTAMPTZ"),
    "open_end": "BOOLEAN",
    "to_end": "BOOLEAN",
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a report is asked for. None is all organisations or servers, or open; `as_of` is the report date."""

    organisation: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    server: str | None = None


def needed_parts(snapshot: Snapshot, parameters: Parameters) -> list[Part]:
    """The live parts that can hold rows of the organisation and time asked for."""
    wanted, since, until = parameters.organisation, parameters.since, parameters.until
    return [
        part
        for part in snapshot.parts
        if (wanted is None or part.organisation == wanted)
        and (since is None or part.last_time is None or part.last_time >= since)
        and (until is None or part.first_time is None or part.first_time < until)
    ]


def parts_told_of(snapshot: Snapshot, parameters: Parameters) -> list[Part]:
    """The live parts of the organisation asked for, of whatever time: `source_ranges` reads their footers."""
    return needed_parts(snapshot, replace(parameters, since=None, until=None))


def parameters_table(parameters: Parameters) -> str:
    """`parameters`: one row, its `as_of` now if none was given."""
    columns = [
        ("organisation", "VARCHAR"),
        ("since", "TIMESTAMPTZ"),
        ("until", "TIMESTAMPTZ"),
        ("as_of", "TIMESTAMPTZ"),
        ("server", "VARCHAR"),
    ]
    row = (
        parameters.organisation,
        parameters.since,
        parameters.until,
        parameters.as_of or datetime.now(UTC),
        _short_name(parameters.server),
    )
    return table_sql("parameters", columns, [row])


def table_views(snapshot: Snapshot, parts: Sequence[Part], parameters: Parameters) -> list[str]:
    """`NAME_lines` with all lines of the parts, and `NAME` with its rows only."""
    columns: Sequence[Column] = TABLES[snapshot.name]
    names = ", ".join(f'"{column.name}"' for column in columns)
    if parts:
        files = ", ".join(literal(path) for path in snapshot.paths(parts))
        source = (
            f"select {names} from read_parquet([{files}], hive_partitioning = true, "
            "hive_types = {'organisation': VARCHAR, 'month': VARCHAR})"
        )
        if conditions := list(_conditions(parameters)):
            source += " where " + " and ".join(conditions)
    else:
        empty = ", ".join(f'null::{SQL_TYPES[column.type]} as "{column.name}"' for column in columns)
        source = f"select {empty} where false"
    return [
        f"create view {snapshot.name}_lines as {source}",
        f"create view {snapshot.name} as select {names} from {snapshot.name}_lines where parse_error is null",
    ]


def ranges_sql(
    snapshots: Sequence[Snapshot], parts: dict[str, list[Part]], chosen: dict[str, list[Part]]
) -> str:
    """The rows of `source_ranges`: what the parts' metadata says of their sources.

    `in_window` is true for the `chosen` parts, whose rows the tables hold.
    """
    selects = []
    cells = ", ".join(
        f"(cells->>{i})::{_RANGE_TYPES.get(name, 'VARCHAR')} as {name}" for i, name in enumerate(NAMES[:-1])
    )
    # of parts that were written before anything was purged, the count is missing
    cells += f", coalesce((cells->>{len(NAMES) - 1})::BIGINT, 0) as {NAMES[-1]}"
    for snapshot in snapshots:
        inside = {part.path for part in chosen[snapshot.name]}
        for in_window in (True, False):
            some = [part for part in parts[snapshot.name] if (part.path in inside) is in_window]
            if not some:
                continue
            files = ", ".join(literal(path) for path in snapshot.paths(some))
            selects.append(
                f"select '{snapshot.name}' as table_name, {cells}, {literal(in_window)} as in_window from ("
                "select unnest(from_json(decode(value)->'sources', '[\"JSON\"]')) as cells "
                f"from parquet_kv_metadata([{files}]) where decode(key) = '{METADATA_KEY}')"
            )
    if not selects:
        empty = ", ".join(f"null::{_RANGE_TYPES.get(name, 'VARCHAR')} as {name}" for name in NAMES)
        selects.append(f"select null::VARCHAR as table_name, {empty}, null::BOOLEAN as in_window where false")
    return " union all ".join(selects)


def organisation_tables(
    known: Sequence[KnownOrganisation],
) -> Iterable[tuple[str, list[tuple[str, str]], list[tuple[Any, ...]]]]:
    """What organisations.toml says, as relations: name, columns with types, rows."""
    text = "VARCHAR"
    yield "organisations", [("organisation", text), ("display_name", text)], [(o.id, o.name) for o in known]
    lists = (("domain", "domains"), ("server", "servers"), ("network", "networks"))
    for column, attribute in lists:
        yield (
            f"organisation_{attribute}",
            [("organisation", text), (column, text)],
            [(o.id, value) for o in known for value in getattr(o, attribute)],
        )
    yield (
        "known_pauses",
        [("organisation", text), ("pause_from", "DATE"), ("pause_to", "DATE")],
        [(o.id, *pause) for o in known for pause in o.pauses],
    )
    yield (
        "known_first_detections",
        [("organisation", text), ("server", text), ("first_detected", "TIMESTAMPTZ")],
        [(o.id, *detection) for o in known for detection in o.first_detected],
    )
    yield (
        "known_connectors",
        [("organisation", text), ("connector", text), ("in_scope", "BOOLEAN")],
        [(o.id, name, True) for o in known for name in o.connectors_in_scope]
        + [(o.id, name, False) for o in known for name in o.connectors_out_of_scope],
    )


def imported_table(imported: Sequence[KeptImport], organisation: str | None) -> str:
    """`imported_reports`: what was imported of the organisation asked for."""
    from pipeline.imports.kept import COLUMNS, relation_rows

    return table_sql(IMPORTED, COLUMNS, relation_rows(imported, organisation))


def table_sql(name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> str:
    """A small table as one statement."""
    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns)
    if not rows:
        return f"create table {name} ({declared})"
    values = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)
    cast = ", ".join(f'"{column}"::{kind} as "{column}"' for column, kind in columns)
    named = ", ".join(f'"{column}"' for column, _ in columns)
    return f"create table {name} as select {cast} from (values {values}) as given({named})"


def one_table(name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> list[str]:
    return [table_sql(name, columns, rows)]


def long_table(name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> list[str]:
    """The same table with its rows in one literal: each literal of VALUES is parsed and bound by itself, which takes
    DuckDB ten times as long."""
    text = json.dumps(
        [[value.isoformat() if isinstance(value, date) else value for value in row] for row in rows],
        ensure_ascii=False,
    )
    if not rows or "\\u0000" in text:
        return one_table(name, columns, rows)
    cells = ", ".join(f'cells[{i}]::{kind} as "{column}"' for i, (column, kind) in enumerate(columns, 1))
    listed = f"""unnest(from_json({literal(text)}, '[["VARCHAR"]]'))"""
    return [f"create table {name} as select {cells} from (select {listed} as cells)"]


def literal(value: Any) -> str:
    """A value as SQL; text is quoted."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"'{value.astimezone(UTC).isoformat()}'"
    if isinstance(value, date):
        return f"'{value.isoformat()}'"
    return "'" + as_text(str(value)).replace("'", "''") + "'"


def as_text(text: str) -> str:
    """Bytes of a command line that are no text stand escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _conditions(parameters: Parameters) -> Iterable[str]:
    """Quarantined lines have no time: they are always seen."""
    if parameters.since:
        yield f"(date_time >= {literal(parameters.since)}::TIMESTAMPTZ or date_time is null)"
    if parameters.until:
        yield f"(date_time < {literal(parameters.until)}::TIMESTAMPTZ or date_time is null)"


def _short_name(server: str | None) -> str | None:
    """Servers are compared by the first label of their name in capitals."""
    return server.split(".")[0].strip().upper() if server else None
