"""A date that rests on one third-party source is marked for people in every format, and named in a column for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from pipeline import queries
from pipeline.i18n import Texts
from pipeline.reports.document import Style
from pipeline.reports.terminal import print_table
from pipeline.reports.third_party import COLUMN, marked, third_party
from tests.reports.rendering import Samples

DATED = ("calendar", "clock", "exposure", "findings", "impact", "pause_planner", "servers")


def test_stages_and_floors_by_the_sources_that_the_catalogue_names(samples: Samples) -> None:
    with samples.session() as session:
        found = third_party(session)
        last = session.query("select is_last from third_party_stages where stage = 8").rows
    # stages 2, 4, 5 and 6 name a second site
    assert found.stages == {1, 3, 7, 8} and last == [(True,)]
    assert found.urls and not [url for url in found.urls if "microsoft" in url]


def test_which_cells_have_the_mark() -> None:
    day = date(2026, 12, 6)
    row = {
        "next_stage": 7,
        "next_stage_earliest": day,
        "next_stage_block_rate": 20,
        "act_by": day,
        "latest": None,
    }
    row |= {"full_block_latest": day, COLUMN: "act_by, next_stage, latest"}
    assert {name for name in row if marked(row, name)} == {"next_stage_earliest", "act_by"}
    assert not any(marked({**row, COLUMN: None}, name) for name in row)
    assert marked({"earliest": datetime(2026, 12, 6, tzinfo=UTC), COLUMN: "earliest, latest"}, "earliest")
    assert marked({"finding": "All mail can be blocked from 2026-12-14.", COLUMN: "finding"}, "finding")


@pytest.mark.parametrize("report", DATED)
def test_the_column_is_the_last_one_and_names_columns_of_the_report(samples: Samples, report: str) -> None:
    (query,) = [query for query in queries.reports() if query.name == report]
    assert list(query.columns)[-1] == COLUMN
    rows = list(csv.DictReader(io.StringIO(samples.write("csv", report).decode())))
    named = [row[COLUMN] for row in rows if row[COLUMN]]
    assert named
    for one in ", ".join(named).split(", "):
        assert any(name == one or name.startswith(f"{one}_") for name in query.columns), one
    records = json.loads(samples.write("json", report))
    assert [record[COLUMN] or "" for record in records] == [row[COLUMN] for row in rows]


def test_programs_get_dates_without_the_mark(samples: Samples) -> None:
    for row in csv.DictReader(io.StringIO(samples.write("csv", "calendar").decode())):
        assert "*" not in row["earliest"] + row["latest"]


def test_the_mark_in_markdown(samples: Samples) -> None:
    written = samples.write("markdown", "calendar").decode()
    assert "2026-12-14 13:50:31 \\* | 2026-12-23 09:40:40 \\* " in written
    assert re.search(r"^\| 2026-11-24 13:50:31 \| 2026-12-03 09:40:40 \| .*elmsford", written, re.M)
    assert "\\* This date rests on a single third-party source" in written
    assert "third-party source" not in samples.write("markdown", "sources").decode()


@pytest.mark.parametrize(
    ("language", "note"),
    [("en", "rests on a single third-party"), ("de", "beruht auf einer einzigen Quelle")],
)
def test_the_mark_in_text(samples: Samples, language: str, note: str) -> None:
    written = samples.write("text", None, language).decode()
    assert "2026-12-14 13:50:31 *" in written and note in written
    assert re.search(r"(24 November 2026|24\. November 2026) \*\)", written)
    assert "2026-12-06 00:00:00 *" in samples.write("text", "calendar").decode()


def test_the_mark_on_the_terminal(samples: Samples) -> None:
    with samples.session() as session:
        (report,) = [query for query in queries.reports() if query.name == "exposure"]
        result = session.report("exposure")
    out = io.StringIO()
    console = Console(file=out, width=170)
    style = Style(Texts("en"))
    print_table(
        console, result, report.title, style.zone, "UTC", report.terminal, report.below, report="exposure"
    )
    assert "2026-12-14 13:50:31 *" in out.getvalue()
    assert "* rests on a single third-party source" in out.getvalue()
