"""Floors, flaws, support and stages, against values worked out by hand from the tables and their sources."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.reference.builds import Build, parse_build
from pipeline.reference.catalogue import Catalogue

TODAY = date(2026, 11, 25)


def build(text: str) -> Build:
    parsed = parse_build(text)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("text", "on", "verdict", "minimum"),
    [
        # 2016 CU23 from 2024-03: Aug23SU, 15.1.2507.31, lowest entry of RecommendedBuildVersions (a6n,
        # 2024-05)
        ("15.1.2507.31", date(2024, 5, 10), "accepted", "15.1.2507.31"),
        ("15.1.2507.27", date(2024, 5, 10), "below the floor", "15.1.2507.31"),
        # .36 is no published build, yet it is in RecommendedBuildVersions: compared by its numbers
        ("15.1.2507.36", date(2024, 5, 10), "accepted", "15.1.2507.31"),
        ("15.1.2375.37", date(2024, 5, 10), "below the floor", None),
        # June 2024 to August 2026: raised without notice, values not public. Q&A 2077487 (2024-09): .17
        # refused
        ("15.1.2507.17", date(2024, 9, 20), "below the floor", None),
        ("15.1.2507.39", date(2024, 9, 20), "floor not public", None),
        ("15.1.2507.61", date(2025, 12, 1), "accepted", None),
        # second week of September 2026: KB5066369, KB5066367, KB5066368
        ("15.1.2507.61", TODAY, "accepted", "15.1.2507.61"),
        ("15.1.2507.59", TODAY, "below the floor", "15.1.2507.61"),
        ("15.1.2507.77", TODAY, "accepted", "15.1.2507.61"),
        ("15.2.1748.39", TODAY, "accepted", "15.2.1748.39"),
        ("15.2.1748.37", TODAY, "below the floor", "15.2.1748.39"),
        ("15.2.1544.36", TODAY, "accepted", "15.2.1544.36"),
        ("15.2.1544.34", TODAY, "below the floor", "15.2.1544.36"),
        # 2016 below CU23 and 2019 below CU14 have no October 2025 update
        ("15.1.2375.37", TODAY, "below the floor", None),
        ("15.2.1258.39", TODAY, "below the floor", None),
        # 2019 before September 2026: a floor was in force, never seen
        ("15.2.1544.9", date(2024, 5, 10), "floor not public", None),
        # end of life: no build is accepted since the roll-out
        ("8.3.517.0", TODAY, "no build is accepted", None),
        ("14.3.513.0", TODAY, "no build is accepted", None),
        ("15.0.1497.48", TODAY, "no build is accepted", None),
        ("15.0.1497.48", date(2023, 11, 30), "not enforced yet", None),
        ("15.0.1497.48", date(2023, 12, 1), "no build is accepted", None),
        # Exchange SE: no floor published
        ("15.2.2562.17", TODAY, "floor not public", None),
        ("15.2.196.0", TODAY, "build unknown", None),
    ],
)
def test_floors(text: str, on: date, verdict: str, minimum: str | None, catalogue: Catalogue) -> None:
    floor = catalogue.floor_of(build(text), on)
    assert (floor.verdict, str(floor.minimum) if floor.minimum else None) == (verdict, minimum)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        # the next raise lies above every public update: the October 2025 builds fall, which ESU builds is
        # unknown
        ("15.1.2507.61", "refused"),
        ("15.2.1748.39", "refused"),
        ("15.2.1544.36", "refused"),
        ("15.1.2507.63", "unknown"),
        ("15.2.1748.55", "unknown"),
        ("15.1.2507.39", "refused"),
        ("15.0.1497.48", "refused"),
        ("15.2.2562.56", None),
    ],
)
def test_after_the_next_raise(text: str, after: str | None, catalogue: Catalogue) -> None:
    assert catalogue.floor_of(build(text), TODAY).after_next == after


def test_cu14_of_2019_is_disputed_and_cu15_is_not(catalogue: Catalogue) -> None:
    assert catalogue.floor_of(build("15.2.1544.36"), TODAY).disputed
    assert not catalogue.floor_of(build("15.2.1748.39"), TODAY).disputed


def test_flaws_are_judged_in_the_line_of_the_build(catalogue: Catalogue) -> None:
    # CVE-2021-26855 (ProxyLogon): 2016 CU19 is fixed from 15.1.2176.9, CU18 from 15.1.2106.13, CU23 came
    # later.
    def open_in(text: str) -> set[str]:
        return {flaw.cve for flaw in catalogue.open_cves(build(text))}

    assert "CVE-2021-26855" in open_in("15.1.2176.2")
    assert "CVE-2021-26855" not in open_in("15.1.2176.9")
    assert "CVE-2021-26855" in open_in("15.1.2106.2")
    assert "CVE-2021-26855" not in open_in("15.1.2106.13")
    assert "CVE-2021-26855" not in open_in("15.1.2507.6")


def test_exploited_flaws_come_first_and_old_products_show_none(catalogue: Catalogue) -> None:
    flaws = catalogue.open_cves(build("15.1.2507.6"))
    flags = [flaw.kev for flaw in flaws]
    assert flags == sorted(flags, reverse=True)
    assert {"CVE-2022-41040", "CVE-2022-41082"} <= {flaw.cve for flaw in flaws if flaw.kev}
    # nobody publishes for 2013 after its end of support
    assert catalogue.open_cves(build("15.0.1497.48")) == ()
    assert catalogue.open_cves(build("15.2.2562.56")) == ()


def test_a_fix_that_needs_a_setting_is_named(catalogue: Catalogue) -> None:
    needing = {flaw.cve: flaw for flaw in catalogue.cves_needing_configuration(build("15.1.2507.77"))}
    assert "Extended Protection" in (needing["CVE-2022-24516"].note or "")


@pytest.mark.parametrize(
    ("text", "on", "state", "supported"),
    [
        ("15.1.2507.61", date(2025, 10, 14), "extended support", True),
        ("15.1.2507.61", date(2025, 10, 15), "extended security updates only", False),
        ("15.1.2507.61", date(2026, 10, 31), "extended security updates only", False),
        ("15.1.2507.61", date(2026, 11, 1), "out of support", False),
        # extended security updates: CU23 of 2016, CU14 and CU15 of 2019 only
        ("15.1.2375.37", date(2026, 1, 1), "out of support", False),
        ("15.2.1544.36", date(2026, 1, 1), "extended security updates only", False),
        ("15.2.1258.39", date(2026, 1, 1), "out of support", False),
        ("15.2.1748.39", date(2023, 12, 31), "mainstream support", True),
        ("15.0.1497.48", date(2023, 4, 11), "extended support", True),
        ("15.0.1497.48", date(2023, 4, 12), "out of support", False),
        ("15.2.2562.17", TODAY, "supported", True),
        ("15.20.7135.32", TODAY, "not listed", False),
    ],
)
def test_support(text: str, on: date, state: str, supported: bool, catalogue: Catalogue) -> None:
    support = catalogue.support(build(text), on)
    assert (support.state, support.supported) == (state, supported)


def test_the_stage_table(catalogue: Catalogue) -> None:
    # stage, days since first detection, throttle and block minutes an hour; None is not public
    assert [(s.stage, s.day_from, s.day_to, s.throttle, s.block) for s in catalogue.stages_on(TODAY)] == [
        (1, 0, 30, 0, 0),
        (2, 30, 40, 5, 0),
        (3, 40, 50, 10, 0),
        (4, 50, 60, 20, 0),
        (5, 60, 70, 30, 5),
        (6, 70, 80, None, 10),
        (7, 80, 90, None, 20),
        (8, 90, None, 0, 60),
    ]
