"""Which files there are under a path, and their bytes: plain, .gz, .zst and the members of .zip, read in place."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Literal, cast

import pyarrow as pa

CHUNK = 4 << 20
Container = Literal["plain", "gzip", "zstd", "zip"]
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
    """The bytes of a candidate ended early; what was yielded before is good."""


def discover(paths: Iterable[Path], exclude: Path | None = None) -> Iterator[Candidate | Unreadable]:
    """Every file under the paths, in natural order (`-2` before `-10`); links are followed once each.

    `exclude` is a folder that is left out: the store itself.
    """
    seen_folders: set[tuple[int, int] | str] = set()
    seen_files: set[str] = set()
    for path in paths:
        root = path.absolute()
        for found in _walk(root, (), seen_folders, exclude.absolute() if exclude else None):
            if isinstance(found, Unreadable):
                yield found
            elif (key := os.path.normcase(found.path)) not in seen_files:
                seen_files.add(key)
                yield from _members(found) if found.container == "zip" else [found]


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key in which numbers count as numbers and case does not count."""
    return [
        (0, int(piece), "") if piece.isdecimal() and piece.isascii() else (1, 0, piece)
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
    pa.ArrowException,
)


def chunks(candidate: Candidate, position: int = 0, size: int = CHUNK) -> Iterator[bytes]:
    """The uncompressed bytes from a position on, in pieces; UTF-16 with a BOM comes as UTF-8.

    Positions count the bytes that come out. Raises ReadError after what could be read, if the file is
    damaged, locked or gone.
    """
    try:
        with _open(candidate) as stream:
            if position and not candidate.is_archived and _UTF16.get(stream.read(2)) is None:
                stream.seek(position)
                yield from _pieces(stream, size)
                return
            if not candidate.is_archived:
                stream.seek(0)
            pieces = _pieces(stream, size)
            first = next(pieces, b"")
            encoding = _UTF16.get(first[:2])
            whole = chain([first[2:]], pieces) if encoding else chain([first], pieces)
            yield from _after(_decoded(whole, encoding) if encoding else whole, position)
    except _BROKEN as error:
        raise ReadError(_why(error)) from error


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
        with (
            zipfile.ZipFile(candidate.file) as archive,
            archive.open(archive.infolist()[candidate.member]) as stream,
        ):
            yield stream
    else:
        with candidate.file.open("rb", buffering=0) as stream:
            yield cast(IO[bytes], stream)


def _walk(
    path: Path, folders: tuple[str, ...], seen: set[tuple[int, int] | str], exclude: Path | None
) -> Iterator[Candidate | Unreadable]:
    try:
        status = path.stat()
    except OSError as error:
        yield Unreadable(_text(str(path)), _why(error))
        return
    if not stat.S_ISDIR(status.st_mode):
        if stat.S_ISREG(status.st_mode):
            yield _file(path, folders, status)
        return
    # Windows may not number files; there the resolved name tells a loop.
    identity = (status.st_dev, status.st_ino) if status.st_ino else str(path.resolve()).lower()
    if identity in seen or path == exclude:
        return
    seen.add(identity)
    try:
        with os.scandir(path) as entries:
            names = sorted((entry.name for entry in entries), key=natural_key)
    except OSError as error:
        yield Unreadable(_text(str(path)), _why(error))
        return
    if "_delta_log" in names:
        return
    for name in names:
        child = path / name
        yield from _walk(child, (*folders, name) if child.is_dir() else folders, seen, exclude)


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
        with zipfile.ZipFile(archive.file) as opened:
            members = sorted(enumerate(opened.infolist()), key=lambda member: natural_key(member[1].filename))
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        yield Unreadable(archive.path, _why(error))
        return
    seen: Counter[str] = Counter()
    for at, info in members:
        parts = [
            part
            for part in PurePosixPath(info.filename.replace("\\", "/")).parts
            if part not in ("/", "..", ".")
        ]
        if info.is_dir() or not parts:
            continue
        seen[info.filename] += 1
        path = f"{archive.path}!{info.filename}" + (
            f" ({seen[info.filename]})" if seen[info.filename] > 1 else ""
        )
        if info.flag_bits & 1:
            yield Unreadable(path, "the archive is encrypted")
            continue
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


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, EOFError):
        return "the archive ends early"
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
