"""Logs with damage between good rows, and what must be read of them: Hypothesis strategies.

A log is a list of pieces. Each piece knows its bytes, how many header lines, which rows and which quarantined
lines come of it, so that the whole log's result is known without a second parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from .lines import (
    BOM,
    NUMBERS,
    SMTP,
    TRACKING_2007,
    TRACKING_2010,
    TRACKING_2013,
    TRACKING_2016,
    csv_line,
    header,
    stamp,
)

UNKNOWN = ("x-later-field", "Another Field")


@dataclass
class Piece:
    """`rows` are (lines from the piece's first one, time, cells by field); `bad` are (line, text)."""

    data: bytes
    header: int = 0
    rows: list[tuple[int, datetime, dict[str, str]]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Log:
    """A whole log and its result: rows as (line, time, cells), quarantined as (line, text)."""

    data: bytes
    header: int
    rows: list[tuple[int, datetime, dict[str, str]]]
    bad: list[tuple[int, str]]
    pending: int
    """Records that a live log keeps pending; `tail` is the result of the last line once it is taken."""
    tail: Piece


_LETTERS = st.characters(
    codec="utf-8",
    exclude_characters="\x00\r\n",
    exclude_categories=("Cs",),
)
_TEXT = st.one_of(
    st.sampled_from(
        [
            "",
            "NOOP",
            "250 2.1.5 Recipient OK",
            "450 4.7.230 Connecting Exchange server version is out-of-date",
            'R="2 NO";Msg="x, y"',
            " leading and trailing ",
            "a,b",
            '"',
            '""',
            ',"',
            '",',
            "#Fields: no header",
            "2026-11-20T10:00:00.000Z",
            "NULL",
            "NA",
            "nan",
            "null",
            "'[{LED=554 5.2.2 full; x};{MSG=}]'",
            "организация",
            "组织内 SMTP",
            "a\u2028b\x85c\x0bd\x0ce\x1cf",
            "\ufeffbom",
            "\t",
            "true",
            "1",
        ]
    ),
    st.text(_LETTERS, max_size=12),
)
_NUMBER = st.one_of(
    st.integers(0, 2**31 - 1).map(str),
    st.sampled_from(
        [
            "",
            "0",
            "007",
            "-5",
            " 5",
            "5 ",
            "2147483648",
            "9223372036854775807",
            "9223372036854775808",
            "9" * 25,
            "0xFF",
            "0x1f",
            "0xFFFFFFFF",
            "0x" + "F" * 17,
            "0" * 30 + "7",
            "+5",
            "1e3",
            "1_000",
            "1.0",
            "1,5",
            "x",
            "\u0661",
            "-",
            "-0",
        ]
    ),
)
ENDS = st.sampled_from(["\r\n", "\r\n", "\n", "\r\r\n"])


def expected_number(text: str, bits: int) -> int | None:
    """Decimal or hexadecimal digits, blanks around; None where the number does not fit."""
    if found := re.fullmatch(r"0[xX]([0-9a-fA-F]+)", text):
        signed = int.from_bytes(int(found[1], 16).to_bytes(16, "big")[-bits // 8 :], "big", signed=True)
        return signed if len(found[1]) <= bits // 4 else None
    if not re.fullmatch(r"[ \t]*-?[0-9]+[ \t]*", text):
        return None
    value = int(text)
    return value if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None


def _time(number: int) -> st.SearchStrategy[tuple[str, datetime]]:
    text = stamp(number)
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0)
    return st.sampled_from(
        [
            *[(text, moment)] * 8,
            (f"{text[:-1]}4567Z", moment + timedelta(microseconds=456)),
            (f"{whole:%Y-%m-%dT%H:%M:%S}Z", whole),
            (f"{whole + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}+01:00", whole),
            (f"{whole:%Y-%m-%dT%H:%M:%S}", whole),
            (f"{whole:%Y-%m-%dT%H:%M}Z", whole.replace(second=0)),
            (f"{whole:%Y-%m-%dT%H}Z", whole.replace(minute=0, second=0)),
            (f"{whole - timedelta(hours=3):%Y-%m-%dT%H:%M:%S}-03", whole),
        ]
    )


@st.composite
def _row(draw: st.DrawFn, fields: Sequence[str], number: int) -> tuple[str, datetime, dict[str, str]]:
    """Text of the time, time, and cells by field without it."""
    text, moment = draw(_time(number))
    cells = {
        name: draw(_NUMBER if name in NUMBERS else _TEXT) if draw(st.booleans()) else ""
        for name in fields[1:]
    }
    return text, moment, cells


def _written(fields: Sequence[str], text: str, cells: dict[str, str], *, quoted: bool = False) -> str:
    return csv_line([text, *(cells[name] for name in fields[1:])], quoted=quoted)


@st.composite
def good(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A good row."""
    text, moment, cells = draw(_row(fields, number))
    written = _written(fields, text, cells, quoted=draw(st.booleans()))
    before = draw(st.sampled_from([b"", b"", b"", BOM, b"\x00\x00"]))
    padding = draw(st.sampled_from(["", "", "", "\x00\x00\x00"]))
    return Piece(before + (written + padding + draw(ENDS)).encode(), rows=[(0, moment, cells)])


@st.composite
def _broken_cell(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A good row with line breaks inside a quoted cell; what follows one cannot be taken for a new line."""
    text, moment, cells = draw(_row(fields, number))
    name = draw(st.sampled_from([name for name in fields[1:] if name not in NUMBERS]))
    ends = draw(st.lists(st.sampled_from(["\r\n", "\n", "\r"]), min_size=1, max_size=3))
    blank = draw(st.booleans())
    cells[name] = (
        "first" + "".join(f"{end}{'' if blank and i else 'next'}" for i, end in enumerate(ends)) + "end"
    )
    return Piece((_written(fields, text, cells) + draw(ENDS)).encode(), rows=[(0, moment, cells)])


@st.composite
def _ansi(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A row that an editor saved in Windows-1252."""
    text, moment, cells = draw(_row(fields, number))
    cells = dict.fromkeys(cells, "")
    cells[draw(st.sampled_from([name for name in fields[1:] if name not in NUMBERS]))] = "Größe, café"
    return Piece((_written(fields, text, cells) + "\r\n").encode("cp1252"), rows=[(0, moment, cells)])


@st.composite
def _wrong_count(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    text, _, cells = draw(_row(fields, number))
    written = _written(fields, text, cells)
    if draw(st.booleans()):
        written += "," * draw(st.integers(1, 3)) + draw(st.sampled_from(["", "more", "é"]))
    else:
        written = csv_line([text, *list(cells.values())[: draw(st.integers(0, len(fields) - 2))]])
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "cp1252"]))
    if encoding == "cp1252":
        written = csv_line([text, "é", *["x"] * len(fields)])
    return Piece((written + draw(ENDS)).encode(encoding), bad=[(0, written)])


@st.composite
def _wrong_time(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    _, _, cells = draw(_row(fields, number))
    text = draw(
        st.sampled_from(
            [
                "2026-13-01T10:00:00.000Z",
                "2026-02-30T10:00:00.000Z",
                "2026-11-20T25:00:00.000Z",
                "2026-11-20T10:00:61.000Z",
                "2005-12-31T23:59:59.999Z",
                "2031-01-01T00:00:00.000Z",
                "1601-01-01T00:00:00.000Z",
                "9999-12-31T23:59:59.999Z",
                "0000-00-00T00:00:00.000Z",
                "2026-11-20T10:0Z",
                "2026-11-20T1Z",
                "2026-11-20T10:00:00+25:00",
                "2026-11-20Tten",
                "2026-11-20T10:00:00.Z",
                "2026-11-20T10:00:00.000Z ",
                "2026-11-20T10:00:00 .000Z",
            ]
        )
    )
    written = _written(fields, text, cells)
    return Piece((written + draw(ENDS)).encode(), bad=[(0, written)])


@st.composite
def _stray_quote(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """Quotes that RFC 4180 does not allow, in even number, so that the line is bad by itself."""
    cell = draw(st.sampled_from(['NO"O"P', '"NO"OP', 'NOOP""', '""NOOP', 'a "b" c', '"NOOP" ', ' "NOOP"']))
    cells = [stamp(number), *[""] * (len(fields) - 1)]
    cells[draw(st.integers(1, len(fields) - 1))] = cell
    written = ",".join(cells)
    return Piece((written + draw(ENDS)).encode(), bad=[(0, written)])


@st.composite
def _open_quote(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A quote that is never closed. It may take the lines below, up to the next timestamp, which follows."""
    cells = [stamp(number), *[""] * (len(fields) - 1)]
    cells[draw(st.integers(1, len(fields) - 1))] = draw(
        st.sampled_from(['"', '"open', 'o"pen', '""open""" and', '"a"" b'])
    )
    written = ",".join(cells)
    end = draw(st.sampled_from(["\r\n", "\n"]))
    taken = draw(st.sampled_from(["", "", f"swallowed{end}", f"swallowed,text,{end}more{end}"]))
    bad = Piece(
        (written + end + taken).encode(),
        bad=[(0, (written + end + taken).removesuffix("\n").removesuffix("\r"))],
    )
    if draw(st.booleans()):
        return _joined(bad, draw(good(fields, number + 1)), strip=True)
    return _joined(bad, Piece(header(fields, log_type=_log_type(fields)), header=5))


@st.composite
def _nul_glue(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A crash: a half or whole line, NULs, and the next record or header in one physical line."""
    nuls = b"\x00" * draw(st.integers(1, 40))
    after = draw(st.booleans())
    if draw(st.booleans()):
        first = draw(good(fields, number))
        first.data = first.data.rstrip(b"\r\n\x00") + nuls
        if b"\n" in first.data:
            first = Piece(first.data, rows=first.rows)
    else:
        half = ",".join([stamp(number), "", draw(st.sampled_from(["half", '"half', "hal"]))])
        first = Piece(half.encode() + nuls, bad=[(0, half)])
    if after:
        return _joined(first, draw(good(fields, number + 1)), strip=True)
    return _joined(first, Piece(header(fields, log_type=_log_type(fields), end=draw(ENDS)), header=5))


def _joined(one: Piece, two: Piece, *, strip: bool = False) -> Piece:
    data = two.data.lstrip(b"\xef\xbb\xbf\x00") if strip else two.data
    lines = one.data.count(b"\n")
    return Piece(
        one.data + data,
        one.header + two.header,
        [*one.rows, *((line + lines, moment, cells) for line, moment, cells in two.rows)],
        [*one.bad, *((line + lines, text) for line, text in two.bad)],
    )


@st.composite
def _text(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """Lines that are no rows at all."""
    text = draw(
        st.sampled_from(
            [
                "pasted from the server",
                "2026 was a year",
                "1,2,3",
                "----",
                "    indented",
                'he said "stop',
                '"',
                ",,,,,,,,",
                "x" * 300,
                "12/24/2026 10:00,a,b",
                "bare\rreturn",
                '"2026-11-20T10:00:00.000Z",quoted',
                "é",
            ]
        )
    )
    return Piece((text + draw(st.sampled_from(["\r\n", "\n"]))).encode(), bad=[(0, text)])


@st.composite
def _header_line(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """Header, blank and padding lines wherever they stand."""
    end = draw(ENDS)
    kind = draw(st.integers(0, 6))
    if kind == 0:
        before = draw(st.sampled_from([b"", BOM, b"\x00\x00\x00"]))
        return Piece(before + header(fields, log_type=_log_type(fields), end=end), header=5)
    if kind == 1:
        return Piece((",".join(fields) + end).encode(), header=1)
    if kind == 2:
        return Piece(
            header(fields, log_type=_log_type(fields), end=end) + (",".join(fields) + end).encode(), header=6
        )
    if kind == 3:
        block = header(fields, log_type=_log_type(fields), end=end).replace(b"#", b"")
        return Piece(block, header=5)
    count = draw(st.integers(1, 3))
    line = draw(st.sampled_from([b"", b"\x00\x00\x00\x00", b"  ", b"#", b"# remark"]))
    return Piece((line + end.encode()) * count, header=count)


@st.composite
def _bare_return(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A carriage return alone: part of a quoted cell, damage in an unquoted one."""
    cells = dict.fromkeys(fields[1:], "")
    name = draw(st.sampled_from([name for name in fields[1:] if name not in NUMBERS]))
    if draw(st.booleans()):
        cells[name] = draw(st.sampled_from(["a\rb", "\r", "a\r", "\rb"]))
        moment = datetime.strptime(stamp(number), "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        return Piece((_written(fields, stamp(number), cells) + "\r\n").encode(), rows=[(0, moment, cells)])
    cells[name] = "MARK"
    written = _written(fields, stamp(number), cells).replace("MARK", "a\rb")
    return Piece((written + "\n").encode(), bad=[(0, written)])


_DAMAGE: tuple[Callable[[Sequence[str], int], st.SearchStrategy[Piece]], ...] = (
    _broken_cell,
    _ansi,
    _wrong_count,
    _wrong_time,
    _stray_quote,
    _open_quote,
    _nul_glue,
    _text,
    _header_line,
    _bare_return,
)


def _log_type(fields: Sequence[str]) -> str:
    return "SMTP Send Protocol Log" if "sequence-number" in fields else "Message Tracking Log"


_FIELDS = {
    "smtp": (SMTP, (*SMTP, *UNKNOWN), (*SMTP[:3], UNKNOWN[0], *SMTP[3:])),
    "tracking": (TRACKING_2016, TRACKING_2013, TRACKING_2010, TRACKING_2007, (*TRACKING_2016, *UNKNOWN)),
}


@st.composite
def damaged_log(draw: st.DrawFn, family: str = "smtp", max_pieces: int = 12) -> Log:
    """A log that begins with a header and holds good rows, damage and headers of other column counts."""
    fields = draw(st.sampled_from(_FIELDS[family]))
    start = draw(st.sampled_from([b"", BOM, b"\r\n", b"\x00\x00"]))
    block = header(fields, log_type=_log_type(fields), end=draw(st.sampled_from(["\r\n", "\n"])))
    pieces = [Piece(start + block, header=5 + start.count(b"\n"))]
    number = 0
    for _ in range(draw(st.integers(0, max_pieces))):
        number += 2
        if draw(st.booleans()):
            pieces.append(draw(good(fields, number)))
        elif draw(st.integers(0, 9)) == 0:
            fields = draw(st.sampled_from(_FIELDS[family]))
            pieces.append(Piece(header(fields, log_type=_log_type(fields), end=draw(ENDS)), header=5))
        else:
            pieces.append(draw(draw(st.sampled_from(_DAMAGE))(fields, number)))
    tail = draw(_tail(fields, number + 2))
    header_lines, rows, bad, line = 0, [], [], 1
    data = b""
    for piece in pieces:
        header_lines += piece.header
        rows += [(line + at, moment, cells) for at, moment, cells in piece.rows]
        bad += [(line + at, text) for at, text in piece.bad]
        line += piece.data.count(b"\n")
        data += piece.data
    tail.rows = [(line + at, moment, cells) for at, moment, cells in tail.rows]
    tail.bad = [(line + at, text) for at, text in tail.bad]
    return Log(data + tail.data, header_lines, rows, bad, int(bool(tail.data)), tail)


@st.composite
def _tail(draw: st.DrawFn, fields: Sequence[str], number: int) -> Piece:
    """A last line without line end: whole, half, of NULs, or none."""
    kind = draw(st.integers(0, 4))
    nuls = draw(st.sampled_from([b"", b"\x00" * 7]))
    if kind < 2:
        piece = draw(good(fields, number))
        piece.data = piece.data.rstrip(b"\r\n") + nuls
        return piece
    if kind == 2:
        half = ",".join([stamp(number), "", draw(st.sampled_from(["half", '"half']))])
        return Piece(half.encode() + nuls, bad=[(0, half)])
    if kind == 3 and nuls:
        return Piece(nuls, header=1)
    return Piece(b"")
