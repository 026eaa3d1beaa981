"""What must hold for any bytes at all, computed without the reader's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.logs.framing import Framer, Header, Run
from tests.logs.lines import BOM

_GLUE = re.compile(rb"(?<=[^\n\x00])\x00+(?=#(?:Software|Version|Log-|Date|Fields)|\d{4}-\d\d-\d\dT)")
_HEADER_LIKE = re.compile(
    rb"#|date-time,|[Dd]ateTime,|Timestamp,|(?:Software|Version|Log-[Tt]ype|Date|Fields): |[ \t\r\n]*\Z"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as framing gave it: its number, the header that rules it, its bytes without padding."""

    number: int
    header: Header
    data: bytes


@dataclass(frozen=True, slots=True)
class Framed:
    """A log as framing gave it."""

    lines: tuple[Line, ...]
    header_lines: int
    pending: int
    position: int
    next_line: int


def pieces_of(data: bytes) -> list[tuple[int, bytes]]:
    """(line number, bytes) of each physical line; one that NULs glued together counts as many."""
    pieces: list[tuple[int, bytes]] = []
    lines = data.split(b"\n")
    for number, line in enumerate(lines, 1):
        whole = line + b"\n" if number < len(lines) else line
        at = 0
        for match in _GLUE.finditer(whole):
            pieces.append((number, whole[at : match.end()]))
            at = match.end()
        if whole[at:]:
            pieces.append((number, whole[at:]))
    return pieces


def bare(piece: bytes) -> bytes:
    """Without what framing takes off: NULs, BOMs, the line end."""
    return piece.replace(BOM, b"").replace(b"\x00", b"").removesuffix(b"\n")


def framed(
    framer: Framer, data: bytes, cuts: Sequence[int], *, take_tail: bool, knows_end: bool = True
) -> tuple[Framed, list[Run]]:
    """Feed the bytes in pieces; `knows_end` says that the last one is known as such, as in an ingest."""
    runs: list[Run] = []
    at = 0
    for cut in (*sorted(cuts), len(data)):
        if cut <= at:
            continue
        if cut == len(data) and knows_end:
            runs.extend(framer.end(data[at:cut], take_tail=take_tail))
        else:
            runs.extend(framer.feed(data[at:cut]))
        at = cut
    if not (data and knows_end):
        runs.extend(framer.finish(take_tail=take_tail))
    return (
        Framed(
            tuple(_lines(runs)),
            sum(run.header_lines for run in runs),
            framer.pending_lines,
            framer.position,
            framer.line,
        ),
        runs,
    )


def _lines(runs: Sequence[Run]) -> Iterator[Line]:
    for run in runs:
        pieces = run.data.split(b"\n")[: run.lines] if run.data else []
        assert len(pieces) == run.lines or run.long_line, "a run has as many lines as it says"
        for offset, piece in enumerate(pieces):
            yield Line(run.first_line + offset, run.header, bare(piece))


def check_framing(data: bytes, runs: Sequence[Run], framer: Framer, *, take_tail: bool) -> None:
    """Each line of the input is in a run under its number, is header-like, or is pending; nothing else is."""
    pieces = pieces_of(data)
    at = 0
    for run in runs:
        for _, piece in pieces[at : at + run.header_lines]:
            assert _HEADER_LIKE.match(bare(piece) + b"\n"), f"no header line: {piece[:80]!r}"
        at += run.header_lines
        of_run = pieces[at : at + run.lines]
        at += run.lines
        if run.lines:
            assert of_run and of_run[0][0] == run.first_line, "the first line has its number"
            expected = [bare(piece) for _, piece in of_run]
            assert [bare(line) for line in run.data.split(b"\n")[:-1]] == expected, (
                "lines are kept as they were"
            )
        assert run.end == sum(len(piece) for _, piece in pieces[:at]), "a run ends where its bytes end"
    left = pieces[at:]
    assert framer.position + sum(len(piece) for _, piece in left) == len(data), "every byte is accounted for"
    assert bool(left) == bool(framer.pending_lines), "what is left is pending"
    assert not (take_tail and left), "all of a settled log is read"
