"""Where lines and quotes are: the same for small, usual and very large pieces, in several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.logs.framing import line_starts, positions

MEGABYTE = 1 << 20


def _starts_by_hand(data: bytes) -> list[int]:
    starts, at = [], 0
    for line in data.splitlines(keepends=True):
        starts.append(at)
        at += len(line)
    return starts


@pytest.mark.parametrize("size", [0, 1, 64 << 10, (64 << 10) + 1, 8 * MEGABYTE, 8 * MEGABYTE + 1])
@pytest.mark.parametrize("ends", [True, False])
def test_lines_begin_where_the_line_before_ends(size: int, ends: bool) -> None:
    data = (b"a" * 9_999 + b"\n") * (size // 10_000) + b"b" * (size % 10_000)
    data = data[:-1] + (b"\n" if ends else b"c") if data else data
    assert line_starts(data).tolist() == _starts_by_hand(data)


def test_what_was_found_stays_when_more_is_looked_for() -> None:
    first = positions(np.frombuffer(b"x\nx\nx", np.uint8), 10)
    positions(np.frombuffer(b"\n\n\n\n\n", np.uint8), 10)
    assert first.tolist() == [1, 3]


def test_threads_do_not_see_each_other() -> None:
    def found(number: int) -> bool:
        data = bytes([number]) * number + b"\xff" + bytes([number]) * MEGABYTE
        octets = np.frombuffer(data, np.uint8)
        return all(positions(octets, 255).tolist() == [number] for _ in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(found, range(1, 9)))
