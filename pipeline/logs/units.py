"""Runs of one or many logs, read together as one unit: typed, derived, with lineage, by month.

Many small logs of one kind and field list are joined to one unit, so that a month of hourly files costs
little more than one large file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl

from pipeline.logs import message_tracking, smtp_protocol
from pipeline.logs.columns import Column
from pipeline.logs.derived import Hosts, missing, normal_build
from pipeline.logs.framing import Run
from pipeline.logs.rows import BadLine, Layout, read_rows

UNKNOWN_MONTH = "1970-01"
_MONTH = re.compile(r"^(20\d\d)-(0[1-9]|1[0-2])-")
_MONTH_IN_NAME = re.compile(r"(20\d\d)(0[1-9]|1[0-2])\d\d")


@dataclass(frozen=True, slots=True)
class Source:
    """What the rows of a log inherit from it."""

    source_id: str
    path: str
    kind: str
    server: str | None
    server_basis: str | None
    log_service: str | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One run of one source within a unit."""

    source: Source
    run: Run


@dataclass(slots=True)
class Unit:
    """Segments of one table and organisation with one field list."""

    table: str
    organisation: str
    fields: tuple[str, ...]
    segments: list[Segment] = field(default_factory=list)
    size: int = 0

    def add(self, segment: Segment) -> None:
        """Append a run; runs of a source must come in order."""
        self.segments.append(segment)
        self.size += len(segment.run.data) + 64 * segment.run.header_lines


@dataclass(slots=True)
class SegmentCount:
    """What a segment held, by month: rows and quarantined lines; and over all of it."""

    rows: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    joined: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnitRows:
    """A unit's rows and quarantined lines by month, with the columns of the table but the partition columns."""

    frames: dict[str, pl.DataFrame]
    counts: list[SegmentCount]
    not_utf8: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading needs to know beside the bytes: the tables' columns and types, hosts, the present time."""

    columns: dict[str, tuple[Column, ...]]
    types: dict[str, dict[str, pl.DataType]]
    hosts: Hosts
    now: datetime

    def read(self, unit: Unit) -> UnitRows:
        """Read a unit. Every line of it is a row, a quarantined line, or belongs to the record above it."""
        layout = Layout(unit.fields, self.columns[unit.table]) if unit.fields else None
        with_data = [segment for segment in unit.segments if segment.run.data]
        data = b"".join(segment.run.data for segment in with_data)
        if layout is None or not data:
            rows = None
        else:
            rows = read_rows(data, layout, self.now)
        types = self.types[unit.table]
        order = [name for name in types if name not in ("organisation", "month")]
        lines_before = np.cumsum([0, *[segment.run.lines for segment in with_data]])
        counts = {id(segment): SegmentCount() for segment in unit.segments}
        frames: list[pl.DataFrame] = []
        good = pl.DataFrame()
        if rows is not None and rows.table.num_rows:
            at = np.searchsorted(lines_before, rows.line, "right") - 1
            good = self._good(unit.table, pl.DataFrame(pl.from_arrow(rows.table)), with_data, at, rows.line - lines_before[at])
            self._count_good(good, with_data, at, counts)
            frames.append(good.select(*order, "month"))
        bad = list(_bad_lines(rows.bad if rows is not None else [], with_data, lines_before, unit.segments))
        if bad:
            frames.append(_quarantine(bad, good, types, order, counts))
        for i, segment in enumerate(with_data):
            count = counts[id(segment)]
            count.joined = int(lines_before[i + 1] - lines_before[i]) - sum(count.rows.values()) - sum(
                n for month, n in count.quarantined.items()
            )
        both = pl.concat(frames) if len(frames) > 1 else frames[0] if frames else pl.DataFrame()
        months = both["month"].unique().sort().to_list() if frames else []
        by_month = {
            month: (both if len(months) == 1 else both.filter(pl.col("month") == month)).drop("month") for month in months
        }
        return UnitRows(by_month, [counts[id(segment)] for segment in unit.segments], rows.not_utf8 if rows else 0)

    def _good(
        self, table: str, frame: pl.DataFrame, segments: Sequence[Segment], at: np.ndarray, line: np.ndarray
    ) -> pl.DataFrame:
        module = message_tracking if table == message_tracking.NAME else smtp_protocol
        index = pl.Series("at", at)
        types = self.types[table]

        def of_segment(name: str, values: Sequence[str | None]) -> pl.Series:
            return pl.Series(name, values, dtype=pl.String).gather(index)

        first_lines = np.array([segment.run.first_line for segment in segments], np.int64)
        frame = missing(frame, [column.name for column in module.FIELDS], types).with_columns(
            pl.Series("source_line", first_lines[at] + line),
            of_segment("source_id", [segment.source.source_id for segment in segments]),
            of_segment("source_file", [segment.source.path for segment in segments]),
            of_segment("server", [segment.source.server for segment in segments]),
            of_segment("server_basis", [segment.source.server_basis for segment in segments]),
            of_segment("log_service", [segment.source.log_service for segment in segments]),
            of_segment("log_version", [normal_build(segment.run.header.version) for segment in segments]),
            of_segment("log_kind", [segment.source.kind if segment.run.header.log_type else None for segment in segments]),
            parse_error=pl.lit(None, dtype=pl.String),
            raw_line=pl.lit(None, dtype=pl.String),
            month=pl.col("date_time").dt.strftime("%Y-%m") if _several_months(frame) else pl.lit(_month_of(frame)),
        )
        return module.derive(frame, self.hosts, types)

    def _count_good(
        self, good: pl.DataFrame, segments: Sequence[Segment], at: np.ndarray, counts: dict[int, SegmentCount]
    ) -> None:
        grouped = good.select("month", "date_time").with_columns(pl.Series("at", at)).group_by("at", "month").agg(
            pl.len().alias("rows"), pl.col("date_time").min().alias("first"), pl.col("date_time").max().alias("last")
        )
        for number, month, rows, first, last in grouped.iter_rows():
            count = counts[id(segments[number])]
            count.rows[month] = rows
            count.first_time = min(filter(None, (count.first_time, first)))
            count.last_time = max(filter(None, (count.last_time, last)))


@dataclass(frozen=True, slots=True)
class _Bad:
    segment: Segment
    line: int
    reason: str
    text: str


def _bad_lines(
    bad: Sequence[BadLine], with_data: Sequence[Segment], lines_before: np.ndarray, segments: Sequence[Segment]
) -> Iterator[_Bad]:
    for line in bad:
        at = int(np.searchsorted(lines_before, line.line, "right")) - 1
        segment = with_data[at]
        yield _Bad(segment, segment.run.first_line + line.line - int(lines_before[at]), line.reason, line.text)
    for segment in segments:
        if (long := segment.run.long_line) is not None:
            reason = f"line of {long.length} bytes, SHA-256 {long.sha256}: its first {len(long.start)} bytes are kept"
            yield _Bad(segment, segment.run.first_line, reason, long.start.decode("utf-8", "replace"))


def _quarantine(
    bad: Sequence[_Bad], good: pl.DataFrame, types: dict[str, pl.DataType], order: Sequence[str], counts: dict[int, SegmentCount]
) -> pl.DataFrame:
    """Quarantined lines as rows of the table; their month is that of the good row before them in their source."""
    months = [_month_of_bad(line, good) for line in bad]
    for line, month in zip(bad, months, strict=True):
        quarantined = counts[id(line.segment)].quarantined
        quarantined[month] = quarantined.get(month, 0) + 1
    known = {
        "source_id": [line.segment.source.source_id for line in bad],
        "source_file": [line.segment.source.path for line in bad],
        "source_line": [line.line for line in bad],
        "server": [line.segment.source.server for line in bad],
        "server_basis": [line.segment.source.server_basis for line in bad],
        "log_service": [line.segment.source.log_service for line in bad],
        "parse_error": [line.reason for line in bad],
        "raw_line": [line.text for line in bad],
    }
    columns = [
        pl.Series(name, known[name], dtype=types[name])
        if name in known
        else pl.Series(name, [], dtype=types[name]).extend_constant(None, len(bad))
        for name in order
    ]
    return pl.DataFrame([*columns, pl.Series("month", months, dtype=pl.String)])


def _month_of_bad(line: _Bad, good: pl.DataFrame) -> str:
    if good.height:
        before = good.filter(
            (pl.col("source_id") == line.segment.source.source_id) & (pl.col("source_line") < line.line)
        )["month"]
        if len(before):
            return str(before[-1])
    if month := month_of_date(line.segment.run.header.date):
        return month
    if found := _MONTH_IN_NAME.search(re.split(r"[\\/!]", line.segment.source.path)[-1]):
        return f"{found[1]}-{found[2]}"
    return UNKNOWN_MONTH


def month_of_date(text: str) -> str | None:
    """`2026-11` of a `#Date` value; None if it is no date."""
    found = _MONTH.match(text)
    return f"{found[1]}-{found[2]}" if found else None


def _several_months(frame: pl.DataFrame) -> bool:
    first, last = frame["date_time"].min(), frame["date_time"].max()
    assert isinstance(first, datetime) and isinstance(last, datetime)
    return (first.year, first.month) != (last.year, last.month)


def _month_of(frame: pl.DataFrame) -> str:
    first = frame["date_time"].min()
    assert isinstance(first, datetime)
    return f"{first:%Y-%m}"
