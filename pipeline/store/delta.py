"""A Delta Lake table whose every commit is guarded against concurrent ones.

delta-rs does not see all conflicts (a removed file may be removed twice, and rows double); therefore each
commit carries `Transaction("tbes", v + 1)` where v was read from the very handle that commits, so that of
two commits made from the same state the second fails and is decided anew.
https://delta.io is the format; the table can be read by any Delta reader.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from pipeline.errors import TbesError, UsageError
from pipeline.logs.columns import PARTITIONS, Column, arrow_schema

APP_ID = "tbes"
SCHEMA_VERSION = 2
_ACTION_COLUMNS = (
    "path",
    "size_bytes",
    "partition.organisation",
    "partition.month",
    "num_records",
    "min.date_time",
    "max.date_time",
    "null_count.enforcement_action",
)
"""What a Part is made of, in its order, by delta-rs' names."""
"""Newest schema that this version knows. 1: plain rows. 2: the same columns, the rows treated (pseudonyms, no subjects),
so that a version that knows nothing of that does not add plain rows to them.
"""
_SCHEMA = "tbes.schema"


@dataclass(frozen=True, slots=True)
class Part:
    """A live Parquet file. `path` is relative to the table, with forward slashes; times are of date_time."""

    path: str
    size: int
    organisation: str
    month: str
    rows: int
    first_time: datetime | None
    last_time: datetime | None
    refusals: int


class Conflict(Exception):
    """Another process committed first: read the state again and decide anew."""


class Table:
    """One table of the store at `root`."""

    def __init__(self, root: Path, columns: Sequence[Column]) -> None:
        self.root = root
        self._columns = columns
        self._handle: DeltaTable | None = None

    def open(self) -> bool:
        """Take the newest state; False if the table does not exist. Raises TbesError if it cannot be read."""
        try:
            self._handle = DeltaTable(str(self.root))
        except TableNotFoundError:
            self._handle = None
            return False
        except (DeltaError, OSError, ValueError) as error:
            raise TbesError(f"The table {self.root} cannot be read: {_first_line(error)}") from error
        version = self.properties().get(_SCHEMA) or "none"
        if not version.isdecimal():
            raise UsageError(
                f"The table {self.root} has no schema version of tbes ({version}): choose another store"
            )
        if int(version) > SCHEMA_VERSION:
            raise UsageError(
                f"The store was written by a newer tbes (schema {version}, this one knows {SCHEMA_VERSION}): "
                "update tbes, for example with: pip install --upgrade tbes"
            )
        return True

    def properties(self) -> dict[str, str | None]:
        """The table's own properties, in the state that `open` took."""
        return dict(self._handle.metadata().configuration) if self._handle is not None else {}

    def create(self, properties: Mapping[str, str] | None = None) -> None:
        """Open the table, making it with these properties of its own if it does not exist."""
        if self.open():
            return
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            DeltaTable.create(
                str(self.root),
                arrow_schema(self._columns),
                mode="ignore",
                partition_by=list(PARTITIONS),
                configuration={_SCHEMA: "2" if properties else "1", **(properties or {})},
                raise_if_key_not_exists=False,
            )
        except (DeltaError, OSError) as error:
            raise TbesError(f"The table {self.root} cannot be made: {_first_line(error)}") from error
        self.open()

    def parts(self) -> list[Part]:
        """The live files of the state that `open` took, in the order of their paths."""
        if self._handle is None:
            return []
        actions = self._handle.get_add_actions(flatten=True)
        held = set(actions.column_names)

        def values(name: str) -> list[Any]:
            return list(actions.column(name).to_pylist()) if name in held else [None] * len(actions)

        columns = zip(*map(values, _ACTION_COLUMNS), strict=True)
        parts = [
            Part(unquote(path), size, organisation, month, rows, first, last, rows - (without_refusal or 0))
            for path, size, organisation, month, rows, first, last, without_refusal in columns
        ]
        return sorted(parts, key=lambda part: part.path)

    def removed_within(self, hours: int) -> set[str]:
        """Paths of files that commits of the last hours took out of the table, as far as the log still tells."""
        handle = self._handle
        assert handle is not None, "open the table first"

        def expired(after: int) -> set[str]:
            found = handle.vacuum(after, dry_run=True, enforce_retention_duration=False)
            return {unquote(path) for path in found}

        return expired(0) - expired(hours) if hours else set()

    def commit(self, add: Iterable[Part], remove: Iterable[Part]) -> None:
        """Make `add` visible and `remove` invisible in one step, from the state that `open` took.

        Raises Conflict if another commit came in between; TbesError if the folder cannot hold a Delta log.
        """
        assert self._handle is not None, "open the table first"
        live = {part.path for part in self.parts()} if (remove := list(remove)) else set()
        if any(part.path not in live for part in remove):
            raise Conflict
        now = int(time.time() * 1000)
        actions: list[AddAction | RemoveAction] = [
            AddAction(part.path, part.size, _partition(part), now, True, _statistics(part)) for part in add
        ]
        actions += [RemoveAction(part.path, True, now, part.size, _partition(part)) for part in remove]
        version = (self._handle.transaction_version(APP_ID) or 0) + 1
        try:
            self._handle.create_write_transaction(
                actions,
                mode="append",
                schema=arrow_schema(self._columns),
                partition_by=list(PARTITIONS),
                commit_properties=CommitProperties(app_transactions=[Transaction(APP_ID, version)]),
            )
        except CommitFailedError as error:
            raise Conflict from error
        except (DeltaError, OSError) as error:
            raise TbesError(
                f"The commit to {self.root} failed: {_first_line(error)}. The folder must be writable and on a "
                "file system with hard links (NTFS, ext4, APFS); some network shares have none."
            ) from error
        # The handle still shows the state before the commit.
        self.open()
        log = self.root / "_delta_log"
        fsync(log / f"{self._handle.version():020d}.json")
        fsync(log)


def fsync(path: Path) -> None:
    """Force a file, or on POSIX a folder's entries, to disk; Windows writes folder entries by itself."""
    if path.is_dir() and os.name != "posix":
        return
    # Windows flushes only handles that may write.
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _partition(part: Part) -> dict[str, str | None]:
    return {"organisation": part.organisation, "month": part.month}


def _statistics(part: Part) -> str:
    """Only what prunes: never text, which would carry addresses into the log, where no purge reaches."""
    statistics: dict[str, Any] = {
        "numRecords": part.rows,
        "nullCount": {"enforcement_action": part.rows - part.refusals},
    }
    if part.first_time and part.last_time:
        statistics["minValues"] = {"date_time": _milliseconds(part.first_time, up=False)}
        statistics["maxValues"] = {"date_time": _milliseconds(part.last_time, up=True)}
    return json.dumps(statistics)


def _milliseconds(moment: datetime, *, up: bool) -> str:
    """A maximum that is too low would hide rows: it is rounded up."""
    thousandths, rest = divmod(moment.microsecond, 1000)
    whole = moment.replace(microsecond=0).timestamp() + (thousandths + (1 if up and rest else 0)) / 1000
    text = datetime.fromtimestamp(round(whole, 3), moment.tzinfo)
    return text.strftime("%Y-%m-%dT%H:%M:%S.") + f"{text.microsecond // 1000:03d}Z"


def _first_line(error: Exception) -> str:
    """What delta-rs says, in one line: it draws a tree, whose last line is the reason."""
    lines = [re.sub(r"\x1b\[[0-9;]*m|↳", "", line).strip().rstrip(".") for line in str(error).splitlines()]
    lines = [line for line in lines if line]
    return ": ".join(dict.fromkeys([lines[0], lines[-1]])) if lines else type(error).__name__
