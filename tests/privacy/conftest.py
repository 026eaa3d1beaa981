"""The sample logs in a plain and in a pseudonymised store."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.commands import hosts_of
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Rules
from pipeline.logs.privacy import Privacy
from pipeline.logs.pseudonyms import KEPT_LOCAL_PARTS, Pseudonyms
from pipeline.reference.catalogue import Catalogue
from pipeline.store.store import Store
from tests.samples import SAMPLES

KEY = b"a key of these tests, 32 bytes or more"
_LOCAL_PART = re.compile(rb"([A-Za-z0-9._%+=-]+)@[A-Za-z0-9-]")


@dataclass(frozen=True)
class Stores:
    plain: Store
    hidden: Store
    pseudonyms: Pseudonyms


def ingested(root: Path, logs: Path, privacy: Privacy | None = None) -> Store:
    store = Store(root)
    Ingest(store, hosts_of(Catalogue()), Rules(), privacy=privacy).run([logs])
    return store


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    folder = tmp_path_factory.mktemp("privacy")
    pseudonyms = Pseudonyms(KEY)
    return Stores(
        ingested(folder / "plain", SAMPLES),
        ingested(folder / "hidden", SAMPLES, Privacy(pseudonyms)),
        pseudonyms,
    )


def log_bytes(folder: Path) -> Iterator[bytes]:
    """Every log of a folder, out of its container."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() == ".log":
            yield path.read_bytes()
        elif path.suffix == ".gz":
            yield gzip.decompress(path.read_bytes())
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield archive.read(name)


def persons(folder: Path) -> set[bytes]:
    """Local parts of all addresses and message ids, in lower case, without those of the software itself."""
    found = {match[1].lower() for data in log_bytes(folder) for match in _LOCAL_PART.finditer(data)}
    return {local for local in found if local.decode() not in KEPT_LOCAL_PARTS}


def subjects(store: Store) -> set[bytes]:
    """The subjects that a plain store holds."""
    found: set[bytes] = set()
    for path in (store.root / "message_tracking").rglob("*.parquet"):
        column = pq.read_table(path, partitioning=None).column("message_subject")
        found.update(value.encode() for value in column.to_pylist() if value)
    return found


def everything(root: Path) -> bytes:
    """All bytes of a store in lower case: its files as they are, and unpacked every value and note in each part."""
    pieces: list[bytes] = []
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        pieces += [path.relative_to(root).as_posix().encode(), path.read_bytes()]
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            pieces += [
                str(value).encode()
                for column in table.columns
                for value in column.to_pylist()
                if value is not None
            ]
            pieces += (pq.read_metadata(path).metadata or {}).values()
    return b"\n".join(pieces).lower()
