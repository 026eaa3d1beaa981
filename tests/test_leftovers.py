"""What killed sessions and reports leave outside the store: the next one deletes it, and nothing of one that lives."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from pipeline import spill
from pipeline.commands import write_file
from pipeline.errors import UsageError
from pipeline.reference.catalogue import Catalogue
from pipeline.spill import LOCK, PREFIX, SpillFolder
from pipeline.sql import Session
from pipeline.store import locks

# More than fits into 60 MB: addresses are spilled. It says so once they are on the disk, and goes on.
_SPILLS = """
import sys, threading, time
from pathlib import Path
from pipeline import sql
from pipeline.reference.catalogue import Catalogue
sql.MEMORY = "60MB"
session = sql.Session((), Catalogue())
folder = Path(session._spill.path)
def tell():
    while not any(path.name != "session.lock" and path.stat().st_size for path in folder.iterdir()):
        time.sleep(0.01)
    print(folder, flush=True)
threading.Thread(target=tell, daemon=True).start()
session.query("select count(*) from (select distinct n::varchar || '@contoso.com' from range(1000000000) t(n))")
"""
_WRITES = """
import sys, time
from pathlib import Path
from pipeline import commands
plain = Path.replace
def replace(self, target):
    print(self.name, flush=True)
    {then}
    return plain(self, target)
{when}
commands.write_file(Path(sys.argv[1]), "old " * 1000)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this process and of its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@contextmanager
def told(code: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process, and the line that it says when it is so far. It is killed at the end: `kill -9` on POSIX."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        line = child.stdout.readline().rstrip("\n")
        assert line, child.communicate()[1]
        yield child, line
    finally:
        child.kill()
        child.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_session_spilled_goes_with_the_next_one(temporary: Path) -> None:
    with told(_SPILLS) as (child, line):
        left = Path(line)
        assert left.parent == temporary
        with Session((), Catalogue()) as session:
            assert session.query("select 1").rows == [(1,)]
        assert LOCK in names(left) and len(names(left)) > 1, "it is under way: nothing of it is deleted"
        child.kill()
        child.wait()
    assert len(names(left)) > 1, "what was spilled is there yet"
    with Session((), Catalogue()):
        assert not left.exists()
        assert len(names(temporary)) == 1, "its own"
    assert names(temporary) == []


def test_a_session_keeps_its_folder_while_others_come_and_go(temporary: Path) -> None:
    """Within one process too: views are kept by a session within a session."""
    first = SpillFolder()
    second = SpillFolder()
    assert len(names(temporary)) == 2
    second.close()
    assert names(temporary) == [Path(first.path).name]
    first.close()
    assert names(temporary) == []


def test_a_folder_without_lock_is_left_for_a_day(temporary: Path) -> None:
    """A session makes it just before its lock; tbes 0.1.0 had none."""
    young, old = temporary / f"{PREFIX}young", temporary / f"{PREFIX}old"
    for folder, hours in ((young, 23), (old, 25)):
        folder.mkdir()
        (folder / "duckdb_temp_storage-0.tmp").write_text("anna@contoso.com", encoding="utf-8")
        os.utime(folder, (time.time() - hours * 3600,) * 2)
    SpillFolder().close()
    assert names(temporary) == [young.name]


def test_nothing_else_is_touched(temporary: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    for folder in (foreign, temporary / "tbes-demo-x", temporary / "other"):
        folder.mkdir(exist_ok=True)
        (folder / LOCK).write_bytes(b"")
    (temporary / f"{PREFIX}file").write_bytes(b"")
    if sys.platform != "win32":
        (temporary / f"{PREFIX}link").symlink_to(foreign, target_is_directory=True)
    before = names(temporary)
    SpillFolder().close()
    assert names(temporary) == before
    assert names(foreign) == [LOCK]
    assert names(temporary / "tbes-demo-x") == [LOCK]


@pytest.mark.skipif(sys.platform == "win32", reason="owners are told otherwise there")
def test_a_folder_of_another_user_is_not_opened(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = temporary / f"{PREFIX}left"
    left.mkdir()
    (left / LOCK).write_bytes(b"")
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    SpillFolder().close()
    assert names(temporary) == [left.name]
    monkeypatch.undo()
    tempfile.tempdir = str(temporary)
    SpillFolder().close()
    assert names(temporary) == []
    tempfile.tempdir = None


def test_a_session_whose_new_folder_was_taken_for_a_rest_makes_another(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clean-up locks the file of a session that has made it and not locked it yet."""
    plain, taken = locks._lock, []

    def lock(handle: object) -> None:
        if not taken:
            (folder,) = temporary.iterdir()
            taken.append(folder)
            monkeypatch.setattr(locks, "_lock", plain)
            spill._delete_leftovers()
        plain(handle)  # type: ignore[arg-type]

    monkeypatch.setattr(locks, "_lock", lock)
    folder = SpillFolder()
    if os.name == "posix":
        assert names(temporary) == [Path(folder.path).name] != [taken[0].name]
    assert names(Path(folder.path)) == [LOCK]
    other = SpillFolder()
    other.close()
    assert names(Path(folder.path)) == [LOCK]
    folder.close()
    assert names(temporary) == []


def test_a_session_does_not_stay_in_a_folder_that_is_being_deleted(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other session has its lock, and has not come to its folder yet."""
    plain, taken = locks._lock, []

    def lock(handle: IO[bytes]) -> None:
        if not taken:
            taken.append(Path(handle.name).parent)
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        plain(handle)

    monkeypatch.setattr(locks, "_lock", lock)
    folder = SpillFolder()
    assert Path(folder.path) != taken[0]
    assert names(Path(folder.path)) == [LOCK]
    folder.close()
    assert names(temporary) == []


def test_without_locks_a_session_has_its_folder_for_a_day(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks, "_lock", no_locks)
    first = SpillFolder()
    SpillFolder().close()
    assert names(temporary) == [Path(first.path).name]
    assert names(Path(first.path)) == []
    first.close()


BEFORE_THE_RENAME = _WRITES.format(then="time.sleep(60)", when="Path.replace = replace")
WHILE_IT_IS_WRITTEN = _WRITES.format(
    then="",
    when="""
plain_lock = commands.lock_if_possible
def lock(handle):
    plain_lock(handle)
    handle.write(b"half")
    handle.flush()
    print(Path(handle.name).name, flush=True)
    time.sleep(60)
commands.lock_if_possible = lock
""",
)


@pytest.mark.parametrize("moment", [BEFORE_THE_RENAME, WHILE_IT_IS_WRITTEN], ids=["whole", "half"])
def test_what_a_killed_report_left_beside_its_output_goes_with_the_next_one(
    tmp_path: Path, moment: str
) -> None:
    # A name that is a pattern to others.
    output = tmp_path / "report [a].html"
    with told(moment, str(output)) as (child, left):
        assert re.fullmatch(r"\.report \[a\]\.html\.[0-9a-f]+\.tmp", left)
        child.kill()
        child.wait()
    assert names(tmp_path) == [left]
    # As another version of tbes names it, by its process.
    (tmp_path / f".{output.name}.4711.tmp").write_text("old", encoding="utf-8")
    others = [f".{output.name}.tmp", f".{output.name}x.4711.tmp", "x.tmp", f".{output.name}.4711.tmp.bak"]
    for name in others:
        (tmp_path / name).write_text("not ours", encoding="utf-8")
    write_file(output, "new")
    assert names(tmp_path) == sorted([output.name, *others])
    assert output.read_text(encoding="utf-8") == "new"


def test_what_a_report_under_way_has_written_stays(tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    with told(WHILE_IT_IS_WRITTEN, str(output)) as (_, half):
        write_file(output, "new")
        assert names(tmp_path) == [half, output.name]


def test_a_report_whose_file_was_taken_for_a_rest_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock goes when it is closed, a moment before it is renamed."""
    output, plain, seen = tmp_path / "report.html", Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        if not seen:
            seen.append(self)
            write_file(output, "another")
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    write_file(output, "mine")
    assert output.read_text(encoding="utf-8") == "mine"
    assert names(tmp_path) == [output.name]


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file"):
        write_file(tmp_path / "nowhere" / "report.html", "x")
