"""Logs that are made to cost time or memory, by the number of what they repeat.

`python -m tests.hostile.attacks` ingests each at full size in a process of its own, and prints seconds and peak memory.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from tests.logs.lines import BEGIN, SMTP, header, smtp_line, stamp

TIME = stamp(1).encode()
HEADER = header()
CELLS = b",,,,,,,"
"""What stands between the time and the data cell of a protocol row."""


def _long_line(count: int) -> Iterator[bytes]:
    yield HEADER + TIME
    for _ in range(count):
        yield b"a" * 1000


def _no_line_end(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"a" * 1000


def _many_columns(count: int) -> Iterator[bytes]:
    yield header((*SMTP, *(f"x{i}" for i in range(count))))
    for number in range(20):
        yield f"{stamp(number)},,,,,,,,{',v' * count}\r\n".encode()


def _header_blocks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield HEADER


def _header_blocks_with_rows(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield HEADER + smtp_line(number % 3000).encode() + b"\r\n"


def _field_lists(count: int) -> Iterator[bytes]:
    yield HEADER
    for number in range(count):
        yield f"#Fields: date-time,connector-id,data,x{number}\r\n{stamp(number % 3000)},a,b,c\r\n".encode()


def _repeated(piece: bytes, *, before: bytes = b"", after: bytes = b"") -> Callable[[int], Iterator[bytes]]:
    def log(count: int) -> Iterator[bytes]:
        yield HEADER + before
        while count > 0:
            yield piece * min(count, 10_000)
            count -= 10_000
        yield after

    return log


def _days(count: int) -> Iterator[bytes]:
    """Rows of as many days as there are: months are partitions."""
    yield HEADER
    for number in range(count):
        moment = BEGIN - timedelta(days=number % 7000)
        yield f"{moment:%Y-%m-%dT%H:%M:%S}.000Z,a,b,1,,,>,NOOP,\r\n".encode()


ATTACKS: dict[str, tuple[Callable[[int], Iterator[bytes]], int, int]] = {
    # name: (log, number for the comparison of times, number at full size)
    "one line": (_long_line, 25_000, 100_000),
    "one line without header": (_no_line_end, 25_000, 100_000),
    "commas": (_repeated(b",", before=TIME, after=b"\r\n"), 4_000_000, 10_000_000),
    "columns": (_many_columns, 4_000, 10_000),
    "header blocks": (_header_blocks, 6_000, 1_000_000),
    "header blocks with rows": (_header_blocks_with_rows, 4_000, 100_000),
    "field lists": (_field_lists, 2_000, 100_000),
    "quotes in a cell": (_repeated(b'""', before=TIME + CELLS + b'"', after=b'",\r\n'), 500_000, 4_000_000),
    "open quotes": (_repeated(TIME + b',"\r\n'), 10_000, 200_000),
    "blank lines in an open cell": (
        _repeated(b"\r\n", before=TIME + CELLS + b'"\r\n', after=b'",\r\n'),
        30_000,
        1_000_000,
    ),
    "lines in an open cell": (_repeated(b'x""y\r\n', before=TIME + CELLS + b'"\r\n'), 100_000, 1_000_000),
    "quote lines": (_repeated(b'"\n'), 20_000, 500_000),
    "NULs": (_repeated(b"\0"), 2_000_000, 100_000_000),
    "NULs between half lines": (_repeated(TIME + b",a\0"), 10_000, 200_000),
    "carriage returns": (_repeated(b"\r"), 60_000_000, 100_000_000),
    "carriage returns in a cell": (
        _repeated(b"\r", before=TIME + CELLS + b'"', after=b'",\r\n'),
        500_000,
        10_000_000,
    ),
    "bare carriage returns": (_repeated(b"a\r", before=TIME + CELLS, after=b",\r\n"), 500_000, 5_000_000),
    "blank lines": (_repeated(b"\n"), 100_000, 2_000_000),
    "times alone": (_repeated(TIME + b"\n"), 10_000, 500_000),
    "no UTF-8": (_repeated(b"\xff", before=TIME + CELLS, after=b",\r\n"), 100_000, 2_000_000),
    "LED= in a reply": (
        _repeated(b"[{LED=", before=TIME + CELLS[:-1] + b"<,", after=b",\r\n"),
        50_000,
        500_000,
    ),
    "labels in a reply": (
        _repeated(b"a.", before=TIME + CELLS[:-1] + b"<,450 4.7.230 [", after=b",\r\n"),
        100_000,
        1_000_000,
    ),
    "words of a reply": (
        _repeated(b"throttled for ", before=TIME + CELLS[:-1] + b"<,450 4.7.230 ", after=b",\r\n"),
        50_000,
        500_000,
    ),
    "days": (_days, 4_000, 7_000),
}


def write(name: str, count: int, path: Path) -> int:
    """Write a log; returns its size."""
    with path.open("wb") as out:
        for piece in ATTACKS[name][0](count):
            out.write(piece)
    return path.stat().st_size


def ingested(path: Path, store: Path) -> dict[str, int]:
    """Ingest in a process of its own: counts, milliseconds and peak memory in MB (0 where it is not known)."""
    result = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), str(store)], capture_output=True, text=True, check=True
    )
    names = ("header", "rows", "quarantined", "pending", "failed", "milliseconds", "peak")
    return dict(zip(names, map(int, result.stdout.split()), strict=True))


_CHILD = """
import sys, time
from pathlib import Path
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Rules
from pipeline.store.store import Store
from tests.logs.lines import NOW
from tests.ingest.place import HOSTS
begin = time.perf_counter()
summary = Ingest(Store(Path(sys.argv[2])), HOSTS, Rules(), now=NOW, workers=2).run([Path(sys.argv[1])])
taken = time.perf_counter() - begin
lines, files = (summary.as_json()[name] for name in ("lines", "files"))
# A process inherits the peak of the one that started it; only /proc tells its own.
own = Path("/proc/self/status")
try:
    if own.exists():
        peak = next(int(line.split()[1]) >> 10 for line in own.read_text().splitlines() if line.startswith("VmHWM"))
    else:
        import resource
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
except ImportError:
    peak = 0
print(lines["header"], lines["rows"], lines["quarantined"], lines["pending"], files["failed"], int(taken * 1000), peak)
"""


def main() -> None:
    """Every attack at full size, or those named."""
    chosen = sys.argv[1:] or list(ATTACKS)
    print(f"{'attack':<30} {'number':>11} {'MB':>6} {'s':>7} {'peak MB':>8}  header, rows, quarantined")
    for name in chosen:
        full = ATTACKS[name][2]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "attack.log"
            size = write(name, full, path)
            started = time.perf_counter()
            try:
                found = ingested(path, Path(folder) / "store")
            except subprocess.CalledProcessError as error:
                print(f"{name:<30} FAILED after {time.perf_counter() - started:.0f} s: {error.stderr[-300:]}")
                continue
            print(
                f"{name:<30} {full:>11} {size / 1e6:>6.0f} {found['milliseconds'] / 1000:>7.1f} {found['peak']:>8}  "
                f"{found['header']}, {found['rows']}, {found['quarantined']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
