"""The mail body."""

from __future__ import annotations

import re

import pytest

from pipeline.reports.plain import WIDTH
from tests.reports.rendering import Samples, of_rows
from tests.reports.test_hostile import style


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("report", [None, "refusals", "servers"])
def test_no_line_is_too_wide(samples: Samples, language: str, report: str | None) -> None:
    lines = samples.write("text", report, language).decode().splitlines()
    assert len(lines) > 20
    assert [line for line in lines if len(line) > WIDTH] == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_dates_are_iso_or_have_month_names(samples: Samples, language: str) -> None:
    text = samples.write("text", language=language).decode()
    # builds (15.2.1748.36) and enhanced status codes (4.7.500) are no dates
    rest = re.sub(r"\d+\.\d+\.\d+\.\d+|\b[245]\.\d{1,3}\.\d{1,3}\b", "", text)
    assert not re.search(r"\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b", rest)
    assert ("24 November 2026" if language == "en" else "24. November 2026") in re.sub(r"\s+", " ", text)


def test_a_mail_of_one_organisation_names_no_other(samples: Samples) -> None:
    text = samples.write("text", organisation="cedarholt").decode()
    assert "cedarholt: delayed" in text
    assert not re.search(
        r"dunmore|elmsford|birchwood|alderbrook|foxglove|DUN-HT1|ELM-MBX1|BWEX|ALD-EX|FOX-EX", text
    )


def test_a_mail_holds_no_addresses(samples: Samples) -> None:
    assert "@" not in samples.write("text").decode()


def test_a_report_without_rows() -> None:
    from pipeline.reports.plain import to_text

    assert "Made up: no rows." in to_text(of_rows(["sender"], ["VARCHAR"]), style())
