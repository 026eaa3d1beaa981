"""One log read as an ingest reads it, without files and store: framing, kinds, rows and derived columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.logs.derived import Hosts
from pipeline.logs.framing import Framer, Run
from pipeline.logs.kinds import Kind, read_head
from pipeline.logs.units import Reader, Segment, Source, Unit
from pipeline.store.store import TABLES

from .lines import NOW

HOSTS = Hosts({"mail.protection.outlook.com": "exchange-online", "prod.outlook.com": "exchange-online"})
READER = Reader(TABLES, HOSTS, NOW)


@dataclass
class Read:
    """What a log held. `rows` and `bad` are in the order of their lines, with the stored columns' names."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    bad: list[dict[str, Any]] = field(default_factory=list)
    header: int = 0
    joined: int = 0
    pending: int = 0
    physical: int = 0
    position: int = 0
    next_line: int = 1
    not_utf8: int = 0

    @property
    def lines(self) -> int:
        """Records: what the summary calls `read`."""
        return self.header + len(self.rows) + len(self.bad) + self.pending

    def raw(self) -> list[str]:
        """The quarantined lines."""
        return [row["raw_line"] for row in self.bad]

    def cells(self) -> list[tuple[Any, ...]]:
        """Rows and quarantined lines as tuples, to be compared with those of another reading."""
        return [tuple(repr(value) for value in row.values()) for row in (*self.rows, *self.bad)]


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """The data cut at offsets."""
    at = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(at)]


def read_log(
    data: bytes,
    *,
    cuts: Sequence[int] = (),
    take_tail: bool = True,
    kind: Kind | None = None,
    reader: Reader = READER,
    framer: Framer | None = None,
    name: str = "log.log",
) -> Read:
    """Read the bytes of one log; `cuts` are the offsets at which they come in pieces."""
    kind = kind or read_head(data[: 64 << 10], whole=len(data) <= 64 << 10).kind
    assert kind.is_read, kind.name
    framer = framer or Framer()
    runs: list[Run] = []
    *first, last = pieces(data, cuts) if data else [b""]
    for piece in first:
        runs.extend(framer.feed(piece))
    runs.extend(framer.end(last, take_tail=take_tail))
    return _collect(runs, framer, kind, reader, name)


def _collect(runs: Sequence[Run], framer: Framer, kind: Kind, reader: Reader, name: str) -> Read:
    source = Source("source", name, kind.name, None, None, None)
    units: dict[tuple[str, ...], Unit] = {}
    result = Read(pending=framer.pending_lines, position=framer.position, next_line=framer.line)
    for run in runs:
        fields = run.header.fields or kind.header.fields
        units.setdefault(fields, Unit(kind.table, "contoso", fields)).add(Segment(source, run))
        result.header += run.header_lines
        result.physical += run.header_lines + run.lines
    for unit in units.values():
        read = reader.read(unit)
        result.not_utf8 += read.not_utf8
        result.joined += sum(count.joined for count in read.counts)
        counted = 0
        for month, table in read.tables.items():
            counted += table.num_rows
            for row in table.to_pylist():
                (result.rows if row["parse_error"] is None else result.bad).append({**row, "month": month})
        assert counted == sum(
            sum(count.rows.values()) + sum(count.quarantined.values()) for count in read.counts
        ), "the counts of the segments are those of the rows"
    result.rows.sort(key=lambda row: row["source_line"])
    result.bad.sort(key=lambda row: row["source_line"])
    assert result.physical == len(result.rows) + len(result.bad) + result.joined + result.header
    return result
