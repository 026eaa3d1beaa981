"""Random courses of servers, from a seed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from tests.clock.world import DAY, Clock, Server, Spans

FLOOR_RAISED = datetime(2026, 9, 7, tzinfo=UTC).timestamp()
AS_OF = datetime(2027, 2, 10, 9, 30, tzinfo=UTC).timestamp()
QUOTA = 90


def organisation(number: int, rng: np.random.Generator) -> list[Server]:
    """The servers of one organisation: one to three, with the tenant's pauses in common."""
    detected = rng.uniform(FLOOR_RAISED, AS_OF - 2 * DAY)
    pauses = _pauses(detected, rng) if rng.random() < 0.55 else ()
    known = tuple((start, round((end - start) / DAY)) for start, end in pauses) if rng.random() < 0.2 else ()
    one_clock = rng.random() < 0.3
    servers = []
    for index in range(int(rng.integers(1, 4))):
        own = detected if one_clock else rng.uniform(FLOOR_RAISED, AS_OF - 2 * DAY)
        server = Server(
            f"s{number:04d}", f"EX{index + 1:02d}", Clock(own, pauses), pauses=pauses, known_pauses=known
        )
        _logs(server, rng)
        if rng.random() < 0.4 and not one_clock:
            _relapse(server, rng)
        if not server.compliant and rng.random() < 0.1:
            server.told_detection = True
        if not server.compliant and rng.random() < 0.1:
            server.told_report = rng.uniform(own, AS_OF)
        servers.append(server)
    return servers


def _pauses(detected: float, rng: np.random.Generator) -> Spans:
    """One to three pauses of whole days that keep to the yearly quota, counted in the year in which they begin."""
    left = {2026: QUOTA, 2027: QUOTA}
    spans: list[tuple[float, float]] = []
    for _ in range(int(rng.integers(1, 4))):
        start = rng.uniform(detected - 20 * DAY, AS_OF + 30 * DAY)
        if rng.random() < 0.3:
            start = detected + rng.uniform(28, 60) * DAY
        year = datetime.fromtimestamp(start, UTC).year
        days = int(rng.integers(1, QUOTA + 1)) if rng.random() < 0.5 else int(rng.integers(1, 12))
        days = min(days, left[year])
        if days < 1 or any(start < until and since < start + days * DAY for since, until in spans):
            continue
        left[year] -= days
        spans.append((start, start + days * DAY))
    return tuple(sorted(spans))


def _relapse(server: Server, rng: np.random.Generator) -> None:
    """An update and a fall back: the clock resumed, restarted or never cleared; or an update that stays.

    Both come before the logs end: what happens after that no log can show.
    """
    clock = server.clock
    updated = clock.detected + rng.uniform(20, 100) * DAY
    back = updated + rng.uniform(2, 40) * DAY
    logged = server.visible(np.arange(*server.logs, 3600.0))
    if not len(logged) or back > logged[-1]:
        return
    server.kind = str(rng.choice(["resumed", "restarted", "never cleared", "updated"]))
    if server.kind == "updated":
        server.compliant = ((updated, float("inf")),)
        return
    server.compliant = ((updated, back),)
    if server.kind == "resumed":
        server.clock = Clock(clock.detected, _merged((*clock.still, (updated, back))))
    elif server.kind == "restarted":
        server.earlier, server.restarted_at = clock, back
        server.clock = Clock(back + rng.uniform(0, 3) * DAY, clock.still)


def _merged(spans: Spans) -> Spans:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _logs(server: Server, rng: np.random.Generator) -> None:
    """What is kept of the logs, how wrong their clock is, how the windows lie."""
    end = AS_OF if rng.random() < 0.7 else AS_OF - rng.uniform(0, 20) * DAY
    server.logs = (end - rng.choice([5.0, 20.0, 45.0, 100.0, 150.0]) * DAY, end)
    if rng.random() < 0.4:
        gaps = [rng.uniform(server.logs[0], end) for _ in range(int(rng.integers(1, 4)))]
        server.log_gaps = tuple((start, start + rng.uniform(0.1, 25) * DAY) for start in gaps)
    server.skew_is_measured = bool(rng.random() < 0.7)
    server.skew = float(rng.uniform(-2400, 2400) if server.skew_is_measured else rng.uniform(-600, 600))
    server.random_windows = bool(rng.random() < 0.3)
    server.throttle_from, server.block_from = rng.uniform(0, 60), rng.uniform(0, 60)
    server.stage_throttles[5:7] = rng.choice([[0, 0], [30, 30], [40, 45], [40, 50], [30, 40]])
