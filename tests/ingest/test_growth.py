"""A log read while it grows gives what it gives when it is read at once, wherever the readings fell."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs.damage import damaged_log
from logs.reading import read_log

from .place import Place, content

NAME = "contoso/EX01/TransportRoles/Logs/Hub/ProtocolLog/SmtpSend/SEND2026112008-1.LOG"
ELSEWHERE = ("organisation", "server", "log_service", "month", "log_kind")
"""Columns that the path gives, or that are not the log's own."""


@pytest.mark.parametrize("family", ["smtp", "tracking"])
@settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_reading_a_growing_log(family: str, data: st.DataObject) -> None:
    log = data.draw(damaged_log(family, max_pieces=7))
    ends = data.draw(st.lists(st.integers(0, len(log.data)), min_size=1, max_size=3).map(sorted))
    table = "smtp_protocol" if family == "smtp" else "message_tracking"
    whole = read_log(log.data, take_tail=False)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for end in (*ends, len(log.data)):
            place.write(NAME, log.data[:end])
            place.ingest()
        stored = place.lines(table)
        ranges = place.ranges(table)
    rows: list[dict[str, Any]] = [*whole.rows, *whole.bad]
    assert content(stored, without=ELSEWHERE) == content(rows, without=ELSEWHERE)
    assert sum(entry.header for entry in ranges) == whole.header
    assert sum(entry.joined for entry in ranges) == whole.joined
    assert max((entry.position_to for entry in ranges), default=0) == whole.position
