"""Many small parts to few large ones, one commit a partition; what is read from the store stays the same.

Rows keep their order, parts follow on one another by their first time. A new part carries the entries of all parts
that it is made of, so what has been ingested is known as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from pipeline.errors import TbesError
from pipeline.store.delta import Conflict, Part
from pipeline.store.locks import writing
from pipeline.store.parts import PartWriter, new_run
from pipeline.store.private import owner_only
from pipeline.store.store import TABLES, Snapshot, Store, read_ranges

PART_ROWS = 4_000_000
"""A part is filled up to this; one that holds half of it is left alone."""
ATTEMPTS = 20
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Compacted:
    """What was done: partitions written anew, parts and bytes before and after, rows moved."""

    partitions: int = 0
    parts_before: int = 0
    parts_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows: int = 0


def compact(
    store: Store, organisation: str | None = None, progress: Callable[[str], None] = lambda _: None
) -> Compacted:
    """Compact every partition, or an organisation's. `progress` is told each partition before it is written.

    At any moment the disk holds the old and the new parts of one partition more than before, and what was replaced until
    clean-up deletes it. Raises TbesError if other processes keep committing, OSError if the store cannot be written.
    """
    run, done = new_run(), Compacted()
    store.snapshot()
    with owner_only(), writing(store.root, run):
        for name in TABLES:
            writer = PartWriter(store.root / name, TABLES[name], run)
            for place in sorted(
                {_place(part) for part in _live(store, name).parts if _is_of(part, organisation)}
            ):
                _compact_partition(store, name, writer, place, done, progress)
    return done


def _compact_partition(
    store: Store,
    name: str,
    writer: PartWriter,
    place: tuple[str, str],
    done: Compacted,
    progress: Callable[[str], None],
) -> None:
    for _ in range(ATTEMPTS):
        snapshot = _live(store, name)
        groups = list(_groups([part for part in snapshot.parts if _place(part) == place]))
        if not groups:
            return
        progress(f"{name} organisation={place[0]} month={place[1]}")
        written: list[Part] = []
        try:
            for group in groups:
                entries = read_ranges(snapshot, group)
                ranges = [entry for part in group for entry in entries[part.path]]
                written.append(writer.write_all(writer.stream(group), *place, ranges))
            old = [part for group in groups for part in group]
            store.tables[name].commit(written, old)
        except (Conflict, FileNotFoundError):
            # An ingest committed first, or a purge took a part away: look again.
            _drop(writer.root, written)
            continue
        except BaseException:
            _drop(writer.root, written)
            raise
        done.partitions += 1
        done.parts_before += len(old)
        done.parts_after += len(written)
        done.bytes_before += sum(part.size for part in old)
        done.bytes_after += sum(part.size for part in written)
        done.rows += sum(part.rows for part in written)
        return
    raise TbesError(
        f"Other processes kept committing to {store.root}: compact again when they are done. Nothing is lost."
    )


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts to be joined, in order; none where nothing would become fewer."""
    in_order = sorted(parts, key=lambda part: (part.first_time or _NO_TIME, part.path))
    for is_large, run in groupby(in_order, key=lambda part: part.rows >= PART_ROWS // 2):
        if is_large:
            continue
        group: list[Part] = []
        for part in run:
            if group and sum(other.rows for other in group) + part.rows > PART_ROWS:
                if len(group) > 1:
                    yield group
                group = []
            group.append(part)
        if len(group) > 1:
            yield group


def _live(store: Store, name: str) -> Snapshot:
    table = store.tables[name]
    table.open()
    return Snapshot(name, table.root, tuple(table.parts()))


def _drop(root: Path, parts: Sequence[Part]) -> None:
    for part in parts:
        (root / part.path).unlink(missing_ok=True)


def _is_of(part: Part, organisation: str | None) -> bool:
    return organisation is None or part.organisation == organisation


def _place(part: Part) -> tuple[str, str]:
    return part.organisation, part.month
