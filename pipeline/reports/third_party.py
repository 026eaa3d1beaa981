"""Which dates rest on one third-party source that Microsoft has not confirmed: by the sources that the rows of the catalogue name.

Reports say it in the column `third_party_dates`; for people each such date has the mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.i18n import Texts
from pipeline.reports.values import visible
from pipeline.sql import Session

MARK = "*"
COLUMN = "third_party_dates"


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Stages that one site alone tells of, which is not Microsoft's; `urls` are the sources of these and of such floors."""

    stages: frozenset[int]
    urls: tuple[str, ...]

    def stage(self, stage: int | None, seen: int | None = None) -> bool:
        """Whether the date on which a stage begins does, where its clock was read off the stage `seen`."""
        return stage in self.stages or seen in self.stages


def third_party(session: Session) -> ThirdParty:
    """By the catalogue of the session."""
    stages = session.query("select stage, source from third_party_stages order by stage").rows
    floors = session.query("select source from third_party_floors order by product, since").rows
    urls = dict.fromkeys(_urls([*(row[1] for row in stages), *(row[0] for row in floors)]))
    return ThirdParty(frozenset(row[0] for row in stages), tuple(urls))


def marked(row: Mapping[str, Any], column: str) -> bool:
    """Whether the date in that column of a report's row rests on one third-party source."""
    names = row.get(COLUMN)
    if not names or row.get(column) is None:
        return False
    value = row[column]
    return any(
        (column == name and not isinstance(value, int))
        or (column.startswith(f"{name}_") and isinstance(value, date))
        for name in names.split(", ")
    )


def is_span_marked(row: Mapping[str, Any], name: str) -> bool:
    """The same for either end of a span: `NAME_earliest`, `NAME_latest`."""
    return any(marked(row, f"{name}_{bound}") for bound in ("earliest", "latest"))


def footnote(texts: Texts, marks: ThirdParty) -> str:
    """What the mark beside a date means, with the sources."""
    return texts("html.third_party", urls=", ".join(visible(url) for url in marks.urls))


def _urls(sources: Iterable[str | None]) -> Iterable[str]:
    for source in sources:
        yield from re.findall(r"https?://[^\s;,)]+", source or "")
