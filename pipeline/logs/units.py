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
import pyarrow as pa

from pipeline.logs import message_tracking, protocol_derived, smtp_protocol, tracking_derived
from pipeline.logs.columns import PARTITIONS, Column, arrow_schema
from pipeline.logs.derived import Frame, Hosts, normal_build
from pipeline.logs.framing import Run, line_starts
from pipeline.logs.kinds import kind_of_header
from pipeline.logs.privacy import STORE_ALL, Privacy
from pipeline.logs.rows import BadLine, Block, Layout, Rows, read_rows
from pipeline.logs.text import Text, nulls

UNKNOWN_MONTH = "1970-01"
BLOCK_BYTES = 4 << 20
_STARTS_WITH_RECORD = re.compile(rb"\d{4}-\d\d-\d\dT")
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
        # A log that was cut to pieces by damage is held in many small runs, each with its tail.
        self.size += len(segment.run.data) + len(segment.run.tail) + 64 * (8 + segment.run.header_lines)


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
    """A unit's rows and quarantined lines by month: the table's columns but the partitions, text as dictionaries."""

    tables: dict[str, pa.Table]
    counts: list[SegmentCount]
    not_utf8: int


@dataclass(frozen=True, slots=True)
class Reader:
    """What reading needs to know beside the bytes: the tables' columns, hosts, the present time, what is hidden."""

    columns: dict[str, tuple[Column, ...]]
    hosts: Hosts
    now: datetime
    privacy: Privacy = STORE_ALL

    def read(self, unit: Unit) -> UnitRows:
        """Read a unit. Every line of it is a row, a quarantined line, or belongs to the record above it."""
        with_data = [segment for segment in unit.segments if segment.run.data]
        layout = Layout(unit.fields, self.columns[unit.table]) if with_data else None
        rows = read_rows(_blocks(with_data), layout, self.now) if layout else None
        lines_before = np.cumsum([0, *[segment.run.lines for segment in with_data]])
        counts = [SegmentCount() for _ in unit.segments]
        of_data = [count for count, segment in zip(counts, unit.segments, strict=True) if segment.run.data]
        tables: list[pa.Table] = []
        months: list[pl.Series] = []
        good = _GoodRows([], pl.Series([], dtype=pl.Int64), pl.Series([], dtype=pl.String))
        if rows is not None and rows.table.num_rows:
            at = np.searchsorted(lines_before, rows.line, "right") - 1
            tables.append(self._table(unit.table, rows.table, with_data, at, rows.line - lines_before[at]))
            months.append(_months(rows.table))
            _count_rows(rows.table, months[0], at, of_data)
            good = _GoodRows(with_data, pl.Series(at), months[0])
        if bad := list(
            _bad_lines(rows.bad if rows is not None else [], with_data, lines_before, unit.segments)
        ):
            by_segment = {id(segment): count for segment, count in zip(unit.segments, counts, strict=True)}
            months.append(pl.Series([_month_of_bad(line, good, rows) for line in bad], dtype=pl.String))
            for line, month in zip(bad, months[-1], strict=True):
                quarantined = by_segment[id(line.segment)].quarantined
                quarantined[month] = quarantined.get(month, 0) + 1
            tables.append(_quarantine(bad, self.columns[unit.table]))
        for i, count in enumerate(of_data):
            lines = int(lines_before[i + 1] - lines_before[i])
            count.joined = lines - sum(count.rows.values()) - sum(count.quarantined.values())
        tables = [self.privacy.applied(table) for table in tables]
        return UnitRows(_by_month(tables, months), counts, rows.not_utf8 if rows else 0)

    def _table(
        self, name: str, rows: pa.Table, segments: Sequence[Segment], at: np.ndarray, line: np.ndarray
    ) -> pa.Table:
        tracking = name == message_tracking.NAME
        height = len(at)
        frame = Frame({}, {})
        for column in (message_tracking if tracking else smtp_protocol).FIELDS:
            if column.name not in rows.column_names:
                frame.add(
                    **{
                        column.name: Text.nulls(height)
                        if column.type == "string"
                        else nulls(pl.Int64(), height)
                    }
                )
            elif pa.types.is_dictionary(rows.schema.field(column.name).type):
                frame.add(**{column.name: Text.of_arrow(rows.column(column.name))})
            else:
                frame.add(**{column.name: pl.Series(rows.column(column.name))})
        first_lines = np.array([segment.run.first_line for segment in segments], np.int64)
        frame.add(
            source_line=pl.Series(first_lines[at] + line),
            source_id=Text.per_part([segment.source.source_id for segment in segments], at),
            source_file=Text.per_part([segment.source.path for segment in segments], at),
            server=Text.per_part([segment.source.server for segment in segments], at),
            server_basis=Text.per_part([segment.source.server_basis for segment in segments], at),
            log_service=Text.per_part([segment.source.log_service for segment in segments], at),
            log_version=Text.per_part([normal_build(segment.run.header.version) for segment in segments], at),
            log_kind=Text.per_part([kind_of_header(segment.run.header) for segment in segments], at),
            parse_error=Text.nulls(height),
            raw_line=Text.nulls(height),
        )
        (tracking_derived if tracking else protocol_derived).derive(frame, self.hosts)
        return _assembled(frame, rows, self.columns[name])


def _assembled(frame: Frame, rows: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """All stored columns in their order; Exchange's own columns as they were read."""
    arrays = []
    schema = _part_schema(columns)
    for declared in schema:
        if declared.name in rows.column_names and not pa.types.is_dictionary(declared.type):
            arrays.append(rows.column(declared.name).cast(declared.type))
        elif declared.name in frame.texts:
            array = frame.texts[declared.name].to_arrow()
            arrays.append(array if array.type == declared.type else array.cast(declared.type))
        else:
            series = frame.others[declared.name]
            array = series.to_arrow(compat_level=pl.CompatLevel.oldest())
            arrays.append(_encoded(array, declared.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _encoded(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return array.cast(pa.string()).dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)


def _part_schema(columns: Sequence[Column]) -> pa.Schema:
    """The stored columns without partitions; repeating text as dictionaries."""
    repeats = {column.name for column in columns if column.repeats and column.type == "string"}
    return pa.schema(
        [
            (field.name, pa.dictionary(pa.int32(), pa.string()) if field.name in repeats else field.type)
            for field in arrow_schema(columns)
            if field.name not in PARTITIONS
        ]
    )


def _by_month(tables: Sequence[pa.Table], months: Sequence[pl.Series]) -> dict[str, pa.Table]:
    if not tables:
        return {}
    both, month = pa.concat_tables(tables), pl.concat(months)
    distinct = month.unique().sort().to_list()
    if len(distinct) == 1:
        return {distinct[0]: both}
    return {name: both.filter((month == name).to_arrow()) for name in distinct}


def _months(rows: pa.Table) -> pl.Series:
    """The month of each row."""
    times = pl.Series(rows.column("date_time"))
    first, last = times.min(), times.max()
    assert isinstance(first, datetime) and isinstance(last, datetime)
    if (first.year, first.month) == (last.year, last.month):
        return pl.repeat(f"{first:%Y-%m}", len(times), eager=True)
    return times.dt.strftime("%Y-%m")


def _count_rows(rows: pa.Table, months: pl.Series, at: np.ndarray, counts: Sequence[SegmentCount]) -> None:
    frame = pl.DataFrame({"at": at, "month": months, "time": pl.Series(rows.column("date_time"))})
    grouped = frame.group_by("at", "month").agg(
        pl.len().alias("rows"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    )
    for number, month, height, first, last in grouped.iter_rows():
        count = counts[number]
        count.rows[month] = height
        count.first_time = min(filter(None, (count.first_time, first)))
        count.last_time = max(filter(None, (count.last_time, last)))


@dataclass(frozen=True, slots=True)
class _GoodRows:
    """Segment and month of each good row, for the month of the bad lines between them."""

    segments: Sequence[Segment]
    at: pl.Series
    months: pl.Series


def _blocks(segments: Sequence[Segment]) -> Iterator[Block]:
    """The segments' lines as blocks that stay in the processor's cache: a large run as it is, small ones joined."""
    pieces: list[Run] = []
    size = 0
    for segment in segments:
        run = segment.run
        if pieces and (
            size + len(run.data) > BLOCK_BYTES
            # An open quote at the end of one log must not take the first lines of the next.
            or not _STARTS_WITH_RECORD.match(run.data)
        ):
            yield _joined(pieces)
            pieces, size = [], 0
        pieces.append(run)
        size += len(run.data)
    if pieces:
        yield _joined(pieces)


def _joined(runs: Sequence[Run]) -> Block:
    starts = [line_starts(run.data) if run.starts is None else run.starts for run in runs]
    if len(runs) == 1:
        return Block(runs[0].data, starts[0])
    offsets = np.cumsum([0, *(len(run.data) for run in runs[:-1])])
    moved = [of_run + offset for of_run, offset in zip(starts, offsets, strict=True)]
    return Block(b"".join(run.data for run in runs), np.concatenate(moved))


@dataclass(frozen=True, slots=True)
class _Bad:
    segment: Segment
    at: int
    line: int
    reason: str
    text: str


def _bad_lines(
    bad: Sequence[BadLine],
    with_data: Sequence[Segment],
    lines_before: np.ndarray,
    segments: Sequence[Segment],
) -> Iterator[_Bad]:
    for line in bad:
        at = int(np.searchsorted(lines_before, line.line, "right")) - 1
        segment = with_data[at]
        number = segment.run.first_line + line.line - int(lines_before[at])
        yield _Bad(segment, line.line, number, line.reason, line.text)
    for segment in segments:
        if (long := segment.run.long_line) is not None:
            reason = f"line of {long.length} bytes, SHA-256 {long.sha256}: its first {len(long.start)} bytes are kept"
            yield _Bad(segment, 0, segment.run.first_line, reason, long.start.decode("utf-8", "replace"))


def _quarantine(bad: Sequence[_Bad], columns: Sequence[Column]) -> pa.Table:
    """Quarantined lines as rows of the table."""
    known: dict[str, list[str | int | None]] = {
        "source_id": [line.segment.source.source_id for line in bad],
        "source_file": [line.segment.source.path for line in bad],
        "source_line": [line.line for line in bad],
        "server": [line.segment.source.server for line in bad],
        "server_basis": [line.segment.source.server_basis for line in bad],
        "log_service": [line.segment.source.log_service for line in bad],
        "parse_error": [line.reason for line in bad],
        "raw_line": [line.text for line in bad],
    }
    schema = _part_schema(columns)
    arrays = [
        pa.array(known[field.name], field.type) if field.name in known else pa.nulls(len(bad), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _month_of_bad(line: _Bad, good: _GoodRows, rows: Rows | None) -> str:
    """Month of the good row before it in its source, else of `#Date`, else in the file name."""
    if rows is not None and len(good.months):
        before = int(np.searchsorted(rows.line, line.at)) - 1
        if before >= 0 and good.segments[good.at[before]].source.source_id == line.segment.source.source_id:
            return str(good.months[before])
    if month := month_of_date(line.segment.run.header.date):
        return month
    if found := _MONTH_IN_NAME.search(re.split(r"[\\/!]", line.segment.source.path)[-1]):
        return f"{found[1]}-{found[2]}"
    return UNKNOWN_MONTH


def month_of_date(text: str) -> str | None:
    """`2026-11` of a `#Date` value; None if it is no date."""
    found = _MONTH.match(text)
    return f"{found[1]}-{found[2]}" if found else None
