"""A failing input made small: pieces are taken out as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .targets import Cut


def shrunk(given: Any, fails: Callable[[Any], bool]) -> Any:
    """The smallest input found that still fails; inputs of an unknown shape as they are."""
    if isinstance(given, Cut):
        return _shrunk_cut(given, fails)
    if isinstance(given, str | bytes):
        return _shrunk_text(given, fails)
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], bytes):
        return given[0], _shrunk_text(given[1], lambda data: fails((given[0], data)))
    return given


def _shrunk_cut(given: Cut, fails: Callable[[Cut], bool]) -> Cut:
    for cuts in ((), *((cut,) for cut in given.cuts)):
        if fails(smaller := replace(given, cuts=cuts)):
            given = smaller
            break
    size = max(1, len(given.data) // 2)
    while size:
        at = 0
        while at < len(given.data):
            smaller = Cut(
                given.data[:at] + given.data[at + size :],
                tuple(_moved(cut, at, size) for cut in given.cuts),
                _moved(given.half, at, size),
            )
            if fails(smaller):
                given = smaller
            else:
                at += size
        size //= 2
    return given


def _moved(place: int, at: int, size: int) -> int:
    return place - min(size, max(0, place - at))


def _shrunk_text(given: Any, fails: Callable[[Any], bool]) -> Any:
    size = max(1, len(given) // 2)
    while size:
        at = 0
        while at < len(given):
            if fails(smaller := given[:at] + given[at + size :]):
                given = smaller
            else:
                at += size
        size //= 2
    return given
