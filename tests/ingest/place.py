"""A folder of logs beside a store, and what is in the store after an ingest. Real files, real commits."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.ingest.run import Ingest
from pipeline.ingest.summary import FileReport, Summary
from pipeline.logs.assign import Rules
from pipeline.logs.derived import Hosts
from pipeline.store.ranges import Range
from pipeline.store.store import Store, read_ranges

HOSTS = Hosts({"mail.protection.outlook.com": "exchange-online"})
NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
HOUR = 3600
WRITTEN = NOW.timestamp() - HOUR
"""Modification time that files get: an hour before NOW, so that they count as still being written."""
VOLATILE = {"source_file", "server_basis"}


class Place:
    """`logs` is what is ingested, `store` the store; both lie under one folder."""

    def __init__(self, root: Path) -> None:
        self.logs = root / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.store = Store(root / "store")
        self._ingests = 0

    def write(self, name: str, data: bytes, *, age: float = HOUR) -> Path:
        """Write a file below `logs`, last modified `age` seconds before NOW."""
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        self.touch(name, age=age)
        return path

    def touch(self, name: str, *, age: float) -> None:
        """Set the modification time, in seconds before NOW."""
        when = NOW.timestamp() - age
        os.utime(self.logs / name, (when, when))

    def zip(self, name: str, members: Mapping[str, bytes], *, age: float = HOUR) -> Path:
        """Write an archive below `logs`."""
        path = self.logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                info = zipfile.ZipInfo("x")
                info.filename = member
                archive.writestr(info, data)
        self.touch(name, age=age)
        return path

    def ingest(
        self,
        *paths: Path,
        rules: Rules | None = None,
        reassign: bool = False,
        now: datetime = NOW,
        workers: int = 2,
    ) -> Summary:
        """Ingest `logs` or the given paths; what the summary says must add up."""
        self._ingests += 1
        summary = Ingest(
            self.store,
            HOSTS,
            rules or Rules(),
            reassign=reassign,
            now=now + timedelta(seconds=self._ingests),
            workers=workers,
        ).run(paths or [self.logs])
        for report in summary.files:
            assert report.read == report.header + report.rows + report.quarantined + report.pending
        document = summary.as_json()["lines"]
        assert document["read"] == sum(
            document[name] for name in ("header", "rows", "quarantined", "pending")
        )
        return summary

    def lines(self, table: str = "smtp_protocol") -> list[dict[str, Any]]:
        """All rows and quarantined lines of a table, by file and line, with organisation and month."""
        snapshot = next(found for found in self.store.snapshot() if found.name == table)
        result: list[dict[str, Any]] = []
        for part in snapshot.parts:
            frame = pl.read_parquet(snapshot.root / part.path, hive_partitioning=False, glob=False)
            assert frame.height == part.rows
            result.extend(
                {**row, "organisation": part.organisation, "month": part.month}
                for row in frame.iter_rows(named=True)
            )
        return sorted(result, key=lambda row: (row["source_file"], row["source_line"], repr(row)))

    def rows(self, table: str = "smtp_protocol") -> list[dict[str, Any]]:
        """Rows without the quarantined lines."""
        return [row for row in self.lines(table) if row["parse_error"] is None]

    def ranges(self, table: str = "smtp_protocol") -> list[Range]:
        """What the parts say of their sources."""
        snapshot = next(found for found in self.store.snapshot() if found.name == table)
        return [entry for entries in read_ranges(snapshot).values() for entry in entries]

    def versions(self) -> int:
        """Commits of both tables."""
        return sum(
            len(list((table.root / "_delta_log").glob("*.json"))) for table in self.store.tables.values()
        )


def content(lines: Sequence[Mapping[str, Any]], *, without: Sequence[str] = ()) -> Counter[tuple[str, ...]]:
    """Rows as a multiset, without what depends on the file's place."""
    left_out = VOLATILE | {"source_id"} | set(without)
    return Counter(
        tuple(
            f"{name}={dict(value) if name == 'extra' and value else value!r}"
            for name, value in sorted(row.items())
            if name not in left_out
        )
        for row in lines
    )


def report_of(summary: Summary, name: str) -> FileReport:
    """The report on the file whose path ends so."""
    found = [report for report in summary.files if report.path.replace("\\", "/").endswith(name)]
    assert len(found) == 1, [report.path for report in summary.files]
    return found[0]
