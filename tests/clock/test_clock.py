"""What each kind of evidence does to the clock. Day 0 is 2026-09-10 unless told; clocks are known to 30 seconds."""

from __future__ import annotations

from tests.clock.mail import clock, passed, refused, wrote
from tests.queries.conftest import Logs


def test_visible_change_of_stage_leaves_hours(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z")
    refused(logs, "throttle", 10, "2026-10-20T02:00:00Z")
    row = clock(logs, "2026-10-20T03:00:00Z")
    assert (row["stage"], row["next_stage"]) == (3, 4)
    # stage 2 at 20:00 and stage 3 at 02:00: day 40 lies between
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-09 19:59:30", "2026-09-10 02:00:30")
    assert (row["next_stage_earliest"], row["next_stage_latest"]) == (
        "2026-10-29 19:59:30",
        "2026-10-30 02:00:30",
    )
    assert (row["full_block_earliest"], row["full_block_latest"]) == (
        "2026-12-08 19:59:30",
        "2026-12-09 02:00:30",
    )
    assert (row["days_to_next_stage"], row["act_by"]) == (9, "2026-10-29")


def test_slow_clock_is_corrected(logs: Logs) -> None:
    times = ("2026-10-19T19:20:00Z", "2026-10-19T20:20:00Z")
    refused(logs, "throttle", 5, *times, peer_times=("2026-10-19T20:00:00Z", "2026-10-19T21:00:00Z"))
    row = clock(logs, "2026-10-20T03:00:00Z")
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-09 20:59:30", "2026-09-19 20:00:30")
    assert logs.one("select skew_seconds, error_seconds from clock_skews") == {
        "skew_seconds": 2400,
        "error_seconds": 30,
    }


def test_clock_that_is_not_measured_gets_fifteen_minutes(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z", reply_host=None, peer_time=None)
    row = clock(logs, "2026-10-20T03:00:00Z")
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-09 19:45:00", "2026-09-19 20:15:00")
    assert "could not be measured" in str(row["confidence"])


def test_row_that_quotes_an_older_reply_is_no_time(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z")
    before = clock(logs, "2026-10-20T19:00:00Z")
    # an expiry quotes the temporary refusal: its own time would move the lower bound
    refused(logs, "throttle", 5, "2026-10-20T18:00:00Z", event_id="FAIL")
    assert clock(logs, "2026-10-20T19:00:00Z") == before
    says = [row["says"] for row in logs.ask("select says from clock_evidence where lineage is not null")]
    assert "only quoted in a later report or expiry, refusals: 1" in says


def test_number_that_no_stage_has_is_news(logs: Logs) -> None:
    refused(logs, "throttle", 45, "2026-11-20T20:00:00Z")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert row["state"] == "refused, at a stage that no known table has"
    assert (
        row["stage"]
        is row["next_stage_earliest"]
        is row["full_block_latest"]
        is row["full_block_latest_if_paused"]
        is None
    )
    assert "throttle 45" in str(row["readings"])


def test_highest_throttle_fits_unknown_cells_until_blocks_decide(logs: Logs) -> None:
    refused(logs, "throttle", 30, "2026-11-20T20:00:00Z")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-08-22 19:59:30", "2026-09-21 20:00:30")
    refused(logs, "block", 10, "2026-11-20T21:00:00Z")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert row["stage"] == 6
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-01 20:59:30", "2026-09-11 21:00:30")


def test_throttle_of_an_earlier_stage_beside_a_block_decides_nothing(logs: Logs) -> None:
    refused(logs, "throttle", 10, "2026-11-20T20:00:00Z")
    refused(logs, "block", 10, "2026-11-20T21:00:00Z")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert row["stage"] == 6
    assert "decide nothing" in str(row["readings"])


def test_two_blocks_at_once_fit_no_clock(logs: Logs) -> None:
    refused(logs, "block", 5, "2026-11-20T20:00:00Z")
    refused(logs, "block", 20, "2026-11-20T21:00:00Z")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert "more than one clock" in str(row["readings"])
    # the more advanced of the two counts (stage 7 can end at once), and nothing is promised
    assert row["full_block_earliest"] == "2026-11-20 20:59:30"
    assert row["full_block_latest"] is row["full_block_latest_if_paused"] is None


def test_pause_that_the_refusals_prove(logs: Logs) -> None:
    """Stage 2 on day 31 and on day 49: the clock stood still for eight days at least."""
    refused(logs, "throttle", 5, "2026-10-11T00:00:00Z", "2026-10-29T00:00:00Z")
    row = clock(logs, "2026-10-29T01:00:00Z")
    assert "8.0 days earlier: the clock stood still" in str(row["readings"])
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-18 23:59:30", "2026-09-29 00:00:30")


def test_known_pause_moves_the_bounds(logs: Logs) -> None:
    """Refused until the morning of the first day of a pause of five days."""
    refused(logs, "throttle", 5, "2026-10-19T08:00:00Z", "2026-10-20T07:00:00Z")
    logs.add("known_pauses", "contoso", "2026-10-20", "2026-10-24")
    row = clock(logs, "2026-10-22T00:00:00Z")
    assert row["state"] == "paused until 2026-10-24"
    # day 0 in (10-20 07:00 - 40 days, 10-19 08:00 - 30 days]: stage 3 in the hours before the pause, or after it
    assert (row["next_stage_earliest"], row["next_stage_latest"]) == (
        "2026-10-20 06:59:30",
        "2026-11-03 08:00:30",
    )
    assert (row["full_block_earliest"], row["full_block_latest"]) == (
        "2026-12-14 06:59:30",
        "2026-12-23 08:00:30",
    )


def test_announced_pause_moves_only_what_comes_after_it(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z")
    refused(logs, "throttle", 10, "2026-10-20T02:00:00Z")
    logs.add("known_pauses", "contoso", "2026-11-10", "2026-11-19")
    row = clock(logs, "2026-10-20T03:00:00Z")
    assert row["next_stage_latest"] == "2026-10-30 02:00:30"
    assert (row["full_block_earliest"], row["full_block_latest"]) == (
        "2026-12-18 19:59:30",
        "2026-12-19 02:00:30",
    )


def test_update_that_meets_a_known_floor_ends_the_episode(logs: Logs) -> None:
    wrote(logs, "15.1.2507.59", "2026-10-19T20:00:00Z")
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z", log_build="15.1.2507.59")
    wrote(logs, "15.1.2507.61", "2026-10-21T20:00:00Z", "2026-10-24T20:00:00Z")
    row = clock(logs, "2026-10-25T00:00:00Z")
    assert (row["state"], row["basis"]) == ("updated: no enforcement expected", None)
    assert (
        row["next_stage_earliest"]
        is row["full_block_earliest"]
        is row["act_by"]
        is row["days_to_next_stage"]
        is None
    )


def test_update_to_a_build_without_a_known_floor_ends_nothing(logs: Logs) -> None:
    wrote(logs, "15.1.2507.17", "2024-11-01T20:00:00Z")
    refused(logs, "throttle", 5, "2024-11-01T20:00:00Z", log_build="15.1.2507.17")
    wrote(logs, "15.1.2507.39", "2024-11-03T20:00:00Z", "2024-11-04T20:00:00Z")
    row = clock(logs, "2024-11-05T00:00:00Z")
    assert (row["basis"], row["next_stage"]) == ("observed", 3)


def relapsed(logs: Logs) -> None:
    """Stage 3 on 10-21, updated 10-24 to 10-31, then the old build again."""
    refused(logs, "throttle", 10, "2026-10-21T00:00:00Z", log_build="15.1.2507.59")
    wrote(logs, "15.1.2507.61", "2026-10-24T00:00:00Z", "2026-10-31T00:00:00Z")
    wrote(logs, "15.1.2507.59", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")


def test_relapse_without_a_refusal_keeps_all_readings(logs: Logs) -> None:
    relapsed(logs)
    row = clock(logs, "2026-11-03T00:00:00Z")
    assert row["state"] == "fell back to a build below the floor"
    for reading in ("Never cleared", "Resumed", "Began anew"):
        assert reading in str(row["readings"])
    assert row["next_stage_earliest"] == "2026-10-20 23:59:30"
    assert (
        row["next_stage_latest"] is row["full_block_latest_if_paused"] is row["first_detected_latest"] is None
    )


def test_relapse_with_an_earlier_stage_began_anew(logs: Logs) -> None:
    relapsed(logs)
    refused(logs, "throttle", 5, "2026-12-05T00:00:00Z", log_build="15.1.2507.59")
    row = clock(logs, "2026-12-05T01:00:00Z")
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-10-25 23:59:30", "2026-11-05 00:00:30")
    assert "readings of the clock fit: it began anew" in str(row["readings"])


def test_relapse_at_once_at_the_same_stage_did_not_begin_anew(logs: Logs) -> None:
    relapsed(logs)
    refused(logs, "throttle", 10, "2026-11-02T12:00:00Z", log_build="15.1.2507.59")
    row = clock(logs, "2026-11-02T13:00:00Z")
    # (11-02 12:00 - 50 days, - 40 days] against (10-21 - 50 days, - 40 days] before: nothing tells apart the two that are left
    assert (row["day_0_earliest"], row["day_0_latest"]) == ("2026-09-13 11:59:30", "2026-09-23 12:00:30")
    assert "began anew" not in str(row["readings"])


def test_silence_gives_no_bound(logs: Logs) -> None:
    wrote(logs, "15.1.2507.59", "2026-11-20T09:00:00Z")
    times = [f"2026-11-20T{hour:02}:{minute:02}:30Z" for hour in (9, 10) for minute in range(0, 60, 2)]
    passed(logs, times[0], log_build="15.1.2507.59")
    before = clock(logs, "2026-11-21T00:00:00Z")
    passed(logs, *times[1:], log_build="15.1.2507.59")
    assert clock(logs, "2026-11-21T00:00:00Z") == before
    silence = logs.ask("select * from clock_evidence where source = 'silence'")
    assert [(row["earliest"], row["latest"]) for row in silence] == [(None, None)]
    assert "look alike" in str(silence[0]["carried"])
    assert [row["rules_out"] for row in logs.ask("select rules_out from silent_hours")] == [6, 6]


def test_refusals_that_have_stopped(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z", log_build="15.1.2507.59")
    passed(
        logs,
        *[f"2026-10-{day}T{hour:02}:00:00Z" for day in (21, 22, 23, 24) for hour in range(24)],
        log_build="15.1.2507.59",
    )
    row = clock(logs, "2026-10-25T00:00:00Z")
    assert row["state"] == "refusals have stopped"
    assert "a pause, an update" in str(row["readings"])


def test_gap_in_the_logs_can_hide_a_relapse(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z", log_build="15.1.2507.59")
    wrote(logs, "15.1.2507.59", "2026-10-23T00:00:00Z")
    row = clock(logs, "2026-10-23T01:00:00Z")
    assert row["next_stage_latest"] is not None
    assert row["next_stage_latest_if_paused"] is row["first_detected_latest"] is None
    assert "no upper bound" in str(row["readings"])


def test_without_hand_overs_there_is_no_date(logs: Logs) -> None:
    wrote(logs, "15.1.2507.59", "2026-11-20T09:00:00Z")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert (row["state"], row["basis"], row["next_stage_earliest"], row["act_by"]) == (
        "not connecting",
        None,
        None,
        None,
    )
    # mail to another company's tenant by MX is no hand-over
    other = {"connector_id": "Internet", "peer_name": "fabrikam-com.mail.protection.outlook.com"}
    passed(logs, "2026-11-20T10:00:00Z", server="EX02", **other)
    passed(logs, "2026-11-20T10:00:00Z", server="EX03")
    assert clock(logs, "2026-11-21T00:00:00Z", "EX02")["basis"] is None


def test_accepted_today_refused_after_the_next_raise(logs: Logs) -> None:
    passed(logs, "2026-11-20T10:00:00Z", log_build="15.1.2507.61")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert (row["state"], row["basis"]) == ("accepted today, refused after the next raise", None)
    (raised,) = logs.report("calendar")
    assert (raised["earliest"], raised["what"]) == (
        None,
        "the next raise of the floor: its mail is refused after it",
    )


def test_servers_at_different_stages_have_clocks_of_their_own(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-11-20T20:00:00Z")
    refused(logs, "throttle", 20, "2026-11-20T20:30:00Z", server="EX02")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert row["stage"] == 2
    assert "One clock for the whole tenant does not fit" in str(row["readings"])
    assert clock(logs, "2026-11-21T00:00:00Z", "EX02")["stage"] == 4


def test_servers_at_one_stage_leave_both_hypotheses(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-11-18T20:00:00Z")
    refused(logs, "throttle", 5, "2026-11-20T20:30:00Z", server="EX02")
    row = clock(logs, "2026-11-21T00:00:00Z")
    assert "One clock for the whole tenant fits as well" in str(row["readings"])
    (tenant,) = logs.ask(
        "select earliest, latest from clock_evidence where source = 'one tenant clock' and server = 'EX01'"
    )
    # (11-20 20:30 - 40 days, 11-18 20:00 - 30 days], narrower than that of either server
    assert tenant == {"earliest": "2026-10-11 20:29:30", "latest": "2026-10-19 20:00:30"}


def test_ladder_has_days_of_validity(logs: Logs) -> None:
    """A later table with longer stages: refusals from before it are read by the old one."""
    logs.connection.execute("create temp table kept as select * from ref_stages")
    logs.connection.execute(
        "insert into ref_stages select stage, day_from * 2, day_to * 2, throttle_minutes_per_hour, "
        "block_minutes_per_hour, source, as_of, note, '2026-11-01', valid_to from kept"
    )
    try:
        refused(logs, "throttle", 5, "2026-10-19T20:00:00Z")
        clock(logs, "2026-11-02T00:00:00Z")
        assert logs.one("select day_from, day_to from clock_refusals") == {"day_from": 30, "day_to": 40}
        refused(logs, "throttle", 5, "2026-11-01T20:00:00Z", server="EX02")
        clock(logs, "2026-11-02T00:00:00Z")
        assert logs.one("select day_from, day_to from clock_refusals where server = 'EX02'") == {
            "day_from": 60,
            "day_to": 80,
        }
    finally:
        logs.connection.execute(
            "delete from ref_stages; insert into ref_stages select * from kept; drop table kept"
        )


def test_clock_report_is_about_one_server_if_asked(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-11T00:00:00Z", "2026-10-19T00:00:00Z")
    refused(logs, "throttle", 5, "2026-10-11T00:00:00Z", server="EX02")
    logs.as_of("2026-10-19T01:00:00Z")
    logs.connection.execute("update parameters set server = 'ex01.contoso.local'")
    lines = logs.report("clock")
    assert {line["server"] for line in lines} == {"EX01"}
    evidence = [line for line in lines if line["step"] == 3]
    assert [(line["earliest"], line["latest"], line["latest_if_paused"]) for line in evidence] == [
        ("2026-08-31 23:59:30", "2026-09-11 00:00:30", "2026-09-19 00:00:30"),
        ("2026-09-08 23:59:30", "2026-09-19 00:00:30", "2026-09-19 00:00:30"),
    ]
    assert all(str(line["lineage"]).startswith("message-tracking contoso EX01 None:") for line in evidence)
    (together,) = [line for line in lines if line["step"] == 4 and line["source"] == "result"]
    assert (together["earliest"], together["latest"]) == ("2026-09-08 23:59:30", "2026-09-11 00:00:30")


def test_the_calendar_begins_with_what_has_begun(logs: Logs) -> None:
    refused(logs, "block", 60, "2026-10-19T20:00:00Z")
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z", server="EX02")
    logs.as_of("2026-10-22T00:00:00Z")
    found = [(row["server"], row["what"], row["days"]) for row in logs.report("calendar")]
    assert found[0] == ("EX01", "all mail is blocked, since 2026-10-19 at the latest", -3)
    assert [what for _, what, _ in found[1:]] == [
        "stage 3 begins, throttled 10 minutes an hour",
        "all mail is blocked",
    ]


def test_calendar_lists_pauses_and_dates(logs: Logs) -> None:
    refused(logs, "throttle", 5, "2026-10-19T20:00:00Z")
    logs.add("known_pauses", "contoso", "2026-10-25", "2026-10-30")
    logs.as_of("2026-10-20T00:00:00Z")
    assert [row["what"] for row in logs.report("calendar")] == [
        "stage 3 begins, throttled 10 minutes an hour",
        "the enforcement pause ends",
        "all mail is blocked",
    ]
