"""Derived columns that both log kinds share, as Polars steps on whole blocks.

Work that is the same for equal values is done once a distinct value; work that few rows need is done on
those rows alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl
from publicsuffixlist import PSLFILE, PublicSuffixList

from pipeline.logs.replies import reply_columns
from pipeline.logs.text import Text, spread

_BEHIND_REPLY = r";ClientSubmitTime:[^;]*$"
"""What source-context of a tracking SEND holds behind the reply."""
CONSTANT_VERSIONS = frozenset({"8.0.0.0", "14.0.0.0", "15.0.0.0"})
"""`#Version` of logs that do not carry their writer's build."""
GIVEN_BASES = ("option", "organisations.toml", "layout", "path")
"""Ways to find a server that hold for all rows of a file."""
REPLY_COLUMNS = (
    "reply",
    "reply_code",
    "enhanced_code",
    "enforcement_action",
    "enforcement_minutes",
    "reply_host",
    "peer_time",
)


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


_READING_SUFFIXES = Lock()


@lru_cache(maxsize=1)
def _read_suffixes() -> PublicSuffixList:
    return PublicSuffixList(_suffix_rules(), accept_encoded_idn=False)


def _suffixes() -> PublicSuffixList:
    """The public suffix list, read at first use; by one thread, while others wait for it."""
    with _READING_SUFFIXES:
        return _read_suffixes()


def _suffix_rules() -> Iterator[str]:
    """The list's rules, those beyond ASCII in punycode too: the library would encode each, in twice the time."""
    for line in Path(PSLFILE).read_text("utf-8").splitlines():
        rule = line.split(" ")[0]
        if rule and not rule.startswith("//"):
            yield rule
            if not rule.isascii():
                yield rule.lower().encode("idna").decode("ascii")


@lru_cache(maxsize=65_536)
def registrable_domain(host: str) -> str | None:
    """`contoso.co.uk` of `mx1.contoso.co.uk`, by the public suffix list; None for bare names and addresses."""
    name = host.strip("[]. ").lower()
    if "." not in name or name.replace(".", "").isdecimal() or ":" in name:
        return None
    if not all(
        label and len(label) < 64 and label.replace("-", "").replace("_", "").isalnum()
        for label in name.split(".")
    ):
        return None
    found: str | None = _suffixes().privatesuffix(name, accept_unknown=True)
    return found


class Frame:
    """The columns of one block while others are derived from them: repeating text, and Polars columns."""

    def __init__(self, texts: dict[str, Text], others: dict[str, pl.Series]) -> None:
        self.texts = texts
        self.others = others

    def add(self, **columns: Text | pl.Series) -> None:
        """Add or replace columns."""
        for name, column in columns.items():
            if isinstance(column, Text):
                self.texts[name] = column
            else:
                self.others[name] = column

    def rows(self, *names: str) -> pl.DataFrame:
        """Some columns as a frame, text spread over the rows."""
        return pl.DataFrame(
            {name: self.texts[name].rows() if name in self.texts else self.others[name] for name in names}
        )


def read_replies(text: pl.Series, hosts: Hosts) -> dict[str, pl.Series]:
    """REPLY_COLUMNS of reply texts, null where a text holds no reply.

    The words of a reply are kept only where it refuses (4xx, 5xx). An acceptance is read by its first
    characters; only refusals are searched for what enforcement says.
    """
    rows = text.alias("text").to_frame()
    accepts = rows.select(pl.col("text").str.starts_with("2").fill_null(False))["text"]
    codes = spread(
        rows.filter(accepts).select(
            reply_code=pl.col("text").str.slice(0, 3).cast(pl.Int32, strict=False),
            enhanced_code=pl.col("text").str.slice(4, 12).str.extract(r"^(2[.][0-9]{1,3}[.][0-9]{1,3})"),
        ),
        accepts.to_numpy(),
    )
    others = ~accepts & text.is_not_null()
    refusals = rows.filter(others).select(pl.col("text").str.replace(_BEHIND_REPLY, ""))
    parts = reply_columns(pl.col("text"))
    of_refusal = ("reply", "enforcement_action", "enforcement_minutes", "reply_host", "peer_time")
    read = spread(
        refusals.select(
            reply=pl.col("text"),
            peer_time=parts["reply_time"],
            **{name: parts[name] for name in REPLY_COLUMNS if name in parts},
        ).with_columns(pl.when(pl.col("reply_code") >= 400).then(pl.col(*of_refusal))),
        others.to_numpy(),
    )
    for name, column in codes.items():
        read[name] = column.zip_with(accepts, read[name])
    online = Text.of(read["reply_host"]).map(
        lambda host: host if hosts.class_of(host) == "exchange-online" else None
    )
    read["reply_host"] = online.rows()
    return read


def peer_columns(names: Text, hosts: Hosts) -> dict[str, Text]:
    """peer_name in lower case, peer_domain, destination_class."""
    return {
        "peer_name": names.map(str.lower),
        "peer_domain": names.map(registrable_domain),
        "destination_class": names.map(hosts.class_of),
    }


def endpoint_columns(endpoint: Text, prefix: str) -> dict[str, Text | pl.Series]:
    """`ip:port` split at the last colon; brackets and `%scope` taken off, as in `[fe80::1%3]:25`."""
    groups = pl.col("value").str.extract_groups(r"^\[?([^\]%]*?)(?:%[^\]:]*)?\]?:([0-9]{1,5})$")
    return {
        f"{prefix}_ip": endpoint.derive(groups.struct.field("1")),
        f"{prefix}_port": endpoint.numbers(groups.struct.field("2").cast(pl.Int32, strict=False), pl.Int32()),
    }


def short_host() -> pl.Expr:
    """First label of a host name in capitals; null where it is an address or no host name."""
    first = pl.col("value").str.extract(r"^([A-Za-z0-9][A-Za-z0-9_-]{0,62})(?:[.]|$)").str.to_uppercase()
    return pl.when(~pl.col("value").str.contains(r"^[0-9.]+$")).then(first)


def fill_server(frame: Frame, row_server: Text) -> None:
    """`server` and `server_basis`: as the folder or the user says; else by the row; else by its file's first rows.

    Coming in, they are what was found for the file; a basis of `rows` is its first rows.
    """
    assigned, basis = frame.texts["server"], frame.texts["server_basis"]
    by_rows = ~basis.is_in(GIVEN_BASES)
    if not by_rows.any():
        return
    named = row_server.where(by_rows)
    has_name, has_file = ~named.is_null(), by_rows & ~assigned.is_null()
    found = np.where(has_name, np.int32(0), np.where(has_file, np.int32(1), np.int32(-1)))
    frame.add(
        server=named.or_else(assigned),
        server_basis=Text(pl.Series(["rows", "file"]), found).or_else(basis.where(~by_rows)),
    )
