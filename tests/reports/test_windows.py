"""Reports on a part of the time that the logs cover (`--since`, `--until`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from pipeline.connect import script
from pipeline.errors import UsageError
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from tests.reports.rendering import Samples
from tests.samples import AS_OF

LATER = AS_OF + timedelta(days=30)
NIGHT = datetime(2026, 11, 24, tzinfo=UTC)


def session(samples: Samples, **parameters: object) -> Session:
    """A session as of AS_OF on a part of the time."""
    return Session(
        samples.store.snapshot(),
        Catalogue(),
        (),
        Parameters(**{"as_of": AS_OF, **parameters}),  # type: ignore[arg-type]  # fields of Parameters
    )


def records(opened: Session, sql: str) -> list[dict[str, object]]:
    """The rows of a query by column."""
    result = opened.query(sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


@pytest.mark.parametrize(
    "window", [{"since": LATER}, {"until": AS_OF - timedelta(days=900)}], ids=["after", "before"]
)
def test_an_organisation_without_a_line_in_the_window_does_not_vanish(
    samples: Samples, window: dict[str, datetime]
) -> None:
    with session(samples) as whole:
        names = records(whole, "select organisation, display_name from exposure order by organisation")
    assert len(names) > 5
    with session(samples, **window) as opened:
        found = records(opened, "select * from exposure order by organisation")
        assert [{name: row[name] for name in ("organisation", "display_name")} for row in found] == names
        for row in found:
            assert (row["state"], row["servers"], row["logs_from"]) == ("not visible here", 0, None)
            assert "None of its log lines lies in the time looked at." in str(row["verdict"])
            assert row["next_action"] == "Look at a longer time."
        said = records(opened, "select finding, action from findings where finding_key like '%logs-ended'")
        assert {tuple(row.values()) for row in said} == {
            ("None of its log lines lies in the time looked at.", "Look at a longer time.")
        }
        assert len(said) == len(names)


def test_rows_and_sources_stay_those_of_the_window(samples: Samples) -> None:
    with session(samples, since=LATER) as opened:
        assert opened.query("select count(*) from message_tracking_lines").rows == [(0,)]
        assert opened.query("select count(*) from smtp_protocol_lines").rows == [(0,)]
        assert opened.query("select distinct in_window from source_ranges").rows == [(False,)]
        for report in ("sources", "servers", "server_builds"):
            assert opened.report(report).rows == []
    with session(samples) as whole:
        assert whole.query("select distinct in_window from source_ranges").rows == [(True,)]


def test_one_organisation_is_told_of_alone(samples: Samples) -> None:
    others = {
        str(snapshot.root / part.path)
        for snapshot in samples.store.snapshot()
        for part in snapshot.parts
        if part.organisation != "dunmore"
    }
    with session(samples, organisation="dunmore", since=LATER) as opened:
        assert opened.query("select distinct organisation from source_ranges").rows == [("dunmore",)]
        assert opened.query("select organisation from exposure").rows == [("dunmore",)]
        with pytest.raises(UsageError):
            opened.query(f"select * from parquet_kv_metadata('{min(others)}')")


def test_rows_of_one_report_cost_no_look_into_the_footers(samples: Samples) -> None:
    with session(samples, organisation="dunmore", since=NIGHT, until=NIGHT + timedelta(days=1)) as opened:
        assert opened.report("refusals").rows
        made = {row[0] for row in opened.query("select table_name from duckdb_tables()").rows}
    assert "refusals" in made and "source_ranges" not in made


def test_the_logs_end_at_the_end_of_the_window(samples: Samples) -> None:
    with session(samples, until=NIGHT) as opened:
        ends = opened.query(
            "select max(logs_until) from refused_messages union all select max(logs_until) from mail_states"
        ).rows
    assert len(ends) == 2
    assert all(end is not None and end <= NIGHT for (end,) in ends)
    with session(samples, until=LATER) as opened:
        later = opened.query("select organisation, logs_until from mail_states order by all").rows
    with session(samples) as whole:
        assert later == whole.query("select organisation, logs_until from mail_states order by all").rows


def test_a_script_for_other_clients_tells_of_them_too(samples: Samples) -> None:
    with session(samples, since=LATER) as opened:
        written = script(opened, AS_OF)
    with duckdb.connect() as client:
        client.execute(written)
        asked = client.execute(
            "select count(*), count(*) filter (verdict like '%None of its log lines lies in the time%') from exposure"
        ).fetchall()
    assert asked[0][0] == asked[0][1] > 5
