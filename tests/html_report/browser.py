"""A Chromium that is on this machine, driven by Playwright: nothing is downloaded, nothing reaches a network."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WINDOWS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
_MAC = (
    "Chromium.app/Contents/MacOS/Chromium",
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)


class NoBrowser(Exception):
    """What is missing, and how to get it."""


def executable() -> Path:
    """Where a Chromium, Chrome or Edge is; NoBrowser if there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    places: list[Path] = []
    if sys.platform == "win32":
        roots = (os.environ.get(name) for name in ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData"))
        places = [Path(root) / place for root in roots if root for place in _WINDOWS]
    elif sys.platform == "darwin":
        places = [
            root / place for root in (Path("/Applications"), Path.home() / "Applications") for place in _MAC
        ]
    for place in places:
        if place.is_file():
            return place
    raise NoBrowser("no Chromium, Chrome or Edge was found; install one, as with: apt-get install chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, closed at the end; NoBrowser if it or Playwright is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser('Playwright is missing: pip install -e ".[test]"') from error
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{executable()}\n")
    except NoBrowser as missing:
        sys.exit(str(missing))
