"""Which dates rest on one third-party source: by the sources that the rows of the catalogue name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.sql import Session

_HOST = re.compile(r"https?://(?:www\.)?([^/\s;,)]+)")
_STAGE = re.compile(r"\bstage (\d+)\b")


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Stages and floors that one site alone tells of, which is not Microsoft's; `urls` are these sources."""

    stages: frozenset[int]
    floors: frozenset[tuple[str, date]]
    last_stage: int | None
    urls: tuple[str, ...]

    def stage(self, stage: int | None, seen: int | None = None) -> bool:
        """Whether the date on which a stage begins does, where its clock was read off the stage `seen`."""
        return stage in self.stages or seen in self.stages

    def cell(self, row: Mapping[str, Any], column: str) -> bool:
        """Whether the date in a column of `servers`, `calendar`, `findings`, `impact` or `pause_planner` does."""
        if column == "baseline_since":
            return (row["product"], row["baseline_since"]) in self.floors
        seen = row.get("stage")
        if column == "act_by" and "finding_key" in row:
            return row["finding_key"].endswith("/next-stage") and self.stage(row["degree"])
        if column == "act_by" or column.startswith("next_stage_"):
            return self.stage(row.get("next_stage"), seen)
        if column.startswith("full_block_"):
            return self.stage(self.last_stage, seen)
        if column in ("earliest", "latest", "latest_if_paused"):
            if row.get("basis") not in ("observed", "imported", "predicted"):
                return False
            named = _STAGE.search(row.get("what") or row.get("says") or "")
            return self.stage(int(named[1]) if named else self.last_stage)
        return column.startswith("begins_") and self.stage(seen)


def third_party(session: Session) -> ThirdParty:
    """By the catalogue of the session."""
    stages = session.query(
        "select r.stage, r.source, r.note from ref_stages as r inner join current_stages as s "
        "on r.stage = s.stage and cast(r.valid_from as date) = s.valid_from order by r.stage"
    ).rows
    floors = session.query(
        "select product, cast(effective_from as date), source_url, note from ref_baselines "
        "where effective_from is not null and status <> 'published' order by product"
    ).rows
    of_stages = {stage: source for stage, source, note in stages if _alone(source, note)}
    of_floors = {(product, day): source for product, day, source, note in floors if _alone(source, note)}
    urls = dict.fromkeys(_urls([*of_stages.values(), *of_floors.values()]))
    return ThirdParty(
        frozenset(of_stages), frozenset(of_floors), max((row[0] for row in stages), default=None), tuple(urls)
    )


def _alone(source: str | None, note: str | None) -> bool:
    hosts = set(_HOST.findall(f"{source or ''} {note or ''}"))
    return len(hosts) <= 1 and not any(host.endswith("microsoft.com") for host in hosts)


def _urls(sources: Iterable[str | None]) -> Iterable[str]:
    for source in sources:
        yield from re.findall(r"https?://[^\s;,)]+", source or "")
