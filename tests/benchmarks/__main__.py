"""`python -m tests.benchmarks [--megabytes 300] [--rounds 3] [--files 5000] [--growth 0] [--large STORE] [--json FILE]`

In one run, on the same generated files: this ingest, the same with pseudonyms (keyed), bare Polars, bare DuckDB and
chdb (if installed: pip install chdb), in turn, each in a process of its own; medians, ratios of each round, peak memory.
Then an ingest of many small files, of the same unchanged, and with one grown; time against input up to `--growth`
megabytes; reports on the store `--large` (made by `python -m tests.benchmarks.scale STORE`); the time of `--help`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.generator import write_bulk

TOOLS = ("tbes", "keyed", "polars", "duckdb", *(["chdb"] if importlib.util.find_spec("chdb") else []))
TBES = (sys.executable, "-c", "from pipeline.cli import main; main()")
KINDS = ("message-tracking", "smtp-send")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--growth", type=int, default=0)
    parser.add_argument("--large", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tbes-bench-") as folder:
        for kind in KINDS:
            results[kind] = throughput(Path(folder) / kind, kind, options.megabytes, options.rounds)
        large = results["message-tracking"]["tbes"]
        results["small files"] = small_files(Path(folder) / "many", options.files, large)
        if options.growth:
            results["growth"] = growth(Path(folder) / "growth", options.growth)
    if options.large:
        results["large store"] = reports(options.large)
    results["help_s"] = help_time()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def throughput(folder: Path, kind: str, megabytes: int, rounds: int) -> dict[str, Any]:
    """Rounds of all tools on the same files."""
    write_bulk(folder / "logs", megabytes, kind, files=max(4, megabytes // 75))  # type: ignore[arg-type]  # a known kind
    size = sum(path.stat().st_size for path in (folder / "logs").rglob("*.LOG")) / 1e6
    runs: dict[str, list[dict[str, float]]] = {tool: [] for tool in TOOLS}
    for _ in range(rounds):
        for tool in TOOLS:
            shutil.rmtree(folder / "out", ignore_errors=True)
            (folder / "out").mkdir()
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.child",
                tool,
                kind,
                str(folder / "logs"),
                str(folder / "out"),
            ]
            runs[tool].append(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    print(f"{kind}: {size:.0f} MB, {rounds} rounds in turn")
    print(f"  {'tool':8}{'MB/s':>8}{'CPU s':>8}{'peak MB':>9}{'Parquet MB':>12}{'speed of tbes to it':>22}")
    result: dict[str, Any] = {"megabytes": size}
    for tool in TOOLS:
        seconds = statistics.median(run["seconds"] for run in runs[tool])
        ratio = statistics.median(
            other["seconds"] / own["seconds"] for own, other in zip(runs["tbes"], runs[tool], strict=True)
        )
        peak = max(run["peak_mb"] or 0 for run in runs[tool])
        result[tool] = {
            "mb_per_s": size / seconds,
            "cpu_s": statistics.median(run["cpu"] for run in runs[tool]),
            "peak_mb": peak,
            "parquet_mb": runs[tool][-1]["bytes"] / 1e6,
            "ratio": ratio,
        }
        row = result[tool]
        print(
            f"  {tool:8}{row['mb_per_s']:8.0f}{row['cpu_s']:8.2f}{peak:9.0f}{row['parquet_mb']:12.1f}"
            + (f"{ratio:21.2f}x" if tool != "tbes" else "")
        )
    shutil.rmtree(folder)
    return result


def small_files(folder: Path, files: int, large: dict[str, Any]) -> dict[str, Any]:
    """Hourly files of 40 KB: the first ingest, again unchanged, and again after one of 10 MB grew; whole processes."""
    write_bulk(folder / "logs", files * 0.04, "message-tracking", files=files, servers=20)
    ingest = (
        *TBES,
        "ingest",
        str(folder / "logs"),
        "--organisation",
        "bulk",
        "--quiet",
        "--store",
        str(folder / "store"),
    )
    first = timed(*ingest)
    again = statistics.median(timed(*ingest)["seconds"] for _ in range(3))
    extra = folder / "extra"
    write_bulk(extra, 12, "smtp-send", files=1, servers=1)
    (log,) = extra.rglob("*.LOG")
    whole = log.read_bytes()
    cut = whole.rfind(b"\n", 0, 2_000_000) + 1
    grown = folder / "logs" / "bulk" / "SEND2026100100-1.LOG"
    grown.write_bytes(whole[:cut])
    subprocess.run(ingest, check=True)
    grown.write_bytes(whole)
    with_grown = timed(*ingest)["seconds"]
    speed = files * 0.04 / first["seconds"]
    print(
        f"{files} files of 40 KB: first ingest {first['seconds']:.2f} s ({speed:.0f} MB/s, "
        f"{speed / large['mb_per_s']:.2f} x that of large files; peak {first['peak_mb']:.0f} MB), "
        f"unchanged {again:.2f} s, one grown by 10 MB {with_grown:.2f} s"
    )
    return {
        "files": files,
        "first_s": first["seconds"],
        "to_large_files": speed / large["mb_per_s"],
        "unchanged_s": again,
        "grown_s": with_grown,
        "peak_mb": first["peak_mb"],
    }


def growth(folder: Path, largest: int) -> dict[str, Any]:
    """Seconds of the whole process against input, doubled from size to size; the exponent by least squares of logarithms."""
    points = []
    size = largest
    while size >= 100 and len(points) < 6:
        write_bulk(folder / "logs", size, "message-tracking", files=max(4, size // 75))
        taken = timed(
            *TBES,
            "ingest",
            str(folder / "logs"),
            "--organisation",
            "bulk",
            "--quiet",
            "--store",
            str(folder / "store"),
        )
        points.append((size, taken["seconds"], taken["peak_mb"]))
        shutil.rmtree(folder)
        size //= 2
    x, y = [math.log(point[0]) for point in points], [math.log(point[1]) for point in points]
    slope = statistics.linear_regression(x, y).slope if len(points) > 1 else float("nan")
    listed = ", ".join(
        f"{size} MB {seconds:.2f} s (peak {peak:.0f} MB)" for size, seconds, peak in reversed(points)
    )
    print(f"growth: {listed}: exponent {slope:.2f}")
    return {"points": points, "exponent": slope}


def reports(store: Path) -> dict[str, Any]:
    """Reports on a large store (`python -m tests.benchmarks.scale STORE`), whole processes: the first time and again."""
    shutil.rmtree(store / "views", ignore_errors=True)
    exposure = (*TBES, "report", "--store", str(store), "--as-of", "2026-11-01T00:00Z")
    refusals = (
        *TBES, "report", "refusals", "--store", str(store), "--organisation", "customer-01",
        "--since", "2026-10-10", "--until", "2026-10-11", "--format", "csv",
    )  # fmt: skip
    first = timed(*exposure)["seconds"]
    again = statistics.median(timed(*exposure)["seconds"] for _ in range(3))
    day = statistics.median(timed(*refusals)["seconds"] for _ in range(3))
    print(
        f"large store: exposure {first:.2f} s the first time, {again:.2f} s again; refusals of a day {day:.2f} s"
    )
    return {"exposure_first_s": first, "exposure_again_s": again, "refusals_day_s": day}


def help_time() -> float:
    """Seconds of `tbes --help`, the median of ten."""
    seconds = statistics.median(timed(*TBES, "--help")["seconds"] for _ in range(10))
    print(f"tbes --help {seconds:.3f} s")
    return seconds


def timed(*command: str) -> dict[str, float]:
    """Seconds and peak memory (MB; 0 where the system does not tell) of a process. Raises RuntimeError if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0.0
    if sys.platform == "win32":
        process.wait()
    else:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return {"seconds": time.perf_counter() - started, "peak_mb": peak}


if __name__ == "__main__":
    main()
