"""`python -m tests.trials.child [--batch BYTES] [--end-at N | --count FILE] -- ARGUMENTS OF TBES`: the real command
in a process of its own. It says `ready` when all is imported, and begins when a line comes in on stdin.

A boundary is the moment just before or just after a step of a commit: a part that is written, a file that is forced
to disk, a Delta log entry that is made, a table that is made, a file that is renamed or removed. `--end-at N` ends
the process at the N-th boundary as SIGKILL would: nothing is flushed, no `finally` runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

KILLED = 137


class Boundaries:
    """Counts boundaries; ends the process at one of them."""

    def __init__(self, end_at: int | None) -> None:
        self.passed = 0
        self.names: list[str] = []
        self._end_at = end_at
        self._lock = Lock()

    def reach(self, name: str) -> None:
        """One more boundary."""
        with self._lock:
            self.passed += 1
            self.names.append(name)
            if self.passed == self._end_at:
                os._exit(KILLED)

    def around(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step with a boundary on either side."""

        def stepped(*positional: Any, **named: Any) -> Any:
            self.reach(f"before {name}")
            result = step(*positional, **named)
            self.reach(f"after {name}")
            return result

        return stepped

    def patch(self) -> None:
        """Put boundaries around every step that changes what is on disk."""
        import importlib

        from deltalake import DeltaTable

        from pipeline.store import delta, kept_views, parts

        # Both modules hold the function under its own name.
        for module in (delta, parts, kept_views):
            module.fsync = self.around("fsync", module.fsync)  # type: ignore[attr-defined]
        for owner, name in (
            (delta.Table, "commit"),
            (parts.PartWriter, "write_all"),
            (DeltaTable, "create_write_transaction"),
            (Path, "unlink"),
            (Path, "replace"),
        ):
            setattr(owner, name, self.around(name, getattr(owner, name)))
        for name in ("create", "vacuum", "create_checkpoint", "cleanup_metadata"):
            plain = getattr(DeltaTable, name)
            setattr(
                DeltaTable,
                name,
                staticmethod(self.around(name, plain)) if name == "create" else self.around(name, plain),
            )
        importlib.import_module("pipeline.commands")


def main() -> None:
    """Get ready, wait, run the command."""
    split = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int)
    parser.add_argument("--end-at", type=int)
    parser.add_argument("--count", type=Path)
    own = parser.parse_args(sys.argv[1:split])
    from pipeline.cli import main as tbes
    from pipeline.ingest import run

    if own.batch:
        run.BATCH_BYTES = own.batch
    boundaries = Boundaries(own.end_at)
    if own.end_at or own.count:
        boundaries.patch()
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        tbes(sys.argv[split + 1 :])
    finally:
        if own.count:
            own.count.write_text("\n".join(boundaries.names), encoding="utf-8")


if __name__ == "__main__":
    main()
