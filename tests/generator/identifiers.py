"""Ids and small random choices, the same for the same seed on every platform and Python version."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from tests.generator.lines import ticks

T = TypeVar("T")


class Identifiers:
    """Everything random of one organisation.

    Only `getrandbits` is used: its output for a text seed is the same everywhere, that of the higher helpers
    of `random` need not be.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._sessions: dict[str, int] = {}
        self._internal: dict[str, int] = {}

    def below(self, limit: int) -> int:
        """A number from 0 up to, not including, `limit`."""
        return self._random.getrandbits(53) * limit >> 53

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def hexadecimal(self, digits: int) -> str:
        """Lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def guid(self) -> str:
        """A GUID with hyphens."""
        text = self.hexadecimal(32)
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def timed_guid(self, time: datetime) -> str:
        """A GUID that ends in the time, as network-message-id and log-id do."""
        text = self.hexadecimal(20)
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:]}-{ticks(time) >> 16:012x}"

    def session_id(self, service: str, started: datetime) -> str:
        """The next protocol session of a service: its start in the upper half, a counter in the lower."""
        number = self._sessions.get(service)
        if number is None:
            number = (ticks(started) & ~0xFFFFFFFF) | self.below(1 << 28)
        self._sessions[service] = number + 1
        return f"{number:016X}"

    def internal_id(self, server: str) -> int:
        """The next internal-message-id of a server."""
        number = self._internal.get(server, self.between(4_000_000_000_000, 90_000_000_000_000))
        self._internal[server] = number + 1
        return number
