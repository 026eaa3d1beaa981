"""The terminal table: nothing important is lost at any width."""

from __future__ import annotations

import io
import re
from datetime import UTC

import pytest
from rich.console import Console

from pipeline import queries
from pipeline.i18n import Texts
from pipeline.reports.document import Style
from pipeline.reports.terminal import print_table
from pipeline.sql import Result
from tests.reports.rendering import Samples

WIDTHS = (60, 80, 100, 120, 160, 200)


def drawn(samples: Samples, name: str, width: int, language: str = "en") -> str:
    """A report on the sample logs."""
    report = next(report for report in queries.reports() if report.name == name)
    with samples.session() as session:
        result = session.report(name)
    out = io.StringIO()
    print_table(
        Console(file=out, width=width),
        result,
        report.title,
        UTC,
        "UTC",
        report.terminal,
        report.below,
        Texts(language),
        name,
    )
    return out.getvalue()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["exposure", "findings", "servers"])
def test_what_a_report_means_for_a_terminal_is_there_at_every_width(
    samples: Samples, name: str, width: int, language: str
) -> None:
    text = drawn(samples, name, width, language)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    report = next(report for report in queries.reports() if report.name == name)
    style = Style(Texts(language))
    with samples.session() as session:
        result = session.report(name)
    for at, column in enumerate(result.columns):
        if column in report.terminal and any(row[at] is not None for row in result.rows):
            assert squeezed(style.texts.column(column)) in squeezed(text) or all(
                word in text for word in style.texts.column(column).split()
            )
            for row in result.rows:
                # a cell may be broken between its words, never within one
                for word in style.cell(name, column, row[at]).split():
                    assert word in text


def test_counts_and_dates_of_the_exposure_stand_beside_its_state_at_80_columns(samples: Samples) -> None:
    lines = drawn(samples, "exposure", 80).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("elmsford "))
    assert lines[at].split() == ["elmsford", "partly", "blocked", "5", "2026-11-24", "4", "3", "5"]
    assert "full block earliest: 2026-12-14 13:50:31" in lines[at + 1]


def test_what_to_do_is_a_line_of_its_own(samples: Samples) -> None:
    text = drawn(samples, "exposure", 160)
    assert "\n    Update DUN-HT1 at once, or pause enforcement" in text


def test_a_path_that_is_wider_than_the_page_can_be_copied() -> None:
    path = "D:\\" + "\\".join(["very-long-name-of-a-folder"] * 6)
    out = io.StringIO()
    result = Result(["server", "path"], ["VARCHAR", "VARCHAR"], [("EX01", path)])
    print_table(Console(file=out, width=80), result, "Sources", UTC, "UTC")
    assert path in out.getvalue()


def test_columns_of_the_environment_are_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.commands import console

    monkeypatch.setenv("COLUMNS", "80")
    assert console().width == 80
    assert console(120).width == 120
    monkeypatch.delenv("COLUMNS")
    assert console().width == 160


def test_below_a_row_short_items_share_a_line_and_long_ones_are_broken_in_their_colours() -> None:
    columns = ["server", "next_action", "finding", "note"]
    path = "/a/path/" + "x" * 80
    rows = [
        ("EX01", "short", "also short", "blanks at the end go  "),
        ("EX02", "\u6f22" * 30, "word " * 14, path),
        ("EX03", "short", "tab\tand [b]brackets[/b]", "\u6f22\u5b57"),
    ]
    out = io.StringIO()
    console = Console(file=out, width=50, force_terminal=True, color_system="standard", legacy_windows=False)
    print_table(console, Result(columns, ["VARCHAR"] * 4, list(rows)), "T", UTC, "UTC")

    def dim(text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m"

    bar = dim(" | ")
    assert out.getvalue().splitlines()[3:] == [
        "EX01",
        f"    {dim('next action: ')}short{bar}{dim('finding: ')}also short",
        f"    {dim('note: ')}blanks at the end go",
        "EX02",
        f"    {dim('next action: ')}{chr(0x6F22) * 30}",
        f"    {dim('finding: ')}word word word word word word word",
        "    word word word word word word word",
        f"    {dim('note: ')}{path}",
        "EX03",
        f"    {dim('next action: ')}short",
        f"    {dim('finding: ')}tab\\u{{0009}}and [b]brackets[/b]",
        f"    {dim('note: ')}{chr(0x6F22)}{chr(0x5B57)}",
    ]
