"""Many megabytes of realistic log lines, quickly, for benchmarks and stress tests.

A few dozen messages are made once by the simulation; each copy then gets its own time and ids by replacing
fixed tokens in the bytes of its rows, which runs at the speed of memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from tests.generator.enforcement import Enforcement, FixedWindows, NoEnforcement
from tests.generator.identifiers import Identifiers
from tests.generator.lines import (
    EXCHANGE_2019,
    MESSAGE_TRACKING_LOG,
    PROTOCOL,
    banner_date,
    header_block,
    padded,
)
from tests.generator.office import PEOPLE, SEED, SUBJECTS
from tests.generator.organisation import Organisation, Server
from tests.generator.simulation import Simulation
from tests.generator.tree import FRONTEND_RECEIVE, HUB_SEND, LOGS, TRACKING, Place

Kind = Literal["message-tracking", "smtp-send", "smtp-receive"]
PLACES: dict[Kind, Place] = {
    "message-tracking": TRACKING,
    "smtp-send": HUB_SEND,
    "smtp-receive": FRONTEND_RECEIVE,
}
VARIANTS = 64
BUILD = "15.2.1748.39"
CONNECTOR = "Outbound to Office 365 - 5f1d7c3a-8e02-4b64-9a17-c0d2e6b43f98"
FIRST_HOUR = datetime(2026, 10, 1, tzinfo=UTC)

_BASE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_SECOND = b"2026-01-02T03:04:05"
_BANNER = banner_date(_BASE).removesuffix(" +0000").encode()
_SERVER, _ADDRESS = b"BULKEX00", b"10.90.0.10"
_HEX, _SESSION, _INTERNAL = b"a5a5f00d", b"08DEA5F0", b"770077"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class BulkFile:
    """One file written: path, size in bytes, header lines, rows, messages, refusals of the enforcement."""

    path: Path
    bytes: int
    header: int
    rows: int
    messages: int
    refusals: int


class _Tokens(Identifiers):
    """Ids that begin with a token which every copy replaces."""

    def hexadecimal(self, digits: int) -> str:
        text = super().hexadecimal(digits)
        return _HEX.decode() + text[8:] if digits >= 20 else text

    def session_id(self, service: str, started: datetime) -> str:
        return _SESSION.decode() + super().session_id(service, started)[8:]

    def internal_id(self, server: str) -> int:
        return int(_INTERNAL.decode() + f"{super().internal_id(server) % 10_000_000:07d}")


@dataclass(frozen=True, slots=True)
class _Template:
    text: bytes
    rows: int
    refusals: int


def _enforcement(kind: Kind, number: int) -> Enforcement:
    if kind != "smtp-receive":
        if number % 16 == 7:
            return FixedWindows(60, 0)
        if number % 32 == 21:
            return FixedWindows(0, 60)
    return NoEnforcement()


def _templates(kind: Kind, seed: int) -> list[_Template]:
    made = []
    for number in range(VARIANTS):
        enforcement = _enforcement(kind, number)
        server = Server(
            _SERVER.decode(),
            _ADDRESS.decode(),
            EXCHANGE_2019,
            ((None, BUILD),),
            _BASE,
            enforcement=enforcement,
        )
        organisation = Organisation(
            "bulk", "Bulk", "bulk.example", "bulkexample", CONNECTOR,
            (server,), "198.51.100.90", "203.0.113.90",
        )  # fmt: skip
        simulation = Simulation(organisation, seed + number)
        simulation.book.ids = _Tokens(f"{seed} bulk {number}")
        choose = Identifiers(f"{seed} choose {number}")
        client = ("app.bulk.example", f"10.90.7.{number + 1}") if kind == "smtp-receive" else None
        people = tuple(organisation.cloud(f"{choose.choice(PEOPLE)}{n}") for n in range(1 + number % 3))
        simulation.mail(
            server.name,
            _BASE,
            f"{choose.choice(PEOPLE)}@bulk.example",
            people,
            choose.choice(SUBJECTS),
            client=client,
            detail=number % 2 == 0,
        )
        simulation.run(_BASE + timedelta(seconds=1))
        (log,) = (
            log
            for log in simulation.book.tree.files()
            if log.log_type == PLACES[kind].log_type and f"/{PLACES[kind].prefix}2" in log.path
        )
        rows = [text for found, text in log.lines if found == "row"]
        text = "".join(f"{row}\r\n" for row in rows).encode()
        refusals = sum(len(message.refusals) for message in simulation.messages())
        made.append(_Template(text, len(rows), refusals))
    return made


def _copy(template: _Template, time: datetime, server: int, number: int) -> bytes:
    return (
        template.text.replace(_SECOND, f"{time:%Y-%m-%dT%H:%M:%S}".encode())
        .replace(_HEX, b"%08x" % (number * 2654435761 & 0xFFFFFFFF))
        .replace(_SESSION, b"%08X" % (0x08DF0000 + number))
        .replace(_INTERNAL, b"%06d" % (100_000 + number % 900_000))
        .replace(_BANNER, banner_date(time).removesuffix(" +0000").encode())
        .replace(_SERVER, b"BULKEX%02d" % (server + 1))
        .replace(_ADDRESS, b"10.90.0.%d" % (server + 11))
    )


def write_bulk(
    directory: Path, megabytes: float, kind: Kind, files: int = 8, seed: int = SEED, servers: int = 4
) -> list[BulkFile]:
    """Write about `megabytes` (10^6 bytes) of one kind of log below `directory`, in Exchange 2019's folders.

    The files, of like size, are spread over `servers` (at most 99), one an hour from 2026-10-01 on; in each,
    times run through its hour (rows of one second may be out of order, as when a log is flushed). No id comes
    twice.
    The kinds are messages handed to Exchange Online (tracking of the transport service, hub Send) or taken
    from applications (front-end Receive); 6 % of the first two are throttled and 3 % blocked.
    """
    templates = _templates(kind, seed)
    size = int(megabytes * 1_000_000 / files)
    mean = sum(len(template.text) for template in templates) / len(templates)
    copies = max(1, round(size / mean))
    return [
        _write_file(
            directory,
            kind,
            templates,
            number,
            number % servers,
            FIRST_HOUR + timedelta(hours=number // servers),
            copies,
        )
        for number in range(files)
    ]


def _write_file(
    directory: Path,
    kind: Kind,
    templates: list[_Template],
    file: int,
    server: int,
    hour: datetime,
    copies: int,
) -> BulkFile:
    place, name = PLACES[kind], f"BULKEX{server + 1:02d}"
    tracking = place.log_type == MESSAGE_TRACKING_LOG
    fields = EXCHANGE_2019.tracking_fields if tracking else PROTOCOL
    header = header_block(
        place.log_type, padded(BUILD) if tracking else EXCHANGE_2019.protocol_version, hour, fields
    )
    path = directory / "bulk" / name / "V15" / LOGS / place.folder / f"{place.prefix}{hour:%Y%m%d%H}-1.LOG"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = refusals = 0

    def pieces() -> Iterator[bytes]:
        nonlocal rows, refusals
        yield "".join(f"{line}\r\n" for line in header).encode()
        for number in range(copies):
            template = templates[(number + file) % len(templates)]
            rows += template.rows
            refusals += template.refusals
            time = hour + timedelta(seconds=number * 3600 // copies)
            yield _copy(template, time, server, file * copies + number)

    written = 0
    with path.open("wb", buffering=_CHUNK) as handle:
        for piece in pieces():
            written += handle.write(piece)
    return BulkFile(path, written, len(header), rows, copies, refusals)
