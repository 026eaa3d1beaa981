"""Logs are ingested while they are written: at the end every line is in the store once, with its line number."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.ingest.run import Ingest
from pipeline.ingest.summary import Summary
from pipeline.logs.assign import Rules
from pipeline.store.store import Store
from tests.ingest.place import HOSTS

from .contents import contents
from .operations import ROOT, run
from .outcome import Outcome
from .reader import Reader

HEADER_LINES = 5
DAYS = 2 * 24 * 3600
"""Files that nobody wrote to for so long are settled."""


def live(folder: Path, *, seconds: float, seed: int) -> Outcome:
    """A writer process, ingests every few hundred milliseconds (each tenth a `tbes ingest` of its own process), and a reader."""
    outcome, chance, reader = Outcome("live"), random.Random(seed), Reader()
    logs, root, told = folder / "logs", folder / "store", folder / "written.json"
    logs.mkdir(parents=True)
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.trials.writer", str(logs), str(seed), str(told)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert writer.stdin
    assert writer.stdout
    assert writer.stdout.readline().strip() == b"ready"
    reader.watch(root)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        outcome.count("ingests while it was written")
        if outcome.counts["ingests while it was written"] % 10 == 5:
            run(["ingest", "--quiet", "--max-bad", "100000", str(logs)], root, batch=None)
        else:
            _ingest(root, logs, outcome)
        time.sleep(chance.uniform(0.1, 0.4))
    writer.communicate(b"end\n", timeout=60)
    outcome.check(writer.returncode == 0, "the writer ended well", f"exit code {writer.returncode}")
    document = json.loads(told.read_text(encoding="utf-8"))
    settled = time.time() - DAYS
    for path in logs.rglob("*.LOG"):
        # A copy that ends within its first row is a log of its own: of one row, which is damaged.
        if path.parent.name != "copies" or path.read_bytes().count(b"\n") > HEADER_LINES:
            os.utime(path, (settled, settled))
    _ingest(root, logs, outcome)
    for event, count in document["events"].items():
        outcome.count(f"written: {event}", count)
    _compare(root, document["written"], outcome)
    again = _ingest(root, logs, outcome).as_json()["lines"]
    outcome.check(again["read"] == 0, "once more reads nothing", f"{again}")
    seen, failures = reader.end()
    for what, count in seen.items():
        outcome.count(f"reader: {what}", count)
    outcome.failures += [f"reader: {failure}" for failure in failures]
    return outcome


def _ingest(root: Path, logs: Path, outcome: Outcome) -> Summary:
    summary = Ingest(Store(root), HOSTS, Rules(), workers=2).run([logs])
    lines = summary.as_json()["lines"]
    parts = ("header", "rows", "quarantined", "pending")
    outcome.check(
        lines["read"] == sum(lines[name] for name in parts), "summaries that add up", f"{summary.as_json()}"
    )
    for report in summary.files:
        # A log that is moved between the listing and the reading is named, and read the next time.
        if report.outcome == "failed":
            outcome.count(f"named as failed: {report.note}")
    return summary


def _compare(root: Path, written: list[list[Any]], outcome: Outcome) -> None:
    """Every row and damaged line once, at its line."""
    stored: Counter[tuple[str, Any, int]] = Counter()
    for snapshot in Store(root).snapshot():
        for part in snapshot.parts:
            table = pq.read_table(snapshot.root / part.path, partitioning=None, memory_map=False)
            for line in table.to_pylist():
                if line["parse_error"] is not None:
                    key: Any = line["raw_line"]
                elif snapshot.name == "message_tracking":
                    key = int(line["internal_message_id"])
                else:
                    key = line["sequence_number"]
                stored[snapshot.name, key, line["source_line"]] += 1
    expected = Counter((table, key, line) for table, key, line in written)
    outcome.count("lines compared", expected.total())
    missing, more = expected - stored, stored - expected
    outcome.check(not missing, "no line is missing", f"{missing.total()}, as {sorted(missing, key=repr)[:5]}")
    outcome.check(not more, "no line is there twice", f"{more.total()}, as {sorted(more, key=repr)[:5]}")
    try:
        contents(root)
    except AssertionError as error:
        outcome.failures.append(str(error))
    else:
        outcome.count("states whose counts add up")
