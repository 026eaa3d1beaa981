"""The init script in DuckDB 2: the same relations and answers as a session, a comment on everything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline import queries, schema_text
from pipeline.connect import script
from pipeline.organisations import load_organisations
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.store import TABLES, Snapshot, Store
from tests.samples import AS_OF


def in_utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def comparable(rows: Iterable[tuple[object, ...]]) -> list[tuple[str, list[float]]]:
    """Rows in one order: all but their fractions as text, and the fractions."""
    return sorted(
        (
            repr([value for value in row if not isinstance(value, float)]),
            [value for value in row if isinstance(value, float)],
        )
        for row in rows
    )


def opened(text: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(text)
    return connection


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest) -> dict[str, list[tuple[str, list[float]]]]:
    """Rows of every relation in a session, sorted."""
    session: Session = request.getfixturevalue("module_session")
    return {
        relation.name: comparable(session.query(f"select * from {relation.name}").rows)
        for relation in schema_text.relations()
    }


@pytest.fixture(scope="module")
def module_session(request: pytest.FixtureRequest) -> Session:
    store: Store = request.getfixturevalue("store")
    session = Session(
        store.snapshot(), Catalogue(), load_organisations(store.organisations_file), Parameters(as_of=AS_OF)
    )
    request.addfinalizer(session.close)
    return session


@pytest.mark.parametrize("as_tables", [False, True], ids=["views", "tables"])
def test_same_relations_types_and_rows_as_a_session(
    module_session: Session, answers: dict[str, list[tuple[str, list[float]]]], as_tables: bool
) -> None:
    connection = opened(script(module_session, AS_OF, as_tables=as_tables))
    typed = {relation.name: relation for relation in schema_text.typed()}
    made = connection.execute(
        "select table_name from duckdb_tables() where not internal "
        "union all select view_name from duckdb_views() where not internal"
    ).fetchall()
    assert sorted(name for (name,) in made) == sorted(typed)
    for name, relation in typed.items():
        result = connection.execute(f"select * from {name}")
        columns = [(column[0], schema_text.short_type(str(column[1]))) for column in result.description or []]
        assert columns == [(column.name, column.type) for column in relation.columns], name
        rows = comparable(tuple(map(in_utc, row)) for row in result.fetchall())
        assert [text for text, _ in rows] == [text for text, _ in answers[name]], name
        for (_, numbers), (_, theirs) in zip(rows, answers[name], strict=True):
            # a sum of fractions depends on the order of its rows, and with it the last digit it is rounded to
            assert numbers == pytest.approx(theirs, abs=0.11), name
    assert len(answers["message_tracking"]) > 100
    assert len(answers["exposure"]) == 6


def test_a_comment_on_every_relation_and_column(session: Session) -> None:
    connection = opened(script(session, AS_OF))
    for relations in ("duckdb_tables()", "duckdb_views()", "duckdb_columns()"):
        assert (
            connection.execute(f"select * from {relations} where not internal and comment is null").fetchall()
            == []
        )
    (comment,) = connection.execute(
        "select comment from duckdb_columns() where table_name = 'delayed_messages' and column_name = 'delay_seconds'"
    ).fetchall()[0]
    assert "seconds" in comment


def test_cut_at_every_semicolon_each_piece_is_a_statement(session: Session) -> None:
    """As Harlequin reads it."""
    text = script(session, AS_OF)
    connection = duckdb.connect()
    for piece in text.split(";"):
        if piece.strip():
            assert len(connection.extract_statements(piece)) == 1, piece[:200]
            connection.execute(piece).fetchall()
    assert connection.execute("select count(*) from exposure").fetchall() == [(6,)]
    assert not any(line.startswith(".") for line in text.splitlines())


def test_it_may_run_twice(session: Session) -> None:
    text = script(session, AS_OF)
    connection = opened(text)
    connection.execute(text)
    assert connection.execute("select display_name from organisations").fetchall() == [
        ('Cedarholt; O\'Brien\n.quit \\ "Ü"',)
    ]


def test_each_list_of_files_stands_in_it_once(session: Session) -> None:
    text = script(session, AS_OF)
    assert text.count("read_parquet(") == 2
    assert text.count("parquet_kv_metadata(") == 2


def test_it_says_how_long_it_is_valid(session: Session) -> None:
    until = (AS_OF + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S UTC")
    assert f"-- VALID UNTIL {until}" in script(session, AS_OF)


def test_of_one_organisation_and_time(store: Store) -> None:
    parameters = Parameters("cedarholt", until=AS_OF - timedelta(days=1))
    with Session(store.snapshot(), Catalogue(), (), parameters) as session:
        text = script(session, AS_OF)
        expected = session.query("select count(*) from smtp_protocol").rows
    assert "organisation=cedarholt" in text
    assert "organisation=dunmore" not in text
    connection = opened(text)
    assert connection.execute("select count(*) from smtp_protocol").fetchall() == expected
    assert connection.execute("select organisation, as_of from parameters").fetchall()[0][0] == "cedarholt"


def test_an_empty_store_has_all_relations_too() -> None:
    with Session([Snapshot(name, Path(), ()) for name in TABLES], Catalogue()) as session:
        connection = opened(script(session, AS_OF))
    for view in queries.views():
        connection.execute(f"select * from {view.name}")
