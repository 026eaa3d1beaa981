"""What a Parquet part says of the logs it was made from.

Each part carries, in its key-value metadata, one entry for each range of a source that has rows in it. What
has been ingested is read back from these entries alone, so that it can never disagree with the data.

Counts of lines and header lines stand only in the part that holds the range's first line, so that sums over
all parts are right; rows and quarantined lines are those of the part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipeline.errors import UsageError

METADATA_KEY = "tbes"
FORMAT = 2
_FORMAT_WITHOUT_PURGED = 1
"""Version of the entry's shape; a store of a newer one is refused."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of a source that was read. Positions are bytes of the uncompressed log.

    `source_id` identifies the source in its organisation, `content_id` without it. `size` and `mtime_ns` are
    those of the file on disk (of the member, in an archive). `tail_sha256` is of the last 4 KB taken.
    `lines` are physical lines, `next_line` is the number of the line after the range; times are ISO 8601,
    UTC. `open_end` marks a last line taken without line end; `to_end` that the reading came to the end of the
    file: a range committed in the midst of one has more behind it. `purged` counts rows and quarantined lines that
    were removed for good since.
    """

    source_id: str
    content_id: str
    organisation: str
    organisation_name: str
    path: str
    kind: str
    server: str | None
    log_service: str | None
    assignment: str
    log_version: str
    position_from: int
    position_to: int
    header_position: int
    first_line: int
    next_line: int
    lines: int
    header: int
    rows: int
    quarantined: int
    joined: int
    first_time: str | None
    last_time: str | None
    size: int
    mtime_ns: int
    tail_sha256: str
    open_end: bool
    to_end: bool
    read_at: str
    warning: str | None
    purged: int = 0


NAMES = tuple(field.name for field in fields(Range))


def dump(ranges: Iterable[Range]) -> str:
    """The metadata value of a part. Entries of which nothing was purged are written as every version reads them."""
    entries = [list(asdict(entry).values()) for entry in ranges]
    purged = any(entry[-1] for entry in entries)
    names = NAMES if purged else NAMES[:-1]
    return json.dumps(
        {
            "format": FORMAT if purged else _FORMAT_WITHOUT_PURGED,
            "names": names,
            "sources": [entry[: len(names)] for entry in entries],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def load(text: str) -> list[Range]:
    """The entries of a part. Raises UsageError if they are of a newer format."""
    value: dict[str, Any] = json.loads(text)
    if value["format"] > FORMAT:
        raise UsageError(
            f"The store was written by a newer tbes (source entries of format {value['format']}, this one knows {FORMAT}): "
            "update tbes, for example with: pip install --upgrade tbes"
        )
    names = tuple(value["names"])
    if names == NAMES[: len(names)]:
        return [Range(*row) for row in value["sources"]]
    return [Range(**dict(zip(names, row, strict=True))) for row in value["sources"]]
