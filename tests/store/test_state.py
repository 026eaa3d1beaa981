"""What has been ingested, made from the parts' entries: in any order the same."""

from __future__ import annotations

import itertools
import json

import pytest

from pipeline.errors import UsageError
from pipeline.store.ranges import dump, load
from pipeline.store.state import State
from pipeline.store.store import glob_escape

from .entries import entry


def test_entries_come_back_as_they_were_written() -> None:
    entries = [entry(), entry(path='quote " and \\ and ü 组', warning="a; b", server=None, first_time=None)]
    assert load(dump(entries)) == entries
    assert "组" in dump(entries)


def test_entries_of_a_newer_format_are_refused_and_other_orders_are_read() -> None:
    document = json.loads(dump([entry()]))
    with pytest.raises(UsageError, match=r"newer tbes.*format"):
        load(json.dumps({**document, "format": 99}))
    names = list(reversed(document["names"]))
    swapped = {**document, "names": names, "sources": [list(reversed(document["sources"][0]))]}
    assert load(json.dumps(swapped)) == [entry()]


def test_the_furthest_entry_of_a_source_is_its_state_in_any_order() -> None:
    first = entry(position_to=500, size=500, read_at="2026-11-25T12:00:00+00:00")
    second = entry(position_to=900, size=900, read_at="2026-11-25T13:00:00+00:00")
    moved = entry(position_to=900, size=950, path="E:\\other.LOG", read_at="2026-11-25T14:00:00+00:00")
    for order in itertools.permutations([first, second, moved]):
        state = State()
        state.add(order)
        assert state.newest["s" * 32].position_to == 900
        assert state.unchanged("D:\\logs\\RECV.LOG", 900, first.mtime_ns) == second
        assert state.unchanged("D:\\logs\\RECV.LOG", 500, first.mtime_ns) is None
        assert state.unchanged("E:\\other.LOG", 950, first.mtime_ns) == moved


def test_two_entries_of_one_reading_are_that_of_its_end_in_any_order() -> None:
    """A log that was committed in parts, or whose rows fell into two field lists."""
    begin, end = entry(position_to=500), entry(position_to=900, open_end=True)
    for order in itertools.permutations([begin, end]):
        state = State()
        state.add(order)
        assert state.unchanged(begin.path, begin.size, begin.mtime_ns) == end
        assert state.newest[begin.source_id] == end


def test_organisations_stay_apart_and_servers_keep_their_first_spelling() -> None:
    state = State()
    state.add(
        [entry(), entry(source_id="t" * 32, organisation="fabrikam", organisation_name="Fabrikam", path="x")]
    )
    assert state.by_content["c" * 32] == {"s" * 32, "t" * 32}
    assert state.organisation_names == {"contoso": "Contoso GmbH & Söhne", "fabrikam": "Fabrikam"}
    assert state.server_name("contoso", "ex01") == "EX01"
    assert state.server_name("fabrikam", "ex01") == "EX01"
    assert state.server_name("northwind", "ex01") == "ex01"


def test_paths_are_no_patterns() -> None:
    assert glob_escape("a*b?c[d]") == "a[*]b[?]c[[]d]"
