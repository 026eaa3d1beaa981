"""A disk that is full, and a store that cannot be written: one sentence, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.store.store import Store
from tests.store.maintained import SAMPLES, adds_up, ingest, part_files, query

_RUN = """
import errno, os, sys
from unittest import mock

def refuse(*_, **__):
    raise OSError(errno.{error}, os.strerror(errno.{error}), "a file of the store")

from pipeline.cli import main
import pipeline.ingest.run, pipeline.store.parts, pipeline.store.locks
with mock.patch("{target}", refuse):
    main(sys.argv[1:])
"""


def _ingest(store: Path, target: str, error: str) -> subprocess.CompletedProcess[str]:
    code = _RUN.format(target=target, error=error)
    arguments = ["ingest", str(SAMPLES), "--quiet", "--max-bad", "10", "--store", str(store)]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_a_full_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    full = _ingest(store.root, "pipeline.store.parts.fsync", "ENOSPC")
    assert full.returncode == 1
    assert full.stderr == (
        "Error: a file of the store: No space left on device. What was committed is kept; make room or give the right "
        "to write, and run it again.\n"
    )
    assert part_files(store) == []


def test_what_was_committed_before_is_kept_and_the_rest_follows(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    whole = Store(tmp_path / "whole")
    first, second = sorted(path for path in SAMPLES.iterdir() if path.is_dir())[:2]
    for target in (store, whole):
        ingest(target, first, first.name)
    before = query(store, "select count(*) from message_tracking")
    full = _ingest(store.root, "pipeline.store.parts.fsync", "ENOSPC")
    assert full.returncode == 1
    assert query(store, "select count(*) from message_tracking") == before
    for target in (store, whole):
        ingest(target, second, second.name)
    everything = "select * exclude (raw_line) from message_tracking order by all"
    assert query(store, everything) == query(whole, everything)
    assert adds_up(store)


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    refused = _ingest(store.root, "pipeline.ingest.run.writing", "EROFS")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: a file of the store: Read-only file system.")
    assert refused.stderr.count("\n") == 1
