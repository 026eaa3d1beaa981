"""The tables: commits that are guarded, statistics that prune and hide nothing, paths of any kind."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.errors import TbesError, UsageError
from pipeline.logs import smtp_protocol
from pipeline.store.delta import Conflict, Part, Table
from pipeline.store.parts import PartWriter
from pipeline.store.store import TABLES, Store, read_ranges

from .entries import entry

COLUMNS = smtp_protocol.COLUMNS


def part(table: Table, *, rows: int = 2, organisation: str = "contoso", month: str = "2026-11") -> Part:
    """Write a part of rows that say nothing but when they were."""
    writer = PartWriter(table.root, COLUMNS)
    values = {
        field.name: pa.array([datetime(2026, 11, 20, 8, 0, n, 1_500, UTC) for n in range(rows)], field.type)
        if field.name == "date_time"
        else pa.nulls(rows, field.type)
        for field in writer.schema
    }
    return writer.write(pa.table(values), organisation, month, [entry(organisation=organisation, rows=rows)])


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path / "smtp_protocol", COLUMNS)
    made.create()
    return made


def again(table: Table) -> Table:
    """Another handle on the same table, as another process has it."""
    other = Table(table.root, COLUMNS)
    assert other.open()
    return other


def test_a_commit_is_seen_by_all(table: Table) -> None:
    one = part(table)
    table.commit([one], [])
    assert (
        [found.path for found in table.parts()]
        == [found.path for found in again(table).parts()]
        == [one.path]
    )
    (found,) = table.parts()
    assert (found.rows, found.organisation, found.month, found.refusals, found.size) == (
        2,
        "contoso",
        "2026-11",
        0,
        one.size,
    )
    assert found.first_time == datetime(2026, 11, 20, 8, 0, 0, 1_000, UTC)
    # Rounded up, or a query on the last row's time would not find it.
    assert found.last_time == datetime(2026, 11, 20, 8, 0, 1, 2_000, UTC)


def test_rows_are_on_disk_before_their_commit_and_the_commit_before_it_returns(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut no commit names a part that is not whole."""
    forced: list[str] = []
    for module in ("delta", "parts"):
        monkeypatch.setattr(f"pipeline.store.{module}.fsync", lambda path: forced.append(path.name))
    one = part(table)
    assert forced == [Path(one.path).name]
    table.commit([one], [])
    assert forced[1:] == ["00000000000000000001.json", "_delta_log"]


def test_of_two_commits_from_one_state_the_second_is_refused(table: Table) -> None:
    other = again(table)
    table.commit([part(table)], [])
    late = part(other)
    with pytest.raises(Conflict):
        other.commit([late], [])
    assert len(again(table).parts()) == 1
    other.open()
    other.commit([late], [])
    assert len(again(table).parts()) == 2


def test_a_part_is_removed_once(table: Table) -> None:
    one = part(table)
    table.commit([one], [])
    other = again(table)
    table.commit([part(table)], [one])
    with pytest.raises(Conflict):
        other.commit([part(other)], [one])
    other.open()
    with pytest.raises(Conflict):
        other.commit([part(other)], [one])
    assert len(again(table).parts()) == 1


def test_many_commits_stay_guarded(table: Table) -> None:
    """Beyond a checkpoint the version is still read from the state that commits."""
    for _ in range(12):
        table.open()
        table.commit([part(table, rows=1)], [])
    stale = again(table)
    table.commit([part(table, rows=1)], [])
    with pytest.raises(Conflict):
        stale.commit([part(stale, rows=1)], [])
    assert sum(found.rows for found in again(table).parts()) == 13


def test_no_text_of_a_row_stands_in_the_log(table: Table) -> None:
    table.commit([part(table)], [])
    for path in (table.root / "_delta_log").glob("*.json"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if add := json.loads(line).get("add"):
                statistics = json.loads(add["stats"])
                assert set(statistics) == {"numRecords", "nullCount", "minValues", "maxValues"}
                assert set(statistics["minValues"]) == set(statistics["maxValues"]) == {"date_time"}


@pytest.mark.parametrize("name", ["a b", "Ümläut", "100%", "x[1]", "q'uote", "plus+and&", "star*"])
def test_stores_of_any_name(tmp_path: Path, name: str) -> None:
    try:
        (tmp_path / name).mkdir()
    except OSError:
        pytest.skip("not a name of this file system")
    store = Store(tmp_path / name / "store")
    store.create()
    table = store.tables["smtp_protocol"]
    table.commit([part(table)], [])
    snapshot = next(found for found in Store(store.root).snapshot() if found.name == "smtp_protocol")
    (entries,) = read_ranges(snapshot).values()
    assert entries == [entry(rows=2)]


def test_a_name_that_delta_cannot_hold_is_one_sentence(tmp_path: Path) -> None:
    """delta-rs takes `%20` for a blank."""
    with pytest.raises(TbesError, match="cannot lie"):
        Store(tmp_path / "a%20b" / "store").create()


def test_a_store_made_twice_is_one(tmp_path: Path) -> None:
    first = Store(tmp_path / "store")
    first.create()
    first.tables["smtp_protocol"].commit([part(first.tables["smtp_protocol"])], [])
    second = Store(tmp_path / "store")
    second.create()
    assert len(second.tables["smtp_protocol"].parts()) == 1


def test_no_store_a_newer_store_and_a_broken_one_are_one_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no store"):
        Store(tmp_path / "nowhere").snapshot()
    store = Store(tmp_path / "store")
    store.create()
    log = store.tables["smtp_protocol"].root / "_delta_log" / f"{0:020d}.json"
    text = log.read_text(encoding="utf-8")
    log.write_text(text.replace('"tbes.schema":"1"', '"tbes.schema":"99"'), encoding="utf-8")
    with pytest.raises(UsageError, match="newer"):
        Store(tmp_path / "store").snapshot()
    log.write_text("{torn", encoding="utf-8")
    with pytest.raises(TbesError):
        Store(tmp_path / "store").snapshot()


def test_a_missing_part_is_one_sentence(table: Table) -> None:
    table.commit([part(table)], [])
    (found,) = table.parts()
    (table.root / found.path).unlink()
    from pipeline.store.store import Snapshot

    with pytest.raises(TbesError, match="cannot be read"):
        read_ranges(Snapshot("smtp_protocol", table.root, tuple(table.parts())))


def test_both_tables_have_exactly_their_declared_columns(tmp_path: Path) -> None:
    from deltalake import DeltaTable

    store = Store(tmp_path / "store")
    store.create()
    for name, columns in TABLES.items():
        schema = DeltaTable(str(store.tables[name].root)).schema()
        assert [field.name for field in schema.fields] == [column.name for column in columns]
