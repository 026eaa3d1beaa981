"""A log is read once, whatever becomes of its file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.ingest.plan import Job, Left, Looked, Planner

from .logtext import head, receive, row, send, tracking
from .place import HOUR, NOW, Place, content, report_of

DAY = 24 * HOUR
NAME = "contoso/EX01/TransportRoles/Logs/FrontEnd/ProtocolLog/SmtpReceive/RECV2026112008-1.LOG"


def outcomes(place: Place, **options: object) -> dict[str, int]:
    counts = place.ingest(**options).as_json()["files"]  # type: ignore[arg-type]
    return {name: count for name, count in counts.items() if count}


def sequence(place: Place) -> list[int]:
    return sorted(line["sequence_number"] for line in place.rows())


def assert_nothing_new(place: Place, **options: object) -> None:
    """The same again adds nothing, and says so."""
    before, versions = content(place.lines()), place.versions()
    counts = place.ingest(**options).as_json()  # type: ignore[arg-type]
    assert counts["lines"]["rows"] == counts["lines"]["header"] == 0
    assert counts["files"]["new"] == counts["files"]["grown"] == 0
    assert content(place.lines()) == before
    assert place.versions() == versions


def assert_ranges_add_up(place: Place) -> None:
    """What the parts say of their sources are the rows that stand in them."""
    for table in place.store.tables:
        lines = place.lines(table)
        ranges = place.ranges(table)
        assert sum(entry.rows for entry in ranges) == sum(line["parse_error"] is None for line in lines)
        assert sum(entry.quarantined for entry in ranges) == sum(
            line["parse_error"] is not None for line in lines
        )
        assert sum(entry.lines for entry in ranges) == sum(
            entry.rows + entry.quarantined + entry.header + entry.joined for entry in ranges
        )


def test_a_log_is_read_once(place: Place) -> None:
    place.write(NAME, receive(range(5)))
    summary = place.ingest()
    assert summary.as_json()["files"] == {
        "found": 1,
        "new": 1,
        "grown": 0,
        "unchanged": 0,
        "skipped": 0,
        "failed": 0,
    }
    assert summary.as_json()["lines"] == {"read": 10, "header": 5, "rows": 5, "quarantined": 0, "pending": 0}
    (report,) = summary.files
    assert (report.organisation, report.server, report.kind) == ("contoso", "EX01", "smtp-receive")
    assert sequence(place) == list(range(5))
    lines = place.lines()
    assert [line["source_line"] for line in lines] == [6, 7, 8, 9, 10]
    assert {line["log_service"] for line in lines} == {"frontend"}
    assert_ranges_add_up(place)
    assert_nothing_new(place)


def test_both_tables_and_several_months(place: Place) -> None:
    place.write(NAME, head() + row(1, month="10") + row(2, month="11") + b"damage\r\n" + row(3, month="10"))
    place.write("contoso/EX01/TransportRoles/Logs/MessageTracking/MSGTRK2026112009-1.LOG", tracking(range(4)))
    place.ingest()
    assert [(line["month"], line["sequence_number"]) for line in place.rows()] == [
        ("2026-10", 1),
        ("2026-11", 2),
        ("2026-10", 3),
    ]
    (bad,) = [line for line in place.lines() if line["parse_error"]]
    assert (bad["month"], bad["raw_line"], bad["source_line"]) == ("2026-11", "damage", 8)
    assert len(place.rows("message_tracking")) == 4
    assert_ranges_add_up(place)
    assert_nothing_new(place)


def test_a_grown_log_adds_its_new_lines(place: Place) -> None:
    for count in (3, 4, 9):
        place.write(NAME, receive(range(count)))
        summary = place.ingest()
        assert sequence(place) == list(range(count))
    assert summary.as_json()["files"]["grown"] == 1
    assert summary.as_json()["lines"]["rows"] == 5
    assert [line["source_line"] for line in place.lines()] == [n + 6 for n in range(9)]
    assert_ranges_add_up(place)
    assert_nothing_new(place)


@pytest.mark.parametrize("move", ["rename", "folder", "gzip", "zip", "touch", "zstd"])
def test_a_log_that_was_moved_or_compressed_since_is_known(place: Place, move: str) -> None:
    data = receive(range(5))
    old = place.write(NAME, data)
    place.ingest()
    before = content(place.lines())
    if move == "rename":
        old.rename(old.with_name("RECV2026112008-1 (2).LOG"))
    elif move == "folder":
        place.write(f"2026-11/{NAME}", data)
    elif move == "gzip":
        place.write(f"{NAME}.gz", data)
    elif move == "zip":
        place.zip("november.zip", {NAME.replace("/", "\\"): data})
    elif move == "zstd":
        import pyarrow as pa

        with pa.output_stream(f"{old}.zst", compression="zstd") as stream:
            stream.write(data)
    if move not in ("rename", "touch"):
        old.unlink()
    else:
        place.touch(NAME if move == "touch" else NAME.replace(".LOG", " (2).LOG"), age=2 * HOUR)
    summary = place.ingest()
    assert summary.as_json()["files"] | {"new": 0, "grown": 0, "failed": 0} == summary.as_json()["files"]
    assert summary.as_json()["lines"]["rows"] == 0
    assert content(place.lines()) == before
    assert_nothing_new(place)
    assert_ranges_add_up(place)


@pytest.mark.parametrize("change", ["LF for CRLF", "CRLF for LF", "with BOM"])
def test_a_log_that_was_saved_anew_is_known_by_its_lines(place: Place, change: str) -> None:
    """An editor changes bytes, not lines."""
    data, changed = receive(range(5)), receive(range(5)).replace(b"\r\n", b"\n")
    if change == "CRLF for LF":
        data, changed = changed, data
    elif change == "with BOM":
        changed = b"\xef\xbb\xbf" + data
    place.write(NAME, data)
    place.ingest()
    (place.logs / NAME).unlink()
    place.write(f"copy/{NAME}", changed)
    place.ingest()
    assert sequence(place) == list(range(5))
    assert_nothing_new(place)


def test_a_renamed_log_goes_on_growing(place: Place) -> None:
    old = place.write(NAME, receive(range(3)))
    place.ingest()
    old.unlink()
    place.write(NAME + ".gz", receive(range(8)))
    summary = place.ingest()
    assert (summary.as_json()["files"]["grown"], summary.as_json()["lines"]["rows"]) == (1, 5)
    assert sequence(place) == list(range(8))
    assert_nothing_new(place)


def test_a_log_that_is_twice_in_one_tree_is_read_once(place: Place) -> None:
    place.write(NAME, receive(range(5)))
    place.write(f"backup/{NAME}", receive(range(5)))
    place.zip("all.zip", {NAME: receive(range(5))})
    summary = place.ingest()
    assert summary.as_json()["lines"] == {"read": 10, "header": 5, "rows": 5, "quarantined": 0, "pending": 0}
    assert sequence(place) == list(range(5))
    assert_nothing_new(place)
    place.write(NAME, receive(range(7)))
    place.write(f"backup/{NAME}", receive(range(6)))
    place.ingest()
    assert sequence(place) == list(range(7))
    assert_nothing_new(place)


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_shorter_copy_adds_nothing(place: Place, first: str) -> None:
    """Whichever of the two is met first."""
    second = "b" if first == "a" else "a"
    place.write(f"{first}/{NAME}", receive(range(9)))
    place.write(f"{second}/{NAME}", receive(range(4)))
    place.ingest()
    assert sequence(place) == list(range(9))
    assert_nothing_new(place)
    place.write(f"c/{NAME}.gz", receive(range(6)))
    place.ingest()
    assert sequence(place) == list(range(9))


def test_a_copy_that_was_cut_within_a_line_adds_nothing(place: Place) -> None:
    place.write(f"a/{NAME}", receive(range(9)))
    place.write(f"b/{NAME}", receive(range(5))[:-20])
    place.ingest()
    assert sequence(place) == list(range(9))
    assert_nothing_new(place)


@pytest.mark.parametrize("cut", [0, 9])
def test_an_old_shorter_copy_is_compared_once(place: Place, cut: int) -> None:
    place.write(f"a/{NAME}", receive(range(9)), age=3 * DAY)
    place.ingest()
    place.write(f"b/{NAME}", receive(range(5))[: -cut or None], age=3 * DAY)
    place.ingest()
    assert sequence(place) == list(range(9))
    assert_nothing_new(place)
    assert_nothing_new(place)


def test_a_copy_that_goes_on_otherwise_is_a_second_source(place: Place) -> None:
    place.write(f"a/{NAME}", receive(range(5)))
    place.write(f"b/{NAME}", receive([0, 1, 12, 13, 14, 15, 16]))
    summary = place.ingest()
    assert sequence(place) == [0, 0, 1, 1, 2, 3, 4, 12, 13, 14, 15, 16]
    assert "goes on otherwise" in report_of(summary, f"b/{NAME}").note
    assert len({line["source_id"] for line in place.rows()}) == 2
    assert_nothing_new(place)
    place.write(f"b/{NAME}", receive([0, 1, 12, 13, 14, 15, 16, 17]))
    place.ingest()
    assert sequence(place) == [0, 0, 1, 1, 2, 3, 4, 12, 13, 14, 15, 16, 17]
    assert_nothing_new(place)


def test_a_copy_of_the_second_source_is_known(place: Place) -> None:
    place.write(f"a/{NAME}", receive(range(5)))
    place.write(f"b/{NAME}", receive([0, 1, 12, 13, 14, 15, 16]))
    place.write(f"c/{NAME}", receive([0, 1, 12, 13, 14, 15, 16]))
    place.write(f"d/{NAME}", receive(range(5)))
    place.ingest()
    assert sequence(place) == [0, 0, 1, 1, 2, 3, 4, 12, 13, 14, 15, 16]
    place.write(f"e/{NAME}.gz", receive([0, 1, 12, 13, 14, 15, 16]))
    place.ingest()
    assert sequence(place) == [0, 0, 1, 1, 2, 3, 4, 12, 13, 14, 15, 16]
    assert_nothing_new(place)


def test_a_shorter_copy_with_another_line_is_a_second_source(place: Place) -> None:
    place.write(f"a/{NAME}", receive(range(9)))
    place.write(f"b/{NAME}", receive([0, 1, 22]))
    place.ingest()
    assert sequence(place) == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 22]
    assert_nothing_new(place)


def test_a_taken_part_that_changed_is_read_anew(place: Place) -> None:
    place.write(NAME, receive(range(6)))
    place.ingest()
    place.write(NAME, receive([0, 1, 2, 33, 34, 35, 36]))
    summary = place.ingest()
    assert sequence(place) == [0, 1, 2, 33, 34, 35, 36]
    assert summary.removed_rows == 6
    assert "changed" in summary.files[0].note
    assert_ranges_add_up(place)
    assert_nothing_new(place)


def test_a_log_that_was_cut_and_written_on_is_read_anew(place: Place) -> None:
    place.write(NAME, receive(range(6)))
    place.ingest()
    place.write(NAME, receive([0, 41]))
    place.ingest()
    assert sequence(place) == [0, 41]
    assert_nothing_new(place)


def test_a_log_that_was_cut_keeps_what_was_read(place: Place) -> None:
    """Its lines are in the store; a shorter file with the same lines is the same log."""
    place.write(NAME, receive(range(6)))
    place.ingest()
    place.write(NAME, receive(range(3)))
    place.ingest()
    assert sequence(place) == list(range(6))
    assert_nothing_new(place)


def test_another_log_in_the_same_place_is_another_source(place: Place) -> None:
    place.write(NAME, receive(range(6)))
    place.ingest()
    place.write(NAME, receive(range(50, 53), date="2026-11-21T08:00:00.000Z"))
    place.ingest()
    assert sequence(place) == [0, 1, 2, 3, 4, 5, 50, 51, 52]
    assert_nothing_new(place)


def test_a_change_in_one_of_two_copies_loses_nothing_of_the_other(place: Place) -> None:
    place.write(f"a/{NAME}", receive(range(6)))
    place.write(f"b/{NAME}", receive(range(6)))
    place.ingest()
    place.write(f"a/{NAME}", receive([0, 1, 70]))
    place.ingest()
    place.ingest()
    assert set(sequence(place)) == {0, 1, 2, 3, 4, 5, 70}
    assert_nothing_new(place)


def test_two_copies_that_were_both_rewritten_are_read_once(place: Place) -> None:
    for folder in ("a", "b"):
        place.write(f"{folder}/{NAME}", receive(range(6)))
    place.ingest()
    for folder in ("a", "b"):
        place.write(f"{folder}/{NAME}", receive([0, 1, 70]))
    place.ingest()
    assert sequence(place) == [0, 1, 70]
    assert_nothing_new(place)


# The last line


def test_half_a_last_line_is_pending_and_then_complete(place: Place) -> None:
    data = receive(range(4))
    place.write(NAME, data[:-30])
    summary = place.ingest()
    assert summary.as_json()["lines"] == {"read": 9, "header": 5, "rows": 3, "quarantined": 0, "pending": 1}
    assert_nothing_new(place)
    place.write(NAME, data[:-10])
    summary = place.ingest()
    assert (summary.as_json()["lines"]["rows"], summary.as_json()["lines"]["pending"]) == (0, 1)
    assert sequence(place) == [0, 1, 2]
    place.write(NAME, data)
    place.ingest()
    assert sequence(place) == [0, 1, 2, 3]
    assert [line["source_line"] for line in place.lines()] == [6, 7, 8, 9]
    assert not [line for line in place.lines() if line["parse_error"]]
    assert_nothing_new(place)


def test_a_first_line_that_is_half_written_is_pending_and_then_complete(place: Place) -> None:
    """The log's identity is its first line; half of it is none."""
    for length in (5, 60, len(row(0)) - 2, len(row(0)) - 1):
        place.write(NAME, head() + row(0)[:length])
        summary = place.ingest()
        assert (summary.total("rows"), summary.total("quarantined")) == (0, 0)
        assert summary.files[0].pending == (
            1 if summary.files[0].outcome != "unchanged" else summary.files[0].pending
        )
    place.write(NAME, receive(range(3)))
    place.ingest()
    assert sequence(place) == [0, 1, 2]
    assert sum(entry.header for entry in place.ranges()) == 5
    assert_ranges_add_up(place)
    assert_nothing_new(place)


@pytest.mark.parametrize("lines", range(6))
def test_a_header_that_is_written_line_by_line(place: Place, lines: int) -> None:
    begin = b"".join(head().splitlines(keepends=True)[:lines])
    place.write(NAME, begin)
    place.ingest()
    assert place.lines() == []
    place.write(NAME, receive(range(3)))
    summary = place.ingest()
    assert sequence(place) == [0, 1, 2]
    assert {line["log_version"] for line in place.rows()} == {"15.0.0.0"}
    assert [line["source_line"] for line in place.rows()] == [6, 7, 8]
    assert summary.as_json()["lines"]["header"] == 5
    assert sum(entry.header for entry in place.ranges()) == 5
    assert_nothing_new(place)


@pytest.mark.parametrize("half", [b"", row(0)[:30]])
def test_a_first_row_that_comes_while_the_log_is_looked_at_is_not_read_twice(
    place: Place, monkeypatch: pytest.MonkeyPatch, half: bytes
) -> None:
    """Rotation moves the log before it is seen again: only its first row tells that it is the same."""
    path = place.write(NAME, head() + half)
    plain = Planner.decide

    def decide(self: Planner, looked: Looked) -> Job | Left:
        place.write(NAME, receive(range(4)))
        return plain(self, looked)

    monkeypatch.setattr(Planner, "decide", decide)
    place.ingest()
    monkeypatch.undo()
    assert sequence(place) == []
    path.rename(path.with_name("RECV2026112008-2.LOG"))
    place.ingest()
    assert sequence(place) == [0, 1, 2, 3]
    assert_nothing_new(place)


def test_a_header_only_log_is_not_read_for_ever(place: Place) -> None:
    place.write(NAME, head())
    summary = place.ingest()
    assert summary.as_json()["lines"] == {"read": 5, "header": 5, "rows": 0, "quarantined": 0, "pending": 0}
    (entry,) = place.ranges()
    assert (entry.position_from, entry.position_to, entry.first_line, entry.next_line) == (
        0,
        len(head()),
        1,
        6,
    )
    assert_nothing_new(place)
    assert outcomes(place) == {"found": 1, "unchanged": 1}


def test_a_last_line_without_end_counts_after_a_day(place: Place) -> None:
    data = receive(range(4))[:-2]
    place.write(NAME, data)
    place.ingest()
    assert sequence(place) == [0, 1, 2]
    assert_nothing_new(place)
    later = NOW + timedelta(days=2)
    summary = place.ingest(now=later)
    assert sequence(place) == [0, 1, 2, 3]
    assert summary.as_json()["lines"] == {"read": 1, "header": 0, "rows": 1, "quarantined": 0, "pending": 0}
    assert_nothing_new(place, now=later)
    place.write(NAME, receive(range(6)), age=-2 * DAY)
    place.ingest(now=later)
    assert sequence(place) == list(range(6))
    assert_ranges_add_up(place)
    assert_nothing_new(place, now=later)


def test_half_a_last_line_of_an_old_file_is_quarantined_and_replaced_when_it_grows(place: Place) -> None:
    data = receive(range(4))
    place.write(NAME, data[:-40], age=3 * DAY)
    place.ingest()
    assert sequence(place) == [0, 1, 2]
    (bad,) = [line for line in place.lines() if line["parse_error"]]
    assert bad["raw_line"] == data[:-40].decode().splitlines()[-1]
    assert_nothing_new(place)
    place.write(NAME, receive(range(5)))
    place.ingest()
    assert sequence(place) == [0, 1, 2, 3, 4]
    assert not [line for line in place.lines() if line["parse_error"]]
    assert_nothing_new(place)


@pytest.mark.parametrize("change", ["touched", "renamed", "copied"])
def test_half_a_last_line_is_replaced_when_it_grows_whatever_became_of_its_file(
    place: Place, change: str
) -> None:
    data = receive(range(4))
    path = place.write(NAME, data[:-40], age=3 * DAY)
    place.ingest()
    name = NAME if change == "touched" else NAME.replace("-1.LOG", "-2.LOG")
    if change == "renamed":
        path.unlink()
    place.write(name, data[:-40], age=2 * DAY)
    place.ingest()
    place.write(name, receive(range(5)))
    place.ingest()
    assert sequence(place) == [0, 1, 2, 3, 4]
    assert not [line for line in place.lines() if line["parse_error"]]
    assert_ranges_add_up(place)


def test_an_open_quote_behind_nuls_is_pending_and_counts_after_a_day(place: Place) -> None:
    """A crash left half a line and NULs; what was read ends within a physical line."""
    last = row(2).replace(b"NOOP number 2", b'"two')
    data = receive(range(1)) + row(1)[:40] + b"\x00" * 20 + last
    place.write(NAME, data)
    assert place.ingest().as_json()["lines"]["pending"] == 1
    assert place.ingest(now=NOW + timedelta(days=3)).as_json()["lines"]["quarantined"] == 1
    assert last.decode().strip() in [line["raw_line"] for line in place.lines()]
    assert_ranges_add_up(place)


def test_an_old_file_and_an_archive_member_count_their_last_line(place: Place) -> None:
    place.write(f"a/{NAME}", receive(range(4))[:-2], age=2 * DAY)
    place.write("b/RECV.LOG.gz", receive(range(10, 14), date="2026-11-21T08:00:00.000Z")[:-2])
    summary = place.ingest()
    assert summary.as_json()["lines"] == {"read": 18, "header": 10, "rows": 8, "quarantined": 0, "pending": 0}


@pytest.mark.parametrize("read_before", [0, 2])
def test_an_old_copy_that_was_cut_within_a_line_gives_way_to_the_whole_log_in_the_same_run(
    place: Place, read_before: int
) -> None:
    """The copy is read first, its half last line counts, and the whole log comes before anything is committed."""
    if read_before:
        place.write(f"b/{NAME}", receive(range(read_before)))
        place.ingest()
    place.write(f"a/{NAME}", receive(range(5))[:-9], age=3 * DAY)
    place.write(f"b/{NAME}", receive(range(9)), age=3 * DAY)
    place.ingest()
    assert sequence(place) == list(range(9))
    assert [line["source_line"] for line in place.lines()] == list(range(6, 15))
    assert_ranges_add_up(place)
    # The copy's place was noted with its rows, which went: it is compared once more.
    place.ingest()
    assert sequence(place) == list(range(9))
    assert_nothing_new(place)


def test_a_nul_tail_gives_way_to_what_is_written_over_it(place: Place) -> None:
    place.write(NAME, receive(range(3)) + b"\x00" * 500)
    summary = place.ingest()
    assert summary.as_json()["lines"]["pending"] == 1
    assert sequence(place) == [0, 1, 2]
    place.write(NAME, receive(range(5)) + b"\x00" * 300)
    place.ingest()
    assert sequence(place) == list(range(5))
    place.write(NAME, receive(range(5)) + b"\x00" * 300 + row(5) + row(6))
    place.ingest()
    assert sequence(place) == list(range(7))
    assert not [line for line in place.lines() if line["parse_error"]]


def test_an_open_quote_at_the_end_waits_for_its_close(place: Place) -> None:
    broken = row(1).replace(b"NOOP number 1", b'"one\r\ntwo"')
    data = head() + row(0) + broken
    for end in range(len(head() + row(0)), len(data)):
        place.write(NAME, data[:end])
        if end % 7 == 0 or data[:end].endswith(b"\n"):
            place.ingest()
            assert sequence(place) == [0]
            assert not [line for line in place.lines() if line["parse_error"]]
    place.write(NAME, data)
    place.ingest()
    assert [line["data"] for line in place.rows()] == ["NOOP number 0", "one\r\ntwo"]


def test_what_is_written_after_a_restart_is_mapped_by_the_new_header(place: Place) -> None:
    """The log is read between the new header's lines and between its rows."""
    other = (
        head()
        .replace(b"15.0.0.0", b"15.2.0.0")
        .replace(b"session-id,sequence-number", b"sequence-number,session-id")
    )
    swapped = [row(n).replace(b"08DE2A11B0C4D501,%d" % n, b"%d,08DE2A11B0C4D501" % n) for n in range(2, 5)]
    parts = [head() + row(0) + row(1), *other.splitlines(keepends=True), *swapped]
    for end in range(1, len(parts) + 1):
        place.write(NAME, b"".join(parts[:end]))
        place.ingest()
    assert sequence(place) == list(range(5))
    assert {line["session_id"] for line in place.rows()} == {"08DE2A11B0C4D501"}
    assert [line["log_version"] for line in place.rows()] == ["15.0.0.0"] * 2 + ["15.2.0.0"] * 3
    assert [line["source_line"] for line in place.rows()] == [6, 7, 13, 14, 15]
    assert sum(entry.header for entry in place.ranges()) == 10
    assert_ranges_add_up(place)


def test_an_open_quote_in_one_log_takes_nothing_of_the_next(place: Place) -> None:
    place.write(
        "contoso/EX01/ProtocolLog/SmtpReceive/RECV1.LOG",
        receive([0]) + b'2026-11-20T08:00:09.000Z,"open\r\n',
        age=2 * DAY,
    )
    place.write(
        "contoso/EX01/ProtocolLog/SmtpReceive/RECV2.LOG",
        head(date="2026-11-21T08:00:00.000Z") + b"text of the second\r\n" + row(1),
        age=2 * DAY,
    )
    summary = place.ingest()
    assert sequence(place) == [0, 1]
    assert sorted(line["raw_line"] for line in place.lines() if line["parse_error"]) == [
        '2026-11-20T08:00:09.000Z,"open',
        "text of the second",
    ]
    assert [(r.header, r.rows, r.quarantined) for r in summary.files] == [(5, 1, 1), (5, 1, 1)]


def test_a_folder_with_every_outcome_adds_up(place: Place) -> None:
    place.write(
        "contoso/EX01/ProtocolLog/SmtpReceive/RECV.LOG", receive(range(4)) + b"damage\r\n\r\n" + row(9)[:30]
    )
    place.write("contoso/EX01/ProtocolLog/SmtpSend/SEND.LOG", send(range(3)))
    place.write("contoso/EX01/MessageTracking/MSGTRK.LOG", tracking(range(2)))
    place.write("notes.txt", b"to do\n")
    place.write("empty.log", b"")
    place.write("broken.log.gz", b"x")
    (place.logs / "broken.log.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    summary = place.ingest()
    document = summary.as_json()
    assert document["files"] == {"found": 6, "new": 3, "grown": 0, "unchanged": 0, "skipped": 2, "failed": 1}
    assert document["lines"] == {"read": 27, "header": 16, "rows": 9, "quarantined": 1, "pending": 1}
    assert {report.server for report in summary.files if report.outcome == "new"} == {"EX01"}
    assert report_of(summary, "broken.log.gz").note
    assert_ranges_add_up(place)
