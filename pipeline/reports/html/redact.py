"""What a report that is mailed around does not show: addresses, message ids, internal IP addresses and full paths.

An address becomes `address 7`: the same address has the same number all over the report, so rows can still be told
apart. Lineage (log file and line) leads whoever has the logs to the original.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"<?[^\s<>;,:\"'()\[\]=|]+@[^\s<>;,\"'()\[\]|]+>?")
# no part of a longer run of digits and dots: build numbers are no addresses
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:%]*::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:]{2,39}(?![\w:])")
_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\|/)(?:[^\n:*?\"<>|]*[\\/])?([^\\/\n:]+)")


class Redactor:
    """One for a report. With `details` everything stays as it is.

    `networks` are the organisation's own (organisations.toml), internal even where their addresses are public ones.
    """

    def __init__(self, *, details: bool, networks: Iterable[str] = (), address: str = "address", internal_ip: str = "internal IP") -> None:
        self.details = details
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        self._numbers: dict[str, int] = {}
        self._address, self._internal_ip = address, internal_ip

    def address(self, value: str | None) -> str:
        """One address or several joined with `;`. The null sender `<>` stays: it is nobody's."""
        if not value or self.details:
            return value or ""
        return "; ".join(self._one(part.strip()) for part in value.split(";") if part.strip())

    def text(self, value: str | None) -> str:
        """A reply, sentence or name with addresses and internal IP addresses taken out of it."""
        if not value or self.details:
            return value or ""
        value = _ADDRESS.sub(lambda found: self._one(found[0]), value)
        value = _IPV4.sub(lambda found: self._ip(found[0]), value)
        return _IPV6.sub(lambda found: self._ip(found[0]), value)

    def path(self, value: str | None) -> str:
        """Of paths (`C:\\Users\\...\\SEND1.LOG:12`) the name of the file: folders name customers and users."""
        if not value or self.details:
            return value or ""
        return _PATH.sub(r"\1", value.split("!")[-1] if "!" in value and " to " not in value else value)

    def _one(self, value: str) -> str:
        if value in ("<>", ""):
            return value
        number = self._numbers.setdefault(value.strip("<>'\" ").lower(), len(self._numbers) + 1)
        return f"[{self._address} {number}]"

    def _ip(self, value: str) -> str:
        try:
            address = ipaddress.ip_address(value.split("%")[0])
        except ValueError:
            return value
        own = any(address in network for network in self._networks if network.version == address.version)
        internal = own or (address.is_private and not address.is_loopback and not address.is_unspecified)
        return f"[{self._internal_ip}]" if internal else value
