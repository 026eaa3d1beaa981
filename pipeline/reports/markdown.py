"""Markdown (GitHub's tables): titles, dates, a table a report. Nothing from a log can become markup or a row."""

from __future__ import annotations

import html
import re

from pipeline.reports.document import Document, Sheet, Style
from pipeline.reports.third_party import footnote, third_party

# Every character that begins markup inside a line; `&`, `<` and `>` are escaped as HTML. GitHub knows `$` as mathematics.
_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
# `_` inside a word is none, and file names read better without
_INNER = re.compile(r"(?<=[A-Za-z0-9])\\_(?=[A-Za-z0-9])")
# what becomes a link without any markup
_SCHEME = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):")
_WWW = re.compile(r"(?i)\bwww\.")


def to_markdown(document: Document, style: Style) -> str:
    """The whole document: one report, or the set with a heading a report."""
    blocks: list[str] = []
    level = "#"
    if document.whole:
        blocks += ["# tbes", "\n".join(f"* {escaped(line)}" for line in document.standing(style))]
        level = "##"
    for sheet in document.sheets:
        blocks.append(f"{level} {escaped(style.title(sheet))}")
        blocks.append(_table(sheet, style))
    if not document.whole:
        blocks.append(escaped(" ".join(document.standing(style))))
    if any(sheet.is_marked for sheet in document.sheets):
        blocks.append(escaped(footnote(style.texts, third_party(document.session))))
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """A text as Markdown that shows it as it is: no link, picture, HTML, table cell or emphasis comes of it."""
    out = _INNER.sub("_", _MARKUP.sub(r"\\\1", html.escape(text, quote=False)))
    return _WWW.sub("www&#46;", _SCHEME.sub(r"\1&#58;", out))


def _table(sheet: Sheet, style: Style) -> str:
    result = sheet.result
    if not result.rows:
        return escaped(style.texts("text.no_rows", title=style.title(sheet)))
    headings = [escaped(style.texts.column(name)) for name in result.columns]
    right = [kind in ("INTEGER", "BIGINT", "DOUBLE", "HUGEINT", "FLOAT") for kind in result.types]
    lines = [
        "| " + " | ".join(headings) + " |",
        "|" + "|".join("---:" if number else "---" for number in right) + "|",
    ]
    for record in sheet.records():
        cells = [escaped(style.marked_cell(sheet.name, name, record)) for name in result.columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
