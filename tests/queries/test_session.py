"""A session makes what is read, and tells a listing query of all that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import pytest

from pipeline.reference.catalogue import Catalogue, Relation
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.store import Store
from tests.samples import AS_OF, copy_samples, ingest_samples

OF_FILES = {"message_tracking", "message_tracking_lines", "smtp_protocol", "smtp_protocol_lines"}
OF_ORGANISATIONS = {"organisations", "organisation_domains", "known_pauses", "imported_reports", "parameters"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("session")
    return ingest_samples(folder / "store", copy_samples(folder / "logs", settled=True))


@pytest.fixture
def loaded() -> list[Catalogue]:
    """The catalogues that a session asked for."""
    return []


@pytest.fixture
def session(store: Store, loaded: list[Catalogue]) -> Iterator[Session]:
    def catalogue() -> Catalogue:
        loaded.append(Catalogue())
        return loaded[-1]

    with Session(store.snapshot(), catalogue, (), Parameters(as_of=AS_OF)) as opened:
        yield opened


def made(session: Session) -> set[str]:
    """Names of the session's tables and views, asked past it."""
    rows = session.connection.execute(
        "select table_name from duckdb_tables() where not internal "
        "union all select view_name from duckdb_views() where not internal"
    ).fetchall()
    return {row[0] for row in rows}


def test_a_report_makes_only_what_it_reads(session: Session, loaded: list[Catalogue]) -> None:
    assert session.report("refusals").rows
    assert made(session) >= OF_FILES
    assert not made(session) & OF_ORGANISATIONS
    assert not loaded


def test_what_one_report_did_not_read_is_there_for_the_next(
    session: Session, loaded: list[Catalogue]
) -> None:
    assert not made(session)
    session.report("refusals")
    assert session.report("server_builds").rows
    assert "ref_builds" in made(session)
    assert len(loaded) == 1


def test_a_statement_that_lists_what_there_is_finds_it(session: Session) -> None:
    listed = {row[0] for row in session.query("select table_name from information_schema.tables").rows}
    assert listed >= OF_FILES | OF_ORGANISATIONS
    everything = {row[0] for row in session.query("show tables").rows}
    assert everything >= OF_FILES | OF_ORGANISATIONS | {"ref_builds", "source_ranges", "exposure"}


def test_parameters_and_reports_are_of_one_moment(store: Store) -> None:
    with Session(store.snapshot(), Catalogue()) as session:
        assert session.query("select as_of from parameters").rows == [(session.as_of,)]


ODD = (
    "it's",
    'say "a"',
    "back\\slash",
    "\t\n\r\x01\x1f",
    "ab\x00c",
    "\u202e\U0001f600",
    "[1, null]",
    "null",
    "",
    None,
)


def test_tables_of_the_catalogue_hold_its_rows_as_they_are(store: Store, catalogue: Catalogue) -> None:
    tables = catalogue.tables()
    with Session(store.snapshot(), catalogue) as session:
        for name, relation in tables.items():
            found = session.query(f"from {name}")
            assert found.columns == [column for column, _ in relation.columns]
            assert found.types == [kind for _, kind in relation.columns]
            assert Counter(found.rows) == Counter(relation.rows)


@pytest.mark.parametrize("text", ODD)
def test_whatever_a_catalogue_laid_over_says(store: Store, text: str | None) -> None:
    class Odd(Catalogue):
        def tables(self) -> dict[str, Relation]:
            columns = [("words", "VARCHAR"), ("day", "DATE"), ("number", "INTEGER")]
            return {"ref_odd": Relation(columns, [(text, date(2026, 11, 24), 7), (text, None, None)])}

    with Session(store.snapshot(), Odd()) as session:
        assert Counter(session.query("from ref_odd").rows) == Counter(
            [(text, date(2026, 11, 24), 7), (text, None, None)]
        )


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_session_goes_on_after_ctrl_c_while_it_makes_what_is_read(
    store: Store, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    """The prompt asks it again; `done` says that the statement had ended when Ctrl-C came."""
    sql = "select count(*) from servers, message_tracking, parameters, ref_catalogue"
    plain = Session._run
    for moment in range(1, 500, 6):
        left = moment

        def run(self: Session, sql: str) -> None:
            nonlocal left
            left -= 1
            if left or done:
                plain(self, sql)
            if not left:
                raise KeyboardInterrupt

        with Session(store.snapshot(), catalogue, (), Parameters(as_of=AS_OF)) as session:
            with monkeypatch.context() as patch:
                patch.setattr(Session, "_run", run)
                with suppress(KeyboardInterrupt):
                    session.query(sql)
            assert session.query(sql).rows[0][0] > 0
        if left > 0:
            break
    else:
        pytest.fail("it runs five hundred statements")
    assert moment > 20
