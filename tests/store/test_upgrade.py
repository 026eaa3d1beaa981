"""Stores of other versions: an older one opens and grows, a newer one is refused in a sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from pipeline import queries
from pipeline.commands import hosts_of
from pipeline.errors import ExitCode, UsageError
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Organisation, Rules
from pipeline.logs.columns import arrow_schema
from pipeline.logs.privacy import Privacy
from pipeline.logs.pseudonyms import Pseudonyms
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store import delta
from pipeline.store.ranges import FORMAT, METADATA_KEY, load
from pipeline.store.store import TABLES, Store
from tests.samples import AS_OF, SAMPLES

FIXTURES = Path(__file__).parent / "fixtures"
# A version's fixture is added when the next one begins.
OLDER = sorted(path for path in FIXTURES.iterdir() if path.is_dir())
LOGS = SAMPLES / "elmsford" / "ELM-MBX1" / "TransportRoles" / "Logs"
OF_FIXTURE = [LOGS / "Hub", LOGS / "MessageTracking"]


@pytest.fixture(params=OLDER, ids=lambda path: path.name)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A copy of a store of an older version."""
    return Store(shutil.copytree(request.param, tmp_path / "store"))


def ingest(store: Store, paths: list[Path], privacy: Privacy | None = None) -> dict[str, int]:
    rules = Rules(organisation=Organisation("elmsford", "elmsford"))
    summary = Ingest(store, hosts_of(Catalogue()), rules, privacy=privacy).run(paths)
    outcomes = [file.outcome for file in summary.files]
    return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}


def reports(store: Store) -> dict[str, list[str]]:
    """All rows of all reports, but for where a log lay, and which key its path gave."""
    with Session(store.snapshot(), Catalogue(), (), Parameters(as_of=AS_OF)) as session:
        found = {}
        for report in queries.reports():
            result = session.report(report.name)
            places = ("path", "source_file", "lineage", "assignment")
            kept = [i for i, name in enumerate(result.columns) if name not in places]
            found[report.name] = sorted(str([row[i] for i in kept]) for row in result.rows)
    return found


def test_an_older_store_says_what_a_new_one_says(older: Store, tmp_path: Path) -> None:
    logs = tmp_path / "logs" / "elmsford" / "ELM-MBX1" / "TransportRoles" / "Logs"
    for folder in OF_FIXTURE:
        shutil.copytree(folder, logs / folder.relative_to(LOGS))
    fresh = Store(tmp_path / "fresh")
    assert ingest(fresh, [tmp_path / "logs"]) == {"new": 11}
    assert reports(older) == reports(fresh)


def test_an_older_store_knows_its_logs_and_takes_new_ones(older: Store) -> None:
    before = reports(older)["sources"]
    assert len(before) == 11
    counted = ingest(older, [SAMPLES / "elmsford"])
    # The eleven are recognised at their new place; the front end's eight are new.
    assert counted == {"unchanged": 11, "new": 8}
    after = reports(older)["sources"]
    assert len(after) == 19
    assert set(before) <= set(after)


def test_the_columns_of_a_version_do_not_change(older: Store) -> None:
    """Who adds a column begins a new schema version, with a fixture of this one and a way from it."""
    for name, columns in TABLES.items():
        stored = pa.schema(DeltaTable(str(older.root / name)).schema().to_arrow())
        assert stored.names == arrow_schema(columns).names


def test_a_plain_store_stays_readable_for_the_version_before(tmp_path: Path) -> None:
    plain, treated = Store(tmp_path / "plain"), Store(tmp_path / "treated")
    ingest(plain, [LOGS / "MessageTracking"])
    ingest(treated, [LOGS / "MessageTracking"], Privacy(Pseudonyms(b"k" * 32)))
    version = lambda store: store.tables["message_tracking"].properties()["tbes.schema"]  # noqa: E731
    assert (version(plain), version(treated)) == ("1", "2")


def set_schema(store: Store, version: str) -> None:
    for name in TABLES:
        path = store.root / name / "_delta_log" / f"{0:020d}.json"
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for line in lines:
            if "metaData" in line:
                line["metaData"]["configuration"]["tbes.schema"] = version
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (str(delta.SCHEMA_VERSION + 1), "written by a newer tbes .* pip install --upgrade tbes"),
        ("next", "no schema version of tbes"),
    ],
)
def test_a_newer_store_is_refused(older: Store, version: str, words: str) -> None:
    set_schema(older, version)
    for act in (older.snapshot, older.treatment, lambda: ingest(older, [SAMPLES / "elmsford"])):
        with pytest.raises(UsageError, match=words) as refused:
            act()
        assert refused.value.exit_code is ExitCode.USAGE
    assert len(list(older.root.rglob("*.parquet"))) == 2


def test_newer_notes_in_the_parts_are_refused(older: Store) -> None:
    part = next(older.root.rglob("*.parquet"))
    text = pq.read_metadata(part).metadata[METADATA_KEY.encode()].decode()
    assert load(text)
    with pytest.raises(UsageError, match="newer tbes"):
        load(json.dumps({**json.loads(text), "format": FORMAT + 1}))
