"""No line of a damaged log is lost, doubled, merged or altered, however its bytes come in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.logs.columns import Column
from pipeline.store.store import TABLES

from .damage import Log, damaged_log, expected_number
from .reading import Read, read_log

SETTINGS = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FAMILIES = ("smtp", "tracking")


def _columns(row: dict[str, Any]) -> dict[str, Column]:
    table = "smtp_protocol" if "sequence_number" in row else "message_tracking"
    return {column.field: column for column in TABLES[table] if column.field}


def _assert_row(row: dict[str, Any], line: int, moment: Any, cells: dict[str, str]) -> None:
    assert row["source_line"] == line
    assert row["date_time"] == moment
    known, extra = _columns(row), {}
    for name, text in cells.items():
        column = known.get(name)
        if column is None:
            extra |= {name: text} if text else {}
        elif column.type == "string":
            assert row[column.name] == (text or None), name
        else:
            number = expected_number(text, 32 if column.type == "int32" else 64)
            assert row[column.name] == number, (name, text)
            extra |= {name: text} if text and number is None else {}
    for name, column in known.items():
        if name not in cells and name != "date-time":
            assert row[column.name] is None
    assert dict(row["extra"] or {}) == extra, row["extra"]


def _assert_result(read: Read, log: Log, *, with_tail: bool) -> None:
    rows = [*log.rows, *(log.tail.rows if with_tail else [])]
    bad = [*log.bad, *(log.tail.bad if with_tail else [])]
    assert [row["source_line"] for row in read.rows] == [line for line, _, _ in rows]
    for row, (line, moment, cells) in zip(read.rows, rows, strict=True):
        _assert_row(row, line, moment, cells)
    assert [(row["source_line"], row["raw_line"]) for row in read.bad] == bad
    assert all(row["parse_error"] for row in read.bad)
    assert read.header == log.header + (log.tail.header if with_tail else 0)
    assert read.pending == (0 if with_tail else log.pending)
    assert read.lines == read.header + len(rows) + len(bad) + read.pending


@pytest.mark.parametrize("family", FAMILIES)
@SETTINGS
@given(data=st.data())
def test_every_line_is_read_or_quarantined_once(family: str, data: st.DataObject) -> None:
    log = data.draw(damaged_log(family))
    _assert_result(read_log(log.data), log, with_tail=True)


@pytest.mark.parametrize("family", FAMILIES)
@SETTINGS
@given(data=st.data())
def test_the_last_line_of_a_live_log_stays_pending(family: str, data: st.DataObject) -> None:
    log = data.draw(damaged_log(family, max_pieces=5))
    read = read_log(log.data, take_tail=False)
    _assert_result(read, log, with_tail=False)
    assert read.position == len(log.data) - len(log.tail.data)


@pytest.mark.parametrize("family", FAMILIES)
@SETTINGS
@given(data=st.data())
def test_the_way_the_bytes_are_cut_does_not_matter(family: str, data: st.DataObject) -> None:
    log = data.draw(damaged_log(family))
    whole = read_log(log.data)
    length = len(log.data)
    cuts = data.draw(
        st.one_of(
            st.lists(st.integers(1, length), max_size=6),
            st.integers(1, 40).map(lambda size: list(range(0, length, size))),
        )
    )
    pieces = read_log(log.data, cuts=cuts)
    assert pieces.cells() == whole.cells()
    assert (pieces.header, pieces.pending, pieces.position) == (whole.header, whole.pending, whole.position)
    assert (pieces.next_line, pieces.physical) == (whole.next_line, whole.physical)
