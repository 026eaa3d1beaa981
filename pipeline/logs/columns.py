"""Columns of the stored tables: name, type, meaning.

One list a log kind is the only place where a column is declared: the Arrow types of the reader, the Delta
schema of the store and the documentation are all made from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Type = Literal["string", "int32", "int64", "double", "timestamp", "map"]
"""`timestamp` is UTC in microseconds; `map` is text to text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stored table.

    `field` is Exchange's own name in `#Fields` (None for a column that tbes derives); `repeats` marks text
    that takes few values, which is read and written as a dictionary.
    """

    name: str
    type: Type
    meaning: str
    field: str | None = None
    repeats: bool = False


def exchange(field: str, type: Type, meaning: str, *, repeats: bool = False) -> Column:
    """A column under Exchange's own field name, hyphens turned to underscores."""
    return Column(field.replace("-", "_"), type, meaning, field=field, repeats=repeats)


PARTITIONS = ("organisation", "month")


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The stored types of a table, the partition columns included."""
    # A report needs the names alone, and is there sooner without the library.
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "timestamp": pa.timestamp("us", "UTC"),
        "map": pa.map_(pa.string(), pa.string()),
    }
    return pa.schema([(column.name, types[column.type]) for column in columns])


ASSIGNED = (
    Column(
        "organisation", "string", "Id (slug) of the organisation whose log it is; a partition of the table"
    ),
    Column("month", "string", "Month of date_time, YYYY-MM; a partition of the table"),
)

LINEAGE = (
    Column("server", "string", "Server whose log holds the line; null where nothing names it", repeats=True),
    Column(
        "server_basis",
        "string",
        "How server was found: option, organisations.toml, path, layout, rows, file (its first rows)",
        repeats=True,
    ),
    Column(
        "log_service",
        "string",
        "Transport service that wrote the log: frontend, hub, edge, mailbox-delivery, mailbox-submission, "
        "mailbox, moderation; null where neither folder, file name nor port tells",
        repeats=True,
    ),
    Column(
        "log_version",
        "string",
        "`#Version` of the header block above the line, as four integers",
        repeats=True,
    ),
    Column(
        "log_build",
        "string",
        "Exact build of the writer, as four integers (15.1.2507.39), from the row's schema-version or the "
        "header; null where the header holds a constant (15.0.0.0, 14.0.0.0, 8.0.0.0)",
        repeats=True,
    ),
    Column(
        "source_id",
        "string",
        "Identity of the source file, stable when it is moved, renamed or gzipped",
        repeats=True,
    ),
    Column(
        "source_file",
        "string",
        "Path of the source when it was read; a zip member as archive.zip!member",
        repeats=True,
    ),
    Column("source_line", "int64", "Physical line number in the source, from 1"),
    Column(
        "extra",
        "map",
        "Cells of unknown columns, and values that do not fit their column's type, by field name",
    ),
    Column("parse_error", "string", "Why the line could not be read; null for a row", repeats=True),
    Column("raw_line", "string", "The whole line as it stood in the log; null for a row"),
)

REPLY = (
    Column(
        "reply", "string", "The SMTP reply that stands in this row, its own words; null where none stands"
    ),
    Column("reply_code", "int32", "Its three-digit code, 450", repeats=False),
    Column("enhanced_code", "string", "Its enhanced status code, 4.7.230", repeats=True),
    Column(
        "enforcement_action",
        "string",
        "throttle or block where the reply is one of transport-based enforcement, unknown where it has the "
        "code but not the words; else null",
        repeats=True,
    ),
    Column("enforcement_minutes", "int32", "Minutes per hour that the reply names"),
    Column(
        "reply_host",
        "string",
        "Host of Exchange Online in the reply's bracket or behind Hostname=",
        repeats=True,
    ),
    Column(
        "peer_time", "timestamp", "The other side's clock as it stands in the banner or the reply's bracket"
    ),
    Column(
        "peer_name",
        "string",
        "Name of the other side in this row: next hop, client, EHLO name or banner host",
    ),
    Column(
        "peer_domain",
        "string",
        "Registrable domain of peer_name (public suffix list); null for a bare name",
        repeats=True,
    ),
    Column(
        "destination_class",
        "string",
        "exchange-online, where peer_name is a host of Exchange Online (catalogue hosts.csv); else null",
        repeats=True,
    ),
)
