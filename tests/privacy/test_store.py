"""A pseudonymised store: nobody is in it, and it says the same as a plain one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline import queries
from pipeline.errors import ExitCode, UsageError
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Rules
from pipeline.logs.derived import Hosts
from pipeline.logs.privacy import Privacy
from pipeline.logs.pseudonyms import Pseudonyms
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.store import Store
from tests.privacy.conftest import KEY, Stores, everything, ingested, persons, subjects
from tests.samples import AS_OF, SAMPLES

REPORTS = [report.name for report in queries.reports()]
ADDRESSES = ("sender", "recipients", "message_id", "message_key")
TEXTS = ("reply", "refusal_key")


def found(wanted: set[bytes], data: bytes) -> list[bytes]:
    """Which of the texts stand in the data as a whole word."""
    return [
        text for text in sorted(wanted) if re.search(rb"(?<![\w.])" + re.escape(text) + rb"(?![\w])", data)
    ]


def test_the_search_finds_what_a_plain_store_holds(stores: Stores) -> None:
    data = everything(stores.plain.root)
    people = {local for local in persons(SAMPLES) if re.fullmatch(rb"[a-z]+\.[a-z]+", local)}
    assert len(people) > 10
    assert found(people, data) == sorted(people)
    titles = subjects(stores.plain)
    assert len(titles) > 5
    assert all(title.lower() in data for title in titles)
    assert len(sentences(stores.plain)) > 3


def test_no_local_part_and_no_subject_is_in_the_store(stores: Stores) -> None:
    data = everything(stores.hidden.root)
    # `info`, `cms` and the like are words of the format too: they must not stand before an @.
    people = persons(SAMPLES)
    assert found({local for local in people if len(local) > 8}, data) == []
    assert found({local + b"@" for local in people}, data) == []
    assert [title for title in sentences(stores.plain) if title in data] == []
    assert not subjects(stores.hidden) & subjects(stores.plain)
    assert KEY.lower() not in data


def sentences(store: Store) -> list[bytes]:
    """Subjects of more than one word, in lower case: one word can be a word of the format as well."""
    return [title.lower() for title in sorted(subjects(store)) if b" " in title]


def rows(store: Store, report: str) -> list[dict[str, Any]]:
    with Session(store.snapshot(), Catalogue(), (), Parameters(as_of=AS_OF)) as session:
        result = session.report(report)
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def as_hidden(cell: Any, column: str, pseudonyms: Pseudonyms) -> Any:
    """What a pseudonymised store must say where a plain one says this."""
    if not isinstance(cell, str):
        return cell
    if column == "raw_line":
        return pseudonyms.line(cell)
    if column in ADDRESSES:
        return pseudonyms.addresses(cell)
    return pseudonyms.text(cell) if column in TEXTS else cell


@pytest.mark.parametrize("report", REPORTS)
def test_reports_say_the_same(stores: Stores, report: str) -> None:
    plain, hidden = rows(stores.plain, report), rows(stores.hidden, report)
    expected = [
        {name: as_hidden(cell, name, stores.pseudonyms) for name, cell in row.items()} for row in plain
    ]
    assert sorted(map(comparable, hidden)) == sorted(map(comparable, expected))


def comparable(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(cell)) for name, cell in row.items()]


def test_the_sample_has_what_the_reports_need(stores: Stores) -> None:
    assert all(
        rows(stores.plain, name) for name in ("refusals", "delayed_messages", "bounced_messages", "findings")
    )


def test_one_person_is_one_pseudonym_in_both_tables(stores: Stores) -> None:
    hidden = stores.pseudonyms.local_part("Ines.Falk", "cedarholt.example")
    with Session(stores.hidden.snapshot(), Catalogue(), (), Parameters(as_of=AS_OF)) as session:
        tracked = session.query(
            f"select count(*) from message_tracking where sender_address = '{hidden}@cedarholt.example'"
        ).rows[0][0]
        said = session.query(
            f"select count(*) from smtp_protocol where data like 'MAIL FROM:<{hidden}@cedarholt.example>%'"
        ).rows[0][0]
    with Session(stores.plain.snapshot(), Catalogue(), (), Parameters(as_of=AS_OF)) as session:
        assert (
            tracked
            == session.query(
                "select count(*) from message_tracking where sender_address = 'ines.falk@cedarholt.example'"
            ).rows[0][0]
            > 0
        )
        assert (
            said
            == session.query(
                "select count(*) from smtp_protocol where data like 'MAIL FROM:<ines.falk@cedarholt.example>%'"
            ).rows[0][0]
            > 0
        )


def test_a_second_run_with_the_key_changes_nothing(stores: Stores, tmp_path: Path) -> None:
    copy = Store(shutil.copytree(stores.hidden.root, tmp_path / "store"))
    summary = Ingest(copy, Hosts({}), Rules(), privacy=Privacy(Pseudonyms(KEY))).run([SAMPLES])
    assert {file.outcome for file in summary.files} == {"unchanged", "skipped"}


def test_a_store_takes_only_its_own_key(stores: Stores) -> None:
    for store, privacy, words in (
        (stores.hidden, Privacy(), "is pseudonymised: give its key with --pseudonymise"),
        (stores.hidden, Privacy(Pseudonyms(b"x" * 32)), "with another key"),
        (stores.plain, Privacy(Pseudonyms(KEY)), "holds addresses in the clear"),
        (stores.plain, Privacy(drop_subjects=True), "holds subjects"),
    ):
        before = everything(store.root)
        with pytest.raises(UsageError, match=words) as refused:
            ingested(store.root, SAMPLES, privacy)
        assert refused.value.exit_code is ExitCode.USAGE
        assert everything(store.root) == before


@pytest.mark.parametrize(
    "privacy", [Privacy(drop_subjects=True), Privacy(Pseudonyms(KEY), drop_subjects=True)]
)
def test_dropped_subjects_are_nowhere(stores: Stores, tmp_path: Path, privacy: Privacy) -> None:
    store = ingested(tmp_path / "store", SAMPLES, privacy)
    assert subjects(store) == set()
    data = everything(store.root)
    assert [title for title in sentences(stores.plain) if title in data] == []


@pytest.mark.skipif(os.name != "posix", reason="on Windows files inherit the permissions of their folder")
def test_files_of_a_store_are_for_their_owner_only(stores: Stores) -> None:
    paths = [stores.hidden.root, *stores.hidden.root.rglob("*")]
    assert len(paths) > 20
    assert {
        path.name: oct(path.stat().st_mode & 0o777) for path in paths if path.stat().st_mode & 0o077
    } == {}
