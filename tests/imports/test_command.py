"""`tbes import-report` and `tbes report --fail-on` as processes, on the sample logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports.samples import format_list

ROOT = Path(__file__).resolve().parents[2]
# cedarholt's server is throttled for 10 minutes an hour from 2026-11-23 on: stage 3, day 0 in October
DATES = ("10/8/2026 12:15:08 AM", "11/7/2026 12:15:08 AM", "12/7/2026 12:15:08 AM", "11/27/2026 12:15:08 AM")


def tbes(*arguments: str | Path, store: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "TBES_STORE": str(store), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        check=False,
        cwd=ROOT,
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imports") / "store"
    done = tbes("ingest", ROOT / "sample_logs", "--quiet", store=folder)
    assert done.returncode in (0, 3), done.stderr
    return folder


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "report.txt"
    text = format_list(DATES, fqdn="CHMAIL1.cedarholt.example", build="15.02.1748.036", builds="15.2.1748.39")
    file.write_text(text.replace("ExchangeServer2016", "ExchangeServer2019"), encoding="utf-16")
    return file


def test_import_again_and_forget(store: Path, report: Path) -> None:
    done = tbes(
        "import-report", report, "--organisation", "cedarholt", "--as-of", "2026-11-24T18:00Z", store=store
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Imported 1 server of report.txt (list) for cedarholt."
    assert lines[1].startswith("Dates: month first; day first is impossible: ")
    assert lines[2] == "Zone: read as UTC. The cmdlet does not say its zone: --tz tells another."
    assert "CHMAIL1" in lines
    words = [line.split() for line in lines]
    assert ["Build", "agrees", "report:", "15.2.1748.36", "|", "expected:", "15.2.1748.36"] in words
    assert lines[-1].endswith("Again: tbes report reconciliation")
    (kept,) = json.loads((store / "imported_reports.json").read_text(encoding="utf-8"))["imports"]
    assert (kept["organisation"], kept["zone"], kept["zone_told"]) == ("cedarholt", "UTC", False)

    before = (store / "imported_reports.json").read_bytes()
    again = tbes("import-report", report, "--organisation", "cedarholt", store=store)
    assert again.stdout.startswith("Imported before (")
    assert (store / "imported_reports.json").read_bytes() == before

    rows = json.loads(tbes("report", "reconciliation", "--format", "json", store=store).stdout)
    assert {row["server"] for row in rows} == {"CHMAIL1"}
    asked = tbes("sql", "select server, date_reading from imported_reports", store=store)
    assert asked.stdout == "server,date_reading\nCHMAIL1,month first\n"

    gone = tbes("import-report", report, "--organisation", "cedarholt", "--forget", store=store)
    assert gone.stdout.startswith("Forgot report.txt of cedarholt")
    twice = tbes("import-report", report, "--organisation", "cedarholt", "--forget", store=store)
    assert (twice.returncode, twice.stderr) == (
        2,
        "Error: report.txt is not imported for cedarholt: nothing to forget\n",
    )


def test_imports_at_once_are_all_kept(store: Path, tmp_path: Path) -> None:
    """Each reads what is kept, adds to it and writes it: none undoes another."""
    files = []
    for number in range(4):
        files.append(tmp_path / f"report-{number}.txt")
        files[-1].write_text(format_list(DATES, build=f"15.2.1748.{number}"), encoding="utf-8")
    code = (
        "import time\n"
        "from pipeline.imports import kept\n"
        "plain = kept.load\n"
        "def slow(root):\n"
        "    found = plain(root)\n"
        "    time.sleep(0.3)\n"
        "    return found\n"
        "kept.load = slow\n"
        "from pipeline.cli import main; main()"
    )
    asked = ["--organisation", "cedarholt", "--store", str(store)]
    running = [
        subprocess.Popen([sys.executable, "-c", code, "import-report", str(file), *asked], cwd=ROOT)
        for file in files
    ]
    assert [child.wait(timeout=120) for child in running] == [0] * 4
    imports = json.loads((store / "imported_reports.json").read_text(encoding="utf-8"))["imports"]
    assert sorted(kept["file"] for kept in imports) == [file.name for file in files]
    for file in files:
        assert (
            tbes("import-report", file, "--organisation", "cedarholt", "--forget", store=store).returncode
            == 0
        )


def test_what_a_killed_import_left_is_cleaned(store: Path, report: Path) -> None:
    code = "import os\nos.fsync = lambda _: os._exit(137)\nfrom pipeline.cli import main; main()"
    before = set(store.iterdir())
    asked = ["import-report", str(report), "--organisation", "cedarholt", "--store", str(store)]
    assert subprocess.run([sys.executable, "-c", code, *asked], cwd=ROOT, check=False).returncode == 137
    (left,) = {path for path in set(store.iterdir()) - before if path.is_file()}
    assert tbes("clean", store=store).returncode == 0
    assert left.exists(), "it is younger than an hour"
    os.utime(left, (left.stat().st_atime, left.stat().st_mtime - 2 * 3600))
    done = tbes("clean", store=store)
    assert done.stdout.startswith("1 files of 0.0 MB that nobody needs deleted."), done.stdout
    assert not left.exists()


def test_another_zone(store: Path, report: Path) -> None:
    done = tbes("import-report", report, "--organisation", "dunmore", "--tz", "Europe/Berlin", store=store)
    assert "Zone: Europe/Berlin." in done.stdout
    asked = tbes(
        "sql", "select first_detected from imported_reports where organisation = 'dunmore'", store=store
    )
    assert asked.stdout.splitlines()[1] == "2026-10-07T22:15:08Z"
    assert tbes("import-report", report, "--organisation", "dunmore", "--forget", store=store).returncode == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--organisation", "nobody"), "There is no organisation 'nobody' in the store. It has: alderbrook"),
        (("--organisation", "cedarholt", "--tz", "Mars/Base"), "'Mars/Base' is no time zone"),
        (("--organisation", "cedarholt", "--date-order", "dmy"), "--date-order dmy cannot be"),
    ],
)
def test_wrong_use(store: Path, report: Path, options: tuple[str, ...], problem: str) -> None:
    done = tbes("import-report", report, *options, store=store)
    assert done.returncode == 2
    assert problem in done.stderr and len(done.stderr.splitlines()) == 1


def test_open_dates_are_refused_until_told(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "open.txt"
    file.write_text(format_list(("05/06/2026 10:00", "", "", "")), encoding="utf-8")
    done = tbes("import-report", file, "--organisation", "cedarholt", store=store)
    assert done.returncode == 2
    assert "The dates are ambiguous: 05/06/2026 10:00" in done.stderr
    told = tbes("import-report", file, "--organisation", "cedarholt", "--date-order", "dmy", store=store)
    assert told.returncode == 0
    assert "Dates: ambiguous: day first as told" in told.stdout
    assert tbes("import-report", file, "--organisation", "cedarholt", "--forget", store=store).returncode == 0


def test_fail_on(store: Path) -> None:
    at = ("--as-of", "2026-11-24T18:00Z")
    done = tbes(
        "report", "--fail-on", "throttled", "--fail-on", "within=30d", *at, "--format", "csv", store=store
    )
    assert done.returncode == 4
    assert done.stdout.startswith("rank,organisation")
    assert len(done.stderr.splitlines()) == 1
    assert "cedarholt CHMAIL1 is delayed" in done.stderr
    fine = tbes("report", "--fail-on", "throttled,blocked", "--organisation", "alderbrook", *at, store=store)
    assert (fine.returncode, fine.stderr) == (0, "")
    wrong = tbes("report", "--fail-on", "late", store=store)
    assert wrong.returncode == 2
