"""Writing Parquet parts: where they lie, what they say of their sources, and that they are on disk."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock

import polars as pl

from pipeline.logs.columns import Column
from pipeline.store.delta import Part, fsync
from pipeline.store.ranges import METADATA_KEY, Range, dump

COMPRESSION_LEVEL = 1
"""zstd 1: the fastest that is still a third smaller than snappy on these logs."""
ROW_GROUP = 256_000

_POLARS: dict[str, pl.DataType] = {
    "string": pl.String(), "int32": pl.Int32(), "int64": pl.Int64(), "double": pl.Float64(),
    "timestamp": pl.Datetime("us", "UTC"), "map": pl.Map(pl.String, pl.String),
}


def polars_schema(columns: Sequence[Column]) -> dict[str, pl.DataType]:
    """The stored types of a table, the partition columns included."""
    return {column.name: _POLARS[column.type] for column in columns}


class PartWriter:
    """Writes the parts of one run under a table's folder; names are unique to the run. Thread-safe."""

    def __init__(self, table_root: Path) -> None:
        self.root = table_root
        self.run = secrets.token_hex(6)
        self._count = 0
        self._lock = Lock()

    def write(self, frame: pl.DataFrame, organisation: str, month: str, ranges: Sequence[Range]) -> Part:
        """Write one part; `frame` has the table's columns without the partition columns. Synced to disk."""
        with self._lock:
            self._count += 1
            number = self._count
        relative = f"organisation={organisation}/month={month}/part-{self.run}-{number:05d}.parquet"
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(
            path,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            row_group_size=ROW_GROUP,
            metadata={METADATA_KEY: dump(ranges)},
        )
        fsync(path)
        times = frame["date_time"]
        first, last = times.min(), times.max()
        return Part(
            path=relative,
            size=path.stat().st_size,
            organisation=organisation,
            month=month,
            rows=frame.height,
            first_time=first if isinstance(first, datetime) else None,
            last_time=last if isinstance(last, datetime) else None,
            refusals=frame.height - frame["enforcement_action"].null_count(),
        )
