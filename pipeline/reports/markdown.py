"""Markdown (GitHub's tables): titles, dates, a table a report. Nothing from a log can become markup or a row."""

from __future__ import annotations

import html
import re

from pipeline.reports.document import Document, Sheet, Style

# Every character that begins markup inside a line; `&`, `<` and `>` are escaped as HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#!|~$:@])")
# `_` inside a word is none, and a name full of backslashes is hard to read in a mail.
_INNER = re.compile(r"(?<=[A-Za-z0-9])\\([_:@#!()])(?=[A-Za-z0-9])")
_BARE_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")


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
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """A text as Markdown that shows it as it is: no link, picture, HTML, table cell or emphasis comes of it."""
    out = _INNER.sub(r"\1", _MARKUP.sub(r"\\\1", html.escape(text, quote=False)))
    # an address that readers would make a link of without any markup
    return _BARE_LINK.sub(lambda found: found[1] + "&#8203;", out)


def _table(sheet: Sheet, style: Style) -> str:
    result = sheet.result
    if not result.rows:
        return escaped(style.texts("text.no_rows", title=style.title(sheet)))
    headings = [escaped(style.texts.column(name)) for name in result.columns]
    right = [kind in ("INTEGER", "BIGINT", "DOUBLE", "HUGEINT", "FLOAT") for kind in result.types]
    lines = ["| " + " | ".join(headings) + " |", "|" + "|".join("---:" if number else "---" for number in right) + "|"]
    for row in result.rows:
        cells = [escaped(style.cell(sheet.name, name, value)) for name, value in zip(result.columns, row, strict=True)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
