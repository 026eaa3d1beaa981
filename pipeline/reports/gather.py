"""From a session to a document: the reports asked for, acknowledgements marked, an earlier report compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline import __version__, queries
from pipeline.reports import changes
from pipeline.reports.acknowledge import Acknowledgement, mark
from pipeline.reports.document import Document, Sheet
from pipeline.sql import Result, Session

CHANGES = "changes"
# of the set: what a reader wants first; the rest follows by name
_FIRST = ("exposure", "findings", CHANGES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a document is to hold: one report by its name, or the whole set (None)."""

    report: str | None
    acknowledged: Sequence[Acknowledgement] = ()
    earlier: changes.Earlier | None = field(default=None)


def document(session: Session, wanted: Wanted) -> Document:
    """Read the reports in a session that stays open until the document is written."""
    parameters = session.parameters
    as_of = session.as_of
    read = {report.name: report for report in queries.reports()}
    names = [wanted.report] if wanted.report else list(read)
    if wanted.report is None and wanted.earlier is not None:
        names.append(CHANGES)
    names.sort(key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    sheets = [
        _changes(session, wanted, as_of) if name == CHANGES else _sheet(session, read[name], wanted, as_of)
        for name in names
    ]
    return Document(
        sheets,
        session,
        as_of,
        whole=wanted.report is None,
        organisation=parameters.organisation,
        since=parameters.since,
        until=parameters.until,
        changed_since=wanted.earlier.as_of if wanted.earlier else None,
        version=__version__,
    )


def findings(session: Session, acknowledged: Sequence[Acknowledgement], as_of: datetime) -> Result:
    """The report `findings` with its acknowledgements."""
    result = session.report("findings")
    return mark(result, acknowledged, as_of.astimezone(UTC).date()) if acknowledged else result


def _sheet(session: Session, report: queries.Query, wanted: Wanted, as_of: datetime) -> Sheet:
    result = (
        findings(session, wanted.acknowledged, as_of)
        if report.name == "findings"
        else session.report(report.name)
    )
    return Sheet(report.name, report.title, result, report.columns, report.terminal, report.below)


def _changes(session: Session, wanted: Wanted, as_of: datetime) -> Sheet:
    assert wanted.earlier is not None
    found = findings(session, wanted.acknowledged, as_of)
    records = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    ends = dict(
        session.query("select organisation, max(last_time) from source_ranges group by organisation").rows
    )
    compared = changes.compare(wanted.earlier, records, ends, as_of, session.parameters.organisation)
    names = list(changes.COLUMNS)
    rows = [tuple(record[name] for name in names) for record in compared]
    result = Result(names, [changes.TYPES[name] for name in names], rows)
    title = f"Changed since {wanted.earlier.as_of:%Y-%m-%d %H:%M}Z"
    first = ("change", "severity", "organisation", "server", "act_by", "finding")
    return Sheet(CHANGES, title, result, changes.COLUMNS, first)
