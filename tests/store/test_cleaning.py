"""Clean-up deletes what nobody needs, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.reference.catalogue import Catalogue
from pipeline.sql import MissingFile, Session
from pipeline.store.cleaning import clean
from pipeline.store.compaction import compact
from pipeline.store.imported import RUN as IMPORTING
from pipeline.store.locks import writing
from pipeline.store.store import Store
from tests.store.maintained import adds_up, in_small_steps, ingest, organisations, part_files


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return in_small_steps(tmp_path, count=1)


def _orphan(store: Store, run: str) -> Path:
    """A part as a killed run leaves it: written, and never committed."""
    part = part_files(store)[0]
    orphan = part.with_name(f"part-{run}-00001.parquet")
    shutil.copy(part, orphan)
    return orphan


def test_what_a_killed_run_left_goes(store: Store) -> None:
    files = part_files(store)
    orphan = _orphan(store, "0123456789ab")
    cleaned = clean(store)
    assert (cleaned.files, cleaned.left) == (1, [])
    assert not orphan.exists()
    assert part_files(store) == files


def test_what_a_run_under_way_has_written_stays(store: Store) -> None:
    orphan = _orphan(store, "0123456789ab")
    with writing(store.root, "0123456789ab"):
        assert clean(store, grace_hours=0).files == 0
        assert orphan.exists()
    assert clean(store).files == 1


def test_replaced_files_stay_for_the_reports_that_read_them(store: Store) -> None:
    compact(store)
    before = len(part_files(store))
    assert clean(store).files == 0
    assert len(part_files(store)) == before
    assert clean(store, grace_hours=0).files == before - 2
    assert adds_up(store)


def test_an_ingest_ends_with_it(store: Store, tmp_path: Path) -> None:
    orphan = _orphan(store, "0123456789ab")
    second = organisations()[1]
    ingest(store, second, second.name)
    assert not orphan.exists()


def _aged(path: Path, hours: float) -> Path:
    path.write_text("half", encoding="utf-8")
    when = time.time() - hours * 3600
    os.utime(path, (when, when))
    return path


def test_what_a_killed_import_left_goes(store: Store) -> None:
    old = _aged(store.root / ".imported_reports.json.4711.tmp", 2)
    fresh = _aged(store.root / ".imported_reports.json.4712.tmp", 0.5)
    mine = _aged(store.root / ".notes.tmp", 2)
    kept = _aged(store.root / "imported_reports.json", 2)
    assert clean(store).files == 1
    assert [path.exists() for path in (old, fresh, mine, kept)] == [False, True, True, True]
    assert clean(store, grace_hours=0).files == 1
    assert [path.exists() for path in (fresh, mine, kept)] == [False, True, True]


def test_what_an_import_under_way_has_written_stays(store: Store) -> None:
    half = _aged(store.root / ".imported_reports.json.4711.tmp", 2)
    with writing(store.root, IMPORTING):
        assert clean(store, grace_hours=0).files == 0
        assert half.exists()
    assert clean(store, grace_hours=0, organisation=organisations()[0].name).files == 1


@pytest.mark.parametrize(
    "name", ["00000000000000000009.json#1", "_last_checkpoint#12", "00000000000000000009.json.tmp"]
)
def test_a_commit_that_was_not_finished_goes(store: Store, name: str) -> None:
    half = _aged(store.tables["message_tracking"].root / "_delta_log" / name, 0.5)
    assert clean(store).files == 0
    with writing(store.root, "0123456789ab"):
        assert clean(store, grace_hours=0).files == 0
        assert half.exists()
    assert clean(store, grace_hours=0).files == 1
    assert adds_up(store)


_KILLED_IN_A_COMMIT = """
import resource, signal, sys
from pathlib import Path
from pipeline.store.store import Store

tables = Store(Path(sys.argv[1])).tables
assert tables["message_tracking"].open()
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
tables["message_tracking"].commit([], tables["message_tracking"].parts())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size kills a process there")
def test_what_a_process_left_that_was_killed_in_a_commit_goes(store: Store) -> None:
    """Killed while delta-rs writes the commit: the name that it gives it till then is one that clean-up knows."""
    log = store.tables["message_tracking"].root / "_delta_log"
    before = set(log.iterdir())
    killed = subprocess.run([sys.executable, "-c", _KILLED_IN_A_COMMIT, str(store.root)], check=False)
    assert killed.returncode == -signal.SIGXFSZ
    assert len(set(log.iterdir()) - before) == 1
    clean(store, grace_hours=0)
    assert set(log.iterdir()) == before
    assert adds_up(store)


def test_other_files_are_nobodys_business(store: Store) -> None:
    mine = part_files(store)[0].with_name("notes.parquet")
    mine.write_bytes(b"mine")
    clean(store, grace_hours=0)
    assert mine.exists()


def test_one_organisation(tmp_path: Path) -> None:
    store = in_small_steps(tmp_path / "two", count=2)
    orphans = [
        _orphan_of(store, folder.name, f"00000000000{number}")
        for number, folder in enumerate(organisations()[:2])
    ]
    clean(store, organisation=organisations()[0].name)
    assert [path.exists() for path in orphans] == [False, True]


def _orphan_of(store: Store, organisation: str, run: str) -> Path:
    part = next(path for path in part_files(store) if f"organisation={organisation}" in path.as_posix())
    orphan = part.with_name(f"part-{run}-00001.parquet")
    shutil.copy(part, orphan)
    return orphan


@pytest.mark.parametrize("report", ["servers", "refusals"])
def test_a_report_whose_files_are_gone_is_told_so(store: Store, report: str) -> None:
    """What runs a report takes a new look at the store then."""
    with Session(store.snapshot(), Catalogue()) as session:
        compact(store)
        clean(store, grace_hours=0)
        with pytest.raises(MissingFile):
            session.report(report)
    with Session(store.snapshot(), Catalogue()) as session:
        compact(store)
        for path in part_files(store):
            path.unlink()
        with pytest.raises(MissingFile):
            session.query("select count(*) from message_tracking")
