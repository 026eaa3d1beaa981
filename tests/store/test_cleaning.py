"""Clean-up deletes what nobody needs, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.reference.catalogue import Catalogue
from pipeline.sql import MissingFile, Session
from pipeline.store.cleaning import clean
from pipeline.store.compaction import compact
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
