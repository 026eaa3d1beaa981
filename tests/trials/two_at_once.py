"""Several ingests at once over folders that overlap, beside reports and whatever else writes to the store."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .contents import Contents, contents, orphans
from .operations import BESIDE, ROOT, Child, make_logs
from .outcome import Outcome
from .reader import Reader

REPORTS = ("findings", "exposure", "servers")
BATCHES = (15_000, 30_000, 2 << 30)


def concurrent(folder: Path, *, writers: int, rounds: int, seed: int) -> Outcome:
    """`rounds` times `writers` ingests begin at the same moment, each with folders of its own choice."""
    outcome, chance, reader = Outcome("concurrent"), random.Random(seed), Reader()
    make_logs(folder)
    logs = folder / "logs"
    folders = sorted(logs.iterdir())
    alone = folder / "alone"
    # Whose a log is would else depend on the folder that an ingest begins with.
    known = folder / "organisations.toml"
    known.write_text(
        "".join(
            f'[[organisation]]\nid = "org-{n}"\npaths = ["*/{path.name}/*"]\n'
            for n, path in enumerate(folders)
        ),
        encoding="utf-8",
    )
    _all_end([Child(_ingest([logs], known), alone)], outcome, "alone")
    undisturbed = contents(alone)
    for number in range(rounds):
        store = folder / f"round-{number}"
        reader.watch(store)
        lists = _overlapping(folders, writers, chance)
        ingests = [Child(_ingest(paths, known), store, batch=chance.choice(BATCHES)) for paths in lists]
        for child in ingests:
            child.go()
        beside = [_report(store, chance)]
        beside += [Child(arguments, store, batch=None) for arguments in BESIDE]
        for child in beside:
            child.go()
        when = f"round {number} (seed {seed})"
        outcome.count("ingests at once", len(ingests))
        outcome.count("other commands beside them", len(beside))
        if _all_end(ingests, outcome, when) and _beside_end(beside, outcome, when):
            _compare(store, undisturbed, outcome, when)
        if number % 4 == 3:
            _reports_agree(store, alone, outcome, when)
    seen, failures = reader.end()
    for what, count in seen.items():
        outcome.count(f"reader: {what}", count)
    outcome.failures += [f"reader: {failure}" for failure in failures]
    return outcome


def _ingest(paths: Sequence[Path], known: Path) -> list[str]:
    return ["ingest", "--quiet", "--max-bad", "1000", "--organisations", str(known), *map(str, paths)]


def _overlapping(folders: Sequence[Path], writers: int, chance: random.Random) -> list[list[Path]]:
    """Folders of each writer, in its own order; each folder is some writer's, most are several writers'."""
    lists = [chance.sample(folders, chance.randint(2, len(folders))) for _ in range(writers)]
    for missing in [path for path in folders if not any(path in paths for paths in lists)]:
        chance.choice(lists).append(missing)
    return lists


def _report(store: Path, chance: random.Random) -> Child:
    return Child(["report", chance.choice(REPORTS), "--format", "csv"], store, batch=None)


def _all_end(children: Sequence[Child], outcome: Outcome, when: str) -> bool:
    right = True
    for child in children:
        try:
            code, said = child.end()
        except subprocess.TimeoutExpired:
            child.process.kill()
            code, said = -1, "it did not end"
        right &= outcome.check(code == 0, "ended with 0 in time", f"{when}: {code}, {said[-1000:]}")
    return right


def _beside_end(children: Sequence[Child], outcome: Outcome, when: str) -> bool:
    """A report that began before there was a store says so, with exit code 2."""
    right = True
    for child in children:
        code, said = child.end()
        none_yet = code == 2 and "There is no store" in said
        right &= outcome.check(
            code == 0 or none_yet, "beside: ended with 0, or no store yet", f"{when}: {code}, {said[-1000:]}"
        )
    return right


def _compare(store: Path, undisturbed: Contents, outcome: Outcome, when: str) -> None:
    try:
        difference = contents(store).difference(undisturbed)
    except AssertionError as error:
        difference = str(error)
    outcome.check(not difference, "every row as of one ingest alone", f"{when}: {difference}")
    if not BESIDE:
        left = orphans(store)
        outcome.check(not left, "no orphan", f"{when}: {left[:5]}")


def _reports_agree(store: Path, alone: Path, outcome: Outcome, when: str) -> None:
    for report in REPORTS:
        said = [_csv(report, root) for root in (store, alone)]
        outcome.check(said[0] == said[1], "reports as of one ingest alone", f"{when}: {report}")


def _csv(report: str, store: Path) -> list[str]:
    arguments = ["report", report, "--format", "csv", "--as-of", "2026-11-25", "--store", str(store)]
    code = "from pipeline.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, cwd=ROOT, check=False
    )
    return sorted(done.stdout.decode().splitlines())
