"""Which files there are under a path, and their bytes: plain, .gz, .zst and the members of .zip, read in place."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

import pyarrow as pa

CHUNK = 4 << 20
_LEAST = 64 << 10
Container = Literal["plain", "gzip", "zstd", "zip"]
MOST_TIMES = 250
"""Exchange's logs pack 10 to 30 times; what unpacks to more than this, and to more than ANYWAY, is no log."""
ANYWAY = 1 << 30
MOST_MEMBERS = 200_000
"""A zip's directory is held in memory, about 1 KB a member. 20 servers write as many logs in about six weeks."""
MOST_DIRECTORY = 64 << 20
"""Bytes; a member's entry takes 100 to 200."""
_ENTRY = b"PK\x01\x02"
_LONGEST_END = 22 + 0xFFFF
"""Of a zip: its end record and comment."""
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, or a member of an archive, that may be a log.

    `path` names it in lineage (`archive.zip!member`); `folders` are the folder names between the path that
    was asked for and the file, archive folders included; `size` and `mtime_ns` are those on disk (of a
    member: its uncompressed size, the archive's time); `member` is its place in the archive's directory.
    """

    path: str
    folders: tuple[str, ...]
    name: str
    size: int
    mtime_ns: int
    container: Container
    file: Path
    member: int | None = None

    @property
    def is_archived(self) -> bool:
        """Whether the log can no longer grow."""
        return self.container != "plain"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path that cannot be read, and why in a few words."""

    path: str
    reason: str


class ReadError(Exception):
    """The bytes of a candidate ended early; what was yielded before is good.

    `may_pass` says that the system refused them, as those of a locked file: another time they may be read.
    """

    def __init__(self, reason: str, *, may_pass: bool = False) -> None:
        super().__init__(reason)
        self.may_pass = may_pass


def discover(paths: Iterable[Path], exclude: Path | None = None) -> Iterator[Candidate | Unreadable]:
    """Every file under the paths, in natural order (`-2` before `-10`); links are followed once each.

    `exclude` is a folder that is left out: the store itself.
    """
    seen_folders: set[tuple[int, int] | str] = set()
    seen_files: set[str] = set()
    for path in paths:
        root = path.absolute()
        for found in _walk(root, seen_folders, exclude.absolute() if exclude else None):
            if isinstance(found, Unreadable):
                yield found
            elif (key := os.path.normcase(found.path)) not in seen_files:
                seen_files.add(key)
                yield from _members(found) if found.container == "zip" else [found]


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key in which numbers count as numbers and case does not count."""
    # By length, then digit by digit: a member's name may hold more digits than Python turns into a number.
    return [
        (0, len(digits := piece.lstrip("0")), digits)
        if piece.isdecimal() and piece.isascii()
        else (1, 0, piece)
        for piece in re.split(r"([0-9]+)", name.lower())
        if piece
    ]


_BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    # of damaged directories of archives: names that are no UTF-8, sizes that cannot be
    ValueError,
    OverflowError,
    struct.error,
    lzma.LZMAError,
    pa.ArrowException,
)


def chunks(candidate: Candidate, position: int = 0, size: int = CHUNK) -> Iterator[bytes]:
    """The uncompressed bytes from a position on, in pieces; UTF-16 with a BOM comes as UTF-8.

    Positions count the bytes that come out. Raises ReadError after what could be read, if the file is
    damaged, locked or gone.
    """
    if not candidate.is_archived:
        # Room is made for as much as is asked for, of however small a file.
        size = min(size, max(_LEAST, candidate.size - position + 1))
    try:
        with _open(candidate) as stream:
            if position and not candidate.is_archived and _UTF16.get(stream.read(2)) is None:
                stream.seek(position)
                yield from _pieces(stream, size)
                return
            if not candidate.is_archived:
                stream.seek(0)
            pieces = _bounded(_pieces(stream, size), candidate)
            first = next(pieces, b"")
            encoding = _UTF16.get(first[:2])
            whole = chain([first[2:]], pieces) if encoding else chain([first], pieces)
            yield from _after(_decoded(whole, encoding) if encoding else whole, position)
    except _BROKEN as error:
        # What is damaged has no number of the system's.
        raise ReadError(
            _why(error), may_pass=isinstance(error, OSError) and error.errno is not None
        ) from error


def head(candidate: Candidate, length: int) -> tuple[bytes, bool]:
    """The first `length` bytes, and whether they are all; of a damaged file what can be read.

    Raises ReadError if that is nothing.
    """
    pieces: list[bytes] = []
    got = 0
    try:
        for piece in chunks(candidate, size=length + 1):
            pieces.append(piece)
            got += len(piece)
            if got > length:
                break
    except ReadError:
        if not got:
            raise
        return b"".join(pieces)[:length], False
    return b"".join(pieces)[:length], got <= length


def _pieces(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """The stream in pieces of a size; what comes before damage is yielded before it is raised."""
    # A plain read() of a decompressor loses what it has when the archive ends early.
    read = getattr(stream, "read1", stream.read)
    while True:
        got: list[bytes] = []
        missing = size
        try:
            while missing and (piece := read(missing)):
                got.append(piece)
                missing -= len(piece)
        except _BROKEN:
            if got:
                yield b"".join(got)
            raise
        if not got:
            return
        yield got[0] if len(got) == 1 else b"".join(got)


def _bounded(pieces: Iterable[bytes], candidate: Candidate) -> Iterator[bytes]:
    """Raises ReadError where a compressed file goes on for ever; members of archives are as long as they say."""
    if candidate.container not in ("gzip", "zstd"):
        yield from pieces
        return
    most = max(ANYWAY, MOST_TIMES * candidate.size)
    length = 0
    for piece in pieces:
        yield piece
        length += len(piece)
        if length > most:
            raise ReadError(_bomb(length))


def _bomb(length: int) -> str:
    return (
        f"it unpacks to more than {length >> 20} MB, over {MOST_TIMES} times its size, as no log does: "
        "unpack it yourself if it is one"
    )


def _decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "replace")


def _after(pieces: Iterable[bytes], position: int) -> Iterator[bytes]:
    for piece in pieces:
        if position < len(piece):
            yield piece[position:]
            position = 0
        else:
            position -= len(piece)


@contextmanager
def _open(candidate: Candidate) -> Iterator[IO[bytes]]:
    """Opened for shared reading and never mapped, so that Exchange can still rotate the log."""
    if candidate.container == "gzip":
        with gzip.open(candidate.file, "rb") as stream:
            yield cast(IO[bytes], stream)
    elif candidate.container == "zstd":
        with pa.input_stream(str(candidate.file), compression="zstd", buffer_size=1 << 20) as stream:
            yield stream
    elif candidate.member is not None:
        archive, file = _archive(candidate.file)
        try:
            with archive.open(archive.infolist()[candidate.member]) as stream:
                yield stream
        finally:
            file.release()
    else:
        with candidate.file.open("rb", buffering=0) as stream:
            yield cast(IO[bytes], stream)


class _Reopening(io.RawIOBase):
    """A file that is open only between the first use and `release`, so that it can be moved or deleted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._is_directory_read = False

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._path.open("rb")
        return self._file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._opened().seek(offset, whence)

    def tell(self) -> int:
        return self._opened().tell()

    def read(self, size: int = -1) -> bytes:
        if self._is_directory_read:
            return self._opened().read(size)
        # zipfile reads the directory as a whole, of whatever size the archive says, before it looks at a member.
        most = MOST_DIRECTORY + _LONGEST_END
        data = self._opened().read(most + 1 if size < 0 else min(size, most + 1))
        if len(data) > most or data.count(_ENTRY) > MOST_MEMBERS:
            raise zipfile.BadZipFile(_too_many())
        return data

    def directory_is_read(self) -> None:
        """From now on members are read, of which `zipfile` reads a piece at a time."""
        self._is_directory_read = True

    def release(self) -> None:
        """Close the file until it is used again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _archive(path: Path) -> tuple[zipfile.ZipFile, _Reopening]:
    """An archive; its directory is read once, or ten thousand members would take ten thousand times as long."""
    status = path.stat()
    return _opened(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=2)
def _opened(path: Path, *_state: int) -> tuple[zipfile.ZipFile, _Reopening]:
    file = _Reopening(path)
    try:
        archive = zipfile.ZipFile(cast(IO[bytes], file))
        file.directory_is_read()
        return archive, file
    finally:
        file.release()


def _too_many() -> str:
    return (
        f"it has more than {MOST_MEMBERS} members, or a directory above {MOST_DIRECTORY >> 20} MB: unpack it, "
        "or make several archives of it"
    )


def _walk(
    root: Path, seen: set[tuple[int, int] | str], exclude: Path | None
) -> Iterator[Candidate | Unreadable]:
    """Depth first, without recursion: folders may lie deeper than Python calls."""
    left: list[tuple[Path, tuple[str, ...]]] = [(root, ())]
    while left:
        path, folders = left.pop()
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            yield Unreadable(_text(str(path)), _why(error))
            continue
        if not stat.S_ISDIR(status.st_mode):
            if stat.S_ISREG(status.st_mode):
                yield _file(path, folders, status)
            continue
        # Windows may not number files; there the resolved name tells a loop.
        identity = (status.st_dev, status.st_ino) if status.st_ino else str(path.resolve()).lower()
        if identity in seen or path == exclude:
            continue
        seen.add(identity)
        try:
            with os.scandir(path) as entries:
                names = sorted((entry.name for entry in entries), key=natural_key, reverse=True)
        except OSError as error:
            yield Unreadable(_text(str(path)), _why(error))
            continue
        if "_delta_log" not in names:
            inside = folders if path is root else (*folders, path.name)
            left.extend((path / name, inside) for name in names)


def _file(path: Path, folders: tuple[str, ...], status: os.stat_result) -> Candidate:
    endings: dict[str, Container] = {".gz": "gzip", ".zst": "zstd", ".zip": "zip"}
    container = endings.get(path.suffix.lower(), "plain")
    return Candidate(
        _text(str(path)),
        tuple(_text(folder) for folder in folders),
        _text(path.name),
        status.st_size,
        status.st_mtime_ns,
        container,
        path,
    )


def _text(name: str) -> str:
    """A file name as it can be stored and printed: bytes that are no UTF-8 stand escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def _members(archive: Candidate) -> Iterator[Candidate | Unreadable]:
    """Members keep their names, also `../` and absolute ones: they only name lineage, nothing is written."""
    try:
        opened, _ = _archive(archive.file)
        told = _told_members(archive.file)
        members = sorted(enumerate(opened.infolist()), key=lambda member: natural_key(member[1].filename))
    except _BROKEN as error:
        yield Unreadable(archive.path, _why(error))
        return
    if told not in (None, len(members) % 0x10000):
        yield Unreadable(archive.path, f"its directory tells of {told} members, {len(members)} are found")
    seen: Counter[str] = Counter()
    most, length = max(ANYWAY, MOST_TIMES * archive.size), 0
    for at, info in members:
        parts = [
            part
            for part in PurePosixPath(info.filename.replace("\\", "/")).parts
            if part not in ("/", "..", ".")
        ]
        if info.filename.endswith(("/", "\\")):
            continue
        # A name may be empty, or nothing but dots: its log is read all the same.
        parts = parts or ["(no name)"]
        seen[info.filename] += 1
        path = f"{archive.path}!{info.filename}" + (
            f" ({seen[info.filename]})" if seen[info.filename] > 1 else ""
        )
        if info.flag_bits & 1:
            yield Unreadable(path, "the archive is encrypted")
            continue
        if info.file_size > max(ANYWAY, MOST_TIMES * info.compress_size):
            yield Unreadable(path, _bomb(info.file_size))
            continue
        # Members may share their bytes: each is small then, and all together are not.
        length += info.file_size
        if length > most:
            yield Unreadable(path, _bomb(length))
            return
        yield Candidate(
            path,
            (*archive.folders, *parts[:-1]),
            parts[-1],
            info.file_size,
            archive.mtime_ns,
            "zip",
            archive.file,
            at,
        )


def _told_members(path: Path) -> int | None:
    """What the record at an archive's end says; a damaged directory may swallow members without an error."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_END))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    return int.from_bytes(end[at + 10 : at + 12], "little") if at >= 0 and b"PK\x06\x07" not in end else None


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, EOFError):
        return "the archive ends early"
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
