"""Golden files of reports on the sample logs: `python -m tests.reports.golden --write` writes them anew.

Read the difference before committing it: every byte of it is what users would see change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pipeline.reports.formats import FORMATS
from tests.reports.rendering import Samples

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
# format, report (None: the whole set), language (None: as without --language on an English machine)
CASES: tuple[tuple[str, str | None, str | None], ...] = (
    *(
        ("csv", report, None)
        for report in (
            "bounced_messages",
            "delayed_messages",
            "exposure",
            "findings",
            "hand_overs",
            "quarantine",
            "refusals",
            "servers",
            "sources",
        )
    ),
    *(("json", report, None) for report in ("delayed_messages", "exposure", "findings", "servers")),
    ("jsonl", "findings", None),
    *(("markdown", report, None) for report in ("exposure", "findings", "refusals")),
    ("csv", "findings", "de"),
    ("markdown", "findings", "de"),
    ("text", None, None),
    ("text", None, "de"),
)


def file_of(format_: str, report: str | None, language: str | None) -> Path:
    """Where a case stands."""
    tag = f".{language}" if language else ""
    return GOLDEN / f"{report or 'all'}{tag}{FORMATS[format_].ending}"


def main() -> None:
    """Write all of them."""
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.reports.golden --write")
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples(Path(folder))
        GOLDEN.mkdir(exist_ok=True)
        for case in CASES:
            file_of(*case).write_bytes(samples.write(*case))


if __name__ == "__main__":
    main()
