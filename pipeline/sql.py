"""A DuckDB session over one snapshot of the store: its tables, the catalogue and the views of `queries/`.

A session sees only the store. It is locked before anything but the tool's own SQL runs: only the live files
can be read, nothing can be written, loaded or fetched, and only SELECT and EXPLAIN are accepted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from pipeline import __version__, queries
from pipeline.errors import TbesError, UsageError
from pipeline.interruptible import heeding_interrupts, is_unending
from pipeline.organisations import KnownOrganisation
from pipeline.relations import (
    IMPORTED,
    RANGES,
    Parameters,
    as_text,
    imported_table,
    literal,
    long_table,
    needed_parts,
    one_table,
    organisation_tables,
    parameters_table,
    parts_told_of,
    ranges_sql,
    table_views,
)
from pipeline.spill import SpillFolder
from pipeline.statement_guard import refusal
from pipeline.store.delta import Part
from pipeline.store.kept_views import KeptViews, batches, keys
from pipeline.store.private import owner_only
from pipeline.store.store import Snapshot, glob_escape

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.imports.kept import KeptImport
    from pipeline.reference.catalogue import Catalogue

T = TypeVar("T")
WITHOUT_FAULTY_OPTIMISER = "set disabled_optimizers = 'statistics_propagation'"
"""DuckDB 2.0.1 takes the wrong branch of a CASE over joins with an empty table; without this one it does not."""


_REFERENCE = "ref_"
"""Names of the catalogue's tables begin so."""
KEPT_FROM_ROWS = 2_000_000
"""Below it the views are computed about as fast as they are read."""
MEMORY = "50%"
"""Of the machine's: others work there too. What does not fit is spilled to the temporary folder."""


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
        sql = as_text(sql)
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
            made[name] = partial(one_table, name, columns, rows)
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
            name: partial(long_table, name, relation.columns, relation.rows)
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
        for batch in batches(self.snapshots, wanted):
            self._fill_batch({view: batch.intersection(names) for view, names in missing.items()}, batch)

    def _fill_batch(self, missing: dict[str, set[str]], batch: set[str]) -> None:
        assert self._kept is not None
        snapshots = [
            replace(snapshot, parts=tuple(part for part in snapshot.parts if part.organisation in batch))
            for snapshot in self.snapshots
        ]
        alone = Parameters(as_of=self.parameters.as_of)
        with closing(
            Session(snapshots, self.catalogue, self.organisations, alone, keep_from_rows=None)
        ) as session:
            for view, names in missing.items():
                if names:
                    session._make_views(view)
                for name in sorted(names):
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


def _message(error: duckdb.Error) -> str:
    """DuckDB's own words without the drawing of the statement."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith(("LINE ", " "))]
    return " ".join(lines) or type(error).__name__
