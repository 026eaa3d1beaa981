"""An organisation's chapter: verdict and what to do by when, then the sections that say why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pipeline.reports.html import figures, sections
from pipeline.reports.html.cells import LEVELS, Row, Rows
from pipeline.reports.html.coming import coming
from pipeline.reports.html.frame import Frame
from pipeline.reports.html.model import Badge, Chapter, Fact, Section, Todo
from pipeline.reports.third_party import is_span_marked, marked
from pipeline.reports.values import visible

_WORST = ("critical", "warning", "note")
_UNSEEN = ("not visible here", "no hand-over in the window")
_PLANNED = ("/support", "/build", "/next-stage")
MOST_TODO = 12


def chapter(frame: Frame, exposure: Row) -> Chapter:
    """The chapter of one organisation."""
    rows, texts = frame.rows, frame.rows.style.texts
    organisation = exposure["organisation"]
    findings = rows.of("findings", organisation)
    open_ = [finding for finding in findings if finding["acknowledged_on"] is None]
    servers = rows.of("servers", organisation)
    name = _name(rows, exposure)
    todo = what_to_do(frame, open_)
    # newer logs are wanted at once where they are old: that is no date of an update
    days = [
        finding["act_by"]
        for finding in open_
        if finding["act_by"] and not finding["finding_key"].endswith("/*/logs-ended")
    ]
    act_by = min(days, default=None)
    id_ = f"o-{organisation}"
    stale = ""
    if exposure["stale"] and exposure["logs_to"]:
        days = (rows.document.as_of - exposure["logs_to"]).days
        stale = texts("html.stale", day=texts.day(exposure["logs_to"].date()), days=days)
    return Chapter(
        id_,
        name,
        _level(open_, exposure["state"]),
        _badges(rows, exposure),
        stale,
        rows.style.cell("exposure", "verdict", exposure["verdict"]),
        rows.style.cell("exposure", "next_action", exposure["next_action"]),
        todo,
        [] if todo else _also(rows, open_),
        coming(frame, exposure, servers),
        _facts(frame, exposure),
        sections.logs_there(rows, organisation),
        sections.logs_missing(rows, findings),
        _sections(frame, exposure, servers, findings, name, act_by, id_),
        texts("html.details_of", organisation=name) if frame.many else "",
        texts("html.alone", organisation=organisation) if frame.many else "",
    )


def _name(rows: Rows, exposure: Row) -> str:
    return rows.style.cell("exposure", "display_name", str(exposure["display_name"]))


def _level(findings: Sequence[Row], state: str) -> str:
    """The worst finding that nobody has acknowledged: red means new."""
    severities = {finding["severity"] for finding in findings}
    worst = next((severity for severity in _WORST if severity in severities), "good")
    if worst == "note" and state == "accepted":
        return "good"
    # that nothing was found is no good news where nothing could be seen
    return "note" if worst == "good" and state in _UNSEEN else worst


def _badges(rows: Rows, exposure: Row) -> list[Badge]:
    texts = rows.style.texts
    badges = []
    for column, key in (("state", "mail"), ("build_risk", "builds_are")):
        word = rows.style.cell("exposure", column, exposure[column])
        if exposure["stale"]:
            word = texts("html.then", state=word)
        badges.append(Badge(texts(f"html.{key}"), word, LEVELS.get(exposure[column], "note")))
    return badges


def what_to_do(frame: Frame, findings: Sequence[Row]) -> list[Todo]:
    """The actions of the findings, each once, the dated ones first."""
    rows, texts = frame.rows, frame.rows.style.texts
    today = rows.document.as_of.date()
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in findings:
        if not finding["action"] or finding["severity"] == "note":
            continue
        key = (finding["server"] or "", rows.style.cell("findings", "action", finding["action"]))
        kept = first.setdefault(key, {"day": None, "level": finding["severity"], "mark": False})
        day = finding["act_by"]
        if day is not None and (kept["day"] is None or day < kept["day"]):
            kept["day"], kept["mark"] = day, marked(finding, "act_by")
        if _WORST.index(finding["severity"]) < _WORST.index(kept["level"]):
            kept["level"] = finding["severity"]
    ordered = sorted(
        first.items(),
        key=lambda item: (
            item[1]["day"] is None,
            item[1]["day"] or date.max,
            _WORST.index(item[1]["level"]),
            item[0],
        ),
    )
    return [
        Todo(
            texts.day(item["day"]) if item["day"] else "",
            _distance(rows, item["day"], today),
            visible(server),
            action,
            item["level"],
            item["mark"],
        )
        for (server, action), item in ordered
    ]


def _also(rows: Rows, findings: Sequence[Row]) -> list[str]:
    """What can wait where nothing is due: what notes on builds and on their support ask for."""
    return list(
        dict.fromkeys(
            rows.style.cell("findings", "action", finding["action"])
            for finding in findings
            if finding["action"] and finding["finding_key"].endswith(_PLANNED)
        )
    )


def _distance(rows: Rows, day: date | None, today: date) -> str:
    texts = rows.style.texts
    if day is None:
        return ""
    days = (day - today).days
    if days == 0:
        return texts("html.today")
    if days == 1:
        return texts("html.tomorrow")
    return texts("html.in_days", days=days) if days > 0 else texts("html.days_ago", days=-days)


def _facts(frame: Frame, exposure: Row) -> list[Fact]:
    style, texts, as_of = frame.rows.style, frame.rows.style.texts, frame.rows.document.as_of
    facts = []
    first, last = exposure["stage_earliest"], exposure["stage_latest"]
    if first is not None and last is not None:
        span = str(first) if first == last else texts("html.stage_span", first=first, last=last)
        facts.append(
            Fact(texts("html.fact_stage"), texts("html.of_stages", stage=span, count=len(frame.data.stages)))
        )
    for key, column in (("fact_next_stage", "next_stage"), ("fact_full_block", "full_block")):
        begin, end = exposure[f"{column}_earliest"], exposure[f"{column}_latest"]
        if begin is not None or end is not None:
            mark = is_span_marked(exposure, column)
            label = texts(f"html.{key}", stage=exposure["next_stage"])
            when = figures.between(style, begin, end, as_of)
            facts.append(Fact(label, figures.unless_since(style, when, exposure), mark))
    counts = ("delayed", "bounced", "pending", "handed_over")
    facts += [
        Fact(texts(f"html.fact_{name}"), str(exposure[f"{name}_messages"]))
        for name in counts
        if exposure[f"{name}_messages"] or name != "pending"
    ]
    if exposure["logs_from"] and exposure["logs_to"]:
        span = texts(
            "html.from_to", first=texts.moment(exposure["logs_from"]), last=texts.moment(exposure["logs_to"])
        )
        facts.append(Fact(texts("html.fact_logs"), span))
    return facts


def _sections(
    frame: Frame,
    exposure: Row,
    servers: Sequence[Row],
    findings: Sequence[Row],
    name: str,
    act_by: date | None,
    id_: str,
) -> list[Section]:
    """Of many organisations the findings, and where any of them is more than a note, why and what to do."""
    rows = frame.rows
    made: list[Section | None] = [sections.findings(rows, findings, name, id_)]
    if not frame.many:
        made += [
            sections.logs(rows, exposure, name, id_),
            sections.clock(rows, frame.data, frame.marks, servers, id_, brief=frame.brief),
            sections.refusals(rows, frame.data, exposure, name, id_, brief=frame.brief),
            sections.mail(rows, exposure, name, id_, brief=frame.brief),
            sections.versions(rows, servers, name, id_, brief=frame.brief),
            sections.calendar(rows, exposure, name, id_),
            sections.next_steps(rows, exposure, servers, act_by, id_),
            sections.evidence(rows, exposure, name, id_, brief=frame.brief),
        ]
    elif any(finding["severity"] != "note" for finding in findings):
        made += [
            sections.clock(rows, frame.data, frame.marks, servers, id_, most=1),
            sections.calendar(rows, exposure, name, id_),
            sections.next_steps(rows, exposure, servers, act_by, id_),
        ]
    return [section for section in made if section is not None]
