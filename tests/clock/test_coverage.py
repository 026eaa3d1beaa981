"""Simulated servers: the truth lies inside what is reported, and what is reported is narrow."""

from __future__ import annotations

import pytest

from tests.clock.coverage import summary
from tests.clock.evaluate import evaluate, middle, widths


@pytest.mark.parametrize("seed", [1, 2])
def test_truth_lies_inside(seed: int) -> None:
    findings = evaluate(60, seed)
    assert len(findings) == 60
    assert [finding.wrong for finding in findings if finding.wrong] == [], summary(findings, 0)
    median = middle(widths(findings))
    assert median is not None and median <= 1
