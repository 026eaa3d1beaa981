"""One measured run in a process of its own: `python -m tests.benchmarks.child TOOL KIND LOGS OUT` prints JSON.

`seconds` is the work without interpreter start and imports, for all tools alike; `peak_mb` is of the process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from pathlib import Path

HEADER_LINES = 5


def tbes(kind: str, logs: Path, out: Path) -> Callable[[], object]:
    """The whole ingest: parse, type, derive, check, Parquet, commit, sync to disk."""
    from pipeline.commands import hosts_of
    from pipeline.ingest.run import Ingest
    from pipeline.logs.assign import Rules
    from pipeline.reference.catalogue import Catalogue
    from pipeline.store.store import Store

    return lambda: Ingest(Store(out / "store"), hosts_of(Catalogue()), Rules()).run([logs])


def keyed(kind: str, logs: Path, out: Path) -> Callable[[], object]:
    """The same with pseudonyms (`tbes ingest --pseudonymise`)."""
    from pipeline.commands import hosts_of
    from pipeline.ingest.run import Ingest
    from pipeline.logs.assign import Rules
    from pipeline.logs.privacy import Privacy
    from pipeline.logs.pseudonyms import Pseudonyms
    from pipeline.reference.catalogue import Catalogue
    from pipeline.store.store import Store

    privacy = Privacy(Pseudonyms(b"a key for this measurement alone"))
    return lambda: Ingest(Store(out / "store"), hosts_of(Catalogue()), Rules(), privacy=privacy).run([logs])


def polars(kind: str, logs: Path, out: Path) -> Callable[[], object]:
    """Bare CSV to Parquet, all columns as text."""
    import polars as pl

    files = sorted(logs.rglob("*.LOG"))
    frame = pl.scan_csv(
        files, has_header=False, skip_rows=HEADER_LINES, new_columns=_fields(kind), infer_schema=False
    )
    return lambda: frame.sink_parquet(out / "polars.parquet")


def duckdb(kind: str, logs: Path, out: Path) -> Callable[[], object]:
    """Bare CSV to Parquet with zstd, all columns as text."""
    import duckdb as engine

    files = [str(path) for path in sorted(logs.rglob("*.LOG"))]
    columns = dict.fromkeys(_fields(kind), "VARCHAR")
    sql = (
        f"copy (select * from read_csv({files}, header = false, skip = {HEADER_LINES}, auto_detect = false, "
        f"delim = ',', quote = '\"', escape = '\"', columns = {columns})) "
        f"to '{out / 'duckdb.parquet'}' (format parquet, compression zstd)"
    )
    return lambda: engine.connect().execute(sql)


def chdb(kind: str, logs: Path, out: Path) -> Callable[[], object]:
    """The same by ClickHouse in the process. Raises ImportError where it is not installed: pip install chdb."""
    import chdb as engine

    columns = ", ".join(f"`{name}` Nullable(String)" for name in _fields(kind))
    sql = (
        f"insert into function file('{out / 'chdb.parquet'}', Parquet) "
        f"select * from file('{logs}/**/*.LOG', CSV, '{columns}') "
        f"settings input_format_csv_skip_first_lines = {HEADER_LINES}, output_format_parquet_compression_method = 'zstd'"
    )
    return lambda: engine.query(sql)


class _NoPandas(MetaPathFinder):
    """pandas comes with chdb, not with tbes; where it is installed pyarrow imports it, for a quarter of a second."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def _fields(kind: str) -> list[str]:
    from pipeline.logs.kinds import SMTP_FIELDS, TRACKING_FIELDS

    return list(TRACKING_FIELDS[30] if kind == "message-tracking" else SMTP_FIELDS)


def peak_megabytes() -> float | None:
    """Peak resident memory of this process; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    """Run one tool and print what it took."""
    tool, kind, logs, out = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    if tool in ("tbes", "keyed"):
        sys.meta_path.insert(0, _NoPandas())
    work = {"tbes": tbes, "keyed": keyed, "polars": polars, "duckdb": duckdb, "chdb": chdb}[tool](
        kind, logs, out
    )
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    print(
        json.dumps(
            {"seconds": seconds, "cpu": time.process_time(), "peak_mb": peak_megabytes(), "bytes": size}
        )
    )


if __name__ == "__main__":
    main()
