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


@pytest.mark.parametrize("name", ["en", "de", "one"])
def test_axe_finds_nothing_serious(opened: Callable[..., Page], reports: dict[str, Path], name: str) -> None:
    page = _unfolded(opened, reports[name])
    assert not _serious(page, {"rules": {"color-contrast": {"enabled": False}}})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["one", "eine"])
def test_axe_finds_contrast_enough(
    opened: Callable[..., Page], reports: dict[str, Path], name: str, scheme: str
) -> None:
    """Of one organisation: this rule takes long on a long page, and the chapters look alike."""
    page = _unfolded(opened, reports[name], color_scheme=scheme)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")
    assert not _serious(page, {"runOnly": ["color-contrast"]})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_contrast_enough_in_what_only_a_report_of_many_has(
    opened: Callable[..., Page], reports: dict[str, Path], scheme: str
) -> None:
    page = _unfolded(opened, reports["de"], color_scheme=scheme)
    page.evaluate("() => document.querySelectorAll('.chapter').forEach(c => c.remove())")
    assert page.locator("main").count() == 1
    assert not _serious(page, {"runOnly": ["color-contrast"]})


def _unfolded(opened: Callable[..., Page], file: Path, **options: Any) -> Page:
    # the page's policy would keep axe out as well
    page = opened(file, bypass_csp=True, **options)
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    return page


def _serious(page: Page, options: dict[str, Any]) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    response = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
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
