"""Bytes of a text file that PowerShell, Excel or an editor wrote, as text.

Windows PowerShell's `>` and `Out-File` write UTF-16 with a byte order mark, PowerShell 7 UTF-8 without one,
Export-Csv ASCII or the ANSI code page:
https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding
"""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(content: bytes) -> str:
    """The text, without byte order mark. Bytes that fit no Unicode encoding are read as Windows-1252."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _without_mark(
        content
    )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return text.removeprefix("\ufeff").replace("\0", "")


def _without_mark(content: bytes) -> str:
    """UTF-16 of a mostly Latin text has a zero in every second byte."""
    start = content[:4096]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if odd * 4 > len(start) and not even:
        return "utf-16-le"
    if even * 4 > len(start) and not odd:
        return "utf-16-be"
    return "utf-8"
