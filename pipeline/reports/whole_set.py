"""The whole set as one JSON document; `--since-report` reads it again."""

from __future__ import annotations

from pipeline.reports.changes import FILE_VERSION
from pipeline.reports.delimited import dumped, records
from pipeline.reports.document import Document, Style
from pipeline.reports.values import exported


def to_json_set(document: Document, style: Style) -> str:
    """An object: `tbes` says what the document is of, `reports` has the rows of each report by its name."""
    head = {
        "file_version": FILE_VERSION,
        "version": document.version,
        "as_of": exported(document.as_of),
        "catalogue_as_of": exported(document.catalogue_as_of),
        "organisation": document.organisation,
        "since": exported(document.since),
        "until": exported(document.until),
        "changed_since": exported(document.changed_since),
    }
    reports = {sheet.name: records(style.for_programs(sheet)) for sheet in document.sheets}
    return dumped({"tbes": head, "reports": reports}) + "\n"
