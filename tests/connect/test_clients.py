"""`tbes connect` with the clients people have: DuckDB's own shell and, where it is installed, Harlequin."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.connect.conftest import ROOT, Tbes

AS_OF = "2026-11-24T18:00Z"


def program(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def shell(script: str, sql: str) -> str:
    duckdb = program("duckdb")
    assert duckdb, 'the DuckDB shell is missing: pip install -e ".[test]" brings it (duckdb-cli)'
    done = subprocess.run(
        [duckdb, "-init", script, "-csv", "-noheader", "-c", sql],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr, done.stderr
    return done.stdout


def test_the_stock_shell(tbes: Tbes, home: dict[str, str]) -> None:
    done = tbes("connect", "--as-of", AS_OF)
    assert (done.returncode, done.stderr) == (0, "")
    path = done.stdout.removesuffix("\n")
    assert Path(path).is_file()
    assert Path(path).is_relative_to(Path(home["XDG_CACHE_HOME"]).parent)
    states = shell(path, "select organisation, state from exposure order by rank")
    assert states.splitlines()[:3] == [
        "dunmore,fully blocked",
        "elmsford,partly blocked",
        "cedarholt,delayed",
    ]
    rows = shell(path, "select count(*), max(date_time) from message_tracking")
    ours = tbes(
        "sql", "select count(*), max(date_time) from message_tracking", "--format", "csv"
    ).stdout.splitlines()[1]
    assert rows.split(",")[0] == ours.split(",")[0]
    assert rows.strip().endswith("+00")
    assert shell(path, "select comment from duckdb_views() where view_name = 'exposure'").startswith(
        '"Which organisations'
    )


def test_written_again_to_the_same_place(tbes: Tbes) -> None:
    first, again, other = (tbes("connect", *rest).stdout for rest in ((), (), ("--organisation", "dunmore")))
    assert first == again != other


def test_output_with_quotes_and_spaces(tbes: Tbes, tmp_path: Path) -> None:
    done = tbes("connect", "--as-tables", "--output", "my 'init' [1].sql", "--as-of", AS_OF)
    assert done.stdout == f"{tmp_path / chr(109)}y 'init' [1].sql\n"
    assert shell(done.stdout.strip(), "select count(*) from servers") == "7\n"


def test_what_cannot_be(tbes: Tbes, tmp_path: Path) -> None:
    assert "no organisation 'acme'" in tbes("connect", "--organisation", "acme").stderr
    no_store = tbes("connect", "--store", str(tmp_path / "none"))
    assert (no_store.returncode, no_store.stdout) == (2, "")
    unwritable = tbes("connect", "--output", str(tmp_path / "none" / "x.sql"))
    assert unwritable.returncode == 2
    assert "cannot be written" in unwritable.stderr


def test_harlequin_reads_it(tbes: Tbes, home: dict[str, str]) -> None:
    hsql = program("hsql")
    if hsql is None:
        pytest.skip("Harlequin is not installed")
    path = tbes("connect", "--as-of", AS_OF).stdout.strip()
    done = subprocess.run(
        [
            hsql,
            "--adapter",
            "duckdb",
            "--init-path",
            path,
            "--csv",
            "-c",
            "select state from exposure order by rank limit 1",
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=home,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == ["state", "fully blocked"], done.stderr


def test_harlequin_missing_is_one_sentence(tbes: Tbes) -> None:
    if program("harlequin"):
        pytest.skip("Harlequin is installed")
    done = tbes("sql", "--harlequin")
    assert done.returncode == 2
    assert done.stderr == (
        "Error: Harlequin is not installed: pip install harlequin (or leave --harlequin out for the small prompt)\n"
    )


@pytest.mark.parametrize("command", ["connect", "schema"])
def test_help_shows_examples(tbes: Tbes, command: str) -> None:
    assert "Examples:" in tbes(command, "--help").stdout


def test_the_docs_examples_run(tbes: Tbes) -> None:
    page = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    examples = page.split("```sql\n")[1].split("```")[0].split(";\n")
    for example in filter(str.strip, examples):
        done = tbes("sql", example)
        assert done.returncode == 0, done.stderr
