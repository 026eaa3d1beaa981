"""CSV: what repeats in a column is written once, and each value still as it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipeline.reports.delimited import to_csv
from pipeline.sql import Result

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def written(*values: Any, raw: bool = False) -> list[str]:
    """The cells of a column of these values."""
    return to_csv(Result(["c"], ["VARCHAR"], [(value,) for value in values]), raw=raw).split("\n")[1:-1]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ((True, 1, 1.0, Decimal("1.00"), "1"), ["true", "1", "1.0", "1.00", "1"]),
        ((1, True, None, 1), ["1", "true", "", "1"]),
        ((0.0, -0.0, 0.0), ["0.0", "-0.0", "0.0"]),
        ((True, False, None, True), ["true", "false", "", "true"]),
        ((7, 7, None), ["7", "7", ""]),
        (("a,b", "a,b", None, 'say "a"'), ['"a,b"', '"a,b"', "", '"say ""a"""']),
        (("=1", "a; =1", "=1"), ["'=1", "a; '=1", "'=1"]),
        ((["a", "b"], ["a", "b"], {"k": NOON}), ['"[""a"", ""b""]"'] * 2 + ['"{""k"": ""2026-11-24T12:00:00Z""}"']),
        ((NOON, NOON.replace(microsecond=5000), date(2026, 1, 2)), ["2026-11-24T12:00:00Z", "2026-11-24T12:00:00.005Z", "2026-01-02"]),
    ],
)  # fmt: skip
def test_each_value_is_written_as_it_is_though_others_are_equal(
    values: tuple[Any, ...], cells: list[str]
) -> None:
    assert written(*values) == cells


def test_raw_texts_are_quoted_but_not_disarmed() -> None:
    assert written("=1", "=1,2", "=1", raw=True) == ["=1", '"=1,2"', "=1"]


def test_without_rows_there_is_the_heading_alone() -> None:
    assert to_csv(Result(["a", "b,c"], ["VARCHAR", "VARCHAR"], [])) == 'a,"b,c"\n'
