"""The sentences that the SQL of `queries/` makes, as templates with numbered gaps.

`'Update ' || names || ' at once.'` is `Update {1} at once.`; a literal inside a gap (a nested case) is a template
of its own. `python -m tests.i18n.sentences` lists those that the German catalogue lacks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

QUERIES = Path(__file__).resolve().parents[2] / "queries"
_TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\|\||<>|<=|>=|[A-Za-z_][A-Za-z_0-9.]*|[0-9.]+|\s+|.", re.S)
_COMPARED = {"=", "<>", "in", "like", "ilike", "<", ">", "<=", ">="}
_ENDS = {
    "when",
    "then",
    "else",
    "end",
    "as",
    "and",
    "or",
    "not",
    "from",
    "where",
    "select",
    "on",
    "group",
    "order",
    "by",
    "having",
    "union",
    "all",
    "distinct",
    "is",
    "between",
    ",",
    ";",
    *_COMPARED,
}
# their text arguments are patterns or separators, never what a reader sees
_PATTERN_CALLS = {
    "contains",
    "date_diff",
    "date_trunc",
    "ends_with",
    "in",
    "instr",
    "interval",
    "list_contains",
    "ltrim",
    "position",
    "regexp_extract",
    "regexp_matches",
    "regexp_replace",
    "replace",
    "rtrim",
    "split_part",
    "starts_with",
    "strftime",
    "string_split",
    "strpos",
    "translate",
    "trim",
}

Node = str | list["Node"]


def templates() -> dict[str, list[str]]:
    """Template -> names of the files that make it."""
    found: dict[str, list[str]] = {}
    for path in sorted(QUERIES.rglob("*.sql")):
        for template in templates_of(path.read_text(encoding="utf-8")):
            if path.stem not in found.setdefault(template, []):
                found[template].append(path.stem)
    return found


def templates_of(sql: str) -> list[str]:
    """The templates of one statement, as they stand in it."""
    tokens = [t for t in _TOKEN.findall(sql) if not t.isspace() and not t.startswith("--")]
    tree, _ = _tree(tokens, 0)
    return list(
        dict.fromkeys(t for t in _chains(tree) if re.search(r"[A-Za-z]{2}[^'{}]* |[A-Za-z]{2}[^'{}]*[{]", t))
    )


def _tree(tokens: list[str], at: int) -> tuple[list[Node], int]:
    """Parentheses and case ... end as nested lists."""
    out: list[Node] = []
    while at < len(tokens):
        token = tokens[at]
        if token in (")",) or token.lower() == "end":
            return out, at
        if token == "(" or token.lower() == "case":
            inner, at = _tree(tokens, at + 1)
            out.append(inner)
        else:
            out.append(token)
        at += 1
    return out, at


def _chains(nodes: list[Node], compared: bool = False) -> Iterator[str]:
    operands: list[list[Node]] = [[]]
    skip = compared
    call = ""
    for node in [*nodes, ","]:
        if isinstance(node, list):
            name = call.lower()
            operands[-1].append(node)
            if name not in _PATTERN_CALLS:
                yield from _chains(node, skip)
            call = ""
            continue
        call = node
        if node == "||":
            operands.append([])
        elif node.lower() in _ENDS:
            if not skip:
                yield from _template(operands)
            operands = [[]]
            if node.lower() in _COMPARED:
                skip = True
            elif node != "," or not compared:
                skip = compared
        else:
            operands[-1].append(node)


def _template(operands: list[list[Node]]) -> Iterator[str]:
    text, gaps = "", 0
    for operand in operands:
        if len(operand) == 1 and isinstance(operand[0], str) and operand[0].startswith("'"):
            text += operand[0][1:-1].replace("''", "'")
        elif operand:
            gaps += 1
            text += "{" + str(gaps) + "}"
    # sentences before and after, which gaps hold, are templates of their own; finding keys are no sentences
    text = re.sub(r"^(\{\d+\})+(?= [A-Z])|(?<=[.])(\{\d+\})+$", "", text.strip()).strip()
    if text and not re.match(r"[a-z-]+/\{", text):
        yield _renumbered(text)


def _renumbered(text: str) -> str:
    numbers = itertools.count(1)
    return re.sub(r"\{\d+\}", lambda _: "{" + str(next(numbers)) + "}", text)


if __name__ == "__main__":
    from pipeline.i18n import Texts

    german = Texts("de")
    for template, files in templates().items():
        if not german.knows(template):
            print(f"{template!r}  # {', '.join(files)}")
