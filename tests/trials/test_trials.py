"""Short trials with a fixed seed; long ones: `python -m tests.trials crash --kills 200`, `live`, `concurrent`."""

from __future__ import annotations

from pathlib import Path

from .crash import crash
from .live import live
from .two_at_once import concurrent


def test_commands_are_killed_and_run_again(tmp_path: Path) -> None:
    outcome = crash(tmp_path, kills=8, seed=20261125, boundaries_of_each=3)
    assert not outcome.failures, outcome.table()
    assert outcome.counts["no orphan after clean-up"] == 20
    assert outcome.counts["run again: every row as undisturbed"] == 20


def test_logs_are_written_while_they_are_ingested(tmp_path: Path) -> None:
    outcome = live(tmp_path, seconds=6, seed=20261125)
    assert not outcome.failures, outcome.table()


def test_several_ingests_at_once(tmp_path: Path) -> None:
    outcome = concurrent(tmp_path, writers=3, rounds=2, seed=20261125)
    assert not outcome.failures, outcome.table()
    assert outcome.counts["every row as of one ingest alone"] == 2
