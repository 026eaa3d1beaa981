"""Mail at risk: messages a day, of which some were delayed and some bounced."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pipeline.reports.html.drawing import DAY, GRID, MUTED, THROTTLE, Canvas, layer, svg, written
from pipeline.reports.html.layers import BOXES, STRIPES, Sign, axis, few, label, legend, letters_of


def at_risk(days: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> str:
    """Messages a day: `day` (ISO, each once), `delayed`, `bounced`, `handed_over` (all of the day, those two among them).

    Bounced is solid at the foot, delayed striped above it, the rest pale. Both are named by letter above the bar, with
    their number where there is room, and are at least 3 units high: a few of thousands matter.
    """
    letters = letters_of(words, "delayed", "bounced", "DB")
    dates = [date.fromisoformat(str(day["day"])) for day in days] or [date(1970, 1, 1)]
    first, count = min(dates), (max(dates) - min(dates)).days + 1
    totals = [max(day["handed_over"], day["delayed"] + day["bounced"]) for day in days]
    top, step = _nice(max(totals, default=1))
    canvas = Canvas(count, 1, 180, left=64, right=40, top=64 if words.get("messages") else 40)
    each = canvas.width / count
    wide = min(max(each * 0.7, 2), 48)
    boxes: dict[str, list[dict[str, float]]] = {"bounced": [], "delayed": [], "possible": []}
    marks: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
    for day, total in zip(days, totals, strict=True):
        foot, middle = 0.0, (date.fromisoformat(str(day["day"])) - first).days + 0.5
        numbers = (day["bounced"], day["delayed"], total - day["bounced"] - day["delayed"])
        for kind, number in zip(boxes, numbers, strict=True):
            if number:
                # the rest gives what the others need to be seen: the whole keeps its height
                high = (
                    max(total / top - foot, 0) if kind == "possible" else max(number / top, 3 / canvas.height)
                )
                ends = {"x": middle - wide / each / 2, "x2": middle + wide / each / 2, "middle": middle}
                boxes[kind].append(ends | {"y": 0.5 - foot, "y2": 0.5 - foot - high})
                foot += high
        told = [
            letter + (few(day[kind]) if each >= 40 else "")
            for letter, kind in zip(letters, ("delayed", "bounced"), strict=True)
            if day[kind]
        ]
        if told:
            marks[len(told)].append({"x": middle, "y": 0.5 - foot, "word": "\n".join(told)})
    scale = [{"x": 0, "x2": count, "y": 0.5 - n * step / top} for n in range(round(top / step) + 1)]
    numbers_at = [value | canvas.place(-8, 0) | {"y": value["y"]} for value in scale]
    for n, value in enumerate(numbers_at):
        value["word"] = f"{n * step:,}".replace(",", "\u00a0")  # type: ignore[assignment]  # a text among numbers
    stripes = {"color": THROTTLE, "strokeWidth": round(wide, 2), "strokeDash": STRIPES}
    layers = [
        layer("rule", scale, canvas.across(), color=GRID),
        written(numbers_at, canvas, align="right", baseline="middle"),
        layer("rule", boxes["delayed"], canvas.upright("middle"), **stripes),
        layer("rect", boxes["delayed"], canvas.box(), filled=False, stroke=THROTTLE),
    ]
    for kind in ("possible", "bounced"):
        fill, stroke, edge = BOXES[kind]
        layers.append(layer("rect", boxes[kind], canvas.box(), fill=fill, stroke=stroke, strokeWidth=edge))
    for lines, values in marks.items():
        how = {"baseline": "bottom", "dy": -4 - 14 * (lines - 1), "fontWeight": "bold"}
        layers.append(written(values, canvas, **how))
    named = [first + DAY * n for n in range(0, count, max(1, math.ceil(75 / each)))]
    layers += axis(canvas, [((day - first).days + 0.5, day.isoformat()) for day in named], lines=False)
    if words.get("messages"):
        layers.append(label(canvas, words["messages"], 8 - canvas.left, 8 - canvas.top, colour=MUTED))
    signs = []
    if "in_time" in words:
        signs = [
            Sign(f"{letters[0]}  {words['delayed']}", "striped", THROTTLE),
            Sign(f"{letters[1]}  {words['bounced']}", "bounced"),
            Sign(words["in_time"], "possible"),
        ]
    below, room = legend(signs, canvas)
    return svg([*layers, *below], canvas, room)


def _nice(most: int) -> tuple[int, int]:
    """The end of a scale that holds `most`, and its step: 1, 2 or 5 times a power of ten, never a part of a message."""
    step = 1
    for power in range(12):
        for one in (1, 2, 5):
            step = one * 10**power
            if most <= 5 * step:
                return max(1, math.ceil(most / step)) * step, step
    return most, most
