"""Microsoft's own report beside the table of stages and the logs."""

from __future__ import annotations

import pytest

from tests.queries.conftest import HYBRID, TENANT, Logs, build_key, refusal


def imported(logs: Logs, **cells: object) -> None:
    """The public case of 2024, unless told: detected 2024-03-28, stage 4 due on 2024-05-23."""
    row: dict[str, object] = {
        "organisation": "contoso",
        "server": "EX01",
        "server_fqdn": "ex01.contoso.example",
        "build": "15.1.2507.16",
        "exchange_server": "ExchangeServer2016",
        "first_detected": "2024-03-28T00:15:08Z",
        "throttle_enabled": "2024-04-27T00:15:08Z",
        "blocking_enabled": "2024-05-27T00:15:08Z",
        "next_stage_throttle": 20,
        "next_stage_block": 0,
        "next_stage_start": "2024-05-23T00:15:08Z",
        "recommended_builds": "15.1.2507.31, 15.1.2507.39",
        "imported_at": "2024-05-20T00:00:00Z",
        "as_of": "2024-05-20T00:00:00Z",
        "file": "report.txt",
        "date_reading": "day first",
        **cells,
    }
    row["build_key"] = build_key(str(row["build"])) if row["build"] else None
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    logs.connection.execute(f"insert into imported_reports ({names}) values ({marks})", list(row.values()))


def compared(logs: Logs) -> dict[tuple[object, object], dict[str, object]]:
    rows = logs.report("reconciliation")
    return {(row["field"], row["expected_by"]): row for row in rows}


def refused(logs: Logs, minutes: int, *times: str, action: str = "throttle") -> None:
    for time in times:
        logs.rows(
            "message-tracking",
            time,
            event_id="DEFER" if action == "throttle" else "FAIL",
            message_id=f"<{time}@contoso.example>",
            connector_id=HYBRID,
            peer_name=TENANT,
            destination_class="exchange-online",
            log_build="15.1.2507.16",
            **refusal(action, minutes),
        )


def test_the_public_case(logs: Logs) -> None:
    logs.as_of("2024-05-20T00:00:00Z")
    imported(logs)
    rows = compared(logs)
    assert {key: row["agreement"] for key, row in rows.items()} == {
        ("ServerFQDN", "logs"): "only in the report",
        ("Build", "logs"): "not comparable",
        ("RecommendedBuildVersions", "catalogue"): "agrees",
        ("ThrottleEnabledDate", "table of stages"): "agrees",
        ("BlockingEnabledDate", "table of stages"): "agrees",
        ("NextStageThrottleRate, -BlockRate", "table of stages"): "agrees",
        ("NextStageStartDate", "table of stages"): "conflict",
    }
    assert rows["NextStageThrottleRate, -BlockRate", "table of stages"]["expected"] == "stage 4"
    start = rows["NextStageStartDate", "table of stages"]
    assert (start["reported"], start["expected"]) == ("2024-05-23 00:15:08", "day 50, 2024-05-17 00:15:08")
    # full block: detection + 90 days + 6 days = 2024-07-02; (56 - 30) / 2 steps = 13 days
    assert start["reading"] == (
        "6 days later than the table. Reading 1, a pause: the clock stood still for 6 days in all, and the full block "
        "moves to 2024-07-02. Reading 2, another ladder: stage 4 begins on day 56, 13.0 days a step instead of 10.0, "
        "while blocking begins on day 60 by BlockingEnabledDate; whether the full block moves, nothing tells. "
        "ThrottleEnabledDate and BlockingEnabledDate stand where the table has them: they do not move with a pause."
    )


@pytest.mark.parametrize(
    ("pause_to", "words"),
    [
        ("2024-04-09", "(the known pauses are of 6 days: they explain it)"),
        ("2024-04-07", "(the known pauses are of 4 days)"),
    ],
)
def test_known_pauses_are_weighed(logs: Logs, pause_to: str, words: str) -> None:
    imported(logs)
    logs.add("known_pauses", "contoso", "2024-04-04", pause_to)
    logs.add("known_pauses", "contoso", "2023-04-04", "2023-05-04")
    assert words in str(compared(logs)["NextStageStartDate", "table of stages"]["reading"])


def test_earlier_than_the_table_is_no_pause(logs: Logs) -> None:
    imported(logs, next_stage_start="2024-05-14T00:15:08Z")
    reading = compared(logs)["NextStageStartDate", "table of stages"]["reading"]
    assert str(reading).startswith("3 days earlier than the table") and "No pause can explain it" in str(
        reading
    )


def test_moved_dates_and_unknown_rates(logs: Logs) -> None:
    imported(
        logs,
        throttle_enabled="2024-05-03T00:15:08Z",
        blocking_enabled="2024-05-27T01:15:08Z",
        next_stage_throttle=25,
        next_stage_block=0,
    )
    rows = compared(logs)
    throttle = rows["ThrottleEnabledDate", "table of stages"]
    assert (throttle["agreement"], str(throttle["reading"])[:27]) == (
        "conflict",
        "6 days later than the table",
    )
    # an hour is summer time
    assert rows["BlockingEnabledDate", "table of stages"]["agreement"] == "agrees"
    assert rows["NextStageThrottleRate, -BlockRate", "table of stages"]["agreement"] == "conflict"
    assert ("NextStageStartDate", "table of stages") not in rows


def test_unknown_cells_of_the_table_can_have_any_number(logs: Logs) -> None:
    imported(logs, next_stage_throttle=40, next_stage_block=10, next_stage_start="2024-06-06T00:15:08Z")
    rows = compared(logs)
    assert rows["NextStageThrottleRate, -BlockRate", "table of stages"]["expected"] == "stage 6"
    assert rows["NextStageStartDate", "table of stages"]["agreement"] == "agrees"


def test_beside_the_logs(logs: Logs) -> None:
    logs.as_of("2024-05-20T00:00:00Z")
    # stage 3 is 10 minutes: the first refusal of it on day 41
    refused(logs, 10, "2024-05-08T03:00:00Z")
    imported(logs)
    rows = compared(logs)
    assert {key[0]: row["agreement"] for key, row in rows.items() if key[1] in ("logs", "refusals")} == {
        "ServerFQDN": "agrees",
        "Build": "agrees",
        "ExchangeServer": "agrees",
        "FirstDetectedDate": "agrees",
        "ThrottleEnabledDate": "agrees",
        "NextStageThrottleRate, -BlockRate": "agrees",
    }
    # day 40 of the refusal is 2024-03-29 03:00
    assert rows["FirstDetectedDate", "refusals"]["expected"] == "not after 2024-03-29 03:00:00"


def test_conflicts_with_the_logs(logs: Logs) -> None:
    logs.as_of("2024-05-20T00:00:00Z")
    # 20 minutes is stage 4, day 50 on: the server was detected by 2024-03-16, and stage 4 is not next
    refused(logs, 20, "2024-05-05T03:00:00Z")
    imported(logs, build="15.1.2507.39")
    logs.add("known_first_detections", "contoso", "ex01.contoso.example", "2024-03-15T00:00:00Z")
    rows = compared(logs)
    assert {key for key, row in rows.items() if row["agreement"] == "conflict"} == {
        ("Build", "logs"),
        ("FirstDetectedDate", "refusals"),
        ("FirstDetectedDate", "organisations.toml"),
        ("NextStageThrottleRate, -BlockRate", "refusals"),
        ("NextStageStartDate", "refusals"),
        ("NextStageStartDate", "table of stages"),
    }
    assert "newer build" in str(rows["Build", "logs"]["reading"])
    assert "further along" in str(rows["NextStageThrottleRate, -BlockRate", "refusals"]["reading"])


def test_the_floor_is_that_of_the_day_on_which_the_cmdlet_ran(logs: Logs) -> None:
    # imported long after: a report that names a next stage ran before that stage
    imported(logs, as_of="2026-11-20T00:00:00Z")
    assert compared(logs)["RecommendedBuildVersions", "catalogue"]["agreement"] == "agrees"
    logs.connection.execute("delete from imported_reports")
    imported(logs, next_stage_start=None, as_of="2026-11-20T00:00:00Z")
    row = compared(logs)["RecommendedBuildVersions", "catalogue"]
    assert (row["agreement"], row["expected"]) == ("conflict", "floor: 15.1.2507.61")


def test_only_the_latest_report_of_a_server_counts(logs: Logs) -> None:
    imported(logs, file="old.txt")
    imported(logs, file="new.txt", as_of="2024-05-22T00:00:00Z")
    imported(logs, file="other.txt", server="EX02", server_fqdn="ex02.contoso.example")
    files = {(row["server"], row["file"]) for row in logs.report("reconciliation")}
    assert files == {("EX01", "new.txt"), ("EX02", "other.txt")}


def test_a_refused_server_that_the_report_does_not_name(logs: Logs) -> None:
    refused(logs, 60, "2026-11-20T03:00:00Z", action="block")
    assert logs.report("reconciliation") == []
    imported(logs, server="EX02", server_fqdn="ex02.contoso.example")
    imported(logs, organisation="fabrikam", server="EX03", server_fqdn="ex03.fabrikam.example")
    (row,) = [row for row in logs.report("reconciliation") if row["server"] == "EX01"]
    assert (row["agreement"], row["field"], row["reported"], row["file"]) == (
        "only in the logs",
        "ServerFQDN",
        None,
        None,
    )
    assert "no imported report names it" in str(row["reading"])
