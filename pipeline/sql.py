"""A DuckDB session over one snapshot of the store: its tables, the catalogue and the views of `queries/`.

A session sees only the store. It is locked before anything but the tool's own SQL runs: only the live files
can be read, nothing can be written, loaded or fetched, and only SELECT and EXPLAIN are accepted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from pipeline import __version__, queries
from pipeline.errors import TbesError, UsageError
from pipeline.interruptible import heeding_interrupts, is_unending
from pipeline.logs.columns import Column
from pipeline.organisations import KnownOrganisation
from pipeline.spill import SpillFolder
from pipeline.statement_guard import refusal
from pipeline.store.delta import Part
from pipeline.store.kept_views import KeptViews, keys
from pipeline.store.private import owner_only
from pipeline.store.ranges import METADATA_KEY, NAMES
from pipeline.store.store import TABLES, Snapshot, glob_escape

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.imports.kept import KeptImport
    from pipeline.reference.catalogue import Catalogue

T = TypeVar("T")
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


WITHOUT_FAULTY_OPTIMISER = "set disabled_optimizers = 'statistics_propagation'"
"""DuckDB 2.0.1 takes the wrong branch of a CASE over joins with an empty table; without this one it does not."""


RANGES = "source_ranges"
IMPORTED = "imported_reports"
_REFERENCE = "ref_"
"""Names of the catalogue's tables begin so."""
KEPT_FROM_ROWS = 2_000_000
"""Below it the views are computed about as fast as they are read."""
MEMORY = "50%"
"""Of the machine's: others work there too. What does not fit is spilled to the temporary folder."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a report is asked for. None is all organisations or servers, or open; `as_of` is the report date."""

    organisation: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a query: timestamps are aware and UTC."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[Any, ...]]


class Session:
    """Open it with a snapshot; close it, or use it as a context manager."""

    def __init__(
        self,
        snapshots: Sequence[Snapshot],
        catalogue: Catalogue | Callable[[], Catalogue],
        organisations: Sequence[KnownOrganisation] = (),
        parameters: Parameters | None = None,
        *,
        imported: Sequence[KeptImport] = (),
        unsafe: bool = False,
        keep_from_rows: int | None = KEPT_FROM_ROWS,
    ) -> None:
        """`catalogue` may be what gives it once something is read from it. `keep_from_rows` is the size of a store from
        which on views are kept in it; None never keeps.
        """
        self.parameters = parameters or Parameters()
        self.as_of = (self.parameters.as_of or datetime.now(UTC)).astimezone(UTC)
        self.snapshots, self._catalogue = snapshots, catalogue
        self.organisations, self.imported = organisations, imported
        self.unsafe = unsafe
        self.connection = duckdb.connect()
        self._made: set[str] = set()
        self._chosen = {snapshot.name: needed_parts(snapshot, self.parameters) for snapshot in snapshots}
        # what was read is told whatever the time asked for: an organisation without a line in it does not vanish
        self._told = {snapshot.name: parts_told_of(snapshot, self.parameters) for snapshot in snapshots}
        self._kept = self._kept_views(keep_from_rows)
        # What does not fit is spilled; by default DuckDB would do that in the current folder.
        self._spill = _spill_folder()
        self._run(f"set temp_directory = {literal(self._spill.path if self._spill else '')}")
        self._run(f"set memory_limit = '{MEMORY}'")
        self._run("set timezone = 'UTC'")
        # it would be drawn into the output
        self._run("set enable_progress_bar = false")
        self._run(WITHOUT_FAULTY_OPTIMISER)
        self._run("set preserve_insertion_order = false")
        self._unmade = self._tables()
        if not unsafe:
            self._lock(snapshots)

    def report(self, name: str) -> Result:
        """The rows of a report of `queries/reports`. Raises UsageError if there is none of that name."""
        for report in queries.reports():
            if report.name == name:
                self._make_views(" ".join(queries.relations_read(report)))
                return self._fetch(report.sql)
        names = ", ".join(report.name for report in queries.reports())
        raise UsageError(f"There is no report {name!r}. Reports are: {names}")

    def query(self, sql: str) -> Result:
        """The user's own SELECT. Raises UsageError with DuckDB's message if it fails or is no query."""
        sql = _as_text(sql)
        try:
            statements = self.connection.extract_statements(sql)
        except duckdb.Error as error:
            raise UsageError(_message(error)) from error
        if len(statements) != 1:
            raise UsageError('Give one SQL statement, for example: tbes sql "select * from servers"')
        if not self.unsafe and (why := self._heeding(lambda: refusal(self.connection, statements[0]))):
            raise UsageError(why)
        # It may list what there is; the catalogue's tables are many.
        self._run_all(self._unmade)
        self._make_views(None if "views" in sql.lower() or "show" in sql.lower() else sql)
        return self._fetch(sql)

    def _make_views(self, sql: str | None) -> None:
        """Compute the views that a statement needs, or all, each once and in their order.

        As views in the engine's sense they would be computed wherever they are named: ten times as slow.
        """
        needed = self._needed_views(sql)
        self._make_tables(sql, (view for view in needed if not self._is_kept(view)))
        for view in needed:
            if view.name in self._made:
                continue
            if self._kept and self._is_kept(view):
                # Readers take the columns they need from the files.
                files = ", ".join(literal(glob_escape(str(path))) for path in self._kept.paths(view.name))
                self._make(f"create view {view.name} as select * from read_parquet([{files}])")
            else:
                self._make(f"create {'view' if view.inline else 'table'} {view.name} as\n{view.sql}")
            self._made.add(view.name)

    def _is_kept(self, view: queries.Query) -> bool:
        return view.kept and self._kept is not None

    def _tables(self) -> dict[str, Callable[[], Iterable[str]]]:
        """What makes each table beside the catalogue's when it is first read: opening files and telling DuckDB of a
        thousand of them takes longer than many a report. The lines of a table come with it.
        """
        made: dict[str, Callable[[], Iterable[str]]] = {
            snapshot.name: partial(table_views, snapshot, self._chosen[snapshot.name], self.parameters)
            for snapshot in self.snapshots
        }
        for name, columns, rows in organisation_tables(self.organisations):
            made[name] = partial(_one_table, name, columns, rows)
        made[IMPORTED] = lambda: [imported_table(self.imported, self.parameters.organisation)]
        made["parameters"] = lambda: [parameters_table(replace(self.parameters, as_of=self.as_of))]
        return made

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue of the session."""
        return self._catalogue() if callable(self._catalogue) else self._catalogue

    @cached_property
    def _references(self) -> dict[str, Callable[[], Iterable[str]]]:
        """The same for the catalogue's tables."""
        return {
            name: partial(_long_table, name, relation.columns, relation.rows)
            for name, relation in self.catalogue.tables().items()
        }

    def _make_tables(self, sql: str | None, views: Iterable[queries.Query]) -> None:
        """The tables that are named or that the views read; all of them for a statement that may list what there is."""
        read = " ".join(name for view in views for name in queries.relations_read(view))
        text = None if sql is None else f"{sql.lower()} {read}"
        self._run_all(self._unmade, text)
        if text is None or _REFERENCE in text:
            self._run_all(self._references, text)

    def _run_all(self, unmade: dict[str, Callable[[], Iterable[str]]], text: str | None = None) -> None:
        """What makes the tables that are named in a text, or all."""
        for name in [name for name in unmade if text is None or name in text]:
            for statement in unmade[name]():
                self._make(statement)
            del unmade[name]

    def _make(self, sql: str) -> None:
        """Run a statement that makes a relation: once more, if Ctrl-C came before it was noted that it is made."""
        self._run(sql.replace("create ", "create or replace ", 1))

    def _needed_views(self, sql: str | None) -> list[queries.Query]:
        """What a statement needs, in the order of creation; kept rows are there when this returns."""
        wanted = " ".join([RANGES, *(view.name for view in queries.views())]) if sql is None else sql
        if self._kept:
            needed = self._closure(wanted, queries.kept_views())
            try:
                self._keep([view.name for view in needed if view.kept and view.name not in self._made])
                return needed
            except OSError:
                # A store that cannot be written is read as if it kept nothing.
                self._kept = None
        return self._closure(wanted)

    @property
    def _ranges(self) -> queries.Query:
        """`source_ranges` as a view; its text names every file, so it is made where it is computed."""
        sql = "" if self._kept else ranges_sql(self.snapshots, self._told, self._chosen)
        return queries.Query(RANGES, "", "", {}, (), (), sql, kept=True)

    def _closure(self, sql: str, at_hand: frozenset[str] = frozenset()) -> list[queries.Query]:
        needed = queries.needed_views(sql, at_hand)
        read = {name for view in needed if view.name not in at_hand for name in queries.relations_read(view)}
        return [self._ranges, *needed] if RANGES in read or RANGES in sql.lower() else needed

    def _kept_views(self, from_rows: int | None) -> KeptViews | None:
        """What the store may keep for the organisations asked for; None if it is small, or only a time of it is asked for."""
        parts = [part for told in self._told.values() for part in told]
        if from_rows is None or sum(part.rows for part in parts) < from_rows or self._cuts_time(parts):
            return None
        text = "\0".join([*(view.sql for view in queries.views() if view.kept), ranges_sql((), {}, {})])
        tables = {name: relation.rows for name, relation in self.catalogue.tables().items()}
        shared = hashlib.sha256(
            f"{__version__}\0{duckdb.__version__}\0{text}\0{tables!r}".encode()
        ).hexdigest()
        own = {known.id: repr(known) for known in self.organisations}
        names = sorted({part.organisation for part in parts})
        return KeptViews(self.snapshots[0].root.parent, keys(self.snapshots, names, shared, own))

    def _cuts_time(self, parts: Sequence[Part]) -> bool:
        since, until = self.parameters.since, self.parameters.until
        return any(
            (since and part.first_time and part.first_time < since)
            or (until and part.last_time and part.last_time >= until)
            for part in parts
        )

    def _keep(self, views: Sequence[str]) -> None:
        """Compute what is not kept yet, for its organisations alone. Raises OSError if it cannot be written."""
        assert self._kept is not None
        missing = {view: names for view in views if (names := self._kept.missing(view))}
        if not missing:
            return
        with owner_only():
            self._fill(missing)

    def _fill(self, missing: dict[str, list[str]]) -> None:
        assert self._kept is not None
        self._kept.prepare()
        wanted = {name for names in missing.values() for name in names}
        snapshots = [
            replace(snapshot, parts=tuple(part for part in snapshot.parts if part.organisation in wanted))
            for snapshot in self.snapshots
        ]
        alone = Parameters(as_of=self.parameters.as_of)
        with closing(
            Session(snapshots, self.catalogue, self.organisations, alone, keep_from_rows=None)
        ) as session:
            for view, names in missing.items():
                session._make_views(view)
                for name in names:
                    self._kept.write(name, view, session._rows_of(view, name))

    def _rows_of(self, view: str, organisation: str) -> pa.Table:
        sql = f"select * from {view} where organisation = ?"
        return self._heeding(lambda: self.connection.sql(sql, params=[organisation]).to_arrow_table())

    def close(self) -> None:
        """End the session."""
        if not is_unending():
            # It would wait for the end of the statement.
            self.connection.close()
        if self._spill:
            self._spill.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fetch(self, sql: str) -> Result:
        def fetched() -> tuple[list[Any], list[tuple[Any, ...]]]:
            relation = self.connection.execute(sql)
            return relation.description or [], relation.fetchall()

        try:
            description, rows = self._heeding(fetched)
        except duckdb.Error as error:
            self._refuse_if_gone(error)
            raise UsageError(_message(error)) from error
        types = [str(column[1]) for column in description]
        # Also the values of a union or variant may be times.
        zoned = [i for i, kind in enumerate(types) if "TIMESTAMP WITH TIME ZONE" in kind or kind == "VARIANT"]
        return Result([column[0] for column in description], types, _in_utc(rows, zoned))

    def _heeding(self, work: Callable[[], T]) -> T:
        return heeding_interrupts(work, self.connection.interrupt)

    def _run(self, sql: str) -> None:
        try:
            self._heeding(lambda: self.connection.execute(sql))
        except duckdb.Error as error:
            self._refuse_if_gone(error)
            raise TbesError(f"The SQL session cannot be set up: {_message(error)}") from error

    def _refuse_if_gone(self, error: duckdb.Error) -> None:
        """Raises MissingFile if a file of the snapshot is there no more, in whatever words DuckDB said so: it may
        take the path of a missing file for that of a folder, which it is not allowed to look into.
        """
        files = (
            snapshot.root / part.path for snapshot in self.snapshots for part in self._told[snapshot.name]
        )
        if isinstance(error, duckdb.IOException) or not all(file.exists() for file in files):
            raise MissingFile(_message(error)) from error

    def _lock(self, snapshots: Sequence[Snapshot]) -> None:
        files = [
            str(snapshot.root / part.path) for snapshot in snapshots for part in self._told[snapshot.name]
        ]
        # a path with [, * or ? is asked for in its escaped form first, then opened in its own
        listed = ", ".join(literal(file) for file in sorted({*files, *map(glob_escape, files)}))
        # A variable of this program is no table, and nothing is loaded for an unknown function.
        self._run("set python_enable_replacements = false")
        self._run("set autoload_known_extensions = false")
        self._run("set autoinstall_known_extensions = false")
        self._run(f"set allowed_paths = [{listed}]")
        if self._kept:
            folders = ", ".join(literal(str(folder)) for folder in self._kept.folders.values())
            self._run(f"set allowed_directories = [{folders}]")
        self._run("set enable_external_access = false")
        self._run("set lock_configuration = true")


class MissingFile(TbesError):
    """A live file vanished: another process compacted or purged. A new snapshot helps."""


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


def _one_table(name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> list[str]:
    return [table_sql(name, columns, rows)]


def table_sql(name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> str:
    """A small table as one statement."""
    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns)
    if not rows:
        return f"create table {name} ({declared})"
    values = ", ".join("(" + ", ".join(literal(value) for value in row) + ")" for row in rows)
    cast = ", ".join(f'"{column}"::{kind} as "{column}"' for column, kind in columns)
    named = ", ".join(f'"{column}"' for column, _ in columns)
    return f"create table {name} as select {cast} from (values {values}) as given({named})"


def _long_table(name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> list[str]:
    """The same table with its rows in one literal: each literal of VALUES is parsed and bound by itself, which takes
    DuckDB ten times as long."""
    text = json.dumps(
        [[value.isoformat() if isinstance(value, date) else value for value in row] for row in rows],
        ensure_ascii=False,
    )
    if not rows or "\\u0000" in text:
        return _one_table(name, columns, rows)
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
    return "'" + _as_text(str(value)).replace("'", "''") + "'"


def parse_moment(text: str, now: datetime) -> datetime:
    """`2026-11-24`, an ISO time (UTC unless it says otherwise), or an age: `7d`, `12h`.

    Raises UsageError for anything else.
    """
    try:
        if text[-1:] in "dh" and text[:-1].isdecimal():
            return now - timedelta(**{"days" if text[-1] == "d" else "hours": int(text[:-1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no time: give a day (2026-11-24), a time (2026-11-24T10:00Z) or an age (7d, 12h)"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _conditions(parameters: Parameters) -> Iterable[str]:
    """Quarantined lines have no time: they are always seen."""
    if parameters.since:
        yield f"(date_time >= {literal(parameters.since)}::TIMESTAMPTZ or date_time is null)"
    if parameters.until:
        yield f"(date_time < {literal(parameters.until)}::TIMESTAMPTZ or date_time is null)"


def _short_name(server: str | None) -> str | None:
    """Servers are compared by the first label of their name in capitals."""
    return server.split(".")[0].strip().upper() if server else None


def _in_utc(rows: list[tuple[Any, ...]], columns: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows, with the aware times of these columns in UTC."""
    if not columns:
        return rows
    cells: list[list[Any]] = list(map(list, rows))
    for row in cells:
        for i in columns:
            row[i] = _utc(row[i])
    return list(map(tuple, cells))


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _spill_folder() -> SpillFolder | None:
    """A private folder; None where nothing can be written: then what does not fit fails with a sentence."""
    try:
        return SpillFolder()
    except OSError:
        return None


def _as_text(text: str) -> str:
    """Bytes of a command line that are no text stand escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _message(error: duckdb.Error) -> str:
    """DuckDB's own words without the drawing of the statement."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith(("LINE ", " "))]
    return " ".join(lines) or type(error).__name__
