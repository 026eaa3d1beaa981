"""Running targets: batches, the time of each, and the one input that failed."""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .material import random_of
from .shrink import shrunk
from .targets import TARGETS, Target

SECONDS = 2.0
"""What a batch of one may take; inputs are below 64 KB. A batch of many may take ten times as long."""
HANG = 900.0
"""After so long the process ends with the stack of the hang."""


@dataclass
class Outcome:
    """What a target did."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_input: int = -1
    failures: list[str] = field(default_factory=list)


def run_target(
    target: Target[Any],
    seed: int,
    first: int,
    count: int,
    *,
    most_failures: int = 5,
    progress: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Inputs `first` to `first + count` of a target."""
    outcome = Outcome()
    for begin in range(first, first + count, target.batch):
        numbers = range(begin, min(begin + target.batch, first + count))
        inputs = [target.make(random_of(seed, target.name, number)) for number in numbers]
        faulthandler.dump_traceback_later(HANG, exit=True)
        started = time.perf_counter()
        error = error_of(target, inputs)
        taken = time.perf_counter() - started
        if error is None and taken > SECONDS * (1 if target.batch == 1 else 10):
            # Once more: another process may have had the processor.
            started = time.perf_counter()
            error = error_of(target, inputs)
            if (again := time.perf_counter() - started) > SECONDS * (1 if target.batch == 1 else 10):
                error = f"took {again:.1f} s"
        if error is not None:
            outcome.failures.extend(_found(target, seed, numbers, inputs, error))
        outcome.inputs += len(numbers)
        outcome.seconds += taken
        if taken > outcome.slowest:
            outcome.slowest, outcome.slowest_input = taken, begin
        progress(len(numbers))
        if len(outcome.failures) >= most_failures:
            break
    faulthandler.cancel_dump_traceback_later()
    return outcome


def error_of(target: Target[Any], inputs: list[Any]) -> str | None:
    try:
        target.check(inputs)
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
    return None


def _found(target: Target[Any], seed: int, numbers: range, inputs: list[Any], error: str) -> Iterator[str]:
    """The inputs of a failed batch that fail alone, else the batch."""
    alone = [
        (number, given, found)
        for number, given in zip(numbers, inputs, strict=True)
        if (found := error_of(target, [given])) is not None
    ]
    for number, given, found in alone:
        given = shrunk(given, lambda smaller, found=found: error_of(target, [smaller]) == found)
        yield f"{target.name} {number} (--seed {seed} --only {target.name}:{number}): {found}\n    {given!r:.2000}"
    if not alone:
        yield f"{target.name} {numbers[0]} to {numbers[-1]} together (--seed {seed}): {error}"


def shares(inputs: int) -> dict[str, int]:
    """How many inputs each target gets."""
    return {target.name: round(inputs * target.share) for target in TARGETS}
