"""The ladder: the stages of enforcement over the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pipeline.reports.html.drawing import (
    BLOCK,
    CERTAIN,
    DAY,
    GRID,
    MUTED,
    Canvas,
    Layer,
    calendar,
    layer,
    svg,
    text_width,
    two_lines,
    written,
)
from pipeline.reports.html.layers import BOXES, STRIPES, Sign, axis, label, legend, row_lines, texts

# how far the calendar reaches from today; what lies beyond is an arrow at its edge
_FAR = 130 * DAY
_ARROW = {"fill": CERTAIN, "stroke": CERTAIN}


def ladder(
    stages: Sequence[Mapping[str, Any]],
    today: datetime,
    pauses: Sequence[tuple[date, date]],
    present: tuple[int | None, int | None],
    words: Mapping[str, str],
) -> str:
    """Steps over the calendar: from when to when a server can be in each stage, and when it certainly is.

    `stages`: stage, label (two lines of some 20 letters have room), earliest, latest (naive times or None) of its
    beginning, in order from 1. `present`: the stages in which the server can be today. `pauses`: first and last day.
    `words`: those of `chart_words`, of which only today and pause are needed. An arrow at an edge: no bound is known, or it
    lies beyond.
    """
    start, end = _span(stages, today)
    canvas = Canvas((end - start) / DAY, max(len(stages), 1), 34, left=190, right=192, top=44)
    here = [None not in present and present[0] <= s["stage"] <= present[1] for s in stages]
    possible, certain, arrows = _bars(stages, here, start, end, canvas)
    layers = [
        *_pauses(canvas, pauses, start, end, words["pause"]),
        row_lines(canvas),
        *axis(canvas, calendar(start, end, 4)),
    ]
    for kind, bars in {**possible, "certain": certain}.items():
        fill, stroke, wide = BOXES[kind]
        round_ = 0 if kind == "certain" else 2
        how = {"fill": fill, "stroke": stroke, "strokeWidth": wide, "cornerRadius": round_}
        layers.append(layer("rect", bars, canvas.box(), **how))
    for shape, points in arrows.items():
        layers.append(layer("point", points, canvas.at(), shape=shape, size=60, **_ARROW))
    marks = [canvas.place(11 - canvas.left, 0) | {"y": row} for row, now in enumerate(here) if now]
    layers += [
        layer("point", marks, canvas.at(), shape="triangle-right", size=90, **_ARROW),
        texts(canvas, [two_lines(str(stage["label"]), 156) for stage in stages], 24 - canvas.left),
        texts(canvas, [_between(s["earliest"], s["latest"]) for s in stages], canvas.width + 22, MUTED),
    ]
    if words.get("begins"):
        layers.append(label(canvas, words["begins"], canvas.width + 22, -18, colour=MUTED))
    day, word = f"{today:%Y-%m-%d}", words["today"]
    layers += _today(canvas, (today - start) / DAY, word if day in word else f"{word}, {day}")
    signs = [Sign(words[kind], kind) for kind in ("possible", "certain", "here") if kind in words]
    if signs and pauses:
        signs.append(Sign(words["pause"], "barred", MUTED))
    below, room = legend(signs, canvas)
    return svg([*layers, *below], canvas, room)


def _span(stages: Sequence[Mapping[str, Any]], today: datetime) -> tuple[datetime, datetime]:
    known = [stage[key] for stage in stages for key in ("earliest", "latest") if stage[key]]
    first, last = min([*known, today]), max([*known, today])
    return max(first - 4 * DAY, today - _FAR), min(last + 14 * DAY, today + _FAR)


def _bars(
    stages: Sequence[Mapping[str, Any]], here: Sequence[bool], start: datetime, end: datetime, canvas: Canvas
) -> tuple[dict[str, list[dict[str, float]]], list[dict[str, float]], dict[str, list[dict[str, float]]]]:
    """Where a server can be in each stage (`possible`, or `here` today), where it certainly is, and arrows at the edges."""
    possible: dict[str, list[dict[str, float]]] = {"possible": [], "here": []}
    arrows: dict[str, list[dict[str, float]]] = {"triangle-left": [], "triangle-right": []}
    certain = []

    def bar(row: int, begin: datetime, finish: datetime) -> dict[str, float]:
        ends = [round((min(max(at, start), end) - start) / DAY, 4) for at in (begin, finish)]
        return {"x": ends[0], "x2": ends[1], "y": row - 0.24, "y2": row + 0.24}

    for row, stage in enumerate(stages):
        last = row + 1 == len(stages)
        after = {"earliest": None, "latest": None} if last else stages[row + 1]
        begin = stage["earliest"] or datetime.min
        finish = after["latest"] or datetime.max
        if begin < end and finish > start:
            possible["here" if here[row] else "possible"].append(bar(row, begin, finish))
        if begin < start:
            arrows["triangle-left"].append(canvas.place(-8, 0) | {"y": row})
        if finish > end:
            arrows["triangle-right"].append(canvas.place(canvas.width + 8, 0) | {"y": row})
        sure, until = stage["latest"], datetime.max if last else after["earliest"]
        if sure and until and sure < min(until, end) and until > start:
            certain.append(bar(row, sure, until))
    return possible, certain, arrows


def _between(earliest: datetime | None, latest: datetime | None) -> str:
    """The days between which a stage begins."""
    days = [f"{at:%Y-%m-%d}" if at else "?" for at in (earliest, latest)]
    return " – ".join(dict.fromkeys(days))


def _today(canvas: Canvas, at: float, word: str) -> list[Layer]:
    """The line of today, its word above it on the side that has room."""
    ends = {"x": at, "y": canvas.place(0, -20)["y"], "y2": canvas.rows - 0.5, "word": word}
    late = at / canvas.span * canvas.width + text_width(word) + 12 > canvas.width
    how = {"align": "right", "dx": -5} if late else {"align": "left", "dx": 5}
    return [
        layer("rule", [ends], canvas.upright(), color=BLOCK, strokeWidth=2, strokeDash=[6, 3]),
        written([ends], canvas, color=BLOCK, fontWeight="bold", baseline="top", **how),
    ]


def _pauses(
    canvas: Canvas, pauses: Sequence[tuple[date, date]], start: datetime, end: datetime, word: str
) -> list[Layer]:
    """Pauses as upright stripes across the plot, each with its word at the top where there is room."""
    boxes, words = [], []
    free = 0.0
    for first, last in sorted(pauses):
        begin, finish = _midnight(first), _midnight(last) + DAY
        if begin >= end or finish <= start:
            continue
        x, x2 = (max(begin, start) - start) / DAY, (min(finish, end) - start) / DAY
        boxes.append({"x": x, "x2": x2, "y": -0.5, "y2": canvas.rows - 0.5, "middle": (canvas.rows - 1) / 2})
        if x >= free:
            words.append({"x": x, "y": canvas.place(0, -36)["y"], "word": word})
            free = x + (text_width(word) + 8) * canvas.span / canvas.width
    stripes = {"color": GRID, "strokeWidth": canvas.height, "strokeDash": STRIPES}
    edges = {"filled": False, "stroke": MUTED, "strokeWidth": 1, "strokeDash": [2, 2]}
    return [
        layer("rule", boxes, canvas.across("middle"), **stripes),
        layer("rect", boxes, canvas.box(), **edges),
        written(words, canvas, align="left", baseline="top", color=MUTED),
    ]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
