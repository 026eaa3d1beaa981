"""Where a session of DuckDB spills what does not fit into memory, and what killed sessions left there.

What is spilled are rows of logs, with addresses. A session that ends deletes its folder; one that is killed cannot. Each
holds the lock of a file in its folder, so the next session knows the folders that are nobody's, and deletes them.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from pipeline.store.locks import delete_unless_held, hold_new

PREFIX = "tbes-sql-"
LOCK = "session.lock"
UNLOCKED_HOURS = 24
"""How long a folder without a lock is left: its session may be just beginning, or unable to lock."""
ATTEMPTS = 5
_TAKEN = (errno.EACCES, errno.EAGAIN, errno.ENOENT)
"""Another session takes the folder for a rest just now; any other number says that there are no locks."""


class SpillFolder:
    """A private folder until it is closed, or the process ends. Raises OSError where nothing can be written."""

    def __init__(self) -> None:
        _delete_leftovers()
        self._lock: IO[bytes] | None = None
        for _ in range(ATTEMPTS):
            self._folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
            self.path = self._folder.name
            lock = Path(self.path, LOCK)
            try:
                self._lock = hold_new(lock)
                return
            except OSError as error:
                # A file without lock would say that the session is dead.
                with suppress(OSError):
                    lock.unlink()
                if error.errno not in _TAKEN:
                    return
            self._folder.cleanup()
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def close(self) -> None:
        """Delete it."""
        if self._lock is not None:
            self._lock.close()
        self._folder.cleanup()


def _delete_leftovers() -> None:
    """Folders of this user whose session is dead. What cannot be deleted is left: it must stop nobody."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name.startswith(PREFIX) and _is_own(entry) and _is_left(Path(entry.path)):
                    shutil.rmtree(entry.path, ignore_errors=True)


def _is_own(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, and not another user's, whose files are not to be opened here."""
    return entry.is_dir(follow_symlinks=False) and (
        os.name != "posix" or entry.stat(follow_symlinks=False).st_uid == os.geteuid()
    )


def _is_left(folder: Path) -> bool:
    lock = folder / LOCK
    if lock.exists():
        return delete_unless_held(lock)
    return time.time() - folder.stat().st_mtime > UNLOCKED_HOURS * 3600
