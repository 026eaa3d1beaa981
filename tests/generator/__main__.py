"""`python -m tests.generator sample_logs` writes the tree; `--check` compares it with what stands there."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.generator.office import SEED
from tests.generator.samples import check, write


def main() -> int:
    """Exit code 0 = written, or no difference; 1 = differences, one a line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m tests.generator", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the tree differs")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    if options.check:
        differences = check(options.directory, options.seed)
        for difference in differences:
            print(difference, file=sys.stderr)
        return 1 if differences else 0
    for organisation in write(options.directory, options.seed).values():
        print(
            f"{organisation.organisation}: {len(organisation.files)} logs, "
            f"{len(organisation.handed_over)} handed over, {len(organisation.accepted)} accepted, "
            f"{len(organisation.delayed)} delayed, {len(organisation.bounced)} bounced, "
            f"{len(organisation.pending)} pending, {organisation.refusals} refusals"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
