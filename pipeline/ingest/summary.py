"""What an ingest did, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["new", "grown", "unchanged", "skipped", "failed"]


@dataclass(slots=True)
class FileReport:
    """One file or archive member. Lines are records: read = header + rows + quarantined + pending."""

    path: str
    outcome: Outcome
    kind: str = ""
    organisation: str = ""
    server: str = ""
    note: str = ""
    header: int = 0
    rows: int = 0
    quarantined: int = 0
    pending: int = 0
    bytes: int = 0

    @property
    def read(self) -> int:
        """Lines of this file that this run looked at."""
        return self.header + self.rows + self.quarantined + self.pending


@dataclass(slots=True)
class Summary:
    """Totals and one report a file. `removed_rows` are those of sources that were replaced."""

    files: list[FileReport] = field(default_factory=list)
    seconds: float = 0.0
    commits: int = 0
    removed_rows: int = 0
    not_utf8: int = 0
    warnings: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        """Number of files of that outcome."""
        return sum(file.outcome == outcome for file in self.files)

    def total(self, name: str) -> int:
        """Sum of a count over all files."""
        return sum(getattr(file, name) for file in self.files)

    @property
    def bad(self) -> int:
        """Quarantined lines and failed files: what `--max-bad` bounds."""
        return self.total("quarantined") + self.count("failed")

    @property
    def skipped_kinds(self) -> dict[str, int]:
        """Skipped files by the kind of log they are."""
        return dict(Counter(file.kind for file in self.files if file.outcome == "skipped").most_common())

    def as_json(self) -> dict[str, Any]:
        """The document that `tbes ingest --json` prints."""
        outcomes: tuple[Outcome, ...] = ("new", "grown", "unchanged", "skipped", "failed")
        lines = ("read", "header", "rows", "quarantined", "pending")
        return {
            "files": {"found": len(self.files), **{outcome: self.count(outcome) for outcome in outcomes}},
            "lines": {name: self.total(name) for name in lines},
            "bytes": self.total("bytes"),
            "seconds": round(self.seconds, 3),
            "commits": self.commits,
            "removed_rows": self.removed_rows,
            "lines_not_utf8": self.not_utf8,
            "skipped_kinds": self.skipped_kinds,
            "warnings": self.warnings,
            "sources": [
                {
                    "path": file.path,
                    "outcome": file.outcome,
                    "kind": file.kind,
                    "organisation": file.organisation,
                    "server": file.server,
                    "note": file.note,
                    "lines": {name: getattr(file, name) for name in lines},
                    "bytes": file.bytes,
                }
                for file in self.files
                if file.outcome != "unchanged"
            ],
        }
