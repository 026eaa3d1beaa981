"""A report to hand on names nobody, in any format, and says the same otherwise."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline import queries
from pipeline.commands import hosts_of
from pipeline.i18n import Texts
from pipeline.ingest.run import Ingest
from pipeline.logs.assign import Organisation, Rules
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.reports.anonymise import Labels, anonymised
from pipeline.reports.document import Style
from pipeline.reports.formats import FORMATS
from pipeline.reports.gather import Wanted, document
from pipeline.sql import Session
from pipeline.store.store import Store
from tests.cli.test_commands import tbes
from tests.privacy.conftest import Stores, persons
from tests.samples import AS_OF, SAMPLES

REPORTS = [report.name for report in queries.reports()]
OWN_ADDRESS = re.compile(r"10\.\d+\.\d+\.\d+|203\.0\.113\.\d+|198\.51\.100\.\d+")


def opened(store: Store) -> Session:
    return Session(store.snapshot(), Catalogue(), (), Parameters(as_of=AS_OF))


@pytest.fixture(scope="module")
def secrets(stores: Stores) -> set[str]:
    """Everything that must not be in a report, in lower case."""
    with opened(stores.plain) as session:
        rows = session.query(
            "select organisation from source_ranges union select server from source_ranges "
            "union select path from source_ranges union select source_id from source_ranges "
            "union select connector_id from message_tracking union select connector_id from smtp_protocol "
            "union select message_id from message_tracking union select network_message_id from message_tracking "
            "union select client_ip from message_tracking union select local_ip from smtp_protocol "
            "union select sender_address from message_tracking union select client_hostname from message_tracking "
            "union select session_id from smtp_protocol where enforcement_action is not null "
            "union select split_part(peer_name, '.', 1) from message_tracking where peer_name like '%.mail.protection.%' "
            "union select peer_domain from smtp_protocol where destination_class is null"
        ).rows
    found = {row[0].strip("<>").lower() for row in rows if row[0]}
    found |= {local.decode() + "@" for local in persons(SAMPLES)}
    assert {"alderbrook", "ald-ex01", "10.20.1.11", "outbound to office 365", "ines.falk@"} <= found
    return {text for text in found if len(text) > 3 and text not in ("127.0.0.1",)}


def unpacked(content: bytes, format_: str) -> str:
    """All text of a file in lower case."""
    if format_ == "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist()).lower()
    if format_ == "parquet":
        table = pq.read_table(io.BytesIO(content))
        return (str(table.schema.metadata) + str(table.to_pylist())).lower()
    if format_ in ("json", "jsonl"):
        return content.decode().replace("\\\\", "\\").lower()
    return content.decode().lower()


def written(store: Store, format_: str, report: str | None, language: str = "en") -> str:
    with opened(store) as session:
        made = anonymised(document(session, Wanted(report)))
        content = FORMATS[format_].write(made, Style(Texts(language), prose=True))
    return unpacked(content if isinstance(content, bytes) else content.encode(), format_)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("format_", [name for name, chosen in FORMATS.items() if chosen.holds_set])
def test_no_name_is_in_the_whole_set(stores: Stores, secrets: set[str], format_: str, language: str) -> None:
    text = written(stores.plain, format_, None, language)
    assert sorted(secret for secret in secrets if secret in text) == []
    assert OWN_ADDRESS.findall(text) == []
    assert "organisation-1" in text
    assert "server-1" in text


@pytest.mark.parametrize("format_", [name for name, chosen in FORMATS.items() if not chosen.holds_set])
def test_no_name_is_in_a_single_report(stores: Stores, secrets: set[str], format_: str) -> None:
    for report in REPORTS:
        text = written(stores.plain, format_, report)
        assert sorted(secret for secret in secrets if secret in text) == [], report
        assert OWN_ADDRESS.findall(text) == [], report


def test_dates_builds_numbers_and_rows_stay(stores: Stores) -> None:
    with opened(stores.plain) as session:
        plain = document(session, Wanted(None))
        hidden = anonymised(plain)
        for before, after in zip(plain.sheets, hidden.sheets, strict=True):
            assert before.result.columns == after.result.columns
            assert len(before.result.rows) == len(after.result.rows)
            for row, shown in zip(before.records(), after.records(), strict=True):
                for name, cell in row.items():
                    if not isinstance(cell, str) or ("build" in name and name != "build_evidence"):
                        assert shown[name] == cell, (before.name, name)


def test_labels_are_one_to_one_over_all_sheets(stores: Stores) -> None:
    pairs: dict[str, dict[str, set[str]]] = {}
    with opened(stores.plain) as session:
        plain = document(session, Wanted(None))
        hidden = anonymised(plain)
        asked = hidden.session.query("select distinct organisation from source_ranges").rows
    for before, after in zip(plain.sheets, hidden.sheets, strict=True):
        for row, shown in zip(before.records(), after.records(), strict=True):
            for name in ("organisation", "server", "message_id", "connector"):
                if row.get(name):
                    pairs.setdefault(name, {}).setdefault(row[name].strip("<>").lower(), set()).add(
                        shown[name].strip("<>")
                    )
    for name, labels in pairs.items():
        assert all(len(label) == 1 for label in labels.values()), name
        assert len({min(label) for label in labels.values()}) == len(labels), name
    assert {row[0] for row in asked} == {min(label) for label in pairs["organisation"].values()}


def test_names_in_sentences_are_replaced_whole(stores: Stores) -> None:
    with opened(stores.plain) as session:
        labels = Labels(session)
        assert labels.text("Update ALD-EX01 at once (ald-ex01.ad.alderbrook.example).") == (
            "Update server-1 at once (server-1.domain-1)."
        )
        assert (
            labels.text("ALD-EX011 and XALD-EX01 are other words")
            == "ALD-EX011 and XALD-EX01 are other words"
        )
        assert labels.text("ALD-EX01\\Default ALD-EX01") == "connector-1"
        assert labels.text("organisation alderbrook by path") == "organisation organisation-1 by path"
        assert labels.text("450 no route for alderbrook") == "450 no route for organisation-1"
        assert labels.text("build 15.1.2507.39 from 14.3.123.4") == "build 15.1.2507.39 from 14.3.123.4"
        assert labels.text("from 10.1.2.3 and 2001:db8::1 to 127.0.0.1") == "from ip-1 and ip-2 to 127.0.0.1"
        assert labels.text("450 4.7.230 see https://aka.ms/BlockUnsafeExchange.") == (
            "450 4.7.230 see https://aka.ms/BlockUnsafeExchange."
        )
        assert (
            labels.text("contoso-com.mail.protection.outlook.com") == "tenant-1.mail.protection.outlook.com"
        )


def _renamed(root: Path, organisation: str, server: str) -> Store:
    """The logs of one sample organisation and its only server, under other names."""
    logs = root / organisation / "logs"
    for path in (SAMPLES / "dunmore").rglob("*"):
        if path.is_file():
            data = (
                path.read_bytes()
                .replace(b"DUN-HT1", server.encode())
                .replace(b"dun-ht1", server.lower().encode())
            )
            target = (
                logs / organisation / str(path.relative_to(SAMPLES / "dunmore")).replace("DUN-HT1", server)
            )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    store = Store(root / organisation / "store")
    rules = Rules(organisation=Organisation(organisation, organisation))
    Ingest(store, hosts_of(Catalogue()), rules, now=AS_OF).run([logs])
    return store


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("exchange", "MAIL"), ("exchanhe", "MAIZ")),
        (("server", "ACCEPTED"), ("serves", "ACCEPTEF")),
        (("online", "THE"), ("onlinf", "THF")),
        (("mail", "SERVERS"), ("maik", "SERVERT")),
    ],
)
def test_names_that_are_words_spoil_no_sentence(
    tmp_path: Path, words: tuple[str, str], names: tuple[str, str]
) -> None:
    """The report is the same to the letter as that of an organisation whose name nobody could take for a word."""
    texts = [written(_renamed(tmp_path, *called), "json", None) for called in (words, names)]
    apart = [json.loads(text) for text in texts]
    for sheet, rows in apart[1]["reports"].items():
        # there strangers' hosts of the same first label (mail.elsewhere.example) bear the server's label
        if sheet == "peers" and "MAIL" in words:
            continue
        assert apart[0]["reports"][sheet] == rows, sheet
    assert "refuses all mail of its out-of-date servers" in texts[0]
    assert "server-1" in texts[0] and "organisation-1" in texts[0]
    for name in names:
        assert name.lower() not in texts[1]


def test_places_of_sentences_where_names_stand(stores: Stores) -> None:
    with opened(stores.plain) as session:
        labels = Labels(session)
        labels._ids["mail"] = "mail"
        one = labels.organisation("mail")
        assert (
            labels.text("organisation mail by path; server by each row")
            == f"organisation {one} by path; server by each row"
        )
        assert labels.text("tbes report --organisation mail") == f"tbes report --organisation {one}"
        assert labels.text("mail") == one
        assert labels.text("all mail of 2 servers") == "all mail of 2 servers"
        assert labels.text("the folder says Secret GmbH, the rows say ALD-EX01: the rows were believed") == (
            f"the folder says folder-1, the rows say {labels._server('ALD-EX01')}: the rows were believed"
        )
        assert labels.text("it is not clear what the folder Secret GmbH names") == (
            "it is not clear what the folder folder-1 names"
        )
        assert labels.text("Mueller and Muller would have the same id").endswith(" would have the same id")
        assert "ueller" not in labels.text("x; Mueller and Muller would have the same id")


def test_a_path_with_blanks_is_replaced_whole(tmp_path: Path) -> None:
    logs = tmp_path / "logs of Secret GmbH"
    shutil.copytree(SAMPLES / "dunmore", logs / "dunmore")
    store = Store(tmp_path / "store")
    Ingest(store, hosts_of(Catalogue()), Rules(), now=AS_OF).run([logs])
    text = written(store, "json", None)
    assert "file-1" in text
    assert "secret" not in text and "gmbh" not in text


def test_the_command_writes_it(stores: Stores, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    asked = ("report", "all", "--as-of", "2026-11-24T18:00Z", "--anonymise", "--output", output)
    result = tbes(*asked, store=stores.plain.root)
    assert (result.returncode, result.stderr) == (0, "")
    content = json.loads(output.read_text("utf-8"))
    exposure = content["reports"]["exposure"]
    assert {row["organisation"] for row in exposure} == {f"organisation-{i}" for i in range(1, 7)}
    assert {row["display_name"] for row in exposure} == {row["organisation"] for row in exposure}
    assert content["tbes"]["as_of"] == "2026-11-24T18:00:00Z"
    assert exposure[0]["act_by"] == "2026-11-24"
