"""Refusals by minute of the hour. Spells and arcs are counted by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.queries.conftest import HYBRID, TENANT, Logs
from tests.queries.stand_ins import CLOCK_REFUSAL, relation

DAY = "2026-11-20"


def seconds(time: str, day: str = DAY) -> int:
    return int(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).timestamp())


def windows(logs: Logs, *refusals: tuple[str, str, int], **cells: object) -> list[dict[str, object]]:
    """Rows for refusals given as (server, HH:MM:SS, minutes an hour)."""
    rows = (
        {
            "server": server,
            "refused_at": seconds(time),
            "minutes_per_hour": minutes,
            "action": "throttle",
            **cells,
        }
        for server, time, minutes in refusals
    )
    logs.stand_ins["clock_refusals"] = relation(CLOCK_REFUSAL, *rows)
    return logs.report("refusal_windows")


def accepted(logs: Logs, *times: str) -> None:
    logs.rows(
        "message-tracking",
        *times,
        event_id="SENDEXTERNAL",
        connector_id=HYBRID,
        peer_name=TENANT,
        destination_class="exchange-online",
        message_id="<m@contoso.example>",
        recipient_count=1,
    )


def at(*times: str, server: str = "EX01", minutes: int = 5) -> list[tuple[str, str, int]]:
    return [(server, time, minutes) for time in times]


def test_a_fixed_window_that_straddles_the_hour(logs: Logs) -> None:
    accepted(logs, "08:10:00", "09:59:30")
    times = ("07:58:10", "08:00:50", "08:02:59", "08:59:00", "09:01:00", "10:58:00")
    (row,) = windows(logs, *at(*times))
    words = row.pop("words")
    assert row == {
        "organisation": "contoso",
        "server": "EX01",
        "day": DAY,
        "action": "throttle",
        "minutes_per_hour": 5,
        "refusals": 6,
        "spells": 3,
        "first_minute": 58,
        "last_minute": 2,
        "span_minutes": 5,
        "covered_minutes": 5,
        "longest_spell_minutes": 4.8,
        "accepted_inside": 0,
        "looks": "fixed",
        "other_servers": "no other server was refused",
    }
    assert (
        words
        == "Refusals: 6, spells: 3, minutes of the hour: 58 to 2, 5 in all (named: 5), accepted inside: 0."
    )


def test_acceptance_inside_a_spell_is_counted(logs: Logs) -> None:
    accepted(logs, "08:00:30", "08:02:30", "08:03:10", "08:04:40", "08:20:00")
    # minutes 1 to 3 lie whole between 08:00:50 and 08:04:10
    (row,) = windows(logs, *at("08:00:50", "08:04:10"))
    assert (row["accepted_inside"], row["looks"]) == (2, "too few")


@pytest.mark.parametrize(
    ("times", "looks"),
    [
        # each spell twelve minutes later in its hour
        (("08:00:10", "09:12:10", "10:24:10", "11:36:10"), "rolling"),
        # each eleven to thirteen minutes earlier
        (("08:50:10", "09:38:10", "10:27:10", "11:14:10"), "rolling"),
        (("08:00:10", "09:40:10", "10:10:10", "11:50:10"), "random"),
        (("08:00:10", "09:00:10", "10:06:10"), "random"),
        (("08:00:10", "09:00:10", "10:05:10"), "fixed"),
        (("08:00:10", "08:30:10", "09:00:10", "09:30:10", "10:00:10", "10:30:10"), "random"),
        (("08:00:10", "08:04:10", "08:08:10", "09:00:10", "10:00:10"), "longer than named"),
        (("08:00:10", "09:00:10"), "too few"),
    ],
)
def test_what_it_looks_like(logs: Logs, times: tuple[str, ...], looks: str) -> None:
    assert windows(logs, *at(*times))[0]["looks"] == looks


def test_one_window_or_one_each(logs: Logs) -> None:
    shared = [*at("08:10:00", "09:11:00", "10:12:00"), *at("08:11:00", "09:13:00", "10:14:00", server="EX02")]
    assert [row["other_servers"] for row in windows(logs, *shared)] == ["one window fits all 2"] * 2
    own = [*at("08:10:00", "09:11:00", "10:12:00"), *at("08:41:00", "09:43:00", "10:44:00", server="EX02")]
    words = "each of 2 fits a window of its own, not one together"
    assert [row["other_servers"] for row in windows(logs, *own)] == [words] * 2
    none = [*at("08:10:00", "09:11:00", "10:12:00"), *at("08:01:00", "09:43:00", "10:24:00", server="EX02")]
    assert [row["other_servers"] for row in windows(logs, *none)] == ["no one window fits all 2"] * 2


def test_numbers_and_actions_are_kept_apart(logs: Logs) -> None:
    rows = windows(logs, *at("08:10:00"), *at("09:10:00", minutes=10))
    assert [(row["minutes_per_hour"], row["refusals"]) for row in rows] == [(5, 1), (10, 1)]


def test_all_the_hour(logs: Logs) -> None:
    accepted(logs, "08:30:00")
    (row,) = windows(logs, *at("08:10:00", "11:50:00", minutes=60))
    assert (row["looks"], row["spells"], row["accepted_inside"]) == ("whole hour", 1, 1)


def test_a_spell_over_midnight_is_of_its_first_day(logs: Logs) -> None:
    rows = [
        {"refused_at": seconds(time, day), "minutes_per_hour": 10, "action": "block"}
        for day, time in ((DAY, "23:57:00"), ("2026-11-21", "00:03:00"), ("2026-11-21", "00:57:00"))
    ]
    logs.stand_ins["clock_refusals"] = relation(CLOCK_REFUSAL, *rows)
    found = [
        (row["day"], row["first_minute"], row["last_minute"], row["refusals"])
        for row in logs.report("refusal_windows")
    ]
    assert found == [(DAY, 57, 3, 2), ("2026-11-21", 57, 57, 1)]


def test_a_quotation_is_no_refusal_of_its_minute(logs: Logs) -> None:
    assert windows(logs, *at("08:10:00"), quoted_only=True) == []
