"""Twice the input takes about twice the time, and memory does not grow with it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from pipeline.logs import discover
from pipeline.logs.framing import Framer
from pipeline.logs.kinds import read_head
from pipeline.logs.units import Segment, Source, Unit
from tests.logs.lines import header, smtp_line
from tests.logs.reading import READER, pieces

from .attacks import ATTACKS, ingested, write

KIND = read_head(header() + smtp_line(1).encode(), whole=True).kind
MOST = 2.5
"""Times as long for twice the input; measured as processor time, the best of five."""
PEAK = 700
"""MB: the libraries take 200 of them."""


def _read(data: bytes, size: int = 1 << 20) -> tuple[int, int]:
    """Framing and reading as an ingest does them: lines accounted for, and lines there are."""
    read_head(data[: 64 << 10], whole=len(data) <= 64 << 10)
    framer = Framer()
    runs = [run for piece in pieces(data, range(0, len(data), size)) for run in framer.feed(piece)]
    runs += framer.finish(take_tail=True)
    units: dict[tuple[str, ...], Unit] = {}
    source = Source("s", "log.log", KIND.name, None, None, None)
    for run in runs:
        fields = run.header.fields or KIND.header.fields
        units.setdefault(fields, Unit(KIND.table, "contoso", fields)).add(Segment(source, run))
    counted = sum(run.header_lines for run in runs)
    for unit in units.values():
        for count in READER.read(unit).counts:
            counted += sum(count.rows.values()) + sum(count.quarantined.values()) + count.joined
    return counted, sum(run.header_lines + run.lines for run in runs)


def _processor_time(data: bytes, size: int = 1 << 20) -> float:
    begin = time.process_time()
    counted, lines = _read(data, size)
    assert counted == lines
    return time.process_time() - begin


@pytest.mark.parametrize("name", ATTACKS)
def test_twice_the_input_takes_about_twice_the_time(name: str) -> None:
    log, number, _ = ATTACKS[name]
    once, twice = b"".join(log(number)), b"".join(log(2 * number))
    _read(once)
    times_once, times_twice = [], []
    for _ in range(5):
        # What any reading takes, however small, is no part of the ratio.
        times_once.append(_processor_time(once) + 0.02)
        times_twice.append(_processor_time(twice) + 0.02)
        if min(times_twice) / min(times_once) <= MOST:
            return
    pytest.fail(f"twice the input takes {min(times_twice) / min(times_once):.1f} times as long")


@pytest.mark.parametrize("name", ["header blocks", "header blocks with rows", "field lists", "blank lines"])
def test_a_piece_four_times_as_large_takes_about_as_long(name: str) -> None:
    """What grows with the square of a piece is not seen in the number of pieces."""
    log, number, _ = ATTACKS[name]
    pattern = b"".join(log(2 * number))
    data = (pattern * (1 + (4 << 20) // len(pattern)))[: 4 << 20]
    in_ones, in_one = [], []
    for _ in range(5):
        in_ones.append(_processor_time(data) + 0.02)
        in_one.append(_processor_time(data, discover.CHUNK) + 0.02)
        if min(in_one) / min(in_ones) <= MOST:
            return
    pytest.fail(f"a piece of 4 MB takes {min(in_one) / min(in_ones):.1f} times as long as four of 1 MB")


@pytest.mark.skipif(sys.platform == "win32", reason="the peak of a process is not told by Python there")
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("one line", 100_000),
        ("one line without header", 100_000),
        ("commas", 10_000_000),
        ("header blocks", 200_000),
        ("header blocks with rows", 50_000),
        ("field lists", 50_000),
        ("quotes in a cell", 4_000_000),
        ("NULs", 20_000_000),
        ("NULs between half lines", 100_000),
        ("carriage returns", 20_000_000),
    ],
)
def test_memory_is_bounded(name: str, number: int, tmp_path: Path) -> None:
    path = tmp_path / "log.log"
    write(name, number, path)
    found = ingested(path, tmp_path / "store")
    assert found["failed"] == 0
    assert found["peak"] < PEAK, found


def test_a_log_of_very_many_field_lists_is_read_up_to_the_hundredth(tmp_path: Path) -> None:
    path = tmp_path / "log.log"
    write("field lists", 300, path)
    found = ingested(path, tmp_path / "store")
    assert (found["rows"], found["quarantined"], found["header"]) == (99, 201, 305)
