"""Locks of runs: held by a process, free when it is gone, however it went."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from pipeline.store import locks
from pipeline.store.locks import FOLDER, is_writing, runs_with_locks, writing

_HOLD = """
import sys, time
from pathlib import Path
from pipeline.store.locks import writing
with writing(Path(sys.argv[1]), "abc123"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_by_its_process_and_free_after_kill_9(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert is_writing(tmp_path, "abc123")
    assert runs_with_locks(tmp_path) == ["abc123"]
    child.kill()
    child.wait()
    child.stdout.close()
    assert not is_writing(tmp_path, "abc123")
    assert runs_with_locks(tmp_path) == []


def test_within_the_process_too(tmp_path: Path) -> None:
    with writing(tmp_path, "abc123"):
        assert is_writing(tmp_path, "abc123")
        assert not is_writing(tmp_path, "def456")
    assert not is_writing(tmp_path, "abc123")
    assert not list((tmp_path / FOLDER).iterdir())


def test_a_run_that_begins_while_its_lock_is_looked_at_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks frees the lock again: what he deletes then must not be what the run has just locked."""
    with writing(tmp_path, "abc123"):
        pass
    (tmp_path / FOLDER / "abc123.lock").touch()
    plain = locks._unlock
    with ExitStack() as run:

        def unlock(handle: IO[bytes]) -> None:
            monkeypatch.setattr(locks, "_unlock", plain)
            plain(handle)
            run.enter_context(writing(tmp_path, "abc123"))

        monkeypatch.setattr(locks, "_unlock", unlock)
        assert not is_writing(tmp_path, "abc123"), "it was dead when it was looked at"
        assert is_writing(tmp_path, "abc123")
        assert runs_with_locks(tmp_path) == ["abc123"]
    assert not is_writing(tmp_path, "abc123")
