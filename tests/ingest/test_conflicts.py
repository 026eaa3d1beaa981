"""Commits that others are faster with, and runs that end midway: nothing lost, nothing doubled, all told."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pipeline.ingest import run
from pipeline.ingest.run import Ingest
from pipeline.ingest.summary import Summary
from pipeline.logs import discover
from pipeline.logs.assign import Rules
from pipeline.store.delta import Conflict, Table
from pipeline.store.store import Store

from .logtext import head, receive, send, tracking
from .place import HOSTS, NOW, Place, report_of
from .test_sources import NAME, assert_nothing_new, assert_ranges_add_up, sequence

TRACKING = "contoso/EX01/TransportRoles/Logs/MessageTracking/MSGTRK2026112009-1.LOG"
SEND = "contoso/EX01/TransportRoles/Logs/Hub/ProtocolLog/SmtpSend/SEND2026112009-1.LOG"


class Killed(BaseException):
    """Stands for the end of the process."""


def on_commit(
    monkeypatch: pytest.MonkeyPatch, when: Callable[[int, Table], bool], error: type[BaseException]
) -> list[str]:
    """Raise instead of committing where `when(number, table)` says so; returns the tables so far."""
    plain, numbers, names = Table.commit, itertools.count(), list[str]()

    def commit(self: Table, add: Any, remove: Any) -> None:
        names.append(self.root.name)
        if when(next(numbers), self):
            raise error
        plain(self, add, remove)

    monkeypatch.setattr(Table, "commit", commit)
    return names


def first_of(name: str) -> Callable[[int, Table], bool]:
    """True at the first commit of a table."""
    seen: list[int] = []
    return lambda number, table: table.root.name == name and not seen and not seen.append(number)  # type: ignore[func-returns-value]


@pytest.mark.parametrize("table", ["message_tracking", "smtp_protocol"])
def test_a_conflict_of_either_table_loses_nothing_of_the_summary(
    place: Place, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    place.write(NAME, receive(range(3)))
    place.write(SEND, send(range(10, 14)))
    place.write(TRACKING, tracking(range(5)))
    on_commit(monkeypatch, first_of(table), Conflict)
    summary = place.ingest()
    assert {report.path[-12:]: (report.outcome, report.rows, report.header) for report in summary.files} == {
        "112008-1.LOG": ("new", 3, 5),
        "112009-1.LOG": ("new", 4, 5),
        "12009-1.LOG": ("new", 5, 5),
    } or sorted((report.outcome, report.rows, report.header) for report in summary.files) == [
        ("new", 3, 5),
        ("new", 4, 5),
        ("new", 5, 5),
    ]
    assert sequence(place) == [0, 1, 2, 10, 11, 12, 13]
    assert len(place.rows("message_tracking")) == 5
    assert_ranges_add_up(place)
    assert_nothing_new(place)


def test_a_conflict_before_a_shorter_copy_is_compared_loses_no_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(f"a/{NAME}", receive(range(9)))
    place.write(f"b/{NAME}", receive(range(4)))
    place.write(f"c/{NAME}", receive([0, 1, 77]))
    on_commit(monkeypatch, first_of("smtp_protocol"), Conflict)
    summary = place.ingest()
    assert len(summary.files) == 3
    assert report_of(summary, f"b/{NAME}").outcome == "unchanged"
    assert report_of(summary, f"a/{NAME}").rows == 9
    assert sequence(place) == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 77]


def test_a_conflict_leaves_no_part_behind(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write(NAME, receive(range(3)))
    on_commit(monkeypatch, lambda number, table: number < 3, Conflict)
    place.ingest()
    parts = list(place.store.root.rglob("*.parquet"))
    assert len(parts) == sum(len(snapshot.parts) for snapshot in place.store.snapshot())
    assert sequence(place) == [0, 1, 2]


def test_a_store_that_others_keep_committing_to_ends_in_one_sentence(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.errors import TbesError

    place.write(NAME, receive(range(3)))
    on_commit(monkeypatch, lambda number, table: True, Conflict)
    with pytest.raises(TbesError, match="again"):
        place.ingest()
    assert list(place.store.root.rglob("*.parquet")) == []


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("commits", [1, 2, 3])
@pytest.mark.parametrize("error", [Killed, Conflict])
def test_an_end_within_a_log_of_several_batches(
    place: Place, monkeypatch: pytest.MonkeyPatch, ending: str, commits: int, error: type[BaseException]
) -> None:
    """A log so large that it is committed in parts; the run ends, or meets another, between two of them."""
    monkeypatch.setattr(run, "BATCH_BYTES", 4_000)
    monkeypatch.setattr(discover, "CHUNK", 2_000)
    monkeypatch.setattr(discover.chunks, "__defaults__", (0, 2_000))
    place.write(NAME + ending, receive(range(200)) + head() + receive(range(200, 210))[len(head()) :])
    on_commit(monkeypatch, lambda number, table: number == commits, error)
    if error is Killed:
        with pytest.raises(Killed):
            Ingest(Store(place.store.root), HOSTS, Rules(), now=NOW).run([place.logs])
        assert 0 < len(sequence(place)) < 210
    summary = place.ingest()
    assert sequence(place) == list(range(210))
    assert [line["source_line"] for line in place.rows()] == [*range(6, 206), *range(211, 221)]
    assert sum(entry.header for entry in place.ranges()) == 10
    if error is Conflict:
        assert (summary.total("rows"), summary.total("header")) == (210, 10)
    assert_ranges_add_up(place)
    assert_nothing_new(place)


def _another(place: Place) -> Summary:
    """Another process's ingest of the same logs, begun a little later."""
    return Ingest(Store(place.store.root), HOSTS, Rules(), now=NOW + timedelta(minutes=5)).run([place.logs])


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_the_rest_of_a_log_that_another_process_was_faster_with(
    place: Place, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    """Between two commits of one log another process reads the rest of it: each says what it added itself."""
    monkeypatch.setattr(run, "BATCH_BYTES", 4_000)
    monkeypatch.setattr(discover.chunks, "__defaults__", (0, 2_000))
    place.write(NAME, receive(range(200)))
    plain, numbers, added = Table.commit, itertools.count(), list[int]()

    def commit(self: Table, add: Any, remove: Any) -> None:
        if next(numbers) == commits:
            added.append(_another(place).total("rows"))
        plain(self, add, remove)

    monkeypatch.setattr(Table, "commit", commit)
    summary = place.ingest()
    assert sequence(place) == list(range(200))
    assert 0 < added[0] < 200
    assert summary.total("rows") == 200 - added[0]
    assert summary.total("header") == 5
    assert_ranges_add_up(place)
    assert_nothing_new(place)


def test_two_copies_with_a_half_last_line_are_at_rest(place: Place) -> None:
    for folder in ("a", "b"):
        place.write(f"{folder}/{NAME}", receive(range(4))[:-9])
    place.ingest()
    assert sequence(place) == [0, 1, 2]
    assert_nothing_new(place)
    assert_nothing_new(place)


def test_an_interrupt_leaves_nothing_half(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write(NAME, receive(range(4)))
    place.write(TRACKING, tracking(range(4)))
    on_commit(monkeypatch, lambda number, table: number == 1, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        place.ingest()
    parts = list(place.store.root.rglob("*.parquet"))
    assert len(parts) == sum(len(snapshot.parts) for snapshot in place.store.snapshot()) == 1
    monkeypatch.undo()
    place.ingest()
    assert sequence(place) == [0, 1, 2, 3]
    assert len(place.rows("message_tracking")) == 4
