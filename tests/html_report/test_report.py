"""The report in a browser, opened from disk: what it holds, that it asks nothing of anybody, and that its policy holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.html_report.page import ATTACK, PICTURES, TABLES, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REPORTS = ("en", "de", "one")


@pytest.mark.parametrize("name", REPORTS)
def test_it_opens_without_an_error_and_without_a_request(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    context = browser.new_context()
    seen = visit(context.new_page(), reports[name])
    context.close()
    assert seen == {"requests": [reports[name].as_uri()], "errors": [], "dialogs": []}


@pytest.mark.parametrize("name", REPORTS)
def test_the_policy_lets_its_own_style_in_and_nothing_else(
    opened: Callable[..., Page], reports: dict[str, Path], name: str
) -> None:
    page = opened(reports[name])
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content") or ""
    assert "default-src 'none'" in policy and "style-src 'sha256-" in policy
    assert "unsafe" not in policy and "script-src" not in policy and "http" not in policy
    # the style sheet came in: it sets the margin, which is 8 pixels without
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    attack = page.evaluate(ATTACK)
    assert attack["owned"] is None and attack["shown"] != "none"
    assert {"script-src-elem", "img-src", "style-src-elem", "frame-src"} <= set(attack["refused"])
    assert {"style-src-attr", "script-src-attr"} <= set(attack["refused"])


@pytest.mark.parametrize("name", REPORTS)
def test_the_policy_stands_before_what_it_is_about(reports: dict[str, Path], name: str) -> None:
    text = reports[name].read_text(encoding="utf-8")
    assert text.index("Content-Security-Policy") < text.index("<style")
    assert (
        text.count("<style") == 1 and "<script" not in text and "<link" not in text and " style=" not in text
    )


def test_verdict_ladder_tables_and_commands_are_there(
    opened: Callable[..., Page], reports: dict[str, Path]
) -> None:
    page = opened(reports["en"])
    assert page.title()
    text = page.locator("body").inner_text()
    for needed in (
        "Exchange Online refuses all mail of its out-of-date servers.",
        "Get-OnPremServerReportInfo",
        "New-TenantExemptionInfo",
        "2026-11-24",
    ):
        assert needed in text, needed
    # worst first: dunmore is fully blocked, alderbrook's server is accepted
    chapters = page.locator("h2").all_inner_texts()
    order = [
        next((n for n, heading in enumerate(chapters) if name in heading), -1)
        for name in ("dunmore", "elmsford", "cedarholt", "alderbrook")
    ]
    assert order == sorted(order) and -1 not in order
    tables = page.evaluate(TABLES)
    assert len(tables) > 10 and all(table["caption"] for table in tables)
    assert all(len({len(row) for row in table["rows"]}) <= 1 for table in tables)


def test_the_ladder_has_a_step_for_every_stage_and_the_line_of_today(
    opened: Callable[..., Page], reports: dict[str, Path]
) -> None:
    page = opened(reports["one"])
    ladder = page.locator("svg", has_text="can be here today").first
    texts = ladder.locator("text").all_text_contents()
    assert sum("2026-11-24" in text and "today" in text for text in texts) == 1
    firsts = [text.strip()[:1] for text in texts if text.strip()[:1].isdigit()]
    assert {str(stage) for stage in range(1, 9)} <= set(firsts)


@pytest.mark.parametrize("name", REPORTS)
def test_every_picture_says_in_words_what_it_shows(
    opened: Callable[..., Page], reports: dict[str, Path], name: str
) -> None:
    pictures = opened(reports[name]).evaluate(PICTURES)
    assert pictures
    for picture in pictures:
        assert picture["caption"] and picture["hidden"] and picture["tables"]
        assert picture["alternative"].startswith(picture["caption"])
        assert len(picture["alternative"]) > len(picture["caption"]) + 10


def test_the_language_is_named(opened: Callable[..., Page], reports: dict[str, Path]) -> None:
    for name in ("en", "de"):
        assert opened(reports[name]).locator("html").get_attribute("lang") == name
