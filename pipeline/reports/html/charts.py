"""Charts as SVG by Altair and vl-convert. Colours are a fixed palette that the style sheet turns dark; no picture needs them.

Times are given as naive wall-clock times of the display zone and drawn on UTC scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.errors import UsageError

INK, MUTED, GRID, PALE = "#1f2933", "#566270", "#d5dbe1", "#e8ecf0"
THROTTLE, BLOCK, CALM, CERTAIN = "#c77700", "#b3261e", "#8aa7c4", "#2b5c8a"
# light colour -> dark colour; the style sheet has a rule for each
DARK = {
    INK: "#e6eaee", MUTED: "#a9b4bf", GRID: "#38434e", PALE: "#2a333c",
    THROTTLE: "#f0a83c", BLOCK: "#ff8a80", CALM: "#56789b", CERTAIN: "#9cc7f0",
}
WIDTH = 760
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif"
_DAY = timedelta(days=1)


def altair() -> Any:
    """The library; UsageError with the remedy if the extra `html` is not installed."""
    try:
        import altair as alt
        import vl_convert
    except ImportError as error:
        raise UsageError('HTML needs more packages: pip install "tbes[html]"') from error
    assert vl_convert is not None
    return alt


def svg(chart: Any) -> str:
    """The picture, without titles for a screen reader: its figure has them."""
    import vl_convert

    spec = chart.configure(background="transparent", font=_FONT).configure_view(stroke=None).configure_axis(
        labelColor=INK, titleColor=MUTED, gridColor=GRID, domainColor=GRID, tickColor=GRID, labelFontSize=12,
        titleFontSize=12, titleFontWeight="normal", labelLimit=260,
    ).configure_legend(disable=True).to_dict()
    picture: str = vl_convert.vegalite_to_svg(spec)
    for role in ('role="graphics-object"', 'role="graphics-symbol"'):
        picture = picture.replace(role, "")
    return picture.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def ladder(
    stages: Sequence[dict[str, Any]], today: datetime, pauses: Sequence[tuple[date, date]], present: tuple[int | None, int | None],
    words: dict[str, str],
) -> str:
    """Eight steps over the calendar.

    `stages`: stage, label, earliest, latest (naive times or None) of its beginning, in order from 1. `present`: the
    stages in which the server can be today. `words`: today, pause.
    """
    alt = altair()
    known = [moment for stage in stages for moment in (stage["earliest"], stage["latest"]) if moment] + [today]
    start, end = min(known) - 4 * _DAY, max(known) + 18 * _DAY
    bars: list[dict[str, Any]] = []
    for stage, after in zip(stages, [*stages[1:], {"earliest": None, "latest": None}], strict=True):
        last = stage is stages[-1]
        # a stage that has no bound reaches to the edge of the picture
        can = (stage["earliest"] or start, end if last else after["latest"] or end)
        now = present[0] is not None and present[1] is not None and present[0] <= stage["stage"] <= present[1]
        bars.append({"step": stage["label"], "from": _iso(can[0]), "to": _iso(can[1]), "kind": "can", "now": now})
        sure_to = end if last else after["earliest"]
        if stage["latest"] and sure_to and stage["latest"] < sure_to:
            bars.append({"step": stage["label"], "from": _iso(stage["latest"]), "to": _iso(sure_to), "kind": "sure", "now": now})
    order = [stage["label"] for stage in reversed(stages)]
    x = alt.X("from:T", title=None, scale=alt.Scale(type="utc", domain=[_iso(start), _iso(end)]), axis=_days(alt, start, end))
    base = alt.Chart(alt.Data(values=bars)).encode(y=alt.Y("step:N", sort=order, title=None, axis=alt.Axis(ticks=False, labelPadding=8)))
    can = base.transform_filter("datum.kind == 'can'").mark_bar(height=15, cornerRadius=3, strokeWidth=1.5).encode(
        x=x, x2="to:T", fill=alt.condition("datum.now", alt.value(CALM), alt.value(PALE)),
        stroke=alt.condition("datum.now", alt.value(CERTAIN), alt.value(CALM)),
    )
    sure = base.transform_filter("datum.kind == 'sure'").mark_bar(height=15, color=CERTAIN).encode(x=x, x2="to:T")
    layers = [can, sure]
    shown = [(a, b) for a, b in pauses if _start(b) > start and _start(a) < end]
    if shown:
        spans = [
            {"from": _iso(max(_start(a), start)), "to": _iso(min(_start(b) + _DAY, end)), "word": words["pause"]} for a, b in shown
        ]
        band = alt.Chart(alt.Data(values=spans))
        layers.insert(0, band.mark_rect(fill=GRID, opacity=0.7).encode(x="from:T", x2="to:T"))
        layers.append(band.mark_text(color=INK, align="left", dx=3, fontSize=11).encode(x="from:T", y=alt.value(8), text="word:N"))
    line = alt.Chart(alt.Data(values=[{"at": _iso(today), "word": words["today"]}])).encode(x=alt.X("at:T"))
    layers.append(line.mark_rule(color=BLOCK, strokeWidth=2, strokeDash=[6, 3]))
    late = today > start + (end - start) * 0.7
    layers.append(
        line.mark_text(color=BLOCK, align="right" if late else "left", dx=-5 if late else 5, fontSize=12, fontWeight="bold").encode(
            y=alt.value(-8), text="word:N"
        )
    )
    return svg(alt.layer(*layers).properties(width=WIDTH - 190, height=8 * 26))


def hours(cells: Sequence[dict[str, Any]], hour: str) -> str:
    """Day x hour. `cells`: day (ISO), hour (0 to 23), throttled, blocked, accepted: whether mail was accepted in it."""
    alt = altair()
    values = []
    for cell in cells:
        refused = cell["throttled"] + cell["blocked"]
        words = " ".join(f"{letter}{cell[name]}" for letter, name in (("T", "throttled"), ("B", "blocked")) if cell[name])
        kind = "block" if cell["blocked"] else "throttle" if refused else "accepted"
        values.append({"day": cell["day"], "hour": cell["hour"], "words": words or "·", "kind": kind})
    days = sorted({value["day"] for value in values})
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("hour:O", title=hour, scale=alt.Scale(domain=list(range(24))), axis=alt.Axis(labelAngle=0, domain=False, ticks=False)),
        y=alt.Y("day:N", title=None, sort=days, axis=alt.Axis(domain=False, ticks=False, labelPadding=8)),
    )
    colour = alt.Color("kind:N", scale=alt.Scale(domain=["throttle", "block", "accepted"], range=[THROTTLE, BLOCK, PALE]))
    rect = base.mark_rect(cornerRadius=3, strokeWidth=1, fillOpacity=0.28).encode(
        fill=colour, stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=["throttle", "block", "accepted"], range=[THROTTLE, BLOCK, GRID]))
    )
    text = base.mark_text(color=INK, fontSize=10).encode(text="words:N")
    return svg((rect + text).properties(width=WIDTH - 110, height=max(1, len(days)) * 24))


def minutes(refusals: Sequence[dict[str, Any]], minute: str) -> str:
    """Refusals by minute of the hour: `row` (server and day), `minute` (0 to 59.99), `action`. Crosses are blocks, rings throttles."""
    alt = altair()
    rows = sorted({refusal["row"] for refusal in refusals})
    scale = alt.Scale(domain=["throttle", "block"], range=[THROTTLE, BLOCK])
    shape = alt.Scale(domain=["throttle", "block"], range=["circle", "cross"])
    points = alt.Chart(alt.Data(values=list(refusals))).mark_point(size=70, strokeWidth=2).encode(
        x=alt.X("minute:Q", title=minute, scale=alt.Scale(domain=[0, 60]), axis=alt.Axis(values=list(range(0, 61, 5)))),
        y=alt.Y("row:N", title=None, sort=rows, axis=alt.Axis(grid=True, domain=False, ticks=False, labelPadding=8)),
        stroke=alt.Stroke("action:N", scale=scale), shape=alt.Shape("action:N", scale=shape),
    )
    return svg(points.properties(width=WIDTH - 200, height=max(1, len(rows)) * 26))


def builds(spans: Sequence[dict[str, Any]]) -> str:
    """Builds over time: `server`, `build`, `from`, `to` (naive times)."""
    alt = altair()
    start, end = min(span["from"] for span in spans), max(span["to"] for span in spans)
    pad = max((end - start) * 0.03, timedelta(hours=1))
    start, end = start - pad, end + pad
    values = [
        {
            "row": f"{span['server']}  {span['build']}", "from": _iso(span["from"]),
            "to": _iso(max(span["to"], span["from"] + (end - start) / 150)),
        }
        for span in spans
    ]
    rows = [value["row"] for value in values]
    bars = alt.Chart(alt.Data(values=values)).mark_bar(height=12, fill=CERTAIN, cornerRadius=3).encode(
        x=alt.X("from:T", title=None, scale=alt.Scale(type="utc", domain=[_iso(start), _iso(end)]), axis=_days(alt, start, end)),
        x2="to:T", y=alt.Y("row:N", sort=rows, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=8)),
    )
    return svg(bars.properties(width=WIDTH - 270, height=max(1, len(set(rows))) * 26))


def _days(alt: Any, start: datetime, end: datetime) -> Any:
    """An axis of days in ISO form, as many as have room."""
    first, count = datetime(start.year, start.month, start.day), (end - start).days + 2
    step = max(1, -(-count // 6))
    ticks = [first + _DAY * i for i in range(0, count, step)]
    if count <= 2:
        ticks = [first + timedelta(hours=6) * i for i in range(4 * count + 1)]
    inside = [_iso(tick) for tick in ticks if start <= tick <= end]
    return alt.Axis(values=inside, format="%Y-%m-%d" if count > 2 else "%m-%d %H:%M", labelAngle=0, labelFlush=False, labelOverlap="greedy")


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
