"""A saved output of `Get-OnPremServerReportInfo`, typed: a row a server, and how it was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from pipeline.errors import UsageError
from pipeline.imports.dates import DateError, Order, Reading, Written, decide, parse_date
from pipeline.imports.records import DATES, Records, read_records
from pipeline.imports.text import decoded
from pipeline.reference.builds import Build, parse_build
from pipeline.reference.catalogue import Catalogue

MAX_BYTES = 16 * 1024 * 1024
_CUT_SHORT = re.compile(r"(\.\.\.|…)\s*}?\s*$")


@dataclass(frozen=True, slots=True)
class ImportedServer:
    """What the cmdlet says of one server; times in UTC, rates in minutes an hour, None for an empty cell."""

    server_fqdn: str
    build: str | None = None
    exchange_server: str | None = None
    first_detected: datetime | None = None
    throttle_enabled: datetime | None = None
    blocking_enabled: datetime | None = None
    next_stage_throttle: int | None = None
    next_stage_block: int | None = None
    next_stage_start: datetime | None = None
    recommended_builds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedReport:
    """`notes` are sentences on what was left out or could not be used."""

    form: str
    reading: Reading
    servers: tuple[ImportedServer, ...]
    notes: tuple[str, ...]


def parse_report(
    content: bytes, catalogue: Catalogue, now: datetime, zone: tzinfo, told: Order | None = None
) -> ParsedReport:
    """Read the file's bytes; dates without an offset are in `zone`.

    Raises UsageError, one sentence, where it is no such report, a cell cannot be read, or the order of day
    and month stays open and is not `told`.
    """
    if len(content) > MAX_BYTES:
        raise UsageError(
            f"The file has {len(content):,} bytes: that is no output of Get-OnPremServerReportInfo"
        )
    records = read_records(decoded(content))
    dates = [_dates(row) for row in records.rows]
    try:
        reading = decide(dates, tuple(_distances(catalogue, now)), now, told)
    except DateError as error:
        raise UsageError(f"The dates cannot be read: {error}") from error
    if reading.order is None:
        example = next(date.text for server in dates for date in server.values() if date.is_open)
        raise UsageError(
            f"The dates are ambiguous: {example} and all others can be read day first and month first. "
            "Say which with --date-order dmy or --date-order mdy"
        )
    order = reading.order
    servers = tuple(
        _server(row, {field: date.read(order, zone) for field, date in written.items()})
        for row, written in zip(records.rows, dates, strict=True)
    )
    return ParsedReport(records.form, reading, servers, tuple(_notes(records, servers)))


def _distances(catalogue: Catalogue, now: datetime) -> Iterator[tuple[str, str, int]]:
    """From first detection to the first throttling and the first blocking stage, in days, by the ladder."""
    ladder = catalogue.stages_on(now.date())
    throttle = next((stage.day_from for stage in ladder if stage.throttle), None)
    block = next((stage.day_from for stage in ladder if stage.block), None)
    if throttle is not None:
        yield "FirstDetectedDate", "ThrottleEnabledDate", throttle
    if block is not None:
        yield "FirstDetectedDate", "BlockingEnabledDate", block
    if throttle is not None and block is not None:
        yield "ThrottleEnabledDate", "BlockingEnabledDate", block - throttle


def _dates(row: Mapping[str, Any]) -> dict[str, Written]:
    found = {}
    for field in DATES:
        value = row.get(field)
        if isinstance(value, Mapping):
            # Windows PowerShell's ConvertTo-Json wraps a date: value, DisplayHint, DateTime
            value = next(
                (item for name, item in value.items() if str(name).lower() in ("value", "datetime")), None
            )
        text = str(value if value is not None else "").strip()
        if text and not text.startswith(("01/01/0001", "1/1/0001", "0001-01-01")):
            try:
                found[field] = parse_date(text)
            except DateError as error:
                raise UsageError(f"{field} of {row['ServerFQDN']}: {text!r} {error}") from error
    return found


def _server(row: Mapping[str, Any], dates: Mapping[str, datetime]) -> ImportedServer:
    fqdn = str(row["ServerFQDN"]).strip()
    text = _text(row.get("Build"))
    build = _build(row.get("Build"))
    if text and build is None:
        raise UsageError(f"Build of {fqdn}: {text!r} is no Exchange build")
    return ImportedServer(
        server_fqdn=fqdn,
        build=str(build) if build else None,
        exchange_server=_text(row.get("ExchangeServer")) or None,
        first_detected=dates.get("FirstDetectedDate"),
        throttle_enabled=dates.get("ThrottleEnabledDate"),
        blocking_enabled=dates.get("BlockingEnabledDate"),
        next_stage_throttle=_minutes(fqdn, "NextStageThrottleRate", row),
        next_stage_block=_minutes(fqdn, "NextStageBlockRate", row),
        next_stage_start=dates.get("NextStageStartDate"),
        recommended_builds=tuple(map(str, sorted(set(_builds(row.get("RecommendedBuildVersions")))))),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _build(value: Any) -> Build | None:
    """JSON may hold a build as an object of four numbers, as .NET's Version is."""
    if isinstance(value, Mapping):
        numbers = {str(name).lower(): number for name, number in value.items()}
        return parse_build(
            ".".join(str(numbers.get(part, "")) for part in ("major", "minor", "build", "revision"))
        )
    return parse_build(_text(value))


def _builds(value: Any) -> Iterator[Build]:
    parts = value if isinstance(value, list) else re.split(r"[\s,;{}]+|[.]{2,}|…", _text(value))
    for part in parts:
        build = _build(part)
        if build is not None:
            yield build


def _minutes(fqdn: str, field: str, row: Mapping[str, Any]) -> int | None:
    text = _text(row.get(field))
    if not text:
        return None
    found = re.match(r"([0-9]{1,3})(?:[.,]0+)?(?: ?min.*)?$", text, re.I)
    if not found or int(found[1]) > 60:
        raise UsageError(f"{field} of {fqdn}: {text!r} is no number of minutes in an hour")
    return int(found[1])


def _notes(records: Records, servers: tuple[ImportedServer, ...]) -> Iterator[str]:
    if records.unknown:
        yield f"Fields that are not used: {', '.join(records.unknown[:8])}."
    for row, server in zip(records.rows, servers, strict=True):
        text = _text(row.get("RecommendedBuildVersions"))
        if text and not server.recommended_builds:
            yield (
                f"RecommendedBuildVersions of {server.server_fqdn} holds no build ({text[:40]}): "
                "save the report as Format-List text."
            )
        elif _CUT_SHORT.search(text):
            yield (
                f"RecommendedBuildVersions of {server.server_fqdn} is cut short: "
                "set $FormatEnumerationLimit = -1 before saving."
            )
        if server.first_detected is None:
            yield f"{server.server_fqdn} has no FirstDetectedDate."
