"""What the prompt offers at the cursor (`|`)."""

from __future__ import annotations

import pytest

from pipeline import schema_text
from pipeline.completion import candidates


def offered(statement: str) -> list[str]:
    before, _, after = statement.partition("|")
    return [found.text for found in candidates(schema_text.relations(), before, after)]


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("select * from ex|", ["exposure", "exposure_facts"]),
        ("select * from\n  delayed|", ["delayed_messages"]),
        ("select * from servers s join hand_ov|", ["hand_over_counts", "hand_overs"]),
        ("select * from servers, ref_st|", ["ref_stages"]),
        ("select build_n| from servers", ["build_name"]),
        ("select s.build_n| from servers as s", ["build_name"]),
        ("select servers.build_n| from servers", ["build_name"]),
        ("select * from exposure e where e.sta|", ["state", "stage"]),
        ("describe ref_ba|", ["ref_baselines"]),
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("select * from exposure ord|", ["order by"]),
        ("select * from exposure where 'it''s' = sta|", ["state", "stage"]),
        ("-- it's a remark\nselect * from expos|", ["exposure", "exposure_facts"]),
        ("select date_tr|", ["date_trunc"]),
    ],
)
def test_first_offers(statement: str, first: list[str]) -> None:
    assert sorted(offered(statement)[: len(first)]) == sorted(first)


@pytest.mark.parametrize(
    "statement",
    [
        "|",
        "select |",
        "select 'exp|",
        "select 1 -- exp|",
        "/* exp|",
        "select nothing.exp|",
        "select 12|",
        "select * from zzz|",
    ],
)
def test_nothing_to_offer(statement: str) -> None:
    assert offered(statement) == []


def test_all_relations_behind_from_and_all_columns_behind_a_point() -> None:
    assert sorted(offered("select * from |")) == sorted(relation.name for relation in schema_text.relations())
    (stages,) = (relation for relation in schema_text.relations() if relation.name == "ref_stages")
    assert offered("select x.| from ref_stages x") == [column.name for column in stages.columns]


def test_keywords_are_no_aliases() -> None:
    assert offered("select * from exposure where where.sta|") == []


def test_what_it_replaces_and_says() -> None:
    (found,) = candidates(schema_text.relations(), "select longest_delay", " from exposure")
    assert (found.text, found.replaces) == ("longest_delay_seconds", len("longest_delay"))
    assert found.note.startswith("exposure: longest delay")
