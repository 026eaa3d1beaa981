"""What is attacked: each target takes a batch of inputs and raises AssertionError, or anything, at the first flaw."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

import polars as pl
import pyarrow as pa

from pipeline.ingest import plan
from pipeline.logs import discover
from pipeline.logs.assign import Rules, apart, assign, server_in_rows, short_name, slug
from pipeline.logs.derived import Hosts, read_replies
from pipeline.logs.framing import Framer, Run, line_starts
from pipeline.logs.kinds import Kind, read_head
from pipeline.logs.replies import error_record, read_reply, reply_columns
from pipeline.logs.rows import Block, Layout, Rows, _decode_8_bit, _read_carefully, _read_fast, read_rows
from pipeline.logs.units import Reader, Segment, Source, Unit
from pipeline.store.store import TABLES
from tests.logs.lines import NOW, SMTP

from .material import FIELD_LISTS, damaged_log, reply, row
from .oracle import Framed, Line, check_framing, framed

HOSTS = Hosts({"mail.protection.outlook.com": "exchange-online", "prod.exchangelabs.com": "exchange-online"})
READER = Reader(TABLES, HOSTS, NOW)
Input = TypeVar("Input")


@dataclass(frozen=True)
class Target(Generic[Input]):
    """`make` gives one input, `check` takes a batch of at most `batch`; `share` is its part of all inputs."""

    name: str
    share: float
    batch: int
    make: Callable[[Random], Input]
    check: Callable[[Sequence[Input]], None]


@dataclass(frozen=True)
class Cut:
    """A log, where it is cut while it is fed, and where a first reading of it ended."""

    data: bytes
    cuts: tuple[int, ...]
    half: int


def _cut_log(random: Random) -> Cut:
    data = damaged_log(random)
    cuts = tuple(random.randrange(len(data) + 1) for _ in range(random.choice((1, 2, 5))))
    return Cut(data, cuts, random.randrange(len(data) + 1))


def _same_fields_log(random: Random) -> Cut:
    data = damaged_log(random, keep_fields=random.random() < 0.85)
    return Cut(data, (), random.randrange(len(data) + 1))


def check_one_framing(given: Cut) -> None:
    """Lines are accounted for, however the bytes come in, and in two readings as in one."""
    data = given.data
    for take_tail in (True, False):
        framer = Framer()
        whole, runs = framed(framer, data, (), take_tail=take_tail)
        check_framing(data, runs, framer, take_tail=take_tail)
        fed, _ = framed(Framer(), data, (), take_tail=take_tail, knows_end=False)
        assert fed == whole, "a log is the same whether its end is known or found"
    framer = Framer()
    whole, _ = framed(framer, data, (), take_tail=True)
    pieces, runs = framed(framer := Framer(), data, given.cuts, take_tail=True)
    check_framing(data, runs, framer, take_tail=True)
    assert pieces == whole, "cuts change nothing"
    halves = read_in_halves(data, given.half)
    if halves is not None:
        (first, _), (second, _) = halves
        assert first.header_lines + second.header_lines == whole.header_lines, (
            "two readings count the same header"
        )
        kind = read_head(data[: plan.HEADS[1]], whole=True).kind
        both = _ruled(kind, (*first.lines, *second.lines))
        assert both == _ruled(kind, whole.lines), "two readings give the same lines"
        assert (second.position, second.next_line) == (whole.position, whole.next_line)


def _ruled(kind: Kind, lines: Sequence[Line]) -> list[tuple[Any, ...]]:
    """Lines with what their header says; one without fields has those of its kind."""
    return [
        (
            line.number,
            line.data,
            line.header.log_type or kind.header.log_type,
            line.header.version,
            line.header.fields or kind.header.fields,
        )
        for line in lines
    ]


def read_in_halves(
    data: bytes, half: int
) -> tuple[tuple[Framed, list[Run]], tuple[Framed, list[Run]]] | None:
    """What an ingest takes of the beginning, and then of the grown log; None where the log is read anew."""
    start = data[:half]
    before, after = (read_head(part[: plan.HEADS[1]], whole=True) for part in (start, data))
    if not before.kind.is_read:
        return None
    records = [b"" if head.is_open else head.first_record for head in (before, after)]
    identities = [
        plan._identity(head.kind.name, head.header_block, record, "log")
        for head, record in zip((before, after), records, strict=True)
    ]
    if identities[0] != identities[1]:
        looked = plan.Looked(cast(Any, SimpleNamespace(path="log")), after, identities[1], None)
        assert (
            identities[0] in plan._header_identities(looked)
            or not after.kind.is_read
            or (before.kind.name != after.kind.name)
        ), "a log that grows stays the same source, or replaces what had no row"
        return None
    framer = Framer()
    first = framed(framer, start, (), take_tail=False)
    known = SimpleNamespace(header_position=framer.header_position, position_to=framer.position)
    with _in_memory(data) as candidate:
        header, at = plan._header_at(candidate, cast(Any, known), after)
    grown = Framer(header, framer.position, framer.line, at, tail=framer.tail)
    return first, framed(grown, data[framer.position :], (), take_tail=True)


@contextmanager
def _in_memory(data: bytes) -> Iterator[discover.Candidate]:
    def chunks(_: object, position: int = 0, size: int = discover.CHUNK) -> Iterator[bytes]:
        for begin in range(position, len(data), size):
            yield data[begin : begin + size]

    real = discover.chunks
    discover.chunks = chunks  # type: ignore[assignment]
    try:
        yield cast(discover.Candidate, None)
    finally:
        discover.chunks = real


def _block(random: Random) -> tuple[tuple[str, ...], bytes]:
    """Complete lines under a field list."""
    data = damaged_log(random).replace(b"#", b"")
    fields = next((f for f in FIELD_LISTS if ",".join(f).encode() in data), SMTP)
    lines = [
        line
        for line in data.splitlines(keepends=True)
        if not line.startswith((b"Sof", b"Ver", b"Log", b"Dat", b"Fie"))
    ]
    block = b"".join(lines) or row(random, fields, 1, b"\r\n")
    framer = Framer()
    runs = [*framer.feed(block), *framer.finish(take_tail=True)]
    block = b"".join(run.data for run in runs) or b"\n"
    if random.random() < 0.2:
        fields = tuple(random.sample((*fields, "x-other", "Another"), len(fields)))
    return fields, block


_LAYOUTS: dict[tuple[str, ...], Layout] = {}


def _layout(fields: tuple[str, ...]) -> Layout:
    table = "message_tracking" if "event-id" in fields else "smtp_protocol"
    if len(_LAYOUTS) > 200:
        _LAYOUTS.clear()
    return _LAYOUTS.setdefault(fields, Layout(fields, TABLES[table]))


def _as_lists(rows: Rows) -> tuple[Any, ...]:
    return (
        rows.table.to_pylist(),
        rows.line.tolist(),
        [(bad.line, bad.reason, bad.text) for bad in rows.bad],
        rows.joined,
    )


def check_one_block(given: tuple[tuple[str, ...], bytes]) -> None:
    """pyarrow's way and the careful way give the same; lines add up; each quarantined line is whole."""
    fields, data = given
    layout = _layout(fields)
    careful = _read_carefully(data, layout, NOW)
    starts = line_starts(data)
    assert careful.table.num_rows + len(careful.bad) + careful.joined == len(starts), "lines add up"
    fast = _read_fast(data, starts, layout, NOW)
    if fast is not None:
        assert _as_lists(fast) == _as_lists(careful), "both ways agree"
    lines = data.split(b"\n")
    for bad in careful.bad:
        begin = lines[bad.line].rstrip(b"\r")
        assert bad.text.startswith((begin.decode("utf-8", "replace"), _decode_8_bit(begin))), (
            "a quarantined line is kept"
        )
    read = read_rows([Block.of(data)], layout, NOW)
    assert _as_lists(read) == _as_lists(careful), "halving changes nothing"


_ACTIONS = {None, "throttle", "block", "unknown"}


def check_replies(texts: Sequence[str]) -> None:
    """Every reply is read alone as among others; what is found is in the text."""
    frame = pl.DataFrame({"text": list(texts)}, schema={"text": pl.String})
    columns = frame.select(**reply_columns(pl.col("text")), **error_record(pl.col("text")))
    assert columns.height == len(texts)
    for text, found in zip(texts, columns.iter_rows(named=True), strict=True):
        assert found["enforcement_action"] in _ACTIONS
        if found["enforcement_action"]:
            assert ".7.230" in text
            assert found["enhanced_code"] in ("4.7.230", "5.7.230")
        if found["enforcement_minutes"] is not None:
            assert 0 <= found["enforcement_minutes"] <= 9999
        if found["reply_code"] is not None:
            assert 200 <= found["reply_code"] <= 599 and str(found["reply_code"]) in text
        for name in ("enhanced_code", "reply_host", "led", "fqdn", "ip", "lrt"):
            value = found[name]
            assert value is None or name == "enhanced_code" or value in text, (name, value)
    derived = read_replies(pl.Series("text", list(texts), dtype=pl.String), HOSTS)
    assert {len(column) for column in derived.values()} == {len(texts)}
    one = len(texts) // 2
    alone = frame[one : one + 1].select(**reply_columns(pl.col("text")), **error_record(pl.col("text")))
    assert alone.equals(columns[one : one + 1]), "a reply is read alone as among others"
    read_reply(texts[one])


@dataclass
class _Log:
    kind: Kind
    runs: list[Run]
    source: Source


def check_parsers(given: Sequence[Cut]) -> None:
    """Whole logs by both parsers, many joined to one unit: lines add up, and two readings give what one gives."""
    whole: list[_Log] = []
    halves: list[_Log] = []
    for number, cut in enumerate(given):
        head = read_head(cut.data[: plan.HEADS[1]], whole=True)
        server_in_rows(
            head.kind, cut.data.decode("utf-8", "replace").splitlines()[:20]
        ) if head.kind.is_read else None
        if not head.kind.is_read:
            continue
        source = Source(str(number), f"log{number}.log", head.kind.name, None, None, None)
        framer = Framer()
        _, runs = framed(framer, cut.data, (), take_tail=True)
        whole.append(_Log(head.kind, runs, source))
        if (two := read_in_halves(cut.data, cut.half)) is not None:
            (_, first), (_, second) = two
            # they are read by ingests that know nothing of each other
            halves.append(_Log(head.kind, first, replace(source, server_basis="first")))
            halves.append(_Log(head.kind, second, replace(source, server_basis="second")))
    of_whole, of_halves = (
        _read_logs(whole),
        _read_logs([log for log in halves if log.source.server_basis == "first"]),
    )
    of_second = _read_logs([log for log in halves if log.source.server_basis == "second"])
    for source_id in of_halves:
        both = sorted([*of_halves[source_id], *of_second.get(source_id, [])])
        assert both == sorted(of_whole.get(source_id, [])), (
            f"log {source_id}: two readings give the same rows"
        )


def _read_logs(logs: Sequence[_Log]) -> dict[str, list[str]]:
    """source -> rows as text. Asserts that what each source's segments count is what its rows are."""
    units: dict[tuple[str, tuple[str, ...]], Unit] = {}
    found: dict[str, list[str]] = {log.source.source_id: [] for log in logs}
    for log in logs:
        for run in log.runs:
            fields = run.header.fields or log.kind.header.fields
            key = (log.kind.table, fields)
            units.setdefault(key, Unit(log.kind.table, "contoso", fields)).add(Segment(log.source, run))
    for unit in units.values():
        read = READER.read(unit)
        counted = 0
        for segment, count in zip(unit.segments, read.counts, strict=True):
            rows, bad = sum(count.rows.values()), sum(count.quarantined.values())
            assert rows + bad + count.joined == segment.run.lines, "the lines of each run add up"
            assert min(rows, bad, count.joined) >= 0
            counted += rows + bad
        assert counted == sum(table.num_rows for table in read.tables.values())
        for month, table in read.tables.items():
            assert re.fullmatch(r"\d{4}-\d\d", month)
            for record in table.to_pylist():
                record["server"] = record["server_basis"] = None
                # a quarantined line takes the month of the good row before it, which another reading may have had
                of_month = month if record["parse_error"] is None else ""
                found[record["source_id"]].append(f"{record['source_line']:08d} {of_month} {record!r}")
    return found


_NAME_PIECES = (
    "..", ".", "/", "\\", "\x00", "\n", "\r", "%2e%2e", "%2f", "CON", "NUL", "COM1.txt", "aux", "C:", "\\\\?\\",
    "\\\\server\\c$\\", "'", '"', ";", "--", "drop table x", "Müller", "Mu\u0308ller", "MÜLLER", "ß", "İ", "ı", "\u202e",
    "\u200d", "😀", "组织", "contoso", "Contoso GmbH", "EX01", "ex01.contoso.com", " ", "  ", "-", "_", "a" * 300, "*", "?",
    "[a]", "{organisation}", "$(x)", "`", "=", "&", "#", "%20", "unassigned", "org-", "2026-11-20", "TransportRoles", "c$",
    "\ud800", "\udcff", "ﬁ", "①", "Ⅷ", "\u0000x", "~", ":", "|", "<", ">",
)  # fmt: skip


def _names(random: Random) -> tuple[str, ...]:
    def name() -> str:
        return "".join(random.choice(_NAME_PIECES) for _ in range(random.choice((1, 1, 2, 3, 5))))

    return tuple(name() for _ in range(random.choice((0, 1, 2, 3, 5))))


def check_names(given: tuple[str, ...]) -> None:
    """An id is `[a-z0-9-]{1,40}`, whatever the folders are; a server has no separator in it."""
    for name in given:
        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", slug(name)), name
        host = short_name(name)
        assert host is None or re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,62}", host)
    kind = Kind("message-tracking", read_head(b"", whole=True).kind.header)
    for layout in ((), ("{organisation}", "{server}"), ("*", "{organisation}")):
        for server in (None, "EX01"):
            found = assign(
                "/logs/" + "/".join(given), given, "MSGTRK.LOG", kind, server, Rules(layout=layout)
            )
            assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", found.organisation)
            other = apart(found, "Somebody Else")
            assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", other.organisation)
            if found.server_basis != "layout":
                assert found.server is None or not re.search(r"[\x00-\x1f/\\]", found.server)


def _archive(random: Random) -> tuple[str, bytes]:
    """A packed log with a few wrong octets."""
    data = damaged_log(random)
    ending = random.choice((".zip", ".zip", ".zip", ".gz", ".zst"))
    if ending == ".gz":
        packed = gzip.compress(data)
    elif ending == ".zst":
        packed = pa.compress(data, codec="zstd", asbytes=True)
    else:
        held = io.BytesIO()
        method = random.choice(
            (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        )
        with zipfile.ZipFile(held, "w", method) as archive:
            for number in range(random.choice((1, 2, 5))):
                archive.writestr(f"contoso/EX0{number}/RECV.LOG", data)
        packed = held.getvalue()
    octets = bytearray(packed)
    for _ in range(random.choice((0, 1, 1, 2, 4, 16))):
        # Where the directory lies, at the end, most is to be broken.
        at = (
            random.randrange(len(octets))
            if random.random() < 0.4
            else -random.randrange(1, min(400, len(octets)))
        )
        octets[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    if random.random() < 0.2:
        del octets[random.randrange(len(octets)) :]
    return ending, bytes(octets)


def check_archives(given: Sequence[tuple[str, bytes]]) -> None:
    """A packed file is read, or named with a reason; what is read of it is bounded."""
    with tempfile.TemporaryDirectory(prefix="tbes-fuzz-") as folder:
        for number, (ending, octets) in enumerate(given):
            path = Path(folder) / f"{number}{ending}"
            path.write_bytes(octets)
            found = list(discover.discover([path]))
            assert found or ending == ".zip", "a file is read or named"
            for one in found:
                if isinstance(one, discover.Unreadable):
                    assert one.reason and "\n" not in one.reason
                    continue
                length = 0
                try:
                    for chunk in discover.chunks(one):
                        length += len(chunk)
                except discover.ReadError as error:
                    assert str(error)
                assert length < 8 << 20
            path.unlink()


def _each(check: Callable[[Any], None]) -> Callable[[Sequence[Any]], None]:
    def of_batch(batch: Sequence[Any]) -> None:
        for given in batch:
            check(given)

    return of_batch


TARGETS: tuple[Target[Any], ...] = (
    Target("framing", 0.35, 1, _cut_log, _each(check_one_framing)),
    Target("rows", 0.20, 1, _block, _each(check_one_block)),
    Target("replies", 0.33, 500, reply, check_replies),
    Target("parsers", 0.05, 100, _same_fields_log, check_parsers),
    Target("names", 0.04, 1, _names, _each(check_names)),
    Target("archives", 0.03, 50, _archive, check_archives),
)
