"""`python -m tests.trials.writer LOGS SEED FILE`: writes logs as Exchange does while others read them, until a line on stdin.

Rows come in pieces that end anywhere, also within a line or between CR and LF. Now and then a log is rotated (a new
file with its own header), the service restarts (the header block comes again in the same file, sometimes with other
columns), a closed log is moved to another folder, or a log is copied as it is at that moment. FILE gets what was written: JSON, a list of
[table, number, line] of all rows, where number is unique among all rows of a table, and damaged lines as [table, text, line].
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.ingest.logtext import head, row, send_row, tracking

SERVICES = {
    "Hub/ProtocolLog/SmtpReceive/RECV": "smtp_protocol",
    "Hub/ProtocolLog/SmtpSend/SEND": "smtp_protocol",
    "MessageTracking/MSGTRK": "message_tracking",
}
EXTRA = b",new-column"
"""A column that a later build adds to the header."""


class _Log:
    """One service's log: the open file, what is not written of it yet, and where its next line will stand."""

    def __init__(self, writer: _Writer, place: str) -> None:
        self.writer, self.place, self.table = writer, place, SERVICES[place]
        self.number = 0
        self.rotate()

    def _header(self) -> bytes:
        if "RECV" in self.place:
            return head()
        return head("Send") if "SEND" in self.place else tracking([])

    def rotate(self) -> None:
        """A new file; what was left of the old one is written first."""
        if self.number:
            self.write_all()
            self.file.close()
        self.number += 1
        self.path = (
            self.writer.logs
            / "contoso/EX01/TransportRoles/Logs"
            / f"{self.place}20261120{self.number:02d}-1.LOG"
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("wb", buffering=0)
        self.line, self.left, self.wide = 1, b"", False
        self.restart(wide=False)

    def restart(self, *, wide: bool) -> None:
        """The header block, again."""
        block = self._header()
        if wide and self.table == "smtp_protocol":
            block = block.removesuffix(b"\r\n") + EXTRA + b"\r\n"
        self.wide = wide and self.table == "smtp_protocol"
        self.left += block
        self.line += block.count(b"\n")

    def rows(self, count: int) -> None:
        """More rows, to be written."""
        for _ in range(count):
            number = self.writer.next_number()
            if self.writer.chance.random() < 0.02:
                text = f"damage {number}"
                self.left += text.encode() + b"\r\n"
                self.writer.written.append([self.table, text, self.line])
            else:
                self.left += self._row(number)
                self.writer.written.append([self.table, number, self.line])
            self.line += 1

    def _row(self, number: int) -> bytes:
        if self.table == "message_tracking":
            return tracking([number])[len(tracking([])) :]
        data = row(number) if "RECV" in self.place else send_row(number)
        return data.removesuffix(b"\r\n") + b",value\r\n" if self.wide else data

    def write_some(self) -> None:
        """A piece that ends anywhere."""
        count = self.writer.chance.randint(1, max(1, len(self.left)))
        self.file.write(self.left[:count])
        self.left = self.left[count:]

    def write_all(self) -> None:
        """The rest."""
        self.file.write(self.left)
        self.left = b""


class _Writer:
    def __init__(self, logs: Path, seed: int) -> None:
        self.logs, self.chance = logs, random.Random(seed)
        self.written: list[list[Any]] = []
        self.events = dict.fromkeys(("rows", "pieces", "rotations", "restarts", "copies", "moves"), 0)
        self._number = 0
        self.all = [_Log(self, place) for place in SERVICES]

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def step(self) -> None:
        """One thing that happens to one log."""
        log, chance = self.chance.choice(self.all), self.chance.random()
        if chance < 0.03:
            closed = log.path
            log.rotate()
            self.events["rotations"] += 1
            if self.chance.random() < 0.5:
                old = closed.parent / "old"
                old.mkdir(exist_ok=True)
                closed.replace(old / closed.name)
                self.events["moves"] += 1
        elif chance < 0.08:
            log.restart(wide=self.chance.random() < 0.5)
            self.events["restarts"] += 1
        elif chance < 0.12:
            copies = log.path.parent / "copies"
            copies.mkdir(exist_ok=True)
            self.events["copies"] += 1
            shutil.copyfile(log.path, copies / f"{log.path.stem}-{self.events['copies']}.LOG")
        log.rows(self.chance.randint(1, 6))
        log.write_some()
        self.events["pieces"] += 1

    def close(self) -> None:
        """All is written; one log's last line has no line end, as after a crash of the machine."""
        for log in self.all:
            log.rows(1)
            if log is self.all[0]:
                log.left = log.left.removesuffix(b"\r\n")
            log.write_all()
            log.file.close()
        self.events["rows"] = len(self.written)


def main() -> None:
    """Write until told to end."""
    writer = _Writer(Path(sys.argv[1]), int(sys.argv[2]))
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
    print("ready", flush=True)
    while not told.is_set():
        writer.step()
        time.sleep(writer.chance.uniform(0.0, 0.02))
    writer.close()
    Path(sys.argv[3]).write_text(
        json.dumps({"written": writer.written, "events": writer.events}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
