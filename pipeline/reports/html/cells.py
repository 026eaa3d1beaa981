"""Tables of finished cells out of the rows of reports, for one organisation or all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pipeline.reports.document import Document, Sheet, Style
from pipeline.reports.html.model import Cell, Table

Row = Mapping[str, Any]
LEVELS = {
    "critical": "critical",
    "warning": "warning",
    "note": "note",
    "fully blocked": "critical",
    "partly blocked": "critical",
    "delayed": "warning",
    "recovered since": "note",
    "accepted": "good",
    "not connecting": "note",
    "no hand-over in the window": "note",
    "not visible here": "note",
    "no build is accepted": "critical",
    "below the floor": "warning",
    "accepted today, refused after the next raise": "warning",
    "floor not public": "note",
    "build unknown": "note",
    "accepted today": "good",
}
"""The severity of states and risks, by the words that the reports have for them."""
_LEVELLED = {"severity", "severity_before", "state", "build_risk"}
_CODE = {
    "build",
    "baseline_build",
    "newest_build",
    "source_file",
    "path",
    "lineage",
    "finding_key",
    "message_id",
}
# of rows of evidence, where the second matters
_EXACT = {"refusals", "clock", "quarantine"}


@dataclass(slots=True)
class Rows:
    """The rows of a document's reports by organisation. Rows become records only where they are asked for."""

    document: Document
    style: Style
    _groups: dict[str, dict[str, list[tuple[Any, ...]]]] = field(default_factory=dict)

    def sheet(self, report: str) -> Sheet | None:
        """The report, if the document has it."""
        return self.document.sheet(report)

    def count(self, report: str, organisation: str) -> int:
        """How many rows of the report are this organisation's."""
        return len(self._rows(report, organisation))

    def of(self, report: str, organisation: str, most: int | None = None) -> list[dict[str, Any]]:
        """The first rows of a report that are this organisation's."""
        sheet = self.sheet(report)
        if sheet is None:
            return []
        names = sheet.result.columns
        return [dict(zip(names, row, strict=True)) for row in self._rows(report, organisation)[:most]]

    def _rows(self, report: str, organisation: str) -> list[tuple[Any, ...]]:
        if report not in self._groups:
            groups: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
            sheet = self.sheet(report)
            if sheet is not None:
                at = sheet.result.columns.index("organisation")
                for row in sheet.result.rows:
                    groups[row[at]].append(row)
            self._groups[report] = dict(groups)
        return self._groups[report].get(organisation, [])

    def table(
        self,
        report: str,
        columns: Sequence[str],
        records: Sequence[Row],
        caption: str,
        *,
        most: int,
        count: int | None = None,
        marked: Callable[[Row, str], bool] = lambda row, column: False,
        below: Mapping[str, str] | None = None,
    ) -> Table:
        """The first `most` records; the note says how many are left. `below` names a column to stand under another's cells.

        Columns that are empty in all records shown are left out.
        """
        shown = list(records[:most])
        below = below or {}
        names = [name for name in columns if any(record[name] not in (None, "") for record in shown)]
        rows = [
            [self.cell(report, name, record, marked, below.get(name)) for name in names] for record in shown
        ]
        total = len(records) if count is None else count
        return Table(
            caption,
            [self.style.texts.column(name) for name in names],
            rows,
            self.left_out(report, len(shown), total),
        )

    def cell(
        self,
        report: str,
        name: str,
        record: Row,
        marked: Callable[[Row, str], bool] = lambda row, column: False,
        below: str | None = None,
    ) -> Cell:
        """One cell of a record; `below` is the column that stands smaller under it."""
        value = record[name]
        text = self.text(report, name, value)
        return Cell(
            text,
            numeric=isinstance(value, int | float) and not isinstance(value, bool),
            level=LEVELS.get(str(value), "") if name in _LEVELLED else "",
            mark=bool(text) and marked(record, name),
            code=name in _CODE,
            below=self.text(report, below, record[below]) if below else "",
        )

    def text(self, report: str, name: str, value: Any) -> str:
        """A value in words: moments to the minute unless the report is evidence."""
        if isinstance(value, datetime) and report not in _EXACT:
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        return self.style.cell(report, name, value)

    def left_out(self, report: str, shown: int, total: int) -> str:
        """The sentence below a table that does not show everything."""
        if shown >= total:
            return ""
        return self.style.texts("html.left_out", shown=shown, total=total, left=total - shown, report=report)


def made_table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "") -> Table:
    """A table of values that no report has as they stand: numbers right-aligned, days in ISO form."""
    return Table(caption, list(headings), [[_made(value) for value in row] for row in rows], note)


def _made(value: Any) -> Cell:
    if isinstance(value, Cell):
        return value
    if isinstance(value, datetime):
        return Cell(value.astimezone(UTC).strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, date):
        return Cell(value.isoformat())
    if value is None:
        return Cell("")
    return Cell(str(value), numeric=isinstance(value, int | float))
