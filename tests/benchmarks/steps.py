"""`python -m tests.benchmarks.steps [--megabytes 400]`: what each step of an ingest costs for 32 MB of log.

CPU time, one unit of work after the other. The floor is what the step costs bare: the bytes read and nothing done with them,
the same lines as text by pyarrow and by Polars, that text written as Parquet by Polars.
"""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"

import argparse
import io
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipeline.commands import hosts_of
from pipeline.ingest import run, work
from pipeline.ingest.run import UNIT_BYTES, Ingest
from pipeline.logs import rows, units
from pipeline.logs.assign import Rules
from pipeline.logs.framing import Framer
from pipeline.reference.catalogue import Catalogue
from pipeline.store import parts
from pipeline.store.store import Store
from tests.generator import write_bulk

from .__main__ import KINDS

STEPS = (
    "reading",
    "framing: line ends, headers, positions",
    "proof that every line is one row",
    "CSV to Arrow, repeating text as dictionaries",
    "deriving: replies, hosts, servers, builds, sessions",
    "assembling, months, counts",
    "Parquet, zstd level 1",
    "fsync",
)
READ, FRAME, PROVE, PARSE, DERIVE, ASSEMBLE, WRITE, SYNC = STEPS


class Clock:
    """Milliseconds by step; what a step calls is counted there alone. fsync is time on the wall, the rest is CPU time."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Count what is done within."""
        now = time.perf_counter if step == SYNC else time.process_time
        started = now()
        self._inside.append(0.0)
        try:
            yield
        finally:
            taken = (now() - started) * 1000
            self.spent[step] += taken - self._inside.pop()
            if self._inside:
                self._inside[-1] += taken

    def counted(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, counted."""

        def call(*arguments: Any, **named: Any) -> Any:
            with self.of(step):
                return function(*arguments, **named)

        return call


def measured(logs: Path, store: Path) -> list[dict[str, float]]:
    """Milliseconds by step of each whole unit of an ingest but the first, which loads what is used."""
    clock = Clock()
    waiting: list[tuple[work.Load, tuple[Any, ...]]] = []

    def later(load: work.Load, *arguments: Any) -> work.Done:
        waiting.append((load, arguments))
        return work.Done(load.unit.table, [], 0)

    with patch.object(run, "write", later):
        Ingest(Store(store), hosts_of(Catalogue()), Rules(), workers=1).run([logs])
    spent: list[dict[str, float]] = []
    with (
        patch.object(rows, "_is_plain", clock.counted(PROVE, rows._is_plain)),
        patch.object(rows, "_is_utf8", clock.counted(PROVE, rows._is_utf8)),
        patch.object(arrow_csv, "read_csv", clock.counted(PARSE, arrow_csv.read_csv)),
        patch.object(units.Reader, "_table", clock.counted(DERIVE, units.Reader._table)),
        patch.object(units, "_assembled", clock.counted(ASSEMBLE, units._assembled)),
        patch.object(parts.PartWriter, "write", clock.counted(WRITE, parts.PartWriter.write)),
        patch.object(parts, "fsync", clock.counted(SYNC, parts.fsync)),
    ):
        for load, arguments in waiting:
            if load.unit.size < UNIT_BYTES:
                continue
            clock.spent.clear()
            with clock.of(FRAME):
                framer = Framer()
                for segment in load.unit.segments:
                    list(framer.feed(segment.run.data))
            with clock.of(ASSEMBLE):
                work.write(load, *arguments)
            scale = UNIT_BYTES / load.unit.size
            spent.append({step: taken * scale for step, taken in clock.spent.items()})
    return spent[1:]


def floors(log: Path) -> dict[str, float]:
    """Milliseconds of the bare steps for 32 MB of a log; medians of five."""
    with log.open("rb") as file:
        file.seek(0)
        data = file.read(UNIT_BYTES)
    body = data[data.index(b"\n2026-") + 1 : data.rindex(b"\n") + 1]

    def read() -> None:
        with log.open("rb", buffering=0) as file:
            file.readinto(bytearray(UNIT_BYTES))

    names = [f"f{i}" for i in range(body[: body.index(b"\n")].count(b",") + 1)]

    def by_pyarrow() -> pa.Table:
        return arrow_csv.read_csv(
            io.BytesIO(body),
            read_options=arrow_csv.ReadOptions(use_threads=False, autogenerate_column_names=True),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )

    def by_polars() -> pl.DataFrame:
        return pl.read_csv(body, has_header=False, infer_schema=False)

    text = by_polars()
    return {
        READ: _median(read),
        "the same lines as text, pyarrow": _median(by_pyarrow),
        "the same lines as text, Polars": _median(by_polars),
        "that text as Parquet, Polars": _median(lambda: text.write_parquet(io.BytesIO())),
    }


def _median(work: Callable[[], object]) -> float:
    def once() -> float:
        started = time.process_time()
        work()
        return (time.process_time() - started) * 1000

    once()
    return statistics.median(once() for _ in range(5))


def main() -> None:
    """Measure both kinds and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.steps")
    parser.add_argument("--megabytes", type=int, default=400)
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    bare: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory(prefix="tbes-steps-") as folder:
            logs = Path(folder) / "logs"
            write_bulk(logs, options.megabytes, kind, files=max(4, options.megabytes // 75))  # type: ignore[arg-type]  # a known kind
            spent = measured(logs, Path(folder) / "store")
            bare[kind] = floors(next(iter(sorted(logs.rglob("*.LOG")))))
        found[kind] = {
            step: statistics.median(unit.get(step, 0.0) for unit in spent) for step in STEPS if step != READ
        }
        found[kind][READ] = bare[kind].pop(READ)
    print(f"{'milliseconds for 32 MB of log':56}" + "".join(f"{kind:>18}" for kind in KINDS))
    for step in STEPS:
        print(f"{step:56}" + "".join(f"{found[kind][step]:18.0f}" for kind in KINDS))
    print(f"{'all of it':56}" + "".join(f"{sum(found[kind].values()):18.0f}" for kind in KINDS))
    for step in bare[KINDS[0]]:
        print(f"{'floor: ' + step:56}" + "".join(f"{bare[kind][step]:18.0f}" for kind in KINDS))


if __name__ == "__main__":
    main()
