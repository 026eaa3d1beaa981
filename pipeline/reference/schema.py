"""Columns of the catalogue's CSV files, declared once: the loader, the checks and the SQL relations
follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "date", "build"]

DUCKDB_TYPES: dict[Kind, str] = {"text": "VARCHAR", "integer": "INTEGER", "date": "DATE", "build": "VARCHAR"}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a CSV file: its kind, whether it must be filled, and the values it may take."""

    name: str
    kind: Kind = "text"
    required: bool = False
    one_of: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file of the catalogue and the name of its relation in SQL sessions."""

    name: str
    file: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    whole: bool = False

    def field_names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(field.name for field in self.fields)


PRODUCTS = frozenset(f"exchange-{p}" for p in ("2003", "2007", "2010", "2013", "2016", "2019", "se"))
YES_NO = frozenset({"yes", "no"})
_PRODUCT = Field("product", required=True, one_of=PRODUCTS)

BUILDS = Table(
    "ref_builds",
    "exchange_builds.csv",
    ("build_number", "product"),
    (
        Field("build_number", "build", required=True),
        _PRODUCT,
        Field("cumulative_update", required=True),
        Field("security_update"),
        Field("release_date", "date", required=True),
        Field("kind", required=True, one_of=frozenset({"rtm", "sp", "cu", "ru", "su", "hu"})),
        Field("kb"),
    ),
)
PROVENANCE = Table(
    "ref_build_sources",
    "exchange_builds_provenance.csv",
    ("build_number", "product"),
    (
        Field("build_number", "build", required=True),
        _PRODUCT,
        Field("date_precision", required=True, one_of=frozenset({"day", "month"})),
        Field("sources", required=True),
        Field("note"),
    ),
)
ALIASES = Table(
    "ref_build_aliases",
    "exchange_build_aliases.csv",
    ("build_number", "product"),
    (
        Field("build_number", "build", required=True),
        _PRODUCT,
        Field("canonical_build", "build", required=True),
        Field("reason", required=True),
    ),
)
PRODUCT_NAMES = Table(
    "ref_products",
    "product_names.csv",
    ("product",),
    (
        _PRODUCT,
        Field("short_name", required=True),
        Field("name", required=True),
        Field("source_url", required=True),
    ),
)
LIFECYCLE = Table(
    "ref_lifecycle",
    "exchange_lifecycle.csv",
    ("product", "version_prefix"),
    (
        _PRODUCT,
        Field("version_prefix", required=True),
        Field("mainstream_end", "date"),
        Field("extended_end", "date", required=True),
        Field("esu_end", "date"),
        Field("successor"),
        Field("note"),
        Field("source", required=True),
    ),
)
CVES = Table(
    "ref_cves",
    "exchange_cves.csv",
    ("cve", "product", "fixed_in_build"),
    (
        Field("cve", required=True),
        _PRODUCT,
        Field("fixed_in_build", "build", required=True),
        Field("kev", required=True, one_of=YES_NO),
        Field("nickname"),
        Field("security_update"),
        Field("source", required=True),
        Field("note"),
    ),
)
STAGES = Table(
    "ref_stages",
    "enforcement_stages.csv",
    ("valid_from", "stage"),
    (
        Field("stage", "integer", required=True),
        Field("day_from", "integer", required=True),
        Field("day_to", "integer"),
        Field("throttle_minutes_per_hour", "integer"),
        Field("block_minutes_per_hour", "integer"),
        Field("source", required=True),
        Field("as_of", "date", required=True),
        Field("note"),
        Field("valid_from", "date", required=True),
        Field("valid_to", "date"),
    ),
    whole=True,
)
BASELINES = Table(
    "ref_baselines",
    "enforcement_baselines.csv",
    ("effective_from", "product", "cumulative_update"),
    (
        Field("effective_from", "date"),
        _PRODUCT,
        Field("cumulative_update"),
        Field("minimum_build"),
        Field(
            "status",
            required=True,
            one_of=frozenset({"published", "reported", "announced", "disputed", "withdrawn"}),
        ),
        Field("source_url", required=True),
        Field("note"),
    ),
)
REPLIES = Table(
    "ref_replies",
    "smtp_replies.csv",
    ("code_pattern", "reply_text_pattern"),
    (
        Field("code_pattern", required=True),
        Field("reply_text_pattern"),
        Field("meaning", required=True),
        Field("is_tbes", required=True, one_of=YES_NO),
        Field("what_to_do", required=True),
        Field("source_url", required=True),
    ),
)
HOSTS = Table(
    "ref_hosts",
    "exchange_online_hosts.csv",
    ("suffix",),
    (
        Field("suffix", required=True),
        Field(
            "class", required=True, one_of=frozenset({"exchange-online", "outlook-com", "client-submission"})
        ),
        Field("role", required=True, one_of=frozenset({"next hop", "server", "outbound"})),
        Field("cloud", required=True),
        Field("source_url", required=True),
        Field("as_of", "date", required=True),
        Field("note"),
    ),
)
RETRIES = Table(
    "ref_retry_intervals",
    "retry_intervals.csv",
    ("setting", "server_role"),
    (
        Field("setting", required=True),
        Field("server_role", required=True, one_of=frozenset({"mailbox", "edge"})),
        Field("default_value", "integer", required=True),
        Field("unit", required=True, one_of=frozenset({"seconds", "attempts"})),
        Field("source_url", required=True),
        Field("as_of", "date", required=True),
        Field("note"),
    ),
)
PAUSES = Table(
    "ref_pause_quotas",
    "enforcement_pause.csv",
    ("valid_from",),
    (
        Field("valid_from", "date", required=True),
        Field("days_per_calendar_year", "integer", required=True),
        Field("granted_to", required=True, one_of=frozenset({"tenant"})),
        Field("renews", required=True),
        Field("source_url", required=True),
        Field("as_of", "date", required=True),
        Field("note"),
    ),
)
DATES = Table(
    "ref_catalogue_dates",
    "catalogue_dates.csv",
    ("subject",),
    (
        Field("subject", required=True),
        Field("as_of", "date", required=True),
        Field("source", required=True),
        Field("note"),
    ),
)

TABLES = (
    BUILDS,
    PROVENANCE,
    ALIASES,
    PRODUCT_NAMES,
    LIFECYCLE,
    CVES,
    STAGES,
    BASELINES,
    REPLIES,
    HOSTS,
    RETRIES,
    PAUSES,
    DATES,
)
