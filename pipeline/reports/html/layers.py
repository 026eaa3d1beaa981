"""Layers that charts are made of: names of rows, axes, single texts, legends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reports.html.drawing import (
    BLOCK,
    CALM,
    CERTAIN,
    GRID,
    INK,
    MUTED,
    PALE,
    Canvas,
    Layer,
    layer,
    text_width,
    written,
)
from pipeline.reports.values import visible

BOXES = {
    "possible": (PALE, CALM, 1),
    "here": (CALM, CERTAIN, 2),
    "certain": (CERTAIN, CERTAIN, 1),
    "bounced": (BLOCK, BLOCK, 1),
}
"""Fill, outline and its width of boxes that stand in a legend too."""
# parts of striped areas: line and gap
STRIPES = [2, 3]
_GAP = 20


@dataclass(frozen=True, slots=True)
class Sign:
    """An entry of a legend: what a mark means, and how it is drawn.

    `kind`: a key of BOXES, `striped` (across), `barred` (upright), `circle`, `cross`, `letter` (shown instead of a swatch).
    """

    word: str
    kind: str
    colour: str = INK
    letter: str = ""


def texts(canvas: Canvas, rows: Sequence[str], left: float, colour: str = INK) -> Layer:
    """A text beside each row that begins `left` units right of the plot's left edge; an empty text is none."""
    x = canvas.place(left, 0)["x"]
    # of two lines the upper one stands above the middle
    raised = 7 / canvas.row_height
    values = [
        {"x": x, "y": n - raised if "\n" in text else n, "word": text} for n, text in enumerate(rows) if text
    ]
    return written(values, canvas, align="left", baseline="middle", color=colour)


def label(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    *,
    align: str = "left",
    colour: str = INK,
    bold: bool = False,
) -> Layer:
    """One text at so many units from the plot's upper left corner, its upper edge at `y`."""
    value = canvas.place(x, y) | {"word": visible(text)}
    weight = "bold" if bold else "normal"
    return written([value], canvas, align=align, baseline="top", color=colour, fontWeight=weight)


def row_lines(canvas: Canvas, between: bool = False) -> Layer:
    """A faint line through each row, or above each and below the last."""
    at = [n - 0.5 for n in range(canvas.rows + 1)] if between else list(range(canvas.rows))
    values = [{"x": 0, "x2": canvas.span, "y": row} for row in at]
    return layer("rule", values, canvas.across(), color=GRID)


def axis(
    canvas: Canvas, ticks: Sequence[tuple[float, str]], title: str = "", lines: bool = True
) -> list[Layer]:
    """Labels below the plot at (place, label), lines across the plot at them, and a title below."""
    top, foot, under = (canvas.place(0, y)["y"] for y in (0, canvas.height + 4, canvas.height + 8))
    layers = []
    if lines:
        values = [{"x": place, "y": top, "y2": foot} for place, _ in ticks]
        layers.append(layer("rule", values, canvas.upright(), color=GRID))
    named = [{"x": place, "y": under, "word": word} for place, word in ticks]
    layers.append(written(named, canvas, baseline="top"))
    if title:
        layers.append(
            label(canvas, title, canvas.width / 2, canvas.height + 26, align="center", colour=MUTED)
        )
    return layers


def legend(signs: Sequence[Sign], canvas: Canvas) -> tuple[list[Layer], int]:
    """The layers of a legend below the plot and its axis, and the height that it takes."""
    if not signs:
        return [], 0
    layers: list[Layer] = []
    meanings = []
    start = 8.0 - canvas.left
    x, y = start, canvas.height + canvas.bottom + 4
    first = y
    for sign in signs:
        wide = 24 + text_width(sign.word)
        if x > start and x + wide > canvas.width + canvas.right:
            x, y = start, y + _GAP
        layers += _swatch(canvas, sign, x, y)
        meanings.append(canvas.place(x + 24, y) | {"word": sign.word})
        x += wide + 16
    layers.append(written(meanings, canvas, align="left", baseline="top"))
    return layers, int(y - first) + 24


def letters_of(words: Mapping[str, str] | None, one: str, other: str, otherwise: str) -> str:
    """The capitals of two words by which marks are told apart; `otherwise` where they would be the same."""
    letters = ((words or {}).get(one, "")[:1] + (words or {}).get(other, "")[:1]).upper()
    return letters if len(set(letters)) == 2 else otherwise


def few(number: int) -> str:
    """A count in at most four letters."""
    for size, sign in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number // size}{sign}"
    return str(number)


def _swatch(canvas: Canvas, sign: Sign, x: float, y: float) -> list[Layer]:
    if sign.kind == "letter":
        return [label(canvas, sign.letter, x + 18, y, align="right", bold=True)]
    middle = canvas.place(x + 9, y + 6)
    if sign.kind in ("circle", "cross"):
        return [
            layer(
                "point",
                [canvas.place(x + 10, y + 6)],
                canvas.at(),
                shape=sign.kind,
                size=70,
                strokeWidth=2,
                stroke=sign.colour,
            )
        ]
    corner, other = canvas.place(x, y), canvas.place(x + 18, y + 12)
    box = [corner | {"x2": other["x"], "y2": other["y"]}]
    if sign.kind in BOXES:
        fill, stroke, wide = BOXES[sign.kind]
        return [layer("rect", box, canvas.box(), fill=fill, stroke=stroke, strokeWidth=wide)]
    line = [box[0] | ({"x": middle["x"]} if sign.kind == "striped" else {"y": middle["y"]})]
    channels, wide = (canvas.upright(), 18) if sign.kind == "striped" else (canvas.across(), 12)
    return [
        layer("rule", line, channels, color=sign.colour, strokeWidth=wide, strokeDash=STRIPES),
        layer("rect", box, canvas.box(), stroke=sign.colour, strokeWidth=1, filled=False),
    ]
