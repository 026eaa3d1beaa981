"""For keyboards and screen readers: axe-core finds nothing serious, and everything can be reached with Tab."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.html_report.page import SCROLLING

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("name", ["en", "de"])
def test_axe_finds_nothing_serious(opened: Callable[..., Page], reports: dict[str, Path], name: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # the page's policy would keep axe out as well
    page = opened(reports[name], bypass_csp=True, color_scheme="light")
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    assert not _serious(Axe().run(page, options={"resultTypes": ["violations"]}).response)
    # only colours differ in the dark
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert not _serious(Axe().run(page, options={"runOnly": ["color-contrast"]}).response)


def _serious(response: dict[str, Any]) -> list[str]:
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}"
        for one in response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:5]
    ]


def test_the_first_tab_stop_skips_to_the_content(
    opened: Callable[..., Page], reports: dict[str, Path]
) -> None:
    page = opened(reports["en"])
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert (link.get_attribute("href") or "").startswith("#")
    box = link.bounding_box()
    assert box and box["x"] >= 0 and box["y"] >= 0
    target = (link.get_attribute("href") or "#")[1:]
    page.keyboard.press("Enter")
    assert page.evaluate(
        "id => document.getElementById(id).contains(document.querySelector('main'))", target
    ) or (page.evaluate("id => document.getElementById(id).tagName", target) == "MAIN")
    assert page.url.endswith(f"#{target}")


@pytest.mark.parametrize("width", [360, 1280])
def test_tab_reaches_every_region_that_scrolls(
    opened: Callable[..., Page], reports: dict[str, Path], width: int
) -> None:
    page = opened(reports["one"], viewport={"width": width, "height": 800})
    regions = page.evaluate(SCROLLING)
    assert regions or width > 1000
    assert all(region["tab"] >= 0 and region["label"] for region in regions), regions
    reached: list[str] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        label = page.evaluate(
            "document.activeElement === document.body ? null : document.activeElement.getAttribute('aria-label') || ''"
        )
        if label is None:
            break
        reached.append(label)
    else:
        pytest.fail("Tab does not come to an end")
    assert {region["label"] for region in regions} <= set(reached)


def test_headings_go_down_one_level_at_a_time(opened: Callable[..., Page], reports: dict[str, Path]) -> None:
    for name in ("en", "one"):
        levels = opened(reports[name]).evaluate(
            "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])"
        )
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
