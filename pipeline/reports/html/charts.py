"""The charts of the report as SVG. `drawing` and `layers` hold how they are drawn.

No chart needs its colours: letters, shapes, outlines and stripes say the same. Times are naive wall-clock times of the
display zone. `words` are the texts of `[chart]` in the catalogue by key (`chart_words`); without them a chart has no
legend, and its letters are T (throttled) and B (blocked). Every function returns `<svg>` for inlining, hidden from screen
readers, that `dark_rules` colours for dark mode: one picture, or some below each other where rows would not fit on a page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from pipeline.i18n import Texts
from pipeline.reports.html.at_risk import at_risk
from pipeline.reports.html.drawing import (
    BLOCK,
    CALM,
    CERTAIN,
    DARK,
    DAY,
    GRID,
    INK,
    MUTED,
    PALE,
    THROTTLE,
    WIDTH,
    Canvas,
    calendar,
    dark_rules,
    layer,
    pages,
    short,
    svg,
    written,
)
from pipeline.reports.html.ladder import ladder
from pipeline.reports.html.layers import Sign, axis, few, legend, letters_of, row_lines, texts

__all__ = [
    "BLOCK",
    "CALM",
    "CERTAIN",
    "DARK",
    "GRID",
    "INK",
    "MUTED",
    "PALE",
    "THROTTLE",
    "WIDTH",
    "at_risk",
    "builds",
    "chart_words",
    "dark_rules",
    "hours",
    "ladder",
    "minutes",
]
_WORDS = (
    "today",
    "pause",
    "possible",
    "certain",
    "here",
    "begins",
    "throttled",
    "blocked",
    "accepted",
    "messages",
    "delayed",
    "bounced",
    "in_time",
)


def chart_words(texts: Texts) -> dict[str, str]:
    """The words of all charts in a language."""
    return {key: texts(f"chart.{key}") for key in _WORDS}


def hours(cells: Sequence[Mapping[str, Any]], hour: str, words: Mapping[str, str] | None = None) -> str:
    """Day x hour. `cells`: day (ISO), hour (0 to 23), throttled, blocked (refusals), accepted: whether mail was accepted in it.

    A cell says by letter and number what was refused, the more the darker; a pale bar is mail of which none was refused,
    an empty place an hour without mail. `hour`: the title of the hours.
    """
    most = max((cell["throttled"] + cell["blocked"] for cell in cells), default=0)
    both = any(cell["throttled"] and cell["blocked"] for cell in cells)
    parts = pages(sorted({str(cell["day"]) for cell in cells}), 18 if both else 26)
    return "".join(_hours(cells, part, most, hour, words) for part in parts)


def _hours(
    cells: Sequence[Mapping[str, Any]],
    days: Sequence[str],
    most: int,
    hour: str,
    words: Mapping[str, str] | None,
) -> str:
    letters = letters_of(words, "throttled", "blocked", "TB")
    row_of = {day: row for row, day in enumerate(days)}
    cells = [cell for cell in cells if str(cell["day"]) in row_of]
    both = any(cell["throttled"] and cell["blocked"] for cell in cells)
    canvas = Canvas(24, max(len(days), 1), 34 if both else 24, left=84, right=10, bottom=46)
    boxes: dict[str, list[dict[str, Any]]] = {"throttled": [], "blocked": []}
    said: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
    for cell in cells:
        row, told = row_of[str(cell["day"])], []
        for letter, kind in zip(letters, boxes, strict=True):
            if cell[kind]:
                told.append(f"{letter}{few(cell[kind])}")
        if told:
            shade = 0.14 + 0.3 * math.log1p(cell["throttled"] + cell["blocked"]) / math.log1p(most)
            boxes["blocked" if cell["blocked"] else "throttled"].append(
                _cell(row, cell["hour"], cell["hour"]) | {"shade": round(shade, 2)}
            )
            middle = row - (7 / canvas.row_height if len(told) > 1 else 0)
            said[len(told)].append({"x": cell["hour"] + 0.5, "y": middle, "word": "\n".join(told)})
    layers = [
        row_lines(canvas, between=True),
        layer("rect", _calm(cells, row_of), canvas.box(), fill=PALE, stroke=CALM, strokeWidth=1),
    ]
    channels = canvas.box() | {"fillOpacity": {"field": "shade", "type": "quantitative", "scale": None}}
    for kind, colour, wide in (("throttled", THROTTLE, 1), ("blocked", BLOCK, 2)):
        layers.append(layer("rect", boxes[kind], channels, fill=colour, stroke=colour, strokeWidth=wide))
    layers += [written(values, canvas, baseline="middle") for values in said.values()]
    ticks = [(n + 0.5, f"{n:02}") for n in range(24)]
    layers += [*axis(canvas, ticks, hour, lines=False), texts(canvas, days, 8 - canvas.left)]
    signs = []
    if words:
        signs = [
            Sign(words[kind], "letter", letter=letter)
            for letter, kind in zip(letters, ("throttled", "blocked"), strict=True)
        ]
        signs.append(Sign(words["accepted"], "possible"))
    below, room = legend(signs, canvas)
    return svg([*layers, *below], canvas, room)


def minutes(
    refusals: Sequence[Mapping[str, Any]], minute: str, words: Mapping[str, str] | None = None
) -> str:
    """Refusals by minute of the hour: `row` (server and day), `minute` (0 to 59.99), `action` (throttle or block).

    A ring is a minute with throttles, a cross one with blocks. `minute`: the title of the minutes.
    """
    seen = sorted({(str(r["row"]), int(r["minute"]), str(r["action"])) for r in refusals})
    return "".join(
        _minutes(seen, rows, minute, words) for rows in pages(sorted({row for row, _, _ in seen}), 26)
    )


def _minutes(
    seen: Sequence[tuple[str, int, str]], rows: Sequence[str], minute: str, words: Mapping[str, str] | None
) -> str:
    canvas = Canvas(60, max(len(rows), 1), 24, left=230, bottom=46)
    row_of = {name: row for row, name in enumerate(rows)}
    layers = [row_lines(canvas), *axis(canvas, [(float(n), str(n)) for n in range(0, 61, 5)], minute)]
    shapes = (("throttle", "circle", THROTTLE), ("block", "cross", BLOCK))
    for action, shape, colour in shapes:
        points = [
            {"x": at + 0.5, "y": row_of[row]} for row, at, does in seen if does == action and row in row_of
        ]
        layers.append(layer("point", points, canvas.at(), size=70, strokeWidth=2, shape=shape, stroke=colour))
    layers.append(texts(canvas, [short(row, 214) for row in rows], 8 - canvas.left))
    signs = []
    if words:
        signs = [Sign(words["throttled"], "circle", THROTTLE), Sign(words["blocked"], "cross", BLOCK)]
    below, room = legend(signs, canvas)
    return svg([*layers, *below], canvas, room)


def builds(spans: Sequence[Mapping[str, Any]]) -> str:
    """Builds over time: `server`, `build`, `from`, `to` (naive times), in the order given. A server is named once a group."""
    keys = list(dict.fromkeys((str(span["server"]), str(span["build"])) for span in spans))
    return "".join(_builds(spans, part) for part in pages(keys, 26))


def _builds(spans: Sequence[Mapping[str, Any]], keys: Sequence[tuple[str, str]]) -> str:
    if not keys:
        return svg([row_lines(Canvas(1, 1, 24, left=290))], Canvas(1, 1, 24, left=290))
    moments = [span[key] for span in spans for key in ("from", "to")]
    start, end = min(moments), max(moments)
    pad = max((end - start) * 0.03, timedelta(hours=1))
    start, end = start - pad, end + pad
    ticks = calendar(start, end, 4)
    row_of = {key: row for row, key in enumerate(keys)}
    canvas = Canvas(
        (end - start) / DAY, len(keys), 24, left=290, right=40, bottom=44 if "\n" in ticks[0][1] else 30
    )
    values = []
    for span in spans:
        row = row_of.get((str(span["server"]), str(span["build"])))
        if row is not None:
            # a build that was seen once is a mark that can be seen
            until = max(span["to"], span["from"] + (end - start) / 100)
            ends = [round((at - start) / DAY, 4) for at in (span["from"], until)]
            values.append({"x": ends[0], "x2": ends[1], "y": row - 0.25, "y2": row + 0.25})
    servers = [server if n == 0 or keys[n - 1][0] != server else "" for n, (server, _) in enumerate(keys)]
    layers = [
        row_lines(canvas),
        *axis(canvas, ticks),
        layer("rect", values, canvas.box(), fill=CERTAIN, cornerRadius=2),
        texts(canvas, [short(server, 140) for server in servers], 8 - canvas.left),
        texts(canvas, [short(build, 128) for _, build in keys], -134),
    ]
    return svg(layers, canvas)


def _cell(row: int, first: int, last: int) -> dict[str, float]:
    """The box of some neighbouring hours of a day."""
    return {"x": first + 0.05, "x2": last + 0.95, "y": row - 0.42, "y2": row + 0.42}


def _calm(cells: Sequence[Mapping[str, Any]], row_of: Mapping[str, int]) -> list[dict[str, float]]:
    """Runs of neighbouring hours in which mail was accepted and none refused, as boxes."""
    calm = {
        (row_of[str(cell["day"])], int(cell["hour"]))
        for cell in cells
        if cell["accepted"] and not cell["throttled"] and not cell["blocked"]
    }
    runs: list[tuple[int, int, int]] = []
    for row, hour in sorted(calm):
        if runs and runs[-1][0] == row and runs[-1][2] == hour - 1:
            runs[-1] = (row, runs[-1][1], hour)
        else:
            runs.append((row, hour, hour))
    return [_cell(*run) for run in runs]
