"""The short version of `python -m tests.fuzz`, and every input that it once found a flaw with."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.logs.assign import Rules, assign
from pipeline.logs.framing import Header
from pipeline.logs.kinds import Kind
from tests.logs.damage import damaged_log

from .run import run_target, shares
from .targets import TARGETS, Cut, Target, check_one_block, check_one_framing, check_parsers

INPUTS = 20_000
SEED = 20_261_125


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_mutated_inputs(target: Target[object]) -> None:
    count = shares(INPUTS)[target.name]
    outcome = run_target(target, SEED, 0, count)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.inputs == count


FRAMING = {
    "a lone header line in mid-file, whose block goes on after the first reading": (
        b"Log-type: Message Tracking Log\n:\nVersion: 0\n0\n#i:\n2",
        51,
    ),
    "a second block that names other kinds": (
        b"Log-type: Message Tracking Log\n,\nLog-type: S\n:\n#s:\ni",
        52,
    ),
    "a plain line of names in a later block": (
        b"#Version:\n#Fields:r\n#Version:0\nLog-type: Message Tracking Log\n#Date:6\ndate-time,\n.",
        82,
    ),
    "a header line and a record joined by NULs": (
        b"Fields: date-time,event-id,message-id\x002026-11-20Th",
        49,
    ),
    "two header lines joined by a NUL": (b"#\x00#Log-type:SMTP Send Protocol Log\nx", 35),
    "an open quote behind NULs": (b'Log-type: Message Tracking Log\no\x002026-11-20T"""\n', 48),
    "a blank line between quotes of no record": (b'Log-type: Message Tracking Log\n2026-11-20T\n"\n\n"', 43),
    "a blank line in a cell that is closed before more quotes": (
        b'Log-type: Message Tracking Log\n2026-11-20T"\n\n"\n"""',
        49,
    ),
}


@pytest.mark.parametrize("name", FRAMING)
def test_found_in_framing(name: str) -> None:
    data, half = FRAMING[name]
    for place in range(len(data) + 1):
        check_one_framing(Cut(data, (place,), half if place == 0 else place))


PARSERS = {
    "a tracking log without the fields that name its server": (
        b"#Log-type: Message Tracking Log\n#Fields: date-time,client-ip\n2026-11-20T08:00:00.000Z,10.1.1.1\n"
    ),
    "a tracking log without fields": b"#Log-type: Message Tracking Log\n2026-11-20T08:00:00.000Z,10.1.1.1\n",
    "a receive log without connectors": (
        b"#Log-type: SMTP Receive Protocol Log\n#Fields: date-time,data\n2026-11-20T08:00:00.000Z,x\n"
    ),
    "a line of a wrong count that begins with no time": (
        b'Log-type: Message Tracking Log\nFields: date-time,\n5\n2026-11-2#T,""'
    ),
}


@pytest.mark.parametrize("name", PARSERS)
def test_found_in_parsers(name: str) -> None:
    data = PARSERS[name]
    for half in range(len(data) + 1):
        check_parsers([Cut(data, (), half)])


def test_found_in_rows() -> None:
    check_one_block((("date-time", "data"), b'2026-11-2#T,"",x\n2026-11-20T08:00:00Z,a,b\n'))


@pytest.mark.parametrize("name", ["2026-11-20" + "1" * 60 + "x", "20261120" + "12" * 100 + "."])
def test_a_folder_of_very_many_digits_is_judged_at_once(name: str) -> None:
    begin = time.process_time()
    kind = Kind("smtp-send", Header())
    assert assign(f"/logs/{name}/x.log", [name], "x.log", kind, None, Rules()).organisation == "unassigned"
    assert time.process_time() - begin < 1


@settings(
    derandomize=True,
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_damage_of_known_result_in_two_readings(data: st.DataObject) -> None:
    """The logs of tests/logs/damage.py, of which it is known what must be read, cut anywhere."""
    log = data.draw(damaged_log(data.draw(st.sampled_from(("smtp", "tracking"))), max_pieces=6))
    half = data.draw(st.integers(0, len(log.data)))
    check_one_framing(Cut(log.data, (half // 2,), half))
    check_parsers([Cut(log.data, (), half)])
