"""The sections of a chapter, each from this organisation's rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipeline.reports.html import figures, resend, steps
from pipeline.reports.html.cells import Row, Rows
from pipeline.reports.html.figures import Data
from pipeline.reports.html.model import Picture, Section
from pipeline.reports.third_party import ThirdParty, marked
from pipeline.reports.values import visible

KINDS = ("message-tracking", "smtp-send", "smtp-receive")
MOST = 40
MOST_BRIEF = 12
MOST_SERVERS = 8
MOST_GAPS = 12
MOST_LADDERS = 12
MOST_LADDERS_BRIEF = 2
# reports that say more and have no section of their own
_MORE = (
    (
        "suspected_throttling",
        ("server", "first_day", "last_day", "days", "late_messages", "messages", "verdict", "next_action"),
    ),
    (
        "look_alikes",
        (
            "server",
            "log_kind",
            "connector",
            "enhanced_code",
            "meaning",
            "lines",
            "messages",
            "last_time",
            "what_to_do",
        ),
    ),
    ("reconciliation", ("server", "field", "agreement", "reported", "expected", "expected_by", "reading")),
    ("quarantine", ("source_file", "source_line", "reason", "raw_line")),
    (
        "sources",
        ("server", "kind", "path", "lines", "rows", "quarantined", "first_time", "last_time", "warning"),
    ),
)


def _section(rows: Rows, id_: str, key: str) -> Section:
    texts = rows.style.texts
    return Section(f"{id_}-{key}", texts(f"html.section_{key}"), texts(f"html.section_{key}_intro"))


def findings(rows: Rows, found: Sequence[Row], name: str, id_: str) -> Section:
    """Every finding; the acknowledged ones with reason and day."""
    texts = rows.style.texts
    section = _section(rows, id_, "findings")
    columns = ("severity", "server", "finding", "action", "act_by", "since")
    key = {"finding": "finding_key"}
    open_ = [finding for finding in found if finding["acknowledged_on"] is None]
    done = [finding for finding in found if finding["acknowledged_on"] is not None]
    caption = texts("html.caption_findings", organisation=name)
    if open_:
        section.tables.append(
            rows.table("findings", columns, open_, caption, most=len(open_), marked=marked, below=key)
        )
    else:
        section.notes.append(texts("html.no_open_findings"))
    if done:
        caption = texts("html.caption_acknowledged", organisation=name)
        more = ("severity", "server", "finding", "acknowledged_on", "acknowledged_reason")
        section.tables.append(rows.table("findings", more, done, caption, most=len(done), below=key))
    return section


def logs_there(rows: Rows, organisation: str) -> list[str]:
    """Which kinds of logs there are of each server."""
    texts = rows.style.texts
    kinds: dict[str | None, list[str]] = {}
    for row in rows.of("coverage", organisation):
        if row["hours_covered"]:
            known = kinds.setdefault(row["server"], [])
            if row["log_kind"] not in known:
                known.append(row["log_kind"])
    said = [
        f"{visible(server) if server else texts('html.no_server')}: "
        + ", ".join(texts(f"html.kind_{kind.replace('-', '_')}") for kind in KINDS if kind in known)
        for server, known in list(kinds.items())[:MOST_SERVERS]
    ]
    if len(kinds) > MOST_SERVERS:
        said.append(rows.left_out("coverage", MOST_SERVERS, len(kinds)))
    return said or [texts("text.logs_none")]


def logs_missing(rows: Rows, found: Sequence[Row]) -> list[str]:
    """Which logs were not there, and what that hides: the findings of gaps, as every format has them."""
    said = [
        rows.style.cell("findings", "finding", finding["finding"])
        for finding in found
        if finding["finding_key"].startswith(f"{finding['organisation']}/{finding['server'] or '*'}/gap/")
    ]
    if len(said) > MOST_GAPS:
        said[MOST_GAPS:] = [rows.left_out("findings", MOST_GAPS, len(said))]
    return said


def logs(rows: Rows, exposure: Row, name: str, id_: str) -> Section:
    """What the logs show, by server, connector and kind."""
    section = _section(rows, id_, "logs")
    coverage = rows.of("coverage", exposure["organisation"])
    columns = (
        "server", "connector", "log_kind", "hours_covered", "hours_missing", "first_time", "last_time", "shows", "gap",
    )  # fmt: skip
    caption = rows.style.texts("html.caption_coverage", organisation=name)
    section.tables.append(rows.table("coverage", columns, coverage, caption, most=MOST))
    return section


def clock(
    rows: Rows,
    data: Data,
    marks: ThirdParty,
    servers: Sequence[Row],
    id_: str,
    *,
    brief: bool = False,
    most: int | None = None,
) -> Section | None:
    """A ladder for each server with a clock, those that are farthest first; with `most` so many, and no plans of pauses."""
    texts = rows.style.texts
    section = _section(rows, id_, "clock")
    with_clock = [s for s in servers if (s["organisation"], s["server"]) in data.dates and s["basis"]]
    with_clock.sort(
        key=lambda s: (-(s["stage"] or 0), s["full_block_earliest"] or s["last_seen"], s["server"])
    )
    plans = most is None
    most = most or (MOST_LADDERS_BRIEF if brief else MOST_LADDERS)
    for server in with_clock[:most]:
        picture = figures.ladder(rows, data, server, marks, visible)
        if picture:
            section.pictures.append(picture)
    if len(with_clock) > most:
        section.notes.append(rows.left_out("clock", most, len(with_clock)))
    planner = rows.of("pause_planner", servers[0]["organisation"]) if servers else []
    columns = (
        "server", "option", "pause_from", "pause_to", "left_this_year", "next_stage_earliest_with_pause",
        "full_block_earliest", "full_block_earliest_with_pause", "note",
    )  # fmt: skip
    if plans and with_clock and planner:
        caption = texts("html.caption_pauses")
        most_plans = MOST_BRIEF if brief else MOST
        section.tables.append(
            rows.table("pause_planner", columns, planner, caption, most=most_plans, marked=marked)
        )
    return section if section.pictures else None


def refusals(rows: Rows, data: Data, exposure: Row, name: str, id_: str, *, brief: bool) -> Section | None:
    """When mail was refused: by day and hour, and by the minutes of the hour."""
    section = _section(rows, id_, "refusals")
    organisation = exposure["organisation"]
    drawn = [figures.hours(rows, data, organisation, name)]
    if not brief:
        drawn.append(figures.minutes(rows, data, organisation, name))
    section.pictures.extend(picture for picture in drawn if picture)
    return section if section.pictures else None


def mail(rows: Rows, exposure: Row, name: str, id_: str, *, brief: bool) -> Section | None:
    """What was delayed and refused, what each coming stage will do, and what must be sent again."""
    texts = rows.style.texts
    section = _section(rows, id_, "mail")
    organisation = exposure["organisation"]
    if exposure["refusals"] or not brief:
        picture = figures.at_risk(rows, organisation, name)
        if picture:
            section.pictures.append(picture)
    most = MOST_BRIEF if brief else MOST
    impact = (
        "server", "stage", "stage_is", "begins_earliest", "begins_latest", "messages_per_day",
        "delayed_per_day_expected", "delayed_per_day_highest", "delay_minutes_expected", "bounced_per_day_expected",
        "bounced_per_day_highest", "observed_delayed_per_day", "observed_bounced_per_day",
    )  # fmt: skip
    if coming := rows.of("impact", organisation):
        caption = texts("html.caption_impact", organisation=name)
        section.tables.append(rows.table("impact", impact, coming, caption, most=most, marked=marked))
    section.tables.extend(resend.tables(rows, organisation, name, most))
    return section if section.pictures or section.tables else None


def versions(rows: Rows, servers: Sequence[Row], name: str, id_: str, *, brief: bool) -> Section | None:
    """Products and builds in use, how old they are and what Exchange Online asks for."""
    if not servers:
        return None
    texts = rows.style.texts
    section = _section(rows, id_, "versions")
    columns = (
        "server", "build_name", "build", "release_date", "days_behind", "builds_behind", "newest_build",
        "baseline_build", "baseline_since", "baseline_status", "build_risk", "supported", "end_of_support",
        "known_exploited_cves_open", "cves_open", "build_evidence", "note",
    )  # fmt: skip
    caption = texts("html.caption_versions", organisation=name)
    section.tables.append(rows.table("servers", columns, servers, caption, most=MOST, marked=marked))
    picture: Picture | None = None if brief else figures.builds(rows, servers[0]["organisation"], name)
    if picture:
        section.pictures.append(picture)
    return section


def calendar(rows: Rows, exposure: Row, name: str, id_: str) -> Section | None:
    """What happens when."""
    found = rows.of("calendar", exposure["organisation"])
    if not found:
        return None
    section = _section(rows, id_, "calendar")
    columns = ("earliest", "latest", "latest_if_paused", "days", "server", "what", "basis", "note")
    caption = rows.style.texts("html.caption_calendar", organisation=name)
    section.tables.append(rows.table("calendar", columns, found, caption, most=MOST, marked=marked))
    return section


def next_steps(
    rows: Rows, exposure: Row, servers: Sequence[Row], act_by: date | None, id_: str
) -> Section | None:
    """Commands to paste and texts to copy."""
    section = _section(rows, id_, "steps")
    section.steps.extend(steps.commands(rows, exposure, servers))
    section.drafts.extend(steps.drafts(rows, exposure, servers, act_by))
    return section if section.steps or section.drafts else None


def evidence(rows: Rows, exposure: Row, name: str, id_: str, *, brief: bool) -> Section | None:
    """What all of it rests on: the clock piece by piece, refusals line by line, and the logs themselves."""
    style, texts = rows.style, rows.style.texts
    organisation = exposure["organisation"]
    section = _section(rows, id_, "evidence")
    most = MOST_BRIEF if brief else MOST
    columns = (
        "server",
        "step",
        "time",
        "until",
        "source",
        "says",
        "earliest",
        "latest",
        "latest_if_paused",
        "carried",
        "lineage",
    )
    if found := rows.of("clock", organisation):
        caption = texts("html.caption_clock", organisation=name)
        section.tables.append(rows.table("clock", columns, found, caption, most=3 * most, marked=marked))
    columns = (
        "time", "server", "log_kind", "event", "action", "minutes_per_hour", "sender", "recipients", "reply",
        "source_file", "source_line",
    )  # fmt: skip
    reports = [("refusals", columns), *_MORE]
    for report, names in reports:
        sheet = rows.sheet(report)
        found = rows.of(report, organisation, most)
        if sheet and found:
            caption = texts("html.caption_of", title=style.title(sheet), organisation=name)
            count = rows.count(report, organisation)
            section.tables.append(rows.table(report, names, found, caption, most=most, count=count))
    return section if section.tables else None
