"""Removing log lines for good: by age, or an organisation as a whole.

A part that holds older lines is written anew without them, and the old file is deleted at once. What remains of a
purged line is the entry that says which range of which log was read (path, server, positions, counts; no row), so
that the same log in the folder is not read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import TbesError
from pipeline.imports import kept as imports
from pipeline.store.cleaning import Cleaned, clean
from pipeline.store.compaction import ATTEMPTS
from pipeline.store.delta import Conflict, Part
from pipeline.store.imported import change_imports
from pipeline.store.kept_views import FOLDER as KEPT_VIEWS
from pipeline.store.kept_views import forget
from pipeline.store.locks import writing
from pipeline.store.parts import PartWriter, new_run
from pipeline.store.private import owner_only
from pipeline.store.ranges import Range
from pipeline.store.store import TABLES, Snapshot, Store, read_ranges

_PARTITION = "organisation="


@dataclass(slots=True)
class Purged:
    """Lines removed (rows and quarantined), parts written anew, and the files deleted."""

    lines: int = 0
    parts: int = 0
    cleaned: Cleaned | None = None


def purge(store: Store, before: datetime | None, organisation: str | None = None) -> Purged:
    """Remove what is older than `before` (aware), or an organisation with all that was read of it and its imported
    reports (`before` None).

    Lines without a time go with their month. Raises TbesError if other processes keep committing, OSError if the
    store cannot be written.
    """
    assert before is not None or organisation is not None
    purged = Purged()
    run = new_run()
    # What is under way now may still be committed after it: the next purge finds it.
    with owner_only(), writing(store.root, run):
        for name in TABLES:
            writer = PartWriter(store.root / name, TABLES[name], run)
            for _ in range(ATTEMPTS):
                try:
                    _purge_table(store, name, writer, before, organisation, purged)
                    break
                except (Conflict, FileNotFoundError):
                    # An ingest or a compaction was first: look again.
                    continue
            else:
                raise TbesError(
                    f"Other processes kept committing to {store.root}: purge again when they are done."
                )
    if before is None:
        _forget_imports(store, organisation)
    # Replaced files hold the same lines: no report keeps them.
    purged.cleaned = clean(store, grace_hours=0, organisation=organisation)
    # Last: a report that began before the purge may keep its rows as long as it finds the old files.
    forget(store.root, organisation)
    return purged


def organisations_with_rests(store: Store) -> set[str]:
    """Organisations of which the store holds anything: live lines, imported reports, or what a killed purge left."""
    files = (path for name in store.tables for path in (store.root / name).glob(f"{_PARTITION}*/*/*.parquet"))
    views = store.root / KEPT_VIEWS
    return {
        *(part.organisation for snapshot in store.snapshot() for part in snapshot.parts),
        *(path.parents[1].name.removeprefix(_PARTITION) for path in files),
        *(kept.organisation for kept in imports.load(store.root)),
        *(path.name for path in (views.iterdir() if views.is_dir() else ())),
    }


def _forget_imports(store: Store, organisation: str | None) -> None:
    if any(item.organisation == organisation for item in imports.load(store.root)):
        change_imports(store.root, lambda kept: [item for item in kept if item.organisation != organisation])


def _purge_table(
    store: Store,
    name: str,
    writer: PartWriter,
    before: datetime | None,
    organisation: str | None,
    purged: Purged,
) -> None:
    table = store.tables[name]
    table.open()
    snapshot = Snapshot(name, table.root, tuple(table.parts()))
    touched = [
        part
        for part in snapshot.parts
        if (organisation is None or part.organisation == organisation)
        and (before is None or part.first_time is None or part.first_time < before)
    ]
    entries = read_ranges(snapshot, touched)
    written: list[Part] = []
    removed: list[Part] = []
    lines = 0
    try:
        for part in touched:
            if before is None:
                removed.append(part)
                lines += part.rows
                continue
            gone: Counter[int] = Counter()
            ranges = entries[part.path]
            kept = list(_kept(writer.stream([part]), before, part.month, ranges, gone))
            if not gone:
                continue
            lines += gone.total()
            removed.append(part)
            left = _entries_after(ranges, kept, gone)
            written.append(
                writer.write_all(kept or [writer.schema.empty_table()], part.organisation, part.month, left)
            )
        if removed:
            table.commit(written, removed)
    except BaseException:
        _drop(writer.root, written)
        raise
    purged.lines += lines
    purged.parts += len(removed)


def _kept(
    tables: Iterator[pa.Table], before: datetime, month: str, ranges: Sequence[Range], gone: Counter[int]
) -> Iterator[pa.Table]:
    """The tables without what is older; counts what goes by the range it is of."""
    old_month = _month_ends_before(month, before)
    for table in tables:
        time = table.column("date_time")
        old = pc.fill_null(pc.less(time, pa.scalar(before, time.type)), old_month)
        if pc.any(old).as_py():
            of_range = _range_of_rows(table.filter(old), ranges)
            gone.update(of_range)
            table = table.filter(pc.invert(old))
        if table.num_rows:
            yield table


def _range_of_rows(table: pa.Table, ranges: Sequence[Range]) -> Iterator[int]:
    """The index of the range that each row lies in."""
    by_source: dict[str, list[int]] = {}
    for number, entry in enumerate(ranges):
        by_source.setdefault(entry.source_id, []).append(number)
    for source, line in zip(
        table.column("source_id").to_pylist(), table.column("source_line").to_pylist(), strict=True
    ):
        numbers = by_source[source]
        yield next((n for n in numbers if ranges[n].first_line <= line < ranges[n].next_line), numbers[-1])


def _entries_after(ranges: Sequence[Range], kept: Sequence[pa.Table], gone: Counter[int]) -> list[Range]:
    """The entries with the counts and times of the rows that stay."""
    rows: Counter[int] = Counter()
    bad: Counter[int] = Counter()
    times: dict[int, list[datetime]] = {}
    for table in kept:
        is_bad = pc.is_valid(table.column("parse_error")).to_pylist()
        for number, quarantined, time in zip(
            _range_of_rows(table, ranges), is_bad, table.column("date_time").to_pylist(), strict=True
        ):
            (bad if quarantined else rows)[number] += 1
            if time is not None:
                span = times.setdefault(number, [time, time])
                span[0], span[1] = min(span[0], time), max(span[1], time)
    return [
        replace(
            entry,
            rows=rows[number],
            quarantined=bad[number],
            purged=entry.purged + gone[number],
            first_time=times[number][0].isoformat() if number in times else None,
            last_time=times[number][1].isoformat() if number in times else None,
        )
        if gone[number]
        else entry
        for number, entry in enumerate(ranges)
    ]


def _month_ends_before(month: str, before: datetime) -> bool:
    return month < f"{before:%Y-%m}"


def _drop(root: Path, parts: Sequence[Part]) -> None:
    for part in parts:
        (root / part.path).unlink(missing_ok=True)
