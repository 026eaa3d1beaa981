"""Names from folders, logs and options: ids stay ids, customers stay apart, and any folder can hold a store."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logs.assign import Organisation, Rules, short_name, slug
from pipeline.logs.discover import natural_key
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.store import Store
from tests.ingest.logtext import receive
from tests.ingest.place import Place

OWN = "TransportRoles/Logs/ProtocolLog/SmtpReceive/RECV2026112008-1.LOG"
NAMES = [
    "..",
    ". .",
    "CON",
    "NUL",
    "COM1.txt",
    "trailing. . ",
    "%2e%2e",
    "it's",
    'q"uote',
    "a;b--c",
    "'; drop table servers; --",
    "$(touch x)",
    "`x`",
    "Größe & Söhne",
    "Mu\u0308ller",
    "组织",
    "😀",
    "\u202egnp.exe",
    "a\u200db",
    "{organisation}",
    "[a]*",
    "~",
    "-rf",
    "x" * 250,
    "2026-01-01",
    "007",
    "null",
    "True",
    "1e5",
    "__HIVE_DEFAULT_PARTITION__",
]
NOT_HERE = {"win32": set('<>:"/\\|?*'), "linux": set("/")}.get(sys.platform, set("/:"))


def usable(name: str) -> bool:
    """Whether the file system takes a folder of that name."""
    reserved = sys.platform == "win32" and (
        name.strip(". ") != name or name.upper().split(".")[0] in ("CON", "NUL", "COM1")
    )
    return (
        name not in (".", "..") and not NOT_HERE & set(name) and not reserved and len(os.fsencode(name)) < 256
    )


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60) | st.sampled_from(NAMES))
def test_an_id_is_an_id(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", slug(name))
    assert slug(name) == slug(unicodedata.normalize("NFD", name)) or not name.isprintable()
    host = short_name(name)
    assert host is None or re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,62}", host)


def test_a_line_break_ends_no_host_name() -> None:
    """`$` matches before it."""
    assert short_name("EX01\n.contoso.com") is None


def test_the_same_name_in_parts_is_the_same_organisation() -> None:
    """A Mac stores Müller as u and dots apart."""
    assert slug("Mu\u0308ller GmbH") == slug("Müller GmbH") == "mueller-gmbh"


@given(st.lists(st.text("0123456789ab", max_size=6), max_size=6))
def test_numbers_sort_as_numbers_however_long(names: list[str]) -> None:
    assert natural_key("9" * 9000) < natural_key("1" + "0" * 9000)
    numbers = [name for name in names if name.isdecimal()]
    assert [int(name) for name in sorted(numbers, key=natural_key)] == sorted(int(name) for name in numbers)


def test_folders_of_any_name_are_organisations_of_their_own(place: Place) -> None:
    chosen = [name for name in NAMES if usable(name)]
    for number, name in enumerate(chosen):
        place.write(f"{name}/EX01/{OWN}", receive([number]))
    place.ingest()
    rows = place.rows()
    assert len(rows) == len(chosen)
    for row in rows:
        assert re.fullmatch(r"[a-z0-9-]{1,40}", row["organisation"])
    named = [row for row in rows if row["organisation"] != "unassigned"]
    assert len({row["organisation"] for row in named}) == len(named)
    assert {path.name for path in (place.store.root / "smtp_protocol").iterdir()} == {
        "_delta_log",
        *(f"organisation={row['organisation']}" for row in rows),
    }
    with Session(place.store.snapshot(), Catalogue()) as session:
        found = session.query("select organisation, typeof(organisation) from smtp_protocol").rows
    assert sorted(found) == sorted((row["organisation"], "VARCHAR") for row in rows)


def test_a_server_in_a_log_is_a_value_and_nothing_else(place: Place) -> None:
    for number, server in enumerate(
        ["..", "'; drop table x; --", "EX01/../..", "CON", "%2e%2e", "a" * 300, "Ü"]
    ):
        place.write(f"{number}.LOG", receive([number], server=server))
    place.ingest()
    assert len(place.rows()) == 7
    assert all(part.path.count("/") == 2 for snapshot in place.store.snapshot() for part in snapshot.parts)
    with Session(place.store.snapshot(), Catalogue()) as session:
        assert session.query("select count(*) from smtp_protocol").rows == [(7,)]
        session.report("servers")


def asked(name: str) -> Rules:
    return Rules(organisation=Organisation(slug(name), name))


def test_two_customers_whose_names_fold_together_are_never_merged_by_option(place: Place) -> None:
    one = place.write("one.LOG", receive(range(3)))
    two = place.write("two.LOG", receive(range(10, 13)))
    place.ingest(one, rules=asked("Müller"))
    with pytest.raises(
        UsageError, match="Mueller would have the id mueller, under which the store holds Müller"
    ):
        place.ingest(two, rules=asked("Mueller"))
    assert [row["sequence_number"] for row in place.rows()] == [0, 1, 2]
    # Said as it is called, in any writing, or by its id, it is meant.
    for number, name in enumerate(["müller", "MÜLLER", "Mu\u0308ller", "mueller"]):
        path = place.write(f"more {number}.LOG", receive([20 + number]))
        place.ingest(path, rules=asked(name))
    assert {row["organisation"] for row in place.rows()} == {"mueller"}
    assert {entry.organisation_name for entry in place.ranges() if "more 3" in entry.path} == {"Müller"}


def test_organisations_toml_may_rename_an_organisation(place: Place) -> None:
    named = Organisation("mueller", "Müller AG")
    place.ingest(place.write("one.LOG", receive(range(3))), rules=asked("Müller"))
    rules = Rules(organisation=named, known=(named,))
    place.ingest(place.write("two.LOG", receive(range(10, 13))), rules=rules)
    assert len(place.rows()) == 6


def tbes(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        timeout=120,
        check=False,
    )


def test_an_empty_organisation_is_refused(place: Place) -> None:
    """An unset variable of a script must not mean: by the folders."""
    path = place.write("one.LOG", receive(range(3)))
    done = tbes("ingest", path, "--organisation", "", "--store", place.store.root)
    assert (done.returncode, "--organisation is empty" in done.stderr) == (2, True)


def test_a_name_of_organisations_toml_is_not_taken_by_another(place: Place, tmp_path: Path) -> None:
    path = place.write("one.LOG", receive(range(3)))
    known = tmp_path / "organisations.toml"
    known.write_text('[[organisation]]\nid = "mueller"\nname = "Müller GmbH"\n', encoding="utf-8")
    common = ("--organisations", known, "--store", place.store.root)
    assert tbes("ingest", path, "--organisation", "mueller", *common).returncode == 0
    other = place.write("two.LOG", receive(range(5, 8)))
    done = tbes("ingest", other, "--organisation", "Mueller!", *common)
    assert (done.returncode, "gives to Müller GmbH" in done.stderr) == (2, True)
    assert len(place.rows()) == 3


FOLDERS = [
    "with a blank",
    "it's",
    "a#b",
    "100% sure",
    "Größe 组织 😀",
    "e\u0301",
    "\u202eleft",
    "-dash",
    "a;b=c&d",
    "$(x)",
    "~",
    "{x}",
    "[a]*",
    "?",
    'q"uote',
    "a:b",
    "s3:",
    "x" * 150,
]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_store_and_its_logs_can_lie_in_any_folder(tmp_path: Path, name: str) -> None:
    if not usable(name):
        pytest.skip("this system has no such folder")
    place = Place(tmp_path / name)
    place.write(f"contoso/EX01/{OWN}", receive(range(3)))
    place.ingest()
    place.write(f"contoso/EX01/{OWN}", receive(range(5)))
    assert place.ingest().total("rows") == 2
    with Session(Store(tmp_path / name / "store").snapshot(), Catalogue()) as session:
        assert session.query("select count(*), min(organisation) from smtp_protocol").rows == [(5, "contoso")]
        assert session.query("select sum(rows) from source_ranges").rows == [(5,)]
    assert {path.name for path in tmp_path.iterdir()} == {name}


@pytest.mark.parametrize("name", ["a%20b", "%2e%2e", "%C3%BC", "back\\slash", "line\nbreak"])
def test_a_folder_that_delta_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    """It would take `%2e%2e` for the folder above, and read another table there."""
    if sys.platform == "win32" and "%" not in name:
        pytest.skip("no such folder there")
    place = Place(tmp_path / name)
    place.write(f"contoso/EX01/{OWN}", receive(range(3)))
    with pytest.raises(
        UsageError, match=r"(?s)The store cannot lie in .* Choose another folder with --store"
    ):
        place.ingest()
    with pytest.raises(UsageError, match="cannot lie in"):
        place.store.snapshot()
    assert not place.store.root.exists()
    elsewhere = Place(tmp_path / "good")
    elsewhere.ingest(place.logs)
    assert len(elsewhere.rows()) == 3, "logs may lie there"


VALUES = [
    "'; drop table servers; --",
    "x' or '1'='1",
    "\\",
    "''",
    '"',
    "%",
    "_",
    "EX01\n",
    "\u202e",
    "x" * 5000,
    "$1",
    "?",
]


@pytest.mark.parametrize("value", VALUES)
def test_values_of_options_are_values(place: Place, value: str) -> None:
    place.write(f"contoso/EX01/{OWN}", receive(range(3)))
    place.ingest()
    for parameters in (Parameters(organisation=value), Parameters(server=value)):
        with Session(place.store.snapshot(), Catalogue(), (), parameters) as session:
            assert session.query("select organisation from parameters").rows == [(parameters.organisation,)]
            assert session.query("select count(*) from servers").rows[0][0] in (0, 1)
            if parameters.organisation:
                assert session.query("select count(*) from smtp_protocol").rows == [(0,)]


@pytest.mark.parametrize("option", ["--organisation", "--server", "--since", "--until", "--as-of"])
@pytest.mark.parametrize("value", ["'; drop table servers; --", "1' or '1'='1"])
def test_the_command_refuses_or_finds_nothing(
    tmp_path_factory: pytest.TempPathFactory, option: str, value: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "injection"
    place = Place(root)
    if not (root / "store").exists():
        place.write(f"contoso/EX01/{OWN}", receive(range(3)))
        place.ingest()
    done = tbes("report", "clock", option, value, "--store", place.store.root, "--format", "csv")
    assert done.returncode == (0 if option == "--server" else 2), done.stderr
    assert "Traceback" not in done.stderr and "Unexpected" not in done.stderr
    assert len(place.rows()) == 3


@pytest.mark.skipif(os.name != "posix", reason="arguments are text there")
def test_bytes_that_are_no_text_on_the_command_line(place: Place) -> None:
    path = place.write("one.LOG", receive(range(3)))
    value = os.fsdecode(b"caf\xe9")
    done = tbes("ingest", path, "--organisation", value, "--store", place.store.root)
    assert (done.returncode, "Unexpected" in done.stderr) == (0, False), done.stderr
    for option in ("--server", "--organisation"):
        done = tbes("report", "clock", option, value, "--store", place.store.root, "--format", "csv")
        assert done.returncode in (0, 2) and "Unexpected" not in done.stderr, done.stderr
