"""`python -m tests.fuzz --inputs 1000000 --seed 1`: inputs, time and failures of each target; exit code 1 on failures.

Any input can be made again: `--seed 1 --only rows:12345`.
"""

from __future__ import annotations

import argparse
import sys
import time

from .material import random_of
from .run import Outcome, run_target, shares
from .targets import TARGETS


def main() -> int:
    """Run all targets, or one, or one input."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="TARGET[:INPUT]", help="one target, or one input of it")
    parser.add_argument("--most-failures", type=int, default=3, help="failures after which a target ends")
    arguments = parser.parse_args()
    name, _, number = (arguments.only or "").partition(":")
    chosen = [target for target in TARGETS if name in ("", target.name)]
    if number:
        given = chosen[0].make(random_of(arguments.seed, name, int(number)))
        print(repr(given))
        chosen[0].check([given])
        return 0
    total = Outcome()
    started = time.monotonic()
    for target in chosen:
        count = arguments.inputs if name else shares(arguments.inputs)[target.name]
        outcome = run_target(target, arguments.seed, 0, count, most_failures=arguments.most_failures)
        total.inputs += outcome.inputs
        total.failures.extend(outcome.failures)
        print(
            f"{target.name:<10} {outcome.inputs:>9} inputs  {outcome.seconds:>8.1f} s  "
            f"slowest {outcome.slowest * 1000:>8.1f} ms ({outcome.slowest_input})  {len(outcome.failures)} failures",
            flush=True,
        )
        for failure in outcome.failures:
            print(f"  {failure}", flush=True)
    print(f"{total.inputs} inputs, {len(total.failures)} failures, {time.monotonic() - started:.0f} s")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
