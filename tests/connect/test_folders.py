"""A user's folders on each platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.folders import cache_folder, config_folder

HERE = Path.cwd()


def test_linux() -> None:
    assert config_folder("linux", {}) == Path.home() / ".config" / "tbes"
    assert cache_folder("linux", {"XDG_CACHE_HOME": str(HERE)}) == HERE / "tbes"


def test_a_relative_place_is_not_taken() -> None:
    assert config_folder("linux", {"XDG_CONFIG_HOME": "here"}) == Path.home() / ".config" / "tbes"


def test_windows() -> None:
    assert config_folder("win32", {"APPDATA": str(HERE / "Roaming")}) == HERE / "Roaming" / "tbes"
    assert cache_folder("win32", {}) == Path.home() / "AppData" / "Local" / "tbes"


@pytest.mark.parametrize(
    ("folder", "name"), [(config_folder, "Application Support"), (cache_folder, "Caches")]
)
def test_macos(folder: object, name: str) -> None:
    assert callable(folder)
    assert folder("darwin", {}) == Path.home() / "Library" / name / "tbes"
