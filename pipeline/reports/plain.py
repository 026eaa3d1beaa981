"""A plain-text mail body of at most 76 columns: verdict, what to do by when, findings, key tables.

For mail that must pass any gateway; severity is said in words, nothing depends on colour or a fixed font but the tables.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from pipeline.reports.document import Document, Sheet, Style
from pipeline.reports.third_party import MARK, footnote, marked, third_party
from pipeline.reports.values import visible

WIDTH = 76
MOST_ROWS = 20
# what a mail needs of the set; no addresses: mail is forwarded, and whom to ask again stands in bounced_messages
_TABLES = (
    ("exposure", ("delayed_messages", "bounced_messages", "pending_messages", "handed_over_messages")),
    ("servers", ("server", "build_name", "accepted", "state", "stage")),
    ("servers", ("server", "next_stage", "next_stage_earliest", "full_block_earliest")),
    ("coverage", ("server", "log_kind", "gap", "command")),
)


def to_text(document: Document, style: Style) -> str:
    """The whole set as a mail, or one report as a table, or as a block a row where a table is too wide."""
    lines = list(_mail(document, style) if document.whole else _report(document, style))
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def _mail(document: Document, style: Style) -> Iterator[str]:
    exposure, findings = document.sheet("exposure"), document.sheet("findings")
    rows = exposure.records() if exposure else []
    found = findings.records() if findings else []
    yield from _heading((exposure and style.title(exposure)) or "tbes", "=")
    for line in document.standing(style):
        yield from _wrapped(line)
    if changes := document.sheet("changes"):
        yield ""
        yield from _heading(_changed_since(document, style), "-")
        yield from _changes(changes, style)
    if not rows:
        yield ""
        yield style.texts("text.nothing_of_it")
    for row in rows:
        yield from _organisation(
            document, style, row, [f for f in found if f["organisation"] == row["organisation"]]
        )
    yield from _third_party(document, style)
    yield ""
    yield style.texts("text.generated_by", version=document.version)


def _organisation(
    document: Document, style: Style, row: dict[str, Any], findings: list[dict[str, Any]]
) -> Iterator[str]:
    texts = style.texts
    name = visible(str(row["display_name"]))
    state = style.cell("exposure", "state", row["state"])
    yield ""
    yield from _heading(f"{name}: {state}", "=")
    yield from _wrapped(style.cell("exposure", "verdict", row["verdict"]))
    yield ""
    yield from _heading(texts("text.what_to_do"), "-")
    open_ = [finding for finding in findings if finding["acknowledged_on"] is None]
    yield from _to_do(style, row, open_)
    yield ""
    yield from _heading(texts("text.findings"), "-")
    for finding in open_:
        yield from _finding(style, finding)
    if not open_:
        yield texts("text.no_findings")
    if done := [finding for finding in findings if finding["acknowledged_on"] is not None]:
        yield ""
        yield from _heading(texts("text.acknowledged_findings"), "-")
        for finding in done:
            yield from _finding(style, finding)
            day, reason = texts.day(finding["acknowledged_on"]), visible(finding["acknowledged_reason"])
            yield from _wrapped(texts("text.acknowledged", day=day, reason=reason), "  ", "  ")
    shown = ""
    for report, columns in _TABLES:
        sheet = document.sheet(report)
        records = [r for r in sheet.records() if r["organisation"] == row["organisation"]] if sheet else []
        # a table without its last column would say nothing: no gap, no date
        records = [
            r for r in records if report == "exposure" or any(r[name] is not None for name in columns[1:])
        ]
        if report == "coverage":
            records = [r for r in records if r["gap"] is not None]
        if sheet and records:
            yield ""
            if report not in (shown, "exposure"):
                yield from _heading(style.title(sheet), "-")
            shown = report
            yield from _records(sheet, columns, records, style)


def _to_do(style: Style, row: dict[str, Any], findings: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The dated actions first, each once, then the first step of the verdict."""
    texts = style.texts
    first: dict[tuple[str, str], date | None] = {}
    marks: dict[tuple[str, str], bool] = {}
    for finding in findings:
        if finding["action"] and finding["severity"] != "note":
            key = (finding["server"] or "", style.cell("findings", "action", finding["action"]))
            day = finding["act_by"]
            kept = first.setdefault(key, None)
            if day is not None and (kept is None or day < kept):
                first[key], marks[key] = day, marked(finding, "act_by")
    yield from _wrapped(style.cell("exposure", "next_action", row["next_action"]))
    for (server, action), day in sorted(
        first.items(), key=lambda item: (item[1] is None, item[1] or date.max, item[0])
    ):
        when = texts("text.what_to_do_until", day=texts.day(day)) if day else texts("text.what_to_do_undated")
        if marks.get((server, action)):
            when += f" {MARK}"
        subject = f"{visible(server)}: " if server else ""
        yield from _wrapped(f"{subject}{action} ({when})", "* ", "  ")


def _finding(style: Style, finding: dict[str, Any]) -> Iterator[str]:
    severity = style.cell("findings", "severity", finding["severity"])
    server = visible(finding["server"] or style.texts("text.all_servers"))
    yield from _wrapped(
        f"[{severity}] {server}: {style.marked_cell('findings', 'finding', finding)}", "* ", "  "
    )
    if finding["action"] and finding["severity"] == "note":
        yield from _wrapped(style.cell("findings", "action", finding["action"]), "  -> ", "     ")


def _changed_since(document: Document, style: Style) -> str:
    moment = style.texts.moment(document.changed_since) if document.changed_since else ""
    return style.texts("text.changes", moment=moment)


def _changes(sheet: Sheet, style: Style) -> Iterator[str]:
    for change in sheet.records():
        words = ("change", "severity", "severity_before", "finding")
        cells = {name: style.marked_cell("changes", name, change) for name in words}
        severity = cells["severity"] or cells["severity_before"]
        subject = visible(" ".join(filter(None, (change["organisation"], change["server"]))))
        yield from _wrapped(f"[{cells['change']}, {severity}] {subject}: {cells['finding']}", "* ", "  ")
    if not sheet.result.rows:
        yield style.texts("text.no_changes")


def _report(document: Document, style: Style) -> Iterator[str]:
    for sheet in document.sheets:
        yield from _heading(style.title(sheet), "=")
        yield ""
        columns = [name for name in sheet.result.columns if any(r[name] is not None for r in sheet.records())]
        if columns:
            yield from _records(sheet, columns, sheet.records(), style, most=None)
        else:
            yield style.texts("text.no_rows", title=style.title(sheet))
    yield ""
    for line in document.standing(style):
        yield from _wrapped(line)
    yield from _third_party(document, style)


def _third_party(document: Document, style: Style) -> Iterator[str]:
    """What the mark beside a date means, where there is one."""
    if any(sheet.is_marked for sheet in document.sheets):
        yield ""
        yield from _wrapped(footnote(style.texts, third_party(document.session)))


def _records(
    sheet: Sheet,
    columns: Sequence[str],
    records: Sequence[dict[str, Any]],
    style: Style,
    most: int | None = MOST_ROWS,
) -> Iterator[str]:
    """A table where it fits the width, else a block a row."""
    shown = records if most is None else records[:most]
    headings = [style.texts.column(name) for name in columns]
    cells = [[style.marked_cell(sheet.name, name, record) for name in columns] for record in shown]
    widths = [max(len(row[i]) for row in [headings, *cells]) for i in range(len(columns))]
    if sum(widths) + 2 * (len(widths) - 1) <= WIDTH:
        for row in [headings, ["-" * width for width in widths], *cells]:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    else:
        for number, row in enumerate(cells):
            if number and len(columns) > 1:
                yield ""
            for heading, cell in zip(headings, row, strict=True):
                if cell:
                    yield from _wrapped(f"{heading}: {cell}", "", "    ")
    if len(shown) < len(records):
        yield f"... {len(shown)} / {len(records)} (tbes report {sheet.name})"


def _heading(text: str, line: str) -> Iterator[str]:
    wrapped = list(_wrapped(text))
    yield from wrapped
    yield line * min(WIDTH, max(map(len, wrapped)))


def _wrapped(text: str, first: str = "", later: str = "") -> Iterable[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    ) or [first.rstrip()]
