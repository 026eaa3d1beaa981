"""Compaction changes files and nothing that is read from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import compaction
from pipeline.store.cleaning import clean
from pipeline.store.compaction import compact
from pipeline.store.delta import Conflict
from tests.store.maintained import adds_up, in_small_steps, ingest, organisations, part_files, query, reports


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def test_few_files_and_the_same_reports(root: Path) -> None:
    store = in_small_steps(root)
    before, files = reports(store), len(part_files(store))
    lines = query(store, "select * exclude (raw_line) from message_tracking_lines order by all")
    done = compact(store)
    cleaned = clean(store, grace_hours=0)
    assert reports(store) == before
    assert query(store, "select * exclude (raw_line) from message_tracking_lines order by all") == lines
    assert adds_up(store)
    # three organisations, two tables, one month each
    assert len(part_files(store)) == 6
    assert done.parts_before - done.parts_after == files - 6 > 5
    assert done.parts_before == cleaned.files
    assert done.partitions == done.parts_after


def test_what_was_read_stays_known(root: Path) -> None:
    store = in_small_steps(root, count=1)
    (folder,) = organisations()[:1]
    compact(store)
    again = ingest(store, root / "logs" / folder.name, folder.name)
    assert again.count("new") == again.count("grown") == 0
    log = next(path for path in (root / "logs").rglob("MSGTRK*.LOG"))
    last = log.read_bytes().rstrip().rsplit(b"\n", 1)[1]
    log.write_bytes(log.read_bytes().rstrip(b"\r\n") + b"\r\n" + last + b"\r\n")
    grown = ingest(store, root / "logs" / folder.name, folder.name)
    assert (grown.count("grown"), grown.total("rows")) == (1, 1)
    assert adds_up(store)


def test_a_compact_store_is_left_alone(root: Path) -> None:
    store = in_small_steps(root, count=1)
    compact(store)
    files = part_files(store)
    assert compact(store).partitions == 0
    assert part_files(store) == files


def test_one_organisation(root: Path) -> None:
    store = in_small_steps(root, count=2)
    one = organisations()[0].name
    compact(store, one)
    by_organisation = {
        name: sum(part.organisation == name for snapshot in store.snapshot() for part in snapshot.parts)
        for name in (one, organisations()[1].name)
    }
    assert by_organisation[one] == 2 < by_organisation[organisations()[1].name]


def test_a_part_is_filled_up_to_its_size(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = in_small_steps(root, count=1)
    before = reports(store)
    monkeypatch.setattr(compaction, "PART_ROWS", 200)
    compact(store)
    sizes = [part.rows for snapshot in store.snapshot() for part in snapshot.parts]
    assert len(sizes) > 2
    assert reports(store) == before


def test_an_ingest_that_commits_first_is_seen(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = in_small_steps(root, count=1)
    commit, tried = store.tables["message_tracking"].commit, []

    def first_fails(*arguments: object) -> None:
        tried.append(arguments)
        if len(tried) == 1:
            raise Conflict
        commit(*arguments)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(store.tables["message_tracking"], "commit", first_fails)
    compact(store)
    assert len(tried) == 2
    clean(store, grace_hours=0)
    assert len(part_files(store)) == 2
    assert adds_up(store)


@pytest.mark.parametrize("step", ["pipeline.store.parts.fsync", "pipeline.store.delta.Table.commit"])
def test_a_full_disk_leaves_the_store_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store = in_small_steps(root, count=1)
    before, files = reports(store), part_files(store)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(step, full)
        with pytest.raises(OSError, match="No space left"):
            compact(store)
    assert part_files(store) == files
    assert reports(store) == before
