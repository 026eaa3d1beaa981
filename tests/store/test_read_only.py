"""A store that really cannot be written: no function is replaced, the system itself refuses."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipeline.store.store import Store
from tests.imports.samples import TRUE_DATES, format_list
from tests.store.maintained import AS_OF, SAMPLES, adds_up, in_small_steps, ingest, organisations, query

pytestmark = pytest.mark.skipif(
    sys.platform == "win32",
    reason="a folder's read-only attribute denies nothing there; rights are lists that Python cannot set",
)
ROOT = Path(__file__).parents[2]
EVERYTHING = "select * exclude (raw_line) from message_tracking order by all"
WRITING = {
    "ingest": ["ingest", str(organisations()[1]), "--max-bad", "10", "--quiet"],
    "ingest of nothing new": ["ingest", str(organisations()[0]), "--max-bad", "10", "--quiet"],
    "compact": ["compact", "--quiet"],
    "purge": ["purge", "--older-than", "2026-11-23T10:00Z", "--yes", "--quiet"],
    "purge of everything": ["purge", "--organisation", "alderbrook", "--everything", "--yes", "--quiet"],
    "import-report": ["import-report", "{report}", "--organisation", "alderbrook"],
}


def child(how: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.store.read_only", how, str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def deny(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)


def allow(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, b"" if path.is_dir() else path.read_bytes())
        for path in sorted((folder, *folder.rglob("*")))
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return in_small_steps(tmp_path_factory.mktemp("written"), count=1)


@cache
def denies(how: str) -> str:
    """Why writing cannot be denied so here; empty if it can."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "closed")
        folder.mkdir()
        deny(folder)
        tried = child(how, folder)
        allow(folder)
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else ""


def closed(store: Store, how: str) -> None:
    """Deny writing to a store; skip where that cannot be."""
    if why := denies(how):
        pytest.skip(f"writing cannot be denied so here: {why}")
    if how == "rights":
        deny(store.root)


@pytest.fixture
def store(written: Store, tmp_path: Path) -> Iterator[Store]:
    """A copy that can be written."""
    copy = Store(tmp_path / "store")
    shutil.copytree(written.root, copy.root)
    yield copy
    allow(copy.root)


@pytest.mark.parametrize(
    ("how", "command"), [*(("rights", name) for name in WRITING), ("mount", "ingest"), ("mount", "purge")]
)
def test_what_would_write_ends_in_one_sentence_and_loses_nothing(
    store: Store, tmp_path: Path, how: str, command: str
) -> None:
    closed(store, how)
    report = tmp_path / "report.txt"
    report.write_text(format_list(TRUE_DATES), encoding="utf-8")
    arguments = [argument.format(report=report) for argument in WRITING[command]]
    before, rows = contents(store.root), query(store, EVERYTHING)
    refused = child(how, store.root, *arguments, "--store", str(store.root))
    assert (refused.returncode, refused.stdout) == (1, ""), refused.stderr
    assert refused.stderr.startswith("Error: ") and refused.stderr.count("\n") == 1, refused.stderr
    assert str(store.root) in refused.stderr
    assert {"rights": "Permission denied", "mount": "Read-only file system"}[how] in refused.stderr
    assert contents(store.root) == before
    assert query(store, EVERYTHING) == rows
    allow(store.root)
    done = child("rights", store.root, *arguments, "--store", str(store.root))
    assert done.returncode == 0, done.stderr
    if command == "purge of everything":
        assert query(store, EVERYTHING) == []
    else:
        assert adds_up(store)


@pytest.mark.parametrize("arguments", [["report", "exposure"], ["sql", "select count(*) from servers"]])
def test_what_only_reads_reads(store: Store, arguments: list[str]) -> None:
    how = "rights"
    closed(store, how)
    before = contents(store.root)
    moment = ["--as-of", AS_OF.isoformat(), "--format", "csv", "--store", str(store.root)]
    read = child(how, store.root, *arguments, *moment)
    assert (read.returncode, read.stderr) == (0, "")
    assert contents(store.root) == before
    allow(store.root)
    assert child("rights", store.root, *arguments, *moment).stdout == read.stdout != ""


def test_what_cannot_be_deleted_is_named_and_stays(store: Store) -> None:
    """Clean-up finds the part of a killed run."""
    how = "rights"
    part = next(iter((store.root / "message_tracking").rglob("part-*.parquet")))
    left = part.with_name("part-0123456789ab-00001.parquet")
    shutil.copy(part, left)
    closed(store, how)
    rows = query(store, EVERYTHING)
    cleaned = child(how, store.root, "clean", "--store", str(store.root))
    assert cleaned.stdout == "0 files of 0.0 MB that nobody needs deleted.\n"
    assert (cleaned.returncode, cleaned.stderr) == (
        0,
        f"{left} stays until the next time: Permission denied\n",
    )
    assert left.exists()
    assert query(store, EVERYTHING) == rows
    allow(store.root)
    assert child("rights", store.root, "clean", "--store", str(store.root)).returncode == 0
    assert not left.exists()
    assert query(store, EVERYTHING) == rows


@pytest.mark.parametrize("folder", ["message_tracking/_delta_log", "smtp_protocol", "runs"])
def test_a_store_of_which_one_folder_cannot_be_written(
    store: Store, written: Store, tmp_path: Path, folder: str
) -> None:
    """What was written before the refusal is deleted, or committed; run again, it is as if there had been none."""
    if why := denies("rights"):
        pytest.skip(f"writing cannot be denied so here: {why}")
    (store.root / "runs").mkdir(exist_ok=True)
    part, second = store.root / folder, organisations()[1]
    deny(part)
    arguments = ["ingest", str(second), "--max-bad", "10", "--organisation", second.name, "--quiet"]
    refused = child("rights", part, *arguments, "--store", str(store.root))
    allow(part)
    assert refused.returncode == 1, refused.stderr
    assert refused.stderr.startswith("Error: ") and refused.stderr.count("\n") == 1, refused.stderr
    assert "ermission denied" in refused.stderr
    assert adds_up(store)
    for table, snapshot in zip(store.tables, store.snapshot(), strict=True):
        there = {
            path.relative_to(snapshot.root).as_posix() for path in (store.root / table).rglob("*.parquet")
        }
        assert there == {live.path for live in snapshot.parts}, "nothing of it is left"
    again = child("rights", part, *arguments, "--store", str(store.root))
    assert again.returncode == 0, again.stderr
    whole = Store(tmp_path / "whole")
    shutil.copytree(written.root, whole.root)
    ingest(whole, second, second.name)
    assert query(store, EVERYTHING) == query(whole, EVERYTHING)
    assert adds_up(store)


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    if why := denies("rights"):
        pytest.skip(f"writing cannot be denied so here: {why}")
    parent = tmp_path / "parent"
    parent.mkdir()
    deny(parent)
    refused = child("rights", parent, "ingest", str(SAMPLES), "--quiet", "--store", str(parent / "store"))
    allow(parent)
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ") and refused.stderr.count("\n") == 1, refused.stderr
    assert "ermission denied" in refused.stderr and str(parent) in refused.stderr
    assert list(parent.iterdir()) == []
