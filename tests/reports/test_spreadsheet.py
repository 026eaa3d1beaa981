"""The workbook, opened again."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from pipeline import queries
from pipeline.i18n import Texts
from pipeline.reports.document import Style
from pipeline.reports.spreadsheet import LONGEST_TEXT, to_xlsx
from tests.reports.rendering import Samples, of_rows


def opened(content: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def book(samples: Samples) -> Workbook:
    return opened(samples.write("xlsx"))


def test_a_sheet_a_report_worst_news_first(book: Workbook) -> None:
    assert book.sheetnames[:3] == ["about", "exposure", "findings"]
    assert set(book.sheetnames) == {"about", *(report.name for report in queries.reports())}


def test_headings_are_frozen_and_filtered(book: Workbook) -> None:
    for report in queries.reports():
        sheet = book[report.name]
        assert [cell.value for cell in sheet[1]] == [name.replace("_", " ") for name in report.columns]
        assert sheet.freeze_panes is not None and sheet.freeze_panes.endswith("2")
        assert sheet.auto_filter.ref.startswith("A1:")
        for cell in sheet[1]:
            width = sheet.column_dimensions[openpyxl.utils.get_column_letter(cell.column)].width
            assert 8 <= width <= 62


def test_every_cell_has_the_type_and_value_of_the_report(samples: Samples, book: Workbook) -> None:
    with samples.session() as session:
        for name in ("refusals", "servers", "delayed_messages", "exposure", "hand_overs"):
            result = session.report(name)
            sheet = book[name]
            assert sheet.max_row == len(result.rows) + 1
            for line, row in enumerate(result.rows, 2):
                for column, value in enumerate(row, 1):
                    cell = sheet.cell(line, column)
                    if isinstance(value, datetime):
                        assert abs(cell.value - value.replace(tzinfo=None)) < timedelta(milliseconds=2)
                        assert cell.number_format == "yyyy-mm-dd hh:mm:ss"
                    elif hasattr(value, "isoformat"):
                        assert cell.value.date() == value and cell.number_format == "yyyy-mm-dd"
                    elif isinstance(value, bool):
                        assert cell.value is value
                    elif isinstance(value, int | float):
                        assert cell.data_type == "n" and cell.value == pytest.approx(value)
                    elif value is None:
                        assert cell.value is None
                    else:
                        assert cell.data_type == "s"


def test_german_headings_and_sentences(samples: Samples) -> None:
    sheet = opened(samples.write("xlsx", "findings", "de"))["findings"]
    assert [cell.value for cell in sheet[1]][:4] == ["Organisation", "Server", "Schwere", "Grad"]
    assert sheet["C2"].value == "kritisch"


def test_what_does_not_fit_a_sheet_is_said() -> None:
    huge = "x" * 40_000 + "\U0001f600"
    document = of_rows(
        ["reply", "lines", "time"],
        ["VARCHAR", "BIGINT", "TIMESTAMP WITH TIME ZONE"],
        (huge, 2**60, datetime(1850, 1, 1, tzinfo=UTC)),
    )
    sheet = opened(to_xlsx(document, Style(Texts("en"))))["refusals"]
    assert len(sheet["A2"].value) <= LONGEST_TEXT and sheet["A2"].value.endswith(
        "[cut: 40001 characters in all]"
    )
    assert sheet["B2"].value == str(2**60)
    assert sheet["C2"].value == "1850-01-01 00:00:00"
