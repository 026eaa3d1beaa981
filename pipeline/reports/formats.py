"""The one registry of output formats. Importing it costs nothing: each writer is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.reports.document import Document, Style


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `write` gives text, or bytes where `binary`.

    `set_by_default`: `tbes report` without a name writes the whole set. `holds_set`: it can hold more than one report.
    `mailed`: it is mailed around, so addresses and the like are left out of it unless `--with-details`.
    """

    name: str
    ending: str
    write: Callable[[Document, Style], str | bytes]
    binary: bool = False
    set_by_default: bool = False
    holds_set: bool = True
    mailed: bool = False


def _csv(document: Document, style: Style) -> str:
    from pipeline.reports.delimited import to_csv

    return to_csv(style.for_programs(document.sheets[0]), raw=style.raw)


def _json(document: Document, style: Style) -> str:
    from pipeline.reports.delimited import to_json
    from pipeline.reports.whole_set import to_json_set

    return to_json_set(document, style) if document.whole else to_json(style.for_programs(document.sheets[0]))


def _jsonl(document: Document, style: Style) -> str:
    from pipeline.reports.delimited import to_jsonl

    return to_jsonl(style.for_programs(document.sheets[0]))


def _markdown(document: Document, style: Style) -> str:
    from pipeline.reports.markdown import to_markdown

    return to_markdown(document, style)


def _text(document: Document, style: Style) -> str:
    from pipeline.reports.plain import to_text

    return to_text(document, style)


def _html(document: Document, style: Style) -> str:
    from pipeline.reports.html.write import to_html

    return to_html(document, style)


def _xlsx(document: Document, style: Style) -> bytes:
    from pipeline.reports.spreadsheet import to_xlsx

    return to_xlsx(document, style)


def _parquet(document: Document, style: Style) -> bytes:
    from pipeline.reports.columnar import to_parquet

    sheet = document.sheets[0]
    return to_parquet(style.for_programs(sheet), sheet.meanings)


FORMATS = {
    chosen.name: chosen
    for chosen in (
        Format("csv", ".csv", _csv, holds_set=False),
        Format("html", ".html", _html, set_by_default=True, mailed=True),
        Format("json", ".json", _json),
        Format("jsonl", ".jsonl", _jsonl, holds_set=False),
        Format("markdown", ".md", _markdown),
        Format("parquet", ".parquet", _parquet, binary=True, holds_set=False),
        Format("text", ".text", _text, set_by_default=True, mailed=True),
        Format("xlsx", ".xlsx", _xlsx, binary=True, set_by_default=True),
    )
}
# the terminal table is drawn for a width, not written as a document
TABLE = "table"
NAMES = (TABLE, *FORMATS)


def by_ending(output: Path | None) -> str:
    """The format of a file by the ending of its name: table for .txt and for the terminal. Raises UsageError if it says none."""
    if output is None or output.suffix.lower() == ".txt":
        return TABLE
    for chosen in FORMATS.values():
        if output.suffix.lower() == chosen.ending:
            return chosen.name
    endings = ", ".join(chosen.ending for chosen in FORMATS.values())
    raise UsageError(
        f"The format of {output.name} is not clear: end it in {endings} or .txt, or give --format"
    )
