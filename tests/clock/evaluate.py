"""Simulated servers through the product's views, all in one session, and the truth beside what they report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

import duckdb
import numpy as np
import polars as pl

from pipeline import queries
from tests.clock.courses import AS_OF, organisation
from tests.clock.rows import Evidence
from tests.clock.world import DAY, Server
from tests.queries.conftest import _connect

INPUTS = ("refusals", "tracking_hours", "hand_overs")


def session(evidence: Evidence) -> duckdb.DuckDBPyConnection:
    """A session with the views that clocks need, over evidence instead of logs."""
    connection = _connect()
    connection.execute("insert into parameters (as_of) values (?)", [datetime.fromtimestamp(AS_OF, UTC)])
    upstream = queries.needed_views(" ".join(INPUTS))
    for view in upstream:
        connection.execute(f"create table {view.name} as {view.sql}")
    for relation, frames in evidence.frames.items():
        frame = pl.concat(frames)
        connection.register("rows", frame.to_arrow())
        names = ", ".join(frame.columns)
        connection.execute(f"insert into {relation} ({names}) select {names} from rows")
        connection.unregister("rows")
    for relation, records in evidence.small.items():
        for record in records:
            names = ", ".join(record)
            marks = ", ".join("?" * len(record))
            connection.execute(f"insert into {relation} ({names}) values ({marks})", list(record.values()))
    done = {view.name for view in upstream}
    for view in queries.needed_views("server_clocks clock_bounds clock_pieces"):
        if view.name not in done:
            connection.execute(f"create table {view.name} as {view.sql}")
    return connection


@dataclass(frozen=True, slots=True)
class Finding:
    """One server: its course, the row of `server_clocks`, and what is wrong with it."""

    server: Server
    row: dict[str, Any]
    wrong: tuple[str, ...]
    width: float | None


def simulate(count: int, seed: int) -> list[Server]:
    """At least `count` servers."""
    rng = np.random.default_rng(seed)
    servers: list[Server] = []
    number = 0
    while len(servers) < count:
        number += 1
        servers.extend(organisation(number, rng))
    return servers[:count]


def evaluate(count: int, seed: int) -> list[Finding]:
    """The truth of `count` servers against their reported intervals; those without a single line are left out."""
    servers = simulate(count + count // 50 + 1, seed)
    rng = np.random.default_rng(seed + 1)
    evidence = Evidence()
    by_organisation: dict[str, list[Server]] = {}
    for server in servers:
        by_organisation.setdefault(server.organisation, []).append(server)
    for fleet in by_organisation.values():
        evidence.add(fleet, rng)
    with session(evidence) as connection:
        result = connection.execute("select * from server_clocks")
        names = [column[0] for column in result.description or ()]
        rows = [dict(zip(names, record, strict=True)) for record in result.fetchall()]
        then = {
            (record[0], record[1]): record[2:]
            for record in connection.execute(
                "select organisation, server, last_refusal_at, upper_then, lower_then from clock_bounds "
                "where last_at = last_refusal_at"
            ).fetchall()
        }
        seen = connection.execute(
            "select organisation, server, count(distinct stage_from) from clock_pieces "
            "where server <> '' and stage_from is not null group by all"
        ).fetchall()
    reported = {(row["organisation"], row["server"]): row for row in rows}
    changes = {(o, s): stages for o, s, stages in seen}
    return [
        _judge(server, reported[key], changes.get(key, 0), then.get(key))
        for server in servers
        if (key := (server.organisation, server.name)) in reported
    ][:count]


def _judge(
    server: Server, row: dict[str, object], stages_seen: int, then: tuple[int, int | None, int | None] | None
) -> Finding:
    if server.kind == "updated" and server.compliant[0][0] <= AS_OF:
        return Finding(server, row, (), None)
    wrong = [*_outside(server, row), *_outside_then(server, then)]
    width = None
    if server.has_course_without_pause and stages_seen > 1 and row["basis"] == "observed":
        earliest, latest = _seconds(row["day_0_earliest"]), _seconds(row["day_0_latest"])
        if earliest is not None and latest is not None:
            width = (latest - earliest) / DAY
    return Finding(server, row, tuple(wrong), width)


def _outside(server: Server, row: dict[str, object]) -> Iterator[str]:
    clock = server.clock
    truths = [("first_detected", clock.detected, "first_detected_latest", "first_detected_latest")]
    if row["next_stage"] is not None:
        begins = clock.enters(int(str(row["next_stage"])))
        truths.append(("next_stage", begins, "next_stage_latest", "next_stage_latest_if_paused"))
    truths.append(("full_block", clock.enters(8), "full_block_latest", "full_block_latest_if_paused"))
    truths.append(("day_0", clock.effective_day_0(_reckoned_to(server)), "day_0_latest", ""))
    for name, truth, plain, paused in truths:
        earliest = _seconds(row[f"{name}_earliest"])
        if earliest is not None and truth < earliest - 1:
            yield f"{name} {(earliest - truth) / DAY:.2f} days before the earliest"
        latest = _seconds(row[paused]) if paused else None
        if latest is not None and truth > latest + 1:
            yield f"{name} {(truth - latest) / DAY:.2f} days after the latest if paused"
        latest = _seconds(row[plain])
        known = {start for start, _ in server.known_pauses}
        if server.compliant or any(start not in known for start, _ in server.pauses):
            continue
        if latest is not None and truth > latest + 1:
            yield f"{name} {(truth - latest) / DAY:.2f} days after the latest without a pause"


def _outside_then(server: Server, then: tuple[int, int | None, int | None] | None) -> Iterator[str]:
    """Day 0 as it stood at the latest refusal: no allowance for pauses to come hides an error in it."""
    if then is None:
        return
    last, upper, lower = then
    truth = server.clock_at(last - 1800).effective_day_0(last)
    if upper is not None and truth > upper + 1:
        yield f"day 0 at the latest refusal {(truth - upper) / DAY:.2f} days after the latest"
    if lower is not None and truth < lower - 1:
        yield f"day 0 at the latest refusal {(lower - truth) / DAY:.2f} days before the earliest"


def _reckoned_to(server: Server) -> float:
    """The report date, or the end of a known pause that is under way then or may be under way: its day has no zone."""
    known = {start for start, _ in server.known_pauses}
    if server.told_report is not None:
        known |= {start for start, _ in server.pauses if start <= server.told_report}
    return max(
        [
            AS_OF,
            *(
                end
                for start, end in server.pauses
                if start in known and start // DAY * DAY - 14 * 3600 <= AS_OF
            ),
        ]
    )


def _seconds(value: object) -> float | None:
    return value.timestamp() if isinstance(value, datetime) else None


def widths(findings: Sequence[Finding]) -> list[float]:
    """Widths of day 0, days, of servers without a pause whose logs show a change of stage."""
    return [finding.width for finding in findings if finding.width is not None]


def middle(values: Sequence[float]) -> float | None:
    """The median, if there is anything."""
    return median(values) if values else None
