"""The verdict of an organisation."""

from __future__ import annotations

import pytest

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal


def built(logs: Logs, build: str | None, *, time: str = "00:00:00", **cells: object) -> None:
    """The server's tracking is there, written by a build."""
    logs.rows("message-tracking", time, event_id="RECEIVE", log_build=build, **cells)


def accepted(logs: Logs, *times: str, **cells: object) -> None:
    """Mail that Exchange Online accepts on the hybrid connector."""
    defaults: dict[str, object] = {
        "connector_id": HYBRID,
        "peer_name": TENANT,
        "destination_class": "exchange-online",
    }
    for time in times:
        logs.rows(
            "message-tracking",
            time,
            event_id="SENDEXTERNAL",
            message_id=f"<{time}@contoso.com>",
            **{**defaults, **cells},
        )


def refused(logs: Logs, action: str, minutes: int, *times: str, **cells: object) -> None:
    """One refused message a time."""
    event = "DEFER" if action == "throttle" else "FAIL"
    for time in times:
        logs.rows(
            "message-tracking",
            time,
            event_id=event,
            message_id=f"<{time}{action}@contoso.com>",
            connector_id=HYBRID,
            peer_name=TENANT,
            destination_class="exchange-online",
            **{**refusal(action, minutes), **cells},
        )


def test_clean(logs: Logs) -> None:
    built(logs, "15.1.2507.77")
    accepted(logs, "10:00:00", "11:00:00")
    row = logs.one("select * from exposure")
    assert (row["rank"], row["state"], row["build_risk"], row["handed_over_messages"]) == (
        1,
        "accepted",
        "accepted today",
        2,
    )
    assert (row["servers"], row["servers_out_of_date"], row["delayed_messages"], row["bounced_messages"]) == (
        1,
        0,
        0,
        0,
    )
    assert (row["stage"], row["stale"], row["catalogue_as_of"]) == (None, False, "2026-11-25")
    assert (
        row["verdict"] == "Exchange Online accepts its mail. Its builds are accepted today. "
        "Gaps in these logs: 1 (see coverage)."
    )


@pytest.mark.parametrize(
    ("refusals", "state", "stage"),
    [
        ([("throttle", 5)], "delayed", 2),
        ([("throttle", 10)], "delayed", 3),
        ([("throttle", 20)], "delayed", 4),
        ([("throttle", 30)], "delayed", 5),
        ([("throttle", 40)], "delayed", None),
        ([("block", 5), ("throttle", 30)], "partly blocked", 5),
        ([("block", 10), ("throttle", 40)], "partly blocked", 6),
        ([("block", 20)], "partly blocked", 7),
        ([("block", 60)], "fully blocked", 8),
        ([("block", 7)], "partly blocked", None),
    ],
)
def test_stage_is_read_off_the_latest_refusal(
    logs: Logs, refusals: list[tuple[str, int]], state: str, stage: int | None
) -> None:
    built(logs, "15.1.2507.39")
    for hour, (action, minutes) in enumerate(refusals, start=10):
        refused(logs, action, minutes, f"{hour}:00:00")
    assert logs.one(
        "select state, stage, build_risk, servers_out_of_date, servers_refused from exposure"
    ) == {
        "state": state,
        "stage": stage,
        "build_risk": "below the floor",
        "servers_out_of_date": 1,
        "servers_refused": 1,
    }


def test_the_highest_throttle_fits_later_stages_too(logs: Logs) -> None:
    """The throttle minutes of stages 6 and 7 are not public: 30 minutes alone do not name stage 5."""
    built(logs, "15.1.2507.39")
    refused(logs, "throttle", 30, "10:00:00")
    words = "names 30 minutes an hour: stage 5, or a later one to 7, since"
    assert words in str(logs.one("select verdict from exposure")["verdict"])
    assert words in str(logs.one("select finding from findings where finding_key like '%/mail'")["finding"])
    refused(logs, "block", 5, "10:05:00")
    assert "names stage 5 (5 minutes" in str(logs.one("select verdict from exposure")["verdict"])


def test_a_newer_table_of_stages_names_each_server_once(logs: Logs) -> None:
    """A refusal is read by the table that was valid then, and a second table doubles no row."""
    logs.connection.execute("create temp table kept as select * from ref_stages")
    logs.connection.execute(
        "insert into ref_stages select stage + 1, day_from, day_to, throttle_minutes_per_hour, "
        "block_minutes_per_hour, source, as_of, note, '2026-11-20', valid_to from kept"
    )
    try:
        refused(logs, "throttle", 5, "2026-11-19T10:00:00Z")
        refused(logs, "throttle", 5, "2026-11-20T10:00:00Z", server="EX02")
        assert logs.ask("select server, stage from mail_states where server <> '' order by server") == [
            {"server": "EX01", "stage": 2},
            {"server": "EX02", "stage": 3},
        ]
    finally:
        logs.connection.execute(
            "delete from ref_stages; insert into ref_stages select * from kept; drop table kept"
        )


def test_recovered_since(logs: Logs) -> None:
    built(logs, "15.1.2507.61", time="2026-11-18T08:00:00Z")
    refused(logs, "throttle", 5, "2026-11-18T10:00:00Z")
    accepted(logs, *(f"2026-11-19T{hour}:00:00Z" for hour in (10, 11, 12, 13, 14)), "2026-11-19T14:30:00Z")
    assert logs.one("select state from exposure") == {"state": "delayed"}
    accepted(logs, "2026-11-19T15:00:00Z")
    assert logs.one("select state, stage from exposure") == {"state": "recovered since", "stage": 2}
    refused(logs, "throttle", 5, "2026-11-19T15:10:00Z")
    assert logs.one("select state from exposure") == {"state": "delayed"}


def test_not_connecting_and_not_visible_here(logs: Logs) -> None:
    built(logs, "15.1.2507.39")
    built(logs, "15.1.2507.39", organisation="gateway")
    logs.rows(
        "message-tracking",
        "10:00:00",
        "10:01:00",
        organisation="gateway",
        event_id="SENDEXTERNAL",
        peer_name="edge.gateway.example",
    )
    built(logs, "15.1.2507.39", organisation="partners")
    accepted(
        logs,
        "10:00:00",
        organisation="partners",
        connector_id="Internet",
        peer_name="fabrikam-com.mail.protection.outlook.com",
    )
    logs.rows("smtp-receive", "10:00:00", organisation="receive", session="s", event="+")
    logs.add("organisations", "empty", "Empty GmbH")
    assert {
        row["organisation"]: (row["state"], row["build_risk"]) for row in logs.ask("select * from exposure")
    } == {
        "contoso": ("not connecting", "below the floor"),
        "gateway": ("not visible here", "below the floor"),
        "partners": ("not visible here", "below the floor"),
        "receive": ("not visible here", "build unknown"),
        "empty": ("not visible here", "build unknown"),
    }


def test_worst_first_and_names_stay_apart(logs: Logs) -> None:
    for organisation, build in (
        ("clean", "15.1.2507.77"),
        ("floor", "15.1.2507.39"),
        ("raise", "15.1.2507.61"),
        ("old", None),
    ):
        built(logs, build, organisation=organisation, log_version=None if build else "14.0.0.0")
        accepted(logs, "10:00:00", organisation=organisation, log_build=build)
    for organisation, action, minutes in (
        ("late", "throttle", 30),
        ("gone", "block", 60),
        ("part", "block", 5),
    ):
        built(logs, "15.1.2507.39", organisation=organisation)
        refused(logs, action, minutes, "10:00:00", organisation=organisation)
    assert [row["organisation"] for row in logs.ask("select * from exposure order by rank")] == [
        "gone",
        "part",
        "late",
        "old",
        "floor",
        "raise",
        "clean",
    ]


def test_risk_is_that_of_the_servers_that_hand_over(logs: Logs) -> None:
    built(logs, "15.1.2507.77")
    built(logs, "15.1.2507.39", server="EX02")
    assert logs.one("select build_risk from exposure") == {"build_risk": "below the floor"}
    accepted(logs, "10:00:00")
    assert logs.one("select build_risk, servers_out_of_date from exposure") == {
        "build_risk": "accepted today",
        "servers_out_of_date": 1,
    }


def test_cost_and_what_is_not_known(logs: Logs) -> None:
    logs.as_of("2026-11-30T00:00:00Z")
    built(logs, "15.2.1544.36")
    refused(logs, "throttle", 5, "10:00:00", "10:01:00")
    accepted(logs, "10:10:00")
    logs.rows(
        "message-tracking",
        "10:20:00",
        event_id="SENDEXTERNAL",
        message_id="<10:00:00throttle@contoso.com>",
        connector_id=HYBRID,
        peer_name=TENANT,
        destination_class="exchange-online",
    )
    refused(logs, "block", 5, "10:30:00")
    row = logs.one("select * from exposure")
    assert (row["delayed_messages"], row["pending_messages"], row["bounced_messages"], row["refusals"]) == (
        2,
        1,
        1,
        3,
    )
    assert (row["longest_delay_seconds"], row["handed_over_messages"], row["stale"]) == (1200.0, 2, True)
    assert (
        row["next_raise"]
        == "1 of 1 servers are refused after the next raise of the floor; its date is not public."
    )
    assert "Sources disagree on the floor of 2019 CU14." in str(row["verdict"])
    verdict = str(row["verdict"])
    assert verdict.startswith(
        "When its logs ended, Exchange Online refused a part of its mail for good (bounced messages: 1)."
    )
    assert "Its logs end on 2026-11-20, more than two days before the report date: all of this" in verdict


def test_refusals_of_an_unknown_server_count_for_the_organisation(logs: Logs) -> None:
    logs.rows("smtp-send", "10:00:00", server=None, session="s", event="<", **refusal("throttle", 5))
    assert logs.one("select state, servers, servers_refused, delayed_messages from exposure") == {
        "state": "delayed",
        "servers": 0,
        "servers_refused": 0,
        "delayed_messages": 1,
    }


def test_only_the_organisation_asked_for(logs: Logs) -> None:
    logs.connection.execute("update parameters set organisation = 'contoso'")
    logs.add("organisations", "fabrikam", "Fabrikam")
    built(logs, "15.1.2507.77")
    assert [row["organisation"] for row in logs.ask("select * from exposure")] == ["contoso"]


def test_a_quiet_window_is_no_verdict(logs: Logs) -> None:
    logs.connection.execute("update parameters set since = '2026-11-20T00:00:00Z'")
    built(logs, "15.1.2507.39")
    assert logs.one("select state, clock_state, next_action from servers") == {
        "state": "no hand-over in the window",
        "clock_state": "no hand-over in the window",
        "next_action": "Look at a longer time: no hand-over to Exchange Online lies in this one.",
    }
    row = logs.one("select state, verdict from exposure")
    assert row["state"] == "no hand-over in the window"
    assert "proves nothing of other times" in str(row["verdict"])
    accepted(logs, "10:00:00")
    assert logs.one("select state from exposure") == {"state": "accepted"}


def test_nothing_in_the_window(logs: Logs) -> None:
    # the log is there, its rows are not: what lies outside of the window is never handed to the views
    logs.connection.execute("update parameters set since = '2026-11-20T00:00:00Z'")
    logs.rows("message-tracking", "10:00:00", event_id="RECEIVE", parse_error="cut")
    row = logs.one("select state, verdict, next_action, logs_from, logs_to from exposure")
    assert (row["state"], row["logs_from"], row["logs_to"]) == ("not visible here", None, None)
    assert "None of its log lines lies in the time looked at." in str(row["verdict"])
    assert row["next_action"] == "Look at a longer time."


def test_what_silence_means_depends_on_the_logs(logs: Logs) -> None:
    logs.rows("smtp-receive", "10:00:00", session="s", event="+", log_service="frontend")
    assert logs.one("select state, clock_state, next_action from servers") == {
        "state": "not visible here",
        "clock_state": "not visible here",
        "next_action": "Bring the missing logs: see coverage.",
    }


def test_blocked_all_the_hour_on_one_path_alone(logs: Logs) -> None:
    """Refusals that name 60 minutes beside mail that passes: only a part is refused (a member that stamps an old build)."""
    built(logs, "15.1.2507.61")
    refused(logs, "block", 60, "10:10:00", "12:10:00", "14:10:00")
    assert logs.one("select state from mail_states where server = 'EX01'") == {"state": "fully blocked"}
    accepted(logs, "11:30:00", server="EX02")
    assert logs.one("select state from mail_states where server = 'EX01'") == {"state": "fully blocked"}
    assert logs.one("select state from exposure") == {"state": "fully blocked"}
    accepted(logs, "13:30:00")
    assert logs.one("select state, stage from mail_states where server = 'EX01'") == {
        "state": "partly blocked",
        "stage": 8,
    }
    assert logs.one("select state from exposure") == {"state": "partly blocked"}
    assert "a part of its mail" in str(
        logs.one("select finding from findings where finding_key like '%/EX01/mail'")["finding"]
    )
