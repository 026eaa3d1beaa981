"""The commands as processes: output, files, exit codes; never a traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import queries
from tests.samples import copy_samples

AS_OF = "2026-11-24T18:00Z"


def tbes(
    *arguments: str | Path, store: Path | None = None, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "utf-8",
        "TBES_STORE": str(store or "no-store"),
        "NO_COLOR": "1",
    }
    environment.pop("TBES_DEBUG", None)
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        input=stdin,
        timeout=120,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    logs = copy_samples(folder / "logs")
    done = tbes("ingest", logs, store=folder / "store")
    assert done.returncode == 3, done.stderr
    return folder / "store"


def test_help_needs_no_data_engine() -> None:
    code = "import sys; from pipeline.cli import cli\ntry: cli(['--help'])\nexcept SystemExit: pass\n" + (
        "assert not {'polars', 'pyarrow', 'duckdb', 'deltalake', 'rich', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["ingest", "report", "reports", "export", "sql", "decode", "demo"])
def test_each_command_shows_an_example(command: str) -> None:
    assert f"Examples:\n    tbes {command}" in tbes(command, "--help").stdout.replace(
        "  Examples", "Examples", 1
    )


def test_the_list_of_commands_cuts_no_sentence() -> None:
    listed = tbes("--help").stdout.partition("Commands:")[2].partition("Examples")[0]
    assert "decode" in listed
    assert "..." not in listed


def test_ingest_adds_up_in_json_and_again_adds_nothing(tmp_path: Path) -> None:
    logs = copy_samples(tmp_path / "logs")
    first = tbes("ingest", logs, "--json", store=tmp_path / "store")
    summary = json.loads(first.stdout)
    files, lines = summary["files"], summary["lines"]
    assert (
        files["found"]
        == files["new"] + files["grown"] + files["unchanged"] + files["skipped"] + files["failed"]
    )
    assert lines["read"] == lines["header"] + lines["rows"] + lines["quarantined"] + lines["pending"]
    # One damaged line in foxglove's tracking log; half a line at the end of cedarholt's.
    assert (lines["quarantined"], lines["pending"]) == (1, 1)
    assert set(summary["skipped_kinds"]) == {"connectivity", "IIS", "not a transport log"}
    for source in summary["sources"]:
        counts = source["lines"]
        assert counts["read"] == counts["header"] + counts["rows"] + counts["quarantined"] + counts["pending"]
    again = tbes("ingest", logs, store=tmp_path / "store")
    assert again.returncode == 0
    assert f"{files['found']} files found = 0 new + 0 grown + {files['new']} unchanged" in again.stdout
    assert "Nothing new" in again.stdout


def test_max_bad_bounds_the_exit_code(tmp_path: Path) -> None:
    logs = copy_samples(tmp_path / "logs")
    assert tbes("ingest", logs, "--max-bad", "1", store=tmp_path / "store").returncode == 0


def test_report_exposure_as_csv(store: Path) -> None:
    done = tbes("report", "--format", "csv", "--as-of", AS_OF, store=store)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    # The figures of sample_logs/README.md.
    found = {
        row["organisation"]: (
            row["state"],
            row["delayed_messages"],
            row["bounced_messages"],
            row["handed_over_messages"],
        )
        for row in rows
    }
    assert found == {
        "dunmore": ("fully blocked", "0", "8", "0"),
        "elmsford": ("partly blocked", "4", "3", "5"),
        "cedarholt": ("delayed", "6", "0", "7"),
        "birchwood": ("accepted", "0", "0", "14"),
        "alderbrook": ("accepted", "0", "0", "8"),
        "foxglove": ("accepted", "0", "0", "4"),
    }
    assert [row["organisation"] for row in rows][:3] == ["dunmore", "elmsford", "cedarholt"]


def test_report_formats_and_output(store: Path, tmp_path: Path) -> None:
    target = tmp_path / "servers.json"
    assert tbes("report", "servers", "--output", target, "--as-of", AS_OF, store=store).returncode == 0
    rows = json.loads(target.read_text(encoding="utf-8"))
    assert {row["server"]: row["build_name"] for row in rows}["BWEX2"] == "2016 CU23 Oct26SU"
    table = tbes("report", "--as-of", AS_OF, store=store).stdout
    assert "fully blocked" in table and "dunmore: " in table


def test_report_of_one_organisation_and_span(store: Path) -> None:
    done = tbes(
        "report",
        "refusals",
        "--organisation",
        "cedarholt",
        "--since",
        "2026-11-24",
        "--format",
        "csv",
        store=store,
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert rows and {row["organisation"] for row in rows} == {"cedarholt"}
    assert min(row["time"] for row in rows) >= "2026-11-24T00:00:00Z"


def test_a_display_zone_moves_the_table_only(store: Path) -> None:
    berlin = tbes("report", "refusals", "--tz", "Europe/Berlin", store=store).stdout
    assert "Times are Europe/Berlin." in berlin
    utc = tbes("report", "refusals", "--tz", "Europe/Berlin", "--format", "csv", store=store).stdout
    assert "2026-11-23T08:20:33" in utc and "2026-11-23 09:20:33" in berlin


@pytest.mark.parametrize("ending", ["csv", "html", "json", "md", "text", "xlsx"])
def test_a_display_zone_leaves_files_in_utc(store: Path, tmp_path: Path, ending: str) -> None:
    plain, zoned = tmp_path / f"plain.{ending}", tmp_path / f"zoned.{ending}"
    arguments = ("report", "refusals", "--as-of", AS_OF, "--output")
    assert tbes(*arguments, plain, store=store).returncode == 0
    assert tbes(*arguments, zoned, "--tz", "Europe/Berlin", store=store).returncode == 0
    assert zoned.read_bytes() == plain.read_bytes()


def test_export_writes_every_report(store: Path, tmp_path: Path) -> None:
    done = tbes("export", tmp_path / "out", "--as-of", AS_OF, store=store)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in (tmp_path / "out").iterdir()} == {
        report.name for report in queries.reports()
    }
    for path in (tmp_path / "out").iterdir():
        header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
        assert header == list(next(r for r in queries.reports() if r.name == path.stem).columns)


def test_sql_from_argument_stdin_and_file(store: Path, tmp_path: Path) -> None:
    statement = "select count(*) as n from servers"
    (tmp_path / "q.sql").write_text(statement)
    outputs = [
        tbes("sql", statement, store=store),
        tbes("sql", store=store, stdin=statement),
        tbes("sql", "--file", tmp_path / "q.sql", store=store),
    ]
    assert [done.stdout for done in outputs] == ["n\n7\n"] * 3


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to 'x.csv'",
        "attach 'x.db'",
        "create table t as select 1",
        "install httpfs",
        "select 1; select 2",
        "select * from read_csv('pyproject.toml')",
        "select * from 'README.md'",
        "set memory_limit = '1GB'",
        "select * from glob('*')",
        "pragma version",
        "select getenv('HOME')",
    ],
)
def test_sql_reads_the_store_and_nothing_else(store: Path, statement: str) -> None:
    done = tbes("sql", statement, store=store)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("Error: ") and "Traceback" not in done.stderr


def test_quarantine_shows_the_whole_line(store: Path) -> None:
    done = tbes("report", "quarantine", "--format", "json", store=store)
    (line,) = json.loads(done.stdout)
    source = Path(line["source_file"]).read_text(encoding="utf-8-sig").splitlines()
    assert source[line["source_line"] - 1] == line["raw_line"]


def test_decode_a_build_and_a_reply() -> None:
    assert "2016 CU23 Apr24HU" in tbes("decode", "15.01.2507.039").stdout
    reply = "550 5.7.230 Connecting Exchange server version is out-of-date; connection to Exchange Online blocked for 10 mins/hr."
    assert "Stage 6" in tbes("decode", reply).stdout


def test_demo_prints_the_exposure_and_where_to_look() -> None:
    done = tbes("demo")
    assert done.returncode == 0, done.stderr
    assert "fully blocked" in done.stdout and "Where to look next" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ingest", "no-such-folder"], "does not exist"),
        (["report"], "There is no store"),
        (["report", "nonsense"], "Reports are: "),
        (["report", "--since", "yesterday"], "is no time"),
        (["report", "--tz", "Mars/Base"], "is no time zone"),
        (["report", "--output", "x.docx"], "--format"),
        (["ingest", ".", "--layout", "nothing"], "--layout"),
        (["decode", "hello there"], ""),
        (["sql"], "No SQL"),
        (["frobnicate"], "No such command"),
    ],
)
def test_wrong_use_is_one_sentence_and_code_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = tbes(*arguments, store=tmp_path / "none", stdin="")
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr


def test_a_folder_without_logs(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no log")
    done = tbes("ingest", tmp_path, store=tmp_path / "store")
    assert done.returncode == 2
    assert "There are no message tracking or SMTP protocol logs under" in done.stderr


def test_organisation_that_is_not_there(store: Path) -> None:
    done = tbes("report", "--organisation", "nobody", store=store)
    assert done.returncode == 2 and "It has: alderbrook" in done.stderr


def test_organisations_toml_is_kept_for_reports(tmp_path: Path) -> None:
    logs = copy_samples(tmp_path / "logs")
    (tmp_path / "orgs.toml").write_text(
        '[[organisation]]\nid = "cedar"\nname = "Cedar Holt AG"\nservers = ["CHMAIL1"]\n'
    )
    done = tbes(
        "ingest",
        logs / "cedarholt",
        "--organisations",
        tmp_path / "orgs.toml",
        "--json",
        store=tmp_path / "store",
    )
    assert {s["organisation"] for s in json.loads(done.stdout)["sources"] if s["outcome"] == "new"} == {
        "cedar"
    }
    shown = tbes("report", "--format", "json", "--as-of", AS_OF, store=tmp_path / "store")
    assert [row["display_name"] for row in json.loads(shown.stdout)] == ["Cedar Holt AG"]


def test_a_wrong_organisations_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "orgs.toml").write_text('[[organisation]]\nid = "Not A Slug"\n')
    done = tbes("ingest", tmp_path, "--organisations", tmp_path / "orgs.toml", store=tmp_path / "store")
    assert done.returncode == 2 and "orgs.toml" in done.stderr and "id must be" in done.stderr


def test_a_name_given_as_free_text_is_shown_and_its_id_is_a_slug(tmp_path: Path) -> None:
    logs = copy_samples(tmp_path / "logs" / "x") / "dunmore"
    place = tmp_path / "Exchange Logs ü [1]"
    tbes("ingest", logs, "--organisation", "Müller & Söhne", "--quiet", store=place)
    shown = json.loads(tbes("report", "--format", "json", "--as-of", AS_OF, store=place).stdout)
    assert [(row["organisation"], row["display_name"]) for row in shown] == [
        ("mueller-soehne", "Müller & Söhne")
    ]


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe as a POSIX shell does")
@pytest.mark.parametrize("format_", ["csv", "table"])
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_has_seen_enough_is_no_fault(store: Path, format_: str, reader: str) -> None:
    command = f'"{sys.executable}" -c "from pipeline.cli import main; main()" report refusals --format {format_} --store "{store}"'
    done = subprocess.run(
        ["bash", "-c", f"{command} | {reader} >/dev/null; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.stdout == "0\n" and "Traceback" not in done.stderr


def test_a_span_that_holds_nothing_is_refused_not_reported_as_well(store: Path) -> None:
    done = tbes("report", "--since", "2026-11-24", "--until", "2026-11-23", store=store)
    assert done.returncode == 2 and "--since must be before --until" in done.stderr


def test_a_report_of_an_earlier_day_does_not_know_what_came_after(store: Path) -> None:
    done = tbes("report", "refusals", "--as-of", "2026-11-23T12:00Z", "--format", "csv", store=store)
    times = [row["time"] for row in csv.DictReader(io.StringIO(done.stdout))]
    assert times and max(times) < "2026-11-23T12:00:00Z"


def test_a_layout_never_takes_exchanges_own_folder_for_a_name(tmp_path: Path) -> None:
    logs = copy_samples(tmp_path / "logs")
    done = tbes(
        "ingest",
        logs / "cedarholt",
        "--layout",
        "{organisation}/{server}",
        "--json",
        store=tmp_path / "store",
    )
    read = [source for source in json.loads(done.stdout)["sources"] if source["outcome"] == "new"]
    assert {source["server"] for source in read} == {"CHMAIL1"}
