"""Changing what a store keeps of imported reports: one process at a time, and nothing of a killed one stays.

While a process changes it, it holds the lock of a run of this name; so none undoes what another has just imported,
and a half-written file is nobody's once the lock is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipeline.errors import TbesError
from pipeline.imports import kept
from pipeline.imports.kept import KeptImport
from pipeline.store.locks import writing
from pipeline.store.private import owner_only

RUN = "imported-reports"


def change_imports(
    store_root: Path, change: Callable[[tuple[KeptImport, ...]], Sequence[KeptImport]]
) -> None:
    """Keep what `change` makes of what is kept. Raises TbesError if the store cannot be written."""
    try:
        with owner_only(), writing(store_root, RUN):
            kept.save(store_root, change(kept.load(store_root)))
    except BlockingIOError as error:
        raise TbesError(f"Another process is changing {store_root / kept.FILE}: try again") from error
    except OSError as error:
        raise TbesError(f"{store_root / kept.FILE} cannot be written: {error.strerror}") from error


def leftovers(store_root: Path) -> Iterator[Path]:
    """Files beside it that an import writes first and then renames."""
    return store_root.glob(f".{kept.FILE}.*.tmp")
