"""The sample logs, ingested for tests as of a fixed time."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.commands import hosts_of
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Rules
from pipeline.reference.catalogue import Catalogue
from pipeline.store.store import Store

SAMPLES = Path(__file__).resolve().parents[1] / "sample_logs"
AS_OF = datetime(2026, 11, 24, 18, tzinfo=UTC)


def copy_samples(to: Path, *, settled: bool = False) -> Path:
    """A copy of the sample logs whose files were just written or, if `settled`, two days before AS_OF."""
    shutil.copytree(SAMPLES, to)
    age = timedelta(days=2) if settled else timedelta()
    moment = (datetime.now(UTC) - age).timestamp()
    for path in to.rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))
    return to


def ingest_samples(store: Path, logs: Path = SAMPLES) -> Store:
    """Ingest the sample logs into a store at that path."""
    target = Store(store)
    Ingest(target, hosts_of(Catalogue()), Rules()).run([logs])
    return target
