"""What all charts share: palette, canvas, texts that fit, ticks of a calendar. Vega-Lite draws them, by vl-convert.

Margins are fixed here and not by the library, which would measure text with the fonts of the machine it runs on: so one
input gives the same bytes everywhere, and all charts of a page have one width. A picture has no ids, style attributes,
links or images: it can stand in a page many times, under a Content-Security-Policy that forbids them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.errors import UsageError
from pipeline.reports.values import visible

INK, MUTED, GRID, PALE = "#1f2933", "#566270", "#d5dbe1", "#e8ecf0"
THROTTLE, BLOCK, CALM, CERTAIN = "#c77700", "#b3261e", "#8aa7c4", "#2b5c8a"
# light colour -> dark colour
DARK = {
    INK: "#e6eaee",
    MUTED: "#a9b4bf",
    GRID: "#38434e",
    PALE: "#2a333c",
    THROTTLE: "#f0a83c",
    BLOCK: "#ff8a80",
    CALM: "#56789b",
    CERTAIN: "#9cc7f0",
}
WIDTH = 760
"""Units of every picture's width."""
TEXT = 12
"""Units of the height of every text."""
DAY = timedelta(days=1)
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
# the width of an average letter of these fonts, in parts of their height
_LETTER = 0.6
Layer = dict[str, Any]
"""A layer of a Vega-Lite chart, https://vega.github.io/vega-lite/docs/layer.html"""
_PLAIN: dict[str, Any] = {"type": "quantitative", "axis": None}
_EXACT = {"nice": False, "zero": False}
_TAG = re.compile(r"<[^>]*>")
# a coordinate with more decimals than can be seen
_NUMBER = re.compile(r"-?\d+\.\d{3,}")


def dark_rules() -> str:
    """The CSS rules that give the charts their dark colours, for a media query of the page's style sheet."""
    return "".join(
        f'svg [{attribute}="{light}"]{{{attribute}:{dark}}}'
        for light, dark in DARK.items()
        for attribute in ("fill", "stroke")
    )


@dataclass(frozen=True, slots=True)
class Canvas:
    """The plot and its margins, in units of the picture.

    The horizontal scale runs from 0 to `span`, the vertical one over the numbers of rows, from 0 at the top; the middle of
    a row is its number. Both go on beyond the plot, so that `place` finds a spot in a margin.
    """

    span: float
    rows: int
    row_height: float
    left: int
    right: int = 16
    top: int = 12
    bottom: int = 30

    @property
    def width(self) -> int:
        """Of the plot."""
        return WIDTH - self.left - self.right

    @property
    def height(self) -> float:
        """Of the plot."""
        return self.rows * self.row_height

    def place(self, x: float, y: float) -> dict[str, float]:
        """The values `x` and `y` of a point that lies so many units right of and below the plot's upper left corner."""
        return {"x": x * self.span / self.width, "y": y / self.row_height - 0.5}

    def at(self) -> dict[str, Any]:
        """The channels of a point: fields x, y."""
        return {"x": self._x("x"), "y": self._y("y")}

    def across(self, y: str = "y") -> dict[str, Any]:
        """The channels of a level line: fields x, x2 and one for its height."""
        return {"x": self._x("x"), "x2": {"field": "x2"}, "y": self._y(y)}

    def upright(self, x: str = "x") -> dict[str, Any]:
        """The channels of an upright line: fields y, y2 and one for its place."""
        return {"x": self._x(x), "y": self._y("y"), "y2": {"field": "y2"}}

    def box(self) -> dict[str, Any]:
        """The channels of a box: fields x, x2, y, y2."""
        return self.across() | self.upright()

    def _x(self, field: str) -> dict[str, Any]:
        return {"field": field, **_PLAIN, "scale": {"domain": [0, self.span], **_EXACT}}

    def _y(self, field: str) -> dict[str, Any]:
        domain = [-0.5, self.rows - 0.5]
        return {"field": field, **_PLAIN, "scale": {"domain": domain, **_EXACT, "reverse": True}}


def layer(mark: str, values: Sequence[Mapping[str, Any]], channels: Mapping[str, Any], **how: Any) -> Layer:
    """A layer of a picture: marks of a kind, one for each of the values. `how`: what all of them look like."""
    return {
        "data": {"values": list(values)},
        "mark": {"type": mark, **how},
        "encoding": dict(channels),
    }


def written(values: Sequence[Mapping[str, Any]], canvas: Canvas, **how: Any) -> Layer:
    """A layer of texts: fields x, y, word."""
    return layer("text", values, canvas.at() | {"text": {"field": "word", "type": "nominal"}}, **how)


def svg(layers: Sequence[Layer], canvas: Canvas, below: int = 0) -> str:
    """The picture, hidden from a screen reader: its figure says in words what it shows. `below`: room for a legend.

    Raises UsageError with the remedy if the extra `html` is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise UsageError('HTML needs more packages: pip install "tbes[html]"') from error

    padding = {
        "left": canvas.left,
        "right": canvas.right,
        "top": canvas.top,
        "bottom": canvas.bottom + below,
    }
    specification = {
        "width": canvas.width,
        "height": canvas.height,
        "padding": padding,
        "autosize": {"type": "none"},
        "layer": list(layers),
        "config": {
            "background": "transparent",
            "font": _FONT,
            "aria": False,
            "view": {"stroke": None},
            "text": {"lineBreak": "\n", "lineHeight": 14, "fontSize": TEXT, "color": INK},
            "point": {"opacity": 1},
            "legend": {"disable": True},
        },
    }
    picture: str = vl_convert.vegalite_to_svg(specification)
    picture = _TAG.sub(lambda tag: _NUMBER.sub(lambda n: f"{float(n[0]):.2f}", tag[0]), picture)
    return picture.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def text_width(text: str) -> float:
    """About how wide a text is, without a font to measure it by; East Asian letters are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) * TEXT * _LETTER


def short(text: str, room: float) -> str:
    """The text with nothing invisible in it; where it does not fit, letters are left out.

    They come from its longest word if enough of that is left, so that a day beside a name stays, else from the middle. Of
    a fully qualified name the domain goes first.
    """
    text = visible(text)
    if text_width(text) <= room:
        return text
    words = text.split(" ")
    longest = max(range(len(words)), key=lambda n: text_width(words[n]))
    others = " ".join([*words[:longest], "", *words[longest + 1 :]]) if len(words) > 1 else ""
    left = room - text_width(others)
    if left < 6 * TEXT:
        return _cut(text, room)
    words[longest] = _cut(words[longest], left, domain=True)
    return " ".join(words)


def two_lines(text: str, room: float) -> str:
    """The text in at most two lines, parted at a space, each cut if it does not fit."""
    text = visible(text)
    if text_width(text) <= room:
        return text
    words = text.split(" ")
    taken = 1
    while taken < len(words) and text_width(" ".join(words[: taken + 1])) <= room:
        taken += 1
    lines = (" ".join(words[:taken]), " ".join(words[taken:]))
    return "\n".join(short(line, room) for line in lines if line)


def calendar(start: datetime, end: datetime, most: int) -> list[tuple[float, str]]:
    """Not many more than `most` ticks between two times: (days since `start`, label); days are ISO.

    Within three days they are hours, each day named below its first; beyond two months the firsts of months.
    """
    span = end - start
    midnight = datetime(start.year, start.month, start.day)
    if span <= 3 * DAY:
        step = next((h for h in (1, 2, 3, 6, 12) if span / timedelta(hours=h) <= most), 24)
        moments = [midnight + timedelta(hours=h) for h in range(0, 24 * 5, step)]
        moments = [at for at in moments if start <= at <= end]
        new = [
            at.date() != before.date() for before, at in zip([datetime.min, *moments], moments, strict=False)
        ]
        words = [
            f"{at:%H:%M}" + (f"\n{at:%Y-%m-%d}" if first else "")
            for at, first in zip(moments, new, strict=True)
        ]
        return [((at - start) / DAY, word) for at, word in zip(moments, words, strict=True)]
    if span > 62 * DAY:
        every = next((m for m in (1, 2, 3, 6, 12, 24, 60, 120) if span.days / (30 * m) <= most), 240)
        count = start.year * 12 + start.month - 1
        months = [n for n in range(count, count + span.days // 28 + 2) if n % every == 0]
        days = [date(n // 12, n % 12 + 1, 1) for n in months]
    else:
        step = next((n for n in (1, 2, 3, 7) if span.days / n <= most), 14)
        days = [midnight.date() + DAY * n for n in range(0, span.days + 2, step)]
    moments = [datetime(day.year, day.month, day.day) for day in days]
    return [((at - start) / DAY, f"{at:%Y-%m-%d}") for at in moments if start <= at <= end]


def pages(rows: Sequence[Any], most: int) -> list[Sequence[Any]]:
    """The rows in parts of at most `most`, about alike, so that each picture fits on a printed page; one part if there are none."""
    parts = max(1, -(-len(rows) // most))
    size = max(1, -(-len(rows) // parts))
    return [rows[n : n + size] for n in range(0, max(len(rows), 1), size)]


def _cut(text: str, room: float, domain: bool = False) -> str:
    host, _, rest = text.partition(".")
    if domain and rest and not host.isdigit():
        if text_width(host + "…") > room:
            return _cut(host, room - text_width("…")) + "…"
        kept = len(text)
        while text_width(text[:kept] + "…") > room:
            kept -= 1
        return text[:kept] + "…"
    kept = len(text) // 2
    while kept > 1 and text_width(text[:kept] + "…" + text[-kept:]) > room:
        kept -= 1
    return text[:kept] + "…" + text[-kept:]
