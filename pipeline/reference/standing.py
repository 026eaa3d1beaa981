"""How a build stands: against the enforcement floor, against known flaws, in its life cycle.
 Three different things, never mixed: *supported* (life cycle), *safe* (no known flaw open), *accepted by
Exchange Online* (floor). Rules: `SOURCES.md`, "Reading exchange_cves.csv" and "Enforcement tables"; the
floor is
https://techcommunity.microsoft.com/blog/exchange/exchange-20162019-throttling-and-blocking-up-to-the-final-public-update-baseline/4552717
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.reference.builds import Build
from pipeline.reference.rows import BaselineRow, BuildRow, CveRow, LifecycleRow

Verdict = Literal[
    "accepted",
    "below the floor",
    "no build is accepted",
    "floor not public",
    "not enforced yet",
    "build unknown",
]
NextVerdict = Literal["accepted", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Floor:
    """The floor of a build's product and CU line on a day, and how the build stands to it.

    `minimum` is the floor's build, None if none is accepted or the value is not public. `row` is the row of
    the table it rests on, None where the CU line has no row on that date or enforcement has not begun.
    `disputed`: sources contradict each other whether the line is accepted at all. `announced` is the next
    raise, with `after_next`: accepted, refused or unknown, None where no raise is announced.
    """

    verdict: Verdict
    minimum: Build | None
    since: date | None
    row: BaselineRow | None
    disputed: bool
    announced: BaselineRow | None
    after_next: NextVerdict | None


def floor(
    baselines: Sequence[BaselineRow], product: str | None, line: str | None, build: Build, on: date
) -> Floor:
    """The floor on a day: the product's newest dated rows, compared inside the CU line by the four numbers.

    A CU line without a row of that date had no public update at that floor: it is below it. Floors have
    only ever risen, so where a value is not public a build below an earlier known floor of its line is
    below this one too, and a build at or above a later published one is accepted.
    """
    of_product = [row for row in baselines if row.product == product]
    if product is None or not of_product:
        return Floor(
            "build unknown" if product is None else "floor not public", None, None, None, False, None, None
        )
    announced = next(
        (row for row in of_product if row.effective_from is None and row.cumulative_update == line), None
    )
    dated = [row for row in of_product if row.effective_from is not None and row.effective_from <= on]
    if not dated:
        return Floor("not enforced yet", None, None, None, False, announced, None)
    since = max(row.effective_from for row in dated if row.effective_from)
    in_force = [row for row in dated if row.effective_from == since]
    row = next((row for row in in_force if row.cumulative_update == line), None)
    row = row or next((row for row in in_force if row.cumulative_update is None), None)
    if row is None:
        verdict: Verdict = "build unknown" if line is None else "below the floor"
        return Floor(
            verdict, None, since, None, False, announced, _after_next(announced, None, build, verdict)
        )
    verdict = _verdict(of_product, row, line, build)
    disputed = row.status == "disputed" and verdict == "accepted"
    return Floor(
        verdict,
        row.minimum,
        since,
        row,
        disputed,
        announced,
        _after_next(announced, row.minimum, build, verdict),
    )


def _verdict(of_product: list[BaselineRow], row: BaselineRow, line: str | None, build: Build) -> Verdict:
    if row.none_accepted:
        return "no build is accepted"
    if row.minimum is not None:
        return "accepted" if build >= row.minimum else "below the floor"
    for other in of_product:
        if (
            other.cumulative_update != line
            or other.minimum is None
            or not other.effective_from
            or not row.effective_from
        ):
            continue
        if other.effective_from < row.effective_from and build < other.minimum:
            return "below the floor"
        if (
            other.effective_from > row.effective_from
            and other.status == "published"
            and build >= other.minimum
        ):
            return "accepted"
    return "floor not public"


def _after_next(
    announced: BaselineRow | None, present: Build | None, build: Build, verdict: Verdict
) -> NextVerdict | None:
    if verdict in ("below the floor", "no build is accepted"):
        return "refused"
    if announced is None:
        return None
    if announced.minimum is not None:
        return "accepted" if build >= announced.minimum else "refused"
    # A raise goes above the present floor, so the floor's own build falls under it; how far is not public.
    return "refused" if present is not None and build <= present else "unknown"


@dataclass(frozen=True, slots=True)
class OpenCve:
    """A flaw of a build's product, with the build that fixes it (of the same CU line if there is one)."""

    cve: str
    kev: bool
    nickname: str | None
    fixed_in: Build
    security_update: str | None
    note: str | None


def open_cves(cves: Sequence[CveRow], product: str | None, build: Build) -> tuple[OpenCve, ...]:
    """Flaws that the build leaves open, known-exploited first, then by number.

    Fixed if the build is at or above the fix of its own line (first three numbers), or, where its line has
    no fix, at or above the highest fix of the product. This over-reports for old CUs, into which a flaw may
    have come later, and under-reports after a product's end of support, when nobody publishes for it any
    more.
    """
    judged = [(deciding, fixed) for deciding, fixed in _judged(cves, product, build) if not fixed]
    return tuple(
        sorted((_open(row) for row, _ in judged), key=lambda flaw: (not flaw.kev, _number(flaw.cve)))
    )


def needing_configuration(cves: Sequence[CveRow], product: str | None, build: Build) -> tuple[OpenCve, ...]:
    """Flaws that the build fixes only together with a setting, such as Extended Protection."""
    return tuple(
        sorted(
            (
                _open(row)
                for row, fixed in _judged(cves, product, build)
                if fixed and (row.note or "").startswith("needs-config")
            ),
            key=lambda flaw: (not flaw.kev, _number(flaw.cve)),
        )
    )


def _judged(cves: Sequence[CveRow], product: str | None, build: Build) -> list[tuple[CveRow, bool]]:
    by_cve: dict[str, list[CveRow]] = {}
    for row in cves:
        if row.product == product:
            by_cve.setdefault(row.cve, []).append(row)
    judged = []
    for fixes in by_cve.values():
        same_line = [row for row in fixes if row.fixed_in.line == build.line]
        deciding = max(same_line or fixes, key=lambda row: row.fixed_in)
        judged.append((deciding, build >= deciding.fixed_in))
    return judged


def _open(row: CveRow) -> OpenCve:
    return OpenCve(row.cve, row.kev, row.nickname, row.fixed_in, row.security_update, row.note)


def _number(cve: str) -> tuple[int, ...]:
    return tuple(int(part) for part in cve.split("-") if part.isdigit())


SupportState = Literal[
    "mainstream support",
    "extended support",
    "supported",
    "extended security updates only",
    "out of support",
    "not listed",
]


@dataclass(frozen=True, slots=True)
class Support:
    """A product's support on a day; the end days themselves still count as supported.

    `supported` is True under mainstream, extended or modern support. Under paid extended security updates
    it is False: they bring fixes, not support. `row` is None for what the life cycle does not list.
    """

    state: SupportState
    supported: bool
    row: LifecycleRow | None


def support(
    lifecycle: Sequence[LifecycleRow], builds: Sequence[BuildRow], product: str | None, build: Build, on: date
) -> Support:
    """Support of the build's product on a day; https://learn.microsoft.com/lifecycle/products/.

    Extended security updates cover only CU lines for which builds came out after the end of extended support.
    """
    prefix = f"{build.major}.{build.minor}"
    row = next((row for row in lifecycle if row.product == product and row.version_prefix == prefix), None)
    if row is None:
        return Support("not listed", False, None)
    if on <= row.extended_end:
        if row.mainstream_end is None:
            return Support("supported", True, row)
        mainstream = on <= row.mainstream_end
        return Support("mainstream support" if mainstream else "extended support", True, row)
    covered = any(
        other.build.line == build.line and other.release_date > row.extended_end for other in builds
    )
    if row.esu_end and on <= row.esu_end and covered:
        return Support("extended security updates only", False, row)
    return Support("out of support", False, row)
