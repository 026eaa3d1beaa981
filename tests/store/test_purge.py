"""What is purged is gone from every file, and does not come back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import ExitCode, UsageError
from pipeline.import_command import import_report_command
from pipeline.imports import kept as imports
from pipeline.maintenance_command import purge_command
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.cleaning import Cleaned, clean
from pipeline.store.compaction import compact
from pipeline.store.kept_views import FOLDER
from pipeline.store.purge import purge
from pipeline.store.store import Store
from tests.imports.samples import format_list
from tests.store.maintained import (
    adds_up,
    all_bytes,
    in_small_steps,
    ingest,
    organisations,
    part_files,
    query,
    reports,
)

CUT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
_OLD = f"date_time < timestamptz '{CUT.isoformat()}'"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return in_small_steps(tmp_path, count=2)


def _values(store: Store, condition: str) -> set[str]:
    """Message ids and subjects of tracking rows, and sessions of protocol rows."""
    rows = query(
        store,
        f"select message_id from message_tracking where {condition} union select message_subject from message_tracking "
        f"where {condition} union select session_id from smtp_protocol where {condition}",
    )
    return {str(row[0]) for row in rows if row[0] is not None and len(str(row[0])) > 7}


def test_old_lines_are_in_no_file_any_more(store: Store) -> None:
    old, new = _values(store, _OLD), _values(store, f"not {_OLD}")
    only_old = sorted(value.encode() for value in old - new)
    ((count,),) = query(
        store,
        f"select (select count(*) from message_tracking where {_OLD}) + (select count(*) from smtp_protocol where {_OLD})",
    )
    assert isinstance(count, int)
    assert count > 100
    assert len(only_old) > 20
    assert _found(store, only_old) == set(only_old)
    assert purge(store, CUT).lines == count
    assert _found(store, only_old) == set()
    assert (
        query(
            store,
            f"select 1 from message_tracking where {_OLD} union all select 1 from smtp_protocol where {_OLD}",
        )
        == []
    )
    assert adds_up(store)


def _found(store: Store, values: list[bytes]) -> set[bytes]:
    pattern = re.compile(b"|".join(re.escape(value) for value in sorted(values, key=len, reverse=True)))
    return {found for content in all_bytes(store) for found in pattern.findall(content)}


def test_newer_lines_stay_as_they_are(store: Store) -> None:
    newer = query(store, f"select * exclude (raw_line) from message_tracking where not {_OLD} order by all")
    purge(store, CUT)
    assert query(store, "select * exclude (raw_line) from message_tracking order by all") == newer


def test_purged_lines_do_not_come_back(store: Store, tmp_path: Path) -> None:
    purge(store, CUT)
    after = reports(store)
    for folder in organisations()[:2]:
        again = ingest(store, tmp_path / "logs" / folder.name, folder.name)
        assert again.count("new") == again.count("grown") == 0
        assert again.total("rows") == 0
    assert reports(store) == after


def test_a_shorter_copy_of_a_purged_log_does_not_come_back(store: Store, tmp_path: Path) -> None:
    folder = organisations()[0]
    log = max((tmp_path / "logs" / folder.name).rglob("MSGTRK*.LOG"), key=lambda path: path.stat().st_size)
    purge(store, datetime(2027, 1, 1, tzinfo=UTC))
    lines = log.read_bytes().splitlines(keepends=True)
    copy = tmp_path / "backup" / log.name
    copy.parent.mkdir()
    copy.write_bytes(b"".join(lines[: len(lines) // 2]))
    again = ingest(store, copy.parent, folder.name)
    assert again.total("rows") == 0
    assert adds_up(store)


def test_twice_and_after_compaction(store: Store) -> None:
    first = purge(store, datetime(2026, 11, 24, 9, 10, tzinfo=UTC))
    compact(store)
    second = purge(store, CUT)
    assert first.lines > 0 < second.lines
    assert purge(store, CUT).lines == 0
    ((noted,),) = query(store, "select sum(purged) from source_ranges")
    assert noted == first.lines + second.lines
    assert adds_up(store)


def test_one_organisation_by_age(store: Store) -> None:
    one, other = (folder.name for folder in organisations()[:2])
    before = reports(store, other)
    purge(store, CUT, one)
    assert reports(store, other) == before
    assert query(store, f"select 1 from message_tracking where organisation = '{one}' and {_OLD}") == []


def test_an_organisation_with_everything(store: Store, tmp_path: Path) -> None:
    one, other = (folder.name for folder in organisations()[:2])
    before = reports(store, other)
    kept = store.root / FOLDER / one / "key" / "refusals.parquet"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"rows of a view")
    purge(store, None, one)
    assert not kept.exists()
    assert reports(store, other) == before
    files = [
        path for path in store.root.rglob("*") if path.is_file() and f"organisation={one}" in path.as_posix()
    ]
    assert files == []
    # its logs may be read again: nothing of them is known any more
    assert ingest(store, tmp_path / "logs" / one, one).count("new") > 0


def test_lines_without_a_time_go_with_their_month(tmp_path: Path) -> None:
    store = in_small_steps(tmp_path, count=6)
    ((quarantined,),) = query(store, "select count(*) from quarantine")
    assert isinstance(quarantined, int)
    assert quarantined > 0
    purge(store, datetime(2026, 11, 30, tzinfo=UTC))
    assert query(store, "select count(*) from quarantine") == [(quarantined,)]
    purge(store, datetime(2026, 12, 1, tzinfo=UTC))
    assert query(store, "select count(*) from quarantine") == [(0,)]
    assert adds_up(store)


def test_an_organisations_imported_reports_go_with_everything(store: Store, tmp_path: Path) -> None:
    one, other = (folder.name for folder in organisations()[:2])
    for name in (one, other):
        file = tmp_path / f"{name}.txt"
        file.write_text(format_list(fqdn=f"host-of-{name}.example"))
        import_report_command(file, name, None, None, "2026-11-20", False, store.root, None)
    purge(store, CUT, one)
    assert {item.organisation for item in imports.load(store.root)} == {one, other}
    purge(store, None, one)
    assert _found(store, [f"host-of-{one}".encode(), f"host-of-{other}".encode()]) == {
        f"host-of-{other}".encode()
    }


def test_a_purge_of_everything_that_was_killed_after_its_commit_can_be_run_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = organisations()[0].name
    kept = store.root / FOLDER / one / "key" / "refusals.parquet"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"rows of a view")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pipeline.store.purge.clean", killed)
        purge(store, None, one)
    assert any(f"organisation={one}" in path.as_posix() for path in part_files(store))
    assert purge_command(store.root, None, one, everything=True, yes=True, quiet=True) is ExitCode.DONE
    assert not any(one in path.as_posix() for path in part_files(store))
    with pytest.raises(UsageError):
        purge_command(store.root, None, one, everything=True, yes=True, quiet=True)


def test_rows_that_a_report_keeps_while_a_purge_deletes_do_not_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_before = store.snapshot()

    def clean_late(*arguments: object, **named: object) -> Cleaned:
        # the report still finds the old files
        with Session(began_before, Catalogue(), (), Parameters(as_of=CUT), keep_from_rows=1) as session:
            session.report("refusals")
        return clean(*arguments, **named)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr("pipeline.store.purge.clean", clean_late)
    purge(store, CUT)
    assert not list(store.root.glob(f"{FOLDER}/**/*.parquet"))
