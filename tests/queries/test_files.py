"""Every view and report: its header, its columns, and an answer from an empty store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.queries.conftest import QUERIES, Logs, statements

VIEWS = dict(statements("views"))
REPORTS = dict(statements("reports"))
PROMISED = {
    "refusals": "time organisation server log_kind connector message_id enhanced_code action "
    "minutes_per_hour "
    "reply",
    "servers": "organisation server product build build_name",
    "delayed_messages": "organisation server message_id",
    "bounced_messages": "organisation server message_id",
    "exposure": "organisation state servers servers_out_of_date delayed_messages bounced_messages "
    "handed_over_messages",
}
NOT_IN_SPARK = re.compile(
    r"\b(qualify|asof|time_bucket|pivot|generate_series|union (all )?by name|histogram|list)\b|[\\~]",
    re.I,
)


def described(sql: str) -> list[str]:
    """Columns that the header describes, in order."""
    head, _, _ = re.split(r"^(with|select)\b", sql, maxsplit=1, flags=re.M)
    return re.findall(r"^--   (\w+): .+$", head, re.M)


@pytest.mark.parametrize("name", VIEWS)
def test_view(logs: Logs, name: str) -> None:
    assert re.match(r"-- title: .+\n-- answers: .+\n(-- (kept|inline): .+\n)?-- columns:\n", VIEWS[name])
    logs.make_views(f"select * from {name}")
    result = logs.connection.execute(f"select * from {name} limit 0")
    assert [column[0] for column in result.description] == described(VIEWS[name])


@pytest.mark.parametrize("name", REPORTS)
def test_report(logs: Logs, name: str) -> None:
    assert re.match(
        r"-- title: .+\n-- answers: .+\n-- terminal: .+\n(-- below: .+\n)?-- columns:\n", REPORTS[name]
    )
    assert "order by" in REPORTS[name]
    assert logs.report(name) == []
    names = [column[0] for column in logs.connection.execute(REPORTS[name]).description]
    assert names == described(REPORTS[name])
    assert set(PROMISED.get(name, "").split()) <= set(names)


def test_reports_are_all_there() -> None:
    assert sorted(REPORTS) == [
        "bounced_messages",
        "calendar",
        "clock",
        "coverage",
        "delayed_messages",
        "exposure",
        "findings",
        "hand_overs",
        "impact",
        "look_alikes",
        "pause_planner",
        "peers",
        "quarantine",
        "reconciliation",
        "refusal_windows",
        "refusals",
        "server_builds",
        "servers",
        "sources",
        "suspected_throttling",
    ]


@pytest.mark.parametrize("path", sorted(QUERIES.rglob("*.sql")), ids=lambda path: path.stem)
def test_sql_that_both_engines_answer_alike(path: Path) -> None:
    code = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8"))
    assert NOT_IN_SPARK.search(code) is None


def test_quarantine_and_sources(logs: Logs) -> None:
    logs.rows("message-tracking", "10:00:00", event_id="RECEIVE")
    logs.rows("message-tracking", "10:00:00", parse_error="29 cells instead of 30", raw_line="2026-11-20,,")
    assert logs.report("quarantine") == [
        {
            "organisation": "contoso",
            "server": "EX01",
            "table_name": "message_tracking",
            "source_file": "message-tracking contoso EX01 None",
            "source_line": 2,
            "reason": "29 cells instead of 30",
            "raw_line": "2026-11-20,,",
        }
    ]
    (source,) = logs.report("sources")
    assert (source["kind"], source["rows"], source["quarantined"]) == ("message-tracking", 1, 1)
