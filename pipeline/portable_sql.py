"""SQL that survives the clients that read init scripts.

The DuckDB shell reads a script by lines, and one that starts with `.` may be a command of its own; Harlequin cuts
it at every `;`, also inside a text (harlequin_duckdb.adapter, 2.17). So a statement here holds no comment, no line
that starts with `.`, and no `;`, line break or control character inside a text: they are written as `\\x3B` in an
escape string, which is the same text to DuckDB.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*")|(?P<comment>--[^\n]*|/\*.*?\*/)""", re.S
)
_UNSAFE = re.compile(r"[;\x00-\x1f\x7f]")
_LINE_BREAKS = re.compile("([\x85\u2028\u2029])")
"""Line breaks to Python, which DuckDB 1.5 has no escape for."""


def portable(statement: str) -> str:
    """A statement in this form, without the `;` at its end."""
    cleaned = _TOKEN.sub(_token, statement.strip().removesuffix(";"))
    lines = (line.strip() for line in cleaned.split("\n"))
    return "\n".join(" " + line if line.startswith(".") else line for line in lines if line)


def plain_text(text: str) -> str:
    """A quoted text for COMMENT ON, which takes no escape string in DuckDB 2.0: `;` becomes a word or a comma."""
    text = re.sub(r"(?<=\s);(?=$|[\s,.)])", "semicolons", " ".join(text.split())).replace(";", ",")
    return (
        "'"
        + "".join(letter if letter.isprintable() else "\ufffd" for letter in text).replace("'", "''")
        + "'"
    )


def _token(found: re.Match[str]) -> str:
    if found["comment"]:
        return " "
    text = found[0]
    if found["name"] or not (_UNSAFE.search(text) or _LINE_BREAKS.search(text)):
        return text
    pieces = _LINE_BREAKS.split(text[1:-1])
    written = [f"chr({ord(piece)})" if i % 2 else _escaped(piece) for i, piece in enumerate(pieces)]
    return written[0] if len(written) == 1 else f"({' || '.join(written)})"


def _escaped(inner: str) -> str:
    """What stands between the quotes of a plain text, as an escape string."""
    doubled = inner.replace("\\", "\\\\")
    return "e'" + _UNSAFE.sub(lambda letter: f"\\x{ord(letter[0]):02X}", doubled) + "'"
