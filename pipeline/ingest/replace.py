"""Sources whose taken part has changed: their rows leave the store; and shorter copies, compared row by row."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.ingest.plan import Job
from pipeline.logs.discover import ReadError, chunks
from pipeline.logs.framing import Framer, Run
from pipeline.logs.units import Reader, Segment, Unit
from pipeline.store.delta import Part
from pipeline.store.parts import PartWriter
from pipeline.store.ranges import Range
from pipeline.store.store import TABLES, Snapshot


def without_sources(
    snapshot: Snapshot, entries: dict[str, list[Range]], source_ids: Iterable[str], writer: PartWriter
) -> tuple[list[tuple[Part, list[Range]]], list[Part], int]:
    """Every part that names one of the sources, written anew without it.

    Returns the new parts with their entries, the parts to remove, and the number of rows that go.
    """
    gone = set(source_ids)
    if not gone:
        return [], [], 0
    written: list[tuple[Part, list[Range]]] = []
    removed: list[Part] = []
    rows = 0
    for part in snapshot.parts:
        named = entries.get(part.path, [])
        if not any(entry.source_id in gone for entry in named):
            continue
        removed.append(part)
        table = writer.read(part)
        kept = table.filter(pc.invert(pc.is_in(table.column("source_id"), pa.array(sorted(gone)))))
        rows += table.num_rows - kept.num_rows
        left = [entry for entry in named if entry.source_id not in gone]
        if left:
            written.append((writer.write(kept, part.organisation, part.month, left), left))
    return written, removed, rows


def rows_agree(
    job: Job,
    known: Range,
    snapshot: Snapshot,
    entries: dict[str, list[Range]],
    reader: Reader,
    writer: PartWriter,
) -> bool:
    """Whether every complete line of a shorter copy stands in the store under the same line number.

    A source that was purged agrees: its lines must not come back by a copy of it. Raises ReadError
    if it cannot be told now.
    """
    of_source = [entry for named in entries.values() for entry in named if entry.source_id == known.source_id]
    if any(entry.purged for entry in of_source):
        return True
    framer = Framer()
    units: dict[tuple[str, ...], Unit] = {}
    try:
        for chunk in chunks(job.candidate):
            _add(units, job, framer.feed(chunk))
    except ReadError as error:
        if error.may_pass:
            raise
        return False
    _add(units, job, framer.finish(take_tail=False))
    columns = ["source_line", *(column.name for column in TABLES[snapshot.name] if column.field), "raw_line"]
    plain = pa.schema([writer.schema.field(name) for name in columns])
    mine = [
        table.select(columns).cast(plain)
        for unit in units.values()
        for table in reader.read(unit).tables.values()
    ]
    if not mine:
        return True
    stored = [
        table.filter(pc.equal(table.column("source_id"), known.source_id)).select(columns)
        for part in snapshot.parts
        if any(entry.source_id == known.source_id for entry in entries.get(part.path, []))
        for table in [writer.read(part)]
    ]
    both = pl.DataFrame(pl.from_arrow(pa.concat_tables(mine)))
    found = both.join(
        pl.DataFrame(pl.from_arrow(pa.concat_tables(stored))), on=columns, how="semi", nulls_equal=True
    )
    return found.height == both.height


def _add(units: dict[tuple[str, ...], Unit], job: Job, runs: Iterable[Run]) -> None:
    for run in runs:
        fields = run.header.fields or job.head.kind.header.fields
        unit = units.setdefault(fields, Unit(job.head.kind.table, job.assignment.organisation, fields))
        unit.add(Segment(job.source, run))
