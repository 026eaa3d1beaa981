"""An entry of a part's metadata, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.store.ranges import Range

_ENTRY = Range(
    source_id="s" * 32,
    content_id="c" * 32,
    organisation="contoso",
    organisation_name="Contoso GmbH & Söhne",
    path="D:\\logs\\RECV.LOG",
    kind="smtp-receive",
    server="EX01",
    log_service="hub",
    assignment="organisation contoso by path",
    log_version="15.0.0.0",
    position_from=0,
    position_to=900,
    header_position=0,
    first_line=1,
    next_line=10,
    lines=9,
    header=5,
    rows=4,
    quarantined=0,
    joined=0,
    first_time="2026-11-20T08:00:00+00:00",
    last_time="2026-11-20T08:00:01+00:00",
    size=900,
    mtime_ns=1_795_604_400_000_000_000,
    tail_sha256="0" * 64,
    open_end=False,
    to_end=True,
    read_at="2026-11-25T12:00:00+00:00",
    warning=None,
)


def entry(**changes: Any) -> Range:
    """The entry with some values changed."""
    return replace(_ENTRY, **changes)
