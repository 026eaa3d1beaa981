"""Servers under enforcement whose whole course is known: what they are refused, and what their logs show.

Everything is in seconds since 1970 UTC. Nothing here reads the product's SQL: the ladder is the catalogue's table
of stages, a pause makes the clock stand still, and an update or relapse does what the course says.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

DAY = 86_400.0
STAGES_CSV = Path(__file__).resolve().parents[2] / "pipeline" / "reference" / "enforcement_stages.csv"
Times = npt.NDArray[np.float64]
Spans = tuple[tuple[float, float], ...]


def _stages() -> tuple[Times, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First days, throttle minutes (-1 = not public) and block minutes of the stages 1 to 8."""
    with STAGES_CSV.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return (
        np.array([float(row["day_from"]) for row in rows]),
        np.array([int(row["throttle_minutes_per_hour"] or -1) for row in rows]),
        np.array([int(row["block_minutes_per_hour"] or -1) for row in rows]),
    )


FIRST_DAYS, THROTTLES, BLOCKS = _stages()


def within(times: Times, spans: Spans) -> npt.NDArray[np.bool_]:
    """Which times lie in one of the half-open spans."""
    inside = np.zeros(len(times), dtype=bool)
    for start, end in spans:
        inside |= (times >= start) & (times < end)
    return inside


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that starts at the first detection and stands still in `still`."""

    detected: float
    still: Spans

    def age(self, times: Times) -> Times:
        """Seconds on the clock."""
        stood = np.zeros(len(times))
        for start, end in self.still:
            stood += np.clip(np.minimum(times, end) - max(start, self.detected), 0, None) * (
                end > self.detected
            )
        return times - self.detected - stood

    def effective_day_0(self, time: float) -> float:
        """First detection and all time that the clock stood still until `time`."""
        return time - float(self.age(np.array([time]))[0])

    def enters(self, stage: int) -> float:
        """When the stage begins, with all pauses of the course, also those to come."""
        moment = self.detected + FIRST_DAYS[stage - 1] * DAY
        for start, end in sorted(self.still):
            since = max(start, self.detected)
            if end > since and since < moment:
                moment += end - since
        return float(moment)


@dataclass(slots=True)
class Server:
    """A server, its course, and what its logs hold. `clock` is the one that runs at the report date."""

    organisation: str
    name: str
    clock: Clock
    earlier: Clock | None = None
    restarted_at: float = float("inf")
    pauses: Spans = ()
    compliant: Spans = ()
    known_pauses: tuple[tuple[float, int], ...] = ()
    stage_throttles: npt.NDArray[np.int64] = field(default_factory=lambda: THROTTLES.copy())
    throttle_from: float = 0.0
    block_from: float = 0.0
    random_windows: bool = False
    logs: tuple[float, float] = (0.0, 0.0)
    log_gaps: Spans = ()
    skew: float = 0.0
    skew_is_measured: bool = True
    told_detection: bool = False
    told_report: float | None = None
    kind: str = "plain"

    @property
    def has_course_without_pause(self) -> bool:
        """Whether the clock never stood still and never began anew."""
        return not self.pauses and not self.compliant

    def clock_at(self, time: float) -> Clock:
        """The clock that ran then."""
        return self.earlier if self.earlier is not None and time < self.restarted_at else self.clock

    def stages(self, times: Times) -> npt.NDArray[np.int64]:
        """The stage at each time, 0 before the first detection."""
        age = self.clock.age(times)
        if self.earlier is not None:
            age = np.where(times < self.restarted_at, self.earlier.age(times), age)
        return np.searchsorted(FIRST_DAYS * DAY, age, side="right")

    def refused(
        self, times: Times, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Throttle and block minutes of the refusal of a message offered at each time; 0 = it passes."""
        stages = self.stages(times)
        free = (stages == 0) | within(times, self.pauses) | within(times, self.compliant)
        row = np.maximum(stages, 1) - 1
        throttles, blocks = np.maximum(self.stage_throttles[row], 0), np.maximum(BLOCKS[row], 0)
        blocked = self._in_window(times, blocks, self.block_from, rng) & ~free
        throttled = self._in_window(times, throttles, self.throttle_from, rng) & ~free & ~blocked
        return np.where(throttled, throttles, 0), np.where(blocked, blocks, 0)

    def _in_window(
        self, times: Times, minutes: npt.NDArray[np.int64], first: float, rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:
        """A window of n minutes an hour: from a fixed minute on, over the hour's end too, or anywhere in each hour."""
        minute = times / 60 % 60
        if not self.random_windows:
            return (minute - first) % 60 < minutes
        hours = (times // 3600).astype(np.int64)
        unique, inverse = np.unique(hours, return_inverse=True)
        start = rng.uniform(0, 60, len(unique))[inverse] * (60 - minutes) / 60
        return (minute >= start) & (minute < start + minutes)

    def visible(self, times: Times) -> Times:
        """The times at which this server wrote logs that are there."""
        return times[(times >= self.logs[0]) & (times < self.logs[1]) & ~within(times, self.log_gaps)]
