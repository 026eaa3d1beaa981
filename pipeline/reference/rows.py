"""The catalogue's rows as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipeline.reference.builds import Build, parse_build
from pipeline.reference.checks import NONE_ACCEPTED
from pipeline.reference.tables import Record


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A released build; `date_precision` is day or month (then the first of the month stands)."""

    build: Build
    product: str
    cumulative_update: str
    security_update: str | None
    release_date: date
    date_precision: str
    kind: str
    kb: str | None
    sources: str
    note: str | None


@dataclass(frozen=True, slots=True)
class AliasRow:
    """A build number that some source prints, and the one to use."""

    build: Build
    product: str
    canonical: Build
    reason: str


@dataclass(frozen=True, slots=True)
class LifecycleRow:
    """End dates of a product and its major.minor prefix; the end day itself is still supported."""

    product: str
    version_prefix: str
    mainstream_end: date | None
    extended_end: date
    esu_end: date | None
    successor: str | None
    note: str | None
    source: str


@dataclass(frozen=True, slots=True)
class CveRow:
    """A flaw and the first build that fixes it in one CU line; `kev`: known to be exploited (CISA KEV)."""

    cve: str
    product: str
    fixed_in: Build
    kev: bool
    nickname: str | None
    security_update: str | None
    source: str
    note: str | None


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage of enforcement: days since first detection, [day_from, day_to), minutes per hour, None =
    unknown."""

    stage: int
    day_from: int
    day_to: int | None
    throttle: int | None
    block: int | None
    source: str
    as_of: date
    note: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """A floor: the oldest accepted build of a product and CU line from a day on.

    `minimum` is None where no build is accepted (`none_accepted`) or where the value is not public.
    """

    effective_from: date | None
    product: str
    cumulative_update: str | None
    minimum: Build | None
    none_accepted: bool
    status: str
    source_url: str
    note: str | None


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A reply that is enforcement (`is_tbes`) or must not be mistaken for it."""

    code_pattern: str
    text_pattern: str | None
    meaning: str
    is_tbes: bool
    what_to_do: str
    source_url: str | None


@dataclass(frozen=True, slots=True)
class HostRow:
    """A suffix of host names; `host_class` exchange-online, outlook-com or client-submission."""

    suffix: str
    host_class: str
    role: str
    cloud: str
    source_url: str
    as_of: date
    note: str | None


def _given(build: Build | None, record: Record) -> Build:
    if build is None:
        raise record.fault("a build is missing")
    return build


def _day(day: date | None, record: Record) -> date:
    if day is None:
        raise record.fault("a date is missing")
    return day


def build_row(r: Record, provenance: dict[Build | None, Record]) -> BuildRow:
    build = _given(r.build("build_number"), r)
    source = provenance[build]
    return BuildRow(
        build,
        r.text("product"),
        r.text("cumulative_update"),
        r.text("security_update") or None,
        _day(r.date("release_date"), r),
        source.text("date_precision"),
        r.text("kind"),
        r.text("kb") or None,
        source.text("sources"),
        source.text("note") or None,
    )


def alias_row(r: Record) -> AliasRow:
    return AliasRow(
        _given(r.build("build_number"), r),
        r.text("product"),
        _given(r.build("canonical_build"), r),
        r.text("reason"),
    )


def lifecycle_row(r: Record) -> LifecycleRow:
    return LifecycleRow(
        r.text("product"),
        r.text("version_prefix"),
        r.date("mainstream_end"),
        _day(r.date("extended_end"), r),
        r.date("esu_end"),
        r.text("successor") or None,
        r.text("note") or None,
        r.text("source"),
    )


def cve_row(r: Record) -> CveRow:
    return CveRow(
        r.text("cve"),
        r.text("product"),
        _given(r.build("fixed_in_build"), r),
        r.text("kev") == "yes",
        r.text("nickname") or None,
        r.text("security_update") or None,
        r.text("source"),
        r.text("note") or None,
    )


def stage_row(r: Record) -> StageRow:
    return StageRow(
        r.integer("stage") or 0,
        r.integer("day_from") or 0,
        r.integer("day_to"),
        r.integer("throttle_minutes_per_hour"),
        r.integer("block_minutes_per_hour"),
        r.text("source"),
        _day(r.date("as_of"), r),
        r.text("note") or None,
        _day(r.date("valid_from"), r),
        r.date("valid_to"),
    )


def baseline_row(r: Record) -> BaselineRow:
    minimum = r.text("minimum_build")
    return BaselineRow(
        r.date("effective_from"),
        r.text("product"),
        r.text("cumulative_update") or None,
        parse_build(minimum),
        minimum == NONE_ACCEPTED,
        r.text("status"),
        r.text("source_url"),
        r.text("note") or None,
    )


def reply_row(r: Record) -> ReplyRow:
    source = r.text("source_url")
    return ReplyRow(
        r.text("code_pattern"),
        r.text("reply_text_pattern") or None,
        r.text("meaning"),
        r.text("is_tbes") == "yes",
        r.text("what_to_do"),
        None if source == "none" else source,
    )


def host_row(r: Record) -> HostRow:
    return HostRow(
        r.text("suffix"),
        r.text("class"),
        r.text("role"),
        r.text("cloud"),
        r.text("source_url"),
        _day(r.date("as_of"), r),
        r.text("note") or None,
    )
