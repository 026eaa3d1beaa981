"""Archives and folders that were made to do harm: nothing is written outside the store, nothing hangs, all is named."""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.logs import discover
from pipeline.logs.discover import Candidate, Unreadable
from tests.hostile.attacks import HEADER
from tests.ingest.logtext import receive
from tests.ingest.place import Place, report_of

NAME = "contoso/EX01/TransportRoles/Logs/ProtocolLog/SmtpReceive/RECV2026112008-1.LOG"
GOOD = "good/EX09/TransportRoles/Logs/ProtocolLog/SmtpReceive/RECV2026112108-1.LOG"
HOSTILE_NAMES = [
    "../" * 30 + "etc/cron.d/x",
    "\0nothing before the NUL",
    "../..",
    "/etc/passwd",
    "C:\\Windows\\System32\\x.LOG",
    "C:x.LOG",
    "\\\\server\\c$\\x.LOG",
    "\\\\?\\C:\\x.LOG",
    "..\\..\\x.LOG",
    "a/../../../x.LOG",
    "CON",
    "contoso/NUL/COM1.txt",
    "contoso/EX01 . . /x.LOG. ",
    "'; drop table smtp_protocol; --/EX01/x.LOG",
    "%2e%2e/%2e%2e/x.LOG",
    "\u202egol.x",
    "Mu\u0308ller/EX01/x.LOG",
    "😀/EX01/x.LOG",
    "line\nbreak\x1b[2J/EX01/x.LOG",
    "9" * 6000 + "/x.LOG",
    "a/" * 5000 + "x.LOG",
    "2026-11-20" + "1" * 60 + "x/EX01/x.LOG",
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "place")
    made.write(GOOD, receive(range(100, 103)))
    return made


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in members:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = method
            archive.writestr(info, data)
    return bytearray(held.getvalue())


def numbers(place: Place) -> list[int]:
    return sorted(row["sequence_number"] for row in place.rows() if row["sequence_number"] < 100)


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_names_of_members_lead_nowhere(place: Place, tmp_path: Path) -> None:
    members = [(name, receive([number])) for number, name in enumerate(HOSTILE_NAMES)]
    place.logs.joinpath("a.zip").write_bytes(zipped(*members))
    before = everything_below(tmp_path)
    started = time.process_time()
    place.ingest()
    assert time.process_time() - started < 20
    assert numbers(place) == list(range(len(HOSTILE_NAMES)))
    new = {
        name for name in everything_below(tmp_path) - before if not name.startswith(str(Path("place/store")))
    }
    assert not new, "nothing is made outside the store"
    parts = [part.path for snapshot in place.store.snapshot() for part in snapshot.parts]
    for path in parts:
        organisation, month, _ = path.split("/")
        assert organisation.startswith("organisation=") and set(organisation[13:]) <= set(
            "abcdefghijklmnopqrstuvwxyz0123456789-"
        )
        assert month == "month=2026-11"
        assert (
            (place.store.root / "smtp_protocol" / path).resolve().is_relative_to(place.store.root.resolve())
        )


@pytest.mark.parametrize(
    "name", ["../../EX09/./RECV.LOG", "/EX09/RECV.LOG", "..\\EX09\\..\\RECV.LOG", "EX09/../RECV.LOG"]
)
def test_dots_of_a_member_are_no_folders(place: Place, name: str) -> None:
    """Nor customers: `..` above a server's folder would be one."""
    place.logs.joinpath("a.zip").write_bytes(zipped((name, receive([1]))))
    (found,) = discover.discover([place.logs / "a.zip"])
    assert isinstance(found, Candidate)
    assert (found.folders, found.name) == (("EX09",), "RECV.LOG")
    assert found.path == f"{place.logs / 'a.zip'}!{name}", "lineage names it as it is"


def _lower_declared_size(data: bytearray, size: int) -> None:
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", size)


def test_a_bomb_of_one_member_is_refused_and_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are lowered, not the bomb raised: 250 times and a gigabyte are the real ones."""
    assert (discover.MOST_TIMES, discover.ANYWAY) == (250, 1 << 30)
    monkeypatch.setattr(discover, "ANYWAY", 1 << 20)
    bomb = receive(range(3)) + b"\r\n" * (1 << 20)
    place.logs.joinpath("a.zip").write_bytes(zipped((NAME, bomb), ("fabrikam/" + NAME, receive(range(3, 6)))))
    summary = place.ingest()
    failed = report_of(summary, "a.zip!" + NAME)
    assert (failed.outcome, failed.rows, "times its size" in failed.note) == ("failed", 0, True)
    assert numbers(place) == [3, 4, 5]


def test_a_bomb_of_many_members_that_share_their_bytes_is_stopped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As https://www.bamsoftware.com/hacks/zipbomb/ builds them: each member alone is harmless."""
    data = zipped(*((f"{n:03d}.LOG", HEADER + b"x" * 50_000) for n in range(3)))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        first = archive.infolist()[0]
        directory = archive.start_dir
    held = io.BytesIO(bytes(data[:directory]))
    entries = b""
    for number in range(400):
        name = f"{number:03d}.LOG".encode()
        entries += struct.pack(
            "<4s4B4HL2L5H2L",
            b"PK\x01\x02",
            *(20, 3, 20, 0),
            *(0, zipfile.ZIP_DEFLATED, 0, 33),
            first.CRC,
            first.compress_size,
            first.file_size,
            *(len(name), 0, 0, 0, 0),
            0,
            0,
        )
        entries += name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 400, 400, len(entries), directory, 0)
    (place.logs / "a.zip").write_bytes(held.getvalue() + entries + end)
    monkeypatch.setattr(discover, "ANYWAY", 1 << 20)
    monkeypatch.setattr(discover, "MOST_TIMES", 50)
    found = list(discover.discover([place.logs / "a.zip"]))
    read = [one for one in found if isinstance(one, Candidate)]
    assert sum(one.size for one in read) <= max(1 << 20, 50 * (place.logs / "a.zip").stat().st_size)
    (refused,) = (one for one in found if isinstance(one, Unreadable))
    assert "times its size" in refused.reason


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_bomb_without_a_directory_is_read_up_to_the_limit(
    place: Place, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(discover, "ANYWAY", 4 << 20)
    bomb = receive(range(3)) + b"\r\n" * (32 << 20)
    if ending == ".gz":
        packed = gzip.compress(bomb)
    else:
        import pyarrow as pa

        packed = pa.compress(bomb, codec="zstd", asbytes=True)
    assert len(bomb) > 250 * len(packed)
    path = place.logs / (Path(NAME).name + ending)
    path.write_bytes(packed)
    failed = report_of(place.ingest(), ending)
    assert (failed.outcome, "unpack it yourself" in failed.note) == ("failed", True)
    assert failed.bytes <= max(4 << 20, 250 * len(packed)) + discover.CHUNK
    assert numbers(place) == [0, 1, 2]


def test_a_log_that_packs_well_is_no_bomb(place: Place) -> None:
    """Three megabytes of blank lines in 3 KB: far above 250 times, far below a gigabyte."""
    place.logs.joinpath("a.zip").write_bytes(zipped((NAME, receive(range(3)) + b"\r\n" * 1_500_000)))
    summary = place.ingest()
    assert report_of(summary, "a.zip!" + NAME).header == 5 + 1_500_000
    assert numbers(place) == [0, 1, 2]


def test_links_and_devices_in_an_archive_are_bytes(place: Place) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, mode, data in (
            ("link.log", stat.S_IFLNK, str(place.logs / GOOD).encode()),
            ("device.log", stat.S_IFBLK, receive(range(3))),
            ("pipe.log", stat.S_IFIFO, b""),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode | 0o777) << 16
            archive.writestr(info, data)
    place.logs.joinpath("a.zip").write_bytes(held.getvalue())
    summary = place.ingest()
    assert report_of(summary, "link.log").outcome == "skipped"
    assert numbers(place) == [0, 1, 2]


def _tar(data: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo("x.LOG")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("inner.zip", bytes(zipped((NAME, receive(range(3))), method=zipfile.ZIP_STORED)), "zip archive"),
        ("inner.LOG.gz", gzip.compress(receive(range(3))), "gzip archive"),
        ("inner.7z", b"7z\xbc\xaf\x27\x1c" + receive(range(3)), "7z archive"),
        ("inner.tar", _tar(receive(range(3))), "tar archive"),
    ],
)
@pytest.mark.parametrize("where", ["in a zip", "in a gzip", "alone"])
def test_an_archive_in_an_archive_is_named_and_not_taken_for_a_log(
    place: Place, name: str, content: bytes, kind: str, where: str
) -> None:
    if where == "in a zip":
        place.logs.joinpath("a.zip").write_bytes(zipped((name, content)))
    elif where == "in a gzip":
        place.logs.joinpath(f"{name}.gz").write_bytes(gzip.compress(content))
    elif name.endswith((".zip", ".gz")):
        pytest.skip("read as what it is")
    else:
        place.logs.joinpath(name).write_bytes(content)
    summary = place.ingest()
    (found,) = (report for report in summary.files if "inner" in report.path)
    assert (found.outcome, found.kind) == ("skipped", f"{kind}: unpack it first")
    assert numbers(place) == []


def test_methods_sizes_and_zip64(place: Place) -> None:
    for number, method in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)):
        place.logs.joinpath(f"{number}.zip").write_bytes(
            zipped((f"{number}.LOG", receive([number])), method=method)
        )
    with (
        zipfile.ZipFile(place.logs / "3.zip", "w") as archive,
        archive.open("3.LOG", "w", force_zip64=True) as out,
    ):
        out.write(receive([3]))

    class NoSeek(io.RawIOBase):
        """A pipe: sizes and checksum stand behind the data (data descriptor)."""

        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]  # any buffer
            return len(data)  # type: ignore[arg-type]

    pipe = NoSeek()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("4.LOG", receive([4]))
    place.logs.joinpath("4.zip").write_bytes(pipe.data)
    assert place.ingest().as_json()["files"]["failed"] == 0
    assert numbers(place) == [0, 1, 2, 3, 4]


def _set(data: bytearray, offset: int, value: bytes) -> bytearray:
    at = data.index(b"PK\x01\x02") + offset
    data[at : at + len(value)] = value
    return data


DAMAGED: dict[str, Callable[[], bytes]] = {
    "declared size too small": lambda: _set(zipped((NAME, receive(range(3)))), 24, struct.pack("<I", 50)),
    "declared size of 4 GB": lambda: _set(
        zipped((NAME, receive(range(3)))), 24, struct.pack("<I", 0xFFFFFFF0)
    ),
    "offset behind the end": lambda: _set(
        zipped((NAME, receive(range(3)))), 42, struct.pack("<I", 0x7FFFFFF0)
    ),
    "offset into another member": lambda: _set(zipped((NAME, receive(range(3)))), 42, struct.pack("<I", 7)),
    "wrong checksum": lambda: _set(zipped((NAME, receive(range(3)))), 16, b"\0\0\0\0"),
    "unknown method": lambda: _set(zipped((NAME, receive(range(3)))), 10, b"\x61\0"),
    "encrypted": lambda: _set(zipped((NAME, receive(range(3)))), 8, b"\x01\0"),
    "strongly encrypted": lambda: _set(zipped((NAME, receive(range(3)))), 8, b"\x41\0"),
    "name that is no UTF-8": lambda: _set(
        _set(zipped((NAME, receive(range(3)))), 8, b"\x00\x08"), 46, b"\xff\xfe\xed\xa0\x80"
    ),
    "extra field that swallows a member": lambda: _set(
        zipped(("notes.txt", b"x"), (NAME, receive(range(3)))), 30, b"\xff\xff"
    ),
    "comment that swallows a member": lambda: _set(
        zipped(("notes.txt", b"x"), (NAME, receive(range(3)))), 32, struct.pack("<H", 46 + len(NAME))
    ),
    "newer version": lambda: _set(zipped((NAME, receive(range(3)))), 6, b"\xff\xff"),
    "empty file": lambda: b"",
    "end alone": lambda: bytes(zipped())[:10],
    "lzma of garbage": lambda: bytes(zipped((NAME, receive(range(3))), method=zipfile.ZIP_LZMA)).replace(
        b"\x5d\0\0", b"\xff\xff\xff", 1
    ),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_zip_is_named_and_the_other_logs_are_read(place: Place, how: str) -> None:
    place.logs.joinpath("a.zip").write_bytes(bytes(DAMAGED[how]()))
    summary = place.ingest()
    failed = [report for report in summary.files if report.outcome == "failed"]
    assert [report.path.partition("!")[0] for report in failed] == [str(place.logs / "a.zip")]
    assert failed[0].note and "\n" not in failed[0].note
    assert len(place.rows()) == 3


def test_twenty_thousand_members_do_not_take_for_ever(place: Place) -> None:
    """The directory is read once, not once a member: that took ten minutes."""
    archive = zipped(*((f"c/EX01/{number}.txt", b"x") for number in range(20_000)))
    place.logs.joinpath("a.zip").write_bytes(archive)
    started = time.process_time()
    summary = place.ingest()
    assert summary.as_json()["files"]["skipped"] == 20_000
    assert time.process_time() - started < 60


def directory_of(members: int, name: bytes = b"a.txt", extra: int = 0) -> bytes:
    """An archive that is nothing but a directory, as large as it says."""
    entry = (
        b"PK\x01\x02"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0x800, 0, 0, 33, 0, 1, 1, len(name), extra, 0, 0, 0, 0, 0)
        + name
        + (struct.pack("<HH", 0xCAFE, extra - 4).ljust(extra, b"x") if extra else b"")
    )
    directory = entry * members
    zip64 = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, members, members, len(directory), 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, len(directory), 1)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return directory + zip64 + locator + end


LISTED = """
import sys
from pathlib import Path
from pipeline.logs.discover import discover
count = len(list(discover([Path(sys.argv[1])])))
# not ru_maxrss: a child inherits that of the process that started it
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(count, int(peak.split()[1]) >> 10)
"""


@pytest.mark.parametrize(
    ("members", "extra"),
    [(discover.MOST_MEMBERS + 1, 0), (1_000_000, 0), (2_000, 40_000), (2, 0)],
)
def test_an_archive_of_too_many_members_is_refused(place: Place, members: int, extra: int) -> None:
    place.logs.joinpath("a.zip").write_bytes(directory_of(members, extra=extra))
    started = time.process_time()
    summary = place.ingest()
    failed = [report.note for report in summary.files if report.outcome == "failed"]
    if members == 2:
        assert not any("200000" in note for note in failed)
        return
    assert failed == [
        "it has more than 200000 members, or a directory above 64 MB: unpack it, or make several archives of it"
    ]
    assert len(place.rows()) == 3, "all others are read"
    assert time.process_time() - started < 20


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is told in other units elsewhere")
@pytest.mark.parametrize(("name", "members"), [(b"a.txt", 200_000), ("📧".encode() * 60, 200_000)])
def test_a_directory_of_any_size_takes_bounded_memory(tmp_path: Path, name: bytes, members: int) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(directory_of(members, name))
    done = subprocess.run(
        [sys.executable, "-c", LISTED, str(path)], capture_output=True, text=True, check=True
    )
    count, megabytes = map(int, done.stdout.split())
    assert count in (1, members), "one sentence, or all of them"
    assert megabytes < 700


def test_an_archive_can_be_deleted_after_it_was_listed(place: Place) -> None:
    """Its directory is kept in memory, the file is not kept open."""
    path = place.logs / "a.zip"
    path.write_bytes(zipped((NAME, receive(range(3)))))
    (candidate,) = discover.discover([path])
    assert isinstance(candidate, Candidate)
    if sys.platform.startswith("linux"):
        assert not [fd for fd in Path("/proc/self/fd").iterdir() if os.path.realpath(fd) == str(path)]
    path.unlink()
    with pytest.raises(discover.ReadError):
        list(discover.chunks(candidate))


@pytest.fixture
def deep_tree(place: Place) -> Iterator[Place]:
    """A log 1,500 folders down. It is taken apart by hand: what deletes temporary folders may call itself."""
    here = Path.cwd()
    os.chdir(place.logs)
    for _ in range(1_500):
        os.mkdir("d")  # noqa: PTH102  relative: the whole path is too long for some systems
        os.chdir("d")
    Path("RECV.LOG").write_bytes(receive(range(3)))
    yield place
    Path("RECV.LOG").unlink()
    for _ in range(1_500):
        os.chdir("..")
        os.rmdir("d")  # noqa: PTH106  as above
    os.chdir(here)


@pytest.mark.skipif(sys.platform == "win32", reason="no such tree can be made there")
def test_a_tree_deeper_than_python_calls(deep_tree: Place) -> None:
    summary = deep_tree.ingest()
    assert numbers(deep_tree) == [0, 1, 2] or any(report.outcome == "failed" for report in summary.files)
    assert len(deep_tree.rows()) >= 3


def test_a_long_path_is_read_or_named(place: Place) -> None:
    name = "/".join(["folder with a rather long name of its own"] * 12) + "/RECV.LOG"
    place.write(name, receive(range(3)))
    place.ingest()
    assert numbers(place) == [0, 1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_pipes_sockets_and_devices_are_never_opened(place: Place) -> None:
    import socket

    os.mkfifo(place.logs / "pipe.LOG")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(place.logs)
        try:
            server.bind("socket.LOG")
        finally:
            os.chdir(here)
        (place.logs / "null.LOG").symlink_to("/dev/zero")
        (place.logs / "pipe2.zip").symlink_to(place.logs / "pipe.LOG")
        summary = place.ingest()
    assert [report.rows for report in summary.files] == [3]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")
def test_hard_links_and_loops(place: Place) -> None:
    path = place.write(NAME, receive(range(3)))
    os.link(path, path.with_name("RECV2026112008-2.LOG"))
    for folder in (place.logs, path.parent):
        (folder / "loop").symlink_to(place.logs, target_is_directory=True)
    (place.logs / "one").symlink_to(place.logs / "two")
    (place.logs / "two").symlink_to(place.logs / "one")
    place.ingest()
    assert numbers(place) == [0, 1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")
def test_loops_end_where_files_have_no_number(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows' file systems of other makers: there the resolved name tells a loop."""
    (place.logs / "good" / "loop").symlink_to(place.logs, target_is_directory=True)
    plain = Path.stat

    def without_number(self: Path, **options: bool) -> SimpleNamespace:
        status = plain(self, **options)
        names = ("st_mode", "st_dev", "st_size", "st_mtime_ns")
        return SimpleNamespace(st_ino=0, **{name: getattr(status, name) for name in names})

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", without_number)
        found = [candidate.path for candidate in discover.discover([place.logs])]
    assert found == [str(place.logs / GOOD)]


def test_a_folder_that_may_not_be_read_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user without rights sees it; tests may run as root."""
    place.write(NAME, receive(range(3)))
    closed, stated = place.logs / "contoso", place.logs / "secret"
    stated.mkdir()
    scandir, stat_ = os.scandir, Path.stat

    def no_scandir(path: Path) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    def no_stat(self: Path, **options: bool) -> os.stat_result:
        if self == stated:
            raise PermissionError(13, "Permission denied")
        return stat_(self, **options)

    monkeypatch.setattr(os, "scandir", no_scandir)
    monkeypatch.setattr(Path, "stat", no_stat)
    summary = place.ingest()
    failed = {Path(report.path).name: report.note for report in summary.files if report.outcome == "failed"}
    assert failed == {"contoso": "permission denied", "secret": "permission denied"}
    assert len(place.rows()) == 3


def test_a_file_that_vanishes_between_listing_and_reading_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.write(NAME, receive(range(3)))
    head = discover.head

    def gone(candidate: Candidate, length: int) -> tuple[bytes, bool]:
        if candidate.file == path:
            path.unlink(missing_ok=True)
        return head(candidate, length)

    monkeypatch.setattr(discover, "head", gone)
    summary = place.ingest()
    assert report_of(summary, NAME).outcome == "failed"
    assert len(place.rows()) == 3
