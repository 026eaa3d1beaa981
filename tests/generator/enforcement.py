"""Which attempts Exchange Online refuses, with which words, and when Exchange tries again.

How a window of n minutes lies in the hour is not public; here it begins at a given minute of each clock hour.
Stages: the project's own table, `pipeline/reference/enforcement_stages.csv`. Retry intervals:
https://learn.microsoft.com/exchange/mail-flow/queues/message-intervals
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

Action = Literal["throttle", "block"]
STAGES_CSV = Path(__file__).resolve().parents[2] / "pipeline" / "reference" / "enforcement_stages.csv"
LINK = " For more information see https://aka.ms/ExchangeBuildCompliance ."


@dataclass(frozen=True, slots=True)
class Verdict:
    """A refusal: what for, and the minutes per hour that the reply names."""

    action: Action
    minutes: int

    @property
    def code(self) -> str:
        """Reply code and enhanced status code."""
        return "450 4.7.230" if self.action == "throttle" else "550 5.7.230"

    def words(self, link: bool = True) -> str:
        """The reply without the bracket that Exchange Online appends."""
        verb = "throttled" if self.action == "throttle" else "blocked"
        return (
            f"{self.code} Connecting Exchange server version is out-of-date; connection to Exchange Online "
            f"{verb} for {self.minutes} mins/hr.{LINK if link else ''}"
        )


class Enforcement(Protocol):
    """Anything that says what happens to a message that is offered at a time."""

    def verdict(self, time: datetime) -> Verdict | None:
        """The refusal at this time (UTC, the true time, not a server's clock); None if mail passes."""


@dataclass(frozen=True, slots=True)
class NoEnforcement:
    """Every message passes: a server at or above the baseline, or in stage 1."""

    def verdict(self, time: datetime) -> Verdict | None:
        """Never a refusal."""
        return None


def _within(time: datetime, first_minute: float, minutes: int) -> bool:
    past = (time.minute + time.second / 60 + time.microsecond / 6e7 - first_minute) % 60
    return past < minutes


@dataclass(frozen=True, slots=True)
class FixedWindows:
    """`throttle` and `block` minutes in every hour, each from a minute of the hour on; block wins."""

    throttle: int
    block: int
    throttle_from: float = 0.0
    block_from: float = 0.0

    def verdict(self, time: datetime) -> Verdict | None:
        """The refusal whose window `time` lies in."""
        if _within(time, self.block_from, self.block):
            return Verdict("block", self.block)
        if _within(time, self.throttle_from, self.throttle):
            return Verdict("throttle", self.throttle)
        return None


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the stage table; `day_to` None = no end; an unknown number of minutes is 0 here."""

    number: int
    day_from: int
    day_to: int | None
    throttle: int
    block: int


def stages(path: Path = STAGES_CSV) -> tuple[Stage, ...]:
    """The stage table of the catalogue."""
    with path.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Stage(
                int(row["stage"]),
                int(row["day_from"]),
                int(row["day_to"]) if row["day_to"] else None,
                int(row["throttle_minutes_per_hour"] or 0),
                int(row["block_minutes_per_hour"] or 0),
            )
            for row in csv.DictReader(handle)
        )


@dataclass(frozen=True, slots=True)
class Ladder:
    """The whole course from first detection on: mail passes in a pause, and the clock stands still in it.

    `pauses` are half-open [from, to).
    """

    detected: datetime
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    throttle_from: float = 0.0
    block_from: float = 0.0
    table: tuple[Stage, ...] = field(default_factory=stages)

    def day(self, time: datetime) -> float:
        """Days on the clock at `time`, without the time it stood still."""
        stood = sum(
            (max(min(until, time) - max(since, self.detected), timedelta(0)) for since, until in self.pauses),
            timedelta(0),
        )
        return (time - self.detected - stood) / timedelta(days=1)

    def stage(self, time: datetime) -> Stage | None:
        """The stage at `time`; None before the first detection."""
        day = self.day(time)
        return next(
            (s for s in self.table if s.day_from <= day and (s.day_to is None or day < s.day_to)), None
        )

    def verdict(self, time: datetime) -> Verdict | None:
        """The refusal at `time` by the stage then reached."""
        if any(since <= time < until for since, until in self.pauses):
            return None
        stage = self.stage(time)
        if stage is None:
            return None
        return FixedWindows(stage.throttle, stage.block, self.throttle_from, self.block_from).verdict(time)


@dataclass(frozen=True, slots=True)
class Retries:
    """When a message that got a temporary refusal is tried again.

    Defaults: QueueGlitchRetry 4 x 1 min, TransientFailureRetry 6 x 5 min, OutboundConnectionFailureRetry
    10 min. A `message_interval` (MessageRetryInterval, 15 min) replaces all three where it is given: which of
    them governs a refusal at the end of DATA is not documented.
    """

    glitch_count: int = 4
    glitch: timedelta = timedelta(minutes=1)
    transient_count: int = 6
    transient: timedelta = timedelta(minutes=5)
    outbound: timedelta = timedelta(minutes=10)
    message_interval: timedelta | None = None

    def after(self, refusals: int) -> timedelta:
        """The wait after the given number of refusals (from 1)."""
        if self.message_interval is not None:
            return self.message_interval
        if refusals <= self.glitch_count:
            return self.glitch
        return self.transient if refusals <= self.glitch_count + self.transient_count else self.outbound
