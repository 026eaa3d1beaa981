"""A report of so many organisations that each is folded to what is to be done."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.html_report.page import BEYOND, CUT_CELLS

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_every_organisation_is_reached_from_the_top_and_leads_back(
    opened: Callable[..., Page], many: Path
) -> None:
    page = opened(many)
    assert page.locator("details[open]").count() == 0
    page.get_by_text("All organisations by name").click()
    names = page.locator(".names a").all_inner_texts()
    assert names == ["alderbrook", "birchwood", "cedarholt", "dunmore", "elmsford", "foxglove"]
    for name in names:
        page.evaluate("scrollTo(0, 0)")
        page.locator(".names").get_by_text(name, exact=True).click()
        assert page.url.endswith(f"#o-{name}")
        assert page.get_by_role("heading", name=name, exact=True, level=2).is_visible()
        top = page.locator(f'[id="o-{name}"]').evaluate("e => e.getBoundingClientRect().top")
        assert -1 <= top < 900
    assert page.locator('.back a[href="#overview"]').count() == len(names)


def test_the_states_are_counted_worst_first(opened: Callable[..., Page], many: Path) -> None:
    said = opened(many).locator(".states li").all_inner_texts()
    assert len(said) == 6 and "fully blocked" in said[0] and "accepted today" in said[-1]
    assert all("1 organisations" in one for one in said)


def test_the_verdict_is_shown_and_the_rest_unfolds(opened: Callable[..., Page], many: Path) -> None:
    page = opened(many)
    assert all(one.is_visible() for one in page.locator(".sentence").all())
    assert not page.locator("figure").first.is_visible()
    page.get_by_text("Details of elmsford").click()
    assert page.get_by_role("table", name="Findings of elmsford, worst first").is_visible()
    assert page.locator("figure:visible").count() == 1
    assert page.get_by_text("tbes report --organisation elmsford --output elmsford.html").is_visible()
    # where no finding is more than a note there are the findings alone
    assert page.locator(".chapter", has_text="Details of foxglove").locator("figure, pre").count() == 0


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_cut(opened: Callable[..., Page], many: Path, width: int) -> None:
    page = opened(many, viewport={"width": width, "height": 800})
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(CUT_CELLS) == [] and page.evaluate(BEYOND) == []


def test_what_is_folded_is_not_printed(opened: Callable[..., Page], many: Path) -> None:
    import pypdf

    page = opened(many)
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = "".join(sheet.extract_text() for sheet in sheets)
    assert "Exchange Online refuses all mail" in text and "Findings of" not in text
    assert len(sheets) < 12


def test_an_organisation_takes_little_room(reports: dict[str, Path], many: Path) -> None:
    assert many.stat().st_size < reports["en"].stat().st_size / 2.5
    assert many.stat().st_size < 6 * 30_000 + 30_000
