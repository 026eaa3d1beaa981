"""The folder tree: rows are collected by log and turned into files as Exchange names and opens them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from tests.generator.lines import (
    CONNECTIVITY,
    CONNECTIVITY_LOG,
    MESSAGE_TRACKING_LOG,
    PROTOCOL,
    SMTP_RECEIVE_LOG,
    SMTP_SEND_LOG,
    Generation,
    header_block,
)

LineKind = Literal["header", "row", "damaged", "unfinished"]
LOGS = "TransportRoles/Logs"


@dataclass(frozen=True, slots=True)
class Place:
    """One log of a server: folder below `TransportRoles/Logs` (2013 and later; 2010), prefix, kind."""

    folder: str
    folder_2010: str
    prefix: str
    log_type: str


TRACKING = Place("MessageTracking", "MessageTracking", "MSGTRK", MESSAGE_TRACKING_LOG)
TRACKING_SUBMISSION = Place("MessageTracking", "MessageTracking", "MSGTRKMS", MESSAGE_TRACKING_LOG)
TRACKING_DELIVERY = Place("MessageTracking", "MessageTracking", "MSGTRKMD", MESSAGE_TRACKING_LOG)
TRACKING_MAILBOX_2010 = Place("MessageTracking", "MessageTracking", "MSGTRKM", MESSAGE_TRACKING_LOG)
HUB_SEND = Place("Hub/ProtocolLog/SmtpSend", "ProtocolLog/SmtpSend", "SEND", SMTP_SEND_LOG)
HUB_RECEIVE = Place("Hub/ProtocolLog/SmtpReceive", "ProtocolLog/SmtpReceive", "RECV", SMTP_RECEIVE_LOG)
FRONTEND_SEND = Place("FrontEnd/ProtocolLog/SmtpSend", "ProtocolLog/SmtpSend", "SEND", SMTP_SEND_LOG)
FRONTEND_RECEIVE = Place(
    "FrontEnd/ProtocolLog/SmtpReceive", "ProtocolLog/SmtpReceive", "RECV", SMTP_RECEIVE_LOG
)
CONNECTIVITY_HUB = Place("Hub/Connectivity", "Connectivity", "CONNECTLOG", CONNECTIVITY_LOG)


@dataclass(slots=True)
class LogFile:
    """One log: its path below the tree with `/`, and its lines without line ends, each with its kind."""

    path: str
    server: str
    log_type: str
    bom: bool = False
    lines: list[tuple[LineKind, str]] = field(default_factory=list)

    def count(self, kind: LineKind) -> int:
        """Lines of one kind."""
        return sum(1 for found, _ in self.lines if found == kind)

    def content(self) -> bytes:
        """Bytes as Exchange writes them: CR LF, UTF-8; an unfinished last line has no line end."""
        text = "".join(text if kind == "unfinished" else text + "\r\n" for kind, text in self.lines)
        return (b"\xef\xbb\xbf" if self.bom else b"") + text.encode("utf-8")


class LogTree:
    """Collects the rows of one organisation.

    Rows may be added in any order; each file is sorted by time (rows of one time keep the order in which they
    were added). `version(server, time)` gives `#Version` of a tracking log; where it changes inside a file, a
    header block stands there again, as after a restart of the service.
    """

    def __init__(self, organisation: str, version: Callable[[str, datetime], str]) -> None:
        self.organisation = organisation
        self._version = version
        self._rows: dict[tuple[str, Place, str], list[tuple[datetime, str]]] = {}
        self._servers: dict[str, tuple[Generation, bool, bool]] = {}

    def server(self, name: str, generation: Generation, *, version_folder: bool, bom: bool) -> None:
        """Declare a server before rows are added for it."""
        self._servers[name] = (generation, version_folder, bom)

    def add(self, server: str, place: Place, time: datetime, text: str) -> None:
        """Add one line (without line end) to a log of a server."""
        generation = self._servers[server][0]
        period = f"{time:%Y%m%d%H}" if generation.hourly else f"{time:%Y%m%d}"
        self._rows.setdefault((server, place, period), []).append((time, text))

    def folder(self, server: str, place: Place) -> str:
        """Path of a log's folder below the tree."""
        generation, version_folder, _ = self._servers[server]
        version = f"{generation.folder}/" if version_folder else ""
        below = place.folder if generation.service_folders else place.folder_2010
        return f"{self.organisation}/{server}/{version}{LOGS}/{below}"

    def files(self) -> list[LogFile]:
        """All logs, sorted by path."""
        made = [self._file(server, place, period) for server, place, period in self._rows]
        return sorted(made, key=lambda log: log.path)

    def _file(self, server: str, place: Place, period: str) -> LogFile:
        generation, _, bom = self._servers[server]
        rows = sorted(self._rows[server, place, period], key=lambda row: row[0])
        log = LogFile(
            f"{self.folder(server, place)}/{place.prefix}{period}-1.LOG", server, place.log_type, bom
        )
        fields = {MESSAGE_TRACKING_LOG: generation.tracking_fields, CONNECTIVITY_LOG: CONNECTIVITY}.get(
            place.log_type, PROTOCOL
        )
        written = ""
        for time, text in rows:
            version = generation.protocol_version
            if place.log_type == MESSAGE_TRACKING_LOG:
                version = self._version(server, time)
            if version != written:
                # Rows are buffered, so a log is opened a little after the time of its first row.
                opened = time + timedelta(milliseconds=300 + 41 * (len(rows) % 50))
                log.lines.extend(("header", h) for h in header_block(place.log_type, version, opened, fields))
                written = version
            log.lines.append(("row", text))
        return log


def as_gzip(content: bytes) -> bytes:
    """Gzip without name and time, so that the bytes depend on the content alone."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()


def as_zip(members: dict[str, bytes]) -> bytes:
    """A zip archive with fixed times and attributes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, date_time=(2026, 11, 24, 18, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            entry.external_attr = 0
            archive.writestr(entry, content, compresslevel=9)
    return buffer.getvalue()
