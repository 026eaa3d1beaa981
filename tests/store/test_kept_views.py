"""Views that a large store keeps: the same answers with and without, and never an old one."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import queries
from pipeline.commands import hosts_of
from pipeline.errors import UsageError
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Organisation, Rules
from pipeline.organisations import KnownOrganisation
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.kept_views import FOLDER, batches, forget
from pipeline.store.store import Store

SAMPLES = Path(__file__).parents[2] / "sample_logs"
AS_OF = datetime(2026, 11, 24, 18, tzinfo=UTC)


def _samples() -> list[Path]:
    return sorted(path for path in SAMPLES.iterdir() if path.is_dir())


def _ingest(store: Store, *folders: Path) -> None:
    for folder in folders:
        rules = Rules(organisation=Organisation(folder.name, folder.name))
        Ingest(store, hosts_of(Catalogue()), rules, now=AS_OF).run([folder])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two organisations."""
    made = Store(tmp_path / "store")
    _ingest(made, *sorted(path for path in SAMPLES.iterdir() if path.is_dir())[:2])
    return made


def _session(store: Store, keep_from_rows: int | None, **parameters: object) -> Session:
    known = parameters.pop("known", ())
    return Session(
        store.snapshot(),
        Catalogue(),
        known,  # type: ignore[arg-type]  # organisations of organisations.toml
        Parameters(**{"as_of": AS_OF, **parameters}),  # type: ignore[arg-type]  # fields of Parameters
        keep_from_rows=keep_from_rows,
    )


def _all(
    store: Store, keep_from_rows: int | None, **parameters: object
) -> dict[str, list[tuple[object, ...]]]:
    with _session(store, keep_from_rows, **parameters) as session:
        return {report.name: session.report(report.name).rows for report in queries.reports()}


def _kept(store: Store) -> list[Path]:
    return sorted((store.root / FOLDER).rglob("*.parquet"))


def test_every_report_is_the_same_computed_kept_and_read_again(store: Store) -> None:
    computed = _all(store, None)
    assert not _kept(store)
    assert _all(store, 1) == computed
    kept = {path: path.stat().st_mtime_ns for path in _kept(store)}
    assert {path.stem for path in kept} >= {"refusals", "tracking_hours", "hand_overs", "source_ranges"}
    assert _all(store, 1) == computed
    assert {path: path.stat().st_mtime_ns for path in _kept(store)} == kept


def test_organisations_are_computed_in_groups_of_bounded_size(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = _all(store, None)
    names = {part.organisation for snapshot in store.snapshot() for part in snapshot.parts}
    assert list(batches(store.snapshot(), names)) == [names], "small ones together"
    monkeypatch.setattr("pipeline.store.kept_views.BATCH_ROWS", 1)
    assert sorted(map(sorted, batches(store.snapshot(), names))) == [[name] for name in sorted(names)]
    assert _all(store, 1) == computed
    assert {path.relative_to(store.root).parts[1] for path in _kept(store)} == names


def test_one_organisation_has_the_rows_of_itself_alone(store: Store) -> None:
    names = [path.name for path in sorted((store.root / "message_tracking").glob("organisation=*"))]
    one = names[0].removeprefix("organisation=")
    assert _all(store, 1, organisation=one) == _all(store, None, organisation=one)
    assert {path.relative_to(store.root).parts[1] for path in _kept(store)} == {one}


def test_new_lines_change_what_is_reported(store: Store) -> None:
    _all(store, 1)
    more = _samples()[2]
    _ingest(store, more)
    assert _all(store, 1) == _all(store, None)


def test_new_lines_of_an_organisation_change_what_is_reported_of_it(store: Store) -> None:
    before = _all(store, 1)
    organisation = _samples()[0].name
    rules = Rules(organisation=Organisation(organisation, organisation))
    Ingest(store, hosts_of(Catalogue()), rules, now=AS_OF).run([_samples()[3]])
    after = _all(store, 1)
    assert after["servers"] != before["servers"]
    assert after == _all(store, None)


def test_an_organisation_described_anew_is_computed_anew(store: Store) -> None:
    with _session(store, None) as session:
        organisation, connector = session.query(
            "select organisation, max(connector) from hand_overs where in_scope = 'yes' group by organisation order by 1"
        ).rows[0]
    known = (KnownOrganisation(id=organisation, name="Known", connectors_out_of_scope=(connector,)),)
    before = _all(store, 1)
    after = _all(store, 1, known=known)
    assert after == _all(store, None, known=known)
    assert after["hand_overs"] != before["hand_overs"]


def test_a_time_within_the_logs_is_computed_from_the_lines(store: Store) -> None:
    with _session(store, None) as session:
        last = session.query("select max(date_time) from message_tracking").rows[0][0]
    _all(store, 1, until=last - timedelta(hours=3))
    assert not _kept(store)


def test_small_stores_keep_nothing(store: Store) -> None:
    _all(store, 2_000_000)
    assert not _kept(store)


def test_a_store_that_cannot_be_written_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert _all(store, 1) == _all(store, None)


def test_rows_of_earlier_states_are_dropped_after_an_hour(store: Store) -> None:
    _all(store, 1)
    (organisation, *_) = sorted(path for path in (store.root / FOLDER).iterdir())
    old = organisation / "0123456789abcdef"
    (key,) = organisation.iterdir()
    key.rename(old)
    os.utime(old, (1_000_000_000, 1_000_000_000))
    _all(store, 1)
    assert [path.name for path in organisation.iterdir()] == [key.name]


def test_forgotten_rows_are_gone_and_made_again(store: Store) -> None:
    computed = _all(store, 1)
    forget(store.root)
    assert not (store.root / FOLDER).exists()
    assert _all(store, 1) == computed


@pytest.mark.parametrize("rest", [0, 10, 100, -1])
def test_kept_rows_that_are_cut_are_made_again(store: Store, rest: int) -> None:
    computed = _all(store, 1)
    for path in _kept(store):
        path.write_bytes(path.read_bytes()[:rest])
    assert _all(store, 1) == computed
    # ... and kept again, whole
    assert all(path.read_bytes().endswith(b"PAR1") for path in _kept(store))


def test_the_users_own_sql_sees_the_same(store: Store) -> None:
    statements = [f"select * from {name} order by all" for name in sorted(queries.kept_views())]
    with _session(store, None) as computed, _session(store, 1) as kept:
        for statement in statements:
            first, second = computed.query(statement), kept.query(statement)
            assert (first.columns, first.types, first.rows) == (second.columns, second.types, second.rows), (
                statement
            )


@pytest.mark.parametrize("name", sorted(queries.kept_views()))
def test_a_kept_view_depends_on_nothing_that_its_key_does_not_cover(name: str) -> None:
    needed = queries.needed_views(name)
    read = {relation for view in needed for relation in queries.relations_read(view)}
    assert not read & {"parameters", "imported_reports"}
    text = "\n".join(view.body for view in needed)
    assert not re.search(r"\b(now|today|random)\(|\bcurrent_(date|timestamp)\b", text)


def test_other_organisations_kept_rows_cannot_be_read(store: Store) -> None:
    _all(store, 1)
    by_organisation = {path.relative_to(store.root).parts[1]: path for path in _kept(store)}
    (one, _), (_, other), *_ = sorted(by_organisation.items())
    with _session(store, 1, organisation=one) as session, pytest.raises(UsageError):
        session.query(f"select * from read_parquet('{other}')")


def test_parts_outside_of_the_window_are_not_in_what_is_kept(tmp_path: Path) -> None:
    """The window may cut no part and still leave some out: kept rows are of all of them."""
    store, folder = Store(tmp_path / "store"), tmp_path / "logs"
    for day in ("20261123", "20261124"):
        for path in (SAMPLES / "alderbrook").rglob(f"*{day}*"):
            target = folder / "alderbrook" / path.relative_to(SAMPLES / "alderbrook")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        _ingest(store, folder / "alderbrook")
    parts = [part for snapshot in store.snapshot() for part in snapshot.parts]
    starts = sorted(part.first_time for part in parts if part.first_time)
    since = next(
        start
        for start in starts
        if start > starts[0]
        and all(
            part.last_time and part.first_time and (part.last_time < start or part.first_time >= start)
            for part in parts
        )
    )
    computed = _all(store, None, since=since)
    assert computed != _all(store, None)
    assert _all(store, 1, since=since) == computed
