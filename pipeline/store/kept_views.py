"""Rows of views that a large store keeps, so that a report does not read every log line again.

They lie in `STORE/views/ORGANISATION/KEY/VIEW.parquet`. The key is a hash of all that the rows depend on: the live parts
of the organisation, the SQL, the catalogue, the organisation's entry in organisations.toml. Parts never change under
their name, so kept rows are right or not looked at; whoever deletes the folder loses nothing but time.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.store.delta import fsync
from pipeline.store.store import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "views"
BATCH_ROWS = 50_000_000
"""Of the organisations whose views are computed together: memory is bounded by this, or by the largest of them."""
LEAVE_SECONDS = 3600
"""Rows of an earlier state are left so long to reports that began on it."""
_MARK = b"PAR1"


def keys(
    snapshots: Sequence[Snapshot], organisations: Iterable[str], shared: str, own: Mapping[str, str]
) -> dict[str, str]:
    """Organisation -> key. `shared` stands for what all rows depend on, `own` for what an organisation's do, as texts."""
    made = {}
    for organisation in organisations:
        told = hashlib.sha256(f"{shared}\0{own.get(organisation, '')}\0".encode())
        for snapshot in snapshots:
            for path in sorted(part.path for part in snapshot.parts if part.organisation == organisation):
                told.update(f"{snapshot.name}/{path}\0".encode())
        made[organisation] = told.hexdigest()[:32]
    return made


def batches(snapshots: Sequence[Snapshot], organisations: Iterable[str]) -> Iterator[set[str]]:
    """The organisations in groups of up to BATCH_ROWS rows."""
    rows = Counter[str]()
    for snapshot in snapshots:
        for part in snapshot.parts:
            rows[part.organisation] += part.rows
    batch: set[str] = set()
    held = 0
    for organisation in sorted(organisations):
        if batch and held + rows[organisation] > BATCH_ROWS:
            yield batch
            batch, held = set(), 0
        batch.add(organisation)
        held += rows[organisation]
    if batch:
        yield batch


class KeptViews:
    """The kept rows of some organisations at their keys."""

    def __init__(self, store_root: Path, keys_of: Mapping[str, str]) -> None:
        self.folders = {name: store_root / FOLDER / name / key for name, key in keys_of.items()}

    def missing(self, view: str) -> list[str]:
        """Organisations whose rows of a view are not kept yet, or not whole."""
        return [name for name, folder in self.folders.items() if not _is_whole(folder / f"{view}.parquet")]

    def paths(self, view: str) -> list[Path]:
        """The files that together hold the rows of a view."""
        return [folder / f"{view}.parquet" for folder in self.folders.values()]

    def prepare(self) -> None:
        """Make the folders, and drop rows of earlier states that no report can still read.

        Raises OSError if the store cannot be written.
        """
        for folder in self.folders.values():
            if not folder.exists():
                folder.mkdir(parents=True)
                for other in folder.parent.iterdir():
                    # Who loses the race to another report, or holds a file open on Windows, leaves it to the next.
                    with suppress(OSError):
                        if other != folder and time.time() - other.stat().st_mtime > LEAVE_SECONDS:
                            shutil.rmtree(other)

    def write(self, organisation: str, view: str, rows: pa.Table) -> None:
        """Keep the rows of an organisation. Raises OSError if they cannot be written."""
        import pyarrow.parquet as pq

        path = self.folders[organisation] / f"{view}.parquet"
        new = path.with_name(f"{view}-{secrets.token_hex(4)}.new")
        try:
            pq.write_table(rows, new, compression="zstd")
            fsync(new)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)


def _is_whole(path: Path) -> bool:
    """Whether a Parquet file is there from its first mark to its last: a damaged disk or a copy may have cut it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size < 3 * len(_MARK):
                return False
            file.seek(0)
            first = file.read(len(_MARK))
            file.seek(-2 * len(_MARK), os.SEEK_END)
            footer, last = int.from_bytes(file.read(len(_MARK)), "little"), file.read(len(_MARK))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return first == last == _MARK and footer + 3 * len(_MARK) <= size


def forget(store_root: Path, organisation: str | None = None) -> None:
    """Drop all kept rows, or an organisation's: what is purged must not stay in them. Raises OSError."""
    folder = store_root / FOLDER / organisation if organisation else store_root / FOLDER
    if folder.exists():
        shutil.rmtree(folder)
