"""Byte for byte what is in tests/golden, for the sample logs as of 24 November 2026, 18:00 UTC."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.reports.golden import CASES, GOLDEN, file_of
from tests.reports.rendering import Samples


@pytest.mark.parametrize("case", CASES, ids=lambda case: file_of(*case).name)
def test_golden(samples: Samples, case: tuple[str, str | None, str | None]) -> None:
    written = samples.write(*case)
    assert written == file_of(*case).read_bytes(), "if that is meant: python -m tests.reports.golden --write"


def test_every_golden_file_is_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {file_of(*case).name for case in CASES}


def test_a_second_run_writes_the_same(samples: Samples) -> None:
    assert samples.write("json") == samples.write("json")
    assert samples.write("xlsx") == samples.write("xlsx")


def test_headers_and_keys_stay_english_in_german(samples: Samples) -> None:
    german = list(csv.DictReader(io.StringIO(samples.write("csv", "findings", "de").decode())))
    english = list(csv.DictReader(io.StringIO(samples.write("csv", "findings").decode())))
    assert german[0].keys() == english[0].keys()
    assert [row["severity"] for row in german] == [row["severity"] for row in english]
    assert [row["finding_key"] for row in german] == [row["finding_key"] for row in english]
    assert all(a["finding"] != b["finding"] for a, b in zip(german, english, strict=True))
    assert json.loads(samples.write("json", "exposure", "de"))[0]["state"] == "fully blocked"


def test_json_lines_hold_what_json_holds(samples: Samples) -> None:
    lines = [json.loads(line) for line in samples.write("jsonl", "refusals").splitlines()]
    assert lines == json.loads(samples.write("json", "refusals"))
