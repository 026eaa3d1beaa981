"""On a phone, on a desk, in the dark and on paper."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.reports.html.charts import DARK
from tests.html_report.page import BEYOND, CUT_CELLS, CUT_TEXTS, STACKED, TABLES, TEXT_HEIGHTS, brightness

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("name", ["en", "de", "one"])
def test_nothing_reaches_beyond_the_window(
    opened: Callable[..., Page], reports: dict[str, Path], name: str, width: int
) -> None:
    page = opened(reports[name], viewport={"width": width, "height": 800})
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(BEYOND) == []


@pytest.mark.parametrize("name", ["en", "de", "one", "eine"])
def test_no_cell_of_a_table_is_cut_or_must_be_scrolled_to(
    opened: Callable[..., Page], reports: dict[str, Path], name: str
) -> None:
    page = opened(reports[name])
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in (320, 360, 480, 600, 768, 900, 1024, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CUT_CELLS) == [], width
        stacked, tables = page.evaluate(STACKED)
        assert stacked == tables if width <= 480 else stacked > 0
        assert width < 768 or stacked < tables


def test_a_hostile_table_is_not_cut_either(opened: Callable[..., Page], hostile: Path) -> None:
    page = opened(hostile, viewport={"width": 360, "height": 800})
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(CUT_CELLS) == [], width


def test_cards_are_a_table_to_a_screen_reader(opened: Callable[..., Page], reports: dict[str, Path]) -> None:
    page = opened(reports["one"], viewport={"width": 360, "height": 800})
    table = page.get_by_role("table", name="Findings of elmsford, worst first")
    assert table.get_by_role("columnheader").all_inner_texts()[:3] == ["Severity", "Server", "Finding"]
    # an empty cell keeps its place, and every label is the heading of its column
    for row in table.get_by_role("row").all()[1:]:
        cells = row.get_by_role("cell")
        assert cells.evaluate_all("cells => cells.map(c => c.dataset.label)") == [
            "Severity", "Server", "Finding", "Action", "Act by", "Since",
        ]  # fmt: skip
    shown = table.get_by_role("cell").first
    assert shown.evaluate("c => getComputedStyle(c, '::before').content").startswith('"Severity"')


@pytest.mark.parametrize("width", [360, 1280])
def test_texts_of_pictures_can_be_read_and_are_whole(
    opened: Callable[..., Page], reports: dict[str, Path], width: int
) -> None:
    for name in ("en", "de"):
        page = opened(reports[name], viewport={"width": width, "height": 800})
        heights = page.evaluate(TEXT_HEIGHTS)
        assert heights and min(heights) >= 9
        assert page.evaluate(CUT_TEXTS) == []


def test_the_dark_page_is_dark_and_its_pictures_with_it(
    opened: Callable[..., Page], reports: dict[str, Path]
) -> None:
    shown = {}
    for scheme in ("light", "dark"):
        page = opened(reports["one"], color_scheme=scheme)
        colours = page.evaluate(
            "() => [...document.querySelectorAll('svg [fill]')].map(e => [e.getAttribute('fill'), getComputedStyle(e).fill])"
        )
        for drawn, seen in colours:
            if drawn in DARK:
                assert seen == _rgb(DARK[drawn] if scheme == "dark" else drawn)
        pictures = [page.screenshot(), page.locator("figure").first.screenshot()]
        shown[scheme] = [brightness(page, picture) for picture in pictures]
    assert all(mean < 0.3 and corner < 0.2 for mean, corner in shown["dark"])
    assert all(mean > 0.8 and corner > 0.9 for mean, corner in shown["light"])


def _rgb(colour: str) -> str:
    return f"rgb({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)})"


@pytest.mark.parametrize("name", ["en", "eine"])
def test_the_printed_report_carries_verdicts_and_every_row_of_every_table(
    opened: Callable[..., Page], reports: dict[str, Path], name: str
) -> None:
    page = opened(reports[name])
    verdicts = page.locator(".sentence").all_inner_texts()
    tables = page.evaluate(TABLES)
    sheets = _printed(page)
    printed = "".join(sheets)
    assert verdicts and all(_plain(text) in printed for text in verdicts)
    # what is on top stands on the first sheet
    assert _plain(page.locator("main .sentence, main .action").first.inner_text()) in sheets[0]
    missing = [
        (table["caption"], cell)
        for table in tables
        for row in table["rows"]
        for cell in row
        if _plain(cell) not in printed
    ]
    assert not missing, missing[:10]


def test_paper_is_white_even_in_dark_mode(opened: Callable[..., Page], reports: dict[str, Path]) -> None:
    page = opened(reports["one"], color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    fills = page.evaluate(
        "() => [...document.querySelectorAll('svg [fill]')].map(e => [e.getAttribute('fill'), getComputedStyle(e).fill])"
    )
    assert all(seen == _rgb(drawn) for drawn, seen in fills if drawn in DARK)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


def _printed(page: Page) -> list[str]:
    """The sheets of the printed page, without spaces."""
    import pypdf

    content = page.pdf(prefer_css_page_size=True)
    return [_plain(sheet.extract_text()) for sheet in pypdf.PdfReader(io.BytesIO(content)).pages]


def _plain(text: str) -> str:
    """Without spaces and line breaks, which a page sets as it likes, and without ligatures."""
    return re.sub(r"[\s\u00ad\u200b]+", "", unicodedata.normalize("NFKC", text))
