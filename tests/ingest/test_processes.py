"""Real processes: two ingests of one tree at once, and ingests that are killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .logtext import receive, row, send, tracking
from .place import Place, content
from .test_sources import assert_ranges_add_up

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys, time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from pipeline.ingest import run
from pipeline.logs.assign import Rules
from pipeline.logs.derived import Hosts
from pipeline.store.store import Store
run.BATCH_BYTES = int(sys.argv[3])
ingest = run.Ingest(Store(Path(sys.argv[2])), Hosts({}), Rules(), workers=2)
if sys.argv[4] != "-":
    Path(sys.argv[4]).touch()
    while not Path(sys.argv[4]).with_name("go").exists():
        time.sleep(0.002)
print(json.dumps(ingest.run([Path(sys.argv[1])]).as_json()))
"""


def start(place: Place, *, batch: int = 2 << 30, ready: Path | None = None) -> subprocess.Popen[bytes]:
    """An ingest of the logs in a process of its own; with `ready` it waits for a file `go` beside that."""
    arguments = [str(place.logs), str(place.store.root), str(batch), str(ready or "-")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )


def finished(process: subprocess.Popen[bytes]) -> dict[str, dict[str, int]]:
    import json

    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    document: dict[str, dict[str, int]] = json.loads(output)
    return document


def tree(place: Place, *, logs: int = 12, rows: int = 60) -> None:
    """Tracking, Receive and Send logs of three customers."""
    for n in range(logs):
        base = f"customer {n % 3}/EX0{n % 2 + 1}/TransportRoles/Logs"
        date = f"2026-11-20T{n:02d}:00:00.000Z"
        server = f"EX0{n % 2 + 1}"
        place.write(
            f"{base}/MessageTracking/MSGTRK20261120{n:02d}-1.LOG",
            tracking(range(n, n + rows), server=server, date=date),
        )
        place.write(
            f"{base}/Hub/ProtocolLog/SmtpReceive/RECV20261120{n:02d}-1.LOG",
            receive(range(n, n + rows), server=server, date=date)
            + b"damage\r\n"
            + row(1, month="10", server=server),
        )
        place.write(
            f"{base}/Hub/ProtocolLog/SmtpSend/SEND20261120{n:02d}-1.LOG", send(range(n, n + rows), date=date)
        )


def everything(place: Place) -> dict[str, Counter[Any]]:
    return {table: content(place.lines(table), without=["server_basis"]) for table in place.store.tables}


def _difference(one: dict[str, Counter[Any]], other: dict[str, Counter[Any]]) -> list[str]:
    """The first rows that only one of the two has."""
    return [
        f"{table}: {count} more {which}, as {next(iter(more))}"
        for table in one
        for which, more in (("now", one[table] - other[table]), ("undisturbed", other[table] - one[table]))
        if (count := more.total())
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counter[Any]]:
    """What an ingest of the tree gives that nobody disturbs."""
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    tree(place)
    place.ingest()
    return everything(place)


@pytest.mark.parametrize("batch", [2 << 30, 40_000], ids=["one batch", "many batches"])
def test_two_ingests_of_one_tree_at_once_read_every_line_once(
    tmp_path: Path, undisturbed: dict[str, Counter[Any]], batch: int
) -> None:
    for turn in range(2):
        place = Place(tmp_path / str(turn))
        tree(place)
        ready = [tmp_path / str(turn) / f"ready{n}" for n in range(2)]
        both = [start(place, batch=batch, ready=path) for path in ready]
        while not all(path.exists() for path in ready):
            assert all(process.poll() is None for process in both), both[0].communicate()
            time.sleep(0.005)
        (tmp_path / str(turn) / "go").touch()
        summaries = [finished(process) for process in both]
        assert everything(place) == undisturbed
        assert_ranges_add_up(place)
        # What each of them says it added is what is there.
        rows = sum(len(place.rows(table)) for table in place.store.tables)
        assert sum(summary["lines"]["rows"] for summary in summaries) == rows
        parts = {part.path for snapshot in place.store.snapshot() for part in snapshot.parts}
        on_disk = {
            path.relative_to(table.root).as_posix()
            for table in place.store.tables.values()
            for path in table.root.rglob("*.parquet")
        }
        assert {name.split("/")[-1] for name in on_disk} == {name.split("/")[-1] for name in parts}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_an_ingest_that_is_killed_at_any_moment_and_run_again_is_as_if_undisturbed(
    tmp_path: Path, undisturbed: dict[str, Counter[Any]]
) -> None:
    chance = random.Random(20261125)
    whole, killed = _duration(tmp_path), 0
    for pair in range(6):
        places = [Place(tmp_path / f"{pair}-{n}") for n in range(2)]
        ready = [place.logs.parent / "ready" for place in places]
        for place in places:
            tree(place)
        both = [
            start(place, batch=chance.choice((40_000, 2 << 30)), ready=path)
            for place, path in zip(places, ready, strict=True)
        ]
        for process, path in zip(both, ready, strict=True):
            while not path.exists():
                assert process.poll() is None, process.communicate()
                time.sleep(0.002)
            path.with_name("go").touch()
            time.sleep(whole * chance.uniform(0.0, 1.1))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() != 0
            process.communicate()
        for place in places:
            place.ingest()
            assert everything(place) == undisturbed, _difference(everything(place), undisturbed)
            assert_ranges_add_up(place)
            again = place.ingest().as_json()
            assert again["lines"]["read"] == 0
    assert killed >= 6


def _duration(folder: Path) -> float:
    """Seconds that an undisturbed ingest takes in a process of its own, imports left out."""
    place = Place(folder / "timing")
    tree(place)
    process = start(place, batch=40_000, ready=place.logs.parent / "ready")
    while not (place.logs.parent / "ready").exists():
        time.sleep(0.002)
    (place.logs.parent / "go").touch()
    begun = time.monotonic()
    finished(process)
    return time.monotonic() - begun
