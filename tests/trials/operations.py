"""What is killed: a command of tbes on a store made ready for it, and how its outcome is known."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.ingest.logtext import receive, row, send, tracking

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_logs"
ORGANISATIONS = ("birchwood", "dunmore")
BATCH = 30_000
"""Bytes after which the ingests of these trials commit: several times in a run, as a long ingest does."""
SECONDS = 120
"""No command of a trial takes as long."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`arguments` of tbes, before `--store`; `prepare` makes logs and store below a folder; rows never go down if `rising`."""

    name: str
    arguments: Callable[[Path], list[str]]
    prepare: Callable[[Path], None]
    rising: bool = True


class Child:
    """A process that runs tbes: ready when this returns, it begins at `go`."""

    def __init__(self, arguments: list[str], store: Path, *options: str, batch: int | None = BATCH) -> None:
        own = [*(("--batch", str(batch)) if batch else ()), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.trials.child", *own, "--", *arguments, "--store", str(store)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.strip() == b"ready", self.process.communicate()

    def go(self) -> None:
        """Begin."""
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Exit code, and what it said. Raises subprocess.TimeoutExpired if it hangs."""
        output, errors = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, (output + errors).decode("utf-8", "replace")


def run(arguments: list[str], store: Path, *options: str, batch: int | None = BATCH) -> None:
    """Run to the end; AssertionError if it fails."""
    child = Child(arguments, store, *options, batch=batch)
    child.go()
    code, said = child.end()
    assert code == 0, f"{arguments} ended with {code}: {said[-1000:]}"


def make_logs(folder: Path) -> None:
    """Sample logs of two organisations, and logs of two with damaged lines, two months and a half last line."""
    logs = folder / "logs"
    for name in ORGANISATIONS:
        shutil.copytree(SAMPLES / name, logs / name)
    for n in range(2):
        base = logs / f"customer {n}" / "EX01" / "TransportRoles" / "Logs"
        for place, data in (
            ("MessageTracking/MSGTRK2026112009-1.LOG", tracking(range(n, n + 40))),
            (
                "Hub/ProtocolLog/SmtpReceive/RECV2026112009-1.LOG",
                receive(range(n, n + 50)) + b"damage\r\n" + row(1, month="10") + row(2)[:-7],
            ),
            ("Hub/ProtocolLog/SmtpSend/SEND2026112009-1.LOG", send(range(n, n + 40))),
        ):
            (base / place).parent.mkdir(parents=True, exist_ok=True)
            (base / place).write_bytes(data)


def _grown(folder: Path) -> None:
    """A store of logs of which since then some grew, one was written anew and some came."""
    make_logs(folder)
    logs = folder / "logs"
    hidden = folder / "hidden"
    shutil.move(logs / "dunmore", hidden)
    whole: dict[Path, bytes] = {}
    for number, path in enumerate(sorted(logs.rglob("*.LOG"))):
        data = path.read_bytes()
        whole[path] = data
        if number % 3 == 0:
            path.write_bytes(data[: len(data) * 2 // 3])
        elif number % 3 == 1:
            # The taken part differs, but is no longer than the whole: rows are replaced, none too few.
            lines = data.splitlines(keepends=True)
            path.write_bytes(b"".join(lines[: len(lines) - 2])[:-9] + b"0\r\n")
    run(_ingest(folder), folder / "store")
    for path, data in whole.items():
        path.write_bytes(data)
    shutil.move(hidden, logs / "dunmore")


def _ingest(folder: Path) -> list[str]:
    # Damaged lines are part of the logs: they are no failure here.
    return ["ingest", "--quiet", "--max-bad", "1000", str(folder / "logs")]


def _compact(_: Path) -> list[str]:
    return ["compact", "--quiet", "--grace", "0"]


def _purge(_: Path) -> list[str]:
    return ["purge", "--older-than", "2026-11-23T10:00Z", "--yes", "--quiet"]


BESIDE: list[list[str]] = [["compact", "--quiet"]]
"""Commands that write to a store while others ingest into it."""
OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("ingest", _ingest, make_logs),
        Operation("ingest of grown logs", _ingest, _grown),
        Operation("compact", _compact, _grown),
        Operation("purge", _purge, _grown, rising=False),
    )
}
