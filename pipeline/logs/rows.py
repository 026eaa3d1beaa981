"""A block of complete lines to an Arrow table and the lines that cannot be read.

The fast way hands the block to pyarrow's CSV reader. It is taken only if it is proven that every line ended
a row: no bare carriage return, every quote where RFC 4180 allows one, and as many rows and rejected rows as
line feeds. Any other block is halved until the damage is alone in a small piece, which is read line by line;
there, a line that starts with a timestamp always begins a new record. Both ways give the same table.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from pipeline.logs.columns import Column, arrow_schema
from pipeline.logs.framing import LONGEST_LINE, line_starts, long_line, positions

EARLIEST = datetime(2006, 1, 1, tzinfo=UTC)
"""Exchange 2007 is of December 2006; an older time is damage, and would make a partition of its own."""
FUTURE = timedelta(hours=48)
_IMPLAUSIBLE = "time before 2006 or more than 48 hours ahead"
_NO_TIMESTAMP = "does not begin with a timestamp"
_SMALL = 64 << 10
# Python's reader refuses cells above 128 KB; a group's recipients take more.
csv.field_size_limit(LONGEST_LINE)
_TIMESTAMP = re.compile(rb"\d{4}-\d\d-\d\dT")
# As much as pyarrow reads, and more: fractions above six digits, and no zone at all (UTC).
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?"
    r"(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?",
    re.ASCII,
)
# Possessive: a cell of 16 MB must not cost a hundred times as much to remember the ways back.
_QUOTED_RIGHT = re.compile(r'(?:"(?:[^"]++|"")*+"|[^",]*+)(?:,(?:"(?:[^"]++|"")*+"|[^",]*+))*+')
_EXTRA = pa.map_(pa.string(), pa.string())


def _arrow_type(column: Column) -> pa.DataType:
    """Repeating text is read as a dictionary: what is derived from it is computed once a value."""
    stored: pa.DataType = arrow_schema([column]).field(0).type
    return pa.dictionary(pa.int32(), stored) if column.repeats and column.type == "string" else stored


@dataclass(frozen=True, slots=True)
class Block:
    """Complete lines that are read in one go, and the offsets at which they begin (int64)."""

    data: bytes
    starts: np.ndarray

    @classmethod
    def of(cls, data: bytes) -> Block:
        """Find where the lines begin."""
        return cls(data, line_starts(data))


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read: `line` is its index in the block, `text` all of it."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What a block held. `line` has the index of the line at which each row of `table` begins, ascending.

    `table` has the block's known columns under their stored names and `extra`. `joined` counts lines that
    belong to a record begun above them (a quoted line break): lines = rows + bad + joined.
    """

    table: pa.Table
    line: np.ndarray
    bad: list[BadLine]
    joined: int
    not_utf8: int


class Layout:
    """How the cells of a block map to columns: built once for a field list and used for all its blocks."""

    def __init__(self, fields: Sequence[str], columns: Sequence[Column]) -> None:
        by_field = {column.field.lower(): column for column in columns if column.field}
        self.fields = tuple(fields)
        self.columns: list[Column | None] = []
        taken: set[str] = set()
        for name in fields:
            column = by_field.get(name.lower())
            self.columns.append(None if column is None or column.name in taken else column)
            taken.update([column.name] if column else [])
        self.names = [column.name if column else f"\x00{i}" for i, column in enumerate(self.columns)]
        self.unknown = [(i, name) for i, name in enumerate(fields) if self.columns[i] is None]
        self.schema = pa.schema(
            [(column.name, _arrow_type(column)) for column in self.columns if column] + [("extra", _EXTRA)]
        )
        self.time_at = next(
            (i for i, column in enumerate(self.columns) if column and column.name == "date_time"), None
        )
        # Checked before: only text that is not ASCII has to be.
        self.options = arrow_csv.ConvertOptions(
            column_types={
                name: _arrow_type(column) if column else pa.string()
                for name, column in zip(self.names, self.columns, strict=True)
            },
            null_values=[""],
            strings_can_be_null=True,
            timestamp_parsers=[arrow_csv.ISO8601],
            check_utf8=False,
        )


def read_rows(blocks: Iterable[Block], layout: Layout, now: datetime) -> Rows:
    """Read blocks of complete lines that follow on one another. `now` bounds times (48 hours ahead at most).

    Raises AssertionError if lines, rows and rejected lines do not add up: a defect of the reader.
    """
    parts: list[Rows] = []
    first = 0
    for block in blocks:
        of_block = list(_read(block, layout, first, now))
        counted = sum(part.table.num_rows + len(part.bad) + part.joined for part in of_block)
        lines = len(block.starts)
        assert lines == counted, f"{lines} lines, but {counted} accounted for"
        first += lines
        parts.extend(of_block)
    return Rows(
        pa.concat_tables([part.table for part in parts]) if parts else layout.schema.empty_table(),
        np.concatenate([part.line for part in parts]) if parts else np.empty(0, np.int64),
        [line for part in parts for line in part.bad],
        sum(part.joined for part in parts),
        sum(part.not_utf8 for part in parts),
    )


def _read(block: Block, layout: Layout, first: int, now: datetime) -> Iterator[Rows]:
    data = block.data
    fast = _read_fast(data, block.starts, layout, now)
    if fast is not None:
        yield _shifted(fast, first)
    elif len(data) <= _SMALL or (cut := _middle_record(data)) is None:
        yield _shifted(_read_carefully(data, layout, now), first)
    else:
        for at, half in ((0, data[:cut]), (int(np.searchsorted(block.starts, cut)), data[cut:])):
            yield from _read(Block.of(half), layout, first + at, now)


def _shifted(rows: Rows, first: int) -> Rows:
    if first == 0:
        return rows
    bad = [BadLine(line.line + first, line.reason, line.text) for line in rows.bad]
    return Rows(rows.table, rows.line + first, bad, rows.joined, rows.not_utf8)


def _middle_record(data: bytes) -> int | None:
    at = len(data) // 2
    for match in re.finditer(rb"\n(?=\d{4}-\d\d-\d\dT)", data[at:]):
        return at + match.end()
    at = 0
    for match in re.finditer(rb"\n(?=\d{4}-\d\d-\d\dT)", data[: len(data) // 2]):
        at = match.end()
    return at or None


def _read_fast(data: bytes, starts: np.ndarray, layout: Layout, now: datetime) -> Rows | None:
    """The block by pyarrow; None unless it is proven that each line is a row or a rejected row."""
    if not data or layout.time_at is None or not _is_plain(data, starts) or not _is_utf8(data):
        return None
    rejected: list[tuple[int, int]] = []

    def reject(row: arrow_csv.InvalidRow) -> str:
        rejected.append((row.number, row.actual_columns))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=1 << 20, column_names=layout.names
            ),
            parse_options=arrow_csv.ParseOptions(invalid_row_handler=reject, ignore_empty_lines=False),
            convert_options=layout.options,
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows + len(rejected) != len(starts):
        return None
    time = table.column(layout.time_at)
    if time.null_count:
        return None
    line = np.arange(len(starts), dtype=np.int64)
    bad = []
    if rejected:
        numbers = np.array([number - 1 for number, _ in rejected], dtype=np.int64)
        line = np.delete(line, numbers)
        for (_, cells), number in zip(rejected, numbers, strict=True):
            raw = _line(data, starts, int(number))
            reason = _wrong_count(layout, cells) if _TIMESTAMP.match(raw) else _NO_TIMESTAMP
            bad.append(BadLine(int(number), reason, raw.decode()))
    if (wrong := _implausible(time, now)) is not None:
        for number in line[wrong]:
            text = _line(data, starts, int(number)).decode()
            bad.append(BadLine(int(number), _IMPLAUSIBLE, text))
        bad.sort(key=lambda bad_line: bad_line.line)
        table, line = table.filter(pa.array(~wrong)), line[~wrong]
    return Rows(_with_extra(table, layout), line, bad, 0, 0)


def _implausible(time: pa.ChunkedArray, now: datetime) -> np.ndarray | None:
    """Which rows have a time that cannot be; None if none has."""
    early, late = (int(limit.timestamp() * 1_000_000) for limit in (EARLIEST, now + FUTURE))
    values = time.cast(pa.int64())
    limits = pc.min_max(values).as_py()
    if not len(values) or (early <= limits["min"] and limits["max"] <= late):
        return None
    # Not by pyarrow's own way to numpy, which imports pandas where it is installed.
    wrong: np.ndarray = ~pl.Series(values).is_between(early, late).to_numpy()
    return wrong


def _is_plain(data: bytes, starts: np.ndarray) -> bool:
    """No NUL, no over-long line, a timestamp first in each line, quotes as RFC 4180 has them within one line.

    Carriage returns need no look: outside quotes one ends a row of its own, which the count of rows tells.
    """
    if b"\x00" in data or int(np.diff(starts, append=len(data)).max()) > LONGEST_LINE:
        return False
    octets = np.frombuffer(data, np.uint8)
    first = octets[starts]
    if (
        not ((first == 49) | (first == 50)).all()
        or not (octets[np.minimum(starts + 10, len(data) - 1)] == 84).all()
    ):
        return False
    if b'"' not in data:
        return True
    quotes = positions(octets, 34)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = octets[opening - 1], octets[closing + 1]
    doubled = np.zeros(len(opening), bool)
    doubled[1:] = opening[1:] == closing[:-1] + 1
    opens = (before == 44) | (before == 10) | doubled
    closes = (after == 44) | (after == 13) | (after == 10)
    closes[:-1] |= doubled[1:]
    # Each pair stands in one line: no quoted line break.
    same_line = np.searchsorted(starts, opening, "right") == np.searchsorted(starts, closing, "right")
    return bool(opens.all() and closes.all() and same_line.all())


def _is_utf8(data: bytes) -> bool:
    """pyarrow checks only the cells that it converts, and prints an error for a rejected row that is none."""
    if data.isascii():
        return True
    offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _with_extra(table: pa.Table, layout: Layout) -> pa.Table:
    """Unknown columns folded into `extra`."""
    known = table.select([name for name, column in zip(layout.names, layout.columns, strict=True) if column])
    if not layout.unknown:
        return known.append_column("extra", pa.nulls(len(table), _EXTRA))
    cells = [(field, table.column(i).to_pylist()) for i, field in layout.unknown]
    extra = [
        [(field, values[row]) for field, values in cells if values[row] is not None] or None
        for row in range(len(table))
    ]
    return known.append_column("extra", pa.array(extra, _EXTRA))


def _read_carefully(data: bytes, layout: Layout, now: datetime) -> Rows:
    lines: list[int] = []
    rows: list[list[object]] = []
    bad: list[BadLine] = []
    joined = not_utf8 = 0
    for number, count, raw in _records(data):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            # Files re-saved as ANSI, and 8-bit names that clients send.
            text = _decode_8_bit(raw)
            not_utf8 += 1
        joined += count - 1
        if len(raw) > LONGEST_LINE:
            long = long_line(raw)
            bad.append(BadLine(number, long.reason, long.start.decode("utf-8", "replace")))
            continue
        values = _cells(text, layout, now)
        if isinstance(values, str):
            bad.append(BadLine(number, values, text))
        else:
            lines.append(number)
            rows.append(values)
    columns = [pa.array([row[i] for row in rows], field.type) for i, field in enumerate(layout.schema)]
    return Rows(
        pa.Table.from_arrays(columns, schema=layout.schema), np.array(lines, np.int64), bad, joined, not_utf8
    )


def _decode_8_bit(raw: bytes) -> str:
    """Windows-1252, and the five bytes that it leaves undefined as the control characters of Latin-1."""
    return "".join(bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in raw)


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(index of the first line, number of lines, bytes without line end) of each record."""
    lines = data.split(b"\n")
    lines.pop()
    at = 0
    while at < len(lines):
        end = at + 1
        if _TIMESTAMP.match(lines[at]) and lines[at].count(b'"') % 2:
            quotes = lines[at].count(b'"')
            while end < len(lines) and quotes % 2 and not _TIMESTAMP.match(lines[end]):
                quotes += lines[end].count(b'"')
                end += 1
        yield at, end - at, b"\n".join(lines[at:end]).rstrip(b"\r")
        at = end


def _cells(text: str, layout: Layout, now: datetime) -> list[object] | str:
    """The row's values in the layout's order, `extra` last; or why the line is none."""
    if layout.time_at is None:
        return "the header above it names no date-time field"
    if not _TIMESTAMP.match(text[:24].encode("utf-8", "replace")):
        return _NO_TIMESTAMP
    try:
        cells = next(csv.reader([text], strict=True), [])
    except csv.Error:
        return "a carriage return outside quotes" if _bare_return(text) else "quotes do not match"
    if _misplaced_quote(text):
        return "quotes do not match"
    if len(cells) != len(layout.fields):
        return _wrong_count(layout, len(cells))
    time = parse_time(cells[layout.time_at])
    if time is None:
        return "the time cannot be read"
    if not EARLIEST <= time <= now + FUTURE:
        return _IMPLAUSIBLE
    values: list[object] = []
    extra: list[tuple[str, str]] = []
    for cell, column, field in zip(cells, layout.columns, layout.fields, strict=True):
        if column is None:
            if cell:
                extra.append((field, cell))
        elif column.name == "date_time":
            values.append(time)
        elif not cell or column.type == "string":
            values.append(cell or None)
        else:
            number = _number(cell, column)
            values.append(number)
            if number is None:
                extra.append((field, cell))
    return [*values, extra or None]


def _bare_return(text: str) -> bool:
    return "\r" in re.sub(r'"(?:[^"]|"")*"', "", text)


def _misplaced_quote(text: str) -> bool:
    """Python's strict reader allows a quote inside an unquoted cell; RFC 4180 does not."""
    if '"' not in text:
        return False
    return _QUOTED_RIGHT.fullmatch(text) is None


def _number(cell: str, column: Column) -> int | None:
    bits = 32 if column.type == "int32" else 64
    found = re.fullmatch(r"[ \t]*(?:(-?)0*([0-9]{1,19})|0[xX]([0-9A-Fa-f]+))[ \t]*", cell)
    if not found:
        return None
    sign, digits, hexadecimal = found.groups()
    if hexadecimal:
        # pyarrow reads it too, as the bits of the signed number.
        value = int(hexadecimal, 16)
        return None if len(hexadecimal) > bits // 4 else value - (2**bits if value >= 2 ** (bits - 1) else 0)
    value = int(sign + digits)
    return value if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None


def parse_time(text: str) -> datetime | None:
    """`2026-11-24T10:00:00.123Z` as UTC, to the microsecond; None if it is no such time."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    try:
        time = datetime(
            int(year), int(month), int(day), int(hour), int(minute or 0), int(second or 0), tzinfo=UTC
        )
        time += timedelta(microseconds=int(((fraction or "") + "000000")[:6]))
        if sign:
            zone = timedelta(hours=int(zone_hours), minutes=int(zone_minutes or 0))
            time = time - zone if sign == "+" else time + zone
    except (ValueError, OverflowError):
        return None
    return time


def _line(data: bytes, starts: np.ndarray, number: int) -> bytes:
    end = int(starts[number + 1]) if number + 1 < len(starts) else len(data)
    return data[int(starts[number]) : end].rstrip(b"\r\n")


def _wrong_count(layout: Layout, cells: int) -> str:
    return f"{cells} cells where the header has {len(layout.fields)} fields"
