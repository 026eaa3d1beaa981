"""The pictures of an organisation: rows of the session as values for `charts`, words and a table of the numbers.

Times are drawn in UTC, as all times of the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipeline.reports.document import Style
from pipeline.reports.html import charts
from pipeline.reports.html.cells import Row, Rows, made_table
from pipeline.reports.html.model import Cell, Picture
from pipeline.reports.third_party import ThirdParty
from pipeline.reports.values import visible
from pipeline.sql import Session

MOST_DAYS = 28
MOST_BUILDS = 72
_MOST_ROWS = 60


@dataclass(slots=True)
class Data:
    """What pictures need and no report has, read once for the whole document."""

    stages: list[dict[str, Any]]
    dates: dict[tuple[str, str], dict[int, dict[str, Any]]] = field(default_factory=dict)
    pauses: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    hours: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    minutes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def read(session: Session) -> Data:
    """Stages, their dates by server, known pauses, refusals by hour and by minute."""
    data = Data(_records(session, "select * from current_stages order by stage"))
    for row in _records(
        session,
        "select organisation, server, stage, basis, to_timestamp(earliest) as earliest, to_timestamp(latest) as latest, "
        "to_timestamp(latest_if_paused) as latest_if_paused from stage_dates where server <> '' order by stage",
    ):
        data.dates.setdefault((row["organisation"], row["server"]), {})[row["stage"]] = row
    for row in _records(
        session, "select organisation, pause_from, pause_to from known_pauses order by pause_from"
    ):
        data.pauses.setdefault(row["organisation"], []).append((row["pause_from"], row["pause_to"]))
    for row in _records(
        session,
        "select organisation, cast(time as date) as day, hour(time) as hour, "
        "count(case when not permanent then 1 end) as throttled, count(case when permanent then 1 end) as blocked "
        "from refusal_events where not quoted_only group by organisation, cast(time as date), hour(time)",
    ):
        data.hours.setdefault(row["organisation"], []).append(row)
    for row in _records(
        session,
        "select distinct organisation, coalesce(server, '?') as server, cast(time as date) as day, "
        "minute(time) as minute, case when permanent then 'block' else 'throttle' end as action "
        "from refusal_events where not quoted_only order by organisation, server, day, minute, action",
    ):
        data.minutes.setdefault(row["organisation"], []).append(row)
    return data


def ladder(
    rows: Rows, data: Data, server: Row, marks: ThirdParty, name: Callable[[str], str]
) -> Picture | None:
    """The stages of a server over the calendar; None for a server without a clock."""
    style, texts = rows.style, rows.style.texts
    dates = data.dates.get((server["organisation"], server["server"]))
    if not dates or not data.stages:
        return None
    first = data.stages[0]["stage"]
    steps, cells = [], []
    for stage in data.stages:
        number = stage["stage"]
        row = dates.get(number, {})
        begin, end = (
            (server["first_detected_earliest"], server["first_detected_latest"])
            if number == first
            else (row.get("earliest"), row.get("latest"))
        )
        label = stage_label(style, stage)
        steps.append({"stage": number, "label": label, "earliest": _naive(begin), "latest": _naive(end)})
        mark = marks.stage(number, server["stage"])
        moments = (begin, end, None if number == first else row.get("latest_if_paused"))
        cells.append([label, *(Cell(_day(moment), mark=mark and moment is not None) for moment in moments)])
    title = texts("html.ladder", server=name(server["server"]))
    headings = [
        texts(f"html.{key}") for key in ("stage", "begins_earliest", "begins_latest", "begins_if_paused")
    ]
    as_of = rows.document.as_of
    present = (server["stage_earliest"], server["stage_latest"])
    svg = charts.ladder(
        steps,
        as_of.astimezone(UTC).replace(tzinfo=None),
        data.pauses.get(server["organisation"], []),
        present,
        charts.chart_words(texts),
    )
    return Picture(
        title,
        ladder_words(style, server, as_of, rows.of("exposure", server["organisation"])),
        svg,
        made_table(title, headings, cells),
    )


def ladder_words(style: Style, server: Row, as_of: datetime, exposure: Sequence[Row] = ()) -> str:
    """Where a server stands, in sentences. `exposure` is the row of its organisation, which tells whether its logs are old."""
    texts = style.texts
    earliest, latest = server["stage_earliest"], server["stage_latest"]
    said = []
    if earliest is not None and latest is not None:
        key = "html.in_stage" if earliest == latest else "html.in_stages"
        said.append(texts(key, day=texts.day(as_of.date()), first=earliest, last=latest))
    for what, begin, end in (
        (texts("html.next_stage_is", stage=server["next_stage"]), "next_stage_earliest", "next_stage_latest"),
        (texts("html.full_block_is"), "full_block_earliest", "full_block_latest"),
    ):
        if server[begin] is not None or server[end] is not None:
            when = between(style, server[begin], server[end], as_of)
            said.append(f"{what} {unless_since(style, when, *exposure)}.")
    if server["basis"] == "predicted":
        said.append(texts("html.is_predicted"))
    return " ".join(said)


def unless_since(style: Style, when: str, *exposure: Row) -> str:
    """The clause of a date, with its condition where the logs of the organisation are old: an update since is not in them."""
    old = any(row["stale"] and row["logs_to"] for row in exposure)
    return style.texts("html.unless_since", when=when) if old else when


def between(style: Style, earliest: datetime | None, latest: datetime | None, as_of: datetime) -> str:
    """Two bounds as a clause: between ... and ..., from ... on, by ...; a bound that has passed is any day now."""
    texts = style.texts
    days = {
        name: texts.day(moment.date()) if moment else ""
        for name, moment in (("earliest", earliest), ("latest", latest))
    }
    if latest is not None and latest <= as_of:
        return texts("html.began_by", **days)
    if earliest is not None and earliest <= as_of:
        return texts("html.any_day" if latest is None else "html.any_day_by", **days)
    if earliest is None:
        return texts("html.by_day", **days)
    return texts("html.from_day" if latest is None else "html.between_days", **days)


def stage_label(style: Style, stage: Row) -> str:
    """A stage with its minutes: 5: 30 min/h throttled, 5 blocked."""
    throttle, block = stage["throttle_minutes_per_hour"], stage["block_minutes_per_hour"]
    if not throttle and not block:
        kind = "report_only" if throttle == 0 and block == 0 else "unknown"
    elif not block:
        kind = "throttles"
    else:
        kind = "throttles_and_blocks" if throttle else "blocks"
    return style.texts(f"html.stage_{kind}", stage=stage["stage"], throttle=throttle, block=block)


def hours(rows: Rows, data: Data, organisation: str, name: str) -> Picture | None:
    """Refusals by day and hour; None where nothing was refused."""
    texts = rows.style.texts
    refused = data.hours.get(organisation)
    if not refused:
        return None
    cells: dict[tuple[str, int], dict[str, Any]] = {}
    last = max(row["day"] for row in refused)
    for row in refused:
        cells[(row["day"].isoformat(), row["hour"])] = {**_hour(row), "accepted": False}
    for hand_over in rows.of("hand_overs", organisation):
        moment = hand_over["hour"].astimezone(UTC)
        last = max(last, moment.date())
        if hand_over["messages"] and hand_over["in_scope"] != "no":
            key = (moment.date().isoformat(), moment.hour)
            empty = {"day": key[0], "hour": key[1], "throttled": 0, "blocked": 0}
            cells.setdefault(key, empty | {"accepted": True})["accepted"] = True
    first = (last - timedelta(days=MOST_DAYS - 1)).isoformat()
    shown = [cell for key, cell in sorted(cells.items()) if key[0] >= first]
    told = [cell for cell in shown if cell["throttled"] or cell["blocked"]]
    throttled, blocked = (sum(row[kind] for row in refused) for kind in ("throttled", "blocked"))
    title = texts("html.hours", organisation=name)
    words = texts(
        "html.hours_words", throttled=throttled, blocked=blocked, days=len({r["day"] for r in refused})
    )
    if len({key[0] for key in cells}) > len({cell["day"] for cell in shown}):
        words += " " + texts("html.last_days", days=MOST_DAYS)
    headings = [
        texts(f"html.{key}") for key in ("day", "hour_of_day", "throttled", "blocked", "accepted_too")
    ]
    numbers = [
        [
            c["day"],
            f"{c['hour']:02}",
            c["throttled"],
            c["blocked"],
            texts("text.yes" if c["accepted"] else "text.no"),
        ]
        for c in told[-_MOST_ROWS:]
    ]
    note = rows.left_out("refusals", len(numbers), len(told))
    svg = charts.hours(shown, texts("html.hour_axis"), charts.chart_words(texts))
    return Picture(title, words, svg, made_table(title, headings, numbers, note))


def minutes(rows: Rows, data: Data, organisation: str, name: str) -> Picture | None:
    """Refusals by minute of the hour; None where nothing was refused."""
    style, texts = rows.style, rows.style.texts
    refused = data.minutes.get(organisation)
    if not refused:
        return None
    # of a server with many days, the latest
    by_row: dict[tuple[Any, str], list[dict[str, Any]]] = defaultdict(list)
    for row in refused:
        by_row[(row["day"], row["server"])].append(row)
    keys = sorted(by_row)[-MOST_DAYS:]
    points = [
        {"row": f"{visible(server)} {day.isoformat()}", "minute": row["minute"], "action": row["action"]}
        for day, server in sorted(keys, key=lambda key: (key[1], key[0]))
        for row in by_row[(day, server)]
    ]
    title = texts("html.minutes", organisation=name)
    windows = rows.of("refusal_windows", organisation)
    looks = sorted({style.cell("refusal_windows", "looks", window["looks"]) for window in windows})
    words = texts("html.minutes_words", looks=", ".join(looks) or "-")
    columns = (
        "server",
        "day",
        "action",
        "minutes_per_hour",
        "refusals",
        "first_minute",
        "last_minute",
        "looks",
    )
    table = rows.table("refusal_windows", columns, windows, title, most=_MOST_ROWS)
    return Picture(
        title, words, charts.minutes(points, texts("html.minute_axis"), charts.chart_words(texts)), table
    )


def builds(rows: Rows, organisation: str, name: str) -> Picture | None:
    """Builds of the servers over time; None where no build is known."""
    texts = rows.style.texts
    known = [row for row in rows.of("server_builds", organisation) if row["build"] and row["first_seen"]]
    if not known:
        return None
    known.sort(key=lambda row: (row["server"] or "", row["first_seen"], row["build"]))
    spans = [
        {
            "server": visible(row["server"] or "?"),
            "build": row["build_name"] or row["build"],
            "from": _naive(row["first_seen"]),
            "to": _naive(row["last_seen"]),
        }
        for row in known[:MOST_BUILDS]
    ]
    title = texts("html.builds", organisation=name)
    # a build that was away comes back in a row of its own
    seen: dict[str | None, set[str]] = defaultdict(set)
    for row in known:
        seen[row["server"]].add(row["build"])
    changed = {server for server, found in seen.items() if len(found) > 1}
    words = (
        texts(
            "html.builds_changed",
            servers=", ".join(visible(server or "?") for server in sorted(changed, key=str)),
        )
        if changed
        else texts("html.builds_same")
    )
    columns = ("server", "build", "build_name", "first_seen", "last_seen", "evidence", "strength")
    table = rows.table("server_builds", columns, known, title, most=MOST_BUILDS)
    return Picture(title, words, charts.builds(spans), table)


def at_risk(rows: Rows, organisation: str, name: str) -> Picture | None:
    """Messages a day and what was refused of them; None where nothing was handed over."""
    texts = rows.style.texts
    days: dict[str, dict[str, int]] = defaultdict(lambda: {"delayed": 0, "bounced": 0, "handed_over": 0})
    for row in rows.of("hand_overs", organisation):
        if row["in_scope"] == "yes" and row["messages"]:
            days[row["hour"].date().isoformat()]["handed_over"] += row["messages"]
    in_time = {day: counts["handed_over"] for day, counts in days.items()}
    for row in rows.of("delayed_messages", organisation):
        if row["outcome"] == "bounced":
            continue
        if row["outcome"] == "accepted":
            # it stands among the accepted of the day on which it came through
            then = row["outcome_time"].date().isoformat()
            in_time[then] = max(0, in_time.get(then, 0) - 1)
        days[row["first_refused"].date().isoformat()]["delayed"] += 1
    for row in rows.of("bounced_messages", organisation):
        days[row["bounced_time"].date().isoformat()]["bounced"] += 1
    counted = [
        (day, in_time.get(day, 0), counts["delayed"], counts["bounced"])
        for day, counts in sorted(days.items())
        if any(counts.values())
    ]
    if not counted:
        return None
    cut = counted[-2 * MOST_DAYS :]
    title = texts("html.at_risk", organisation=name)
    delayed, bounced = sum(row[2] for row in counted), sum(row[3] for row in counted)
    all_of_them = sum(in_time + late + lost for _, in_time, late, lost in counted)
    words = texts(
        "html.at_risk_words", days=len(counted), delayed=delayed, bounced=bounced, handed_over=all_of_them
    )
    headings = [texts(f"html.{key}") for key in ("day", "messages", "delayed", "bounced", "in_time")]
    numbers = [[day, good + late + lost, late, lost, good] for day, good, late, lost in cut]
    drawn = [
        {"day": day, "delayed": late, "bounced": lost, "handed_over": good + late + lost}
        for day, good, late, lost in cut
    ]
    note = rows.left_out("hand_overs", len(cut), len(counted))
    return Picture(
        title,
        words,
        charts.at_risk(drawn, charts.chart_words(texts)),
        made_table(title, headings, numbers, note),
    )


def _records(session: Session, sql: str) -> list[dict[str, Any]]:
    result = session.query(sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _hour(row: Row) -> dict[str, Any]:
    return {
        "day": row["day"].isoformat(),
        "hour": int(row["hour"]),
        "throttled": row["throttled"],
        "blocked": row["blocked"],
    }


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _day(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""
