"""A disk that is full, and a store that cannot be written: one sentence, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.store import Store
from tests.store.maintained import SAMPLES, adds_up, in_small_steps, ingest, part_files, query

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


_NO_LARGER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
from pipeline.cli import main
main()
"""


def _limited(limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """tbes where no file can grow beyond so many bytes: what is written really fails, in whatever library."""
    return subprocess.run(
        [sys.executable, "-c", _NO_LARGER.format(limit=limit), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such limit there")
@pytest.mark.parametrize("command", ["ingest", "compact", "purge"])
def test_a_write_that_really_fails_is_one_sentence_and_loses_nothing(tmp_path: Path, command: str) -> None:
    store = in_small_steps(tmp_path, count=1)
    second = sorted(path for path in SAMPLES.iterdir() if path.is_dir())[1]
    everything = "select * exclude (raw_line) from message_tracking order by all"
    before, files = query(store, everything), part_files(store)
    arguments = {
        "ingest": ["ingest", str(second), "--max-bad", "10"],
        "compact": ["compact"],
        # newer than its oldest lines
        "purge": ["purge", "--older-than", "2026-11-23T10:00Z", "--yes"],
    }[command]
    failed = _limited(3_000, *arguments, "--quiet", "--store", str(store.root))
    assert failed.returncode == 1, failed.stderr
    assert failed.stderr.startswith("Error: ") and failed.stderr.count("\n") == 1, failed.stderr
    assert "too large" in failed.stderr.lower()
    assert query(store, everything) == before
    assert part_files(store) == files, "nothing of it is left"
    assert adds_up(store)
    again = _limited(1 << 30, *arguments, "--quiet", "--store", str(store.root))
    assert again.returncode == 0, again.stderr
    assert adds_up(store)


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such limit there")
def test_a_store_that_really_cannot_be_made_says_why(tmp_path: Path) -> None:
    failed = _limited(50, "ingest", str(SAMPLES), "--quiet", "--store", str(tmp_path / "store"))
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"Error: The table {tmp_path / 'store'}")
    assert "File too large" in failed.stderr and failed.stderr.count("\n") == 1, failed.stderr
