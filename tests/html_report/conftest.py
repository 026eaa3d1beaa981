"""The sample logs as HTML reports, and a browser to open them in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.html_report.browser import NoBrowser, launched
from tests.html_report.reports import hostile_logs, ingested, report
from tests.samples import copy_samples

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser. Without one the tests are skipped with the reason; where CI=true they fail, since there it must be."""
    try:
        with launched() as started:
            yield started
    except NoBrowser as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the browser tests must run here: {missing}")
        pytest.skip(str(missing))


@pytest.fixture(scope="package")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All organisations in English and German; one that is refused mail in English, with details, and in German."""
    folder = tmp_path_factory.mktemp("html")
    store = ingested(copy_samples(folder / "logs", settled=True), folder / "store")
    return {
        "en": report(store, folder / "en.html", "--language", "en"),
        "de": report(store, folder / "de.html", "--language", "de"),
        "one": report(
            store, folder / "one.html", "--language", "en", "--organisation", "elmsford", "--with-details"
        ),
        "eine": report(store, folder / "eine.html", "--language", "de", "--organisation", "dunmore"),
    }


@pytest.fixture(scope="package")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report as it is of many organisations, of the six of the samples."""
    folder = tmp_path_factory.mktemp("many")
    store = ingested(copy_samples(folder / "logs", settled=True), folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.reports.html.page.MANY_FROM", 6)
        return report(store, folder / "many.html", "--language", "en")


@pytest.fixture(scope="package")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with details of logs in which strangers wrote markup and control characters."""
    folder = tmp_path_factory.mktemp("hostile")
    store = ingested(hostile_logs(folder / "logs"), folder / "store")
    return report(
        store, folder / "hostile.html", "--language", "en", "--organisation", "elmsford", "--with-details"
    )


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file from disk in a fresh context: (file, **options of the context) -> page."""
    contexts = []

    def open_(file: Path, **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.goto(file.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
