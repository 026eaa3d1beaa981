"""Logs in which strangers wrote markup, scripts, direction marks and control characters: the report shows them, inert."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.html_report.page import TABLES, visit
from tests.html_report.reports import BREAKOUT, IMAGE, SCRIPT, TEMPLATE

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_no_script_runs_nothing_is_fetched_and_the_marks_are_seen(browser: Browser, hostile: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    seen = visit(page, hostile)
    assert seen == {"requests": [hostile.as_uri()], "errors": [], "dialogs": []}
    assert page.title() != "owned"
    # nothing of it became an element
    assert (
        page.locator("script, body img, svg[onload], iframe, object, embed, style:not(head style)").count()
        == 0
    )
    assert not page.evaluate(
        "() => [...document.querySelectorAll('*')].some(e => e.getAttributeNames().some(n => n.startsWith('on')))"
    )
    text = page.locator("body").evaluate("e => e.textContent")
    for payload in (SCRIPT, IMAGE, BREAKOUT, TEMPLATE):
        assert payload in text, payload
    assert "invoice\\u{202e}gpj.exe" in text
    assert "bell\\u{0007}escape\\u{001b}[2Jend" in text
    assert not [letter for letter in text if letter in "\u202e\x07\x1b"]
    # the tables after it are whole
    assert all(len({len(row) for row in table["rows"]}) <= 1 for table in page.evaluate(TABLES))
    context.close()


def test_nor_without_the_policy(browser: Browser, hostile: Path) -> None:
    """A mail gateway may cut the policy out: escaping alone holds too."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    seen = visit(page, hostile)
    assert seen == {"requests": [hostile.as_uri()], "errors": [], "dialogs": []}
    assert page.title() != "owned"
    context.close()
