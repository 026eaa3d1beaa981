"""`tbes connect`, `tbes schema`, and `tbes sql` on a terminal."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pipeline import folders
from pipeline.commands import display_zone, sql_command, with_session, write_file
from pipeline.errors import ExitCode, UsageError
from pipeline.store.store import Store, default_path


def connect_command(output: Path | None, as_tables: bool, **common: Any) -> ExitCode:
    """Write the init script and print its path."""
    path = write_script(output, as_tables, common)
    click.echo(str(path))
    if sys.stdout.isatty():
        click.echo(f'Valid for one hour. For example: duckdb -init "{path}"', err=True)
    return ExitCode.DONE


def write_script(output: Path | None, as_tables: bool, common: dict[str, Any]) -> Path:
    """The init script of a snapshot of now, in `output` or the user's cache folder. Returns its absolute path."""
    from pipeline.connect import script

    written = datetime.now(UTC)
    text = with_session(lambda session: script(session, written, as_tables=as_tables), common)
    path = output.absolute() if output else _default_script(common)
    write_file(path, text)
    return path


def schema_command(name: str | None, format_: str) -> ExitCode:
    """Print what tables, views and columns mean."""
    from pipeline import schema_text

    chosen = schema_text.find(name)
    if format_ == "json":
        click.echo(schema_text.as_json(chosen), nl=False)
    elif format_ == "markdown":
        click.echo(schema_text.as_markdown(chosen), nl=False)
    else:
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
        text = schema_text.as_text(chosen, width)
        if name is None and sys.stdout.isatty():
            click.echo_via_pager(text)
        else:
            click.echo(text, nl=False)
    return ExitCode.DONE


def sql_or_prompt_command(harlequin: bool, **options: Any) -> ExitCode:
    """Run SQL that was given; on a terminal without any open the prompt, or Harlequin."""
    given = options["statement"] or options["file"]
    if harlequin:
        if given or options["output"]:
            raise UsageError("--harlequin opens Harlequin: give it no SQL and no --output")
        return _harlequin(_common(options))
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if given or not terminal or options["output"] or options["format_"] not in (None, "table"):
        return sql_command(**options)
    return _prompt(options["tz"], options["unsafe"], _common(options))


def _prompt(tz: str | None, unsafe: bool, common: dict[str, Any]) -> ExitCode:
    try:
        from pipeline.prompt import HELP, SHOWN_ROWS, converse
    except ImportError as error:
        raise UsageError(
            'The prompt needs prompt_toolkit: pip install "tbes[prompt]" (or give the SQL: tbes sql "select ...")'
        ) from error
    from rich.console import Console

    from pipeline.reports.terminal import print_table
    from pipeline.sql import Result

    zone, zone_name = display_zone(tz)

    def show(result: Result) -> None:
        first = Result(result.columns, result.types, result.rows[:SHOWN_ROWS])
        print_table(Console(), first, "Result", zone, zone_name)
        if len(result.rows) > SHOWN_ROWS:
            click.echo(f"The first {SHOWN_ROWS} of {len(result.rows)} rows.")

    click.echo(HELP)
    history = folders.config_folder() / "history"
    again: str | None = None

    def ask(session: Any) -> str | None:
        return converse(session, show, click.echo, history, again)

    while True:
        again = with_session(ask, common, unsafe=unsafe)
        if again is None:
            return ExitCode.DONE


def _harlequin(common: dict[str, Any]) -> ExitCode:
    # beside this Python first: its environment need not be active
    program = shutil.which("harlequin", path=str(Path(sys.executable).parent)) or shutil.which("harlequin")
    if program is None:
        raise UsageError(
            "Harlequin is not installed: pip install harlequin (or leave --harlequin out for the small prompt)"
        )
    script = write_script(None, False, common)
    done = subprocess.run([program, "--adapter", "duckdb", "--init-path", str(script)], check=False)
    return ExitCode.DONE if done.returncode == 0 else ExitCode.UNEXPECTED


def _common(options: dict[str, Any]) -> dict[str, Any]:
    return {
        key: options.get(key) for key in ("organisation", "since", "until", "as_of", "store", "reference")
    }


def _default_script(common: dict[str, Any]) -> Path:
    """One file a store and choice of rows, written anew each time, in the user's cache folder."""
    store = Store(common.get("store") or default_path()).root
    key = repr((str(store), *(common.get(name) for name in ("organisation", "since", "until", "as_of"))))
    name = f"connect-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}.sql"
    folder = folders.cache_folder()
    try:
        # it names organisations, domains and networks: for this user alone
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    return (folder if writable else Path(tempfile.mkdtemp(prefix="tbes-"))) / name
