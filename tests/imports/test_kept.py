"""What the store keeps of imported reports."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import TbesError
from pipeline.imports.kept import COLUMNS, FILE, KeptImport, added, find, load, relation_rows, save
from pipeline.imports.report import ImportedServer
from tests.imports.samples import TRUE_DATES

WHEN = datetime(2026, 11, 25, 4, tzinfo=UTC)
SERVER = ImportedServer(
    "Exch1.fabrikam.example",
    "15.1.2507.16",
    "ExchangeServer2016",
    *TRUE_DATES[:3],
    20,
    0,
    TRUE_DATES[3],
    ("15.1.2507.31", "15.1.2507.39"),
)
KEPT = KeptImport(
    "fabrikam", "report.txt", "abc", WHEN, WHEN, False, "UTC", False, "day first", "a reason", (SERVER,)
)


def test_nothing_kept(tmp_path: Path) -> None:
    assert load(tmp_path) == ()


def test_round_trip(tmp_path: Path) -> None:
    other = replace(KEPT, content="def", servers=(ImportedServer("b"),))
    save(tmp_path, (KEPT, other))
    assert load(tmp_path) == (KEPT, other)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_same_content_again_changes_nothing() -> None:
    again = replace(KEPT, file="copy.txt", imported_at=WHEN + timedelta(1), as_of=WHEN + timedelta(1))
    assert added((KEPT,), again) == ((KEPT,), KEPT, False)


def test_the_same_content_read_otherwise_replaces() -> None:
    other = replace(KEPT, zone="Europe/Berlin", zone_told=True)
    assert added((KEPT,), other) == ((other,), other, True)
    told = replace(KEPT, as_of=WHEN - timedelta(9), as_of_told=True)
    assert added((KEPT,), told) == ((told,), told, True)
    # an import that does not say when the cmdlet was run does not undo one that does
    assert added((told,), KEPT) == ((told,), told, False)


def test_another_organisation_keeps_its_own() -> None:
    other = replace(KEPT, organisation="contoso")
    imports, _, changed = added((KEPT,), other)
    assert (imports, changed) == ((KEPT, other), True)
    assert find(imports, "contoso", "abc") == other
    assert [row[0] for row in relation_rows(imports)] == ["fabrikam", "contoso"]
    assert [row[0] for row in relation_rows(imports, "contoso")] == ["contoso"]


def test_rows_of_the_relation() -> None:
    (row,) = relation_rows((KEPT,))
    named = dict(zip((name for name, _ in COLUMNS), row, strict=True))
    assert (named["server"], named["build_key"]) == ("EXCH1", 150010250700016)
    assert (named["recommended_builds"], named["next_stage_start"]) == (
        "15.1.2507.31, 15.1.2507.39",
        TRUE_DATES[3],
    )


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"version": 1}', '{"version": 1, "imports": [{"file": "x"}]}']
)
def test_a_damaged_file_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    with pytest.raises(TbesError, match="import the reports again"):
        load(tmp_path)


def test_a_newer_file_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"version": 2, "imports": []}), encoding="utf-8")
    with pytest.raises(TbesError, match="newer version of tbes"):
        load(tmp_path)
