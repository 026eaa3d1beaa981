"""Damage that is worth a case of its own: what it does, and to how much."""

from __future__ import annotations

import hashlib
import re
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logs import rows
from pipeline.logs.framing import LONGEST_LINE, Framer
from pipeline.logs.kinds import read_head
from pipeline.logs.rows import Block, Layout, read_rows
from pipeline.logs.units import Segment, Source, Unit
from pipeline.store.store import TABLES

from .damage import damaged_log
from .lines import (
    BOM,
    NOW,
    SMTP,
    TRACKING_2010,
    TRACKING_2016,
    csv_line,
    header,
    receive_header,
    smtp_line,
    stamp,
    tracking_header,
    tracking_line,
)
from .reading import READER, Read, pieces, read_log


def smtp(*lines: str | bytes, end: str = "\r\n", before: bytes | None = None) -> bytes:
    """A Send log of the lines."""
    body = b"".join((text.encode() if isinstance(text, str) else text) + end.encode() for text in lines)
    return (header() if before is None else before) + body


def numbers(read: Read) -> list[int]:
    return [row["sequence_number"] for row in read.rows]


# Lines above 16 MB


def _long_log(length: int) -> tuple[bytes, bytes]:
    start = f"{stamp(1)},Outbound,08DE,1,,,>,".encode()
    line = start + b"x" * (length - len(start) - 1) + b","
    return smtp(smtp_line(0), line, smtp_line(2)), line


@pytest.mark.parametrize("step", [None, 1 << 20, 5_000_011], ids=["in one piece", "1 MB", "odd pieces"])
@pytest.mark.parametrize("over", [1, 5 << 20], ids=["just above", "21 MB"])
def test_a_line_above_16_mb_is_quarantined_by_its_first_mb_with_length_and_hash(
    over: int, step: int | None
) -> None:
    data, line = _long_log(LONGEST_LINE + over)
    read = read_log(data, cuts=range(0, len(data), step) if step else ())
    assert numbers(read) == [0, 2]
    assert [row["source_line"] for row in read.rows] == [6, 8]
    (bad,) = read.bad
    assert bad["source_line"] == 7
    assert bad["raw_line"].encode() == line[: 1 << 20]
    assert str(len(line)) in bad["parse_error"]
    assert hashlib.sha256(line).hexdigest() in bad["parse_error"]
    assert (read.header, read.lines, read.next_line, read.position) == (5, 8, 9, len(data))


def test_a_line_of_just_16_mb_is_a_row() -> None:
    data, line = _long_log(LONGEST_LINE - 2)
    for cuts in ((), range(0, len(data), 1 << 20)):
        read = read_log(data, cuts=cuts)
        assert numbers(read) == [0, 1, 2]
        assert read.rows[1]["data"] == line.decode().split(",")[7]


def test_the_header_above_an_endless_line_is_counted_while_the_line_is_pending() -> None:
    data, line = _long_log(LONGEST_LINE + 100)
    begin = data[: data.index(line) + len(line)]
    read = read_log(begin, cuts=range(0, len(begin), 1 << 20), take_tail=False)
    assert (read.header, len(read.rows), len(read.bad), read.pending) == (5, 1, 0, 1)
    only = header() + line
    read = read_log(only, cuts=range(0, len(only), 1 << 20), take_tail=False)
    assert (read.header, len(read.rows), len(read.bad), read.pending) == (5, 0, 0, 1)
    read = read_log(only, cuts=range(0, len(only), 1 << 20))
    assert (read.header, len(read.rows), len(read.bad), read.pending) == (5, 0, 1, 0)


def test_a_cell_of_a_few_hundred_kb_is_read_beside_damage_too() -> None:
    """A distribution group's recipients: more than Python's CSV reader takes by default."""
    recipients = ";".join(f"user{n}@contoso.com" for n in range(15_000))
    assert len(recipients) > 300_000
    good = tracking_line(1, recipient_address=recipients)
    for around in ([], [b"damage"]):
        data = tracking_header() + b"".join(
            line + b"\r\n" for line in [tracking_line(0).encode(), *around, good.encode(), *around]
        )
        read = read_log(data)
        assert [row["recipient_address"] for row in read.rows] == ["anna@contoso.com", recipients]
        assert read.raw() == ["damage"] * 2 * len(around)


def test_a_row_above_pyarrows_block_is_read() -> None:
    data = smtp(smtp_line(0), smtp_line(1, data="y" * 3_000_000), smtp_line(2))
    assert [len(row["data"]) for row in read_log(data).rows] == [4, 3_000_000, 4]


# The two ways of rows.py


def _both_ways(data: bytes, fields: tuple[str, ...], table: str) -> None:
    layout = Layout(fields, TABLES[table])
    fast = read_rows([Block.of(data)], layout, NOW)
    with mock.patch.object(rows, "_read_fast", return_value=None):
        careful = read_rows([Block.of(data)], layout, NOW)
    assert fast.table.to_pylist() == careful.table.to_pylist()
    assert fast.table.schema.equals(careful.table.schema)
    assert fast.line.tolist() == careful.line.tolist()
    assert [(bad.line, bad.reason, bad.text) for bad in fast.bad] == [
        (b.line, b.reason, b.text) for b in careful.bad
    ]
    assert (fast.joined, fast.not_utf8) == (careful.joined, careful.not_utf8)


@pytest.mark.parametrize("family", ["smtp", "tracking"])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_the_fast_and_the_careful_way_give_the_same(family: str, data: st.DataObject) -> None:
    log = data.draw(damaged_log(family, max_pieces=6))
    table = "smtp_protocol" if family == "smtp" else "message_tracking"
    framer = Framer()
    for run in [*framer.feed(log.data), *framer.finish(take_tail=True)]:
        if run.data:
            _both_ways(run.data, run.header.fields, table)


_CELL = st.one_of(
    st.sampled_from(
        [
            "",
            '"',
            '""',
            '"a"',
            '"a""b"',
            '"a"b',
            'a"b',
            '"a,b"',
            " 1",
            "0x1F",
            "-0",
            "1e2",
            "NULL",
            "2026-11-20T08:00:00Z",
            "2026-11-20T08Z",
            "2026-11-20T08:00:00.1234567Z",
            "2026-11-20T08:00:00+01",
            "\\",
            '\\"',
            "'",
            "é",
            "\t",
            "\r",
            "\x1f",
            "2026-11-20T08:00:00.5-00:30",
            "2005-01-01T00:00:00Z",
            "2100-01-01T00:00:00Z",
            "2262-04-12T00:00:00Z",
            "9" * 20,
        ]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_characters="\x00\n", exclude_categories=("Cs",)), max_size=5
    ),
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    cells=st.lists(st.lists(_CELL, min_size=8, max_size=8), min_size=1, max_size=3),
    end=st.sampled_from(["\n", "\r\n"]),
    time=st.sampled_from(
        ["2026-11-20T08:00:00.123Z", "2026-11-20T08:00Z", "2026-11-20T08:00:00", "2026-11-20T08:00:00.5+01"]
    ),
)
def test_unquoted_text_is_the_same_both_ways(cells: list[list[str]], end: str, time: str) -> None:
    """Cells written as they are, so that quotes stand anywhere."""
    data = "".join(",".join([time, *row]) + end for row in cells).encode()
    _both_ways(data, SMTP, "smtp_protocol")


def test_a_large_block_with_little_damage_is_read_as_one_without() -> None:
    """Above 64 KB the block is halved around the damage; lines keep their numbers."""
    lines = [smtp_line(n, data=f"RCPT TO:<user{n}@contoso.com>") for n in range(3_000)]
    clean = read_log(smtp(*lines))
    broken = [
        *lines[:700],
        "damage one",
        *lines[700:2_500],
        '2026-11-20T10:00:00.000Z,"open',
        *lines[2_500:],
        "the end",
    ]
    read = read_log(smtp(*broken), cuts=range(0, 600_000, 70_001))
    assert numbers(read) == numbers(clean) == list(range(3_000))
    assert [row["data"] for row in read.rows] == [row["data"] for row in clean.rows]
    assert [(row["source_line"], row["raw_line"]) for row in read.bad] == [
        (706, "damage one"),
        (2_507, '2026-11-20T10:00:00.000Z,"open'),
        (3_008, "the end"),
    ]


def test_invalid_utf_8_in_a_line_of_a_wrong_number_of_cells_does_no_harm() -> None:
    bad = stamp(1).encode() + b",\xe9,\xff"
    read = read_log(smtp(smtp_line(0), bad, smtp_line(2)))
    assert numbers(read) == [0, 2]
    assert read.raw() == [bad.decode("cp1252")]


# Headers


@pytest.mark.parametrize(
    "fields", [b"#Fields: dat", b"#Fields: x,y,z", b"#Fields: \xff\xfe,", b"#Fields: Timestamp,SessionId"]
)
def test_a_damaged_field_list_in_mid_file_loses_no_line(fields: bytes) -> None:
    block = b"\r\n".join([*header().split(b"\r\n")[:4], fields, b""])
    data = smtp(smtp_line(0)) + smtp(smtp_line(1), smtp_line(2), before=block) + smtp(smtp_line(3))
    read = read_log(data)
    assert numbers(read) == [0, 3]
    assert read.raw() == [smtp_line(1), smtp_line(2)]
    assert all("field" in row["parse_error"] or "cells" in row["parse_error"] for row in read.bad)
    assert read.header == 15


def test_an_empty_field_list_keeps_the_one_before() -> None:
    block = header().replace(b"#Fields: " + ",".join(SMTP).encode(), b"#Fields: ")
    read = read_log(smtp(smtp_line(0)) + smtp(smtp_line(1), before=block))
    assert numbers(read) == [0, 1]


@pytest.mark.parametrize(
    "first", ["2026-11-20T08:00:00.000Z,half", "damage", smtp_line(0)], ids=["half", "text", "whole"]
)
def test_a_header_without_field_list_loses_no_line(first: str) -> None:
    block = b"\r\n".join([*header().split(b"\r\n")[:4], b""])
    data = smtp(first, smtp_line(1), before=block)
    read = read_log(data)
    assert 1 in numbers(read)
    assert (read.header, read.lines) == (4, 6)


def test_a_header_of_a_wrong_order_and_case_maps_by_name() -> None:
    fields = [name.upper() for name in reversed(SMTP[1:])]
    cells = dict(zip(SMTP, smtp_line(7).split(","), strict=True))
    line = csv_line([cells["date-time"], *(cells[name.lower()] for name in fields)])
    read = read_log(smtp(line, before=header(["Date-Time", *fields])))
    assert numbers(read) == [7]
    assert read.rows[0]["connector_id"] == "Outbound to cloud"


def test_a_field_that_stands_twice_loses_no_cell() -> None:
    read = read_log(smtp(smtp_line(1) + ",second", before=header([*SMTP, "data"])))
    assert numbers(read) == [1]
    assert read.rows[0]["data"] == "NOOP"
    assert dict(read.rows[0]["extra"]) == {"data": "second"}


@pytest.mark.parametrize(
    "text", [b"", b"copied from EX01 on Tuesday", b"\x00\x00\x00half a line", b'he said "stop']
)
@pytest.mark.parametrize("mark", [b"", BOM])
def test_text_before_the_first_header(text: bytes, mark: bytes) -> None:
    data = mark + text + b"\r\n" + smtp(smtp_line(0), smtp_line(1))
    head = read_head(data, whole=True)
    assert (head.kind.name, head.kind.by_shape) == ("smtp-send", False)
    read = read_log(data)
    assert numbers(read) == [0, 1]
    assert read.raw() == ([text.strip(b"\x00").decode()] if text else [])
    assert read.lines == 8


@pytest.mark.parametrize("first", ["250 2.1.5 Recipient OK,", "half a line", f"{stamp(0)},half", '"'])
def test_an_excerpt_that_begins_in_mid_line(first: str) -> None:
    for lines, kind in (
        ([smtp_line(0), smtp_line(1)], "smtp-send"),
        ([tracking_line(0), tracking_line(1)], "message-tracking"),
    ):
        data = smtp(first, *lines, before=b"")
        head = read_head(data, whole=True)
        assert (head.kind.name, head.kind.by_shape) == (kind, True)
        read = read_log(data)
        assert len(read.rows) == 2
        assert read.raw() == [first]


def test_a_joined_file_of_several_versions() -> None:
    data = tracking_header(TRACKING_2010, "14.0.0.0") + smtp(tracking_line(0, TRACKING_2010), before=b"")
    data += (
        BOM
        + tracking_header(TRACKING_2016, "15.02.1748.010", end="\n")
        + smtp(tracking_line(1), before=b"", end="\n")
    )
    read = read_log(data)
    assert [(row["log_version"], row["message_id"], row["log_build"]) for row in read.rows] == [
        ("14.0.0.0", "<0@contoso.com>", None),
        ("15.2.1748.10", "<1@contoso.com>", "15.2.1748.10"),
    ]


def test_receive_and_send_joined_in_one_file_keep_their_kinds() -> None:
    data = smtp(smtp_line(0, connector="EX01\\Default Frontend EX01"), before=receive_header()) + smtp(
        smtp_line(1)
    )
    read = read_log(data)
    assert [row["log_kind"] for row in read.rows] == ["smtp-receive", "smtp-send"]


# What one line may do to another


def test_an_open_quote_at_the_end_of_a_log_takes_nothing_of_the_next_log() -> None:
    """Many small logs are read together."""
    unit = Unit("smtp_protocol", "contoso", SMTP)
    sources = [Source(name, name, "smtp-send", None, None, None) for name in ("a", "b")]
    for source, data in zip(
        sources, (smtp(smtp_line(0), f'{stamp(1)},"open'), smtp("text of b", smtp_line(2))), strict=True
    ):
        framer = Framer()
        for run in [*framer.feed(data), *framer.finish(take_tail=True)]:
            unit.add(Segment(source, run))
    result = READER.read(unit)
    found = [
        (row["source_id"], row["source_line"], row["raw_line"] or row["sequence_number"])
        for table in result.tables.values()
        for row in table.to_pylist()
    ]
    assert sorted(found, key=str) == [
        ("a", 6, 0),
        ("a", 7, f'{stamp(1)},"open'),
        ("b", 6, "text of b"),
        ("b", 7, 2),
    ]
    for name in ("a", "b"):
        counts = [
            count
            for count, segment in zip(result.counts, unit.segments, strict=True)
            if segment.source.source_id == name
        ]
        assert sum(sum(count.rows.values()) for count in counts) == 1
        assert sum(sum(count.quarantined.values()) for count in counts) == 1
        assert sum(count.joined for count in counts) == 0


def test_an_open_quote_takes_nothing_across_a_header() -> None:
    data = smtp(smtp_line(0), f'{stamp(1)},"open') + smtp("text below a header", smtp_line(2))
    read = read_log(data)
    assert numbers(read) == [0, 2]
    assert read.raw() == [f'{stamp(1)},"open', "text below a header"]
    assert read.joined == 0


def test_a_blank_line_and_a_hash_inside_a_quoted_cell_are_text() -> None:
    for text in (
        "one\r\n\r\ntwo",
        "one\n#two\nthree",
        "one\nDate: today\nthree",
        "one\n\n\n",
        "a\ndate-time,b\n",
    ):
        read = read_log(smtp(smtp_line(0), smtp_line(1, data=text), smtp_line(2)))
        assert [row["data"] for row in read.rows] == ["NOOP", text, "NOOP"], text
        assert (read.header, read.bad) == (5, [])


def test_a_blank_line_below_an_open_quote_is_a_blank_line() -> None:
    read = read_log(smtp(smtp_line(0), f'{stamp(1)},"open', "", smtp_line(2)))
    assert (numbers(read), read.raw(), read.header) == ([0, 2], [f'{stamp(1)},"open'], 6)


def test_good_rows_either_side_of_a_nul_run_are_both_read() -> None:
    for gap in (b"\x00" * 5, b"\x00" * 5_000, b"\r\n" + b"\x00" * 5, b"\x00\r\n\x00"):
        data = smtp(smtp_line(0).encode() + gap + smtp_line(1).encode(), smtp_line(2))
        for cuts in ((), range(0, len(data), 700)):
            read = read_log(data, cuts=cuts)
            assert numbers(read) == [0, 1, 2], gap
            assert not read.bad


def test_a_nul_tail_is_pending_in_a_live_log_and_padding_in_a_settled_one() -> None:
    data = smtp(smtp_line(0)) + b"\x00" * 4_096
    live, settled = read_log(data, take_tail=False), read_log(data)
    assert (numbers(live), live.pending, live.header, live.bad) == ([0], 1, 5, [])
    assert (numbers(settled), settled.pending, settled.header, settled.bad) == ([0], 0, 6, [])


def test_nuls_inside_a_cell_lose_no_other_row() -> None:
    data = smtp(smtp_line(0), smtp_line(1).replace("NOOP", "NO\x00OP"), smtp_line(2))
    read = read_log(data)
    assert {0, 2} <= set(numbers(read))
    assert len(read.rows) + len(read.bad) == 3


def test_the_reason_says_what_is_wrong() -> None:
    lines = {
        "x": "timestamp",
        f"{stamp(0)},a": "2 cells",
        f"{stamp(0)},{',' * 9}": "11 cells",
        "2026-99-20T08:00:00.000Z,,,,,,,,": "time",
        "1999-01-01T00:00:00.000Z,,,,,,,,": "2006",
        f'{stamp(0)},"a"b,,,,,,,': "quote",
        f"{stamp(0)},a\rb,,,,,,,": "carriage return",
    }
    read = read_log(smtp(*lines))
    for (line, word), bad in zip(lines.items(), read.bad, strict=True):
        assert word in bad["parse_error"], (line, bad["parse_error"])
        assert bad["raw_line"] == line


def test_the_month_of_a_quarantined_line() -> None:
    """That of the good row before it, else of #Date, else of the file name, else 1970-01."""
    march = smtp_line(0).replace(stamp(0), "2026-03-31T23:59:59.999Z")
    data = smtp("first", march, "second", smtp_line(1), "third")
    assert [row["month"] for row in read_log(data).bad] == ["2026-11", "2026-03", "2026-11"]
    undated = b"".join(line for line in header().splitlines(keepends=True) if b"#Date" not in line)
    data = smtp("first", smtp_line(1), before=undated)
    assert [row["month"] for row in read_log(data, name="D:\\x\\SEND2026021109-1.LOG").bad] == ["2026-02"]
    assert [row["month"] for row in read_log(data, name="send.log").bad] == ["1970-01"]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    data=st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from(
                [
                    b"\n",
                    b"\r\n",
                    b"\r",
                    b"\x00\x00",
                    BOM,
                    b'"',
                    b",",
                    b"#Fields: date-time,data\n",
                    b"#",
                    header(),
                    b"2026-11-20T08:00:00Z",
                    smtp_line(1).encode() + b"\r\n",
                    b"\xff",
                    b"#Fields: date-time,connector-id,session-id",
                    b"date-time,",
                ]
            ),
        ),
        max_size=20,
    ).map(b"".join),
    cuts=st.lists(st.integers(0, 3_000), max_size=5),
    take_tail=st.booleans(),
)
def test_nothing_at_all_is_lost_of_any_bytes(data: bytes, cuts: list[int], take_tail: bool) -> None:
    """Whatever stands behind a header: every line is counted once, and cutting does not matter."""
    log = header() + data
    kind = read_head(header(), whole=True).kind
    whole = read_log(log, take_tail=take_tail, kind=kind)
    cut = read_log(log, cuts=cuts, take_tail=take_tail, kind=kind)
    assert cut.cells() == whole.cells()
    assert (cut.header, cut.pending, cut.position, cut.joined) == (
        whole.header,
        whole.pending,
        whole.position,
        whole.joined,
    )
    taken = log[: whole.position]
    framed = len(re.findall(rb"\n", taken)) + (not taken.endswith(b"\n"))
    broken = len(
        re.findall(rb"(?<=[^\n\x00])\x00+(?=#(?:Software|Version|Log-|Date|Fields)|\d{4}-\d\d-\d\dT)", taken)
    )
    assert whole.physical == framed + broken
    assert whole.next_line == framed + 1
    if take_tail:
        assert whole.position == len(log)
    assert b"".join(pieces(log, cuts)) == log
