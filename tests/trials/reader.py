"""`python -m tests.trials.reader`: a process that looks at a store again and again while others write to it.

A line on stdin `STORE rising|free` names the store to look at from now on (it answers `now STORE`), `end` ends it: it then prints
JSON with what it saw. Each look is a session of its own over one snapshot, as a report has: in each table the counts of
the sources add up and are those of the lines; `rising` stores never lose a line from one look to the next.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
select t.table_name, t.seen_rows, t.seen_quarantined,
  coalesce(sum(r.rows), 0), coalesce(sum(r.quarantined), 0), coalesce(sum(r.header), 0), coalesce(sum(r.joined), 0),
  coalesce(sum(r.purged), 0), coalesce(sum(r.lines), 0)
from (
  select 'message_tracking' as table_name, count(*) filter (parse_error is null) as seen_rows, count(parse_error) as seen_quarantined
  from message_tracking_lines
  union all
  select 'smtp_protocol', count(*) filter (parse_error is null), count(parse_error) from smtp_protocol_lines
) as t left join source_ranges r on r.table_name = t.table_name
group by 1, 2, 3
"""


def look(root: Path, catalogue: Any) -> dict[str, int]:
    """Lines of each table in one snapshot. Raises AssertionError if they do not add up."""
    from pipeline.sql import Session
    from pipeline.store.store import Store

    with Session(Store(root).snapshot(), catalogue, keep_from_rows=None) as session:
        found = session.query(LOOK).rows
    assert len(found) == 2, found
    for table, rows, quarantined, *told in found:
        assert (rows, quarantined) == (told[0], told[1]), (
            f"{table}: {rows} rows, {quarantined} bad, told {told}"
        )
        assert sum(told[:5]) == told[5], f"{table}: {told} does not add up"
    return {str(table): int(rows + quarantined) for table, rows, quarantined, *_ in found}


def _listen(told: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        told.put(line.strip())
    # Whoever started this process has ended.
    told.put("end")


def main() -> None:
    """Look until `end`."""
    from pipeline.errors import UsageError
    from pipeline.reference.catalogue import Catalogue
    from pipeline.sql import MissingFile

    catalogue, told = Catalogue(), queue.SimpleQueue[str]()
    threading.Thread(target=_listen, args=(told,), daemon=True).start()
    seen = {"looks": 0, "no store yet": 0, "gone under a look": 0, "changes seen": 0}
    failures: list[str] = []
    root, rising, before = None, False, dict[str, int]()
    while True:
        while root is None or not told.empty():
            line = told.get()
            if line == "end":
                print(json.dumps({"seen": seen, "failures": failures}), flush=True)
                return
            name, way = line.rsplit(" ", 1)
            root, rising, before = Path(name), way == "rising", {}
            print("now", name, flush=True)
        try:
            now = look(root, catalogue)
            seen["looks"] += 1
            seen["changes seen"] += bool(before) and now != before
            if rising and any(now[table] < count for table, count in before.items()):
                failures.append(f"{root}: {before}, then {now}")
            before = now
        except UsageError as error:
            if "There is no store" not in str(error):
                failures.append(f"{root}: {error}")
            seen["no store yet"] += 1
        except MissingFile:
            # A purge or clean-up without grace removed it: a report takes a new snapshot then.
            seen["gone under a look"] += 1
        except Exception as error:  # noqa: BLE001 - whatever a reader meets is a finding
            failures.append(f"{root}: {type(error).__name__}: {error}")
        time.sleep(0.01)


class Reader:
    """The process, as a trial drives it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.trials.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
        )

    def watch(self, root: Path, *, rising: bool = True) -> None:
        """Look at this store from now on; it no longer looks at the one before when this returns."""
        self._say(f"{root} {'rising' if rising else 'free'}")
        assert self._process.stdout
        self._process.stdout.readline()

    def end(self) -> tuple[dict[str, int], list[str]]:
        """What it saw, and its failures."""
        self._say("end")
        output, _ = self._process.communicate(timeout=60)
        document = json.loads(output)
        return document["seen"], document["failures"]

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


if __name__ == "__main__":
    main()
