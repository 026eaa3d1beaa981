"""Matching a reply with the catalogue of replies.
 A code pattern is an enhanced status code, or a range `a.b.c-a.b.d` on the last number; it is compared as
whole number groups, so 5.7.5 is not 5.7.51. A text pattern is lower-case words to find anywhere in the
reply: alternatives split by ` | `, `*` is any text, N (NN, NNN) a number. Rows with words come before rows
with the code alone. Codes:
https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"([245]\.[0-9]{1,3}\.)([0-9]{1,3})", re.ASCII)
_RANGE = re.compile(rf"{_CODE.pattern}(?:-{_CODE.pattern})?", re.ASCII)
# A number behind a dot, a letter or a third dot is part of an address, a version or an id.
_CODE_IN_TEXT = re.compile(r"(?<![\w.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?!\.?[0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class CodeRange:
    """`prefix` 4.7., with the last number from `low` to `high`, both included."""

    prefix: str
    low: int
    high: int

    def holds(self, code: str) -> bool:
        """Whether an enhanced status code such as 4.7.500 lies in the range."""
        match = _CODE.fullmatch(code)
        if not match:
            return False
        return match.group(1) == self.prefix and self.low <= int(match.group(2)) <= self.high


def parse_code_pattern(pattern: str) -> CodeRange | None:
    """The range a code pattern means; None if it is malformed."""
    match = _RANGE.fullmatch(pattern)
    if not match:
        return None
    prefix, low, second, high = match.groups()
    if second is None:
        return CodeRange(prefix, int(low), int(low))
    if second != prefix or int(high) < int(low):
        return None
    return CodeRange(prefix, int(low), int(high))


def text_regex(pattern: str) -> str:
    """A regular expression to search in the lower-cased reply, in the dialect that Python, RE2 and Java
    share.

    It holds no backslash, so that it passes through SQL literals of any engine unchanged.
    """
    return "|".join(_alternative(alternative.strip()) for alternative in pattern.split(" | "))


def _alternative(words: str) -> str:
    parts: list[str] = []
    for token in re.findall(r"N+(?![A-Za-z])|\*|\s+|.", words):
        if set(token) == {"N"}:
            parts.append("[0-9]+")
        elif token == "*":
            parts.append(".*")
        elif token.isspace():
            parts.append(" +")
        elif token.isalnum() or token in ",;:/-_'\"@<>=#%&!":
            parts.append(token.lower())
        else:
            parts.append(f"[{token}]")
    return "".join(parts)


def enhanced_codes(text: str) -> list[str]:
    """The enhanced status codes that stand in a text, in their order, each once."""
    return list(dict.fromkeys(match.group(0) for match in _CODE_IN_TEXT.finditer(text)))
