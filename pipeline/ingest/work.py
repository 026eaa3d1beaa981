"""Units to parts: what one worker does, and the entries by which a part describes its sources."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.ingest.plan import Job
from pipeline.logs.framing import Framer, Run
from pipeline.logs.units import UNKNOWN_MONTH, Reader, Segment, SegmentCount, Unit, month_of_date
from pipeline.store.delta import Part
from pipeline.store.parts import PartWriter
from pipeline.store.ranges import Range


@dataclass(slots=True)
class Span:
    """The part of one job that lies in one unit. `end` states are those after its last block."""

    job: Job
    position_from: int
    first_line: int
    position_to: int = 0
    next_line: int = 0
    header_position: int = 0
    tail: bytes = b""
    open_end: bool = False
    to_end: bool = False
    warning: str | None = None
    segments: list[int] = field(default_factory=list)

    def reached(self, run: Run) -> None:
        """Note where a run ended."""
        self.position_to, self.next_line = run.end, run.first_line + run.lines
        self.header_position, self.tail = run.header_position, run.tail

    def ended(self, framer: Framer) -> None:
        """Note where the reading of the file ended."""
        self.position_to, self.next_line = framer.position, framer.line
        self.header_position, self.tail = framer.header_position, framer.tail
        self.to_end = True


@dataclass(slots=True)
class Load:
    """A unit with the spans of the jobs in it: what is handed to a worker."""

    unit: Unit
    spans: dict[tuple[str, str], Span] = field(default_factory=dict)

    def span_of(self, job: Job, position: int, line: int) -> Span:
        """The job's span; begun at this position and line if the unit has none of it yet."""
        return self.spans.setdefault((job.source.source_id, job.source.path), Span(job, position, line))

    def add(self, span: Span, run: Run) -> None:
        """Take a run of the span's source."""
        span.segments.append(len(self.unit.segments))
        self.unit.add(Segment(span.job.source, run))


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a load: the parts of a table with their entries, and lines that were no UTF-8."""

    table: str
    parts: list[tuple[Part, list[Range]]]
    not_utf8: int


def write(load: Load, reader: Reader, writer: PartWriter, now: datetime) -> Done:
    """Read a unit and write one part a month; a unit without rows leaves a part without rows."""
    result = reader.read(load.unit)
    months = sorted(result.tables) or [_month_without_rows(load)]
    entries: dict[str, list[Range]] = {month: [] for month in months}
    for span in load.spans.values():
        segments = [result.counts[i] for i in span.segments]
        header = sum(load.unit.segments[i].run.header_lines for i in span.segments)
        in_months = [
            m for m in months if any(s.rows.get(m) or s.quarantined.get(m) for s in segments)
        ] or months[:1]
        for month in in_months:
            entries[month].append(
                _entry(load, span, segments, month, header, now, first=month == in_months[0])
            )
    empty = writer.schema.empty_table()
    parts = [
        (
            writer.write(result.tables.get(month, empty), load.unit.organisation, month, entries[month]),
            entries[month],
        )
        for month in months
    ]
    return Done(load.unit.table, parts, result.not_utf8)


def _entry(
    load: Load,
    span: Span,
    segments: Sequence[SegmentCount],
    month: str,
    header: int,
    now: datetime,
    *,
    first: bool,
) -> Range:
    job = span.job
    physical = sum(
        load.unit.segments[i].run.lines + load.unit.segments[i].run.header_lines for i in span.segments
    )
    times = [(s.first_time, s.last_time) for s in segments if s.first_time and s.last_time]
    version = (
        load.unit.segments[span.segments[-1]].run.header.version if span.segments else job.header.version
    )
    return Range(
        source_id=job.source.source_id,
        content_id=job.content_id,
        organisation=job.assignment.organisation,
        organisation_name=job.assignment.organisation_name,
        path=job.source.path,
        kind=job.source.kind,
        server=job.source.server,
        log_service=job.source.log_service,
        assignment=job.assignment.text,
        log_version=version,
        position_from=span.position_from,
        position_to=span.position_to,
        header_position=span.header_position,
        first_line=span.first_line,
        next_line=span.next_line,
        lines=physical if first else 0,
        header=header if first else 0,
        rows=sum(s.rows.get(month, 0) for s in segments),
        quarantined=sum(s.quarantined.get(month, 0) for s in segments),
        joined=sum(s.joined for s in segments) if first else 0,
        first_time=min(t[0] for t in times).isoformat() if times else None,
        last_time=max(t[1] for t in times).isoformat() if times else None,
        size=job.candidate.size,
        mtime_ns=job.candidate.mtime_ns,
        tail_sha256=hashlib.sha256(span.tail).hexdigest(),
        open_end=span.open_end,
        to_end=span.to_end,
        read_at=now.isoformat(),
        warning=span.warning or job.warning,
    )


def _month_without_rows(load: Load) -> str:
    months = (month_of_date(segment.run.header.date) for segment in load.unit.segments)
    return next(filter(None, months), UNKNOWN_MONTH)
