"""Where a user's own files belong on each platform: settings and history, and what can be made again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAME = "tbes"


def config_folder(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of the user's settings and history; it may not exist yet.

    XDG_CONFIG_HOME or ~/.config, %APPDATA% on Windows, ~/Library/Application Support on macOS.
    """
    if platform == "win32":
        return _under(environment, "APPDATA", "AppData", "Roaming")
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    return _under(environment, "XDG_CONFIG_HOME", ".config")


def cache_folder(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of what can be made again; it may not exist yet.

    XDG_CACHE_HOME or ~/.cache, %LOCALAPPDATA% on Windows, ~/Library/Caches on macOS.
    """
    if platform == "win32":
        return _under(environment, "LOCALAPPDATA", "AppData", "Local")
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / _NAME
    return _under(environment, "XDG_CACHE_HOME", ".cache")


def _under(environment: Mapping[str, str], variable: str, *home: str) -> Path:
    given = Path(environment.get(variable, ""))
    return (given if given.is_absolute() else Path.home().joinpath(*home)) / _NAME
