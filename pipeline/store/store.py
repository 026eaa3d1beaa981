"""The store as its users see it: two tables, their live parts, and what has been ingested."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.errors import TbesError, UsageError
from pipeline.interruptible import heeding_interrupts
from pipeline.logs import message_tracking, smtp_protocol
from pipeline.logs.columns import Column
from pipeline.store.delta import Part, Table
from pipeline.store.private import Treatment, must_agree
from pipeline.store.ranges import METADATA_KEY, Range, load

_MISREAD = re.compile(r"%[0-9A-Fa-f]{2}|\\|[\x00-\x1f\x7f]")
TABLES: dict[str, tuple[Column, ...]] = {
    message_tracking.NAME: message_tracking.COLUMNS,
    smtp_protocol.NAME: smtp_protocol.COLUMNS,
}
ENVIRONMENT = "TBES_STORE"
ORGANISATIONS_FILE = "organisations.toml"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The live parts of one table at one moment, and the folder they lie in."""

    name: str
    root: Path
    parts: tuple[Part, ...]

    def paths(self, parts: Iterable[Part] | None = None) -> list[str]:
        """Absolute paths, as DuckDB and Polars take them literally: wildcards in them are escaped."""
        return [glob_escape(str(self.root / part.path)) for part in (self.parts if parts is None else parts)]


def default_path() -> Path:
    """TBES_STORE, else `tbes-store` in the current folder."""
    return Path(os.environ.get(ENVIRONMENT) or "tbes-store")


class Store:
    """A store folder. Nothing is read or made before a method is called."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.tables = {name: Table(self.root / name, columns) for name, columns in TABLES.items()}

    def treatment(self) -> Treatment | None:
        """How the store's rows are treated; None if there is no store yet."""
        for table in self.tables.values():
            if table.open():
                return Treatment.of(table.properties())
        return None

    def create(self, treatment: Treatment | None = None) -> None:
        """Make what is missing. Raises TbesError if the folder cannot be written, UsageError if the store's rows
        are treated otherwise.
        """
        self._refuse_name()
        wanted = treatment or Treatment()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TbesError(
                f"The store {self.root} cannot be made: {error.strerror}. Choose another with --store."
            ) from error
        for table in self.tables.values():
            table.create(wanted.properties())
            # Also of two that make the store at once only one decides.
            must_agree(self.root, Treatment.of(table.properties()), wanted)

    def _refuse_name(self) -> None:
        """Delta's reader takes `%20` in a path for a blank, and would look elsewhere, with `%2e%2e` even above."""
        path = str(self.root)
        if found := _MISREAD.search(path if os.sep == "/" else path.replace(os.sep, "/")):
            raise UsageError(
                f"The store cannot lie in {path}: the table format reads {found[0]!r} in a path as another "
                "character. Choose another folder with --store."
            )

    def snapshot(self) -> list[Snapshot]:
        """The newest state of both tables. Raises UsageError if there is no store."""
        self._refuse_name()
        snapshots: list[Snapshot] = []
        for name, table in self.tables.items():
            exists = table.open()
            if not exists and not snapshots and not self.tables[smtp_protocol.NAME].open():
                raise UsageError(
                    f"There is no store at {self.root}. Make one with: tbes ingest PATH-OF-THE-LOGS "
                    f"(or name another with --store or {ENVIRONMENT})"
                )
            snapshots.append(Snapshot(name, table.root, tuple(table.parts())))
        return snapshots

    @property
    def organisations_file(self) -> Path:
        """Where the store keeps its organisations.toml."""
        return self.root / ORGANISATIONS_FILE


def read_ranges(snapshot: Snapshot, parts: Sequence[Part] | None = None) -> dict[str, list[Range]]:
    """Part path -> entries of its metadata, for all live parts or the given ones.

    Raises TbesError if a part is missing or unreadable.
    """
    chosen = snapshot.parts if parts is None else parts
    if not chosen:
        return {}
    by_absolute = {str(snapshot.root / part.path): part.path for part in chosen}
    try:
        with duckdb.connect() as connection:
            rows = heeding_interrupts(
                lambda: connection.execute(
                    "select file_name, decode(value) from parquet_kv_metadata(?) where decode(key) = ?",
                    [snapshot.paths(chosen), METADATA_KEY],
                ).fetchall(),
                connection.interrupt,
            )
        return {by_absolute[str(Path(name))]: load(text) for name, text in rows}
    except (duckdb.Error, ValueError, KeyError) as error:
        message = str(error).splitlines()[0]
        raise TbesError(f"The store {snapshot.root.parent} cannot be read: {message}") from error


def glob_escape(path: str) -> str:
    """DuckDB reads every path as a pattern."""
    if not any(letter in path for letter in "[*?"):
        return path
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in path)
