"""What a report that is mailed around does not show unless `--with-details`.

These are addresses, local parts of message ids, internal IP addresses, folders of paths and whole log lines (which hold
subjects). An address becomes `[address 7]`: the same address has the same number all over a report, so that rows can
still be told apart. Lineage (log file and line) leads whoever has the logs to the original.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from pipeline.i18n import Texts

ADDRESSES = frozenset({"sender", "recipients"})
MESSAGE_IDS = frozenset({"message_id", "message_key"})
PATHS = frozenset({"path", "source_file", "lineage", "file"})
WHOLE_LINES = frozenset({"raw_line"})

# an address in running text; its local part may be quoted
_ADDRESS = re.compile(r"<?(?:\"[^\"\n]*\"|[^\s<>;,:\"'()\[\]=|]+)@[^\s<>;,\"'()\[\]|]+>?")
# no part of a longer run of digits and dots: build numbers are no addresses
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:]*::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:]{2,39}(?:%\w+)?(?![\w:])"
)
# folders of an absolute path in running text: Windows, UNC or POSIX
_FOLDERS = re.compile(
    r"(?<![\w:/\\])(?:(?:[A-Za-z]:\\|\\\\)(?:[^\\/:*?\"<>|\n]+\\)*|/(?:[^\s/:;,\"<>|]+/)+)(?=[^\s\\/])"
)
# between the two ends of a lineage, each with its line
_SPAN = re.compile(r"(:\d+) to ")
_SHARED = tuple(ipaddress.ip_network(network) for network in ("100.64.0.0/10",))


class Redactor:
    """One for a report, so that its numbers hold all over it.

    `networks` are the organisations' own (organisations.toml): internal even where their addresses are public ones.
    """

    def __init__(self, texts: Texts, networks: Iterable[str] = ()) -> None:
        self._texts = texts
        own = [ipaddress.ip_network(network, strict=False) for network in networks]
        self._networks = (*own, *_SHARED)
        self._numbers: dict[str, dict[str, int]] = {"address": {}, "message": {}}

    def cell(self, column: str, value: str) -> str:
        """A cell of a report: by its column where that says what it holds, else what is found in its text."""
        if column in WHOLE_LINES:
            return self._texts("redacted.line", count=len(value))
        if column in ADDRESSES:
            return "; ".join(self._address(part.strip()) for part in value.split(";") if part.strip())
        if column in MESSAGE_IDS:
            return self.message_id(value)
        if column in PATHS:
            return self.path(value)
        return self.text(value)

    def text(self, value: str) -> str:
        """A reply, sentence or name without addresses and internal IP addresses."""
        if "@" in value:
            value = _ADDRESS.sub(lambda found: self._address(found[0]), value)
        value = _FOLDERS.sub("", value)
        value = _IPV4.sub(lambda found: self._ip(found[0]), value)
        return _IPV6.sub(lambda found: self._ip(found[0]), value) if ":" in value else value

    def message_id(self, value: str) -> str:
        """The id without its local part: `<[message 3]@EX01.contoso.com>`; an id without @ is all local part."""
        inner = value.strip().strip("<>")
        if not inner:
            return value
        host = inner.rpartition("@")[2] if "@" in inner else ""
        name = self._numbered("message", inner)
        return f"<{name}@{self.text(host)}>" if host else name

    def path(self, value: str) -> str:
        """The file's name, or the two of `FILE:LINE to FILE:LINE`: folders name customers and users."""
        pieces = _SPAN.split(value)
        names = [re.split(r"[\\/!]", piece)[-1] for piece in pieces[::2]]
        lines = [f"{line} to " for line in pieces[1::2]] + [""]
        return self.text("".join(name + line for name, line in zip(names, lines, strict=True)))

    def _address(self, value: str) -> str:
        return value if value in ("<>", "") else self._numbered("address", value)

    def _numbered(self, kind: str, value: str) -> str:
        numbers = self._numbers[kind]
        number = numbers.setdefault(value.strip("<>'\" ").lower(), len(numbers) + 1)
        return self._texts(f"redacted.{kind}", number=number)

    def _ip(self, value: str) -> str:
        try:
            address = ipaddress.ip_address(value.split("%")[0])
        except ValueError:
            return value
        own = any(address in network for network in self._networks if network.version == address.version)
        internal = own or (address.is_private and not address.is_loopback and not address.is_unspecified)
        return self._texts("redacted.ip") if internal else value
