"""A command is killed, at random moments and at every boundary, and run again: as if it had never been killed."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from .child import KILLED
from .contents import Contents, contents, orphans
from .operations import OPERATIONS, Child, Operation, run
from .outcome import Outcome
from .reader import Reader


class _Trials:
    """Trials of one operation: `template` is the state it begins with, `undisturbed` what it comes to."""

    def __init__(self, operation: Operation, folder: Path, outcome: Outcome, reader: Reader) -> None:
        self.operation, self.outcome, self.reader = operation, outcome, reader
        self.folder = folder / operation.name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        operation.prepare(self.folder)
        self.template = self.folder / "store"
        self.arguments = operation.arguments(self.folder)
        self._number = 0
        self._watched: Path | None = None
        store = self._store()
        child = Child(self.arguments, store)
        begun = time.monotonic()
        child.go()
        code, said = child.end()
        assert code == 0, said
        self.seconds = time.monotonic() - begun
        self.undisturbed = contents(store)
        self.boundaries = self._boundaries()

    def _store(self) -> Path:
        """A store in the state the operation begins with."""
        self._number += 1
        store = self.folder / f"trial-{self._number}"
        if self.template.exists():
            shutil.copytree(self.template, store)
        return store

    def _watch(self, store: Path) -> None:
        """The reader goes on to the next store; nobody needs the one before."""
        self.reader.watch(store, rising=self.operation.rising)
        if self._watched and not self.outcome.failures:
            shutil.rmtree(self._watched)
        self._watched = store

    def _boundaries(self) -> list[str]:
        store, told = self._store(), self.folder / "boundaries"
        run(self.arguments, store, "--count", str(told))
        assert not contents(store).difference(self.undisturbed)
        shutil.rmtree(store)
        return told.read_text(encoding="utf-8").splitlines()

    def at_random(self, chance: random.Random) -> None:
        """SIGKILL at a random moment of the run."""
        store = self._store()
        self._watch(store)
        child = Child(self.arguments, store)
        child.go()
        moment = self.seconds * chance.uniform(0.0, 1.05)
        time.sleep(moment)
        child.process.kill()
        code, _ = child.end()
        self.outcome.count("killed at a random moment" if code < 0 else "was done before it was killed")
        self._again(store, f"{self.operation.name}, killed after {moment:.3f} s")

    def at(self, boundary: int) -> None:
        """End at a boundary."""
        store = self._store()
        self._watch(store)
        child = Child(self.arguments, store, "--end-at", str(boundary))
        child.go()
        code, said = child.end()
        name = self.boundaries[boundary - 1]
        if code != KILLED:
            # Threads may make a boundary fewer of one run than of another.
            self.outcome.check(code == 0, "ended at a boundary", f"{name} ({boundary}): {said[-500:]}")
        else:
            self.outcome.count("killed at a boundary")
        self._again(store, f"{self.operation.name}, ended {name} ({boundary})")

    def _again(self, store: Path, when: str) -> None:
        """What the kill left is sound; a second run completes it; no orphan after clean-up."""
        left = self._contents(store, when)
        if left and self.operation.name == "ingest":
            more = sum((left.rows[table] - self.undisturbed.rows[table]).total() for table in left.rows)
            self.outcome.check(
                not more, "what a kill left is part of the outcome", f"{when}: {more} lines more"
            )
        try:
            run(self.arguments, store)
        except AssertionError as error:
            self.outcome.failures.append(f"{when}: {error}")
            return
        done = self._contents(store, when)
        if done:
            difference = done.difference(self.undisturbed)
            self.outcome.check(not difference, "run again: every row as undisturbed", f"{when}: {difference}")
        # The reader sees the completed state too before it goes on to the next store.
        self.outcome.counts["orphans left by kills"] += len(orphans(store))
        run(["clean", "--grace", "0", "--quiet"], store)
        self.outcome.check(not orphans(store), "no orphan after clean-up", f"{when}: {orphans(store)[:3]}")
        cleaned = self._contents(store, when)
        same = cleaned is not None and not cleaned.difference(self.undisturbed)
        self.outcome.check(same, "clean-up changed no row", when)

    def _contents(self, store: Path, when: str) -> Contents | None:
        if not any((store / name / "_delta_log").exists() for name in self.undisturbed.rows):
            return None
        try:
            found = contents(store)
        except AssertionError as error:
            self.outcome.failures.append(f"{when}: {error}")
            return None
        self.outcome.count("states whose counts add up")
        return found


def crash(
    folder: Path,
    *,
    kills: int,
    seed: int,
    operations: Sequence[str] = (),
    boundaries_of_each: int | None = None,
) -> Outcome:
    """`kills` random ones over all operations, and all boundaries of each (or a random choice of so many)."""
    outcome, chance, reader = Outcome("crash"), random.Random(seed), Reader()
    chosen = [OPERATIONS[name] for name in operations or OPERATIONS]
    for number, operation in enumerate(chosen):
        trials = _Trials(operation, folder, outcome, reader)
        outcome.count(f"boundaries of {operation.name}", len(trials.boundaries))
        for _ in range(kills // len(chosen) + (number < kills % len(chosen))):
            trials.at_random(chance)
        numbers = list(range(1, len(trials.boundaries) + 1))
        if boundaries_of_each is not None:
            numbers = sorted(chance.sample(numbers, min(boundaries_of_each, len(numbers))))
        for boundary in numbers:
            trials.at(boundary)
    seen, failures = reader.end()
    for what, count in seen.items():
        outcome.count(f"reader: {what}", count)
    outcome.failures += [f"reader: {failure}" for failure in failures]
    return outcome
