"""Cases that people told in public, with dates worked out by hand. The clock of each log is known to 30 seconds."""

from __future__ import annotations

import pytest

from tests.clock.mail import clock, passed, refused, wrote
from tests.queries.conftest import HYBRID, Logs

REPORT = (
    "insert into imported_reports (organisation, server, build, first_detected, throttle_enabled, blocking_enabled, "
    "next_stage_throttle, next_stage_block, next_stage_start, as_of, imported_at, date_reading) values "
    "('contoso', 'EX01', '15.1.2507.16', '2024-03-28T00:15:08Z', '2024-04-27T00:15:08Z', '2024-05-27T00:15:08Z', "
    "20, 0, '2024-05-23T00:15:08Z', '2024-05-18T09:00:00Z', '2024-05-18T09:00:00Z', 'day first')"
)


def test_report_of_2024_whose_next_stage_is_six_days_late(logs: Logs) -> None:
    """By the table stage 4 begins on day 50, 2024-05-17; the report says 05-23, and blocking on day 60, 05-27."""
    logs.connection.execute(REPORT)
    row = clock(logs, "2024-05-18T10:00:00Z")
    assert (row["basis"], row["stage"], row["next_stage"]) == ("imported", 3, 4)
    assert row["next_stage_earliest"] == row["next_stage_latest"] == "2024-05-23 00:15:08"
    assert (row["next_stage_throttle_rate"], row["next_stage_block_rate"]) == (20, 0)
    assert row["first_detected_earliest"] == row["first_detected_latest"] == "2024-03-28 00:15:08"
    # a table that is not ten days a step: day 90 from the first detection; a pause of six days: six days later
    assert row["full_block_earliest"] == "2024-06-26 00:15:08"
    assert row["full_block_latest"] == "2024-07-02 00:15:08"
    assert "6.0 days later than the table" in str(row["readings"])
    assert "not ten days each" in str(row["readings"])
    assert "stood still" in str(row["readings"])
    first_block = logs.one(
        "select to_timestamp(earliest) as earliest, to_timestamp(latest) as latest from stage_dates "
        "where server = 'EX01' and stage = 5"
    )
    assert first_block == {"earliest": "2024-05-27 00:15:08", "latest": "2024-06-02 00:15:08"}


def test_2013_site_with_its_first_five_minute_delays(logs: Logs) -> None:
    """Refused on 2024-02-05 and 06: day 0 in (02-06 - 40 days, 02-05 - 30 days]; the user had seen 01-02."""
    wrote(logs, "15.0.1497.48", "2024-02-05T09:00:00Z")
    refused(logs, "throttle", 5, "2024-02-05T21:00:00Z", "2024-02-06T02:00:00Z")
    row = clock(logs, "2024-02-06T12:00:00Z")
    assert (row["state"], row["stage"], row["next_stage"], row["basis"]) == ("throttled", 2, 3, "observed")
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2023-12-28 01:59:30", "2024-01-06 21:00:30")
    assert (row["next_stage_earliest"], row["next_stage_latest"]) == (
        "2024-02-06 01:59:30",
        "2024-02-15 21:00:30",
    )
    logs.add("known_first_detections", "contoso", "ex01.contoso.local", "2024-01-02T08:00:00Z")
    row = clock(logs, "2024-02-06T12:00:00Z")
    assert row["first_detected_earliest"] == row["first_detected_latest"] == "2024-01-02 08:00:00"
    assert row["next_stage_earliest"] == row["next_stage_latest"] == "2024-02-11 08:00:00"
    assert row["full_block_earliest"] == row["full_block_latest"] == "2024-04-01 08:00:00"


def test_patched_cluster_with_one_member_that_stamps_an_old_build(logs: Logs) -> None:
    wrote(logs, "15.1.2507.77", "2026-11-18T09:00:00Z", "2026-11-20T09:00:00Z", server="EX01")
    wrote(logs, "15.1.2507.17", "2026-11-20T09:00:00Z", server="EX02")
    passed(logs, "2026-11-20T09:30:00Z", "2026-11-20T10:30:00Z", log_build="15.1.2507.77")
    for hour in (9, 10):
        refused(logs, "block", 60, f"2026-11-20T{hour:02}:00:00Z", log_build="15.1.2507.77")
    for record in logs.ask("select message_id from message_tracking where event_id = 'FAIL'"):
        logs.rows(
            "message-tracking",
            "2026-11-20T08:59:00Z",
            event_id="RECEIVE",
            source="SMTP",
            message_id=record["message_id"],
            client_hostname="ex02.contoso.local",
            client_ip="10.0.0.2",
            log_build="15.1.2507.77",
            connector_id="EX01\\Default EX01",
        )
    row = clock(logs, "2026-11-20T12:00:00Z")
    assert row["state"] == "one message path stamps an old build"
    assert row["stage"] == 8
    assert "client ex02.contoso.local" in str(row["readings"])
    assert "the server EX02 with build 15.1.2507.17" in str(row["readings"])
    assert f"connector {HYBRID}" in str(row["next_action"])


def test_pickup_mail_with_a_wrong_build(logs: Logs) -> None:
    wrote(logs, "15.1.2507.77", "2026-11-18T09:00:00Z", "2026-11-20T09:00:00Z")
    passed(logs, "2026-11-20T09:30:00Z", "2026-11-20T10:30:00Z")
    refused(logs, "block", 60, "2026-11-20T10:00:00Z", "2026-11-20T10:20:00Z")
    for record in logs.ask("select message_id from message_tracking where event_id = 'FAIL'"):
        logs.rows(
            "message-tracking",
            "2026-11-20T09:59:00Z",
            event_id="RECEIVE",
            source="PICKUP",
            message_id=record["message_id"],
        )
    row = clock(logs, "2026-11-20T12:00:00Z")
    assert row["state"] == "one message path stamps an old build"
    assert "submitted by PICKUP" in str(row["readings"])


@pytest.mark.parametrize(
    ("detected", "full_block"), [("2026-09-07", "2026-12-06 00:00:00"), ("2026-09-13", "2026-12-12 00:00:00")]
)
def test_flagged_in_the_second_week_of_september(logs: Logs, detected: str, full_block: str) -> None:
    """Seen on 2026-11-25: day 79 or 73, stage 6; full block on 12-06 or 12-12."""
    logs.add("known_first_detections", "contoso", "EX01", f"{detected}T00:00:00Z")
    row = clock(logs, "2026-11-25T00:00:00Z")
    assert (row["stage"], row["next_stage"], row["basis"]) == (6, 7, "imported")
    assert row["full_block_earliest"] == row["full_block_latest"] == full_block


def test_below_the_floor_without_a_refusal(logs: Logs) -> None:
    """The same server when nothing is known of its detection: nothing before the raise of 09-07, and no end."""
    wrote(logs, "15.1.2507.59", "2026-11-20T09:00:00Z")
    passed(logs, "2026-11-20T09:30:00Z", log_build="15.1.2507.59")
    row = clock(logs, "2026-11-25T00:00:00Z")
    assert (row["state"], row["basis"], row["next_stage"]) == ("predicted", "predicted", 2)
    assert row["next_stage_earliest"] == "2026-10-07 00:00:00"
    assert row["full_block_earliest"] == "2026-12-06 00:00:00"
    assert row["next_stage_latest"] is row["full_block_latest"] is row["full_block_latest_if_paused"] is None
    assert (row["stage"], row["stage_earliest"], row["stage_latest"]) == (None, 1, 6)
    assert row["first_detected_latest"] is None


def test_five_minute_refusals_on_day_31_and_39_with_a_pause_between(logs: Logs) -> None:
    """Day 0 is 2026-09-10; a pause of five days lies between, so stage 3 begins on day 45, 2026-10-25."""
    refused(logs, "throttle", 5, "2026-10-11T00:00:00Z", "2026-10-19T00:00:00Z")
    row = clock(logs, "2026-10-19T01:00:00Z")
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-08 23:59:30", "2026-09-11 00:00:30")
    assert (row["next_stage"], row["next_stage_earliest"], row["next_stage_latest"]) == (
        3,
        "2026-10-18 23:59:30",
        "2026-10-21 00:00:30",
    )
    assert str(row["next_stage_latest_if_paused"]) >= "2026-10-25 00:00:00"
    assert str(row["full_block_latest_if_paused"]) >= "2026-12-14 00:00:00"
    assert str(row["first_detected_earliest"]) <= "2026-09-10" <= str(row["first_detected_latest"])


def test_look_alikes_subjects_and_addresses_change_nothing(logs: Logs) -> None:
    wrote(logs, "15.1.2507.59", "2026-11-20T09:00:00Z")
    passed(logs, "2026-11-20T09:30:00Z", log_build="15.1.2507.59")
    before = clock(logs, "2026-11-21T00:00:00Z")
    sentence = (
        "550 5.7.230 Connecting Exchange server version is out-of-date; "
        "connection to Exchange Online blocked for 60 mins/hr."
    )
    passed(
        logs,
        "2026-11-20T09:40:00Z",
        log_build="15.1.2507.59",
        message_subject=sentence,
        client_ip="154.7.230.12",
    )
    logs.rows(
        "message-tracking",
        "2026-11-20T09:50:00Z",
        event_id="DEFER",
        message_id="<l@contoso.com>",
        log_build="15.1.2507.59",
        reply="451 4.7.500 Server busy. Please try again later",
        reply_code=451,
        enhanced_code="4.7.500",
    )
    assert clock(logs, "2026-11-21T00:00:00Z") == before
