"""Days of the pause quota that are left, and what a pause shifts. The report date is 2026-11-21."""

from __future__ import annotations

from tests.queries.conftest import Logs
from tests.queries.stand_ins import CLOCK, relation


def clock(logs: Logs, **cells: object) -> None:
    row = {
        "stage": 3,
        "next_stage": 4,
        "basis": "observed",
        "next_stage_earliest": "2026-12-01T12:00:00Z",
        "next_stage_latest": "2026-12-02T12:00:00Z",
        "full_block_earliest": "2027-01-10T12:00:00Z",
        "full_block_latest": None,
        **cells,
    }
    logs.stand_ins["server_clocks"] = relation(CLOCK, row)


def plans(logs: Logs, columns: str) -> dict[object, tuple[object, ...]]:
    rows = logs.ask(f"select option, {columns} from pause_planner order by pause_days")
    return {row["option"]: tuple(row.values())[1:] for row in rows}


def test_plenty_left(logs: Logs) -> None:
    clock(logs)
    logs.add("known_pauses", "contoso", "2026-03-01", "2026-03-20")
    # 21 November to 31 December are 41 days; 90 - 20 = 70 are left
    assert plans(logs, "pause_days, pause_from, pause_to, days_of_this_year, days_of_next_year") == {
        "7 days": (7, "2026-11-21", "2026-11-27", 7, 0),
        "14 days": (14, "2026-11-21", "2026-12-04", 14, 0),
        "30 days": (30, "2026-11-21", "2026-12-20", 30, 0),
        "all days of this year": (41, "2026-11-21", "2026-12-31", 41, 0),
        "all days, over the turn of the year": (131, "2026-11-21", "2027-03-31", 41, 90),
    }
    assert set(plans(logs, "quota_days, used_this_year, left_this_year, left_next_year").values()) == {
        (90, 20, 70, 90)
    }


def test_what_it_shifts(logs: Logs) -> None:
    clock(logs)
    columns = (
        "next_stage_earliest_with_pause, next_stage_latest_with_pause, "
        "full_block_earliest_with_pause, full_block_latest_with_pause"
    )
    found = plans(logs, columns)
    assert found["7 days"] == ("2026-12-08 12:00:00", "2026-12-09 12:00:00", "2027-01-17 12:00:00", None)
    # 131 days after 2026-12-01, 2026-12-02 and 2027-01-10
    assert found["all days, over the turn of the year"] == (
        "2027-04-11 12:00:00",
        "2027-04-12 12:00:00",
        "2027-05-21 12:00:00",
        None,
    )


def test_few_left_can_wait_for_the_turn_of_the_year(logs: Logs) -> None:
    clock(logs)
    logs.add("known_pauses", "contoso", "2026-03-01", "2026-04-29")
    found = plans(
        logs,
        "pause_days, pause_from, pause_to, next_stage_earliest_with_pause, full_block_earliest_with_pause",
    )
    # 60 used, 30 left: too few to reach the new year from now
    assert found == {
        "7 days": (7, "2026-11-21", "2026-11-27", "2026-12-08 12:00:00", "2027-01-17 12:00:00"),
        "14 days": (14, "2026-11-21", "2026-12-04", "2026-12-15 12:00:00", "2027-01-24 12:00:00"),
        "all days of this year": (
            30,
            "2026-11-21",
            "2026-12-20",
            "2026-12-31 12:00:00",
            "2027-02-09 12:00:00",
        ),
        # begins on 2 December, after the next stage; 30 + 90 days from 2027-01-10
        "later, over the turn of the year": (
            120,
            "2026-12-02",
            "2027-03-31",
            "2026-12-01 12:00:00",
            "2027-05-10 12:00:00",
        ),
    }
    assert "the clock goes on" in str(plans(logs, "note")["later, over the turn of the year"][0])


def test_a_pause_over_the_turn_of_the_year_counts_in_both(logs: Logs) -> None:
    clock(logs)
    # 12 days of 2025, 10 of 2026; 5 of 2026 and 5 of 2027
    logs.add("known_pauses", "contoso", "2025-12-20", "2026-01-10")
    logs.add("known_pauses", "contoso", "2026-12-27", "2027-01-05")
    assert set(plans(logs, "used_this_year, left_this_year, left_next_year").values()) == {(15, 75, 85)}
    assert "Another pause is known from 2026-12-27" in str(plans(logs, "note")["7 days"][0])


def test_a_running_pause_is_extended(logs: Logs) -> None:
    clock(logs)
    logs.add("known_pauses", "contoso", "2026-11-15", "2026-11-25")
    assert plans(logs, "pause_from, pause_to")["7 days"] == ("2026-11-26", "2026-12-02")
    assert "A pause runs to 2026-11-25" in str(plans(logs, "note")["7 days"][0])


def test_pauses_that_touch_or_overlap_count_once(logs: Logs) -> None:
    clock(logs)
    for first, last in (
        ("2026-03-01", "2026-03-10"),
        ("2026-03-05", "2026-03-15"),
        ("2026-03-16", "2026-03-20"),
    ):
        logs.add("known_pauses", "contoso", first, last)
    assert set(plans(logs, "used_this_year").values()) == {(20,)}


def test_nothing_left(logs: Logs) -> None:
    clock(logs)
    logs.add("known_pauses", "contoso", "2026-03-01", "2026-05-29")
    assert list(plans(logs, "server")) == ["later, over the turn of the year"]
    logs.add("known_pauses", "contoso", "2027-01-01", "2027-03-31")
    assert plans(logs, "pause_days, pause_to, next_stage_earliest_with_pause") == {
        "none": (0, None, "2026-12-01 12:00:00")
    }
    assert str(plans(logs, "note")["none"][0]).startswith("No pause day is left")


def test_a_stage_that_can_begin_any_moment(logs: Logs) -> None:
    clock(logs, next_stage_earliest="2026-11-19T12:00:00Z", next_stage_latest="2026-11-30T12:00:00Z")
    found = plans(logs, "next_stage_earliest_with_pause, next_stage_latest_with_pause, note")["7 days"]
    # it begins when the pause ends, at the earliest
    assert found[:2] == ("2026-11-28 00:00:00", "2026-12-07 12:00:00")
    assert "can begin any moment" in str(found[2])


def test_all_is_blocked(logs: Logs) -> None:
    clock(
        logs,
        stage=8,
        next_stage=None,
        next_stage_earliest=None,
        next_stage_latest=None,
        full_block_earliest=None,
    )
    found = plans(logs, "next_stage_earliest_with_pause, full_block_earliest_with_pause, note")["7 days"]
    assert found[:2] == (None, None)
    assert str(found[2]).startswith("All mail is blocked now: in the pause it flows")


def test_an_organisation_with_pauses_and_no_clock(logs: Logs) -> None:
    logs.stand_ins["server_clocks"] = relation(CLOCK)
    logs.add("known_pauses", "contoso", "2026-03-01", "2026-03-20")
    assert set(plans(logs, "server, left_this_year").values()) == {(None, 70)}
    logs.connection.execute("delete from known_pauses")
    assert plans(logs, "server") == {}
