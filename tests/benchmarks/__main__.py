"""`python -m tests.benchmarks [--megabytes 300] [--rounds 3] [--files 5000] [--json FILE]`

In one run, on the same generated files: this ingest, the same with pseudonyms (keyed), bare Polars and bare DuckDB, in
turn, each in a process of its own; medians, ratios of each round, peak memory. Then an ingest of many unchanged files, the whole process.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.generator import write_bulk

TOOLS = ("tbes", "keyed", "polars", "duckdb")
KINDS = ("message-tracking", "smtp-send")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="tbes-bench-") as folder:
        for kind in KINDS:
            results[kind] = throughput(Path(folder) / kind, kind, options.megabytes, options.rounds)
        results["unchanged"] = unchanged(Path(folder) / "many", options.files)
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


def unchanged(folder: Path, files: int) -> dict[str, Any]:
    """Ingest many small files, then again: the whole process of the second run."""
    write_bulk(folder / "logs", files * 0.04, "message-tracking", files=files, servers=20)
    command = [
        sys.executable,
        "-c",
        "from pipeline.cli import main; main()",
        "ingest",
        str(folder / "logs"),
        "--quiet",
        "--store",
        str(folder / "store"),
    ]
    times = []
    for _ in range(4):
        started = time.perf_counter()
        subprocess.run(command, check=True)
        times.append(time.perf_counter() - started)
    again = statistics.median(times[1:])
    print(
        f"{files} files of 40 KB: first ingest {times[0]:.2f} s ({files * 0.04 / times[0]:.0f} MB/s), unchanged {again:.2f} s"
    )
    return {"files": files, "first_s": times[0], "again_s": again}


if __name__ == "__main__":
    main()
