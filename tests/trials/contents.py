"""What is in a store, in a form that two stores can be compared in; and what is on disk that no table knows."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.store.store import Snapshot, Store, read_ranges

RUN_DEPENDENT = frozenset({"server_basis"})
"""How a server's name was found may depend on which logs of its folder were read in the same run."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`rows`: table -> hash of a line -> how often. `sources`: (table, organisation, source) -> how far and how many."""

    rows: dict[str, Counter[str]]
    sources: dict[tuple[str, str, str], tuple[int, ...]]

    def total(self) -> int:
        """Rows and quarantined lines of all tables."""
        return sum(counts.total() for counts in self.rows.values())

    def difference(self, undisturbed: Contents) -> str:
        """The first differences in words; empty if there are none."""
        told = []
        for table in self.rows:
            more = self.rows[table] - undisturbed.rows[table]
            fewer = undisturbed.rows[table] - self.rows[table]
            if more or fewer:
                told.append(f"{table}: {more.total()} lines too many, {fewer.total()} missing")
        for key in sorted({*self.sources, *undisturbed.sources}):
            if (here := self.sources.get(key)) != (there := undisturbed.sources.get(key)):
                told.append(f"{key}: {here}, undisturbed {there}")
        return "; ".join(told[:4])


def contents(root: Path) -> Contents:
    """Everything in the newest state of a store. Raises AssertionError where counts do not add up."""
    rows: dict[str, Counter[str]] = {}
    sources: dict[tuple[str, str, str], tuple[int, ...]] = {}
    for snapshot in Store(root).snapshot():
        rows[snapshot.name] = Counter(_lines(snapshot))
        sources.update(_sources(snapshot))
    return Contents(rows, sources)


def _lines(snapshot: Snapshot) -> Iterator[str]:
    for part in snapshot.parts:
        table = pq.read_table(snapshot.root / part.path, partitioning=None, memory_map=False)
        assert table.num_rows == part.rows, (
            f"{part.path} has {table.num_rows} rows, its commit says {part.rows}"
        )
        for row in table.to_pylist():
            row.update(organisation=part.organisation, month=part.month)
            cells = sorted((name, repr(value)) for name, value in row.items() if name not in RUN_DEPENDENT)
            yield hashlib.sha256(repr(cells).encode("utf-8", "backslashreplace")).hexdigest()


def _sources(snapshot: Snapshot) -> dict[tuple[str, str, str], tuple[int, ...]]:
    """The counts of each source, and that its ranges cover it from the first line to the last: checked here."""
    totals: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * 6)
    reached: dict[tuple[str, str, str], int] = defaultdict(lambda: 1)
    for entries in read_ranges(snapshot).values():
        for entry in entries:
            key = (snapshot.name, entry.organisation, entry.source_id)
            numbers = (entry.lines, entry.header, entry.rows, entry.quarantined, entry.joined, entry.purged)
            totals[key] = [one + other for one, other in zip(totals[key], numbers, strict=True)]
            reached[key] = max(reached[key], entry.next_line)
    for key, (lines, *kinds) in totals.items():
        assert lines == sum(kinds), f"{key}: {totals[key]} does not add up"
        assert lines == reached[key] - 1, f"{key}: {lines} lines, but line {reached[key]} would be next"
    return {key: (*totals[key], reached[key]) for key in totals}


def orphans(root: Path) -> list[str]:
    """Files in the tables' folders that the newest state does not know, and unfinished files of the log."""
    left: list[str] = []
    for snapshot in Store(root).snapshot():
        live = {part.path for part in snapshot.parts}
        for path in snapshot.root.rglob("*"):
            relative = path.relative_to(snapshot.root).as_posix()
            if path.is_dir():
                continue
            in_log = relative.startswith("_delta_log/")
            if (
                in_log and path.suffix in (".json", ".parquet", ".crc")
            ) or relative == "_delta_log/_last_checkpoint":
                continue
            if relative not in live:
                left.append(f"{snapshot.name}/{relative}")
    return sorted(left)
