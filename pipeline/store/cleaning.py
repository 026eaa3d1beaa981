"""Files that nobody needs any more: what killed runs left, and what was replaced longer ago than any report runs.

delta-rs' own vacuum is not used to delete: it leaves out the first, and in its full mode takes the parts of a run that
is under way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.store import imported
from pipeline.store.kept_views import FOLDER as KEPT_VIEWS
from pipeline.store.locks import is_writing, runs_with_locks
from pipeline.store.store import Store

GRACE_HOURS = 1
"""How long a report may go on reading what was replaced after it began."""
_PART = re.compile(r"part-([0-9a-f]+)-[0-9]+[.]parquet")
_HALF_COMMIT = re.compile(r".+(?:#[0-9]+|[.]tmp)")


@dataclass(slots=True)
class Cleaned:
    """Files deleted and their bytes; `left` could not be deleted, for the reason beside each, and are tried again the next time."""

    files: int = 0
    bytes: int = 0
    left: list[tuple[Path, str]] = field(default_factory=list)


def clean(store: Store, grace_hours: int = GRACE_HOURS, organisation: str | None = None) -> Cleaned:
    """Delete what nobody needs, of all organisations or of one. Raises UsageError if there is no store."""
    cleaned = Cleaned()
    candidates = {name: list(_parts(store.root / name, organisation)) for name in store.tables}
    of_imports = list(imported.leftovers(store.root))
    of_commits = [path for name in store.tables for path in _half_commits(store.root / name / "_delta_log")]
    # In this order: a run that has ended by now has committed, and the state that is read after it knows of it.
    busy = {
        run
        for run in {_run(path) for files in candidates.values() for path in files}
        if is_writing(store.root, run)
    }
    for snapshot in store.snapshot():
        live = {part.path for part in snapshot.parts}
        unneeded = [path for path in candidates[snapshot.name] if _relative(snapshot.root, path) not in live]
        if unneeded:
            recent = store.tables[snapshot.name].removed_within(grace_hours)
            for path in unneeded:
                if _run(path) not in busy and _relative(snapshot.root, path) not in recent:
                    _delete(path, cleaned)
    # Asking deletes the lock of a run that was killed.
    under_way = {run for run in runs_with_locks(store.root) if is_writing(store.root, run)}
    if imported.RUN not in under_way:
        # Of whatever organisation: the next import may be far, and a purge is to leave none of it.
        _delete_old(of_imports, grace_hours, cleaned)
    if organisation is None:
        # Which run makes a commit is not told by its name.
        _delete_old(of_commits, max(grace_hours, GRACE_HOURS) if under_way else grace_hours, cleaned)
        _delete_old((store.root / KEPT_VIEWS).glob("*/*/*.new"), grace_hours, cleaned)
    return cleaned


def _half_commits(log: Path) -> Iterator[Path]:
    """What delta-rs writes before it gives a commit its name: `NAME#1`; others write `NAME.tmp`."""
    return (path for path in log.glob("*") if _HALF_COMMIT.fullmatch(path.name))


def _parts(table: Path, organisation: str | None) -> Iterator[Path]:
    pattern = f"organisation={organisation or '*'}/month=*/part-*.parquet"
    return (path for path in table.glob(pattern) if _PART.fullmatch(path.name))


def _run(path: Path) -> str:
    found = _PART.fullmatch(path.name)
    assert found is not None
    return found[1]


def _relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _delete_old(files: Iterable[Path], hours: int, cleaned: Cleaned) -> None:
    for path in files:
        # What is renamed meanwhile is no rest.
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime >= hours * 3600:
                _delete(path, cleaned)


def _delete(path: Path, cleaned: Cleaned) -> None:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        # Windows keeps a file that a report has open.
        cleaned.left.append((path, error.strerror or type(error).__name__))
        return
    cleaned.files += 1
    cleaned.bytes += size
