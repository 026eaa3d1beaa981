"""How often the truth lies inside the reported intervals, and how wide they are.

`python -m tests.clock.coverage --servers 1000 --seed 1` simulates servers with a known course, lets the
product's views judge their logs in one session, and prints coverage and widths. Exit code 1 if any truth lies outside.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from tests.clock.evaluate import Finding, evaluate, middle, widths


def summary(findings: Sequence[Finding], seconds: float) -> str:
    """What is printed."""
    dated = [finding for finding in findings if finding.row["basis"] is not None]
    outside = [finding for finding in dated if finding.wrong]
    steady = [finding for finding in dated if finding.server.has_course_without_pause]
    steady_outside = [
        finding for finding in steady if any("without a pause" in text for text in finding.wrong)
    ]
    spans = [
        (latest - earliest).total_seconds() / 86_400
        for finding in dated
        if (latest := finding.row["next_stage_latest"]) and (earliest := finding.row["next_stage_earliest"])
    ]
    paused = [
        (latest - earliest).total_seconds() / 86_400
        for finding in dated
        if (latest := finding.row["next_stage_latest_if_paused"])
        and (earliest := finding.row["next_stage_earliest"])
    ]
    kinds = Counter(finding.server.kind for finding in findings)
    lines = [
        f"servers {len(findings)} ({', '.join(f'{kind} {number}' for kind, number in sorted(kinds.items()))}), "
        f"{seconds:.0f} s",
        f"with dates {len(dated)}: "
        + ", ".join(
            f"{basis} {number}"
            for basis, number in sorted(Counter(str(f.row["basis"]) for f in dated).items())
        ),
        "first detection, day 0, next stage and full block inside, latest if paused: "
        f"{len(dated) - len(outside)} of {len(dated)}",
        f"no pause, and inside the interval without a pause: {len(steady) - len(steady_outside)} of {len(steady)}",
        f"median width without a pause where a change of stage is visible: {_days(widths(findings))}",
        f"median width of the next stage, no pause: {_days(spans)}; latest if paused: {_days(paused)}, "
        f"no upper bound: {sum(f.row['next_stage'] is not None for f in dated) - len(paused)}",
    ]
    lines.extend(
        f"OUTSIDE {finding.server.organisation} {finding.server.name} ({finding.server.kind}): {'; '.join(finding.wrong)}"
        for finding in outside
    )
    return "\n".join(lines)


def _days(values: Sequence[float]) -> str:
    median = middle(values)
    return "none" if median is None else f"{median:.2f} days ({len(values)} servers)"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    started = time.monotonic()
    findings = evaluate(given.servers, given.seed)
    print(summary(findings, time.monotonic() - started))
    return 1 if any(finding.wrong for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
