"""A store of the sample organisations, ingested in many small steps, and what can be read from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from pipeline import queries
from pipeline.commands import hosts_of
from pipeline.ingest.run import Ingest
from pipeline.ingest.summary import Summary
from pipeline.logs.assign import Organisation, Rules
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.store import Store

SAMPLES = Path(__file__).parents[2] / "sample_logs"
AS_OF = datetime(2026, 11, 24, 18, tzinfo=UTC)


def organisations() -> list[Path]:
    """The sample organisations' folders."""
    return sorted(path for path in SAMPLES.iterdir() if path.is_dir())


def ingest(store: Store, folder: Path, organisation: str) -> Summary:
    """One ingest of a folder."""
    rules = Rules(organisation=Organisation(organisation, organisation))
    return Ingest(store, hosts_of(Catalogue()), rules, now=AS_OF).run([folder])


def in_small_steps(root: Path, count: int = 3) -> Store:
    """Logs of some organisations, an ingest for each few files, copied below `root`."""
    store = Store(root / "store")
    for folder in organisations()[:count]:
        copy = root / "logs" / folder.name
        for number, path in enumerate(sorted(path for path in folder.rglob("*") if path.is_file())):
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            if number % 4 == 3:
                ingest(store, copy, folder.name)
        ingest(store, copy, folder.name)
    return store


def reports(store: Store, organisation: str | None = None) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every report."""
    parameters = Parameters(organisation, as_of=AS_OF)
    with Session(store.snapshot(), Catalogue(), (), parameters, keep_from_rows=None) as session:
        return {report.name: session.report(report.name).rows for report in queries.reports()}


def query(store: Store, sql: str) -> list[tuple[object, ...]]:
    """Rows of a statement."""
    with Session(store.snapshot(), Catalogue(), (), Parameters(as_of=AS_OF), keep_from_rows=None) as session:
        return session.query(sql).rows


def adds_up(store: Store) -> bool:
    """Every line read is a row, a quarantined line, header, part of the record above it, or purged; and rows are there."""
    ((difference, noted),) = query(
        store,
        "select sum(lines) - sum(header) - sum(rows) - sum(quarantined) - sum(joined) - sum(purged), "
        "sum(rows) + sum(quarantined) from source_ranges",
    )
    ((there,),) = query(
        store,
        "select (select count(*) from message_tracking_lines) + (select count(*) from smtp_protocol_lines)",
    )
    return difference == 0 and noted == there


def part_files(store: Store) -> list[Path]:
    """Every Parquet file below the store, needed or not."""
    return sorted(store.root.rglob("*.parquet"))


def all_bytes(store: Store) -> Iterator[bytes]:
    """The content of every file of the store; Parquet as its values and its notes, unpacked."""
    for path in store.root.rglob("*"):
        if path.suffix == ".parquet":
            file = pq.ParquetFile(path)
            yield "\0".join(str(value) for row in file.read().to_pylist() for value in row.values()).encode()
            yield repr(file.metadata.metadata).encode()
        elif path.is_file():
            yield path.read_bytes()
