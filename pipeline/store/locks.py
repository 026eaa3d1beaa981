"""Which files belong to a process that is alive: it holds an operating system's lock on one of them.

The lock goes with the process, also by kill -9; so what a free lock guards is nobody's any more. Which runs write to
a store now is told so too: each holds the lock of a file of its own.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

FOLDER = "runs"
ATTEMPTS = 100


@contextmanager
def writing(store_root: Path, run: str) -> Iterator[None]:
    """Hold the lock of a run while it writes. Raises OSError if the store cannot be written."""
    path = store_root / FOLDER / f"{run}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        yield
    # On Windows another process may look at it just now: then clean-up deletes it later.
    with suppress(OSError):
        path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """A clean-up may hold the lock for a moment, and delete the file before this run has locked it."""
    for attempt in range(ATTEMPTS):
        with path.open("ab") as handle:
            try:
                _lock(handle)
            except OSError:
                if attempt + 1 == ATTEMPTS:
                    raise
                time.sleep(0.05)
                continue
            if path.exists() and os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                try:
                    yield
                finally:
                    _unlock(handle)
                return
    raise OSError(f"{path} cannot be locked")


def hold_new(path: Path) -> IO[bytes]:
    """Make a file and hold its lock until the handle is closed. Raises OSError if a clean-up was faster."""
    handle = path.open("xb")
    try:
        _lock(handle)
        if not os.path.samestat(os.fstat(handle.fileno()), path.stat()):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    except OSError:
        handle.close()
        raise
    return handle


def lock_if_possible(handle: IO[bytes]) -> None:
    """Hold the lock of an open file until it is closed. Not every file system has locks."""
    with suppress(OSError):
        _lock(handle)


def is_writing(store_root: Path, run: str) -> bool:
    """Whether a run is under way. The lock file of a run that was killed is deleted."""
    return not delete_unless_held(store_root / FOLDER / f"{run}.lock")


def delete_unless_held(path: Path) -> bool:
    """Delete a file unless a process holds its lock. False if one does, or it cannot be told."""
    try:
        with path.open("r+b") as handle:
            _lock(handle)
            if os.name == "posix":
                # Who opens it meanwhile and waits for the lock sees that the file is gone.
                path.unlink()
            _unlock(handle)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if os.name != "posix":
        # Windows deletes no file that is open: it stays for who has opened it since, or for the next clean-up.
        with suppress(OSError):
            path.unlink()
    return True


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: IO[bytes]) -> None:
        """Raises OSError at once if another process holds it."""
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(handle: IO[bytes]) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(handle: IO[bytes]) -> None:
        """Raises OSError at once if another process holds it."""
        fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: IO[bytes]) -> None:
        fcntl.flock(handle.fileno(), fcntl.LOCK_UN)


def runs_with_locks(store_root: Path) -> list[str]:
    """Runs whose lock file is there, under way or killed."""
    folder = store_root / FOLDER
    return sorted(entry.name.removesuffix(".lock") for entry in os.scandir(folder)) if folder.is_dir() else []
