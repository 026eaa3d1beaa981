"""`python -m tests.benchmarks.scale STORE [--rows 100_000_000] [--organisations 10] [--refused 2]` makes a large store.

Logs of each organisation are generated (a month of hourly files of four servers, message tracking and SMTP Send in
about equal bytes), ingested by the product and deleted, one organisation after the other, so that the disk holds the
logs of one only. `--refused` organisations are under enforcement; the others hand over without a refusal.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock

from pipeline.commands import hosts_of
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Organisation, Rules
from pipeline.reference.catalogue import Catalogue
from pipeline.store.store import Store
from tests.generator import bulk
from tests.generator.enforcement import NoEnforcement

ROWS_PER_MEGABYTE = {"message-tracking": 1_133, "smtp-send": 4_380}
"""Of the generator's lines, measured."""
HOURS, SERVERS = 720, 4


def main() -> None:
    """Make the store."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale")
    parser.add_argument("store", type=Path)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--organisations", type=int, default=10)
    parser.add_argument("--refused", type=int, default=2)
    options = parser.parse_args()
    megabytes = options.rows / options.organisations / sum(ROWS_PER_MEGABYTE.values())
    for number in range(options.organisations):
        organisation = f"customer-{number + 1:02d}"
        summary = one(options.store, organisation, megabytes, number, refused=number < options.refused)
        print(f"{organisation}: {summary.total('rows'):,} rows, {summary.seconds:.0f} s", flush=True)


def one(store: Path, organisation: str, megabytes: float, number: int, *, refused: bool):  # type: ignore[no-untyped-def]
    """Generate, ingest and delete the logs of one organisation."""
    start = bulk.FIRST_HOUR + timedelta(seconds=number)
    enforcement = bulk._enforcement if refused else lambda *_: NoEnforcement()
    with (
        tempfile.TemporaryDirectory(prefix="tbes-scale-", dir=store.parent) as folder,
        mock.patch.object(bulk, "FIRST_HOUR", start),
        mock.patch.object(bulk, "_enforcement", enforcement),
    ):
        for kind in ROWS_PER_MEGABYTE:
            bulk.write_bulk(
                Path(folder) / kind,
                megabytes,
                kind,
                files=HOURS * SERVERS,
                servers=SERVERS,
                seed=bulk.SEED + number,
            )  # type: ignore[arg-type]  # a known kind
        rules = Rules(organisation=Organisation(organisation, organisation))
        return Ingest(Store(store), hosts_of(Catalogue()), rules).run([Path(folder)])


if __name__ == "__main__":
    main()
