"""`tbes schema`: every relation and column, with type, meaning and unit, in three formats."""

from __future__ import annotations

import json

import pytest

from pipeline import schema_text
from pipeline.errors import UsageError
from pipeline.schema_text import ColumnText
from pipeline.sql import Session
from tests.connect.conftest import Tbes


def test_every_relation_of_a_session_and_each_column_in_order(session: Session) -> None:
    for relation in schema_text.relations():
        columns = session.query(f"select * from {relation.name} limit 0").columns
        assert [column.name for column in relation.columns] == columns, relation.name
    made = session.connection.execute(
        "select table_name from duckdb_tables() where not internal "
        "union all select view_name from duckdb_views() where not internal"
    ).fetchall()
    assert sorted(name for (name,) in made) == sorted(relation.name for relation in schema_text.relations())


def test_nothing_without_type_and_meaning() -> None:
    for relation in schema_text.typed():
        assert relation.meaning, relation.name
        assert relation.group in schema_text.GROUPS
        for column in relation.columns:
            assert column.type and column.meaning, f"{relation.name}.{column.name}"


@pytest.mark.parametrize(
    ("name", "meaning", "kind", "unit"),
    [
        ("total_bytes", "Size of the message with attachments, bytes", "BIGINT", "bytes"),
        (
            "delay_seconds",
            "from first_attempt to outcome_time, seconds; null where pending",
            "DOUBLE",
            "seconds",
        ),
        ("minutes_per_hour", "number in the refusals", "INTEGER", "minutes per hour"),
        ("throttle_minutes", "minutes an hour of temporary refusals", "INTEGER", "minutes per hour"),
        ("may_start", "earliest start, seconds since 1970", "BIGINT", "seconds since 1970"),
        ("pause_days", "its whole days", "INTEGER", "days"),
        ("time", "when", "TIMESTAMP WITH TIME ZONE", "UTC"),
        ("messages", "messages handed over", "BIGINT", None),
        ("seconds_in_words", "a text", "VARCHAR", None),
    ],
)
def test_units(name: str, meaning: str, kind: str, unit: str | None) -> None:
    assert schema_text.unit(ColumnText(name, meaning), kind) == unit


def test_text_of_one() -> None:
    (relation,) = schema_text.find("REF_STAGES")
    text = schema_text.as_text([relation], 80)
    assert text.startswith("ref_stages\n  The ladder of enforcement")
    assert "    day_from                   INTEGER  Days since first detection" in text
    assert max(map(len, text.splitlines())) <= 80


def test_json_says_all(tbes: Tbes) -> None:
    document = json.loads(tbes("schema", "--format", "json").stdout)
    assert len(document) == len(schema_text.relations())
    by_name = {relation["name"]: relation for relation in document}
    assert by_name["message_tracking"]["columns"][2] == {
        "name": "date_time",
        "type": "TIMESTAMPTZ",
        "meaning": "When the event was written, UTC",
        "unit": "UTC",
    }


def test_markdown_of_one_keeps_its_cells_apart(tbes: Tbes) -> None:
    lines = tbes("schema", "ref_replies", "--format", "markdown").stdout.splitlines()
    assert lines[0] == "### ref_replies"
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {4}
    assert len(table) == 2 + 10


def test_all_needs_no_store_and_a_wrong_name_a_hint(tbes: Tbes) -> None:
    assert tbes("schema", "--format", "text").stdout.startswith("message_tracking\n")
    with pytest.raises(UsageError, match="Did you mean servers"):
        schema_text.find("server")
    wrong = tbes("schema", "zzz")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "Error: There is no table or view 'zzz'. `tbes schema` lists all.\n"
