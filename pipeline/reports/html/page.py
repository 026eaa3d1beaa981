"""The page out of a document: chapters worst first, what changed, whose logs stopped arriving, notes."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.reports.document import Document, Style
from pipeline.reports.html import figures
from pipeline.reports.html.cells import Rows
from pipeline.reports.html.chapter import chapter
from pipeline.reports.html.frame import Frame
from pipeline.reports.html.model import Chapter, Coming, Fact, Page, State, Table, Todo
from pipeline.reports.third_party import ThirdParty, footnote, marked, third_party

BRIEF_FROM = 8
"""So many organisations, and each has fewer rows and pictures: the file must stay one that can be mailed."""
MANY_FROM = 30
"""So many, and each is folded to what is to be done: a browser must open the file in the time of a click."""
MOST_ROWS = 2000
MOST_CHANGES = 200
_STOPPED = ("logs-ended", "logs-behind", "logs-stopped")


def page(document: Document, style: Style) -> Page:
    """What the template draws."""
    texts = style.texts
    rows = Rows(document, style)
    exposure = document.sheet("exposure")
    marks = third_party(document.session)
    chapters, loose, empty = [], [], ""
    if document.whole and exposure is not None:
        records = exposure.records()
        frame = Frame(
            rows,
            figures.read(document.session),
            marks,
            len(records) >= BRIEF_FROM,
            len(records) >= MANY_FROM,
        )
        chapters = [chapter(frame, record) for record in records]
        empty = "" if records else texts("text.nothing_of_it")
        name = chapters[0].name if len(chapters) == 1 else ""
        title = (
            texts("html.title_of", organisation=name)
            if name
            else texts("html.title_all", count=len(chapters))
        )
    else:
        loose = [
            rows.table(
                sheet.name,
                sheet.result.columns,
                sheet.records(),
                style.title(sheet),
                most=MOST_ROWS,
                marked=marked,
            )
            for sheet in document.sheets
        ]
        title = style.title(document.sheets[0])
    many = len(chapters) >= MANY_FROM
    return Page(
        texts.language,
        title,
        document.standing(style),
        chapters,
        _states(chapters) if many else [],
        sorted(chapters, key=lambda one: one.name.casefold()) if many else [],
        _stopped(rows) if document.whole else None,
        _changes(rows) if document.whole else None,
        loose,
        empty,
        _notes(style, marks if _any_marked(chapters, loose) else None),
        texts("text.generated_by", version=document.version),
    )


def _states(chapters: list[Chapter]) -> list[State]:
    """How many organisations there are of each pair of states, worst first, and the first of each."""
    found: dict[tuple[str, ...], list[Chapter]] = {}
    for one in chapters:
        found.setdefault(tuple(badge.text for badge in one.badges), []).append(one)
    return [State(of[0].badges, len(of), of[0].id) for of in found.values()]


def _stopped(rows: Rows) -> Table | None:
    """Organisations and servers whose logs no longer arrive."""
    findings = rows.sheet("findings")
    if findings is None:
        return None
    records = [r for r in findings.records() if r["finding_key"].rsplit("/", 1)[-1] in _STOPPED]
    if not records:
        return None
    columns = ("organisation", "server", "since", "finding", "action", "acknowledged_on")
    return rows.table("findings", columns, records, rows.style.texts("html.stopped"), most=MOST_CHANGES)


def _changes(rows: Rows) -> Table | None:
    sheet = rows.sheet("changes")
    if sheet is None:
        return None
    since = rows.document.changed_since
    moment = rows.style.texts.moment(since) if since else ""
    columns = (
        "change",
        "severity",
        "severity_before",
        "organisation",
        "server",
        "finding",
        "action",
        "act_by",
    )
    caption = rows.style.texts("text.changes", moment=moment)
    return rows.table("changes", columns, sheet.records(), caption, most=MOST_CHANGES, marked=marked)


def _any_marked(chapters: Sequence[Chapter], loose: Sequence[Table]) -> bool:
    """Whether any date is marked as resting on one third-party source: a footnote to no mark is a riddle."""
    tables = list(loose)
    for one in chapters:
        said: list[Fact | Todo | Coming] = [*one.facts, *one.todo, *one.coming]
        if any(one_said.mark for one_said in said):
            return True
        for section in one.sections:
            tables += [*section.tables, *(picture.table for picture in section.pictures)]
    return any(cell.mark for table in tables for row in table.rows for cell in row)


def _notes(style: Style, marks: ThirdParty | None) -> list[str]:
    texts = style.texts
    notes = []
    if marks is not None and marks.urls:
        notes.append(footnote(texts, marks))
    notes.append(texts("html.redacted" if style.redactor else "html.not_redacted"))
    return notes
