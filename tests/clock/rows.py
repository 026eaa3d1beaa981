"""The rows that the logs of simulated servers leave: as the views `refusals`, `tracking_hours` and `hand_overs` have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from tests.clock.courses import AS_OF
from tests.clock.world import BLOCKS, DAY, Server, Times, within

BELOW, ACCEPTED = "15.1.2507.59", "15.1.2507.61"
RATES = (0.05, 0.3, 1.0, 4.0, 15.0)
"""Messages an hour."""


@dataclass(slots=True)
class Evidence:
    """Frames by relation, and what organisations.toml and imported reports say."""

    frames: dict[str, list[pl.DataFrame]] = field(
        default_factory=lambda: {
            "refusals": [],
            "tracking_hours": [],
            "hand_overs": [],
            "smtp_protocol_lines": [],
        }
    )
    small: dict[str, list[dict[str, object]]] = field(
        default_factory=lambda: {"known_pauses": [], "known_first_detections": [], "imported_reports": []}
    )

    def add(self, servers: Iterable[Server], rng: np.random.Generator) -> None:
        """The evidence of the servers of one organisation."""
        for number, server in enumerate(servers):
            if number == 0:
                self._known_pauses(server)
            times = _arrivals(server, rng)
            throttles, blocks = server.refused(times, rng)
            shown = server.skew + rng.uniform(0.1, 2.0, len(times))
            self._refusals(server, times - shown, throttles, blocks)
            self._hand_overs(server, times[(throttles == 0) & (blocks == 0)] - server.skew)
            self._builds(server)
            if server.skew_is_measured:
                self._banners(server, rng)
            if server.told_detection:
                self.small["known_first_detections"].append(
                    {
                        "organisation": server.organisation,
                        "server": server.name,
                        "first_detected": _time(server.clock.detected),
                    }
                )
            if server.told_report is not None:
                self._report(server, server.told_report)

    def _refusals(self, server: Server, times: Times, throttles: np.ndarray, blocks: np.ndarray) -> None:
        refused = (throttles > 0) | (blocks > 0)
        count = int(refused.sum())
        lines = np.arange(1, count + 1)
        frame = pl.DataFrame(
            {
                "time": _utc(times[refused]),
                "action": np.where(blocks[refused] > 0, "block", "throttle"),
                "minutes_per_hour": np.maximum(throttles[refused], blocks[refused]).astype(np.int32),
                "source_line": lines,
                "quotes_older": np.zeros(count, dtype=bool),
            }
        )
        # the report to the sender quotes a refusal, here a day and more later
        quoting = (
            frame.filter(pl.col("action") == "block")
            .tail(3)
            .with_columns(
                pl.col("time") + timedelta(days=1, hours=7),
                quotes_older=pl.lit(True),
                source_line=pl.col("source_line") + 1_000_000,
            )
        )
        kinds = pl.lit("smtp-send" if server.skew_is_measured else "message-tracking")
        self.frames["refusals"].append(
            pl.concat([frame, quoting]).with_columns(
                organisation=pl.lit(server.organisation),
                server=pl.lit(server.name),
                handed_over_by=pl.lit(server.name),
                log_kind=kinds,
                connector=pl.lit("Outbound to Office 365 - 1"),
                permanent=pl.col("action") == "block",
                refusal_key=pl.concat_str(
                    pl.lit(f"{server.organisation} {server.name} "), pl.col("source_line")
                ),
                source_file=pl.lit(f"{server.name}.LOG"),
            )
        )

    def _hand_overs(self, server: Server, times: Times) -> None:
        hours, counts = np.unique(times // 3600 * 3600, return_counts=True)
        for in_scope, destination in (
            ("yes", "own.mail.protection.outlook.com"),
            ("no", "other.mail.protection.outlook.com"),
        ):
            self.frames["hand_overs"].append(
                pl.DataFrame({"hour": _utc(hours), "messages": counts.astype(np.int64)}).with_columns(
                    organisation=pl.lit(server.organisation),
                    server=pl.lit(server.name),
                    destination=pl.lit(destination),
                    connector=pl.lit("Outbound to Office 365 - 1"),
                    in_scope=pl.lit(in_scope),
                    evidence=pl.lit("message-tracking"),
                )
            )

    def _builds(self, server: Server) -> None:
        hours = server.visible(np.arange(server.logs[0] // 3600 * 3600 + 3600, server.logs[1], 6 * 3600.0))
        build = np.where(within(hours, server.compliant), ACCEPTED, BELOW)
        self.frames["tracking_hours"].append(
            pl.DataFrame({"hour": _utc(hours - server.skew // 3600 * 3600), "build": build}).with_columns(
                organisation=pl.lit(server.organisation),
                server=pl.lit(server.name),
                lines=pl.lit(10, pl.Int64),
                first_time=pl.col("hour"),
                last_time=pl.col("hour") + timedelta(minutes=59),
            )
        )

    def _banners(self, server: Server, rng: np.random.Generator) -> None:
        times = server.visible(np.arange(server.logs[0] + 100.5, server.logs[1], 8 * 3600.0))
        self.frames["smtp_protocol_lines"].append(
            pl.DataFrame(
                {
                    "date_time": _utc(times - server.skew + rng.uniform(0, 0.5, len(times))),
                    "peer_time": _utc(np.floor(times)),
                }
            ).with_columns(
                organisation=pl.lit(server.organisation),
                server=pl.lit(server.name),
                log_kind=pl.lit("smtp-send"),
                event=pl.lit("<"),
                destination_class=pl.lit("exchange-online"),
            )
        )

    def _known_pauses(self, server: Server) -> None:
        for start, days in server.known_pauses:
            first = datetime.fromtimestamp(start, UTC).date()
            self.small["known_pauses"].append(
                {
                    "organisation": server.organisation,
                    "pause_from": first,
                    "pause_to": first + timedelta(days=days - 1),
                }
            )

    def _report(self, server: Server, time: float) -> None:
        """What Get-OnPremServerReportInfo said then: its next stage counts the pauses that had begun."""
        begun = type(server.clock)(
            server.clock.detected, tuple(span for span in server.clock.still if span[0] <= time)
        )
        stage = next((number for number in range(2, 9) if begun.enters(number) > time), None)
        if stage is None:
            return
        values: dict[str, object] = {
            "organisation": server.organisation,
            "server": server.name,
            "first_detected": _time(begun.detected),
            "throttle_enabled": _time(begun.detected + 30 * DAY),
            "blocking_enabled": _time(begun.detected + 60 * DAY),
            "next_stage_throttle": max(int(server.stage_throttles[stage - 1]), 0),
            "next_stage_block": max(int(BLOCKS[stage - 1]), 0),
            "next_stage_start": _time(begun.enters(stage)),
            "as_of": _time(time),
            "imported_at": _time(AS_OF),
            "date_reading": "iso",
        }
        self.small["imported_reports"].append(values)


def _arrivals(server: Server, rng: np.random.Generator) -> Times:
    """Messages for the own tenant in the logs: a Poisson stream, on most servers in office hours only."""
    rate = float(rng.choice(RATES))
    start, end = server.logs
    times = np.sort(rng.uniform(start, end, rng.poisson(rate * (end - start) / 3600)))
    if rng.random() < 0.6:
        times = times[(times % DAY > 7 * 3600) & (times % DAY < 19 * 3600)]
    return server.visible(times)


def _utc(times: Times) -> pl.Series:
    return pl.Series((times * 1e6).astype(np.int64)).cast(pl.Datetime("us", "UTC"))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
