"""Archives, damaged files, links: what cannot be read is named, and the rest goes on."""

from __future__ import annotations

import errno
import gzip
import os
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from pipeline.ingest import run
from pipeline.logs import discover
from pipeline.logs.assign import Organisation, Rules

from .logtext import receive, row, send, tracking
from .place import Place, report_of
from .test_sources import NAME, assert_nothing_new, assert_ranges_add_up, sequence

OTHER = NAME.replace("RECV2026112008-1", "RECV2026112108-1")
SECOND = receive(range(100, 103), date="2026-11-21T08:00:00.000Z")


def test_members_of_an_archive_are_logs_in_its_folders(place: Place) -> None:
    place.zip(
        "in/customers.zip",
        {
            r"contoso\EX01\TransportRoles\Logs\MessageTracking\MSGTRK2026112009-1.LOG": tracking(range(3)),
            r"contoso\EX01\TransportRoles\Logs\Hub\ProtocolLog\SmtpSend\SEND2026112009-1.LOG": send(range(2)),
            "fabrikam/EX01/TransportRoles/Logs/MessageTracking/MSGTRK2026112009-1.LOG": tracking(
                range(10, 12)
            ),
            "../../escape/EX09/notes.txt": b"nothing",
            "contoso/": b"",
        },
    )
    summary = place.ingest()
    found = {(r.organisation, r.server, r.kind, r.outcome, r.rows) for r in summary.files}
    assert found == {
        ("contoso", "EX01", "message-tracking", "new", 3),
        ("contoso", "EX01", "smtp-send", "new", 2),
        ("fabrikam", "EX01", "message-tracking", "new", 2),
        ("", "", "not a transport log", "skipped", 0),
    }
    assert {line["log_service"] for line in place.rows()} == {"hub"}
    assert all("customers.zip!" in line["source_file"] for line in place.rows("message_tracking"))
    assert not (place.logs / "in" / "contoso").exists()
    assert_nothing_new(place)


def test_an_encrypted_member_is_named_and_the_others_are_read(place: Place) -> None:
    path = place.zip("logs.zip", {NAME: receive(range(3)), OTHER: SECOND})
    data = bytearray(path.read_bytes())
    # Bit 0 of the general purpose flag of the second member, in both of its headers.
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rindex(signature) + offset
        data[at : at + 2] = struct.pack("<H", struct.unpack("<H", data[at : at + 2])[0] | 1)
    path.write_bytes(data)
    summary = place.ingest()
    assert sequence(place) == [0, 1, 2]
    failed = report_of(summary, OTHER)
    assert (failed.outcome, "encrypted" in failed.note) == ("failed", True)


def test_an_archive_that_is_cut_is_named(place: Place) -> None:
    path = place.zip("a.zip", {NAME: receive(range(300))})
    path.write_bytes(path.read_bytes()[:-60])
    place.write(OTHER, SECOND)
    summary = place.ingest()
    assert summary.as_json()["files"] == {
        "found": 2,
        "new": 1,
        "grown": 0,
        "unchanged": 0,
        "skipped": 0,
        "failed": 1,
    }
    assert report_of(summary, "a.zip").note
    assert sequence(place) == [100, 101, 102]


@pytest.mark.parametrize("count", [40, 8_000], ids=["4 KB", "0.8 MB"])
def test_a_gzip_that_ends_early_gives_the_lines_before_its_end(place: Place, count: int) -> None:
    data = receive(range(count))
    packed = gzip.compress(data, compresslevel=1)
    place.write(NAME + ".gz", b"")
    (place.logs / (NAME + ".gz")).write_bytes(packed[: len(packed) * 3 // 4])
    place.write(OTHER, SECOND)
    summary = place.ingest()
    failed = report_of(summary, ".gz")
    assert (failed.outcome, "early" in failed.note or "end" in failed.note) == ("failed", True)
    again = report_of(place.ingest(), ".gz")
    assert (again.outcome, "read in part" in again.note) == ("unchanged", True), "it is not opened each time"
    got = [number for number in sequence(place) if number not in (100, 101, 102) or count > 100]
    assert len(got) > count // 2
    whole = place.write(NAME + ".gz", data)
    assert whole.stat().st_size == len(gzip.compress(data))
    place.ingest()
    assert sorted(set(sequence(place))) == sorted({*range(count), 100, 101, 102})
    assert len(sequence(place)) == count + 3
    assert_nothing_new(place)
    assert_ranges_add_up(place)


def test_a_member_of_a_wrong_checksum_is_named(place: Place) -> None:
    path = place.zip("a.zip", {NAME: receive(range(3)), OTHER: SECOND})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 16
    data[at : at + 4] = b"\x00\x00\x00\x00"
    path.write_bytes(data)
    summary = place.ingest()
    assert report_of(summary, NAME).outcome == "failed"
    assert {100, 101, 102} <= set(sequence(place))


def test_bytes_that_only_claim_to_be_an_archive_are_named(place: Place) -> None:
    for name in ("a.zip", "b.gz", "c.zst"):
        (place.logs / name).write_bytes(b"no archive at all")
    place.write(NAME, receive(range(3)))
    summary = place.ingest()
    assert summary.as_json()["files"]["failed"] == 3
    assert all(report.note for report in summary.files if report.outcome == "failed")
    assert sequence(place) == [0, 1, 2]


def test_an_unsupported_method_is_named(place: Place) -> None:
    path = place.zip("a.zip", {NAME: receive(range(3)), OTHER: SECOND})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = data.index(signature) + offset
        data[at : at + 2] = struct.pack("<H", 97)
    path.write_bytes(data)
    summary = place.ingest()
    assert report_of(summary, NAME).outcome == "failed"
    assert sequence(place) == [100, 101, 102]


def test_a_file_that_goes_away_or_cannot_be_read_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked by another program, as Windows does it."""
    place.write(NAME, receive(range(3)))
    locked = place.write(OTHER, SECOND)
    plain_open = Path.open

    def open_(self: Path, *arguments: object, **options: object) -> object:
        if self == locked:
            raise PermissionError(
                13, "The process cannot access the file because it is being used by another process"
            )
        return plain_open(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", open_)
    summary = place.ingest()
    failed = report_of(summary, OTHER)
    assert (failed.outcome, "another process" in failed.note) == ("failed", True)
    assert sequence(place) == [0, 1, 2]
    monkeypatch.undo()
    place.ingest()
    assert sequence(place) == [0, 1, 2, 100, 101, 102]


@pytest.mark.parametrize("known", [False, True], ids=["new", "grown"])
def test_a_log_that_is_locked_between_two_looks_at_it_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """It is opened for its beginning, for what follows the part that is known, and to be read."""
    place.write(OTHER, SECOND)
    plain_open = Path.open
    refused = 0
    for allowed in range(10):
        name = NAME.replace("-1.LOG", f"-{allowed}.LOG")
        numbers = range(10 * allowed, 10 * allowed + 8)
        if known:
            place.write(name, receive(numbers[:3]))
            place.ingest()
        path = place.write(name, receive(numbers))
        left = allowed

        def open_(self: Path, *arguments: object, path: Path = path, **options: object) -> object:
            nonlocal left
            if self == path:
                left -= 1
                if left < 0:
                    raise PermissionError(13, "It is being used by another process")
            return plain_open(self, *arguments, **options)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", open_)
            report = report_of(place.ingest(), name)
        there = [number for number in sequence(place) if number in numbers]
        if left >= 0:
            assert (report.outcome, there) == ("grown" if known else "new", list(numbers))
            break
        refused += 1
        assert (report.outcome, "another process" in report.note) == ("failed", True), allowed
        assert there == list(numbers[:3] if known else []), allowed
        place.ingest()
        assert [number for number in sequence(place) if number in numbers] == list(numbers), allowed
    else:
        pytest.fail("it is opened ten times")
    assert refused >= (3 if known else 2)
    assert {100, 101, 102} <= set(sequence(place))


def _breaks_off(
    patch: pytest.MonkeyPatch, path: Path, allowed: int, *, lasts: bool, size: int = 900
) -> Callable[[], bool]:
    """Of this log so many pieces can be read from now on, in whatever look at it. Says whether more were asked for."""
    plain, left = discover._pieces, allowed
    error = OSError(errno.EIO, "Input/output error")

    def pieces(stream: IO[bytes], asked: int) -> Iterator[bytes]:
        nonlocal left
        for piece in plain(stream, min(size, asked)):
            if getattr(stream, "name", None) == str(path):
                left -= 1
                if left == -1 or (left < 0 and lasts):
                    raise error
            yield piece

    patch.setattr(discover, "_pieces", pieces)
    return lambda: left < 0


@pytest.mark.parametrize("lasts", [True, False], ids=["until the next time", "once"])
@pytest.mark.parametrize("what", ["new", "grown", "changed", "shorter copy", "renamed", "moved to another"])
def test_a_log_that_breaks_off_is_read_to_its_end_the_next_time(
    place: Place, monkeypatch: pytest.MonkeyPatch, what: str, lasts: bool
) -> None:
    """A share that goes away at any moment: nothing is lost that was there, and nothing comes twice."""
    place.write(OTHER, SECOND)
    place.ingest()
    refused = 0
    for allowed in range(20):
        name = f"{allowed:02d}/EX01/TransportRoles/Logs/ProtocolLog/SmtpReceive/RECV.LOG"
        # Of another day each: logs that begin alike are copies.
        date = f"2026-10-01T{allowed:02d}:00:00.000Z"
        numbers = list(range(1000 + 100 * allowed, 1012 + 100 * allowed))
        whole = receive(numbers, date=date)
        options: dict[str, Any] = {}
        if what != "new":
            begin = receive(numbers[:5], date=date)
            place.write(name, begin if what in ("grown", "renamed") else whole)
            place.ingest()
        path, expected = place.logs / name, numbers
        if what in ("new", "grown"):
            place.write(name, whole)
        elif what == "changed":
            expected = [*numbers[:3], *(number + 50 for number in numbers)]
            place.write(name, receive(expected, date=date))
        elif what == "shorter copy":
            path = place.write(name.replace(".LOG", "-2.LOG"), receive(numbers[:7], date=date))
        elif what == "renamed":
            path.unlink()
            path = place.write(name.replace(".LOG", "-2.LOG"), whole)
        else:
            options = {"rules": Rules(organisation=Organisation("other", "Other")), "reassign": True}
        mine = {*numbers, *expected}
        before = [number for number in sequence(place) if number in mine]
        with monkeypatch.context() as patch:
            asked = _breaks_off(patch, path, allowed, lasts=lasts)
            report = report_of(place.ingest(place.logs / f"{allowed:02d}", **options), path.name)
        there = [number for number in sequence(place) if number in mine]
        assert len(set(there)) == len(there), (allowed, there)
        if not asked():
            break
        refused += 1
        if lasts or there != expected:
            assert (report.outcome, "input/output" in report.note) == ("failed", True), (allowed, report)
        if there != expected:
            assert set(before) <= set(there), (allowed, before, there)
        place.ingest(place.logs / f"{allowed:02d}", **options)
        assert [number for number in sequence(place) if number in mine] == expected, allowed
        assert_ranges_add_up(place)
    else:
        pytest.fail("it is read in twenty pieces")
    assert refused >= 3


def test_a_copy_of_a_log_that_was_to_be_replaced_and_could_not_be_read_adds_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to go stays, and is known to the files that follow."""
    kept = 0
    for allowed in range(20):
        folder, date = f"{allowed:02d}", f"2026-10-01T{allowed:02d}:00:00.000Z"
        first = 1000 + 100 * allowed
        old, new = list(range(first, first + 6)), [first, first + 1, *range(first + 30, first + 36)]
        path = place.write(f"{folder}/a.LOG", receive(old, date=date))
        place.ingest(place.logs / folder)
        place.write(f"{folder}/a.LOG", receive(new, date=date))
        place.write(f"{folder}/b.LOG", receive(old, date=date))
        with monkeypatch.context() as patch:
            asked = _breaks_off(patch, path, allowed, lasts=True)
            report = report_of(place.ingest(place.logs / folder), "a.LOG")
        there = sequence(place)
        assert [there.count(number) for number in old[2:]] == [1] * 4, (allowed, report)
        if not asked():
            break
        assert (report.outcome, report.rows + report.header) == ("failed", 0)
        kept += 1
    else:
        pytest.fail("it is read in twenty pieces")
    assert kept >= 2


@pytest.mark.parametrize("batch", ["one", "many"])
def test_logs_that_were_to_be_replaced_and_break_off_keep_what_was_there(
    place: Place, monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    """Two of five break off and are deleted then; the others are as if nothing had happened."""
    if batch == "many":
        monkeypatch.setattr(run, "BATCH_BYTES", 1)
        monkeypatch.setattr(discover, "CHUNK", 500)
    old = {name: range(100 * at, 100 * at + 9) for at, name in enumerate("abcde", 1)}
    new = {name: [*numbers[:2], *range(numbers[0] + 50, numbers[0] + 70)] for name, numbers in old.items()}
    for name, numbers in old.items():
        place.write(f"{name}.LOG", receive(numbers, date=f"2026-10-01T{ord(name) - 90:02d}:00:00.000Z"))
    place.ingest()
    paths = {
        name: place.write(f"{name}.LOG", receive(numbers, date=f"2026-10-01T{ord(name) - 90:02d}:00:00.000Z"))
        for name, numbers in new.items()
    }
    with monkeypatch.context() as patch:
        for name in "bd":
            _breaks_off(patch, paths[name], 4, lasts=True, size=400)
        summary = place.ingest()
    assert [report.outcome for report in summary.files] == ["grown", "failed", "grown", "failed", "grown"]
    assert [report.rows for report in summary.files] == [22, 0, 22, 0, 22]
    assert summary.removed_rows == 27
    assert sequence(place) == sorted(
        number for name in "abcde" for number in (old if name in "bd" else new)[name]
    )
    assert_ranges_add_up(place)
    paths["b"].unlink()
    place.ingest()
    assert sequence(place) == sorted(
        number for name in "abcde" for number in (old if name == "b" else new)[name]
    )
    assert_ranges_add_up(place)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")
def test_links_are_followed_once_and_loops_end(place: Place) -> None:
    place.write(NAME, receive(range(3)))
    (place.logs / "contoso" / "EX01" / "up").symlink_to(place.logs, target_is_directory=True)
    (place.logs / "self").symlink_to(place.logs / "self")
    (place.logs / "gone").symlink_to(place.logs / "nowhere")
    (place.logs / "again").symlink_to(place.logs / "contoso", target_is_directory=True)
    (place.logs / "again.log").symlink_to(place.logs / NAME)
    summary = place.ingest()
    assert sequence(place) == [0, 1, 2]
    assert summary.as_json()["lines"]["rows"] == 3
    assert_nothing_new(place)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_pipes_and_devices_are_left_alone(place: Place) -> None:
    os.mkfifo(place.logs / "pipe.log")
    place.write(NAME, receive(range(3)))
    assert place.ingest().as_json()["files"]["found"] == 1


def test_the_store_itself_is_no_log(place: Place) -> None:
    place.write(NAME, receive(range(3)))
    place.ingest()
    summary = place.ingest(place.logs.parent)
    assert [Path(report.path).name for report in summary.files] == [Path(NAME).name]


def test_paths_that_overlap_count_once(place: Place) -> None:
    path = place.write(NAME, receive(range(3)))
    summary = place.ingest(place.logs, place.logs / "contoso", path)
    assert (len(summary.files), sequence(place)) == (1, [0, 1, 2])
    assert (summary.files[0].outcome, summary.files[0].rows) == ("new", 3)
    assert len(list(discover.discover([place.logs, place.logs / "contoso", path, path]))) == 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_utf_16_with_a_bom_is_read_and_grows(place: Place, encoding: str, ending: str) -> None:
    """PowerShell 5 writes it when output is redirected."""

    def saved(numbers: range) -> bytes:
        return ("\ufeff" + receive(numbers).decode().replace("NOOP", "Größe 组织")).encode(encoding)

    place.write(NAME + ending, saved(range(3)))
    place.ingest()
    assert [line["data"] for line in place.rows()] == [f"Größe 组织 number {n}" for n in range(3)]
    assert [line["source_line"] for line in place.rows()] == [6, 7, 8]
    assert_nothing_new(place)
    place.write(NAME + ending, saved(range(5)))
    place.ingest()
    assert sequence(place) == list(range(5))
    assert_nothing_new(place)


def test_a_name_that_is_no_utf_8_does_no_harm(place: Place) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("names are Unicode there")
    folder = os.fsencode(place.logs) + b"/contoso/EX01/TransportRoles/Logs/SmtpReceive"
    path = Path(os.fsdecode(folder + b"/RECV\xff.LOG"))
    path.parent.mkdir(parents=True)
    path.write_bytes(receive(range(3)))
    summary = place.ingest()
    assert summary.total("rows") == 3
    assert sequence(place) == [0, 1, 2]
    assert_nothing_new(place)


def test_two_members_of_one_name_are_both_read_or_named(place: Place) -> None:
    path = place.logs / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(NAME, receive(range(3)))
        archive.writestr(NAME, SECOND)
    summary = place.ingest()
    assert sequence(place) == [0, 1, 2, 100, 101, 102]
    assert summary.total("rows") == 6
    assert {row["source_file"] for row in place.rows()} == {f"{path}!{NAME}", f"{path}!{NAME} (2)"}


def test_a_long_log_is_read_in_many_pieces(place: Place) -> None:
    """1 MB: framing, units and parts beyond one chunk."""
    body = b"".join(row(n % 3_600).replace(b",%d," % (n % 3_600), b",%d," % n, 1) for n in range(10_000))
    data = receive([]) + body
    assert len(data) > 1_000_000
    place.write(NAME, data)
    place.write(OTHER + ".gz", data.replace(b"2026-11-20T08:00:00.000Z", b"2026-11-20T09:00:00.000Z", 1))
    summary = place.ingest()
    assert summary.total("rows") == 20_000
    assert [report.header for report in summary.files] == [5, 5]
    assert sequence(place) == sorted([*range(10_000)] * 2)
    assert_ranges_add_up(place)
    assert_nothing_new(place)
