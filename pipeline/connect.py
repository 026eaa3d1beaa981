"""The init script that gives any DuckDB client what a session of `tbes sql` has.

Views over the live files of one snapshot, the catalogue and organisations as tables, and the views of
`queries/views`, each with comments. Measured on the sample logs (DuckDB 1.5, two cores):

* the views as plain views: 30 to 90 s for the script alone, minutes for a query, since every view is bound and
  computed wherever it is named;
* as tables: as fast as `tbes sql`, but all are computed before the first prompt, on a large store for minutes;
* so each view carries what it reads as materialised CTEs, computed once a query and only when it is queried: the
  script takes a second whatever the size of the store, and a query what `tbes sql` takes for it. `as_tables`
  computes them at the start instead, for who asks many questions of a store.

The views are first made over empty tables of the same columns, and these are exchanged for the real ones at the
end, so that the lists of files are bound a few times instead of hundreds: with 20,000 files 4 s instead of a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline import queries, schema_text
from pipeline.portable_sql import plain_text, portable
from pipeline.relations import (
    RANGES,
    Parameters,
    imported_table,
    needed_parts,
    organisation_tables,
    parameters_table,
    parts_told_of,
    ranges_sql,
    table_sql,
    table_views,
)
from pipeline.sql import WITHOUT_FAULTY_OPTIMISER, Session
from pipeline.store.delta import Part
from pipeline.store.store import Snapshot

VALID_FOR = timedelta(hours=1)
"""Files that a later ingest or compaction replaces are kept this long (a purge keeps none)."""
CONNECTION_MARKER = "/* DUCKDB_CONNECTION_INIT_BELOW_MARKER */"
"""DuckDB's JDBC driver runs what stands above it once, and what stands below for each connection."""


def script(session: Session, written: datetime, *, as_tables: bool = False) -> str:
    """The script for what a session has; `written` is when its snapshot was taken."""
    snapshots = session.snapshots
    parameters = replace(session.parameters, as_of=session.parameters.as_of or written)
    parts = {snapshot.name: needed_parts(snapshot, parameters) for snapshot in snapshots}
    empty: dict[str, list[Part]] = {snapshot.name: [] for snapshot in snapshots}
    told = {snapshot.name: parts_told_of(snapshot, parameters) for snapshot in snapshots}
    stand_ins = list(_over_files(snapshots, empty, empty, parameters))
    real = list(_over_files(snapshots, parts, told, parameters))
    tables = list(_tables(session, parameters))
    if as_tables:
        statements = [*real, *tables, *(_as_table(view) for view in queries.views())]
    else:
        statements = [*stand_ins, *tables, *(_as_view(view) for view in queries.views()), *real]
    made = [portable(statement) for statement in statements]
    made += comments(as_tables=as_tables)
    body = ";\n\n".join(made) + ";\n"
    zone = f"set timezone = 'UTC';\n{WITHOUT_FAULTY_OPTIMISER}"
    return f"{_heading(snapshots, written)}{zone};\n\n{body}\n{CONNECTION_MARKER}\n{zone};\n"


def comments(*, as_tables: bool = False) -> Iterator[str]:
    """COMMENT ON for every relation and column."""
    over_files = {
        "message_tracking",
        "message_tracking_lines",
        "smtp_protocol",
        "smtp_protocol_lines",
        "source_ranges",
    }
    for relation in schema_text.relations():
        view = relation.name in over_files or (relation.group == "views" and not as_tables)
        yield f"comment on {'view' if view else 'table'} {relation.name} is {plain_text(relation.meaning)}"
        for column in relation.columns:
            yield f'comment on column {relation.name}."{column.name}" is {plain_text(column.meaning)}'


def _heading(snapshots: Sequence[Snapshot], written: datetime) -> str:
    store = str(snapshots[0].root.parent) if snapshots else ""
    lines = (
        f"Written by tbes connect at {_moment(written)} for the store",
        store,
        f"VALID UNTIL {_moment(written + VALID_FOR)}: it reads the files that were live when it was written, and a file",
        "that is replaced later is kept for one hour. After that run tbes connect again.",
        "A purge removes files at once.",
        "Every view computes what it reads anew in each query. To keep one: create table mine as from exposure",
    )
    return "".join(f"-- {_printable(line)}\n" for line in lines)


def _printable(line: str) -> str:
    """A path may hold anything; a comment that ends early would be a statement."""
    return "".join(letter if letter.isprintable() and letter != ";" else "?" for letter in line)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _over_files(
    snapshots: Sequence[Snapshot],
    parts: dict[str, list[Part]],
    told: dict[str, list[Part]],
    parameters: Parameters,
) -> Iterable[str]:
    for snapshot in snapshots:
        for statement in table_views(snapshot, parts[snapshot.name], parameters):
            yield _replacing(statement)
    yield f"create or replace view {RANGES} as {ranges_sql(snapshots, told, parts)}"


def _tables(session: Session, parameters: Parameters) -> Iterator[str]:
    for name, relation in session.catalogue.tables().items():
        yield _replacing(table_sql(name, relation.columns, relation.rows))
    for name, columns, rows in organisation_tables(session.organisations):
        yield _replacing(table_sql(name, columns, rows))
    yield _replacing(imported_table(session.imported, parameters.organisation))
    yield _replacing(parameters_table(parameters))


def _replacing(statement: str) -> str:
    """A client may run the script twice."""
    return "create or replace " + statement.removeprefix("create ")


def _as_view(view: queries.Query) -> str:
    needed = [
        other
        for other in queries.needed_views(" ".join(queries.relations_read(view)))
        if other.name != view.name
    ]
    if not needed:
        return f"create or replace view {view.name} as\n{view.body}"
    chain = ",\n".join(f"{other.name} as materialized (\n{other.body.strip()}\n)" for other in needed)
    return f"create or replace view {view.name} as with\n{chain}\nselect * from (\n{view.body.strip()}\n)"


def _as_table(view: queries.Query) -> str:
    return f"create or replace table {view.name} as\n{view.body}"
