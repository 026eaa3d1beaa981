"""What can be done at once: commands to paste, the text of a change request, and that of a notice to users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from pipeline.reports.html.cells import Row, Rows
from pipeline.reports.html.figures import between
from pipeline.reports.html.model import Draft, Step
from pipeline.reports.html.powershell import quoted
from pipeline.reports.values import visible

_SCENARIO = "-BlockingScenario UnpatchedOnPremServer"
_PAUSE_DAYS = 14
MOST_CONNECTORS = 20
_OUT_OF_DATE = ("below the floor", "no build is accepted")


def commands(rows: Rows, exposure: Row, servers: Sequence[Row]) -> list[Step]:
    """The commands that this organisation's next steps need, with its own names in them."""
    organisation = exposure["organisation"]
    found = [*_builds(rows, servers), *_logging(rows, organisation)]
    if any(server["basis"] or server["refusals"] for server in servers) or exposure["refusals"]:
        found = [*_pause(rows, organisation), _report(rows, exposure), *found]
    elif exposure["handed_over_messages"]:
        found.append(_report(rows, exposure))
    if exposure["pending_messages"]:
        found.append(_step(rows, "queues", "shell", _queues(servers)))
    return found


def _step(rows: Rows, key: str, where: str, command: str, **values: Any) -> Step:
    texts = rows.style.texts
    return Step(
        texts(f"html.step_{key}"),
        texts(f"html.step_{key}_why", **values),
        texts(f"html.in_{where}"),
        command,
    )


def _report(rows: Rows, exposure: Row) -> Step:
    lines = [
        "Get-OnPremServerReportInfo | Format-List | Out-File -Encoding utf8 report.txt",
        f"tbes import-report report.txt --organisation {exposure['organisation']}",
    ]
    return _step(rows, "report", "online", "\n".join(lines))


def _pause(rows: Rows, organisation: str) -> Iterator[Step]:
    plans = rows.of("pause_planner", organisation)
    left = next((plan["left_this_year"] for plan in plans if plan["left_this_year"] is not None), None)
    days = max(1, min(_PAUSE_DAYS, left if left is not None else _PAUSE_DAYS))
    # two blocks: whoever pastes the first one must not have begun a pause
    yield _step(rows, "paused", "online", f"Get-TenantExemptionInfo {_SCENARIO}")
    command = f"New-TenantExemptionInfo {_SCENARIO} -NumberOfDays {days}"
    yield _step(rows, "pause", "online", command, left="?" if left is None else left)


def _logging(rows: Rows, organisation: str) -> Iterator[Step]:
    """Send logging: on the connectors whose logs are missing, else on all that lead to Exchange Online."""
    gaps = [
        row["connector"]
        for row in rows.of("coverage", organisation)
        if row["gap"] and row["log_kind"] == "smtp-send" and "SendConnector" in (row["command"] or "")
    ]
    leading = [row["connector"] for row in rows.of("hand_overs", organisation) if row["in_scope"] == "yes"]
    names = list(dict.fromkeys(gaps or [name for name in leading if name is not None]))
    if not names:
        return
    redactor = rows.style.redactor
    lines = ["Get-SendConnector | Format-Table Name,ProtocolLoggingLevel,Enabled"]
    for name in names[:MOST_CONNECTORS]:
        if name is None:
            lines.append("Get-SendConnector | Set-SendConnector -ProtocolLoggingLevel Verbose")
        else:
            shown = redactor.text(name) if redactor else name
            lines.append(f"Set-SendConnector {quoted(shown)} -ProtocolLoggingLevel Verbose")
    step = _step(rows, "logging" if gaps else "logging_kept", "shell", "\n".join(lines))
    yield replace(step, why=" ".join([step.why, *_send_logs(rows, organisation)]))


def _send_logs(rows: Rows, organisation: str) -> Iterator[str]:
    """From which servers Send logs were there, for a part of the time or not at all: a connector has several servers."""
    texts = rows.style.texts
    hours: dict[str, tuple[int, int]] = {}
    for row in rows.of("coverage", organisation):
        if row["log_kind"] == "smtp-send" and row["server"]:
            there, missing = hours.get(row["server"], (0, 0))
            hours[row["server"]] = (there + row["hours_covered"], missing + row["hours_missing"])
    named: dict[str, list[str]] = {"there": [], "partly": [], "none": []}
    for server, (there, missing) in hours.items():
        named["none" if not there else "partly" if missing else "there"].append(visible(server))
    for key, names in named.items():
        if names:
            more = f", +{len(names) - MOST_CONNECTORS}" if len(names) > MOST_CONNECTORS else ""
            yield texts(f"html.send_logs_{key}", servers=", ".join(names[:MOST_CONNECTORS]) + more)


def _builds(rows: Rows, servers: Sequence[Row]) -> Iterator[Step]:
    doubtful = [s for s in servers if s["build_risk"] != "accepted today" or s["interleaved"]]
    if not doubtful:
        return
    lines = ["Get-ExchangeServer | Format-List Name,AdminDisplayVersion"]
    lines += [
        f"Invoke-Command -ComputerName {quoted(server['server'])} -ScriptBlock "
        "{ Get-Command ExSetup.exe | ForEach-Object { $_.FileVersionInfo.FileVersion } }"
        for server in doubtful[:MOST_CONNECTORS]
    ]
    yield _step(rows, "build", "shell", "\n".join(lines))


def _queues(servers: Sequence[Row]) -> str:
    named = [server for server in servers if server["refusals"]] or list(servers)
    return "\n".join(
        f"Get-Queue -Server {quoted(server['server'])} | Format-Table Identity,Status,MessageCount,NextHopDomain,LastError"
        for server in named[:MOST_CONNECTORS]
    )


def drafts(rows: Rows, exposure: Row, servers: Sequence[Row], act_by: date | None) -> list[Draft]:
    """A change request where a server is out of date, a notice where mail came late or not at all."""
    texts = rows.style.texts
    found = []
    old = [server for server in servers if server["accepted"] in _OUT_OF_DATE]
    if old:
        text = "\n".join(_change_request(rows, exposure, old, act_by))
        found.append(Draft(texts("html.change_request"), texts("html.change_request_for"), text))
    if exposure["delayed_messages"] or exposure["bounced_messages"]:
        text = "\n".join(_notice(rows, exposure))
        found.append(Draft(texts("html.notice"), texts("html.notice_for"), text))
    return found


def _change_request(rows: Rows, exposure: Row, old: Sequence[Row], act_by: date | None) -> Iterator[str]:
    style, texts, as_of = rows.style, rows.style.texts, rows.document.as_of
    yield texts("html.cr_title", names=", ".join(visible(server["server"]) for server in old))
    yield ""
    yield texts("html.cr_what")
    for server in old:
        now = visible(server["build_name"] or server["build"] or server["generation"] or "?")
        key = "html.cr_move" if server["accepted"] == "no build is accepted" else "html.cr_update"
        yield "- " + texts(
            key, server=visible(server["server"]), now=now, build=server["newest_build"] or "?"
        )
    yield ""
    yield texts("html.cr_why")
    yield style.cell("exposure", "verdict", exposure["verdict"])
    yield ""
    yield texts("html.cr_when", day=texts.day(act_by) if act_by else texts("text.what_to_do_undated"))
    for server in old:
        if server["full_block_earliest"] is not None or server["full_block_latest"] is not None:
            when = between(style, server["full_block_earliest"], server["full_block_latest"], as_of)
            yield f"- {visible(server['server'])}: {texts('html.full_block_is')} {when}."
    yield ""
    yield texts("html.cr_otherwise")
    for sentence in dict.fromkeys(_otherwise(rows, exposure["organisation"], old)):
        yield f"- {sentence}"
    yield ""
    yield texts("html.cr_fallback")
    yield ""
    yield texts("html.cr_check")


def _otherwise(rows: Rows, organisation: str, old: Sequence[Row]) -> Iterator[str]:
    """What the next stage does to the mail of each server, by the report `impact`."""
    texts = rows.style.texts
    names = {server["server"] for server in old}
    seen: set[str] = set()
    for row in rows.of("impact", organisation):
        if row["server"] in names and row["server"] not in seen and row["stage_is"] in ("present", "next"):
            seen.add(row["server"])
            yield texts(
                "html.cr_impact",
                server=visible(row["server"]),
                stage=row["stage"],
                delayed=rows.text("impact", "delayed_per_day_expected", row["delayed_per_day_expected"]),
                bounced=rows.text("impact", "bounced_per_day_expected", row["bounced_per_day_expected"]),
            )
    yield texts("html.cr_grows")


def _notice(rows: Rows, exposure: Row) -> Iterator[str]:
    texts = rows.style.texts
    first, last = exposure["first_refusal"], exposure["last_refusal"]

    def day(moment: datetime | None) -> str:
        return texts.day(moment.date()) if moment else "?"

    yield texts("html.notice_subject")
    yield ""
    key = "html.notice_what" if exposure["bounced_messages"] else "html.notice_what_late"
    yield texts(key, first=day(first), last=day(last))
    if exposure["delayed_messages"]:
        longest = exposure["longest_delay_seconds"]
        yield texts("html.notice_delayed", minutes="?" if longest is None else max(1, round(longest / 60)))
    if exposure["bounced_messages"]:
        yield texts("html.notice_bounced", count=exposure["bounced_messages"])
        yield texts("html.notice_devices")
    yield ""
    yield texts("html.notice_end")
