"""What happens to an organisation next, and when: stages and full block, the announced raise, ends of support."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from pipeline.reports.html import figures
from pipeline.reports.html.cells import Row
from pipeline.reports.html.frame import Frame
from pipeline.reports.html.model import Coming
from pipeline.reports.third_party import is_span_marked
from pipeline.reports.values import visible

MOST_NAMES = 4
_OF_STAGES = ("observed", "imported", "predicted")


def coming(frame: Frame, exposure: Row, servers: Sequence[Row]) -> list[Coming]:
    """In the order in which it matters: the server that is farthest on the way, the next raise, other dates, support."""
    return [
        *_stages(frame, exposure),
        *_raise(frame, servers),
        *_dated(frame, exposure["organisation"]),
        *_unsupported(frame, servers),
    ]


def _stages(frame: Frame, exposure: Row) -> Iterator[Coming]:
    if exposure["basis"] is None:
        return
    texts, as_of = frame.rows.style.texts, frame.rows.document.as_of
    subject = f"{visible(exposure['clock_server'])}: " if exposure["servers"] > 1 else ""
    note = texts("html.coming_predicted") if exposure["basis"] == "predicted" else ""
    stage = next((s for s in frame.data.stages if s["stage"] == exposure["next_stage"]), None)
    label = figures.stage_label(frame.rows.style, stage) if stage else exposure["next_stage"]
    for what, column in (
        (texts("html.coming_stage", stage=label), "next_stage"),
        (texts("html.full_block_is"), "full_block"),
    ):
        begin, end = exposure[f"{column}_earliest"], exposure[f"{column}_latest"]
        if begin is None and end is None:
            continue
        mark = is_span_marked(exposure, column)
        if end is None and begin <= as_of:
            when = texts("html.possible_since", earliest=texts.day(begin.date()))
        else:
            when = figures.between(frame.rows.style, begin, end, as_of)
        yield Coming(when, subject + what, mark, note)
        note = ""


def _raise(frame: Frame, servers: Sequence[Row]) -> Iterator[Coming]:
    texts = frame.rows.style.texts
    for answer, key in (("no", "raise_refuses"), ("unknown", "raise_may_refuse")):
        names = [
            server["server"]
            for server in servers
            if server["accepted"] == "accepted" and server["accepted_after_next_raise"] == answer
        ]
        if names:
            yield Coming(texts("html.undated"), texts(f"html.{key}", servers=_names(frame, names)))


def _dated(frame: Frame, organisation: str) -> Iterator[Coming]:
    """Ends of support and of pauses; the stages of further servers stand in the calendar."""
    rows, texts = frame.rows, frame.rows.style.texts
    for row in rows.of("calendar", organisation):
        if row["basis"] in _OF_STAGES or row["earliest"] is None:
            continue
        when = figures.between(rows.style, row["earliest"], row["latest"], rows.document.as_of)
        if row["earliest"] == row["latest"]:
            when = texts.day(row["earliest"].date())
        yield Coming(when, rows.style.cell("calendar", "what", row["what"]))


def _unsupported(frame: Frame, servers: Sequence[Row]) -> Iterator[Coming]:
    texts = frame.rows.style.texts
    ended: dict[date, dict[str, None]] = defaultdict(dict)
    for server in servers:
        if server["supported"] == "no" and server["generation"]:
            ended[server["esu_end"] or server["end_of_support"]][f"Exchange {server['generation']}"] = None
    for day, products in sorted(ended.items()):
        yield Coming(
            texts("html.since_day", day=texts.day(day)),
            texts("html.no_updates", products=", ".join(products)),
        )


def _names(frame: Frame, names: Sequence[str]) -> str:
    shown = ", ".join(visible(name) for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return shown if more <= 0 else f"{shown} {frame.rows.style.texts('html.and_more', count=more)}"
