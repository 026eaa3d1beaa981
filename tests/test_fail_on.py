"""--fail-on: what counts as a finding, and the line that names it."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest

from pipeline.errors import ExitCode, UsageError
from pipeline.fail_on import Conditions, findings, parse_conditions, sentence
from pipeline.sql import Result, Session


class Answers:
    """A session that answers from what each view holds."""

    def __init__(
        self, states: list[tuple[str, str, str]], clocks: list[tuple[object, ...]] | None = None
    ) -> None:
        import duckdb

        self.connection = duckdb.connect()
        self.connection.execute("set timezone = 'UTC'")
        self.connection.execute(
            "create table mail_states (organisation varchar, server varchar, state varchar)"
        )
        self.connection.execute(
            "create table server_clocks (organisation varchar, server varchar, state varchar, next_stage integer, "
            "next_stage_earliest timestamptz, full_block_earliest timestamptz)"
        )
        self.connection.execute(
            "create table parameters as select timestamptz '2026-11-25 00:00:00+00' as as_of"
        )
        for row in states:
            self.connection.execute("insert into mail_states values (?, ?, ?)", list(row))
        for clock in clocks or []:
            self.connection.execute("insert into server_clocks values (?, ?, ?, ?, ?, ?)", list(clock))

    def query(self, sql: str) -> Result:
        return Result([], [], self.connection.execute(sql).fetchall())


def found(
    conditions: str, *states: tuple[str, str, str], clocks: list[tuple[object, ...]] | None = None
) -> list[str]:
    return findings(cast(Session, Answers(list(states), clocks)), parse_conditions([conditions]))


def test_conditions() -> None:
    assert parse_conditions([]) == Conditions() and not Conditions().any
    assert parse_conditions(["throttled, blocked", "within=30d"]) == Conditions(
        True, True, timedelta(days=30)
    )
    assert parse_conditions(["within=7d,within=30d"]).within == timedelta(days=30)


@pytest.mark.parametrize(
    "value", ["", "late", "within", "within=", "within=30", "within=-1d", "within=30h", "throttled,"]
)
def test_what_is_no_condition(value: str) -> None:
    with pytest.raises(UsageError, match="give throttled, blocked or within=30d") as error:
        parse_conditions([value])
    assert error.value.exit_code is ExitCode.USAGE


STATES = (
    ("a", "", "accepted"),
    ("a", "A1", "accepted"),
    ("b", "", "delayed"),
    ("b", "B1", "delayed"),
    ("b", "B2", "accepted"),
    ("c", "", "partly blocked"),
    ("c", "C1", "delayed"),
    ("d", "", "recovered since"),
    ("e", "", "fully blocked"),
    ("e", "E1", "fully blocked"),
)


def test_throttled_is_delayed_or_worse() -> None:
    assert found("throttled", *STATES) == [
        "e E1 is fully blocked",
        "c is partly blocked",
        "b B1 is delayed",
        "c C1 is delayed",
    ]


def test_blocked() -> None:
    assert found("blocked", *STATES) == ["e E1 is fully blocked", "c is partly blocked"]


def test_within() -> None:
    clocks: list[tuple[object, ...]] = [
        ("a", "A1", "throttled", 3, "2026-12-24 12:00:00+00", "2027-02-01 00:00:00+00"),
        ("b", "B1", "throttled", 3, "2026-12-26 00:00:00+00", "2027-02-01 00:00:00+00"),
        ("c", "C1", "not connecting", 3, "2026-11-26 00:00:00+00", None),
        ("d", "D1", "accepted today", None, None, None),
        ("e", "E1", "predicted", 2, None, "2026-12-01 00:00:00+00"),
        # it can have begun already
        ("f", "F1", "predicted", 2, "2026-10-07 00:00:00+00", None),
    ]
    assert found("within=30d", clocks=clocks) == [
        "f F1 may enter stage 2 from 2026-10-07",
        "e E1 may be blocked fully from 2026-12-01",
        "a A1 may enter stage 3 from 2026-12-24",
    ]


def test_one_line() -> None:
    assert sentence(["a is delayed", "b is delayed"]) == "--fail-on: a is delayed; b is delayed"
    assert sentence([str(i) for i in range(7)]) == "--fail-on: 0; 1; 2; 3; 4; and 2 more"
