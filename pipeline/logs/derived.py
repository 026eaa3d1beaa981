"""Derived columns that both log kinds share, as Polars steps on whole blocks.

Work that is the same for equal values is done once a distinct value; work that few rows need is done on
those rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl
from publicsuffixlist import PublicSuffixList

from pipeline.logs.replies import may_hold_enforcement, reply_columns

CONSTANT_VERSIONS = frozenset({"8.0.0.0", "14.0.0.0", "15.0.0.0"})
"""`#Version` of logs that do not carry their writer's build."""
REPLY_COLUMNS = ("reply", "reply_code", "enhanced_code", "enforcement_action", "enforcement_minutes", "reply_host", "peer_time")


@dataclass(frozen=True, slots=True)
class Hosts:
    """Host name suffixes of Exchange Online and its neighbours -> destination class; the longest wins."""

    classes: dict[str, str] = field(default_factory=dict)

    def class_of(self, host: str) -> str | None:
        """`exchange-online` for a host of the service, another class for its neighbours, else None."""
        labels = host.lower().rstrip(".").split(".")
        for i in range(len(labels) - 1):
            found = self.classes.get(".".join(labels[i:]))
            if found:
                return found
        return None


def normal_build(text: str) -> str | None:
    """`15.01.2507.039` as `15.1.2507.39`; None if it is not four numbers."""
    parts = text.strip().split(".")
    if len(parts) != 4 or not all(part.isdecimal() and part.isascii() and len(part) < 9 for part in parts):
        return None
    return ".".join(str(int(part)) for part in parts)


def real_build(text: str) -> str | None:
    """The build that a version states; None for a constant."""
    build = normal_build(text)
    return None if build in CONSTANT_VERSIONS else build


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=65_536)
def registrable_domain(host: str) -> str | None:
    """`contoso.co.uk` of `mx1.contoso.co.uk`, by the public suffix list; None for bare names and addresses."""
    name = host.strip("[]. ").lower()
    if "." not in name or name.replace(".", "").isdecimal() or ":" in name:
        return None
    if not all(label and len(label) < 64 and label.replace("-", "").replace("_", "").isalnum() for label in name.split(".")):
        return None
    found: str | None = _suffixes().privatesuffix(name, accept_unknown=True)
    return found


def by_value(values: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """`function` of each value, called once a distinct value."""
    distinct = values.unique().drop_nulls()
    results = pl.Series([function(value) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, results, default=None, return_dtype=pl.String)


def on_rows(frame: pl.DataFrame, mask: pl.Expr, columns: dict[str, pl.Expr], types: dict[str, pl.DataType]) -> list[pl.Series]:
    """Columns computed on the rows of `mask` alone and null elsewhere."""
    index = frame.select(mask.arg_true().alias("i"))["i"]
    roots = sorted({name for expression in columns.values() for name in expression.meta.root_names()})
    part = frame.select(roots)[index].select(**columns).cast({name: types[name] for name in columns})
    if len(index) == frame.height:
        return part.get_columns()
    if not len(index):
        return [nulls(name, types[name], frame.height) for name in columns]
    at = nulls("at", pl.UInt32(), frame.height).scatter(index, pl.arange(len(index), dtype=pl.UInt32, eager=True))
    return [part[name].gather(at) for name in columns]


def nulls(name: str, dtype: pl.DataType, length: int) -> pl.Series:
    """A column of nulls."""
    return pl.Series(name, [], dtype=dtype).extend_constant(None, length)


def reply_series(frame: pl.DataFrame, text: pl.Expr, stands: pl.Expr, types: dict[str, pl.DataType]) -> list[pl.Series]:
    """REPLY_COLUMNS from the reply texts of the rows where a reply stands.

    The words of a reply are kept only where it refuses (4xx, 5xx); code and enhanced code always. The
    enforcement columns are looked for only where the text holds `.7.230`.
    """
    parts = reply_columns(pl.col("text"))
    found = frame.select(text=pl.when(stands).then(text))
    codes = on_rows(
        found, pl.col("text").is_not_null(),
        {"reply_code": parts["reply_code"], "enhanced_code": parts["enhanced_code"]}, types,
    )
    found = found.with_columns(codes)
    refuses = pl.col("reply_code") >= 400
    rest = on_rows(
        found, refuses & pl.col("text").is_not_null(),
        {"reply": pl.col("text"), "reply_host": parts["reply_host"], "peer_time": parts["reply_time"]}, types,
    )
    enforced = on_rows(
        found, refuses & may_hold_enforcement(pl.col("text")),
        {"enforcement_action": parts["enforcement_action"], "enforcement_minutes": parts["enforcement_minutes"]}, types,
    )
    by_name = {series.name: series for series in [*codes, *rest, *enforced]}
    return [by_name[name] for name in REPLY_COLUMNS]


def peer_series(names: pl.Series, hosts: Hosts) -> list[pl.Series]:
    """peer_name in lower case, peer_domain, destination_class."""
    lower = names.str.to_lowercase().alias("peer_name")
    return [
        lower,
        by_value(lower, registrable_domain).alias("peer_domain"),
        by_value(lower, hosts.class_of).alias("destination_class"),
    ]


def endpoint_columns(endpoint: str, prefix: str) -> dict[str, pl.Expr]:
    """`ip:port` split at the last colon; brackets and `%scope` taken off, as in `[fe80::1%3]:25`."""
    pattern = r"^\[?([^\]%]*?)(?:%[^\]:]*)?\]?:([0-9]{1,5})$"
    groups = pl.col(endpoint).str.extract_groups(pattern)
    return {
        f"{prefix}_ip": groups.struct.field("1"),
        f"{prefix}_port": groups.struct.field("2").cast(pl.Int32, strict=False),
    }


def short_host(name: str) -> pl.Expr:
    """First label of a host column in capitals; null where it holds an address or no host name."""
    first = pl.col(name).str.extract(r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})(?:[.]|$)").str.to_uppercase()
    return pl.when(pl.col(name).str.contains(r"^[0-9.]+$")).then(None).otherwise(first)


def fill_server(frame: pl.DataFrame, row_server: pl.Expr) -> pl.DataFrame:
    """`server` and `server_basis`: as assigned to the file, else by the row, else by all other rows of the file."""
    frame = frame.with_columns(_row=row_server)
    only = (
        pl.when(pl.col("_row").drop_nulls().n_unique().over("source_id") == 1)
        .then(pl.col("_row").max().over("source_id"))
    )
    assigned = pl.col("server")
    return frame.with_columns(_file=only).with_columns(
        server=pl.coalesce(assigned, "_row", "_file"),
        server_basis=pl.when(assigned.is_not_null()).then(pl.col("server_basis"))
        .when(pl.col("_row").is_not_null()).then(pl.lit("rows"))
        .when(pl.col("_file").is_not_null()).then(pl.lit("file")),
    ).drop("_row", "_file")


def missing(frame: pl.DataFrame, columns: Sequence[str], types: dict[str, pl.DataType]) -> pl.DataFrame:
    """With every column of `columns`; those that the log's generation does not have are null."""
    absent = [pl.lit(None, dtype=types[name]).alias(name) for name in columns if name not in frame.columns]
    return frame.with_columns(absent) if absent else frame
