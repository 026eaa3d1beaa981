"""What a stage does to a message, and to the mail of a server. Retries and windows are worked by hand."""

from __future__ import annotations

import pytest

from tests.queries.conftest import HYBRID, TENANT, Logs, refusal
from tests.queries.stand_ins import CLOCK, CLOCK_REFUSAL, STAGE_DATE, relation


def outcomes(
    logs: Logs, stage: int, schedule: str, place: str, throttle: int | None = None
) -> dict[object, object]:
    """First try -> delay in minutes, 0 if accepted at once, or bounced."""
    rows = logs.ask(
        f"select minute, outcome, delay_minutes from stage_outcomes where stage = {stage} and schedule = '{schedule}' "
        f"and place = '{place}'" + (f" and throttle_minutes = {throttle}" if throttle is not None else "")
    )
    assert len(rows) == 60
    return {
        row["minute"]: row["delay_minutes"]
        if row["outcome"] == "delayed"
        else 0
        if row["outcome"] == "accepted"
        else "bounced"
        for row in rows
    }


def test_five_minutes_of_throttle(logs: Logs) -> None:
    # tries after 1, 2, 3, 4, 9, 14 ... minutes
    queue = outcomes(logs, 2, "queue", "alone")
    assert [queue[minute] for minute in range(7)] == [9, 4, 3, 2, 1, 0, 0]
    assert {queue[minute] for minute in range(5, 60)} == {0}
    # tries after 15, 30 ... minutes
    message = outcomes(logs, 2, "message", "alone")
    assert [message[minute] for minute in range(7)] == [15, 15, 15, 15, 15, 0, 0]


def test_twenty_minutes_of_throttle(logs: Logs) -> None:
    queue = outcomes(logs, 4, "queue", "alone")
    assert [queue[minute] for minute in (0, 6, 11, 19, 20)] == [24, 14, 9, 1, 0]
    message = outcomes(logs, 4, "message", "alone")
    # from minute 4 the second try stands at minute 19 still
    assert [message[minute] for minute in (0, 4, 5, 19, 20)] == [30, 30, 15, 15, 0]


def test_a_block_after_the_throttle_catches_retries(logs: Logs) -> None:
    # block in minutes 30 to 34: with tries five minutes apart none gets past it
    queue = outcomes(logs, 5, "queue", "after the throttle")
    assert {queue[minute] for minute in range(35)} == {"bounced"}
    assert {queue[minute] for minute in range(35, 60)} == {0}
    message = outcomes(logs, 5, "message", "after the throttle")
    assert [message[minute] for minute in (0, 4, 5, 10, 15, 20, 29, 30)] == [
        "bounced",
        "bounced",
        30,
        30,
        "bounced",
        15,
        15,
        "bounced",
    ]


def test_a_block_before_the_throttle_catches_none(logs: Logs) -> None:
    queue = outcomes(logs, 5, "queue", "before the throttle")
    assert [queue[minute] for minute in (0, 29, 30, 54, 55, 59)] == [34, 1, 0, 0, "bounced", "bounced"]


def test_an_unknown_throttle_is_none_or_all_that_the_block_leaves(logs: Logs) -> None:
    assert {
        row["throttle_minutes"]
        for row in logs.ask("select throttle_minutes from stage_outcomes where stage = 6")
    } == {0, 50}
    none = outcomes(logs, 6, "queue", "alone", 0)
    assert [none[minute] for minute in (0, 9, 10)] == ["bounced", "bounced", 0]
    # the whole hour is closed: nothing gets through, and what no block catches expires
    assert set(outcomes(logs, 6, "message", "before the throttle", 50).values()) == {"bounced"}


def test_all_the_hour(logs: Logs) -> None:
    assert set(outcomes(logs, 8, "queue", "alone").values()) == {"bounced"}


def mail(logs: Logs, *times: str, **cells: object) -> None:
    defaults: dict[str, object] = {
        "event_id": "SENDEXTERNAL",
        "message_id": "<m@contoso.example>",
        "recipient_count": 1,
    }
    logs.rows(
        "message-tracking",
        *times,
        connector_id=HYBRID,
        peer_name=TENANT,
        destination_class="exchange-online",
        **{**defaults, **cells},
    )


def whole_day(logs: Logs, day: str = "2026-11-20") -> None:
    logs.rows(
        "message-tracking",
        f"{day}T00:00:00+00",
        f"{day}T23:59:00+00",
        event_id="RECEIVE",
        log_build="15.1.2507.39",
    )


def clock(
    logs: Logs,
    *,
    stage: int | None,
    next_stage: int | None,
    basis: str | None = "observed",
    state: str = "throttled",
) -> None:
    logs.stand_ins["server_clocks"] = relation(
        CLOCK, {"stage": stage, "next_stage": next_stage, "basis": basis, "state": state}
    )
    # 2026-12-01 12:00 and a day later
    dates = ({"stage": n, "earliest": 1796126400, "latest": 1796212800} for n in range(2, 9))
    logs.stand_ins["stage_dates"] = relation(STAGE_DATE, *dates)
    logs.stand_ins["clock_refusals"] = relation(CLOCK_REFUSAL)


def stages(logs: Logs, columns: str) -> dict[object, tuple[object, ...]]:
    return {
        row["stage"]: tuple(row.values())[1:]
        for row in logs.ask(f"select stage, {columns} from impact order by stage")
    }


def test_mail_spread_evenly(logs: Logs) -> None:
    clock(logs, stage=2, next_stage=3)
    whole_day(logs)
    mail(logs, *(f"10:{minute:02d}:30" for minute in range(60)))
    low_high = (
        "delayed_per_day_lowest, delayed_per_day_highest, bounced_per_day_lowest, bounced_per_day_highest"
    )
    assert stages(logs, low_high) == {
        2: (5, 5, 0, 0),
        3: (10, 10, 0, 0),
        4: (20, 20, 0, 0),
        # no message or all 30 get past a block of 5 minutes; it catches 5, or with all retries 35
        5: (0, 30, 5, 35),
        # no throttle, and 10 bounce; or all the hour is closed; or the block is the first 10 of 50 minutes of throttle:
        # of the 40 others those of minutes 11 to 15 try 49 minutes later, in the block of the next hour
        6: (0, 35, 10, 60),
        # the block is the first 20 of 40 minutes of throttle: the 20 others get through in the open 20 minutes
        7: (0, 20, 20, 60),
        8: (0, 0, 60, 60),
    }
    assert stages(logs, "stage_is, messages_per_day, days_observed, busiest_hour, delayed_per_day_expected")[
        2
    ] == (
        "present",
        60,
        1,
        10,
        5,
    )
    # queue: (9 + 4 + 3 + 2 + 1) / 5 = 3.8; message: 15; the mean of both is 9.4
    delays = stages(logs, "delay_minutes_lowest, delay_minutes_expected, delay_minutes_highest")
    assert delays[2] == (1, 9.4, 15)
    assert delays[8] == (None, None, None)
    assert stages(logs, "stage_is, throttle_minutes_lowest, throttle_minutes_highest, block_minutes")[6] == (
        "later",
        0,
        50,
        10,
    )
    assert stages(logs, "stage_is, begins_earliest, begins_latest")[3] == (
        "next",
        "2026-12-01 12:00:00",
        "2026-12-02 12:00:00",
    )


def test_mail_that_comes_by_the_clock(logs: Logs) -> None:
    clock(logs, stage=2, next_stage=3)
    whole_day(logs)
    mail(logs, *(f"{hour:02d}:00:10" for hour in range(24)))
    # all or nothing, by the place of the window; 24 messages x 5/60 on average
    assert stages(logs, "delayed_per_day_lowest, delayed_per_day_expected, delayed_per_day_highest")[2] == (
        0,
        2,
        24,
    )


def test_a_day_cut_in_half_is_no_day_of_half_the_mail(logs: Logs) -> None:
    clock(logs, stage=2, next_stage=3)
    whole_day(logs, "2026-11-19")
    logs.rows("message-tracking", "00:00:00", "11:30:00", event_id="RECEIVE")
    mail(logs, "2026-11-19T10:30:00+00", "2026-11-19T20:30:00+00", "10:30:00")
    # hour 10 of two days has one message a day, hour 20 of one day one
    assert stages(logs, "messages_per_day, days_observed")[2] == (2, 1.5)


def test_a_refused_message_came_when_it_was_first_tried(logs: Logs) -> None:
    clock(logs, stage=2, next_stage=3)
    whole_day(logs)
    for hour in range(24):
        message = f"<m{hour}@contoso.example>"
        logs.rows(
            "message-tracking",
            f"{hour:02d}:00:10",
            event_id="DEFER",
            message_id=message,
            connector_id=HYBRID,
            peer_name=TENANT,
            destination_class="exchange-online",
            return_path="anna@contoso.example",
            **refusal("throttle", 5),
        )
        mail(logs, f"{hour:02d}:{2 * hour + 2:02d}:10", message_id=message)
    # all came at minute 0, so that all can fall into the window
    assert stages(logs, "messages_per_day, delayed_per_day_highest")[2] == (24, 24)


def test_beside_it_what_was_observed(logs: Logs) -> None:
    clock(logs, stage=2, next_stage=3)
    whole_day(logs)
    at_six = 1795154400  # 2026-11-20 06:00
    logs.stand_ins["clock_refusals"] = relation(
        CLOCK_REFUSAL,
        {"action": "throttle", "refused_at": at_six, "stage_from": 2, "stage_to": 2, "day_from": 30},
    )
    for minute in (0, 20, 40):
        message = f"<m{minute}@contoso.example>"
        logs.rows(
            "message-tracking",
            f"06:{minute:02d}:00",
            event_id="DEFER",
            message_id=message,
            connector_id=HYBRID,
            peer_name=TENANT,
            destination_class="exchange-online",
            return_path="anna@contoso.example",
            **refusal("throttle", 5),
        )
        mail(logs, f"06:{minute + 9:02d}:00", message_id=message)
    columns = "observed_stage, observed_hours, observed_delayed_per_day, observed_bounced_per_day, observed_delay_minutes"
    # 18 hours from 06:00 to the end of the day; 3 messages are 4 a day
    found = stages(logs, columns)
    assert found[2] == (2, 18, 4, 0, 9)
    # once: a sum over the stages is the figure of the one
    assert {found[stage] for stage in found if stage > 2} == {(None,) * 5}


@pytest.mark.parametrize(
    ("stage", "next_stage", "shown"), [(None, 2, [2, 3, 4, 5, 6, 7, 8]), (7, 8, [7, 8]), (8, None, [8])]
)
def test_which_stages_are_shown(
    logs: Logs, stage: int | None, next_stage: int | None, shown: list[int]
) -> None:
    clock(logs, stage=stage, next_stage=next_stage)
    whole_day(logs)
    mail(logs, "10:00:00")
    assert list(stages(logs, "server")) == shown


def test_after_the_next_raise(logs: Logs) -> None:
    clock(logs, stage=None, next_stage=None, basis=None, state="accepted today, refused after the next raise")
    mail(logs, "10:00:00")
    found = stages(logs, "stage_is, basis")
    assert set(found.values()) == {("after the next raise", None)} and list(found) == [2, 3, 4, 5, 6, 7, 8]
    clock(logs, stage=None, next_stage=None, basis=None, state="accepted today")
    assert stages(logs, "server") == {}


def test_no_hand_over_no_impact(logs: Logs) -> None:
    clock(logs, stage=2, next_stage=3)
    whole_day(logs)
    assert stages(logs, "server") == {}
