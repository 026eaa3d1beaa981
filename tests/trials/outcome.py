"""What a trial found: counts of what was tried and checked, and failures."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """Counts by what was counted, in the order of their first count; `failures` are sentences."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def count(self, what: str, number: int = 1) -> None:
        """`number` more of something."""
        self.counts[what] += number

    def check(self, right: bool, what: str, failure: str) -> bool:
        """Count a check; note the failure if it does not hold. Returns `right`."""
        self.counts[what] += 1
        if not right:
            self.failures.append(f"{what}: {failure}")
        return right

    def table(self) -> str:
        """For people to read."""
        width = max((len(what) for what in self.counts), default=0)
        lines = [f"{self.name}, {time.monotonic() - self._began:.0f} s"]
        lines += [f"  {what:<{width}}  {number:>9}" for what, number in self.counts.items()]
        lines += [f"  {'failures':<{width}}  {len(self.failures):>9}"]
        return "\n".join([*lines, *(f"  ! {failure}" for failure in self.failures[:20])])
