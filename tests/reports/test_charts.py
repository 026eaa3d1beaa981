"""The charts: what a page may hold, what is drawn for edge cases, and that nothing rests on colour alone. No browser here."""

from __future__ import annotations

import itertools
import math
import re
from datetime import date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from pipeline.i18n import LANGUAGES, Texts
from pipeline.reports.html.charts import (
    BLOCK,
    CALM,
    CERTAIN,
    DARK,
    GRID,
    INK,
    MUTED,
    PALE,
    THROTTLE,
    WIDTH,
    at_risk,
    builds,
    chart_words,
    dark_rules,
    hours,
    ladder,
    minutes,
)
from pipeline.reports.html.drawing import calendar, pages, short, text_width, two_lines

WORDS = chart_words(Texts("en"))
TODAY = datetime(2026, 11, 24, 18)
DAYS = (0, 30, 40, 50, 60, 70, 80, 90)
LABELS = ("report only", "T5", "T10", "T20", "T30 B5", "B10", "B20", "B60")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    '"/><image href="http://evil.example/x.png"/>',
    "invoice\u202egpj.exe",
    "a\x00b\x1b[2J",
    "&lt;b&gt; & ' \" ]]>",
    "{{7*7}} ${1} datum.word",
    "x" * 5000,
    "\ud800",
    "日本語" * 30,
    "",
]


def stages(
    earliest: datetime | None, latest: datetime | None, labels: tuple[str, ...] = LABELS
) -> list[dict[str, Any]]:
    return [
        {
            "stage": n,
            "label": f"{n} {text}",
            "earliest": earliest and earliest + timedelta(days),
            "latest": latest and latest + timedelta(days),
        }
        for n, (days, text) in enumerate(zip(DAYS, labels, strict=True), 1)
    ]


def cells(days: int, throttled: int = 0, blocked: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "day": f"{date(2026, 9, 1) + timedelta(day)}",
            "hour": hour,
            "throttled": throttled if hour % 3 == 0 else 0,
            "blocked": blocked if hour % 4 == 0 else 0,
            "accepted": hour % 5 > 0,
        }
        for day in range(days)
        for hour in range(24)
    ]


def spans(servers: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "server": name,
            "build": f"15.2.1748.{n}",
            "from": TODAY - timedelta(90 - n),
            "to": TODAY - timedelta(n),
        }
        for n, name in enumerate(servers)
    ]


def messages(days: int, delayed: int = 2, bounced: int = 1, handed_over: int = 9) -> list[dict[str, Any]]:
    return [
        {
            "day": f"{date(2026, 9, 1) + timedelta(n)}",
            "delayed": delayed,
            "bounced": bounced,
            "handed_over": handed_over,
        }
        for n in range(days)
    ]


KNOWN = stages(datetime(2026, 10, 5, 16), datetime(2026, 10, 14, 8))
PAUSES = [
    (date(2026, 12, 1), date(2026, 12, 5)),
    (date(2026, 12, 7), date(2026, 12, 8)),
    (date(2020, 1, 1), date(2020, 1, 9)),
]
CASES = {
    "ladder": lambda: ladder(KNOWN, TODAY, [], (3, 4), WORDS),
    "ladder with pauses": lambda: ladder(KNOWN, TODAY, PAUSES, (3, 3), WORDS),
    "ladder without upper bounds": lambda: ladder(
        stages(datetime(2026, 9, 7), None), TODAY, [], (1, 6), WORDS
    ),
    "ladder without lower bounds": lambda: ladder(
        stages(None, datetime(2026, 8, 24)), TODAY, [], (8, 8), WORDS
    ),
    "ladder of which nothing is known": lambda: ladder(stages(None, None), TODAY, [], (None, None), WORDS),
    "ladder long ago": lambda: ladder(
        stages(datetime(2023, 5, 1), datetime(2023, 5, 2)), TODAY, [], (8, 8), WORDS
    ),
    "ladder far ahead": lambda: ladder(
        stages(datetime(2028, 5, 1), datetime(2028, 5, 2)), TODAY, [], (None, None), WORDS
    ),
    "ladder without stages": lambda: ladder(
        [], TODAY, [], (None, None), {"today": "heute", "pause": "Pause"}
    ),
    "ladder with hostile labels": lambda: ladder(
        stages(None, None, tuple(HOSTILE[:8])), TODAY, [], (1, 1), {"today": HOSTILE[0], "pause": HOSTILE[2]}
    ),
    "hours": lambda: hours(cells(2, 3, 1), "hour", WORDS),
    "hours of nothing": lambda: hours([], "hour", WORDS),
    "hours without words": lambda: hours(cells(1, 3), "hour"),
    "hours of 60 days": lambda: hours(cells(60, 12345, 7), "hour", WORDS),
    "minutes": lambda: minutes(
        [{"row": "EX1 2026-11-24", "minute": 59.99, "action": "block"}], "minute", WORDS
    ),
    "minutes of nothing": lambda: minutes([], "minute", WORDS),
    "minutes with hostile names": lambda: minutes(
        [{"row": name, "minute": n * 5.5, "action": "throttle"} for n, name in enumerate(HOSTILE)],
        HOSTILE[0],
        WORDS,
    ),
    "builds": lambda: builds(spans(["EX1"])),
    "builds of nothing": lambda: builds([]),
    "builds seen once": lambda: builds([{"server": "EX1", "build": "15.2.1.1", "from": TODAY, "to": TODAY}]),
    "builds of 50 servers": lambda: builds(spans([f"EX{n:02}" for n in range(50)])),
    "builds with hostile names": lambda: builds(spans(HOSTILE)),
    "mail at risk": lambda: at_risk(messages(14), WORDS),
    "mail at risk of nothing": lambda: at_risk([], WORDS),
    "mail at risk on one day": lambda: at_risk(messages(1, 0, 0, 0), WORDS),
    "mail at risk over 60 days": lambda: at_risk(messages(60, 3, 1, 50_000), WORDS),
    "mail at risk without words": lambda: at_risk(messages(3), {}),
}


@pytest.fixture(scope="module", params=CASES)
def picture(request: pytest.FixtureRequest) -> str:
    return CASES[request.param]()


def parsed(text: str) -> list[ElementTree.Element]:
    """The `<svg>` elements of a chart."""
    root = ElementTree.fromstring(f"<page>{text}</page>")
    assert {child.tag for child in root} == {f"{SVG}svg"} and not (root.text or "").strip()
    return list(root)


def said(text: str) -> list[str]:
    """The texts in a chart, line by line."""
    return [
        piece
        for root in parsed(text)
        for element in root.iter(f"{SVG}text")
        for piece in element.itertext()
        if piece
    ]


def colours(text: str) -> set[str]:
    return {
        element.get(name, "none")
        for root in parsed(text)
        for element in root.iter()
        for name in ("fill", "stroke")
    }


def test_a_strict_policy_forbids_nothing_in_it(picture: str) -> None:
    for root in parsed(picture):
        for element in root.iter():
            tag = element.tag.removeprefix(SVG)
            assert tag in {"svg", "g", "path", "line", "text", "tspan", "rect"}
            for name in element.attrib:
                assert name != "style" and "href" not in name and not name.startswith("on")
    assert "url(" not in picture and "javascript" not in picture and "@import" not in picture


def test_there_are_no_ids_so_pictures_cannot_meet(picture: str) -> None:
    assert not any("id" in element.attrib for root in parsed(picture) for element in root.iter())


def test_every_picture_is_hidden_from_screen_readers_scales_and_has_one_width(picture: str) -> None:
    for root in parsed(picture):
        assert root.get("aria-hidden") == "true" and root.get("focusable") == "false"
        box = [float(n) for n in root.get("viewBox", "").split()]
        assert box[:3] == [0, 0, WIDTH] and box[3] > 0


def test_every_colour_has_a_dark_one(picture: str) -> None:
    assert colours(picture) <= set(DARK) | {"none", "transparent"}


def test_every_text_can_be_read_at_the_least_width(picture: str) -> None:
    # the page lets a picture shrink to 600 of its 760 units: 12 units are then 9.5 pixels
    for root in parsed(picture):
        sizes = [float(e.get("font-size", "0").removesuffix("px")) for e in root.iter(f"{SVG}text")]
        assert not sizes or min(sizes) >= 12


def test_every_picture_fits_on_a_printed_page(picture: str) -> None:
    # A4 across: 184 mm between the margins, less the words above; a picture is printed at most 170 mm wide
    for root in parsed(picture):
        assert float(root.get("height", "0")) / WIDTH <= (184 - 18) / 170


def test_nothing_is_drawn_outside(picture: str) -> None:
    for root in parsed(picture):
        height = float(root.get("height", "0"))
        for element, x, y in _texts(root):
            text = max(element.itertext(), key=len, default="")
            wide = text_width(text)
            left = {"end": x - wide, "middle": x - wide / 2}.get(element.get("text-anchor", "start"), x)
            assert left >= 0 and left + wide <= WIDTH, text
            assert 0 <= y <= height, text


def _texts(root: ElementTree.Element) -> list[tuple[ElementTree.Element, float, float]]:
    found = []

    def walk(element: ElementTree.Element, x: float, y: float) -> None:
        shift = re.match(r"translate\(([-.\de]+),([-.\de]+)\)", element.get("transform", ""))
        if shift:
            x, y = x + float(shift[1]), y + float(shift[2])
        if element.tag == f"{SVG}text":
            found.append((element, x, y))
        for child in element:
            walk(child, x, y)

    walk(root, 0, 0)
    return found


@pytest.mark.parametrize("name", ["ladder with pauses", "hours", "minutes", "builds", "mail at risk"])
def test_the_same_input_gives_the_same_bytes(name: str) -> None:
    assert CASES[name]() == CASES[name]()


@pytest.mark.parametrize("name", [name for name in CASES if "hostile" in name])
def test_strangers_text_is_text_with_visible_marks(name: str) -> None:
    words = said(CASES[name]())
    assert any("<script>" in word for word in words)
    assert not any(letter in word for word in words for letter in "\u202e\x00\x1b")
    assert any("\\u{" in word for word in words)


def test_a_ladder_says_all_stages_their_days_and_today() -> None:
    words = said(CASES["ladder"]())
    assert [f"{n} {text}" for n, text in enumerate(LABELS, 1)] == [
        w for w in words if re.match(r"\d (report|[TB])", w)
    ]
    assert "today, 2026-11-24" in words
    # day 0 between 5 and 14 October: stage 8 begins 90 days later
    assert "2026-10-05 – 2026-10-14" in words and "2027-01-03 – 2027-01-12" in words
    assert "2026-11-24 – ?" not in words


def test_a_ladder_without_a_bound_says_so_and_points_beyond_its_edge() -> None:
    upper, lower = CASES["ladder without upper bounds"](), CASES["ladder without lower bounds"]()
    assert "2026-10-07 – ?" in said(upper) and "? – 2026-09-23" in said(lower)
    # marks of the six present stages, and an arrow at the right edge of all eight
    assert _triangles(upper) == 6 + 8
    # eight arrows to the left, the mark of stage 8, and that stage has no end
    assert _triangles(lower) == 8 + 1 + 1


def _triangles(text: str) -> int:
    return sum(
        element.get("d", "").count("L") == 2 and element.get("d", "").endswith("Z")
        for root in parsed(text)
        for element in root.iter(f"{SVG}path")
    )


def test_today_is_in_the_picture_wherever_the_stages_are() -> None:
    for name in ("ladder long ago", "ladder far ahead", "ladder of which nothing is known"):
        root = parsed(CASES[name]())[0]
        x = next(x for element, x, _ in _texts(root) if "".join(element.itertext()) == "today, 2026-11-24")
        assert 180 < x < WIDTH - 180


def test_a_pause_is_named_in_picture_and_legend_only_if_there_is_one() -> None:
    assert said(CASES["ladder with pauses"]()).count("pause") == 2
    assert "pause" not in said(CASES["ladder"]())


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_say_what_colours_say(language: str) -> None:
    words = chart_words(Texts(language))
    assert all(words.values())
    heat = said(hours(cells(1, 3, 2), "hour", words))
    throttled, blocked = words["throttled"][0].upper(), words["blocked"][0].upper()
    assert throttled != blocked and {throttled, blocked} <= set(heat)
    # hours 0, 3, ... are throttled (8), 0, 4, ... blocked (6), two of them both
    assert heat.count(f"{throttled}3") == 8 and heat.count(f"{blocked}2") == 6
    risk = said(at_risk(messages(2), words))
    delayed, bounced = words["delayed"][0].upper(), words["bounced"][0].upper()
    assert delayed != bounced and risk.count(f"{delayed}2") == 2 and risk.count(f"{bounced}1") == 2


def test_letters_without_words_and_where_words_begin_alike() -> None:
    assert "T3" in said(CASES["hours without words"]())
    alike = said(at_risk(messages(2), WORDS | {"delayed": "behind", "bounced": "bounced"}))
    assert "D2" in alike and "B1" in alike


def test_rings_are_throttles_and_crosses_blocks_one_a_minute() -> None:
    rows = [{"row": "EX1", "minute": 7.2 + n / 100, "action": "throttle"} for n in range(50)]
    rows += [{"row": "EX1", "minute": 8.0, "action": "block"}]
    drawn = minutes(rows, "minute")
    stroked = [e for e in parsed(drawn)[0].iter(f"{SVG}path") if e.get("stroke") in (THROTTLE, BLOCK)]
    assert sorted((e.get("stroke"), "A" in e.get("d", "")) for e in stroked) == [
        (BLOCK, False),
        (THROTTLE, True),
    ]


def test_a_few_bounced_of_thousands_are_seen() -> None:
    (root,) = parsed(at_risk(messages(1, 1, 1, 50_000), {}))
    boxes = [e.get("d", "") for e in root.iter(f"{SVG}path") if e.get("fill") == BLOCK]
    assert len(boxes) == 1
    assert float(re.search(r"v(-?[\d.]+)", boxes[0])[1]) == pytest.approx(3, abs=0.01) or "v-3" in boxes[0]  # type: ignore[index]


def test_a_scale_holds_the_day_even_if_messages_were_refused_more_than_handed_over() -> None:
    assert "10" in said(at_risk([{"day": "2026-11-24", "delayed": 5, "bounced": 4, "handed_over": 0}], WORDS))


def test_a_server_is_named_once_a_group() -> None:
    words = said(builds([s | {"server": "EX1"} for s in spans(["a", "b"])]))
    assert words.count("EX1") == 1 and "15.2.1748.0" in words and "15.2.1748.1" in words


def test_no_row_is_lost_where_rows_are_parted_into_pictures() -> None:
    words = said(CASES["builds of 50 servers"]())
    assert [w for w in words if w.startswith("EX")] == [f"EX{n:02}" for n in range(50)]
    days = [w for w in said(CASES["hours of 60 days"]()) if w.startswith("2026-")]
    assert days == [f"{date(2026, 9, 1) + timedelta(n)}" for n in range(60)]
    assert [list(part) for part in pages(list(range(5)), 2)] == [[0, 1], [2, 3], [4]]
    assert pages([], 2) == [[]]


@pytest.mark.parametrize(
    ("start", "days", "first"),
    [
        (datetime(2026, 11, 23, 20), 1, "00:00\n2026-11-24"),
        (datetime(2026, 11, 23, 20), 20, "2026-11-30"),
        (datetime(2026, 11, 23), 20, "2026-11-23"),
        (datetime(2026, 11, 23), 120, "2026-12-01"),
        (datetime(2026, 11, 23), 900, "2027-01-01"),
        (datetime(2026, 11, 23), 9000, "2030-01-01"),
    ],
)
def test_a_calendar_has_iso_days_in_order_and_not_too_many(start: datetime, days: int, first: str) -> None:
    ticks = calendar(start, start + timedelta(days), 4)
    assert ticks[0][1] == first
    assert 1 <= len(ticks) <= 9
    for (before, _), (after, _) in itertools.pairwise(ticks):
        assert 0 <= before < after <= days
    when = start + timedelta(days=ticks[0][0])
    assert (when.hour, when.minute) == (0, 0)


def test_names_are_cut_where_they_tell_least() -> None:
    assert short("EX01", 100) == "EX01"
    assert short("ex01.very.long.corporate.contoso.example", 100).startswith("ex01.")
    assert short("ex01.very.long.corporate.contoso.example 2026-11-24", 180).endswith(" 2026-11-24")
    assert short("a-very-long-name-of-a-host-07.contoso.example", 120).endswith("07…")
    assert "\n" in two_lines("6 throttled an unknown number of minutes", 150)
    for text in ("x" * 100, "throttled an unknown number of, blocked 10 min/h", "日本語" * 20):
        assert all(text_width(line) <= 156 for line in two_lines(text, 156).split("\n"))


def _luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _over(colour: str, paper: str, share: float) -> str:
    mixed = [
        round(int(colour[n : n + 2], 16) * share + int(paper[n : n + 2], 16) * (1 - share)) for n in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in mixed)


@pytest.mark.parametrize(("paper", "dark"), [("#ffffff", False), ("#1b2229", True)])
def test_contrast_is_enough_on_both_papers(paper: str, dark: bool) -> None:
    """WCAG 2.2: 4.5 for text (1.4.3), 3 for what must be seen to understand a graphic (1.4.11)."""

    def shown(colour: str) -> str:
        return DARK[colour] if dark else colour

    for text in (INK, MUTED, BLOCK):
        assert _contrast(shown(text), paper) >= 4.5
    for mark in (CERTAIN, BLOCK, THROTTLE):
        assert _contrast(shown(mark), paper) >= 3
    # a cell of the heat map at its darkest
    for cell in (THROTTLE, BLOCK):
        assert _contrast(shown(INK), _over(shown(cell), paper, 0.44)) >= 4.5
    # where it is certain against where it can be
    assert _contrast(shown(CERTAIN), shown(PALE)) >= 3 and _contrast(shown(CERTAIN), shown(CALM)) >= 2.5


def test_the_darkest_cell_is_no_darker_than_measured() -> None:
    for throttled, blocked in ((10**9, 0), (1, 10**9)):
        shades = [
            float(s) for s in re.findall(r'fill-opacity="([\d.]+)"', hours(cells(1, throttled, blocked), "h"))
        ]
        assert shades and max(shades) <= 0.44 + 0.005 and not math.isnan(max(shades))


def test_dark_rules_reach_fill_and_stroke_of_every_colour() -> None:
    rules = re.findall(
        r'svg \[(fill|stroke)="(#[0-9a-f]{6})"\]\{(fill|stroke):(#[0-9a-f]{6})\}', dark_rules()
    )
    assert {(a, light, b, dark) for a, light, b, dark in rules} == {
        (name, light, name, dark) for light, dark in DARK.items() for name in ("fill", "stroke")
    }
    assert "<" not in dark_rules() and set(DARK) == {INK, MUTED, GRID, PALE, THROTTLE, BLOCK, CALM, CERTAIN}
