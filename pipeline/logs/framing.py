"""Bytes of one log to header blocks and runs of complete lines.

A log is read in chunks. Each chunk is cut where a line begins with a timestamp or `#`, so that a record is
never split; header blocks are taken out wherever they stand (a service restart writes a new one in
mid-file) and each run of data lines carries the header that rules it. What follows the last complete
record is the pending tail: the next reading takes it.

Lines are counted as records: blank lines, NUL padding and header lines count as header.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from threading import local

import numpy as np

BOM = b"\xef\xbb\xbf"
LONGEST_LINE = 16 << 20
"""A longer line is never held in memory; its first megabyte is kept."""
KEPT_OF_LONG_LINE = 1 << 20
TAIL = 4096
MOST_FIELD_LISTS = 100
"""Each makes a unit of its own: lines under further ones are quarantined. Real logs hold one to three."""
_TOO_MANY = ("more than 100 field lists in one log",)
_LINES_OF_CELL = 64
_LOOKS_BACK = 8
_SCRATCH = 8 << 20
_REMEMBERED = 4096
"""Bytes of a header line; damage may make one of many megabytes."""

_RECORD_START = re.compile(rb"\n(?:\xef\xbb\xbf)?(?=#(?:Software|Version|Log-|Date|Fields)|\d{4}-\d\d-\d\dT)")
_TIMESTAMP = re.compile(rb"(?:\xef\xbb\xbf)?\x00*\d{4}-\d\d-\d\dT")
_BLOCK_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\x00*#(?:Software|Version|Log-|Date|Fields)")
_HEADER_LINE = re.compile(
    rb"^(?:\xef\xbb\xbf)?\x00*(?:#[^\n]*|(?:date-time|[Dd]ateTime|Timestamp),[^\n]*"
    rb"|(?:Software|Version|Log-[Tt]ype|Date|Fields): [^\n]*|[\x00 \t]*\r*)(?:\n|\Z)",
    re.MULTILINE,
)
_HEADER_STARTS = (b"#", BOM + b"#")
_NUL_THEN_RECORD = re.compile(
    rb"(?<=[^\n\x00])\x00+(?=#(?:Software|Version|Log-|Date|Fields)|\d{4}-\d\d-\d\dT)"
)
_KEY_VALUE = re.compile(rb"^#?([A-Za-z][A-Za-z-]*): ?(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """What the `#` lines above a row say. Empty where the log has none."""

    log_type: str = ""
    version: str = ""
    date: str = ""
    fields: tuple[str, ...] = ()
    is_open: bool = False
    """Whether the reading that found it ended within its block: the next line may go on with it."""


@dataclass(frozen=True, slots=True)
class Run:
    """Complete data lines under one header.

    `data` ends with a line feed; `first_line` is the physical number of its first line; `header_lines` are
    the header, blank and padding lines directly before it; `end` is the byte offset in the uncompressed log
    up to which it reaches, `tail` the last bytes before it; `header_position` is where the ruling header begins.
    """

    header: Header
    data: bytes
    first_line: int
    lines: int
    header_lines: int
    end: int
    header_position: int
    tail: bytes
    long_line: LongLine | None = None
    starts: np.ndarray | None = None
    """Offsets in `data` at which its lines begin, where they are known already."""


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line above LONGEST_LINE, of which only the beginning was kept."""

    start: bytes
    length: int
    sha256: str

    @property
    def reason(self) -> str:
        """Why it is quarantined."""
        return (
            f"line of {self.length} bytes, SHA-256 {self.sha256}: its first {len(self.start)} bytes are kept"
        )


@dataclass(slots=True)
class Framer:
    """Feed it the bytes of a log in order; it yields runs, and `finish` says what is pending.

    `position`, `line` and `header` continue an earlier reading: the byte offset and physical line number
    where it ended, and the header that was in force there. `tail` holds the last bytes taken.
    """

    header: Header = field(default_factory=Header)
    position: int = 0
    line: int = 1
    header_position: int = 0
    pending_lines: int = 0
    tail: bytes = b""
    _rest: bytes = b""
    _header_lines: int = 0
    _block: dict[str, str] = field(default_factory=dict)
    _block_at: int = 0
    _long: _LongLineReader | None = None
    _field_lists: set[str] = field(default_factory=set)

    @property
    def ended_line(self) -> bool:
        """Whether the last bytes taken end a line."""
        return self.tail.endswith(b"\n")

    def feed(self, chunk: bytes) -> Iterator[Run]:
        """Take the next bytes; yield the runs that are complete by now."""
        if self._long is not None:
            chunk = yield from self._skip_long_line(chunk)
            if not chunk:
                return
        cut = _last_record_start(chunk)
        if cut > 0:
            # The usual case: what is left over and the new lines are joined in one copy.
            block = b"".join((self._rest, memoryview(chunk)[:cut]))
            self._rest = chunk[cut:]
            yield from self._runs(block)
            return
        buffer = self._rest + chunk if self._rest else chunk
        cut = _last_record_start(buffer)
        if cut <= 0:
            if len(buffer) <= LONGEST_LINE:
                self._rest = buffer
                return
            cut = buffer.rfind(b"\n") + 1
            if cut == 0:
                # Carriage returns at its end are no part of a line, but are not held for ever.
                if len(buffer) <= 2 * LONGEST_LINE and len(buffer.rstrip(b"\r")) <= LONGEST_LINE:
                    self._rest = buffer
                    return
                self._rest = b""
                self._long = _LongLineReader(buffer)
                return
        yield from self._runs(buffer[:cut])
        self._rest = buffer[cut:]

    def end(self, chunk: bytes, *, take_tail: bool) -> Iterator[Run]:
        """`feed` and `finish` of a last chunk: a log that is complete with it comes as one run."""
        cut = _last_record_start(chunk) if self._long is None else 0
        rest = chunk[cut:]
        if cut > 0 and b"\x00" not in rest and (take_tail or _complete_part(rest) == len(rest)):
            block = self._rest + chunk if self._rest else chunk
            self._rest = b""
            yield from self._runs(block)
            yield from self._trailing_header()
            return
        yield from self.feed(chunk)
        yield from self.finish(take_tail=take_tail)

    def finish(self, *, take_tail: bool) -> Iterator[Run]:
        """End of the bytes. A last line without line end is read only if `take_tail`; else it stays pending.

        `position` is then the offset up to which the log has been read.
        """
        if self._long is not None:
            if take_tail:
                yield self._long_run(self._long)
            else:
                self.pending_lines = 1
            self._long = None
            yield from self._trailing_header()
            return
        rest, self._rest = self._rest, b""
        if not rest:
            yield from self._trailing_header()
            return
        complete = len(rest) if take_tail else _complete_part(rest)
        if complete:
            yield from self._runs(rest[:complete])
        if 0 < complete < len(rest) and not rest.endswith(b"\n", 0, complete):
            # What is pending stands in the same physical line, behind NULs.
            self.line -= 1
        if complete < len(rest):
            self.pending_lines = 1
        yield from self._trailing_header()

    def _skip_long_line(self, chunk: bytes) -> Generator[Run, None, bytes]:
        """Take bytes up to the end of the long line; returns what follows it."""
        assert self._long is not None
        end = chunk.find(b"\n")
        self._long.add(chunk if end < 0 else chunk[: end + 1])
        if end < 0:
            return b""
        yield self._long_run(self._long)
        self._long = None
        return chunk[end + 1 :]

    def _long_run(self, long: _LongLineReader) -> Run:
        result = long.result()
        header_lines, self._header_lines = self._header_lines, 0
        first_line = self.line
        self._advance(long.tail, long.taken, 1)
        return Run(
            self.header,
            b"",
            first_line,
            1,
            header_lines,
            self.position,
            self.header_position,
            self.tail,
            result,
        )

    def _trailing_header(self) -> Iterator[Run]:
        """Header lines at the end, with no data line behind them."""
        if self._header_lines:
            yield Run(
                self.header,
                b"",
                self.line,
                0,
                self._header_lines,
                self.position,
                self.header_position,
                self.tail,
            )
            self._header_lines = 0

    def _runs(self, block: bytes) -> Iterator[Run]:
        if b"\x00" in block:
            *broken, last = _split_at_nuls(block)
            for piece in broken:
                yield from self._runs_between_headers(piece)
                self.line -= 1
            yield from self._runs_between_headers(last)
            return
        yield from self._runs_between_headers(block)

    def _runs_between_headers(self, block: bytes) -> Iterator[Run]:
        if not block:
            return
        at = 0
        while block.startswith(_HEADER_STARTS, at) and (match := _HEADER_LINE.match(block, at)):
            self._header_line(match.group())
            at = match.end()
        # The usual case: nothing but records, behind a header block at the beginning of a log.
        records = block[at:] if at else block
        if (starts := _only_records(records)) is not None:
            yield self._data_run(records, starts)
            return
        for match in _HEADER_LINE.finditer(block, at):
            if match.start() == match.end() or _continues_record(block, at, match):
                continue
            if match.start() > at:
                yield self._data_run(block[at : match.start()])
            self._header_line(match.group())
            at = match.end()
        if at < len(block):
            yield self._data_run(block[at:])

    def _header_line(self, raw: bytes) -> None:
        text = raw.replace(BOM, b"").strip(b"\x00\r\n\t ")
        if found := (_known_key_value if len(text) <= _REMEMBERED else _key_value)(text):
            key, value = found
            if self.header.is_open:
                self._block, self._block_at = {"software": ""}, self.header_position
            if key in self._block or not self._block:
                self._block, self._block_at = {}, self.position
            self._block[key] = value
            # What a block does not say, the one above it still holds: a lone #Fields is common in mid-file.
            self.header = Header(
                log_type=self._block.get("log-type", self.header.log_type),
                version=self._block.get("version", self.header.version),
                date=self._block.get("date", self.header.date),
                fields=self._fields(self._block.get("fields", "")) or self.header.fields,
            )
            self.header_position = self._block_at
        elif text and not text.startswith(b"#"):
            names = tuple(name.strip() for name in text.decode("utf-8", "replace").split(","))
            if not self.header.fields:
                self.header = Header(self.header.log_type, self.header.version, self.header.date, names)
                self.header_position = self.position
        self._header_lines += 1
        self._advance(raw, len(raw), 1)

    def _fields(self, text: str) -> tuple[str, ...]:
        if text and text not in self._field_lists:
            if len(self._field_lists) >= MOST_FIELD_LISTS:
                return _TOO_MANY
            self._field_lists.add(text)
        return _names(text)

    def _data_run(self, data: bytes, starts: np.ndarray | None = None) -> Run:
        self._block = {}
        if self.header.is_open:
            self.header = replace(self.header, is_open=False)
        lines = data.count(b"\n") + (not data.endswith(b"\n")) if starts is None else len(starts)
        header_lines, self._header_lines = self._header_lines, 0
        first_line = self.line
        self._advance(data, len(data), lines)
        clean = _clean(data)
        return Run(
            self.header,
            clean,
            first_line,
            lines,
            header_lines,
            self.position,
            self.header_position,
            self.tail,
            starts=starts if clean is data else None,
        )

    def _advance(self, taken: bytes, length: int, lines: int) -> None:
        self.tail = taken[-TAIL:] if len(taken) >= TAIL else (self.tail + taken)[-TAIL:]
        self.position += length
        self.line += lines


class _LongLineReader:
    """Length and hash are of the line without its line end; `taken` counts all bytes, `tail` holds the last ones."""

    def __init__(self, start: bytes) -> None:
        self.taken = 0
        self.tail = b""
        self._length = 0
        self._kept = b""
        self._returns = 0
        self._hash = hashlib.sha256()
        self.add(start)

    def add(self, chunk: bytes) -> None:
        self.taken += len(chunk)
        self.tail = (self.tail + chunk[-TAIL:])[-TAIL:]
        line = chunk.removesuffix(b"\n")
        text = line.rstrip(b"\r")
        if text:
            # Carriage returns count only where text follows them; they are not kept, but counted.
            while self._returns:
                some = min(self._returns, 1 << 20)
                self._take(b"\r" * some)
                self._returns -= some
            self._take(text)
        self._returns += len(line) - len(text)

    def _take(self, text: bytes) -> None:
        self._kept += text[: KEPT_OF_LONG_LINE - len(self._kept)]
        self._hash.update(text)
        self._length += len(text)

    def result(self) -> LongLine:
        return LongLine(self._kept, self._length, self._hash.hexdigest())


def long_line(line: bytes) -> LongLine:
    """The same of a line that is held whole."""
    return _LongLineReader(line).result()


def _key_value(text: bytes) -> tuple[str, str] | None:
    """Key in lower case and value of a header line."""
    found = _KEY_VALUE.match(text)
    return (found[1].decode("ascii").lower(), found[2].decode("utf-8", "replace").strip()) if found else None


_known_key_value = lru_cache(maxsize=256)(_key_value)
"""Logs of one server differ in `#Date` alone."""


@lru_cache(maxsize=64)
def _names(fields: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in fields.split(",") if name.strip())


_scratch = local()


def positions(octets: np.ndarray, value: int) -> np.ndarray:
    """Where octets have a value, int64. Memory for the comparison is kept: fresh pages cost more than it does."""
    if len(octets) > _SCRATCH:
        return np.flatnonzero(octets == value)
    if not hasattr(_scratch, "flags"):
        _scratch.flags = np.empty(_SCRATCH, np.bool_)
    return np.flatnonzero(np.equal(octets, value, out=_scratch.flags[: len(octets)]))


def line_starts(data: bytes) -> np.ndarray:
    """Offsets at which the lines of `data` begin, int64."""
    ends = positions(np.frombuffer(data, np.uint8), 10)
    if len(ends) and ends[-1] == len(data) - 1:
        ends = ends[:-1]
    return np.concatenate([[0], ends + 1]) if len(data) else ends


def _only_records(block: bytes) -> np.ndarray | None:
    """Where its lines begin, if each begins with a digit, so that no header, blank or foreign line is among them."""
    starts = line_starts(block)
    first = np.frombuffer(block, np.uint8)[starts]
    return starts if len(starts) and ((first == 49) | (first == 50)).all() else None


def _last_record_start(buffer: bytes) -> int:
    """Offset of the last line that begins with a timestamp or `#`; -1 if only the first line does, or none."""
    end = len(buffer)
    for _ in range(_LOOKS_BACK):
        end = buffer.rfind(b"\n", 0, end)
        if end < 0:
            return -1
        if _RECORD_START.match(buffer, end):
            return end + 1
    window = 64 << 10
    while True:
        begin = max(0, len(buffer) - window)
        last = -1
        for match in _RECORD_START.finditer(buffer, begin):
            last = match.start() + 1
        if last > 0 or begin == 0:
            return last
        window *= 16


def _continues_record(block: bytes, begin: int, match: re.Match[bytes]) -> bool:
    """Whether a blank or header-like line stands in a quoted cell: one that is closed before the next record."""
    if match.start() == begin or _BLOCK_LINE.match(match.group()):
        return False
    start = match.start()
    for _ in range(_LINES_OF_CELL):
        start = block.rfind(b"\n", begin, start - 1) + 1 or begin
        if _TIMESTAMP.match(block, start):
            break
        if start == begin:
            return False
    else:
        return False
    # Counted line by line, as the rows are joined: a record of even quotes at a line end is over there.
    quotes = 0
    for line in block[start : match.start()].split(b"\n")[:-1]:
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            return False
    following = _RECORD_START.search(block, match.end() - 1)
    end = following.start() if following else len(block)
    at = match.start()
    for _ in range(_LINES_OF_CELL):
        if (at := block.find(b'"', at, end)) < 0:
            return False
        line_end = block.find(b"\n", at, end)
        line_end = end if line_end < 0 else line_end
        if block.count(b'"', at, line_end) % 2:
            return True
        at = line_end
    return False


def _complete_part(rest: bytes) -> int:
    """How much of the end of a live log is complete: its ended lines, unless a quote is still open in them."""
    ended = rest.rfind(b"\n") + 1
    begin = 0
    if b"\x00" in rest:
        begin = max((match.end() for match in _NUL_THEN_RECORD.finditer(rest, 0, ended)), default=0)
    if not _TIMESTAMP.match(rest, begin):
        return ended
    return begin if rest.count(b'"', begin, ended) % 2 else ended


def _split_at_nuls(block: bytes) -> Iterator[bytes]:
    """After a crash a half line, NULs and the next line share one physical line: three pieces are made of it."""
    at = 0
    for match in _NUL_THEN_RECORD.finditer(block):
        yield block[at : match.end()]
        at = match.end()
    yield block[at:]


def unglued(data: bytes) -> bytes:
    """The same bytes with a line end where NULs join a half line to the next record or header."""
    return _NUL_THEN_RECORD.sub(b"\n", data) if b"\x00" in data else data


def _clean(data: bytes) -> bytes:
    """Without BOMs at line starts and NULs at line ends; the last line ended."""
    if data.startswith(BOM):
        data = data[len(BOM) :]
    # One octet is looked for at memory speed, three are not.
    if BOM[:1] in data and b"\n" + BOM in data:
        data = data.replace(b"\n" + BOM, b"\n")
    if b"\x00" in data:
        data = re.sub(rb"\x00+(?=\r*\n|\Z)|(?m:^)\x00+", b"", data)
    return data if data.endswith(b"\n") else data + b"\n"
