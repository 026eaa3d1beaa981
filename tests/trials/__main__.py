"""`python -m tests.trials crash --kills 200 --seed 1`, `live --seconds 60`, `concurrent --writers 4 --rounds 20`.

Prints what was tried and checked; exit code 1 at any failure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .crash import crash
from .live import live
from .operations import OPERATIONS
from .outcome import Outcome
from .two_at_once import concurrent


def _run(arguments: argparse.Namespace, folder: Path) -> Outcome:
    if arguments.kind == "live":
        return live(folder, seconds=arguments.seconds, seed=arguments.seed)
    if arguments.kind == "concurrent":
        return concurrent(folder, writers=arguments.writers, rounds=arguments.rounds, seed=arguments.seed)
    return crash(
        folder,
        kills=arguments.kills,
        seed=arguments.seed,
        operations=arguments.only,
        boundaries_of_each=arguments.boundaries,
    )


def main() -> int:
    """Run one kind of trial."""
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    of_crash = kinds.add_parser("crash")
    of_crash.add_argument("--kills", type=int, default=200, help="at random moments, over all operations")
    of_crash.add_argument("--boundaries", type=int, help="of each operation; without it all")
    of_crash.add_argument("--only", action="append", choices=list(OPERATIONS), default=[])
    of_live = kinds.add_parser("live")
    of_live.add_argument("--seconds", type=float, default=60.0)
    of_concurrent = kinds.add_parser("concurrent")
    of_concurrent.add_argument("--writers", type=int, default=4)
    of_concurrent.add_argument("--rounds", type=int, default=20)
    for kind in (of_crash, of_live, of_concurrent):
        kind.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tbes-trials-") as name:
        outcome = _run(arguments, Path(name))
    print(outcome.table())
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
