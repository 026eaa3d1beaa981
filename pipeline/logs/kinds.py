"""Which kind of log a file is: by its header block, else by the shape of its first line.

File names are never asked: neighbours' logs are dropped into the same folders and names are changed.
Sources: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/transport-logs and, for the
logs of other products, their first lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pipeline.logs import message_tracking, smtp_protocol
from pipeline.logs.framing import BOM, Framer, Header, Run, unglued

READ = ("message-tracking", "smtp-receive", "smtp-send")
"""Kinds that are ingested; any other is named in the summary and skipped."""

_LOG_TYPES = {
    "message tracking log": "message-tracking",
    "smtp receive protocol log": "smtp-receive",
    "smtp send protocol log": "smtp-send",
    "transport connectivity log": "connectivity",
    "agent log": "agent",
}
_2016 = tuple(column.field or "" for column in message_tracking.FIELDS)
_2013 = _2016[:27]
_2010 = tuple(name for name in _2013 if name != "network-message-id")
TRACKING_FIELDS = {21: _2010[:21], 26: _2010, 27: _2013, 30: _2016}
"""Field lists of Exchange 2007, 2010, 2013 and 2016 or later, by their number of columns."""
SMTP_FIELDS = tuple(column.field or "" for column in smtp_protocol.FIELDS)

NOT_A_LOG = "not a transport log"
_RECORDS_LOOKED_AT = 50
_RUNS_LOOKED_AT = 5000
"""A log in shreds is not held whole to know its kind."""
_RECORD = re.compile(rb"\d{4}-\d\d-\d\dT")
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$")
_SMTP_EVENTS = {"+", "-", ">", "<", "*", ""}
_PACKED = (
    (b"PK\x03\x04", "zip archive"),
    (b"\x1f\x8b\x08", "gzip archive"),
    (b"\x28\xb5\x2f\xfd", "zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"Rar!\x1a\x07", "rar archive"),
    (b"\xfd7zXZ\x00", "xz archive"),
    (b"BZh", "bzip2 archive"),
    (b"MSCF\x00\x00", "cab archive"),
)
"""First bytes of archives within archives, and of kinds that are not unpacked: what is in them is not seen."""
_TAR_AT = 257
_OTHER_FIRST_LINES = (
    (
        re.compile(r"^#\s*Message Tracking Log File|^\d{4}-\d\d?-\d\d?\t\d\d?:\d\d:\d\d GMT\t"),
        "message tracking of Exchange 2000/2003",
    ),
    (re.compile(r"^#Software: Microsoft Internet Information Services"), "IIS"),
    (
        re.compile(
            r"^#Software: SMTP|^[0-9a-f.:]+, [^,]*, \d+/\d+/\d{4}, \d+:\d\d:\d\d, (SMTPSVC|W3SVC)\d+,", re.I
        ),
        "IIS SMTP service",
    ),
    (re.compile(r'^"?(RunspaceId|PSComputerName)|^Timestamp +: |^"?#TYPE '), "PowerShell export"),
    (re.compile(r"^Timestamp ClientIp |^\s*(RunspaceId|EventId)\s+:"), "PowerShell export"),
    (re.compile(r'^"?(origin_timestamp_utc|date_time_utc)"?\s*[,:]'), "Exchange Online historical search"),
    (
        re.compile(r"^(DateTime,RequestId|#?Fields: DateTime,)", re.I),
        "protocol log of a client access service",
    ),
)


def kind_of_header(header: Header) -> str | None:
    """The kind that a header block names; None without one. Logs of two kinds may be joined in one file."""
    return _LOG_TYPES.get(header.log_type.lower())


@dataclass(frozen=True, slots=True)
class Kind:
    """What a log is. `name` is one of READ or names the kind that is skipped; `header` has its field list.

    `by_shape` says that no header told it, so that the summary can say so.
    """

    name: str
    header: Header
    by_shape: bool = False

    @property
    def is_read(self) -> bool:
        """Whether the log is ingested."""
        return self.name in READ

    @property
    def table(self) -> str:
        """The stored table its rows go to."""
        return message_tracking.NAME if self.name == "message-tracking" else smtp_protocol.NAME


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a log: its kind, its first data line (empty if there is none), and the header lines above it.

    `is_open` says that the first data line has no line end yet.
    """

    kind: Kind
    first_record: bytes
    header_block: bytes
    is_open: bool = False


def read_head(start: bytes, *, whole: bool) -> Head:
    """Classify a log by its first bytes (64 KB will do); `whole` says that they are all of it."""
    if packed := _packed(start):
        return Head(Kind(f"{packed}: unpack it first", Header()), b"", b"")
    framer = Framer()
    runs = list(islice(framer.end(start, take_tail=whole), _RUNS_LOOKED_AT))
    with_lines = [i for i, run in enumerate(runs) if run.lines]
    # Text may stand above the first header; rows above it are where the log begins.
    chosen = next(
        (i for i in with_lines if runs[i].header.log_type or runs[i].header.fields or _record_lines(runs[i])),
        next(iter(with_lines), None),
    )
    text = start.removeprefix(BOM)[:4096].decode("utf-8", "replace")
    if chosen is None:
        return Head(_classify(framer.header, [], text), b"", _plain(unglued(start[: start.rfind(b"\n") + 1])))
    run = runs[chosen]
    record, is_last = _first_record(run)
    records = [line for run in runs[chosen:] if run.lines for line in _record_lines(run)][:_RECORDS_LOOKED_AT]
    kind = _classify(run.header, records, text)
    # lines that are no rows may part it from its header
    headed = next((i for i in range(chosen, -1, -1) if runs[i].header_lines), chosen)
    begin, count = runs[headed - 1].end if headed else 0, runs[headed].header_lines
    block = b"\n".join(unglued(start[begin:]).split(b"\n", count)[:count])
    is_open = run is runs[-1] and is_last and not start.endswith(b"\n")
    return Head(kind, record, _plain(block), is_open)


def _packed(start: bytes) -> str | None:
    if start.startswith(b"ustar", _TAR_AT):
        return "tar archive"
    return next((name for magic, name in _PACKED if start.startswith(magic)), None)


def _plain(block: bytes) -> bytes:
    """Header lines without what copying changes."""
    return block.replace(BOM, b"").replace(b"\r", b"").strip(b"\n\x00")


def _first_record(run: Run) -> tuple[bytes, bool]:
    """The first data line, and whether it is the run's last one.

    Without a header that is the first line that begins with a timestamp: an excerpt may begin within a line, and how much
    of a log is there decides whether that rest is in a run with what follows.
    """
    lines = _first_lines(run)
    at = 0
    if not (run.header.log_type or run.header.fields):
        at = next((i for i, line in enumerate(lines) if _RECORD.match(line)), 0)
    return lines[at].rstrip(b"\r"), run.lines == at + 1


def _first_lines(run: Run) -> list[bytes]:
    """So many that a look at them tells what the run is; of a long line its beginning."""
    data = run.long_line.start if run.long_line else run.data
    return data.split(b"\n", _RECORDS_LOOKED_AT)[:_RECORDS_LOOKED_AT]


def _record_lines(run: Run) -> list[str]:
    """The first lines that begin with a timestamp, for a look at their shape."""
    lines = [line for line in _first_lines(run) if _RECORD.match(line)]
    return [line.rstrip(b"\r").decode("utf-8", "replace") for line in lines]


def _classify(header: Header, records: Sequence[str], text: str) -> Kind:
    fields = [name.lower() for name in header.fields]
    log_type = header.log_type.lower()
    if log_type:
        name = _LOG_TYPES.get(log_type, log_type.removesuffix(" log").removesuffix(" logs"))
        if name in READ and not fields:
            return replace(_by_shape(header, records), name=name)
        return Kind(name, header)
    if fields[:1] == ["date-time"] and {"event-id", "message-id"} <= set(fields):
        return Kind("message-tracking", header)
    if fields[:1] == ["date-time"] and {"session-id", "sequence-number", "event"} <= set(fields):
        return _by_shape(header, records)
    for pattern, name in _OTHER_FIRST_LINES:
        if pattern.search(text):
            return Kind(name, header)
    if fields[:2] == ["datetime", "sessionid"]:
        return Kind("POP or IMAP", header)
    if fields:
        return Kind("another log", header)
    return _by_shape(header, records)


def _by_shape(header: Header, records: Sequence[str]) -> Kind:
    """Excerpts and joined files come without header: number of cells and the shape of the first ones decide.

    An excerpt may begin within a line: the first lines that have a shape decide.
    """
    kinds = (_by_shape_of(header, record) for record in records)
    return next((kind for kind in kinds if kind.name != NOT_A_LOG), Kind(NOT_A_LOG, header))


def _by_shape_of(header: Header, record: str) -> Kind:
    try:
        cells = next(csv.reader([record], strict=True), [])
    except csv.Error:
        cells = []
    if not cells or not _TIMESTAMP.match(cells[0]):
        return Kind(NOT_A_LOG, header)
    fields = header.fields
    if len(cells) in TRACKING_FIELDS and cells[8 if len(cells) > 8 else 0].isupper():
        return Kind(
            "message-tracking", replace(header, fields=fields or TRACKING_FIELDS[len(cells)]), by_shape=True
        )
    if len(cells) == 9 and cells[3].isdigit() and cells[6] in _SMTP_EVENTS:
        name = "smtp-receive" if "\\" in cells[1] else "smtp-send"
        return Kind(name, replace(header, fields=fields or SMTP_FIELDS), by_shape=True)
    if len(cells) == 6 and cells[4] in _SMTP_EVENTS:
        return Kind("connectivity", header, by_shape=True)
    if len(cells) == 13 and cells[2].isdigit():
        return Kind("POP or IMAP", header, by_shape=True)
    return Kind(NOT_A_LOG, header)
