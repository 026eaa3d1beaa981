"""What is written: one report or the whole set, with what must be said beside the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from pipeline.i18n import Texts
from pipeline.i18n.columns import is_prose, is_translated
from pipeline.reports.third_party import COLUMN, MARK, marked
from pipeline.reports.values import shown, visible

if TYPE_CHECKING:
    from pipeline.reports.redact import Redactor
    from pipeline.sql import Result, Session


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one report. `meanings` says what each column is, `first` and `below` how a terminal shows them."""

    name: str
    title: str
    result: Result
    meanings: dict[str, str]
    first: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Rows by column name, values as they are."""
        return [dict(zip(self.result.columns, row, strict=True)) for row in self.result.rows]

    @property
    def is_marked(self) -> bool:
        """Whether a date in it rests on one third-party source."""
        columns = self.result.columns
        return COLUMN in columns and any(row[columns.index(COLUMN)] for row in self.result.rows)


@dataclass(frozen=True, slots=True)
class Style:
    """How a document is put into words.

    `prose` tells whether the sentences of formats for programs (CSV, JSON, Parquet) are translated too: only where a
    language was asked for, so that a file does not depend on the locale of the machine that wrote it. `redactor` takes
    out of cells for people what is not to be mailed around; None leaves all of it.
    """

    texts: Texts
    zone: tzinfo = UTC
    zone_name: str = "UTC"
    raw: bool = False
    prose: bool = False
    redactor: Redactor | None = None

    def cell(self, report: str, column: str, value: Any) -> str:
        """A cell for people: translated, in their zone, with nothing invisible in it."""
        if isinstance(value, str) and is_translated(report, column):
            value = self.texts.translate(value)
        words = ("", "") if isinstance(value, str) else (self.texts("text.yes"), self.texts("text.no"))
        text = shown(value, self.zone, *words)
        if self.redactor is not None and isinstance(value, str | list | tuple):
            text = self.redactor.cell(column, text)
        return visible(text)

    def marked_cell(self, report: str, column: str, record: Mapping[str, Any]) -> str:
        """The same for a cell of a record, with the mark of a date that rests on one third-party source."""
        text = self.cell(report, column, record[column])
        return f"{text} {MARK}" if text and marked(record, column) else text

    def title(self, sheet: Sheet) -> str:
        """The title of a report."""
        return self.texts.title(sheet.name, sheet.title)

    def for_programs(self, sheet: Sheet) -> Result:
        """The rows for CSV, JSON and Parquet: as they are, but for sentences where a language was asked for."""
        result = sheet.result
        chosen = [i for i, name in enumerate(result.columns) if is_prose(sheet.name, name)]
        if not self.prose or self.texts.language == "en" or not chosen:
            return result
        rows = []
        for row in result.rows:
            cells = list(row)
            for i in chosen:
                if isinstance(cells[i], str):
                    cells[i] = self.texts.translate(cells[i])
            rows.append(tuple(cells))
        return type(result)(result.columns, result.types, rows)


@dataclass(frozen=True, slots=True)
class Document:
    """Sheets in their order; `whole` is the set of all reports, else there is one sheet.

    `session` is open while a writer runs. `since` and `until` bound the log lines, `changed_since` is the report date
    of the earlier report where one was compared.
    """

    sheets: list[Sheet]
    session: Session
    as_of: datetime
    whole: bool = False
    organisation: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None
    version: str = field(default="")

    @property
    def catalogue_as_of(self) -> date:
        """Day of the newest fact in the catalogue."""
        return self.session.catalogue.as_of

    def sheet(self, name: str) -> Sheet | None:
        """The report of that name, if it is in the document."""
        return next((sheet for sheet in self.sheets if sheet.name == name), None)

    def standing(self, style: Style) -> list[str]:
        """Sentences that date the document: report date, catalogue, logs, zone."""
        texts = style.texts
        catalogue = texts.day(self.catalogue_as_of)
        lines = [texts("text.report_as_of", moment=texts.moment(self.as_of), catalogue=catalogue)]
        if exposure := self.sheet("exposure"):
            rows = exposure.records()
            first = min((row["logs_from"] for row in rows if row["logs_from"]), default=None)
            last = max((row["logs_to"] for row in rows if row["logs_to"]), default=None)
            if first and last:
                lines.append(texts("text.logs_span", first=texts.moment(first), last=texts.moment(last)))
            else:
                lines.append(texts("text.logs_none"))
            if rows and all(row["stale"] for row in rows):
                lines.append(texts("text.logs_stale"))
        lines.append(texts("text.times_are_utc"))
        return lines
